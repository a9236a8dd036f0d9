#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control Sub() { apply { } }

control MainControl(CONTROL_PARAMS) {
    Sub() sub;
    apply {
        sub.apply();
    }
}

#include "../valid/include/main.p4"
