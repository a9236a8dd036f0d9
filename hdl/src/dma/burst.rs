//! Cuts a run of words into AXI4 bursts and issues their addresses.
//!
//! A burst ends where the run ends or where a 256-byte line ends, whichever comes first. It therefore has at
//! most 64 beats and never crosses a 4 KiB boundary, and whoever produces the data finds `wlast` from the
//! low address bits alone ([`LINE_BITS`]).
//!
//! Core clock, synchronous reset. A run is taken when `go` and `ready` are both high; its first address is
//! on the channel two cycles later, then one burst a cycle. Backpressure: `axready`, and `hold` while no more
//! bursts may be outstanding. `issue` is high for one cycle for each burst, in which `issue_addr`, `issue_beats` and
//! `issue_final` describe it. A run taken with `mute` is cut and told of in the same way, but reaches no channel: so
//! the words of a refused read are made up in the order of the others. Used by `AxiWriter` and `AxiReader`; verified
//! in `cosim/tests/dma_write` and `cosim/tests/dma_read.rs`, proven as part of both in `hdl/formal`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Low bits of a word address that are all ones in the last word of a line: log2 of the longest burst.
pub const LINE_BITS: usize = 6;

/// The address channel of a run of words.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct BurstSplitter {
    pub cr: Cr,
    pub go: Signal<In, Bit>,
    /// Address of the first word, in words.
    pub word_addr: Signal<In, Bits<30>>,
    /// Words, at least one.
    pub words: Signal<In, Bits<15>>,
    pub ready: Signal<Out, Bit>,
    /// Read with `go`: the run makes no access.
    pub mute: Signal<In, Bit>,
    /// No burst may be issued in this cycle.
    pub hold: Signal<In, Bit>,
    pub issue: Signal<Out, Bit>,
    pub issue_addr: Signal<Out, Bits<30>>,
    /// Beats of the burst less one, as on the channel.
    pub issue_beats: Signal<Out, Bits<6>>,
    /// The burst is the last of its run.
    pub issue_final: Signal<Out, Bit>,
    pub axaddr: Signal<Out, Bits<32>>,
    pub axlen: Signal<Out, Bits<8>>,
    pub axvalid: Signal<Out, Bit>,
    pub axready: Signal<In, Bit>,

    busy: Reg<Bit>,
    silent: Reg<Bit>,
    next_addr: Reg<Bits<30>>,
    left: Reg<Bits<15>>,
    addr: Reg<Bits<30>>,
    len: Reg<Bits<6>>,
    valid: Reg<Bit>,
    line_room: Signal<Local, Bits<7>>,
    line_offset: Signal<Local, Bits<7>>,
    wide_room: Signal<Local, Bits<15>>,
    short: Signal<Local, Bit>,
    beats: Signal<Local, Bits<7>>,
    beats_less_one: Signal<Local, Bits<7>>,
    fire: Signal<Local, Bit>,
}

module! {
    impl [] Logic for BurstSplitter;
    regs: busy, silent, next_addr, left, addr, len, valid;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.line_offset.next = bit_cast::<7, 6>(self.next_addr.q.val().get_bits::<6>(0));
        self.line_room.next = bits::<7>(64) - self.line_offset.val();
        self.wide_room.next = bit_cast::<15, 7>(self.line_room.val());
        self.short.next = self.left.q.val() <= self.wide_room.val();
        self.beats.next = self.line_room.val();
        if self.short.val() {
            self.beats.next = self.left.q.val().get_bits::<7>(0);
        }
        self.beats_less_one.next = self.beats.val() - 1;
        self.fire.next = self.busy.q.val()
            && !self.hold.val()
            && (self.silent.q.val() || !self.valid.q.val() || self.axready.val());

        if self.axready.val() {
            self.valid.d.next = false;
        }
        if self.fire.val() && !self.silent.q.val() {
            self.valid.d.next = true;
            self.addr.d.next = self.next_addr.q.val();
            self.len.d.next = self.beats_less_one.val().get_bits::<6>(0);
        }

        if self.fire.val() {
            self.next_addr.d.next = self.next_addr.q.val() + bit_cast::<30, 7>(self.beats.val());
            self.left.d.next = self.left.q.val() - bit_cast::<15, 7>(self.beats.val());
            self.busy.d.next = !self.short.val();
        }
        if self.go.val() && !self.busy.q.val() {
            self.next_addr.d.next = self.word_addr.val();
            self.left.d.next = self.words.val();
            self.silent.d.next = self.mute.val();
            self.busy.d.next = true;
        }

        self.ready.next = !self.busy.q.val();
        self.issue.next = self.fire.val();
        self.issue_addr.next = self.next_addr.q.val();
        self.issue_beats.next = self.beats_less_one.val().get_bits::<6>(0);
        self.issue_final.next = self.short.val();
        self.axaddr.next = bit_cast::<32, 30>(self.addr.q.val()) << 2;
        self.axlen.next = bit_cast::<8, 6>(self.len.q.val());
        self.axvalid.next = self.valid.q.val();
    }
}
