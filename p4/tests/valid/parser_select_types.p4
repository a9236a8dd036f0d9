// Section 13.6: keys that are enums, errors and bool.

#include "include/common.p4"

enum bit<16> kind_t { IPV4 = 0x0800 }

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet);
        meta.e = error.NoMatch;
        transition select(meta.e, meta.flag, (kind_t) hdr.ethernet.kind) {
            (error.NoMatch, false, kind_t.IPV4): accept;
            (error.NoError, true, 0x86DD): reject;
            (_, default, kind_t.IPV4 &&& 0xFF00): accept;
            default: reject;
        }
    }
}

#include "include/control.p4"
#include "include/main.p4"
