// An entry has sixteen bits for the parameters of its action.
#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
control MainControl(CONTROL_PARAMS) {
    action hit(ConnectionId_t connection) { ostd.hit = true; ostd.connection = connection; }
    action miss() { }
    action both(ConnectionId_t connection, QueueId_t queue) { ostd.hit = true; ostd.connection = connection; ostd.queue = queue; }
    table connections {
        key = { hdr.ipv4.src: exact; }
        actions = { both; miss; }
        const default_action = miss();
        size = 64;
    }
    apply {
        connections.apply();
    }
}
#include "../valid/include/main.p4"
