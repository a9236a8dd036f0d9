//! The receiver's core side: check sequence, lengths, pause frames, address filter.
//!
//! Takes the words of the frame queue and gives frames without their check sequence to the core, as
//! AXI4-Stream. `tuser` with `tlast` marks a frame that the core must drop: its check sequence is wrong, it
//! is shorter than 64 bytes or longer than 1522 (9018 with `jumbo`), the PHY reported an error in it, or it
//! was cut for want of room. Of an overlong frame the words up to the limit pass, the rest is dropped here.
//! Frames without a byte before their check sequence, MAC control frames (type 0x8808: pause frames have no
//! use for the core and nothing here obeys them) and, unless `promiscuous`, frames for another station's
//! address do not pass at all. Broadcast and multicast always do. On a line that it shares with the host link, frames of the link's
//! EtherType do not pass either.
//!
//! Each frame adds to one counter: frames (with its bytes), pause, filtered, or the first that applies of
//! overlong, symbol error, runt, bad check sequence. A frame that was cut was counted where that happened.
//! Control frames other than pause are only dropped, and so are sound frames of the host link.
//!
//! Core clock, synchronous reset. A word a cycle. A word leaves when its successor has come, because the
//! last four bytes never do, and a frame's first word waits until its fourth was seen, which tells a
//! control frame; `mac` states the latency of the whole. Backpressure: `tready` low stops the queue's words
//! once at most ten wait here; none is lost. Reset of the other domain in a frame (`stop`) ends the frame
//! here with `tuser`. Verified in `cosim/tests/mac.rs`.

use crate::kit::{crc32_byte, Cr, Crc32, LutFifo, Reg, StreamOut};
use crate::module;
use rust_hdl::prelude::*;

/// A word on its way to the core.
#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
pub struct RxOut {
    pub data: Bits<32>,
    pub keep: Bits<4>,
    pub last: Bit,
    pub user: Bit,
}

/// What became of a frame: a pulse each.
#[derive(Clone, Debug, LogicBlock)]
pub struct RxCheck {
    pub cr: Cr,
    pub word: Signal<In, Bits<36>>,
    pub valid: Signal<In, Bit>,
    pub pop: Signal<Out, Bit>,
    /// The queue is being emptied.
    pub stop: Signal<In, Bit>,
    pub jumbo: Signal<In, Bit>,
    pub promiscuous: Signal<In, Bit>,
    /// Own address, first byte lowest.
    pub addr_low: Signal<In, Bits<32>>,
    pub addr_high: Signal<In, Bits<16>>,
    pub stream: StreamOut,
    pub st_frame: Signal<Out, Bit>,
    /// With `st_frame`: the frame's bytes, its check sequence included.
    pub st_bytes: Signal<Out, Bits<14>>,
    pub st_pause: Signal<Out, Bit>,
    pub st_filtered: Signal<Out, Bit>,
    pub st_long: Signal<Out, Bit>,
    pub st_symbol: Signal<Out, Bit>,
    pub st_runt: Signal<Out, Bit>,
    pub st_bad_fcs: Signal<Out, Bit>,

    crc: Crc32<32>,
    /// First stage: the word as popped.
    data1: Reg<Bits<32>>,
    tag1: Reg<Bits<4>>,
    valid1: Reg<Bit>,
    /// A frame was begun and not ended, as popped.
    begun: Reg<Bit>,
    /// The open frame lost its rest to a reset, and is to be ended.
    orphan: Reg<Bit>,
    /// Second stage: the word, and the check sequence register after it.
    data2: Reg<Bits<32>>,
    tag2: Reg<Bits<4>>,
    valid2: Reg<Bit>,
    sum: Reg<Bits<32>>,
    /// The next word in the first stage is a frame's first.
    fresh: Reg<Bit>,
    /// Number of the word in the second stage.
    index: Reg<Bits<12>>,
    /// The word before, unless it went out.
    held: Reg<Bits<32>>,
    holds: Reg<Bit>,
    /// The rest of an overlong frame is dropped.
    skip: Reg<Bit>,
    /// What the first words said; `control` also of frames that are the host link's.
    multicast: Reg<Bit>,
    own: Reg<Bit>,
    pause_address: Reg<Bit>,
    control: Reg<Bit>,
    pause_code: Reg<Bit>,
    /// Frames whose fate is known: 1 passes, 0 does not.
    fates: LutFifo<Bits<1>, 4, 5>,
    out: LutFifo<RxOut, 4, 5>,
    room: Reg<Bit>,
    frame_pulse: Reg<Bit>,
    bytes_pulse: Reg<Bits<14>>,
    pause_pulse: Reg<Bit>,
    filtered_pulse: Reg<Bit>,
    long_pulse: Reg<Bit>,
    symbol_pulse: Reg<Bit>,
    runt_pulse: Reg<Bit>,
    fcs_pulse: Reg<Bit>,

