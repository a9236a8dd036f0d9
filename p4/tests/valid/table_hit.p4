// Section 14.2.2: the result of apply.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action use_queue(QueueId_t queue) { ostd.queue = queue; }
    table one {
        key = { hdr.ethernet.dst: exact; }
        actions = { use_queue; NoAction; }
        size = 16;
    }
    table two {
        key = { hdr.ethernet.src: exact; }
        actions = { use_queue; }
        default_action = use_queue(queue = 7);
        size = 16;
    }
    bool found;
    apply {
        if (one.apply().hit) {
            ostd.class_of_service = 1;
        } else if (two.apply().miss) {
            ostd.class_of_service = 2;
        }
        found = ostd.class_of_service == 0;
        if (found) ostd.drop = true;
    }
}

#include "include/main.p4"
