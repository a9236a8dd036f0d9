// Queues by ports and DSCP, with no table for them: hardware sorts what goes to the host.
//
// Network control and voice come first, then the web, then the rest, and last the bulk
// transfers that mark themselves as such.
// A queue of the host serves each class. The table is that of connection.p4: what belongs to a connection on the NIC
// goes there, and needs no queue of the host.

#include <core.p4>
#include <baton.p4>
#include "include/headers.p4"

struct headers_t {
    ethernet_h ethernet;
    vlan_h     vlan;
    ipv4_h     ipv4;
    ipv6_h     ipv6;
    tcp_h      tcp;
    udp_h      udp;
}

struct metadata_t {
    bit<6>  dscp;
    bit<16> src_port;
    bit<16> dst_port;
}

/// Differentiated services (RFC 2474, 2597, 3246, 8622).
enum bit<6> Dscp {
    DEFAULT = 0,
    LE      = 1,   // lower effort
    CS1     = 8,
    EF      = 46,  // expedited forwarding: voice
    CS6     = 48,
    CS7     = 56
}

/// The host's queues, and the class that each is.
const QueueId_t QUEUE_BULK = 0;
const QueueId_t QUEUE_BEST_EFFORT = 1;
const QueueId_t QUEUE_WEB = 2;
const QueueId_t QUEUE_URGENT = 3;

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
        meta.dscp = hdr.ipv4.dscp;
        verify(hdr.ipv4.ihl >= 5, error.IPv4BadHeaderLength);
        pkt.advance((bit<32>)(hdr.ipv4.ihl - 5) << 5);
        // The ports are in the first fragment, too.
        transition select(hdr.ipv4.fragment_offset, hdr.ipv4.protocol) {
            (0, PROTOCOL_TCP): parse_tcp;
            (0, PROTOCOL_UDP): parse_udp;
            default: accept;
        }
    }

    state parse_ipv6 {
        pkt.extract(hdr.ipv6);
        meta.dscp = hdr.ipv6.dscp;
        transition select(hdr.ipv6.next_header) {
            PROTOCOL_TCP: parse_tcp;
            PROTOCOL_UDP: parse_udp;
            default: accept;
        }
    }

    state parse_tcp {
        pkt.extract(hdr.tcp);
        meta.src_port = hdr.tcp.src_port;
        meta.dst_port = hdr.tcp.dst_port;
        transition accept;
    }

    state parse_udp {
        pkt.extract(hdr.udp);
        meta.src_port = hdr.udp.src_port;
        meta.dst_port = hdr.udp.dst_port;
        transition accept;
    }
}

#define EITHER_PORT(n) (meta.src_port == (n) || meta.dst_port == (n))

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
            hdr.ipv4.src_addr: exact @name("remote_addr");
            hdr.ipv4.dst_addr: exact @name("local_addr");
            hdr.tcp.src_port:  exact @name("remote_port");
            hdr.tcp.dst_port:  exact @name("local_port");
        }
        actions = {
            to_connection;
            to_host;
        }
        const default_action = to_host();
        size = CONNECTIONS;
    }

    action choose(in QueueId_t queue, in ClassOfService_t class) {
        ostd.queue = queue;
        ostd.class_of_service = class;
    }

    apply {
        ostd.network_offset = hdr.ipv6.isValid() ? header_offset(hdr.ipv6) : header_offset(hdr.ipv4);
        ostd.transport_offset = hdr.udp.isValid() ? header_offset(hdr.udp) : header_offset(hdr.tcp);

        if (meta.dscp == Dscp.EF || meta.dscp == Dscp.CS6 || meta.dscp == Dscp.CS7 || EITHER_PORT(179)) {
            // BGP does not mark itself everywhere, but a lost session costs more than a late page.
            choose(QUEUE_URGENT, 3);
        } else if (meta.dscp == Dscp.LE || meta.dscp == Dscp.CS1) {
            choose(QUEUE_BULK, 0);
        } else if (EITHER_PORT(80) || EITHER_PORT(443)) {
            choose(QUEUE_WEB, 2);
        } else {
            choose(QUEUE_BEST_EFFORT, 1);
        }

        // A fragment, and a header that lies about its length, are the host's to judge.
        if (hdr.tcp.isValid() && hdr.ipv4.isValid() && hdr.ipv4.more_fragments == 0
            && hdr.tcp.data_offset >= 5 && istd.parser_error == error.NoError) {
            ostd.payload_offset = ostd.transport_offset + ((bit<16>)hdr.tcp.data_offset << 2);
            connections.apply();
        }
    }
}

BATON_NIC(MainParser(), MainControl()) main;
