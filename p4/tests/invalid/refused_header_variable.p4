#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    ipv4_h copy;
    apply {
    }
}

#include "../valid/include/main.p4"
