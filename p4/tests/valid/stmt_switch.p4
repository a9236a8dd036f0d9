// Section 12.7: switch on the action that a table ran.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action a() { meta.b = 1; }
    action b(bit<8> n) { meta.b = n; }
    action c() { meta.b = 3; }
    table t {
        key = { hdr.ipv4.protocol: exact; }
        actions = { a; b; c; }
        default_action = b(9);
        size = 64;
    }
    apply {
        switch (t.apply().action_run) {
            a: { ostd.queue = 1; }
            b:
            c: { ostd.queue = 2; }
            default: { ostd.queue = 3; }
        }
    }
}

#include "include/main.p4"
