// Section 13.5: a cycle of states that reads.

#define OWN_STRUCTS
#include "include/common.p4"
header vlan_h {
    bit<16> tpid;
    bit<3>  pcp;
    bit<1>  dei;
    bit<12> vid;
}
struct headers_t {
    ethernet_h ethernet;
    vlan_h     vlan;
    ipv4_h     ipv4;
}
struct metadata_t {
    bit<8> b;
}

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet);
        transition tags;
    }
    state tags {
        transition select(pkt.lookahead<bit<16>>()) {
            0x8100: tag;
            0x88A8: tag;
            default: accept;
        }
    }
    state tag {
        pkt.extract(hdr.vlan);
        transition tags;
    }
}

#include "include/control.p4"
#include "include/main.p4"
