// Section 6.8: a leading dot names what is at top level.

#include "include/common.p4"
#include "include/parser.p4"

const bit<8> N = 1;
action use(out bit<8> x) { x = 1; }

control MainControl(CONTROL_PARAMS) {
    const bit<8> N = 2;
    apply {
        ostd.queue = N + .N;
        .use(meta.b);
    }
}

#include "include/main.p4"
