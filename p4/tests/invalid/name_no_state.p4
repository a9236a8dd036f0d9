#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start { transition prase; }
    state parse { transition accept; }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
