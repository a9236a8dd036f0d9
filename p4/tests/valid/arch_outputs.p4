// Every output of the architecture.

#include "include/common.p4"
#include "include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        ostd.hit = !istd.recirculated;
        ostd.connection = 16w1;
        ostd.drop = istd.parser_error != error.NoError;
        ostd.queue = 3;
        ostd.class_of_service = 7;
        ostd.network_offset = header_offset(hdr.ipv4);
        ostd.transport_offset = ostd.network_offset + ((bit<16>) hdr.ipv4.ihl << 2);
        ostd.payload_offset = istd.packet_length;
    }
}

#include "include/main.p4"
