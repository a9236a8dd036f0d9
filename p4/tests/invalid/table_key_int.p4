#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    table t {
        key = { 5: exact; }
        actions = { NoAction; }
        size = 16;
    }
    apply {
        t.apply();
    }
}

#include "../valid/include/main.p4"
