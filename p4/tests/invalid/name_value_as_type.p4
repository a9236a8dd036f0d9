#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    bit<8> x = 1;
    x y;
    apply {
    }
}

#include "../valid/include/main.p4"
