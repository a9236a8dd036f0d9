//! Admission: looks at the first four words of each stored frame, for its destination and for a VLAN tag.
//!
//! | destination | taken |
//! | --- | --- |
//! | any, of a loopback frame or while `promiscuous` | yes |
//! | the station's address | yes |
//! | ff:ff:ff:ff:ff:ff | if `broadcast` |
//! | any other group address (least bit of its first byte set) | if `multicast` |
//! | any other | no |
//!
//! A tag is an EtherType of 0x8100 (802.1Q) or 0x88A8 (802.1ad) at its place.
//!
//! Core clock, synchronous reset. One word a cycle, no backpressure. `refuse` stands from the cycle after word 1 to the
//! end of the frame, `vlan` from the cycle after word 3; both are low at the first word of a frame. A frame that ends
//! before is too short for anyone to ask. A change of the settings counts from the next frame on. Verified in
//! `cosim/tests/rx_blocks.rs` and, in the path, in `cosim/tests/rx_path.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Destination filter and finder of VLAN tags.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Admission {
    pub cr: Cr,
    pub word: Signal<In, Bits<32>>,
    pub valid: Signal<In, Bit>,
    pub last: Signal<In, Bit>,
    pub from_wire: Signal<In, Bit>,
    pub promiscuous: Signal<In, Bit>,
    pub broadcast: Signal<In, Bit>,
    pub multicast: Signal<In, Bit>,
    /// The station's address, its first byte in the least significant bits.
    pub station_low: Signal<In, Bits<32>>,
    pub station_high: Signal<In, Bits<16>>,
    /// The frame is for someone else.
    pub refuse: Signal<Out, Bit>,
    /// The frame has a VLAN tag.
    pub vlan: Signal<Out, Bit>,

    /// Number of the next word, no further than 4.
    index: Reg<Bits<3>>,
    /// Of the first two bytes: they are the station's, they are all ones, they are a group's.
    of_station: Reg<Bit>,
    of_all: Reg<Bit>,
    of_group: Reg<Bit>,
    refused: Reg<Bit>,
    has_tag: Reg<Bit>,

    first: Signal<Local, Bits<16>>,
    rest: Signal<Local, Bits<32>>,
    rest_low: Signal<Local, Bits<32>>,
    rest_high: Signal<Local, Bits<32>>,
    to_station: Signal<Local, Bit>,
    to_all: Signal<Local, Bit>,
    wanted: Signal<Local, Bit>,
    kind: Signal<Local, Bits<16>>,
}

module! {
    impl [] Logic for Admission;
    regs: index, of_station, of_all, of_group, refused, has_tag;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.first.next = self.word.val().get_bits::<16>(16);
        self.rest_low.next = bit_cast::<32, 16>(self.station_low.val().get_bits::<16>(16));
        self.rest_high.next = bit_cast::<32, 16>(self.station_high.val()) << 16;
        self.rest.next = self.rest_low.val() | self.rest_high.val();
        self.to_station.next = self.of_station.q.val() && (self.word.val() == self.rest.val());
        self.to_all.next = self.of_all.q.val() && self.word.val().all();
        self.wanted.next = self.promiscuous.val()
            || !self.from_wire.val()
            || self.to_station.val()
            || (self.to_all.val() && self.broadcast.val())
            || (self.of_group.q.val() && !self.to_all.val() && self.multicast.val());
        // The EtherType as it lies in the word, its first byte in the lower half.
        self.kind.next = self.word.val().get_bits::<16>(16);
        if self.valid.val() {
            if self.index.q.val() == 0 {
                self.of_station.d.next = self.first.val() == self.station_low.val().get_bits::<16>(0);
                self.of_all.d.next = self.first.val() == 0xFFFF;
                self.of_group.d.next = self.first.val().get_bit(0);
            }
            if self.index.q.val() == 1 {
                self.refused.d.next = !self.wanted.val();
            }
            if self.index.q.val() == 3 {
                self.has_tag.d.next = (self.kind.val() == 0x0081) || (self.kind.val() == 0xA888);
            }
            if self.index.q.val() != 4 {
                self.index.d.next = self.index.q.val() + 1;
            }
            if self.last.val() {
                self.index.d.next = 0.into();
                self.refused.d.next = false;
                self.has_tag.d.next = false;
            }
        }
        self.refuse.next = self.refused.q.val();
        self.vlan.next = self.has_tag.q.val();
    }
}
