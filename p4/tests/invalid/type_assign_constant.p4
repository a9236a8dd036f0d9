#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    const bit<8> A = 1;
    apply {
        A = 2;
    }
}

#include "../valid/include/main.p4"
