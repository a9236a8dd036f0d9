#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state begin { transition accept; }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
