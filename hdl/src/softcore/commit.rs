//! The commit stage: the last one. Results become visible here, in order, and traps are taken.
//!
//! Load data, products and CSR values arrive in this stage and are chosen here; the register file and the
//! CSRs take them at the end of the cycle. `retire` shows each instruction in the cycle in which it is here.

use super::bundles::{CheckedIn, CommitOut, CsrCommandOut, CsrStateIn, ExecutedIn};
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// One instruction a cycle, as it leaves the pipeline, in the manner of the RISC-V formal interface.
///
/// `trap`: it trapped, and changed nothing but the trap CSRs (with `intr`, an interrupt was taken before
/// it). `rd` is 0 if it writes no register. `mem_*` describe a store: the effective address, the byte lanes of
/// its word, and the data in their lanes.
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "RetireIn"]
pub struct RetireOut {
    pub valid: Signal<Out, Bit>,
    pub pc: Signal<Out, Bits<32>>,
    pub insn: Signal<Out, Bits<32>>,
    pub rd: Signal<Out, Bits<5>>,
    pub wdata: Signal<Out, Bits<32>>,
    pub trap: Signal<Out, Bit>,
    pub intr: Signal<Out, Bit>,
    pub mem_valid: Signal<Out, Bit>,
    pub mem_addr: Signal<Out, Bits<32>>,
    pub mem_strobe: Signal<Out, Bits<4>>,
    pub mem_data: Signal<Out, Bits<32>>,
}

/// The observer's end of [`RetireOut`].
#[derive(Clone, Debug, Default, LogicInterface)]
#[join = "RetireOut"]
pub struct RetireIn {
    pub valid: Signal<In, Bit>,
    pub pc: Signal<In, Bits<32>>,
    pub insn: Signal<In, Bits<32>>,
    pub rd: Signal<In, Bits<5>>,
    pub wdata: Signal<In, Bits<32>>,
    pub trap: Signal<In, Bit>,
    pub intr: Signal<In, Bit>,
    pub mem_valid: Signal<In, Bit>,
    pub mem_addr: Signal<In, Bits<32>>,
    pub mem_strobe: Signal<In, Bits<4>>,
    pub mem_data: Signal<In, Bits<32>>,
}

