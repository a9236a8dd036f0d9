#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action a(bit<8> x) { ostd.queue = x; }
    table t {
        key = { hdr.ipv4.src: exact; }
        actions = { a; }
        default_action = a(0);
        const entries = { 1: a(hdr.ipv4.ttl); }
    }
    apply {
        t.apply();
    }
}

#include "../valid/include/main.p4"
