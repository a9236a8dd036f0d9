#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

#if 1
const bit<8> A = 1;

#include "../valid/include/main.p4"
