#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        transition select(meta.b) {
            default: accept;
            1: reject;
        }
    }
    state alone { transition accept; }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
