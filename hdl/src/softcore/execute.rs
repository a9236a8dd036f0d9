//! The execute stage: addresses, branches, traps of the instruction itself, and the choice of its result.
//!
//! A taken branch or jump is resolved here and costs one cycle. DIV, WFI and `pause` hold the stage; nothing else does. What an
//! instruction does to memory leaves from here to the load/store unit; everything else it does
//! happens in the commit stage, and only if no older instruction traps there.

use super::bundles::{
    AccessOut, AluIn, CommitIn, CsrStateIn, DivIn, ExecutedOut, IssuedIn, OperandsIn, SteerOut,
};
use rust_hdl::prelude::*;

#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Execute {
    /// Low: nothing that has not left this stage has any effect.
    pub run: Signal<In, Bit>,
    /// This stage stands still, with whatever is in it.
    pub pause: Signal<In, Bit>,
    /// There is work: WFI ends.
    pub wake: Signal<In, Bit>,
    pub issued: IssuedIn,
    pub operands: OperandsIn,
    pub alu: AluIn,
    pub div: DivIn,
    pub csr: CsrStateIn,
    pub commit: CommitIn,
    pub steer: SteerOut,
    pub access: AccessOut,
    pub out: ExecutedOut,
    /// WFI holds the core.
    pub asleep: Signal<Out, Bit>,
    addr: Signal<Local, Bits<32>>,
    waiting: Signal<Local, Bit>,
    holds: Signal<Local, Bit>,
    live: Signal<Local, Bit>,
    jumps: Signal<Local, Bit>,
    other: Signal<Local, Bits<32>>,
    goes: Signal<Local, Bit>,
    goes_anyway: Signal<Local, Bit>,
    goes_if_taken: Signal<Local, Bit>,
    irq: Signal<Local, Bit>,
    csr_addr: Signal<Local, Bits<12>>,
    csr_known: Signal<Local, Bit>,
    csr_writes: Signal<Local, Bit>,
    csr_bad: Signal<Local, Bit>,
}

