#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

extern bit<32> random();

#include "../valid/include/main.p4"
