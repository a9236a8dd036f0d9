// Section 14.2.1.4: a small constant ternary table.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action set(bit<8> q) { ostd.queue = q; }
    table classes {
        key = { hdr.ipv4.src: ternary; hdr.ipv4.tos: ternary; }
        actions = { set; }
        default_action = set(0);
        const entries = {
            (0x0A000000 &&& 0xFF000000, _): set(1);
            (0xC0A80000 &&& 0xFFFF0000, 0xB8): set(2);
            (_, 0xB8 &&& 0xFC): set(3);
            default: set(4);
        }
    }
    apply {
        classes.apply();
    }
}

#include "include/main.p4"
