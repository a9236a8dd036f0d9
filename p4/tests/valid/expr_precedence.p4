// Section 8.1 and the grammar: how operators bind.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        bit<8> a = hdr.ipv4.ttl;
        bit<8> b = hdr.ipv4.protocol;
        // Comparisons bind less tightly than bitwise operators, unlike in C.
        meta.flag = a & 1 == b & 1 && a | 2 != b;
        meta.b = a + b & 0xF << 1 | (a ^ b);
        meta.w = a ++ b & 16w0xFF00;
        meta.flag = meta.flag ? a > b ? true : false : a >> 1 > b;
    }
}

#include "include/main.p4"