    take: Signal<Local, Bit>,
    cut_short: Signal<Local, Bit>,
    last1: Signal<Local, Bit>,
    last2: Signal<Local, Bit>,
    cut2: Signal<Local, Bit>,
    ends2: Signal<Local, Bit>,
    bytes2: Signal<Local, Bits<14>>,
    before2: Signal<Local, Bits<14>>,
    length: Signal<Local, Bits<14>>,
    limit: Signal<Local, Bits<14>>,
    overlong: Signal<Local, Bit>,
    runt: Signal<Local, Bit>,
    residue: Signal<Local, Bits<32>>,
    fcs_ok: Signal<Local, Bit>,
    bad: Signal<Local, Bit>,
    active: Signal<Local, Bit>,
    closes: Signal<Local, Bit>,
    is_control: Signal<Local, Bit>,
    is_link: Signal<Local, Bit>,
    is_pause: Signal<Local, Bit>,
    accepted: Signal<Local, Bit>,
    fate_now: Signal<Local, Bit>,
    pass_now: Signal<Local, Bit>,
    keep: Signal<Local, Bits<4>>,
    passing: Signal<Local, Bit>,
    dropping: Signal<Local, Bit>,
    leaves: Signal<Local, Bit>,
    residue1: Constant<Bits<32>>,
    residue2: Constant<Bits<32>>,
    residue3: Constant<Bits<32>>,
    residue4: Constant<Bits<32>>,
    with_link: Constant<Bit>,
}

// Told by number below.
const _: () = assert!(baton_abi::link::ETHERTYPE == 0x88B5);

/// The check sequence register after a good frame whose last word has `bytes` bytes, and zeros above them.
fn residue(bytes: u32) -> Bits<32> {
    // Any message shows it: this is the empty one, whose check sequence is zero.
    let after = (0..4).fold(u32::MAX, |state, _| crc32_byte(state, 0));
    let padded = (bytes..4).fold(after, |state, _| crc32_byte(state, 0));
    u64::from(padded).into()
}

impl RxCheck {
    /// Whether the line carries frames of the host link, which another receiver takes.
    pub fn new(with_link: bool) -> Self {
        RxCheck {
            cr: Default::default(),
            word: Default::default(),
            valid: Default::default(),
            pop: Default::default(),
            stop: Default::default(),
            jumbo: Default::default(),
            promiscuous: Default::default(),
            addr_low: Default::default(),
            addr_high: Default::default(),
            stream: Default::default(),
            st_frame: Default::default(),
            st_bytes: Default::default(),
            st_pause: Default::default(),
            st_filtered: Default::default(),
            st_long: Default::default(),
            st_symbol: Default::default(),
            st_runt: Default::default(),
            st_bad_fcs: Default::default(),
            crc: Default::default(),
            data1: Default::default(),
            tag1: Default::default(),
            valid1: Default::default(),
            begun: Default::default(),
            orphan: Default::default(),
            data2: Default::default(),
            tag2: Default::default(),
            valid2: Default::default(),
            sum: Default::default(),
            fresh: Reg::new(true),
            index: Default::default(),
            held: Default::default(),
            holds: Default::default(),
            skip: Default::default(),
            multicast: Default::default(),
            own: Default::default(),
            pause_address: Default::default(),
            control: Default::default(),
            pause_code: Default::default(),
            fates: Default::default(),
            out: Default::default(),
            room: Default::default(),
            frame_pulse: Default::default(),
            bytes_pulse: Default::default(),
            pause_pulse: Default::default(),
            filtered_pulse: Default::default(),
            long_pulse: Default::default(),
            symbol_pulse: Default::default(),
            runt_pulse: Default::default(),
            fcs_pulse: Default::default(),
            take: Default::default(),
            cut_short: Default::default(),
            last1: Default::default(),
            last2: Default::default(),
            cut2: Default::default(),
            ends2: Default::default(),
            bytes2: Default::default(),
            before2: Default::default(),
            length: Default::default(),
            limit: Default::default(),
            overlong: Default::default(),
            runt: Default::default(),
            residue: Default::default(),
            fcs_ok: Default::default(),
            bad: Default::default(),
            active: Default::default(),
            closes: Default::default(),
            is_control: Default::default(),
            is_link: Default::default(),
            is_pause: Default::default(),
            accepted: Default::default(),
            fate_now: Default::default(),
            pass_now: Default::default(),
            keep: Default::default(),
            passing: Default::default(),
            dropping: Default::default(),
            leaves: Default::default(),
            residue1: Constant::new(residue(1)),
            residue2: Constant::new(residue(2)),
            residue3: Constant::new(residue(3)),
            residue4: Constant::new(residue(4)),
            with_link: Constant::new(with_link),
        }
    }
}

