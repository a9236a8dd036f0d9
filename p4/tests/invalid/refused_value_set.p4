#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    value_set<bit<16>>(4) kinds;
    state start { transition accept; }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
