#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

struct pair_t<T> { T a; T b; }

#include "../valid/include/main.p4"
