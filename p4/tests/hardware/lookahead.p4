// The hardware holds so many words back and no more.
#include "../valid/include/common.p4"

header far_h { bit<400> all; }

parser MainParser(PARSER_PARAMS) {
    state start {
        transition select(pkt.lookahead<far_h>().all[7:0]) {
            0x02: ethernet;
            default: accept;
        }
    }
    state ethernet {
        pkt.extract(hdr.ethernet);
        transition accept;
    }
}
control MainControl(CONTROL_PARAMS) {
    action hit(ConnectionId_t connection) { ostd.hit = true; ostd.connection = connection; }
    action miss() { }
    apply {
    }
}
#include "../valid/include/main.p4"
