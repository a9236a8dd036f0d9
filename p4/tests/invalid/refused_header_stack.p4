#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

struct s_t { ethernet_h[2] tags; }

#include "../valid/include/main.p4"
