#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    bit<8> a = 1 +;
    apply {
        ostd.queue = a;
        ostd.queue = b;
    }
}

#include "../valid/include/main.p4"
