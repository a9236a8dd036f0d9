// The blocks and their parameters may have any name; other blocks may stand beside them.
// warns: W0001 W0001

#include "include/common.p4"

parser Spare(packet_in p) {
    state start { transition accept; }
}

parser P(packet_in p, out headers_t h, inout metadata_t m, in baton_main_parser_input_metadata_t s) {
    state start { p.extract(h.ethernet); transition accept; }
}

control Other(inout bit<8> x) {
    apply { x = x + 1; }
}

control K(in headers_t h, inout metadata_t m, in baton_main_input_metadata_t s, inout baton_main_output_metadata_t o) {
    apply { o.queue = (bit<8>) s.packet_length; }
}

BATON_NIC(main_control = K(), main_parser = P()) main;
