// Section 13.8.5: options that are skipped by a length in the header.

#include "include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet);
        pkt.extract(hdr.ipv4);
        verify(hdr.ipv4.ihl >= 5, error.HeaderTooShort);
        pkt.advance((bit<32>)(hdr.ipv4.ihl - 5) << 5);
        pkt.advance(((bit<32>) hdr.ipv4.ttl[3:0]) << 4 & 0xFFFFFFF8);
        pkt.advance((bit<32>) (hdr.ipv4.ttl ++ 3w0));
        transition accept;
    }
}

#include "include/control.p4"
#include "include/main.p4"
