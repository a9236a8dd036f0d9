#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        transition accept;
        pkt.extract(hdr.ethernet);
    }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
