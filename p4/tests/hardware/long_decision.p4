// Nor do they before a decision of the parser.
#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet);
        pkt.extract(hdr.ipv4);
        verify(((hdr.ipv4.src + hdr.ipv4.dst) << 1) + ((((hdr.ipv4.src - hdr.ipv4.dst) >> 1) + hdr.ipv4.src) ^ hdr.ipv4.dst) < 17, error.NoMatch);
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
