// Section 8.2 and 8.3: operations on bool.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    const bool YES = true;
    bool set = !YES;
    apply {
        set = set || hdr.ipv4.isValid() && !hdr.ethernet.isValid();
        set = set == (hdr.ipv4.ttl > 3);
        if (set != meta.flag) ostd.queue = 1; else if (set) ostd.queue = 2; else { ostd.queue = 3; }
        meta.flag = (bool) hdr.ipv4.flags[0:0];
        meta.b[0:0] = (bit<1>) meta.flag;
    }
}

#include "include/main.p4"
