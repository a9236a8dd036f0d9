//! The management interface's master (IEEE 802.3, clause 22).
//!
//! `start` begins one access: 32 bits of preamble, start, operation, PHY and register address, turnaround,
//! 16 bits of data, most significant first, and an idle bit in which the PHY lets go of the line. MDC runs
//! only during an access. `mdio_o` changes with the falling edge of MDC; the PHY's bits are read just
//! before the rising edge. A PHY that does not pull the second turnaround bit low is not there:
//! `no_answer`, and `data` is then what the pull-up shows, 0xFFFF.
//!
//! Core clock, synchronous reset, which breaks an access off. Half a period of MDC is `divider + 1` cycles;
//! at least 4, because `mdio_i` passes two flops. An access takes `130 * (divider + 1)` cycles, and `busy`
//! is high from the cycle after `start` until its end; a `start` meanwhile is ignored. Verified in
//! `cosim/tests/mac_regs.rs`.

use crate::kit::{Cr, Reg, Synchronizer};
use crate::module;
use rust_hdl::prelude::*;

/// The pins towards the PHY, and its reset.
#[derive(Clone, Debug, Default, LogicInterface)]
pub struct MdioPins {
    pub mdc: Signal<Out, Bit>,
    /// Data, and whether it is driven; else the pin's pull-up holds it high.
    pub mdio_o: Signal<Out, Bit>,
    pub mdio_oe: Signal<Out, Bit>,
    pub mdio_i: Signal<In, Bit>,
    pub phy_reset_n: Signal<Out, Bit>,
}

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Mdio {
    pub cr: Cr,
    pub start: Signal<In, Bit>,
    /// With `start`: data 15:0, register 20:16, PHY 25:21, write 26.
    pub command: Signal<In, Bits<32>>,
    pub divider: Signal<In, Bits<8>>,
    pub busy: Signal<Out, Bit>,
    pub no_answer: Signal<Out, Bit>,
    pub data: Signal<Out, Bits<16>>,
    pub mdc: Signal<Out, Bit>,
    pub mdio_o: Signal<Out, Bit>,
    pub mdio_oe: Signal<Out, Bit>,
    pub mdio_i: Signal<In, Bit>,

    sampled: Synchronizer<1>,
    active: Reg<Bit>,
    writing: Reg<Bit>,
    cycles: Reg<Bits<8>>,
    /// `cycles` has reached `divider`.
    ends: Reg<Bit>,
    clock_high: Reg<Bit>,
    /// Number of the bit: 0 to 31 preamble, 46 and 47 turnaround, 48 to 63 data, 64 idle.
    slot: Reg<Bits<7>>,
    /// The bits from the start on, the next one on top.
    frame: Reg<Bits<32>>,
    read: Reg<Bits<16>>,
    silent: Reg<Bit>,
    out_mdc: Reg<Bit>,
    out_data: Reg<Bit>,
    out_enable: Reg<Bit>,

    address: Signal<Local, Bits<32>>,
    shifted: Signal<Local, Bits<16>>,
}

module! {
    impl [] Logic for Mdio;
    regs: active, writing, cycles, ends, clock_high, slot, frame, read, silent, out_mdc, out_data, out_enable;
    children: sampled;
    #[hdl_gen]
    fn update(&mut self) {
        self.sampled.d.next = 0.into();
        if self.mdio_i.val() {
            self.sampled.d.next = 1.into();
        }
        self.address.next = bit_cast::<32, 10>(self.command.val().get_bits::<10>(16)) << 18;
        self.shifted.next = (self.read.q.val() << 1) | bit_cast::<16, 1>(self.sampled.q.val());

        if self.active.q.val() {
            self.cycles.d.next = self.cycles.q.val() + 1;
            self.ends.d.next = self.cycles.q.val() + 1 >= self.divider.val();
            if self.ends.q.val() {
                self.cycles.d.next = 0.into();
                self.ends.d.next = !self.divider.val().any();
                self.clock_high.d.next = !self.clock_high.q.val();
                if !self.clock_high.q.val() {
                    // The rising edge: the end of what the PHY shows.
                    if self.slot.q.val() == 47 {
                        self.silent.d.next = self.sampled.q.val().any() && !self.writing.q.val();
                    }
                    if (self.slot.q.val() >= 48) && (self.slot.q.val() < 64) {
                        self.read.d.next = self.shifted.val();
                    }
                } else {
                    self.slot.d.next = self.slot.q.val() + 1;
                    if self.slot.q.val() >= 32 {
                        self.frame.d.next = self.frame.q.val() << 1;
                    }
                    if self.slot.q.val() == 64 {
                        self.active.d.next = false;
                    }
                }
            }
        } else if self.start.val() {
            self.active.d.next = true;
            self.cycles.d.next = 0.into();
            self.ends.d.next = !self.divider.val().any();
            self.clock_high.d.next = false;
            self.slot.d.next = 0.into();
            self.silent.d.next = false;
            self.writing.d.next = self.command.val().get_bit(26);
            self.frame.d.next = self.address.val() | 0x60000000;
            if self.command.val().get_bit(26) {
                self.frame.d.next = self.address.val()
                    | bit_cast::<32, 16>(self.command.val().get_bits::<16>(0))
                    | 0x50020000;
            }
        }

        self.out_mdc.d.next = self.clock_high.q.val();
        self.out_data.d.next = (self.slot.q.val() < 32) || self.frame.q.val().get_bit(31);
        self.out_enable.d.next = self.active.q.val()
            && ((self.writing.q.val() && (self.slot.q.val() < 64)) || (self.slot.q.val() < 46));
        self.mdc.next = self.out_mdc.q.val();
        self.mdio_o.next = self.out_data.q.val();
        self.mdio_oe.next = self.out_enable.q.val();
        self.busy.next = self.active.q.val();
        self.no_answer.next = self.silent.q.val();
        self.data.next = self.read.q.val();
    }
}
