#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start { transition more; }
    state more { transition select(meta.b) { 0: start; default: accept; } }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
