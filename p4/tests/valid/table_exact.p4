// Section 14.2: a table that the control plane fills.
// warns: W0003

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action hit(ConnectionId_t connection) { ostd.hit = true; ostd.connection = connection; }
    action miss() { ostd.hit = false; }
    table connections {
        key = {
            hdr.ipv4.src: exact;
            hdr.ipv4.dst: exact @name("to");
            hdr.ipv4.protocol & 8w0x7F: exact @name("protocol");
        }
        actions = { hit; @defaultonly miss; }
        const default_action = miss();
        size = 1 << 10;
    }
    apply {
        connections.apply();
    }
}

#include "include/main.p4"
