#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

#define KEY(x) bit<(x)>
#define TWICE(x) KEY(x) KEY(x)
TWICE(WIDTH) a;

#include "../valid/include/main.p4"
