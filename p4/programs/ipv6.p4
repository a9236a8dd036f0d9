// Both families: a TCP connection is recognised by its addresses and ports, over IPv4 and over IPv6.
//
// One table serves both. An IPv4 address enters the key as the IPv6 address that stands for it, ::ffff:a.b.c.d
// (RFC 4291, section 2.5.5.2); such addresses do not appear in packets, so that the two cannot be mixed up.
// A packet with IPv6 extension headers, fragments among them, goes to the host.

#include <core.p4>
#include <baton.p4>
#include "include/headers.p4"

struct headers_t {
    ethernet_h ethernet;
    vlan_h     vlan;
    ipv4_h     ipv4;
    ipv6_h     ipv6;
    tcp_h      tcp;
}

struct metadata_t {
    IPv6Address remote_addr;
    IPv6Address local_addr;
}

/// What stands before the 32 bits of an IPv4 address.
const bit<96> IPV4_MAPPED = 0xFFFF;

parser MainParser(
    packet_in pkt,
    out headers_t hdr,
    inout metadata_t meta,
    in baton_main_parser_input_metadata_t istd)
{
    state start {
        pkt.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            EtherType.VLAN: parse_vlan;
            EtherType.IPV4: parse_ipv4;
            EtherType.IPV6: parse_ipv6;
            default: accept;
        }
    }

    state parse_vlan {
        pkt.extract(hdr.vlan);
        transition select(hdr.vlan.ether_type) {
            EtherType.IPV4: parse_ipv4;
            EtherType.IPV6: parse_ipv6;
            default: accept;
        }
    }

    state parse_ipv4 {
        pkt.extract(hdr.ipv4);
        verify(hdr.ipv4.version == 4, error.IPv4BadVersion);
        verify(hdr.ipv4.ihl >= 5, error.IPv4BadHeaderLength);
        meta.remote_addr = IPV4_MAPPED ++ hdr.ipv4.src_addr;
        meta.local_addr = IPV4_MAPPED ++ hdr.ipv4.dst_addr;
        // The options: what the header length counts beyond five words.
        pkt.advance((bit<32>)(hdr.ipv4.ihl - 5) << 5);
        transition select(hdr.ipv4.more_fragments, hdr.ipv4.fragment_offset, hdr.ipv4.protocol) {
            (0, 0, PROTOCOL_TCP): parse_tcp;
            default: accept;
        }
    }

    state parse_ipv6 {
        pkt.extract(hdr.ipv6);
        verify(hdr.ipv6.version == 6, error.IPv6BadVersion);
        meta.remote_addr = hdr.ipv6.src_addr;
        meta.local_addr = hdr.ipv6.dst_addr;
        transition select(hdr.ipv6.next_header) {
            PROTOCOL_TCP: parse_tcp;
            default: accept;
        }
    }

    state parse_tcp {
        pkt.extract(hdr.tcp);
        verify(hdr.tcp.data_offset >= 5, error.TcpBadDataOffset);
        transition accept;
    }
}

control MainControl(
    in headers_t hdr,
    inout metadata_t meta,
    in baton_main_input_metadata_t istd,
    inout baton_main_output_metadata_t ostd)
{
    action to_connection(ConnectionId_t connection) {
        ostd.hit = true;
        ostd.connection = connection;
    }

    action to_host() {
        ostd.hit = false;
    }

    table connections {
        key = {
            meta.remote_addr: exact @name("remote_addr");
            meta.local_addr:  exact @name("local_addr");
            hdr.tcp.src_port: exact @name("remote_port");
            hdr.tcp.dst_port: exact @name("local_port");
        }
        actions = {
            to_connection;
            to_host;
        }
        const default_action = to_host();
        size = CONNECTIONS;
    }

    apply {
        ostd.network_offset = hdr.ipv6.isValid() ? header_offset(hdr.ipv6) : header_offset(hdr.ipv4);
        ostd.transport_offset = header_offset(hdr.tcp);
        // A header that lies about its length is the host's to judge.
        if (hdr.tcp.isValid() && istd.parser_error == error.NoError) {
            ostd.payload_offset = ostd.transport_offset + ((bit<16>)hdr.tcp.data_offset << 2);
            connections.apply();
        }
    }
}

BATON_NIC(MainParser(), MainControl()) main;
