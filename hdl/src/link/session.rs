//! The host link's session: who the partner is, and the reset that begins a session.
//!
//! A `HELLO` with another session than the one that stands, and other than zero, starts that session: for 16 cycles `restart` empties
//! the link and resets the NIC behind it, so that nothing of an earlier session, an AXI burst that was never answered
//! included, reaches into the new one. Then the partner is welcomed. A `HELLO` of the session that stands is welcomed at once.
//! When the transmitter gives up, the session ends and the link is silent until the next `HELLO`.
//!
//! Core clock, synchronous reset, after which there is no session. Verified in `cosim/tests/host_link`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct LinkSession {
    pub cr: Cr,
    pub hello: Signal<In, Bit>,
    pub hello_session: Signal<In, Bits<32>>,
    pub hello_same: Signal<In, Bit>,
    pub source: Signal<In, Bits<48>>,
    pub give_up: Signal<In, Bit>,
    pub session: Signal<Out, Bits<32>>,
    pub peer: Signal<Out, Bits<48>>,
    pub linked: Signal<Out, Bit>,
    pub restart: Signal<Out, Bit>,
    /// Pulse: send a `WELCOME`.
    pub welcome: Signal<Out, Bit>,

    current: Reg<Bits<32>>,
    partner: Reg<Bits<48>>,
    stands: Reg<Bit>,
    starting: Reg<Bit>,
    count: Reg<Bits<4>>,
}

module! {
    impl [] Logic for LinkSession;
    regs: current, partner, stands, starting, count;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.welcome.next = false;
        if self.starting.q.val() {
            self.count.d.next = self.count.q.val() + 1;
            if self.count.q.val().all() {
                self.starting.d.next = false;
                self.stands.d.next = true;
            }
        }
        // The first cycle of a session, and every repeated `HELLO` of it.
        if self.stands.q.val() && self.count.q.val() == 0 {
            self.count.d.next = 1.into();
            self.welcome.next = true;
        }
        if self.give_up.val() {
            self.stands.d.next = false;
            self.current.d.next = 0.into();
        }
        if self.hello.val() && self.hello_session.val().any() {
            if self.hello_same.val() && self.stands.q.val() {
                self.welcome.next = true;
            } else {
                self.current.d.next = self.hello_session.val();
                self.partner.d.next = self.source.val();
                self.stands.d.next = false;
                self.starting.d.next = true;
                self.count.d.next = 0.into();
            }
        }
        self.session.next = self.current.q.val();
        self.peer.next = self.partner.q.val();
        self.linked.next = self.stands.q.val();
        self.restart.next = self.starting.q.val();
    }
}
