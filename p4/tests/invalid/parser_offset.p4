#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        meta.w = header_offset(hdr.ethernet);
        transition accept;
    }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
