// The architecture of Baton's receive side, version 1.
//
// It is shaped after the Portable NIC Architecture (PNA): a main parser reads the headers, a main control with
// match-action tables decides, and words that PNA has mean the same here. What differs: packets are classified
// and never rewritten, so there is no deparser and the control sees the headers as `in`; and a packet is
// not sent to a port, it is given to a connection on the NIC or to a queue of the host.
//
// docs/p4.md tells how to write a program for it.

#ifndef _BATON_P4_
#define _BATON_P4_

#include <core.p4>

/// A connection that the NIC owns: index of its TCB, and in the upper bits its generation. The firmware gives
/// these values out; a program only passes them on.
typedef bit<16> ConnectionId_t;
/// A receive queue of the host.
typedef bit<8> QueueId_t;
/// A higher class is served first.
typedef bit<3> ClassOfService_t;
/// A distance in bytes from the start of the Ethernet header.
typedef bit<16> HeaderOffset_t;
/// The packet's length in bytes, without the frame check sequence.
typedef bit<16> PacketLength_t;

struct baton_main_parser_input_metadata_t {
    /// The host sent the packet back into the receive path, since it had arrived before its connection was
    /// handed off (PNA's `recirculated`).
    bool recirculated;
}

struct baton_main_input_metadata_t {
    bool recirculated;
    /// `error.NoError` if the parser reached `accept`. It is reported with the packet whatever the control
    /// does.
    error parser_error;
    PacketLength_t packet_length;
}

/// The outcome. All of it is zero or false when the control starts.
struct baton_main_output_metadata_t {
    /// The packet belongs to a connection on the NIC, and goes to the NIC's receive queue.
    bool hit;
    /// That connection. Without `hit` it has no meaning.
    ConnectionId_t connection;
    /// The packet goes nowhere, and is counted as dropped by the program. It wins over `hit`.
    bool drop;
    /// The host's receive queue, without `hit`.
    QueueId_t queue;
    ClassOfService_t class_of_service;
    /// Where the headers are that checksum units, firmware and driver use. 0 says that there is none.
    HeaderOffset_t network_offset;
    HeaderOffset_t transport_offset;
    /// The first byte behind the transport header.
    HeaderOffset_t payload_offset;
}

/// The offset at which the parser extracted a header; 0 for one that is not valid. If the header was
/// extracted more than once, the last time counts.
extern HeaderOffset_t header_offset<H>(in H hdr);

parser MainParserT<MH, MM>(
    packet_in pkt,
    out MH main_hdr,
    inout MM main_user_meta,
    in baton_main_parser_input_metadata_t istd);

/// It runs for every packet, also when the parser ended in `reject`: then with the headers that were
/// extracted before.
control MainControlT<MH, MM>(
    in MH main_hdr,
    inout MM main_user_meta,
    in baton_main_input_metadata_t istd,
    inout baton_main_output_metadata_t ostd);

package BATON_NIC<MH, MM>(
    MainParserT<MH, MM> main_parser,
    MainControlT<MH, MM> main_control);

#endif  // _BATON_P4_
