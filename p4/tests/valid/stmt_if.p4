// Section 12.6: conditional statements.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        if (hdr.ipv4.isValid())
            if (hdr.ipv4.ttl == 0)
                ostd.drop = true;
            else
                ostd.queue = 1;
        else {
            ostd.queue = 2;
        }
        if (!hdr.ethernet.isValid()) { } else ;
    }
}

#include "include/main.p4"
