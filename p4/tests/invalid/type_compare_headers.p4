#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        meta.flag = hdr.ethernet == hdr.ethernet;
    }
}

#include "../valid/include/main.p4"
