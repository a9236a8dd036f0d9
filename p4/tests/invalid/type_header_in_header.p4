#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

header h_t { ethernet_h inner; }

#include "../valid/include/main.p4"
