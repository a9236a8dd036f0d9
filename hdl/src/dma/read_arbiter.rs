//! The choice among the clients of the read master.
//!
//! Takes one request at a time and holds it until `ready`. Client 0 (transmit payload) goes first, but not twice in a
//! row while another waits, so that none starves; then client 2 (receive descriptors), 3 (commands) and 1 (transmit
//! descriptors). Core clock, synchronous reset; a request shows in the cycle after it was chosen, and a client sees
//! its grant in that cycle too. Every output comes from a register. Verified in `cosim/tests/dma_read.rs`.

use super::read_bus::ReadRequest;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct ReadArbiter {
    pub cr: Cr,
    pub request0: ReadRequest,
    pub request1: ReadRequest,
    pub request2: ReadRequest,
    pub request3: ReadRequest,
    pub addr: Signal<Out, Bits<32>>,
    pub length: Signal<Out, Bits<16>>,
    pub client: Signal<Out, Bits<2>>,
    pub valid: Signal<Out, Bit>,
    pub ready: Signal<In, Bit>,

    held_addr: Reg<Bits<32>>,
    held_length: Reg<Bits<16>>,
    held_client: Reg<Bits<2>>,
    busy: Reg<Bit>,
    grant: Reg<Bits<4>>,
    payload_last: Reg<Bit>,
    rings: Signal<Local, Bit>,
    payload: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    pick: Signal<Local, Bits<2>>,
}

module! {
    impl [] Logic for ReadArbiter;
    regs: held_addr, held_length, held_client, busy, grant, payload_last;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.rings.next = self.request1.valid.val() || self.request2.valid.val() || self.request3.valid.val();
        self.payload.next = self.request0.valid.val() && (!self.payload_last.q.val() || !self.rings.val());
        self.pick.next = 1.into();
        if self.payload.val() {
            self.pick.next = 0.into();
        } else if self.request2.valid.val() {
            self.pick.next = 2.into();
        } else if self.request3.valid.val() {
            self.pick.next = 3.into();
        }
        self.take.next = !self.busy.q.val() && (self.payload.val() || self.rings.val());

        // The client sees its grant one cycle later, while the arbiter is busy with the request.
        self.grant.d.next = 0.into();
        if self.take.val() {
            self.busy.d.next = true;
            self.held_client.d.next = self.pick.val();
            self.payload_last.d.next = self.payload.val();
            match self.pick.val().index() {
                0 => {
                    self.held_addr.d.next = self.request0.addr.val();
                    self.held_length.d.next = self.request0.length.val();
                    self.grant.d.next = 1.into();
                }
                1 => {
                    self.held_addr.d.next = self.request1.addr.val();
                    self.held_length.d.next = self.request1.length.val();
                    self.grant.d.next = 2.into();
                }
                2 => {
                    self.held_addr.d.next = self.request2.addr.val();
                    self.held_length.d.next = self.request2.length.val();
                    self.grant.d.next = 4.into();
                }
                _ => {
                    self.held_addr.d.next = self.request3.addr.val();
                    self.held_length.d.next = self.request3.length.val();
                    self.grant.d.next = 8.into();
                }
            }
        } else if self.ready.val() {
            self.busy.d.next = false;
        }
        self.request0.ready.next = self.grant.q.val().get_bit(0);
        self.request1.ready.next = self.grant.q.val().get_bit(1);
        self.request2.ready.next = self.grant.q.val().get_bit(2);
        self.request3.ready.next = self.grant.q.val().get_bit(3);
        self.addr.next = self.held_addr.q.val();
        self.length.next = self.held_length.q.val();
        self.client.next = self.held_client.q.val();
        self.valid.next = self.busy.q.val();
    }
}
