#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet, 32w8);
        transition accept;
    }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