#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Commit {
    pub cr: Cr,
    pub executed: ExecutedIn,
    pub checked: CheckedIn,
    /// Answers to the access that was in the execute stage in the cycle before.
    pub ram_data: Signal<In, Bits<32>>,
    pub mmio_rdata: Signal<In, Bits<32>>,
    pub product: Signal<In, Bits<64>>,
    pub csr_state: CsrStateIn,
    pub csr_command: CsrCommandOut,
    pub out: CommitOut,
    pub retire: RetireOut,
    /// An instruction completed.
    pub retired: Signal<Out, Bit>,

    valid: Reg<Bit>,
    pc: Reg<Bits<32>>,
    insn: Reg<Bits<32>>,
    wen: Reg<Bit>,
    result: Reg<Bits<32>>,
    aux: Reg<Bits<32>>,
    load: Reg<Bit>,
    device: Reg<Bit>,
    mul: Reg<Bit>,
    csr: Reg<Bit>,
    mret: Reg<Bit>,
    trap: Reg<Bit>,
    irq: Reg<Bit>,
    cause: Reg<Bits<4>>,
    store: Reg<Bit>,
    mem_addr: Reg<Bits<32>>,
    mem_strobe: Reg<Bits<4>>,
    mem_data: Reg<Bits<32>>,

    access_trap: Signal<Local, Bit>,
    traps: Signal<Local, Bit>,
    word: Signal<Local, Bits<32>>,
    shifted: Signal<Local, Bits<32>>,
    loaded: Signal<Local, Bits<32>>,
    signs: Signal<Local, Bits<32>>,
    unsigned_load: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Commit;
    regs: valid, pc, insn, wen, result, aux, load, device, mul, csr, mret, trap, irq, cause, store, mem_addr, mem_strobe, mem_data;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.access_trap.next = (self.executed.load.val() | self.executed.store.val())
            & (self.checked.misaligned.val() | self.checked.fault.val());
        self.traps.next = self.executed.trap.val() | self.access_trap.val();
        self.valid.d.next = self.executed.live.val();
        self.trap.d.next = self.executed.live.val() & self.traps.val();
        self.wen.d.next = self.executed.live.val() & self.executed.wen.val() & !self.traps.val();
        self.csr.d.next = self.executed.live.val() & self.executed.csr.val() & !self.traps.val();
        self.mret.d.next = self.executed.live.val() & self.executed.mret.val() & !self.traps.val();
        self.store.d.next = self.executed.store.val() & !self.traps.val();
        self.pc.d.next = self.executed.pc.val();
        self.insn.d.next = self.executed.insn.val();
        self.result.d.next = self.executed.result.val();
        self.aux.d.next = self.executed.aux.val();
        self.load.d.next = self.executed.load.val();
        self.device.d.next = self.checked.device.val();
        self.mul.d.next = self.executed.mul.val();
        self.irq.d.next = self.executed.irq.val();
        self.mem_addr.d.next = self.executed.addr.val();
        self.mem_strobe.d.next = self.checked.strobe.val();
        self.mem_data.d.next = self.checked.lanes.val();
        self.cause.d.next = self.executed.cause.val();
        if !self.executed.trap.val() & self.access_trap.val() {
            // 4 and 5 for loads, 6 and 7 for stores: misaligned, access fault.
            self.cause.d.next = bits::<4>(5);
            if self.checked.misaligned.val() {
                self.cause.d.next = bits::<4>(4);
            }
            if self.executed.store.val() {
                self.cause.d.next = bits::<4>(7);
                if self.checked.misaligned.val() {
                    self.cause.d.next = bits::<4>(6);
                }
            }
        }

        self.word.next = self.ram_data.val();
        if self.device.q.val() {
            self.word.next = self.mmio_rdata.val();
        }
        self.unsigned_load.next = self.insn.q.val().get_bit(14);
        self.shifted.next = self.word.val();
        if self.aux.q.val().get_bit(1) {
            self.shifted.next = self.word.val() >> 16;
        }
        if self.aux.q.val().get_bit(0) {
            self.shifted.next = self.shifted.val() >> 8;
        }
        self.signs.next = bits::<32>(0);
        self.loaded.next = self.word.val();
        if self.insn.q.val().get_bits::<2>(12) == 0 {
            if self.shifted.val().get_bit(7) & !self.unsigned_load.val() {
                self.signs.next = !bits::<32>(0);
            }
            self.loaded.next = (self.signs.val() << 8) | bit_cast::<32, 8>(self.shifted.val().get_bits::<8>(0));
        }
        if self.insn.q.val().get_bits::<2>(12) == 1 {
            if self.shifted.val().get_bit(15) & !self.unsigned_load.val() {
                self.signs.next = !bits::<32>(0);
            }
            self.loaded.next = (self.signs.val() << 16) | bit_cast::<32, 16>(self.shifted.val().get_bits::<16>(0));
        }

        self.out.result.next = self.result.q.val();
        if self.load.q.val() {
            self.out.result.next = self.loaded.val();
        }
        if self.mul.q.val() {
            self.out.result.next = self.product.val().get_bits::<32>(32);
            if self.insn.q.val().get_bits::<3>(12) == 0 {
                self.out.result.next = self.product.val().get_bits::<32>(0);
            }
        }
        if self.csr.q.val() {
            self.out.result.next = self.csr_state.rdata.val();
        }
        self.out.trap.next = self.trap.q.val();
        self.out.wen.next = self.wen.q.val();
        self.out.rd.next = self.insn.q.val().get_bits::<5>(7);

        self.csr_command.access.next = self.csr.q.val();
        self.csr_command.insn.next = self.insn.q.val();
        self.csr_command.operand.next = self.aux.q.val();
        self.csr_command.mret.next = self.mret.q.val();
        self.csr_command.trap.next = self.trap.q.val();
        self.csr_command.irq.next = self.irq.q.val();
        self.csr_command.cause.next = self.cause.q.val();
        self.csr_command.epc.next = self.pc.q.val();
        self.csr_command.retired.next = self.valid.q.val() & !self.trap.q.val();
        self.retired.next = self.valid.q.val() & !self.trap.q.val();

        self.retire.valid.next = self.valid.q.val();
        self.retire.pc.next = self.pc.q.val();
        self.retire.insn.next = self.insn.q.val();
        self.retire.rd.next = bits::<5>(0);
        if self.wen.q.val() {
            self.retire.rd.next = self.insn.q.val().get_bits::<5>(7);
        }
        self.retire.wdata.next = self.out.result.val();
        self.retire.trap.next = self.trap.q.val();
        self.retire.intr.next = self.trap.q.val() & self.irq.q.val();
        self.retire.mem_valid.next = self.valid.q.val() & self.store.q.val();
        self.retire.mem_addr.next = self.mem_addr.q.val();
        self.retire.mem_strobe.next = self.mem_strobe.q.val();
        self.retire.mem_data.next = self.mem_data.q.val();
    }
}
