#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        ostd.queue = hdr.ipv4.ttl[1:4];
    }
}

#include "../valid/include/main.p4"
