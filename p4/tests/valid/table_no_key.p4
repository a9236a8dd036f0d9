// Section 14.2: a table without a key runs its default action.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action mark() { meta.flag = true; }
    table always {
        actions = { mark; }
        default_action = mark();
    }
    apply {
        always.apply();
        if (meta.flag) ostd.queue = 1;
    }
}

#include "include/main.p4"
