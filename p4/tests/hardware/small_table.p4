// Fewer entries than a table has.
#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
control MainControl(CONTROL_PARAMS) {
    action hit(ConnectionId_t connection) { ostd.hit = true; ostd.connection = connection; }
    action miss() { }
    table connections {
        key = { hdr.ipv4.src: exact; }
        actions = { hit; miss; }
        const default_action = miss();
        size = 4;
    }
    apply {
        connections.apply();
    }
}
#include "../valid/include/main.p4"
