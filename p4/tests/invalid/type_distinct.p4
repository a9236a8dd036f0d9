#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

type bit<8> port_t;

control MainControl(CONTROL_PARAMS) {
    apply {
        ostd.queue = (port_t) 1 + 1;
    }
}

#include "../valid/include/main.p4"
