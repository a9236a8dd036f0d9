// Names decide whether < opens type arguments.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    const bit<8> T = 4;
    apply {
        bit<8> a = hdr.ipv4.ttl;
        bit<8> b = hdr.ipv4.protocol;
        meta.flag = a < T && b > (T);
        meta.flag = (a < b) == (b > (a));
        meta.b = a >> (b) >> 1;
        meta.w = (bit<16>) a;
        meta.w = ((bit<16>) (a)) + (bit<16>) (b);
        meta.b = (a) - b;
        meta.b = (a) + (T);
    }
}

#include "include/main.p4"
