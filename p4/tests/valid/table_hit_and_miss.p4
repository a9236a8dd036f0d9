// Section 14.2.2: the result of apply, of a table that the control plane fills and of one with entries of its own.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    action use_queue(QueueId_t queue) { ostd.queue = queue; }
    table ports {
        key = { hdr.ethernet.dst[7:0]: ternary; hdr.ethernet.kind: exact; }
        actions = { use_queue; NoAction; }
        const entries = {
            (_, 0x0800): use_queue(3);
            (1 &&& 0x0F, 0x8100): use_queue(4);
            (_, 0x86DD): NoAction();
        }
        const default_action = use_queue(5);
    }
    table stations {
        key = { hdr.ethernet.src: exact; }
        actions = { use_queue; NoAction; }
        const default_action = NoAction();
        size = 16;
    }
    apply {
        bool known = ports.apply().hit;
        if (known) {
            ostd.class_of_service = 1;
        }
        if (stations.apply().miss) {
            ostd.class_of_service = ostd.class_of_service + 2;
        } else if (!known) {
            ostd.drop = true;
        }
    }
}

#include "include/main.p4"
