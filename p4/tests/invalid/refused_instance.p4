#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

control C2() { apply { } }
C2() c2;

#include "../valid/include/main.p4"
