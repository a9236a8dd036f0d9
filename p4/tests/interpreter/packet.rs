//! Packets, built header by header.

/// A frame under construction. Each method adds a header behind what is there.
#[derive(Clone, Debug, Default)]
pub struct Packet(pub Vec<u8>);

pub const REMOTE: [u8; 4] = [192, 0, 2, 1];
pub const LOCAL: [u8; 4] = [198, 51, 100, 7];
pub const REMOTE6: [u8; 16] = [0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub const LOCAL6: [u8; 16] = [0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
pub const REMOTE_PORT: u16 = 49152;
pub const LOCAL_PORT: u16 = 80;

const TCP: u8 = 6;
const UDP: u8 = 17;

impl Packet {
    fn put(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn ethernet(ether_type: u16) -> Self {
        let addresses = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        Packet::default().put(&addresses).put(&ether_type.to_be_bytes())
    }

    /// A VLAN tag; the Ethernet type before it is 0x8100.
    pub fn vlan(self, pcp: u16, vid: u16, ether_type: u16) -> Self {
        self.put(&(pcp << 13 | vid).to_be_bytes()).put(&ether_type.to_be_bytes())
    }

    /// `first` is version and header length, `fragment` flags and offset, and the options are as many words as
    /// the length says beyond five.
    pub fn ipv4(self, first: u8, dscp: u8, fragment: u16, protocol: u8, src: [u8; 4], dst: [u8; 4]) -> Self {
        let options = vec![1; usize::from((first & 15).saturating_sub(5)) * 4];
        self.put(&[first, dscp << 2, 0, 40, 0, 1])
            .put(&fragment.to_be_bytes())
            .put(&[64, protocol, 0xAB, 0xCD])
            .put(&src)
            .put(&dst)
            .put(&options)
    }

    pub fn ipv6(self, version: u8, dscp: u8, next_header: u8) -> Self {
        let traffic_class = dscp << 2;
        self.put(&[version << 4 | traffic_class >> 4, traffic_class << 4, 0, 0, 0, 20, next_header, 64])
            .put(&REMOTE6)
            .put(&LOCAL6)
    }

    pub fn tcp(self, ports: (u16, u16), data_offset: u8, flags: u8) -> Self {
        let options = vec![1; usize::from(data_offset.saturating_sub(5)) * 4];
        self.put(&ports.0.to_be_bytes())
            .put(&ports.1.to_be_bytes())
            .put(&[0, 0, 0, 1, 0, 0, 0, 2, data_offset << 4, flags, 0x10, 0, 0, 0, 0, 0])
            .put(&options)
    }

    pub fn udp(self, ports: (u16, u16)) -> Self {
        self.put(&ports.0.to_be_bytes()).put(&ports.1.to_be_bytes()).put(&[0, 12, 0, 0])
    }

    pub fn payload(self, length: usize) -> Self {
        self.put(&vec![0x5A; length])
    }

    /// A TCP segment of the connection, over IPv4 without options.
    pub fn segment() -> Self {
        Packet::ethernet(0x0800)
            .ipv4(0x45, 0, 0x4000, TCP, REMOTE, LOCAL)
            .tcp((REMOTE_PORT, LOCAL_PORT), 5, 0x10)
            .payload(6)
    }

    pub fn tagged_segment(vid: u16) -> Self {
        Packet::ethernet(0x8100)
            .vlan(3, vid, 0x0800)
            .ipv4(0x45, 0, 0x4000, TCP, REMOTE, LOCAL)
            .tcp((REMOTE_PORT, LOCAL_PORT), 5, 0x10)
            .payload(6)
    }

    pub fn segment6() -> Self {
        Packet::ethernet(0x86DD).ipv6(6, 0, TCP).tcp((REMOTE_PORT, LOCAL_PORT), 5, 0x10).payload(6)
    }

    pub fn datagram(dscp: u8, ports: (u16, u16)) -> Self {
        Packet::ethernet(0x0800).ipv4(0x45, dscp, 0, UDP, REMOTE, LOCAL).udp(ports).payload(4)
    }
}
