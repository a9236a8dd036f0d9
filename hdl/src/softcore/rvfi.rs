//! The observer: the RISC-V Formal Interface (RVFI), version of the public suite riscv-formal.
//!
//! What it does: shows every instruction in the cycle in which it leaves the pipeline, with what it read and what it
//! changed. It only listens, to wires that the core has anyway ([`ProbeIn`]); every register that RVFI needs is
//! in here, so that a core without this observer pays nothing.
//!
//! Clock and reset: as the core's; a hold of the core (`run` low) also starts the count anew. Latency: none, the
//! cycle is that of the commit stage. Throughput: one instruction a cycle.
//!
//! An instruction that traps is shown with `rvfi_trap`; it writes no register and no memory, and `rvfi_pc_wdata`
//! is the handler. One before which an interrupt was taken is not shown, for it did not happen. The first
//! instruction of a handler has `rvfi_intr`. Memory is shown in words (`RISCV_FORMAL_ALIGNED_MEM`). The word shown as the
//! instruction of a fetch that faulted means nothing. Verified in lockstep with an instruction set simulator.

use super::bundles::ProbeIn;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// The interface's names, with one channel; signals mean something while `valid` is high.
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "RvfiIn"]
pub struct RvfiOut {
    pub valid: Signal<Out, Bit>,
    /// Index of the instruction since reset or hold.
    pub order: Signal<Out, Bits<64>>,
    pub insn: Signal<Out, Bits<32>>,
    pub trap: Signal<Out, Bit>,
    pub halt: Signal<Out, Bit>,
    pub intr: Signal<Out, Bit>,
    pub mode: Signal<Out, Bits<2>>,
    pub ixl: Signal<Out, Bits<2>>,
    /// 0 for an operand that the instruction does not have.
    pub rs1_addr: Signal<Out, Bits<5>>,
    pub rs2_addr: Signal<Out, Bits<5>>,
    pub rs1_rdata: Signal<Out, Bits<32>>,
    pub rs2_rdata: Signal<Out, Bits<32>>,
    pub rd_addr: Signal<Out, Bits<5>>,
    pub rd_wdata: Signal<Out, Bits<32>>,
    pub pc_rdata: Signal<Out, Bits<32>>,
    pub pc_wdata: Signal<Out, Bits<32>>,
    /// Of the word that is accessed; masks and data are in its lanes.
    pub mem_addr: Signal<Out, Bits<32>>,
    pub mem_rmask: Signal<Out, Bits<4>>,
    pub mem_wmask: Signal<Out, Bits<4>>,
    pub mem_rdata: Signal<Out, Bits<32>>,
    pub mem_wdata: Signal<Out, Bits<32>>,
}

