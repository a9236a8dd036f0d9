#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

const int W = 8;
const bit<W> A = 1;

#include "../valid/include/main.p4"
