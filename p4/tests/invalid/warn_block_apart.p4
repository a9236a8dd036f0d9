#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

control Other(inout bit<8> x) { apply { x = 1; } }

#include "../valid/include/main.p4"
