#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        ostd.queue = hdrr.ipv4.ttl;
    }
}

#include "../valid/include/main.p4"
