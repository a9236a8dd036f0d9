#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    bit<(hdr.ipv4.ttl)> b = 1;
    apply {
    }
}

#include "../valid/include/main.p4"
