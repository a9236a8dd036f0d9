#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        meta = { 1, 2, true, error.NoError };
    }
}

#include "../valid/include/main.p4"
