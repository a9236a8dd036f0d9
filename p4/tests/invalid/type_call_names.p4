#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action a(bit<8> x, bit<8> y) { ostd.queue = x + y; }
    apply {
        a(x = 1, x = 2);
    }
}

#include "../valid/include/main.p4"
