#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

#ifndef TARGET
#error TARGET is not given
#endif

#include "../valid/include/main.p4"
