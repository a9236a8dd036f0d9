#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    bit<8> a = ;
    bit<8> b = 1;
    apply {
        a = 1 1;
        ostd.queue = b;
        ostd.nothing = 1;
        if (b) { }
    }
}

#include "../valid/include/main.p4"
