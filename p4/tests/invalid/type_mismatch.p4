#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        ostd.queue = hdr.ipv4.len;
    }
}

#include "../valid/include/main.p4"
