#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        (meta.b + 1) = 2;
    }
}

#include "../valid/include/main.p4"
