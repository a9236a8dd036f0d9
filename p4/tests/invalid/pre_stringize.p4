#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

#define TEXT(x) #x

#include "../valid/include/main.p4"
