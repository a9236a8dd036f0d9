//! One line for the transmit queues of two MACs: its owner's and a guest's.
//!
//! ```text
//!  owner's AsyncFifo ─┐
//!                     ├─ LineShare ─► TxGear ─► line
//!  guest's AsyncFifo ─┘
//! ```
//!
//! Frames pass whole: from a frame's first word to its last, or to a `stop` of its queue, the gear sees that queue alone, and
//! a frame's first word only when no frame is on the line (`between`). So a queue that is emptied by a reset breaks off
//! the frame that is its own, and none of the other's.
//!
//! **Order.** While frames wait in both queues, they go alternately. A frame at the head of its queue therefore waits for
//! at most one frame of the other side beside the one on the line: 12.3 us for 1514 bytes at 1 Gb/s.
//!
//! Clock: the transmit domain's, synchronous reset. No latency within a frame, as each queue's head is a register, and no
//! time of the line between frames: the next one's first word comes within the twelve cycles of the gap. Backpressure: what the
//! gear does not take stays in the queues. A MAC that shares nothing (`shared` low) has its queue at the gear as it is. `sent` and
//! `underflow` go to the side whose frame it was. Verified in `cosim/tests/mac_line.rs`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// The end at which a transmit queue is read, in the transmit domain: words as `mac` has them, and that the queue is being emptied.
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "QueueOut"]
pub struct QueueIn {
    pub word: Signal<In, Bits<36>>,
    pub valid: Signal<In, Bit>,
    pub stop: Signal<In, Bit>,
    pub pop: Signal<Out, Bit>,
    /// Pulses, a frame each: it is on its way, it was broken off.
    pub sent: Signal<Out, Bit>,
    pub underflow: Signal<Out, Bit>,
}

/// The queue's side of [`QueueIn`].
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "QueueIn"]
pub struct QueueOut {
    pub word: Signal<Out, Bits<36>>,
    pub valid: Signal<Out, Bit>,
    pub stop: Signal<Out, Bit>,
    pub pop: Signal<In, Bit>,
    pub sent: Signal<In, Bit>,
    pub underflow: Signal<In, Bit>,
}

/// See the module's header.
#[derive(Clone, Debug, LogicBlock)]
pub struct LineShare {
    pub cr: Cr,
    pub own: QueueIn,
    pub guest: QueueIn,
    /// To the gear.
    pub gear: QueueOut,
    /// No frame is on the line, and none has begun.
    pub between: Signal<In, Bit>,

    /// It is the guest's turn.
    turn: Reg<Bit>,
    /// The gear has taken a part of a frame.
    open: Reg<Bit>,
    /// The queue was emptied in such a frame, and the gear has still to see it.
    cut: Reg<Bit>,
    /// The frame that the gear took last was the guest's.
    of_guest: Reg<Bit>,
    valid: Signal<Local, Bit>,
    stop: Signal<Local, Bit>,
    other: Signal<Local, Bit>,
    offers: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    word: Signal<Local, Bits<36>>,
    shared: Constant<Bit>,
}

impl LineShare {
    /// Whether there is a guest.
    pub fn new(shared: bool) -> Self {
        LineShare {
            cr: Default::default(),
            own: Default::default(),
            guest: Default::default(),
            gear: Default::default(),
            between: Default::default(),
            turn: Default::default(),
            open: Default::default(),
            cut: Default::default(),
            of_guest: Default::default(),
            valid: Default::default(),
            stop: Default::default(),
            other: Default::default(),
            offers: Default::default(),
            take: Default::default(),
            word: Default::default(),
            shared: Constant::new(shared),
        }
    }
}

module! {
    impl [] Logic for LineShare;
    regs: turn, open, cut, of_guest;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.word.next = self.own.word.val();
        self.valid.next = self.own.valid.val();
        self.stop.next = self.own.stop.val();
        self.other.next = self.guest.valid.val();
        if self.turn.q.val() {
            self.word.next = self.guest.word.val();
            self.valid.next = self.guest.valid.val();
            self.stop.next = self.guest.stop.val();
            self.other.next = self.own.valid.val();
        }
        self.offers.next =
            self.valid.val() && !self.cut.q.val() && (self.open.q.val() || self.between.val());
        self.take.next = self.offers.val() && self.gear.pop.val();
        self.gear.word.next = self.word.val();
        self.gear.valid.next = self.offers.val();
        self.gear.stop.next = (self.open.q.val() && self.stop.val()) || self.cut.q.val();
        self.own.pop.next = self.take.val() && !self.turn.q.val();
        self.guest.pop.next = self.take.val() && self.turn.q.val();

        if self.take.val() {
            self.open.d.next = true;
            self.of_guest.d.next = self.turn.q.val();
        }
        if self.between.val() {
            self.cut.d.next = false;
        }
        if self.open.q.val() && self.stop.val() {
            self.cut.d.next = true;
        }
        if (self.take.val() && self.word.val().get_bit(35)) || (self.open.q.val() && self.stop.val()) {
            self.open.d.next = false;
            self.turn.d.next = !self.turn.q.val();
        } else if !self.open.q.val() && !self.valid.val() && self.other.val() {
            self.turn.d.next = !self.turn.q.val();
        }

        self.own.sent.next = self.gear.sent.val() && !self.of_guest.q.val();
        self.guest.sent.next = self.gear.sent.val() && self.of_guest.q.val();
        self.own.underflow.next = self.gear.underflow.val() && !self.of_guest.q.val();
        self.guest.underflow.next = self.gear.underflow.val() && self.of_guest.q.val();
        if !self.shared.val() {
            self.gear.word.next = self.own.word.val();
            self.gear.valid.next = self.own.valid.val();
            self.gear.stop.next = self.own.stop.val();
            self.own.pop.next = self.gear.pop.val();
            self.own.sent.next = self.gear.sent.val();
            self.own.underflow.next = self.gear.underflow.val();
        }
    }
}
