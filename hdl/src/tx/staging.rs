//! Header staging: the templates of bursts, four slots for the firmware and two for the host.
//!
//! The firmware writes the words of its current slot, most significant byte first, and pushes the burst
//! with `go`; the slot returns when `freed` says that the sender is through with its last segment. Writes and
//! pushes while `ready` is low are ignored. Slots are used and released in order. The host's slots are written
//! by [`super::loader`], whose turn the planner decides.
//!
//! A header is kept as it goes out, two bytes of padding first, in two copies: one for the sender, one for the
//! unit that reads templates. The connection that a burst belongs to is kept beside its slot, for the counters.
//!
//! Core clock, synchronous reset. A read answers in the next cycle. Verified in `cosim/tests/tx`.

use super::records::Burst;
use crate::kit::{Cr, LutFifo, LutRam, RamRw, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// The slots, and the bursts that wait for the planner.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct HeaderStage {
    pub cr: Cr,
    pub write: Signal<In, Bit>,
    pub index: Signal<In, Bits<5>>,
    pub data: Signal<In, Bits<32>>,
    pub go: Signal<In, Bit>,
    pub pushed: Signal<In, Burst>,
    /// Connection value of the burst that is pushed.
    pub conn: Signal<In, Bits<16>>,
    pub ready: Signal<Out, Bit>,
    /// Every slot of the firmware is free.
    pub idle: Signal<Out, Bit>,
    pub burst: Signal<Out, Burst>,
    pub burst_valid: Signal<Out, Bit>,
    pub burst_take: Signal<In, Bit>,
    /// A word of a header of the host: slot and index.
    pub host_write: Signal<In, Bit>,
    pub host_addr: Signal<In, Bits<6>>,
    pub host_data: Signal<In, Bits<32>>,
    /// What the sender reads, host [7], slot [6:5], index [4:0]; the word follows in the next cycle, first byte
    /// low.
    pub send_addr: Signal<In, Bits<8>>,
    pub send_data: Signal<Out, Bits<32>>,
    /// The connection of the slot in `send_addr`.
    pub send_conn: Signal<Out, Bits<16>>,
    pub freed: Signal<In, Bit>,
    /// What the reader of templates reads, likewise.
    pub scan_addr: Signal<In, Bits<8>>,
    pub scan_data: Signal<Out, Bits<32>>,

    send_copy: RamRw<32, 7>,
    scan_copy: RamRw<32, 7>,
    host_send_copy: RamRw<32, 6>,
    host_scan_copy: RamRw<32, 6>,
    bursts: LutFifo<Burst, 2, 3>,
    conns: LutRam<16, 2>,
    /// A burst, a cycle after it came: what pushes it lies far away.
    push_late: Reg<Bit>,
    pushed_late: Reg<Burst>,
    write_slot: Reg<Bits<2>>,
    used: Reg<Bits<3>>,
    send_host: Reg<Bit>,
    scan_host: Reg<Bit>,
    free: Signal<Local, Bit>,
    push: Signal<Local, Bit>,
    addr: Signal<Local, Bits<7>>,
    swapped: Signal<Local, Bits<32>>,
}

module! {
    impl [] Logic for HeaderStage;
    regs: push_late, pushed_late, write_slot, used, send_host, scan_host;
    children: send_copy, scan_copy, host_send_copy, host_scan_copy, bursts, conns;
    #[hdl_gen]
    fn update(&mut self) {
        self.free.next = !self.used.q.val().get_bit(2);
        self.ready.next = self.free.val();
        self.idle.next = self.used.q.val() == 0;
        self.push.next = self.free.val() && self.go.val();
        if self.push.val() {
            self.write_slot.d.next = self.write_slot.q.val() + 1;
        }
        if self.push.val() && !self.freed.val() {
            self.used.d.next = self.used.q.val() + 1;
        }
        if self.freed.val() && !self.push.val() {
            self.used.d.next = self.used.q.val() - 1;
        }

        self.addr.next = (bit_cast::<7, 2>(self.write_slot.q.val()) << 5) | bit_cast::<7, 5>(self.index.val());
        self.swapped.next = (bit_cast::<32, 8>(self.data.val().get_bits::<8>(0)) << 24)
            | (bit_cast::<32, 8>(self.data.val().get_bits::<8>(8)) << 16)
            | (bit_cast::<32, 8>(self.data.val().get_bits::<8>(16)) << 8)
            | bit_cast::<32, 8>(self.data.val().get_bits::<8>(24));
        self.send_copy.write_enable.next = self.write.val() && self.free.val();
        self.send_copy.write_addr.next = self.addr.val();
        self.send_copy.write_data.next = self.swapped.val();
        self.send_copy.read_addr.next = self.send_addr.val().get_bits::<7>(0);
        self.scan_copy.write_enable.next = self.write.val() && self.free.val();
        self.scan_copy.write_addr.next = self.addr.val();
        self.scan_copy.write_data.next = self.swapped.val();
        self.scan_copy.read_addr.next = self.scan_addr.val().get_bits::<7>(0);

        self.host_send_copy.write_enable.next = self.host_write.val();
        self.host_send_copy.write_addr.next = self.host_addr.val();
        self.host_send_copy.write_data.next = self.host_data.val();
        self.host_send_copy.read_addr.next = self.send_addr.val().get_bits::<6>(0);
        self.host_scan_copy.write_enable.next = self.host_write.val();
        self.host_scan_copy.write_addr.next = self.host_addr.val();
        self.host_scan_copy.write_data.next = self.host_data.val();
        self.host_scan_copy.read_addr.next = self.scan_addr.val().get_bits::<6>(0);

        self.send_host.d.next = self.send_addr.val().get_bit(7);
        self.send_data.next = self.send_copy.read_data.val();
        if self.send_host.q.val() {
            self.send_data.next = self.host_send_copy.read_data.val();
        }
        self.scan_host.d.next = self.scan_addr.val().get_bit(7);
        self.scan_data.next = self.scan_copy.read_data.val();
        if self.scan_host.q.val() {
            self.scan_data.next = self.host_scan_copy.read_data.val();
        }

        self.push_late.d.next = self.push.val();
        if self.push.val() {
            self.pushed_late.d.next = self.pushed.val();
        }
        self.bursts.push.next = self.push_late.q.val();
        self.bursts.data.next = self.pushed_late.q.val();
        self.bursts.pop.next = self.burst_take.val();
        self.burst.next = self.bursts.head.val();
        self.burst_valid.next = self.bursts.valid.val();
        self.conns.write_enable.next = self.push.val();
        self.conns.write_addr.next = self.write_slot.q.val();
        self.conns.write_data.next = self.conn.val();
        self.conns.read_addr.next = self.send_addr.val().get_bits::<2>(5);
        self.send_conn.next = self.conns.read_data.val();
    }
}
