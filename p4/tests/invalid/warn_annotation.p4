#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    @atomic bit<8> x = 1;
    apply {
        @hidden { ostd.queue = x; }
    }
}

#include "../valid/include/main.p4"
