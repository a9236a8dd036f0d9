#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

enum e_t { A = 1 }

#include "../valid/include/main.p4"
