// Section 12: blocks, scopes and shadowing.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    bit<8> x = 1;
    apply {
        {
            bit<8> x = 2;
            { bit<8> x = 3; ostd.queue = x; }
            meta.b = x;
        }
        ;
        const bit<8> Y = 7;
        ostd.queue = x + Y;
    }
}

#include "include/main.p4"
