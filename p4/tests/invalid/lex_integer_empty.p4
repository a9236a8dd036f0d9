#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

const bit<8> A = 8w0x;

#include "../valid/include/main.p4"
