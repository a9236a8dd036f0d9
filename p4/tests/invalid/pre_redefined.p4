#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

#define A 1
#define A 2

#include "../valid/include/main.p4"
