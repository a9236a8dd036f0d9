#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

extern Counter { Counter(); void count(); }

#include "../valid/include/main.p4"
