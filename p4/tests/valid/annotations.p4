// Section 20: annotations that name and document.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    @noWarn("unused") action spare() { }
    @brief("counts") @name("ctl.choose") action choose(@name("q") bit<8> queue) { ostd.queue = queue; }
    @name("ctl.table") @description("a table")
    table t {
        key = { hdr.ipv4.src: exact @name("source"); }
        actions = { choose; }
        default_action = choose(0);
        size = 8;
    }
    apply {
        t.apply();
    }
}

#include "include/main.p4"
