// Section 13.8.3: a look ahead wherever an expression may stand, and what is evaluated of it (section 8.5).

#include "include/common.p4"

header tag_h { bit<4> kind; bit<12> value; bit<24> more; }
header far_h { bit<112> ethernet; bit<160> ip; bit<48> rest; }

parser MainParser(PARSER_PARAMS) {
    bit<16> first = pkt.lookahead<bit<16>>();
    bool short_one = istd.recirculated && pkt.lookahead<bit<128>>()[7:0] == 3;

    state start {
        meta.flag = short_one;
        verify(pkt.lookahead<bit<3>>() != 5, error.NoMatch);
        pkt.advance(32);
        transition lanes;
    }
    state lanes {
        transition select(first[1:0]) {
            0: one;
            1: two;
            2: three;
            default: four;
        }
    }
    // Behind each byte of a word, in another cycle than this.
    state one { pkt.advance(40); transition look; }
    state two { pkt.advance(48); transition look; }
    state three { pkt.advance(56); transition look; }
    state four { pkt.advance(64); transition skip; }
    state skip { pkt.advance((bit<32>)(pkt.lookahead<bit<8>>() & 3 | 4) << 3); transition look; }

    state look {
        bit<4> kind = pkt.lookahead<tag_h>().kind;
        meta.w = pkt.lookahead<tag_h>().more[15:0] ^ (bit<16>)pkt.lookahead<tag_h>().value;
        transition select(kind) {
            0: far;
            1: ethernet;
            2: branch;
            3: take;
            default: maybe;
        }
    }
    state branch {
        pkt.advance(32);
        if (pkt.lookahead<bit<12>>()[0:0] == 1) {
            meta.b = pkt.lookahead<bit<64>>()[7:0];
        } else {
            meta.b = 9;
        }
        transition accept;
    }
    state take {
        pkt.advance(40);
        transition look;
    }
    state far {
        meta.w = pkt.lookahead<far_h>().rest[47:32];
        transition accept;
    }
    state maybe {
        pkt.advance(32);
        meta.b = meta.flag ? (bit<8>)pkt.lookahead<bit<2>>() : pkt.lookahead<bit<200>>()[15:8];
        pkt.advance(32);
        transition last;
    }
    state last {
        transition select(pkt.lookahead<bit<48>>(), meta.flag && pkt.lookahead<bit<80>>() != 0) {
            (0 &&& 1, true): ethernet;
            (1 .. 0x7FFFFFFFFFFF, _): accept;
            default: reject;
        }
    }
    state ethernet {
        pkt.extract(hdr.ethernet);
        meta.w = pkt.lookahead<bit<8>>() ++ hdr.ethernet.kind[7:0];
        transition accept;
    }
}

control MainControl(CONTROL_PARAMS) {
    apply {
        ostd.queue = meta.b;
        ostd.network_offset = meta.w;
        ostd.transport_offset = header_offset(hdr.ethernet);
        ostd.drop = meta.flag;
    }
}
#include "include/main.p4"
