// A key whose hash would take longer than a smallest frame.
#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
control MainControl(CONTROL_PARAMS) {
    action hit(ConnectionId_t connection) { ostd.hit = true; ostd.connection = connection; }
    action miss() { }
    table connections {
        key = { hdr.ipv4.src ++ hdr.ipv4.dst ++ hdr.ethernet.src ++ hdr.ethernet.dst: exact;
            hdr.ipv4.src ++ hdr.ipv4.dst ++ hdr.ethernet.src ++ hdr.ethernet.dst[15:0]: exact @name("again");
            hdr.ethernet.kind[0:0]: exact; }
        actions = { hit; miss; }
        const default_action = miss();
        size = 64;
    }
    apply {
        connections.apply();
    }
}
#include "../valid/include/main.p4"
