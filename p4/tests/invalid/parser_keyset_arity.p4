#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet);
        transition select(hdr.ethernet.kind, meta.b) {
            0x0800: accept;
            (1, 2, 3): reject;
        }
    }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
