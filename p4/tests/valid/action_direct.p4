// Section 14.1: actions that are called directly, with parameters of every direction.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action add(in bit<8> left, inout bit<8> sum, out bool overflow, bit<8> more) {
        bit<9> wide = (1w0 ++ sum) + (1w0 ++ left) + (1w0 ++ more);
        sum = wide[7:0];
        overflow = wide[8:8] == 1;
    }
    action twice() {
        add(1, meta.b, _, 1);
        add(left = 2, sum = meta.b, overflow = meta.flag, more = hdr.ipv4.ttl);
    }
    apply {
        twice();
        NoAction();
    }
}

#include "include/main.p4"
