// Section 13.8.3: lookahead.

#include "include/common.p4"

enum bit<4> kind_t { A = 4 }

parser MainParser(PARSER_PARAMS) {
    state start {
        transition select(pkt.lookahead<bit<8>>()) {
            0: skip;
            default: ethernet;
        }
    }
    state skip {
        pkt.advance(8);
        transition start;
    }
    state ethernet {
        meta.w = pkt.lookahead<ethernet_h>().kind;
        transition select(meta.w, pkt.lookahead<kind_t>()) {
            (0x0800, kind_t.A): all;
            default: reject;
        }
    }
    state all {
        pkt.extract<ethernet_h>(hdr.ethernet);
        transition accept;
    }
}

#include "include/control.p4"
#include "include/main.p4"
