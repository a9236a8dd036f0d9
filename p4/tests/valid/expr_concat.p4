// Section 8.6: concatenation.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        bit<40> five = hdr.ipv4.src ++ hdr.ipv4.protocol;
        bit<16> two = 8w0xFF ++ hdr.ipv4.ttl;
        ostd.queue = (five[3:0] ++ two[15:12]) & 8w0x0F;
    }
}

#include "include/main.p4"
