//! A network interface of a client: two queues of frames, filled and emptied by the co-simulation.

use std::collections::VecDeque;

use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

/// Largest frame, Ethernet header included.
const FRAME_BYTES_MAX: usize = 1514;

const ETHERTYPE_VLAN: [u8; 2] = [0x81, 0x00];

/// A frame with the tag of a VLAN (IEEE 802.1Q), or as it is for VLAN 0.
pub fn tag(mut frame: Vec<u8>, vlan: u16) -> Vec<u8> {
    if vlan != 0 && frame.len() >= 12 {
        let [high, low] = vlan.to_be_bytes();
        frame.splice(12..12, [ETHERTYPE_VLAN[0], ETHERTYPE_VLAN[1], high, low]);
    }
    frame
}

/// The frame without its tag, if it belongs to the VLAN; one without a tag belongs to VLAN 0.
pub fn untag(mut frame: Vec<u8>, vlan: u16) -> Option<Vec<u8>> {
    let id = match frame.get(12..16) {
        Some([0x81, 0x00, high, low]) => u16::from_be_bytes([*high, *low]) & 0xFFF,
        _ => 0,
    };
    if id != vlan {
        return None;
    }
    if id != 0 {
        frame.drain(12..16);
    }
    Some(frame)
}

/// Frames to and from one client host. Checksums are smoltcp's own, computed and verified in software.
#[derive(Debug, Default)]
pub struct FrameQueues {
    pub received: VecDeque<Vec<u8>>,
    pub sent: VecDeque<Vec<u8>>,
}

pub struct RxToken(Vec<u8>);

pub struct TxToken<'a>(&'a mut VecDeque<Vec<u8>>);

impl phy::RxToken for RxToken {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl phy::TxToken for TxToken<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.push_back(frame);
        result
    }
}

impl phy::Device for FrameQueues {
    type RxToken<'a> = RxToken;
    type TxToken<'a> = TxToken<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(RxToken, TxToken<'_>)> {
        let frame = self.received.pop_front()?;
        Some((RxToken(frame), TxToken(&mut self.sent)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<TxToken<'_>> {
        Some(TxToken(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME_BYTES_MAX;
        capabilities
    }
}
