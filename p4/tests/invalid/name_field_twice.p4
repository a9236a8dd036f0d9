#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

struct s_t { bit<8> a; bit<8> a; }

#include "../valid/include/main.p4"
