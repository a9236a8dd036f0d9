#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

const bool A = static_assert(true, "a\qb");

#include "../valid/include/main.p4"
