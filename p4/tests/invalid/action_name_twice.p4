#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    @name("NoAction") action a() { }
    table t {
        key = { hdr.ipv4.src: exact; }
        actions = { NoAction; a; }
        size = 16;
    }
    apply {
        t.apply();
    }
}

#include "../valid/include/main.p4"
