// Section 8.5.3: the conditional operator.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        ostd.queue = hdr.ipv4.isValid() ? hdr.ipv4.ttl : 0;
        ostd.queue = hdr.ipv4.ttl > 64 ? 8w1 : hdr.ipv4.ttl > 32 ? 8w2 : 8w3;
    }
}

#include "include/main.p4"