/// The other end of [`RvfiOut`].
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "RvfiOut"]
pub struct RvfiIn {
    pub valid: Signal<In, Bit>,
    pub order: Signal<In, Bits<64>>,
    pub insn: Signal<In, Bits<32>>,
    pub trap: Signal<In, Bit>,
    pub halt: Signal<In, Bit>,
    pub intr: Signal<In, Bit>,
    pub mode: Signal<In, Bits<2>>,
    pub ixl: Signal<In, Bits<2>>,
    pub rs1_addr: Signal<In, Bits<5>>,
    pub rs2_addr: Signal<In, Bits<5>>,
    pub rs1_rdata: Signal<In, Bits<32>>,
    pub rs2_rdata: Signal<In, Bits<32>>,
    pub rd_addr: Signal<In, Bits<5>>,
    pub rd_wdata: Signal<In, Bits<32>>,
    pub pc_rdata: Signal<In, Bits<32>>,
    pub pc_wdata: Signal<In, Bits<32>>,
    pub mem_addr: Signal<In, Bits<32>>,
    pub mem_rmask: Signal<In, Bits<4>>,
    pub mem_wmask: Signal<In, Bits<4>>,
    pub mem_rdata: Signal<In, Bits<32>>,
    pub mem_wdata: Signal<In, Bits<32>>,
}

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Rvfi {
    pub cr: Cr,
    pub probe: ProbeIn,
    pub rvfi: RvfiOut,
    order: Reg<Bits<64>>,
    /// The next instruction is the first of a handler.
    entered: Reg<Bit>,
    next_pc: Reg<Bits<32>>,
    a: Reg<Bits<32>>,
    b: Reg<Bits<32>>,
    addr: Reg<Bits<32>>,
    strobe: Reg<Bits<4>>,
    lanes: Reg<Bits<32>>,
    interrupted: Signal<Local, Bit>,
    done: Signal<Local, Bit>,
    major: Signal<Local, Bits<5>>,
    use1: Signal<Local, Bit>,
    use2: Signal<Local, Bit>,
    loads: Signal<Local, Bit>,
    stores: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Rvfi;
    regs: order, entered, next_pc, a, b, addr, strobe, lanes;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        // From the execute stage along with the instruction.
        self.next_pc.d.next = self.probe.seq.val();
        if self.probe.redirect.val() {
            self.next_pc.d.next = self.probe.target.val();
        }
        self.a.d.next = self.probe.a.val();
        self.b.d.next = self.probe.b.val();
        self.addr.d.next = self.probe.addr.val();
        self.strobe.d.next = self.probe.strobe.val();
        self.lanes.d.next = self.probe.lanes.val();

        self.interrupted.next = self.probe.trap.val() & self.probe.irq.val();
        self.rvfi.valid.next = self.probe.valid.val() & !self.interrupted.val();
        if self.probe.valid.val() {
            self.entered.d.next = self.probe.trap.val();
        }
        if self.rvfi.valid.val() {
            self.order.d.next = self.order.q.val() + 1;
        }
        if !self.probe.run.val() {
            self.order.d.next = bits::<64>(0);
            self.entered.d.next = false;
        }

        self.rvfi.order.next = self.order.q.val();
        self.rvfi.insn.next = self.probe.insn.val();
        self.rvfi.trap.next = self.probe.trap.val();
        self.rvfi.halt.next = false;
        self.rvfi.intr.next = self.entered.q.val();
        // Machine mode, 32 bits.
        self.rvfi.mode.next = bits::<2>(3);
        self.rvfi.ixl.next = bits::<2>(1);
        self.rvfi.pc_rdata.next = self.probe.pc.val();
        self.rvfi.pc_wdata.next = self.next_pc.q.val();
        if self.probe.trap.val() {
            self.rvfi.pc_wdata.next = self.probe.mtvec.val();
        }

        // What the instruction reads, by its major opcode.
        self.done.next = !self.probe.trap.val();
        self.major.next = self.probe.insn.val().get_bits::<5>(2);
        self.use1.next = false;
        self.use2.next = false;
        self.loads.next = false;
        self.stores.next = false;
        match self.major.val().index() {
            // LOAD
            0 => {
                self.use1.next = true;
                self.loads.next = self.done.val();
            }
            // OP-IMM
            4 => {
                self.use1.next = true;
            }
            // STORE
            8 => {
                self.use1.next = true;
                self.use2.next = true;
                self.stores.next = self.done.val();
            }
            // OP
            12 => {
                self.use1.next = true;
                self.use2.next = true;
            }
            // BRANCH
            24 => {
                self.use1.next = true;
                self.use2.next = true;
            }
            // JALR
            25 => {
                self.use1.next = true;
            }
            // SYSTEM: CSR accesses whose operand is a register
            28 => {
                self.use1.next = !self.probe.insn.val().get_bit(14) & (self.probe.insn.val().get_bits::<2>(12) != 0);
            }
            _ => {}
        }
        self.rvfi.rs1_addr.next = bits::<5>(0);
        self.rvfi.rs1_rdata.next = bits::<32>(0);
        if self.use1.val() {
            self.rvfi.rs1_addr.next = self.probe.insn.val().get_bits::<5>(15);
            self.rvfi.rs1_rdata.next = self.a.q.val();
        }
        self.rvfi.rs2_addr.next = bits::<5>(0);
        self.rvfi.rs2_rdata.next = bits::<32>(0);
        if self.use2.val() {
            self.rvfi.rs2_addr.next = self.probe.insn.val().get_bits::<5>(20);
            self.rvfi.rs2_rdata.next = self.b.q.val();
        }
        self.rvfi.rd_addr.next = bits::<5>(0);
        self.rvfi.rd_wdata.next = bits::<32>(0);
        if self.probe.wen.val() {
            self.rvfi.rd_addr.next = self.probe.insn.val().get_bits::<5>(7);
            self.rvfi.rd_wdata.next = self.probe.result.val();
        }

        self.rvfi.mem_addr.next = (self.addr.q.val() >> 2) << 2;
        self.rvfi.mem_rmask.next = bits::<4>(0);
        if self.loads.val() {
            self.rvfi.mem_rmask.next = self.strobe.q.val();
        }
        self.rvfi.mem_wmask.next = bits::<4>(0);
        if self.stores.val() {
            self.rvfi.mem_wmask.next = self.strobe.q.val();
        }
        self.rvfi.mem_rdata.next = self.probe.word.val();
        self.rvfi.mem_wdata.next = self.lanes.q.val();
    }
}
