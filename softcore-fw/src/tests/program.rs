//! The code that enters connections, made of the descriptions of two programs, against the descriptions themselves.

use baton_abi::{
    address::IpAddress,
    handoff::{RECORD_WORDS, RECORD_WORDS_IPV6},
    msg::{command, event, refused, ConnId, Header},
};
use baton_control_plane::{ControlPlane, Part};
use baton_tcp::Endpoints;

use super::{
    nic::MockNic,
    protocol::{message, record},
    slots,
};
use crate::program::{BothFamilies, Built, Program, DESCRIPTIONS};

fn number(address: IpAddress) -> u128 {
    u128::from_be_bytes(address.octets())
}

fn check<P: Program>(description: &str, addresses: [IpAddress; 2]) -> usize {
    let [local_ip, remote_ip] = addresses;
    let ends = Endpoints {
        local_ip,
        remote_ip,
        local_port: 0x0050,
        remote_port: 0xC351,
        vlan: 0xABC,
        ..Endpoints::default()
    };
    let table = ControlPlane::parse(description).unwrap().connections().unwrap().expect("a table");
    let described = table.key(|part| match part {
        Part::RemoteAddr => number(remote_ip),
        Part::LocalAddr => number(local_ip),
        Part::RemotePort => 0xC351,
        Part::LocalPort => 0x0050,
        Part::Vlan => 0xABC,
    });
    assert_eq!(P::key(&ends).as_ref(), described);
    assert_eq!(P::KEY_LAYOUT, u32::from(table.digest()));
    assert_eq!(P::CONNECTION_SHIFT, table.connection_low_bit);
    described.len()
}

/// Another description makes other keys, and each is the description's.
#[test]
fn keys_are_those_of_the_description() {
    let v4 = [0x0A00_0001, 0xC0A8_FE02].map(IpAddress::v4);
    let v6 = [1, 2].map(|host| IpAddress([0x2001_0DB8, 0x1234_5678, 0x9ABC_DEF0, host]));
    check::<Built>(DESCRIPTIONS[0], v4);
    assert_eq!(check::<BothFamilies>(DESCRIPTIONS[1], v4), 9);
    assert_eq!(check::<BothFamilies>(DESCRIPTIONS[1], v6), 9);
    assert_ne!(Built::KEY_LAYOUT, 0);
}

/// Records that no host means, over IPv6: addresses of which none can be an end, a message of a length that is not the
/// record's. Nothing of them stays, and a good one is taken.
#[test]
fn hostile_records_of_ipv6_are_refused() {
    let mut memory = slots::<BothFamilies>(2);
    let mut firmware = super::firmware(MockNic::<BothFamilies>::new(1), &mut memory);
    let mut offer = |words: &[u32]| {
        firmware.hw.command(&message(command::HANDOFF, ConnId(0), words));
        for _ in 0..50 {
            firmware.turn();
            firmware.hw.step(1);
        }
        let event = firmware.hw.events.pop_front().expect("an answer");
        (Header::from_word(event[0]).code, event[2], firmware.hw.lookup.len())
    };
    let mut good = record(0);
    good.endpoints.local_ip = IpAddress([0x2001_0DB8, 0, 0, 1]);
    good.endpoints.remote_ip = IpAddress([0x2001_0DB8, 0, 0, 2]);
    let words = good.to_words();
    assert_eq!(words.len(), RECORD_WORDS_IPV6);
    let bad = (event::REFUSED, refused::BAD_RECORD, 0);
    for (at, word) in [(RECORD_WORDS, 0), (RECORD_WORDS, 0xFF02_0000), (RECORD_WORDS + 3, 0)] {
        let mut hostile = words;
        hostile[at] = word;
        if word == 0 {
            // With the two behind it: an IPv4 address in disguise.
            hostile[at + 2] = 0xFFFF;
        }
        assert_eq!(offer(&hostile), bad, "{at} {word:#x}");
    }
    assert_eq!(offer(&words[..RECORD_WORDS]), bad, "without the addresses");
    let narrow = [&record(1).to_words()[..], &[0; 6]].concat();
    assert_eq!(offer(&narrow), bad, "longer than it should be");
    assert_eq!(offer(&words), (event::ACCEPTED, 1, 1));
    assert_eq!(offer(&words), (event::REFUSED, refused::DUPLICATE, 1));
    assert_eq!(offer(&record(1).to_words()), (event::ACCEPTED, 2, 2), "of the other family");
}
