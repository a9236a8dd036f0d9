// Section 8.6: operations on bit strings.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        bit<8> x = hdr.ipv4.ttl;
        bit<8> y = hdr.ipv4.protocol;
        x = x + y - 1;
        x = x & y | ~x ^ 8w0x3C;
        x = x |+| y |-| 2;
        x = x << 2 >> 1;
        x = x << y[1:0];
        x = -x + +y;
        meta.b = x;
        meta.flag = x < y || x <= y || x > y || x >= y || x == y || x != y;
    }
}

#include "include/main.p4"
