// Section 7.2.3: headers in structs in the struct of headers.

#define OWN_STRUCTS
#include "include/common.p4"
struct layer_t {
    ethernet_h ethernet;
    ipv4_h     ipv4;
}
struct headers_t {
    layer_t outer;
    layer_t inner;
}
struct metadata_t {
    bit<8> b;
}

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.outer.ethernet);
        pkt.extract(hdr.inner.ethernet);
        transition accept;
    }
}

#include "include/control.p4"
#include "include/main.p4"
