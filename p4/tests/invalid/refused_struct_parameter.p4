#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action a(in metadata_t m) { ostd.queue = m.b; }
    apply {
        a(meta);
    }
}

#include "../valid/include/main.p4"
