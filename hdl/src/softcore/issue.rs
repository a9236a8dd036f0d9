//! The decode stage's second half: operands, forwarding and the interlock.
//!
//! Operands come from the register file, from the execute stage's result or from the commit stage's. Loads, products
//! and CSR reads exist one stage later than an ALU result, so an instruction that needs one waits a cycle; the instruction after a
//! CSR access always waits one, so that it sees what was written.

use super::bundles::{CommitIn, DecodedIn, FetchedIn, IssuedOut, OperandsOut, SteerIn};
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Issue {
    pub cr: Cr,
    pub run: Signal<In, Bit>,
    pub fetched: FetchedIn,
    pub decoded: DecodedIn,
    /// The register file's words for rs1 and rs2.
    pub data1: Signal<In, Bits<32>>,
    pub data2: Signal<In, Bits<32>>,
    pub steer: SteerIn,
    pub commit: CommitIn,
    /// The instruction in the decode stage stays there.
    pub stall: Signal<Out, Bit>,
    pub out: IssuedOut,
    pub operands: OperandsOut,

    valid: Reg<Bit>,
    pc: Reg<Bits<32>>,
    seq: Reg<Bits<32>>,
    insn: Reg<Bits<32>>,
    a: Reg<Bits<32>>,
    b: Reg<Bits<32>>,
    base: Reg<Bits<32>>,
    imm: Reg<Bits<32>>,
    data: Reg<Bits<32>>,
    wen: Reg<Bit>,
    alt: Reg<Bit>,
    left: Reg<Bit>,
    alu: Reg<Bit>,
    late: Reg<Bit>,
    load: Reg<Bit>,
    store: Reg<Bit>,
    branch: Reg<Bit>,
    jump: Reg<Bit>,
    link: Reg<Bit>,
    upper: Reg<Bit>,
    mul: Reg<Bit>,
    div: Reg<Bit>,
    csr: Reg<Bit>,
    mret: Reg<Bit>,
    wfi: Reg<Bit>,
    ecall: Reg<Bit>,
    ebreak: Reg<Bit>,
    illegal: Reg<Bit>,
    fault: Reg<Bit>,

    rs1: Signal<Local, Bits<5>>,
    rs2: Signal<Local, Bits<5>>,
    execute_rd: Signal<Local, Bits<5>>,
    execute1: Signal<Local, Bit>,
    execute2: Signal<Local, Bit>,
    early1: Signal<Local, Bits<32>>,
    early2: Signal<Local, Bits<32>>,
    early_b: Signal<Local, Bits<32>>,
    early_base: Signal<Local, Bits<32>>,
    late_b: Signal<Local, Bit>,
    late_base: Signal<Local, Bit>,
    blocked: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Issue;
    regs: valid, pc, seq, insn, a, b, base, imm, data, wen, alt, left, alu, late, load, store, branch, jump, link, upper, mul, div, csr, mret, wfi,
        ecall, ebreak, illegal, fault;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.out.valid.next = self.valid.q.val();
        self.out.pc.next = self.pc.q.val();
        self.out.seq.next = self.seq.q.val();
        self.out.insn.next = self.insn.q.val();
        self.out.base.next = self.base.q.val();
        self.out.imm.next = self.imm.q.val();
        self.out.data.next = self.data.q.val();
        self.out.wen.next = self.wen.q.val();
        self.out.load.next = self.load.q.val();
        self.out.store.next = self.store.q.val();
        self.out.branch.next = self.branch.q.val();
        self.out.jump.next = self.jump.q.val();
        self.out.link.next = self.link.q.val();
        self.out.upper.next = self.upper.q.val();
        self.out.mul.next = self.mul.q.val();
        self.out.div.next = self.div.q.val();
        self.out.csr.next = self.csr.q.val();
        self.out.mret.next = self.mret.q.val();
        self.out.wfi.next = self.wfi.q.val();
        self.out.ecall.next = self.ecall.q.val();
        self.out.ebreak.next = self.ebreak.q.val();
        self.out.illegal.next = self.illegal.q.val();
        self.out.fault.next = self.fault.q.val();
        self.operands.a.next = self.a.q.val();
        self.operands.b.next = self.b.q.val();
        self.operands.op.next = self.insn.q.val().get_bits::<3>(12);
        self.operands.alt.next = self.alt.q.val();
        self.operands.left.next = self.left.q.val();
        self.operands.alu.next = self.alu.q.val();
        self.operands.div.next = self.valid.q.val() & self.div.q.val();

        self.rs1.next = self.decoded.insn.val().get_bits::<5>(15);
        self.rs2.next = self.decoded.insn.val().get_bits::<5>(20);
        self.execute_rd.next = self.insn.q.val().get_bits::<5>(7);
        self.execute1.next = self.valid.q.val() & self.wen.q.val() & (self.execute_rd.val() == self.rs1.val());
        self.execute2.next = self.valid.q.val() & self.wen.q.val() & (self.execute_rd.val() == self.rs2.val());

        // The execute stage's result is the latest, and so is chosen last, in one level of logic.
        self.early1.next = self.data1.val();
        if self.commit.wen.val() & (self.commit.rd.val() == self.rs1.val()) {
            self.early1.next = self.commit.result.val();
        }
        self.early2.next = self.data2.val();
        if self.commit.wen.val() & (self.commit.rd.val() == self.rs2.val()) {
            self.early2.next = self.commit.result.val();
        }
        self.late_b.next = self.execute2.val() & !self.decoded.b_imm.val();
        self.early_b.next = self.early2.val();
        if self.decoded.b_imm.val() {
            self.early_b.next = self.decoded.imm.val();
        }
        self.late_base.next = self.execute1.val() & self.decoded.base_rs1.val();
        self.early_base.next = self.fetched.pc.val();
        if self.decoded.base_rs1.val() {
            self.early_base.next = self.early1.val();
        }
        if self.decoded.base_zero.val() | self.late_base.val() {
            self.early_base.next = bits::<32>(0);
        }

        self.blocked.next = (self.valid.q.val() & self.csr.q.val())
            | (self.late.q.val() & self.execute1.val() & self.decoded.use1.val())
            | (self.late.q.val() & self.execute2.val() & self.decoded.use2.val());
        self.stall.next = self.blocked.val() | self.steer.hold.val();

        if !self.steer.hold.val() {
            self.valid.d.next = !self.blocked.val() & !self.steer.redirect.val();
            self.pc.d.next = self.fetched.pc.val();
            self.seq.d.next = self.fetched.seq.val();
            self.fault.d.next = self.fetched.fault.val();
            self.insn.d.next = self.decoded.insn.val();
            self.a.d.next = self.early1.val();
            if self.execute1.val() {
                self.a.d.next = self.steer.result.val();
            }
            self.b.d.next = self.early_b.val();
            if self.late_b.val() {
                self.b.d.next = self.steer.result.val();
            }
            self.base.d.next = self.early_base.val();
            if self.late_base.val() {
                self.base.d.next = self.early_base.val() | self.steer.result.val();
            }
            self.imm.d.next = self.decoded.imm.val();
            self.data.d.next = self.early2.val();
            if self.execute2.val() {
                self.data.d.next = self.steer.result.val();
            }
            self.wen.d.next = self.decoded.wen.val();
            self.alt.d.next = self.decoded.alt.val();
            self.left.d.next = self.decoded.insn.val().get_bits::<3>(12) == 1;
            self.alu.d.next = !self.decoded.div.val() & !self.decoded.upper.val() & !self.decoded.link.val();
            self.late.d.next = self.decoded.late.val();
            self.load.d.next = self.decoded.load.val();
            self.store.d.next = self.decoded.store.val();
            self.branch.d.next = self.decoded.branch.val();
            self.jump.d.next = self.decoded.jump.val();
            self.link.d.next = self.decoded.link.val();
            self.upper.d.next = self.decoded.upper.val();
            self.mul.d.next = self.decoded.mul.val();
            self.div.d.next = self.decoded.div.val();
            self.csr.d.next = self.decoded.csr.val();
            self.mret.d.next = self.decoded.mret.val();
            self.wfi.d.next = self.decoded.wfi.val();
            self.ecall.d.next = self.decoded.ecall.val();
            self.ebreak.d.next = self.decoded.ebreak.val();
            self.illegal.d.next = self.decoded.illegal.val();
        }
        if self.commit.trap.val() | !self.run.val() {
            self.valid.d.next = false;
        }
    }
}