impl Logic for Execute {
    #[hdl_gen]
    fn update(&mut self) {
        self.addr.next = self.issued.base.val() + self.issued.imm.val();

        self.waiting.next = self.issued.wfi.val() & !self.wake.val();
        self.asleep.next = self.issued.valid.val() & self.waiting.val() & !self.issued.fault.val();
        self.holds.next = self.issued.valid.val()
            & !self.issued.fault.val()
            & ((self.issued.div.val() & !self.div.done.val()) | self.waiting.val());
        self.steer.hold.next = !self.commit.trap.val() & (self.holds.val() | self.pause.val());
        self.live.next =
            self.issued.valid.val() & self.run.val() & !self.steer.hold.val() & !self.commit.trap.val();
        // An interrupt is taken before an instruction; after WFI rather than before, or it would sleep again.
        self.irq.next = self.csr.irq.val() & !self.issued.wfi.val();

        self.jumps.next = self.issued.jump.val() | (self.issued.branch.val() & self.alu.taken.val());
        // The condition of a branch is the last to come; everything else is ready before it.
        self.goes.next = self.issued.valid.val() & self.run.val() & !self.commit.trap.val();
        self.goes_anyway.next = self.goes.val() & (self.issued.jump.val() | self.issued.mret.val());
        self.goes_if_taken.next = self.goes.val() & self.issued.branch.val();
        self.steer.returns.next = self.issued.valid.val() & self.issued.mret.val();
        self.steer.redirect.next = self.goes_anyway.val() | (self.goes_if_taken.val() & self.alu.taken.val());
        // JALR clears the least bit of its target; no other target has it set.
        self.steer.target.next = (self.addr.val() >> 1) << 1;

        // At most one of the two is not zero.
        self.other.next = bits::<32>(0);
        if self.issued.link.val() {
            self.other.next = self.issued.seq.val();
        }
        if self.issued.div.val() {
            self.other.next = self.div.result.val();
        }
        if self.issued.upper.val() {
            self.other.next = self.addr.val();
        }
        self.steer.result.next = self.alu.result.val() | self.other.val();

        self.csr_addr.next = self.issued.insn.val().get_bits::<12>(20);
        // CSRRS and CSRRC of x0 or of an immediate 0 only read.
        self.csr_writes.next =
            (self.operands.op.val().get_bits::<2>(0) == 1) | (self.issued.insn.val().get_bits::<5>(15) != 0);
        self.csr_known.next = false;
        match self.csr_addr.val().index() {
            // mstatus, misa, mie, mtvec, mstatush
            768 => {
                self.csr_known.next = true;
            }
            769 => {
                self.csr_known.next = true;
            }
            772 => {
                self.csr_known.next = true;
            }
            773 => {
                self.csr_known.next = true;
            }
            784 => {
                self.csr_known.next = true;
            }
            // mscratch, mepc, mcause, mtval, mip
            832 => {
                self.csr_known.next = true;
            }
            833 => {
                self.csr_known.next = true;
            }
            834 => {
                self.csr_known.next = true;
            }
            835 => {
                self.csr_known.next = true;
            }
            836 => {
                self.csr_known.next = true;
            }
            // mcycle, minstret, mcycleh, minstreth
            2816 => {
                self.csr_known.next = true;
            }
            2818 => {
                self.csr_known.next = true;
            }
            2944 => {
                self.csr_known.next = true;
            }
            2946 => {
                self.csr_known.next = true;
            }
            // cycle, instret, cycleh, instreth
            3072 => {
                self.csr_known.next = true;
            }
            3074 => {
                self.csr_known.next = true;
            }
            3200 => {
                self.csr_known.next = true;
            }
            3202 => {
                self.csr_known.next = true;
            }
            // mvendorid, marchid, mimpid, mhartid, mconfigptr
            3857 => {
                self.csr_known.next = true;
            }
            3858 => {
                self.csr_known.next = true;
            }
            3859 => {
                self.csr_known.next = true;
            }
            3860 => {
                self.csr_known.next = true;
            }
            3861 => {
                self.csr_known.next = true;
            }
            _ => {}
        }
        self.csr_bad.next = self.issued.csr.val()
            & (!self.csr_known.val()
                | (self.csr_writes.val() & (self.csr_addr.val().get_bits::<2>(10) == 3)));

        self.access.addr.next = self.addr.val();
        self.access.size.next = self.operands.op.val();
        self.access.data.next = self.issued.data.val();
        self.access.load.next = self.issued.load.val();
        self.access.target.next = self.issued.branch.val() | self.issued.jump.val();
        self.access.store.next = self.issued.store.val();
        // Of what holds this stage only `pause` concerns a load or a store, and of interrupts every one: so this leaves out
        // what DIV and WFI wait for, which is late.
        self.access.allow.next = self.goes.val()
            & !self.pause.val()
            & !self.csr.irq.val()
            & !self.issued.fault.val()
            & !self.issued.illegal.val();

        self.out.live.next = self.live.val();
        self.out.pc.next = self.issued.pc.val();
        self.out.insn.next = self.issued.insn.val();
        self.out.wen.next = self.issued.wen.val();
        self.out.result.next = self.steer.result.val();
        self.out.load.next = self.issued.load.val();
        self.out.store.next = self.issued.store.val();
        self.out.mul.next = self.issued.mul.val();
        self.out.csr.next = self.issued.csr.val();
        self.out.mret.next = self.issued.mret.val();

        self.out.aux.next = self.addr.val();
        if self.issued.csr.val() {
            self.out.aux.next = self.operands.a.val();
            if self.operands.op.val().get_bit(2) {
                self.out.aux.next = bit_cast::<32, 5>(self.issued.insn.val().get_bits::<5>(15));
            }
        }
        self.out.irq.next = self.irq.val();
        self.out.trap.next = self.irq.val() | self.issued.fault.val();
        self.out.cause.next = bits::<4>(11);
        if self.irq.val() {
            self.out.aux.next = bits::<32>(0);
        } else if self.issued.fault.val() {
            self.out.cause.next = bits::<4>(1);
            self.out.aux.next = self.issued.pc.val();
        } else if self.issued.illegal.val() | self.csr_bad.val() {
            self.out.trap.next = true;
            self.out.cause.next = bits::<4>(2);
            self.out.aux.next = self.issued.insn.val();
        } else if self.issued.ecall.val() {
            self.out.trap.next = true;
            self.out.aux.next = bits::<32>(0);
        } else if self.issued.ebreak.val() {
            self.out.trap.next = true;
            self.out.cause.next = bits::<4>(3);
            self.out.aux.next = bits::<32>(0);
        } else if self.jumps.val() & self.addr.val().get_bit(1) {
            self.out.trap.next = true;
            self.out.cause.next = bits::<4>(0);
            self.out.aux.next = (self.addr.val() >> 1) << 1;
        }
    }
}
