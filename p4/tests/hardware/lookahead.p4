// The hardware has not got the bytes that come later.
#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        transition select(pkt.lookahead<bit<8>>()) {
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
