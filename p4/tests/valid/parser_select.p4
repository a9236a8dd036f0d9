// Section 13.6: select with values, masks, ranges and default.
// warns: W0005

#include "include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet);
        transition select(hdr.ethernet.kind) {
            0x0800: ipv4;
            0x86DD &&& 0xFFFF: accept;
            0x9000 .. 0x90FF: reject;
            16w0x88A8 &&& 16w0xFFF0: accept;
            _: accept;
        }
    }
    state ipv4 {
        pkt.extract(hdr.ipv4);
        transition select(hdr.ipv4.frag, hdr.ipv4.protocol, hdr.ipv4.isValid(), istd.recirculated) {
            (0, 6, true, _): tcp;
            (0 .. 10, 16 &&& 0xF0, _, false): tcp;
            (_, _, _, _): accept;
        }
    }
    state tcp {
        transition accept;
    }
}

#include "include/control.p4"
#include "include/main.p4"
