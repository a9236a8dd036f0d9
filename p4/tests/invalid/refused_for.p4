#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        for (bit<8> i = 0; i < 4; i = i + 1) { ostd.queue = i; }
    }
}

#include "../valid/include/main.p4"
