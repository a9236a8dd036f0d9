// Headers that the programs share, and the faults that their parsers find.

#ifndef _HEADERS_P4_
#define _HEADERS_P4_

typedef bit<48> EthernetAddress;
typedef bit<32> IPv4Address;
typedef bit<128> IPv6Address;

enum bit<16> EtherType {
    IPV4 = 0x0800,
    VLAN = 0x8100,
    IPV6 = 0x86DD
}

const bit<8> PROTOCOL_TCP = 6;
const bit<8> PROTOCOL_UDP = 17;

/// Connections that the NIC can hold.
#ifndef CONNECTIONS
#define CONNECTIONS 4096
#endif

error {
    IPv4BadVersion,
    IPv4BadHeaderLength,
    IPv6BadVersion,
    TcpBadDataOffset
}

header ethernet_h {
    EthernetAddress dst_addr;
    EthernetAddress src_addr;
    EtherType       ether_type;
}

header vlan_h {
    bit<3>    pcp;
    bit<1>    dei;
    bit<12>   vid;
    EtherType ether_type;
}

header ipv4_h {
    bit<4>      version;
    bit<4>      ihl;
    bit<6>      dscp;
    bit<2>      ecn;
    bit<16>     total_len;
    bit<16>     identification;
    bit<1>      reserved;
    bit<1>      dont_fragment;
    bit<1>      more_fragments;
    bit<13>     fragment_offset;
    bit<8>      ttl;
    bit<8>      protocol;
    bit<16>     checksum;
    IPv4Address src_addr;
    IPv4Address dst_addr;
}

header ipv6_h {
    bit<4>      version;
    bit<6>      dscp;
    bit<2>      ecn;
    bit<20>     flow_label;
    bit<16>     payload_len;
    bit<8>      next_header;
    bit<8>      hop_limit;
    IPv6Address src_addr;
    IPv6Address dst_addr;
}

header tcp_h {
    bit<16> src_port;
    bit<16> dst_port;
    bit<32> seq;
    bit<32> ack;
    bit<4>  data_offset;
    bit<4>  reserved;
    bit<8>  flags;
    bit<16> window;
    bit<16> checksum;
    bit<16> urgent;
}

header udp_h {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length;
    bit<16> checksum;
}

#endif  // _HEADERS_P4_
