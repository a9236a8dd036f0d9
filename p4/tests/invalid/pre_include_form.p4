#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

#include common.p4

#include "../valid/include/main.p4"
