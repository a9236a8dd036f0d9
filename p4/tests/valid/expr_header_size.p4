// Section 9: sizes of headers that are known when compiling.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    const int A = 1;
    apply {
        ostd.payload_offset = header_offset(hdr.ipv4) + hdr.ipv4.minSizeInBytes();
        meta.w = hdr.ethernet.minSizeInBits() + A;
    }
}

#include "include/main.p4"
