#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action a() { }
    bit<8> x;
    table t {
        key = { hdr.ipv4.src: exact; }
        actions = { NoAction; }
        size = 16;
    }
    apply {
    }
}

#include "../valid/include/main.p4"
