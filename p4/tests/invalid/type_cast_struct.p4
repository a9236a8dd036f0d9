#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        meta.b = (bit<8>) meta;
    }
}

#include "../valid/include/main.p4"
