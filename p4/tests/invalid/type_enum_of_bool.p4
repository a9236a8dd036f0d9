#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

enum bool e_t { A = true }

#include "../valid/include/main.p4"
