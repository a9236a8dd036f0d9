#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet);
        if (hdr.ethernet.kind == 0x0800) {
            pkt.extract(hdr.ipv4);
        }
        transition accept;
    }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
