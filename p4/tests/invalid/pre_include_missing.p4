#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

#include "does_not_exist.p4"

#include "../valid/include/main.p4"
