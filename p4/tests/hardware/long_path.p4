// Seven additions, one after the other, do not fit a cycle.
#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
control MainControl(CONTROL_PARAMS) {
    action hit(ConnectionId_t connection) { ostd.hit = true; ostd.connection = connection; }
    action miss() { }
    apply {
        bit<32> sum = hdr.ipv4.src + hdr.ipv4.dst;
        sum = (sum << 1) + hdr.ipv4.src;
        sum = (sum ^ hdr.ipv4.dst) + (bit<32>)hdr.ipv4.len;
        sum = (sum << 3) + (bit<32>)hdr.ipv4.id;
        ostd.queue = sum[31:24];
    }
}
#include "../valid/include/main.p4"
