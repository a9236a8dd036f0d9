// Section 13.2 to 13.4: local variables, constants, blocks and if in a parser.

#include "include/common.p4"

parser MainParser(PARSER_PARAMS) {
    const bit<16> KIND = 0x0800;
    bit<8> count = 0;
    bit<8> other;
    state start {
        bit<16> kind;
        pkt.extract(hdr.ethernet);
        kind = hdr.ethernet.kind;
        { count = count + 1; }
        if (kind == KIND) {
            other = count;
        } else {
            other = 2;
        }
        meta.b = other;
        transition select(kind == KIND) {
            true: next;
            false: accept;
        }
    }
    state next {
        pkt.extract(hdr.ipv4);
        transition accept;
    }
}

#include "include/control.p4"
#include "include/main.p4"
