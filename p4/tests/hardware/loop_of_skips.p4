// A skip may be of nothing, and then the state comes again in the same cycle.
#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet);
        transition skip;
    }
    state skip {
        pkt.advance((bit<32>)meta.b << 3);
        transition select(meta.b) {
            0: accept;
            default: skip;
        }
    }
}
control MainControl(CONTROL_PARAMS) {
    action hit(ConnectionId_t connection) { ostd.hit = true; ostd.connection = connection; }
    action miss() { }
    apply {
    }
}
#include "../valid/include/main.p4"
