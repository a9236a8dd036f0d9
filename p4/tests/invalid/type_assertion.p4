#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

const int A = 3;
const bool OK = static_assert(A > 4, "A is too small");

#include "../valid/include/main.p4"
