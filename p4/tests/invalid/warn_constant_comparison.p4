#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        meta.flag = hdr.ipv4.ttl >= 0;
    }
}

#include "../valid/include/main.p4"
