//! The programs in `p4/programs`: directed packets, each of them cut anywhere, and random ones.

use super::packet::{Packet, LOCAL, LOCAL_PORT, REMOTE, REMOTE_PORT};
use super::{entries, program};
use baton_p4::interpreter::{Entries, Interpreter, Outcome};
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ALL: [&str; 5] = ["connection.p4", "firewall.p4", "ipv6.p4", "priority.p4", "tenant.p4"];

/// An entry of the table of connections, in the program's own key.
fn connection(key: &str, connection: u16) -> String {
    format!(
        r#"{{ "table": "connections", "key": {{ {key}, "remote_port": {REMOTE_PORT}, "local_port": {LOCAL_PORT} }},
             "action": "to_connection", "params": {{ "connection": {connection} }} }}"#
    )
}

const IPV4: &str = r#""remote_addr": "192.0.2.1", "local_addr": "198.51.100.7""#;
const IPV6: &str = r#""remote_addr": "2001:db8::1", "local_addr": "2001:db8::2""#;
const MAPPED: &str = r#""remote_addr": "::ffff:192.0.2.1", "local_addr": "::ffff:198.51.100.7""#;

/// What the control plane says to each program.
fn filled(name: &str) -> Entries {
    let rows = match name {
        "connection.p4" | "firewall.p4" | "priority.p4" => vec![connection(IPV4, 5)],
        "ipv6.p4" => vec![connection(MAPPED, 5), connection(IPV6, 6)],
        "tenant.p4" => [(0, 5), (10, 7), (20, 8)]
            .map(|(vid, id)| connection(&format!(r#""vlan": {vid}, {IPV4}"#), id))
            .to_vec(),
        _ => vec![],
    };
    entries(&format!(r#"{{ "entries": [ {} ] }}"#, rows.join(",")))
}

fn with<T>(name: &str, test: impl FnOnce(&Interpreter) -> T) -> T {
    let parsed = program(name);
    test(&Interpreter::new(&parsed, &filled(name)).unwrap())
}

/// The connection, or why there is none.
fn verdict(outcome: &Outcome) -> String {
    match (outcome.drop, outcome.hit) {
        (true, _) => "drop".into(),
        (_, true) => format!("connection {}", outcome.connection),
        _ => outcome.parser_error.clone(),
    }
}

fn offsets(outcome: &Outcome) -> (u16, u16, u16) {
    (outcome.network_offset, outcome.transport_offset, outcome.payload_offset)
}

fn tcp4(first: u8, fragment: u16, protocol: u8, data_offset: u8) -> Packet {
    Packet::ethernet(0x0800).ipv4(first, 0, fragment, protocol, REMOTE, LOCAL).tcp(
        (REMOTE_PORT, LOCAL_PORT),
        data_offset,
        0x10,
    )
}

/// Packets and what the three programs for IPv4 say about them: verdict and offsets.
fn ipv4_cases() -> Vec<(Packet, &'static str, (u16, u16, u16))> {
    vec![
        (Packet::segment(), "connection 5", (14, 34, 54)),
        (tcp4(0x45, 0, 6, 8), "connection 5", (14, 34, 66)),
        // Options of IP: up to ten words.
        (tcp4(0x46, 0, 6, 5), "connection 5", (14, 38, 58)),
        (tcp4(0x4F, 0, 6, 15), "connection 5", (14, 74, 134)),
        // Fragments, first or not; other protocols; other types.
        (tcp4(0x45, 0x2000, 6, 5), "NoError", (14, 0, 0)),
        (tcp4(0x45, 0x0001, 6, 5), "NoError", (14, 0, 0)),
        (tcp4(0x45, 0, 17, 5), "NoError", (14, 0, 0)),
        (Packet::ethernet(0x0806).payload(46), "NoError", (0, 0, 0)),
        (Packet::segment6(), "NoError", (0, 0, 0)),
        // Headers that contradict themselves.
        (tcp4(0x55, 0, 6, 5), "IPv4BadVersion", (14, 0, 0)),
        (tcp4(0x44, 0, 6, 5), "IPv4BadHeaderLength", (14, 0, 0)),
        (tcp4(0x45, 0, 6, 4), "TcpBadDataOffset", (14, 34, 0)),
        // Another connection.
        (
            Packet::ethernet(0x0800).ipv4(0x45, 0, 0, 6, LOCAL, REMOTE).tcp((49152, 80), 5, 0),
            "NoError",
            (14, 34, 54),
        ),
        (
            Packet::ethernet(0x0800).ipv4(0x45, 0, 0, 6, REMOTE, LOCAL).tcp((80, 49152), 5, 2),
            "NoError",
            (14, 34, 54),
        ),
        // Two tags are one too many.
        (Packet::ethernet(0x8100).vlan(0, 1, 0x8100).payload(60), "NoError", (0, 0, 0)),
    ]
}

#[test]
fn ipv4_connections() {
    for name in ["connection.p4", "firewall.p4", "tenant.p4"] {
        with(name, |nic| {
            for (index, (packet, expected, at)) in ipv4_cases().iter().enumerate() {
                let outcome = nic.run(&packet.0);
                let verdict = verdict(&outcome);
                // Flags without SYN, ACK or FIN are a scan to the firewall.
                let expected = match (name, index) {
                    ("firewall.p4", 12) => "drop",
                    _ => expected,
                };
                assert_eq!((verdict.as_str(), offsets(&outcome)), (expected, *at), "{name}, packet {index}");
            }
        });
    }
}

#[test]
fn a_vlan_tag_moves_the_headers() {
    with("connection.p4", |nic| {
        let outcome = nic.run(&Packet::tagged_segment(10).0);
        assert_eq!((verdict(&outcome).as_str(), offsets(&outcome)), ("connection 5", (18, 38, 58)));
        let headers: Vec<String> =
            outcome.headers.iter().map(|h| format!("{}@{}", h.name, h.offset)).collect();
        assert_eq!(headers, ["ethernet@0", "vlan@14", "ipv4@18", "tcp@38"]);
    });
}

#[test]
fn tenants_with_the_same_addresses_are_kept_apart() {
    with("tenant.p4", |nic| {
        for (vid, expected) in
            [(10, "connection 7"), (20, "connection 8"), (0, "connection 5"), (30, "NoError")]
        {
            assert_eq!(verdict(&nic.run(&Packet::tagged_segment(vid).0)), expected, "VLAN {vid}");
        }
        assert_eq!(verdict(&nic.run(&Packet::segment().0)), "connection 5");
    });
}

#[test]
fn both_families() {
    with("ipv6.p4", |nic| {
        let tagged = Packet::ethernet(0x8100).vlan(0, 9, 0x86DD).0;
        let tagged = Packet([&tagged[..], &Packet::segment6().0[14..]].concat());
        let other = Packet::ethernet(0x86DD).ipv6(6, 0, 44).tcp((REMOTE_PORT, LOCAL_PORT), 5, 0x10);
        let version = Packet::ethernet(0x86DD).ipv6(4, 0, 6).tcp((REMOTE_PORT, LOCAL_PORT), 5, 0x10);
        for (packet, expected, at) in [
            (Packet::segment6(), "connection 6", (14, 54, 74)),
            (Packet::segment(), "connection 5", (14, 34, 54)),
            (tcp4(0x4F, 0, 6, 5), "connection 5", (14, 74, 94)),
            (tagged, "connection 6", (18, 58, 78)),
            // An extension header.
            (other, "NoError", (14, 0, 0)),
            (version, "IPv6BadVersion", (14, 0, 0)),
            (tcp4(0x45, 0, 6, 4), "TcpBadDataOffset", (14, 34, 0)),
        ] {
            let outcome = nic.run(&packet.0);
            assert_eq!((verdict(&outcome).as_str(), offsets(&outcome)), (expected, at), "{packet:?}");
        }
    });
}

#[test]
fn the_firewall_takes_the_first_rule_that_matches() {
    with("firewall.p4", |nic| {
        let packet = |src: [u8; 4], port: u16, flags: u8| {
            Packet::ethernet(0x0800).ipv4(0x45, 0, 0, 6, src, LOCAL).tcp((REMOTE_PORT, port), 5, flags)
        };
        for (src, port, flags, expected) in [
            (REMOTE, LOCAL_PORT, 0x10, "connection 5"),
            ([127, 0, 0, 1], LOCAL_PORT, 0x10, "drop"),
            ([224, 0, 0, 5], LOCAL_PORT, 0x10, "drop"),
            ([239, 255, 255, 255], LOCAL_PORT, 0x10, "drop"),
            ([240, 0, 0, 1], LOCAL_PORT, 0x10, "NoError"),
            // The management network may do what others may not, and outside of it nobody may.
            ([10, 0, 0, 77], 23, 0x02, "NoError"),
            ([10, 0, 0, 77], LOCAL_PORT, 0x03, "NoError"),
            ([10, 0, 1, 77], 23, 0x02, "drop"),
            (REMOTE, LOCAL_PORT, 0x03, "drop"),
            (REMOTE, LOCAL_PORT, 0x13, "drop"),
            (REMOTE, LOCAL_PORT, 0x02, "connection 5"),
            (REMOTE, LOCAL_PORT, 0xC0, "drop"),
            (REMOTE, 23, 0x02, "drop"),
            (REMOTE, 5999, 0x02, "NoError"),
            (REMOTE, 6000, 0x02, "drop"),
            (REMOTE, 6015, 0x02, "drop"),
            (REMOTE, 6016, 0x02, "NoError"),
        ] {
            let outcome = nic.run(&packet(src, port, flags).0);
            assert_eq!(verdict(&outcome), expected, "{src:?} {port} {flags:#x}");
            // What is denied is not looked up.
            assert_eq!(outcome.lookups.len(), if expected == "drop" { 1 } else { 2 });
            assert_eq!(outcome.lookups[0].table, "filter");
        }
    });
}

#[test]
fn ports_and_dscp_choose_the_queue() {
    with("priority.p4", |nic| {
        let tcp = |dscp: u8, ports: (u16, u16)| {
            Packet::ethernet(0x0800).ipv4(0x45, dscp, 0, 6, REMOTE, LOCAL).tcp(ports, 5, 0x10)
        };
        let tcp6 =
            |dscp: u8, ports: (u16, u16)| Packet::ethernet(0x86DD).ipv6(6, dscp, 6).tcp(ports, 5, 0x10);
        let fragment = Packet::ethernet(0x0800).ipv4(0x45, 0, 0x0010, 6, REMOTE, LOCAL).tcp((80, 80), 5, 0);
        for (packet, queue, class) in [
            (tcp(0, (1000, 2000)), 1, 1),
            (tcp(0, (1000, 80)), 2, 2),
            (tcp(0, (443, 1000)), 2, 2),
            (tcp(0, (179, 1000)), 3, 3),
            (tcp(46, (1000, 80)), 3, 3),
            (tcp(48, (1000, 80)), 3, 3),
            (tcp(56, (1000, 80)), 3, 3),
            (tcp(1, (1000, 80)), 0, 0),
            (tcp(8, (1000, 179)), 3, 3),
            (tcp(8, (1000, 1000)), 0, 0),
            (tcp6(46, (1000, 1000)), 3, 3),
            (tcp6(8, (1000, 80)), 0, 0),
            (tcp6(0, (1000, 80)), 2, 2),
            (Packet::datagram(0, (443, 9)), 2, 2),
            (Packet::datagram(46, (53, 9)), 3, 3),
            // Behind the first fragment there are no ports.
            (fragment, 1, 1),
            (Packet::ethernet(0x0806).payload(46), 1, 1),
        ] {
            let outcome = nic.run(&packet.0);
            assert_eq!((outcome.queue, outcome.class_of_service), (queue, class), "{packet:?}");
            assert!(!outcome.hit && !outcome.drop);
            // Only a whole segment over IPv4 may be of a connection on the NIC.
            let looked_up = outcome.payload_offset != 0;
            assert_eq!(outcome.lookups.len(), usize::from(looked_up), "{packet:?}");
        }
        let urgent = |ports| {
            let outcome = nic.run(&tcp(46, ports).0);
            (verdict(&outcome), outcome.queue, outcome.lookups.len())
        };
        assert_eq!(urgent((REMOTE_PORT, LOCAL_PORT)), ("connection 5".into(), 3, 1));
        assert_eq!(urgent((REMOTE_PORT, 1)), ("NoError".into(), 3, 1));
        let broken =
            Packet::ethernet(0x0800).ipv4(0x45, 0, 0, 6, REMOTE, LOCAL).tcp((REMOTE_PORT, LOCAL_PORT), 4, 0);
        let first = Packet::ethernet(0x0800).ipv4(0x45, 0, 0x2000, 6, REMOTE, LOCAL).tcp(
            (REMOTE_PORT, LOCAL_PORT),
            5,
            0,
        );
        for packet in [broken, first, tcp6(0, (REMOTE_PORT, LOCAL_PORT))] {
            assert!(nic.run(&packet.0).lookups.is_empty(), "{packet:?}");
        }
        assert_eq!(offsets(&nic.run(&Packet::datagram(0, (1, 2)).0)), (14, 34, 0));
        assert_eq!(offsets(&nic.run(&tcp6(0, (1, 2)).0)), (14, 54, 0));
    });
}

/// The headers that a whole packet of the connection has, each with its end.
fn ends(outcome: &Outcome) -> Vec<(String, usize)> {
    let length = |name: &str| match name {
        "ethernet" => 14,
        "vlan" => 4,
        "ipv4" | "tcp" => 20,
        "ipv6" => 40,
        "udp" => 8,
        _ => panic!("{name}"),
    };
    outcome.headers.iter().map(|header| (header.name.clone(), header.offset + length(&header.name))).collect()
}

#[test]
fn a_packet_that_is_cut_anywhere() {
    let packets = [
        Packet::segment(),
        Packet::tagged_segment(10),
        Packet::segment6(),
        Packet::datagram(0, (5, 6)),
        tcp4(0x4F, 0, 6, 15),
    ];
    for name in ALL {
        with(name, |nic| {
            for packet in &packets {
                let whole = nic.run(&packet.0);
                assert_eq!(whole.parser_error, "NoError", "{name}");
                let ends = ends(&whole);
                let last = ends.iter().map(|(_, end)| *end).max().unwrap();
                for length in 0..packet.0.len() {
                    let cut = nic.run(&packet.0[..length]);
                    let place = format!("{name}, {length} bytes of {packet:?}");
                    // Just the headers that are all there.
                    let there = ends.iter().filter(|(_, end)| *end <= length).count();
                    assert_eq!(cut.headers, whole.headers[..there], "{place}");
                    if length >= last {
                        assert_eq!(cut, whole, "{place}");
                    } else {
                        assert_eq!(cut.parser_error, "PacketTooShort", "{place}");
                        assert!(!cut.hit && !cut.drop && cut.payload_offset == 0, "{place}");
                    }
                }
            }
        });
    }
}

#[test]
fn random_packets() {
    let seed = 2026;
    let bases = [
        Packet::segment(),
        Packet::tagged_segment(20),
        Packet::segment6(),
        Packet::datagram(46, (179, 6)),
        tcp4(0x47, 0, 6, 6),
    ];
    for name in ALL {
        with(name, |nic| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (mut errors, mut hits) = (0, 0);
            for round in 0..4000 {
                let mut packet = match round % 4 {
                    0 => {
                        let mut bytes = vec![0; rng.next_u32() as usize % 200];
                        rng.fill_bytes(&mut bytes);
                        bytes
                    }
                    _ => bases[rng.next_u32() as usize % bases.len()].0.clone(),
                };
                for _ in 0..rng.next_u32() % 3 {
                    if !packet.is_empty() {
                        let at = rng.next_u32() as usize % packet.len();
                        packet[at] = rng.next_u32() as u8;
                    }
                }
                let outcome = nic.run(&packet);
                errors += u32::from(outcome.parser_error_code != 0);
                hits += u32::from(outcome.hit);
                let place = format!("{name}, seed {seed}, round {round}: {packet:02x?}");
                assert!(!outcome.hit || outcome.parser_error_code == 0, "{place}");
                for header in &outcome.headers {
                    assert!(header.offset < packet.len(), "{place}");
                }
                let tcp = outcome.headers.iter().find(|header| header.name == "tcp" || header.name == "udp");
                let offset = tcp.map_or(0, |header| header.offset);
                assert_eq!(usize::from(outcome.transport_offset), offset, "{place}");
            }
            // The test reaches what it is about.
            assert!(errors > 100, "{name}: {errors} errors");
            assert!(hits > 100, "{name}: {hits} hits");
        });
    }
}

/// Whatever the checker accepts, the interpreter understands: it panics if it comes to anything else.
#[test]
fn every_valid_program_runs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/valid");
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue; // what the programs include
        }
        let parsed = baton_p4::check(&path, &Default::default(), &baton_p4::pre::Disk).unwrap().parsed;
        let interpreter = Interpreter::new(&parsed, &Entries::default())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for _ in 0..300 {
            let mut packet = vec![0; rng.next_u32() as usize % 80];
            rng.fill_bytes(&mut packet);
            // Small numbers choose more of the branches.
            if rng.next_u32().is_multiple_of(2) {
                packet.iter_mut().for_each(|byte| *byte &= 7);
            }
            assert_eq!(interpreter.run(&packet), interpreter.run(&packet), "{}", path.display());
        }
        count += 1;
    }
    assert!(count > 40, "{count} programs");
}
