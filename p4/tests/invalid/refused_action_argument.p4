#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action a(in bit<8> x) { ostd.queue = x; }
    table t {
        key = { hdr.ipv4.src: exact; }
        actions = { a(1); }
        size = 16;
    }
    apply {
        t.apply();
    }
}

#include "../valid/include/main.p4"
