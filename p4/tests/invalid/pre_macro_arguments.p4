#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

#define ADD(a, b) ((a) + (b))
const int A = ADD(1);

#include "../valid/include/main.p4"
