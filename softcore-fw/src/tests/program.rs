//! The code that enters connections, made of the descriptions of two programs, against the descriptions themselves.

use baton_abi::address::IpAddress;
use baton_control_plane::{ControlPlane, Part};
use baton_tcp::Endpoints;

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
