// What the programs of this folder share: headers, and the heads of parser and control.

#ifndef _COMMON_P4_
#define _COMMON_P4_

#include <core.p4>
#include <baton.p4>

header ethernet_h {
    bit<48> dst;
    bit<48> src;
    bit<16> kind;
}

header ipv4_h {
    bit<4>  version;
    bit<4>  ihl;
    bit<8>  tos;
    bit<16> len;
    bit<16> id;
    bit<3>  flags;
    bit<13> frag;
    bit<8>  ttl;
    bit<8>  protocol;
    bit<16> checksum;
    bit<32> src;
    bit<32> dst;
}

#ifndef OWN_STRUCTS
struct headers_t {
    ethernet_h ethernet;
    ipv4_h     ipv4;
}

struct metadata_t {
    bit<8>  b;
    bit<16> w;
    bool    flag;
    error   e;
}
#endif

#define PARSER_PARAMS packet_in pkt, out headers_t hdr, inout metadata_t meta, \
    in baton_main_parser_input_metadata_t istd
#define CONTROL_PARAMS in headers_t hdr, inout metadata_t meta, \
    in baton_main_input_metadata_t istd, inout baton_main_output_metadata_t ostd

#endif
