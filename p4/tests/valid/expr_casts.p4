// Section 8.11: explicit casts, and implicit ones.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        bit<8> small = (bit<8>) hdr.ipv4.src;
        bit<64> large = (bit<64>) hdr.ipv4.src;
        bit<1> one = (bit<1>) hdr.ipv4.isValid();
        bool truth = (bool) one;
        bit<16> same = (bit<16>) hdr.ethernet.kind;
        bit<8> from_int = 200;
        bit<8> sum = small + 1;
        ostd.queue = truth ? sum + from_int : (bit<8>) large + (bit<8>) same;
    }
}

#include "include/main.p4"
