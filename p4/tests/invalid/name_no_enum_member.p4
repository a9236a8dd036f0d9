#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

enum e_t { A, B }

control MainControl(CONTROL_PARAMS) {
    apply {
        meta.flag = e_t.A == e_t.C;
    }
}

#include "../valid/include/main.p4"
