//! Internet addresses of both families, as one kind of number.

/// An IPv6 address, its most significant word first, or the one that stands for an IPv4 address: `::ffff:a.b.c.d`
/// (RFC 4291 Section 2.5.5.2). No packet carries such an address, so that the families cannot be mixed up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpAddress(pub [u32; 4]);

/// What stands before an IPv4 address.
const MAPPED: [u32; 3] = [0, 0, 0xFFFF];

impl IpAddress {
    /// Of an IPv4 address as a number.
    pub const fn v4(address: u32) -> Self {
        IpAddress([MAPPED[0], MAPPED[1], MAPPED[2], address])
    }

    /// Of the bytes of an IPv6 address.
    pub const fn v6(bytes: [u8; 16]) -> Self {
        let b = bytes;
        IpAddress([
            u32::from_be_bytes([b[0], b[1], b[2], b[3]]),
            u32::from_be_bytes([b[4], b[5], b[6], b[7]]),
            u32::from_be_bytes([b[8], b[9], b[10], b[11]]),
            u32::from_be_bytes([b[12], b[13], b[14], b[15]]),
        ])
    }

    /// Whether it is an IPv4 address.
    #[inline]
    pub const fn is_v4(&self) -> bool {
        self.0[0] == MAPPED[0] && self.0[1] == MAPPED[1] && self.0[2] == MAPPED[2]
    }

    /// The IPv4 address as a number.
    #[inline]
    pub const fn as_v4(&self) -> Option<u32> {
        if self.is_v4() {
            Some(self.0[3])
        } else {
            None
        }
    }

    /// The bytes of the IPv6 address.
    pub const fn octets(&self) -> [u8; 16] {
        let [a, b, c, d] = self.0;
        let (a, b, c, d) = (a.to_be_bytes(), b.to_be_bytes(), c.to_be_bytes(), d.to_be_bytes());
        [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[0], c[1], c[2], c[3], d[0], d[1], d[2], d[3]]
    }

    /// Whether it may be an end of a connection: no multicast address (RFC 4291 Section 2.7), and no IPv6 address whose
    /// upper 96 bits are zero: unspecified, loopback, and the deprecated form that has an IPv4 address in it. IPv4
    /// addresses are not judged.
    pub const fn is_unicast(&self) -> bool {
        self.0[0] >> 24 != 0xFF && (self.0[0] | self.0[1] | self.0[2] != 0)
    }
}

impl Default for IpAddress {
    /// `0.0.0.0`.
    fn default() -> Self {
        IpAddress::v4(0)
    }
}

impl From<u32> for IpAddress {
    fn from(address: u32) -> Self {
        IpAddress::v4(address)
    }
}

impl From<[u8; 4]> for IpAddress {
    fn from(bytes: [u8; 4]) -> Self {
        IpAddress::v4(u32::from_be_bytes(bytes))
    }
}

impl From<[u8; 16]> for IpAddress {
    fn from(bytes: [u8; 16]) -> Self {
        IpAddress::v6(bytes)
    }
}

impl core::fmt::Debug for IpAddress {
    fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
        match self.as_v4() {
            Some(address) => core::net::Ipv4Addr::from(address).fmt(f),
            None => core::net::Ipv6Addr::from(self.octets()).fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn families_are_told_apart() {
        let v4 = IpAddress::from([10, 0, 0, 1]);
        assert_eq!((v4.as_v4(), v4.is_unicast()), (Some(0x0A00_0001), true));
        let mut bytes = [0; 16];
        assert!(!IpAddress::v6(bytes).is_unicast(), "the unspecified address");
        bytes[15] = 1;
        assert!(!IpAddress::v6(bytes).is_unicast(), "loopback");
        (bytes[0], bytes[1]) = (0x20, 1);
        let v6 = IpAddress::v6(bytes);
        assert_eq!((v6.as_v4(), v6.is_unicast(), v6.octets()), (None, true, bytes));
        assert!(!IpAddress::v6([0xFF; 16]).is_unicast(), "multicast");
        assert_eq!(std::format!("{v4:?} {v6:?}"), "10.0.0.1 2001::1");
    }
}
