#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action a(bit<8> x) { x = 1; }
    apply {
        a(1);
    }
}

#include "../valid/include/main.p4"
