#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    table t {
        key = { hdr.ipv4.src: exact; hdr.ipv4.src: exact; }
        actions = { NoAction; }
        size = 16;
    }
    apply {
        t.apply();
    }
}

#include "../valid/include/main.p4"
