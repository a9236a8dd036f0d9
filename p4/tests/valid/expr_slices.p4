// Section 8.6: slices, read and written.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        bit<48> address = hdr.ethernet.dst;
        address[47:24] = 24w0x00005E;
        address[23:16] = hdr.ethernet.src[7:0];
        address[0:0] = 1;
        address[47:0] = address[47:0] + 1;
        ostd.queue = address[15:8][3:0] ++ address[7:4];
        meta.flag = address[40:40] == 1;
    }
}

#include "include/main.p4"
