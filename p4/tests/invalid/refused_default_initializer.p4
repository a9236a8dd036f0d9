#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    metadata_t copy = ...;
    apply {
    }
}

#include "../valid/include/main.p4"
