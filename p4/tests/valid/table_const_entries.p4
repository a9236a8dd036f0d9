// Section 14.2.1.4: const entries, exact.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action set(bit<8> q, bit<3> c) { ostd.queue = q; ostd.class_of_service = c; }
    table fixed {
        key = { hdr.ethernet.kind: exact; hdr.ipv4.isValid(): exact; }
        actions = { set; NoAction; }
        const entries = {
            (0x0800, true): set(1, 1);
            (0x0800, false): set(c = 2, q = 1);
            (0x86DD, false): NoAction();
        }
    }
    apply {
        fixed.apply();
    }
}

#include "include/main.p4"
