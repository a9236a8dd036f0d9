#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action a() { }
    apply {
        ostd.queue = a;
    }
}

#include "../valid/include/main.p4"
