// Section 7.2.2: headers with bool and enum fields.

#define OWN_STRUCTS
#include "include/common.p4"
enum bit<3> kind_t { A = 0, B = 5 }
type bit<4> nibble_t;
typedef bit<8> octet_t;
header flags_h {
    kind_t   kind;
    bool     on;
    nibble_t rest;
    octet_t  more;
}
header empty_h { }
struct headers_t {
    flags_h flags;
    empty_h none;
}
struct metadata_t {
    bit<8> b;
}

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.flags);
        transition select(hdr.flags.kind, hdr.flags.on) {
            (kind_t.B, true): accept;
            default: reject;
        }
    }
}

#include "include/control.p4"
#include "include/main.p4"
