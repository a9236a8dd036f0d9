#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

const bit<8> A = 1;
/* never closed

#include "../valid/include/main.p4"