module! {
    impl [] Logic for RxCheck;
    regs: data1, tag1, valid1, begun, orphan, data2, tag2, valid2, sum, fresh, index, held, holds, skip, multicast, own,
        pause_address, control, pause_code, room, frame_pulse, bytes_pulse, pause_pulse, filtered_pulse,
        long_pulse, symbol_pulse, runt_pulse, fcs_pulse;
    children: fates, out;
    #[hdl_gen]
    fn update(&mut self) {
        // The first stage. A frame whose rest was lost to a reset is ended in its place.
        self.room.d.next = self.out.count.val() < 6;
        self.take.next = self.valid.val() && self.room.q.val() && !self.orphan.q.val();
        self.pop.next = self.take.val();
        self.cut_short.next = self.orphan.q.val() && self.room.q.val();
        self.valid1.d.next = self.take.val() || self.cut_short.val();
        self.data1.d.next = self.word.val().get_bits::<32>(0);
        self.tag1.d.next = self.word.val().get_bits::<4>(32);
        if self.take.val() {
            self.begun.d.next = self.word.val().get_bits::<2>(34) == 0;
        }
        if self.cut_short.val() {
            self.tag1.d.next = 4.into();
            self.orphan.d.next = false;
        }
        if self.stop.val() && self.begun.q.val() {
            self.orphan.d.next = true;
            self.begun.d.next = false;
        }

        // The second: the check sequence, and the number of the word.
        self.last1.next = self.tag1.q.val().get_bits::<2>(2) != 0;
        self.crc.data.next = self.data1.q.val();
        self.crc.state.next = self.sum.q.val();
        if self.fresh.q.val() {
            self.crc.state.next = 0xFFFFFFFFu64.into();
        }
        self.valid2.d.next = self.valid1.q.val();
        if self.valid1.q.val() {
            self.data2.d.next = self.data1.q.val();
            self.tag2.d.next = self.tag1.q.val();
            self.sum.d.next = self.crc.after.val();
            self.fresh.d.next = self.last1.val();
            self.index.d.next = self.index.q.val() + 1;
            if self.fresh.q.val() {
                self.index.d.next = 0.into();
            } else if self.index.q.val() == 4095 {
                self.index.d.next = 4095.into();
            }
        }

        // What the word in the second stage means.
        self.last2.next = self.tag2.q.val().get_bit(3);
        self.cut2.next = self.tag2.q.val().get_bits::<2>(2) == 1;
        self.ends2.next = self.tag2.q.val().get_bits::<2>(2) != 0;
        self.before2.next = bit_cast::<14, 12>(self.index.q.val()) << 2;
        self.bytes2.next = 4.into();
        if self.last2.val() {
            self.bytes2.next = bit_cast::<14, 2>(self.tag2.q.val().get_bits::<2>(0)) + 1;
        }
        self.length.next = self.before2.val() + self.bytes2.val();
        self.limit.next = 1522.into();
        if self.jumbo.val() {
            self.limit.next = 9018.into();
        }
        self.overlong.next = self.length.val() > self.limit.val();
        self.runt.next = self.length.val() < 64;
        self.residue.next = self.residue4.val();
        if self.tag2.q.val().get_bits::<2>(0) == 0 {
            self.residue.next = self.residue1.val();
        } else if self.tag2.q.val().get_bits::<2>(0) == 1 {
            self.residue.next = self.residue2.val();
        } else if self.tag2.q.val().get_bits::<2>(0) == 2 {
            self.residue.next = self.residue3.val();
        }
        self.fcs_ok.next = self.sum.q.val() == self.residue.val();
        self.bad.next = self.cut2.val() || self.overlong.val() || self.tag2.q.val().get_bit(2) || self.runt.val()
            || !self.fcs_ok.val();
        self.active.next = self.valid2.q.val() && !self.skip.q.val();
        self.closes.next = self.active.val() && (self.ends2.val() || self.overlong.val());
        if self.active.val() && self.overlong.val() && !self.ends2.val() {
            self.skip.d.next = true;
        }
        if self.valid2.q.val() && self.ends2.val() {
            self.skip.d.next = false;
        }

        // The frame's fate is known with its fourth word, or its end.
        if self.active.val() && (self.index.q.val() == 0) {
            self.multicast.d.next = self.data2.q.val().get_bit(0);
            self.own.d.next = self.data2.q.val() == self.addr_low.val();
            self.pause_address.d.next = self.data2.q.val() == 0x00C28001;
            self.control.d.next = false;
            self.pause_code.d.next = false;
        }
        if self.active.val() && (self.index.q.val() == 1) {
            self.own.d.next = self.own.q.val() && (self.data2.q.val().get_bits::<16>(0) == self.addr_high.val());
            self.pause_address.d.next =
                self.pause_address.q.val() && (self.data2.q.val().get_bits::<16>(0) == 0x0100);
        }
        self.is_control.next = self.data2.q.val().get_bits::<16>(0) == 0x0888;
        self.is_link.next = self.with_link.val() && (self.data2.q.val().get_bits::<16>(0) == 0xB588);
        if self.active.val() && (self.index.q.val() == 3) {
            self.control.d.next = self.is_control.val() || self.is_link.val();
            self.pause_code.d.next =
                self.is_control.val() && (self.data2.q.val().get_bits::<16>(16) == 0x0100);
        }
        self.accepted.next = self.promiscuous.val() || self.multicast.q.val() || self.own.q.val();
        self.fate_now.next = self.active.val()
            && ((self.index.q.val() == 3)
                || (self.closes.val() && (self.index.q.val() < 3) && (self.index.q.val() != 0)));
        self.pass_now.next = self.accepted.val();
        if (self.index.q.val() == 3) && (self.is_control.val() || self.is_link.val()) {
            self.pass_now.next = false;
        }
        self.fates.push.next = self.fate_now.val();
        self.fates.data.next = 0.into();
        if self.pass_now.val() {
            self.fates.data.next = 1.into();
        }

        // A word goes out when the next one tells what follows it; the last four bytes never do.
        self.keep.next = 15.into();
        if self.last2.val() && !self.overlong.val() {
            if self.tag2.q.val().get_bits::<2>(0) == 0 {
                self.keep.next = 1.into();
            } else if self.tag2.q.val().get_bits::<2>(0) == 1 {
                self.keep.next = 3.into();
            } else if self.tag2.q.val().get_bits::<2>(0) == 2 {
                self.keep.next = 7.into();
            }
        }
        self.out.push.next = self.active.val() && self.holds.q.val();
        self.out.data.next.data = self.held.q.val();
        self.out.data.next.keep = self.keep.val();
        self.out.data.next.last = self.closes.val();
        self.out.data.next.user = self.bad.val();
        if self.active.val() {
            self.held.d.next = self.data2.q.val();
            self.holds.d.next = !self.closes.val();
        }

        // The counters.
        self.is_pause.next = self.control.q.val() && self.pause_code.q.val()
            && (self.pause_address.q.val() || self.own.q.val());
        self.bytes_pulse.d.next = self.length.val();
        self.frame_pulse.d.next = false;
        self.pause_pulse.d.next = false;
        self.filtered_pulse.d.next = false;
        self.long_pulse.d.next = false;
        self.symbol_pulse.d.next = false;
        self.runt_pulse.d.next = false;
        self.fcs_pulse.d.next = false;
        if self.closes.val() && !self.cut2.val() {
            if self.overlong.val() {
                self.long_pulse.d.next = true;
            } else if self.tag2.q.val().get_bit(2) {
                self.symbol_pulse.d.next = true;
            } else if self.runt.val() {
                self.runt_pulse.d.next = true;
            } else if !self.fcs_ok.val() {
                self.fcs_pulse.d.next = true;
            } else if self.control.q.val() {
                self.pause_pulse.d.next = self.is_pause.val();
            } else if !self.accepted.val() {
                self.filtered_pulse.d.next = true;
            } else {
                self.frame_pulse.d.next = true;
            }
        }
        self.st_frame.next = self.frame_pulse.q.val();
        self.st_bytes.next = self.bytes_pulse.q.val();
        self.st_pause.next = self.pause_pulse.q.val();
        self.st_filtered.next = self.filtered_pulse.q.val();
        self.st_long.next = self.long_pulse.q.val();
        self.st_symbol.next = self.symbol_pulse.q.val();
        self.st_runt.next = self.runt_pulse.q.val();
        self.st_bad_fcs.next = self.fcs_pulse.q.val();

        // The way out: the fate of the oldest frame stays until its last word has left.
        self.passing.next = self.fates.valid.val() && self.fates.head.val().any();
        self.dropping.next = self.fates.valid.val() && !self.fates.head.val().any();
        self.stream.tvalid.next = self.out.valid.val() && self.passing.val();
        self.stream.tdata.next = self.out.head.val().data;
        self.stream.tkeep.next = self.out.head.val().keep;
        self.stream.tlast.next = self.out.head.val().last;
        self.stream.tuser.next = self.out.head.val().user;
        self.leaves.next = self.out.valid.val()
            && ((self.passing.val() && self.stream.tready.val()) || self.dropping.val());
        self.out.pop.next = self.leaves.val();
        self.fates.pop.next = self.leaves.val() && self.out.head.val().last;
    }
}
