//! AXI4-Lite slave: one write and one read at a time, a write answered two cycles after it was accepted, a read three.
//!
//! Address and data of a write are accepted together. SLVERR answers a misaligned address, an address that no
//! block knows, and a write that does not set all four byte strobes; such a write changes nothing.
//! Reads have no side effects. A channel takes no access until its last response was taken; reset forgets whatever was
//! under way. Verified by `cosim/tests/axil.rs` and, with the registers, `tests/tests/registers.rs`; proven in
//! `hdl/formal/axil.sv`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// The slave's pins.
#[derive(Clone, Debug, Default, LogicInterface)]
pub struct AxilPort {
    pub awaddr: Signal<In, Bits<16>>,
    pub awvalid: Signal<In, Bit>,
    pub awready: Signal<Out, Bit>,
    pub wdata: Signal<In, Bits<32>>,
    pub wstrb: Signal<In, Bits<4>>,
    pub wvalid: Signal<In, Bit>,
    pub wready: Signal<Out, Bit>,
    pub bresp: Signal<Out, Bits<2>>,
    pub bvalid: Signal<Out, Bit>,
    pub bready: Signal<In, Bit>,
    pub araddr: Signal<In, Bits<16>>,
    pub arvalid: Signal<In, Bit>,
    pub arready: Signal<Out, Bit>,
    pub rdata: Signal<Out, Bits<32>>,
    pub rresp: Signal<Out, Bits<2>>,
    pub rvalid: Signal<Out, Bit>,
    pub rready: Signal<In, Bit>,
}

/// See the module's header. The bus outputs are those of `RegBus`, seen from its master.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct AxilSlave {
    pub cr: Cr,
    pub port: AxilPort,
    pub write: Signal<Out, Bit>,
    pub write_addr: Signal<Out, Bits<16>>,
    pub write_data: Signal<Out, Bits<32>>,
    pub write_hit: Signal<In, Bit>,
    pub read_addr: Signal<Out, Bits<16>>,
    /// Those of the blocks, each through a register of its own: they lie all over the device.
    pub read_data: Signal<In, Bits<32>>,
    pub read_hit: Signal<In, Bit>,
    /// A read is accepted; `read_addr` is its address in the next cycle. What changes all the time can be kept for the
    /// answer here, and the answer then changes with reads alone.
    pub accept_read: Signal<Out, Bit>,
    /// A write was accepted in the cycle before.
    write_pending: Reg<Bit>,
    write_legal: Reg<Bit>,
    write_addr_held: Reg<Bits<16>>,
    write_data_held: Reg<Bits<32>>,
    bvalid: Reg<Bit>,
    bresp: Reg<Bits<2>>,
    /// A read was accepted in the cycle before, and in the one before that.
    read_pending: Reg<Bit>,
    read_answered: Reg<Bit>,
    read_legal: Reg<Bit>,
    read_addr_held: Reg<Bits<16>>,
    rvalid: Reg<Bit>,
    rresp: Reg<Bits<2>>,
    rdata: Reg<Bits<32>>,
    accept_write: Signal<Local, Bit>,
    accepts_read: Signal<Local, Bit>,
}

module! {
    impl [] Logic for AxilSlave;
    regs: write_pending, write_legal, write_addr_held, write_data_held, bvalid, bresp,
        read_pending, read_answered, read_legal, read_addr_held, rvalid, rresp, rdata;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.accept_write.next = self.port.awvalid.val() && self.port.wvalid.val()
            && !self.write_pending.q.val() && !self.bvalid.q.val();
        self.port.awready.next = self.accept_write.val();
        self.port.wready.next = self.accept_write.val();
        self.write_pending.d.next = self.accept_write.val();
        if self.accept_write.val() {
            self.write_addr_held.d.next = self.port.awaddr.val();
            self.write_data_held.d.next = self.port.wdata.val();
            self.write_legal.d.next = self.port.wstrb.val().all() && !self.port.awaddr.val().get_bits::<2>(0).any();
        }
        self.write.next = self.write_pending.q.val() && self.write_legal.q.val();
        self.write_addr.next = self.write_addr_held.q.val();
        self.write_data.next = self.write_data_held.q.val();
        if self.write_pending.q.val() {
            self.bvalid.d.next = true;
            self.bresp.d.next = 2.into();
            if self.write_legal.q.val() && self.write_hit.val() {
                self.bresp.d.next = 0.into();
            }
        }
        if self.bvalid.q.val() && self.port.bready.val() {
            self.bvalid.d.next = false;
        }
        self.port.bvalid.next = self.bvalid.q.val();
        self.port.bresp.next = self.bresp.q.val();

        self.accepts_read.next = self.port.arvalid.val() && !self.read_pending.q.val()
            && !self.read_answered.q.val() && !self.rvalid.q.val();
        self.port.arready.next = self.accepts_read.val();
        self.accept_read.next = self.accepts_read.val();
        self.read_pending.d.next = self.accepts_read.val();
        if self.accepts_read.val() {
            self.read_addr_held.d.next = self.port.araddr.val();
            self.read_legal.d.next = !self.port.araddr.val().get_bits::<2>(0).any();
        }
        self.read_addr.next = self.read_addr_held.q.val();
        self.read_answered.d.next = self.read_pending.q.val();
        if self.read_answered.q.val() {
            self.rvalid.d.next = true;
            self.rdata.d.next = 0.into();
            self.rresp.d.next = 2.into();
            if self.read_legal.q.val() && self.read_hit.val() {
                self.rdata.d.next = self.read_data.val();
                self.rresp.d.next = 0.into();
            }
        }
        if self.rvalid.q.val() && self.port.rready.val() {
            self.rvalid.d.next = false;
        }
        self.port.rvalid.next = self.rvalid.q.val();
        self.port.rresp.next = self.rresp.q.val();
        self.port.rdata.next = self.rdata.q.val();
    }
}
