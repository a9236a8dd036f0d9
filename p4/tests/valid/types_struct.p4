// Section 7.2.3 and 8.13: structs in structs, assigned whole.

#include "include/common.p4"
#include "include/parser.p4"

struct inner_t {
    bit<8> y;
    bool   z;
}
struct outer_t {
    bit<8>  x;
    inner_t in1;
    inner_t in2;
}

control MainControl(CONTROL_PARAMS) {
    outer_t a;
    outer_t b;
    apply {
        a.x = hdr.ipv4.ttl;
        a.in1.y = a.x + 1;
        a.in2.z = a.in1.y > 4;
        b = a;
        b.in1 = a.in2;
        ostd.queue = b.in2.z ? b.x : b.in1.y;
    }
}

#include "include/main.p4"
