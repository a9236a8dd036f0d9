//! The fetch stage: the address of the next instruction, and the word of the present one.
//!
//! Instruction memory reads in every cycle, at the address of the instruction that will be in the decode stage in the
//! next cycle. Whether a branch is taken is known too late to choose that address, for it goes to every block of the memory; so
//! data memory, which a branch or jump has no other use for, reads its target at the same time, and the next cycle
//! chooses between the two words: a taken branch costs one cycle. While the decode stage stalls, memory already reads the
//! instruction after it, and a register holds the word that memory no longer shows. So the interlock, which is
//! late, reaches registers beside the decoder only, and no input of the memory depends on its output.

use super::bundles::{CommitIn, CsrStateIn, FetchedOut, SteerIn};
use super::ADDRESS_BITS;
use crate::kit::{Cr, Reg};
use crate::module;
use baton_abi::mmio::RAM_BASE;
use rust_hdl::prelude::*;

#[derive(Clone, Debug, LogicBlock)]
pub struct Fetch {
    pub cr: Cr,
    /// Low holds the core at the reset vector.
    pub run: Signal<In, Bit>,
    /// The instruction in the decode stage cannot go on in this cycle.
    pub stall: Signal<In, Bit>,
    pub steer: SteerIn,
    pub commit: CommitIn,
    pub csr: CsrStateIn,
    /// Word address of instruction memory, and the word at the address of the cycle before.
    pub addr: Signal<Out, Bits<ADDRESS_BITS>>,
    pub data: Signal<In, Bits<32>>,
    /// The word at the target of the branch or jump that was in the execute stage in the cycle before.
    pub target_data: Signal<In, Bits<32>>,
    /// The instruction in the decode stage.
    pub insn: Signal<Out, Bits<32>>,
    pub out: FetchedOut,
    pc: Reg<Bits<32>>,
    held: Reg<Bit>,
    word: Reg<Bits<32>>,
    jumped: Reg<Bit>,
    seq: Signal<Local, Bits<32>>,
    early_pc: Signal<Local, Bits<32>>,
    next_pc: Signal<Local, Bits<32>>,
    to_seq: Signal<Local, Bit>,
    to_mepc: Signal<Local, Bit>,
    to_mtvec: Signal<Local, Bit>,
    untrapped: Signal<Local, Bits<ADDRESS_BITS>>,
    jumps: Signal<Local, Bit>,
    advance: Signal<Local, Bit>,
    ram_region: Constant<Bits<4>>,
    ram_words: Constant<Bits<26>>,
    reset_pc: Constant<Bits<32>>,
}

impl Fetch {
    /// Fetch from a memory of `words` words at `RAM_BASE`.
    pub fn new(words: usize) -> Self {
        Fetch {
            cr: Default::default(),
            run: Default::default(),
            stall: Default::default(),
            steer: Default::default(),
            commit: Default::default(),
            csr: Default::default(),
            addr: Default::default(),
            data: Default::default(),
            target_data: Default::default(),
            insn: Default::default(),
            out: Default::default(),
            pc: Reg::new(u64::from(RAM_BASE).into()),
            held: Default::default(),
            word: Default::default(),
            jumped: Default::default(),
            seq: Default::default(),
            early_pc: Default::default(),
            next_pc: Default::default(),
            to_seq: Default::default(),
            to_mepc: Default::default(),
            to_mtvec: Default::default(),
            untrapped: Default::default(),
            jumps: Default::default(),
            advance: Default::default(),
            ram_region: Constant::new(u64::from(RAM_BASE >> 28).into()),
            ram_words: Constant::new((words as u64).into()),
            reset_pc: Constant::new(u64::from(RAM_BASE).into()),
        }
    }
}

module! {
    impl [] Logic for Fetch;
    regs: pc, held, word, jumped;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.insn.next = self.data.val();
        if self.held.q.val() {
            self.insn.next = self.word.q.val();
        }
        if self.jumped.q.val() {
            self.insn.next = self.target_data.val();
        }
        self.word.d.next = self.insn.val();
        self.jumps.next = self.steer.redirect.val() & !self.steer.returns.val();
        self.jumped.d.next = self.jumps.val();

        self.seq.next = self.pc.q.val() + 4;
        self.out.pc.next = self.pc.q.val();
        self.out.seq.next = self.seq.val();
        self.out.fault.next = (self.pc.q.val().get_bits::<4>(28) != self.ram_region.val())
            | (self.pc.q.val().get_bits::<26>(2) >= self.ram_words.val());

        // There is no redirection in a cycle with a trap or in a hold.
        self.early_pc.next = self.seq.val();
        if self.steer.returns.val() {
            self.early_pc.next = self.csr.mepc.val();
        }
        if self.commit.trap.val() {
            self.early_pc.next = self.csr.mtvec.val();
        }
        // To memory it goes by a way of its own, whose choices are made of registers alone. The reset vector is word 0.
        self.to_seq.next = self.run.val() & !self.commit.trap.val() & !self.steer.returns.val();
        self.to_mepc.next = self.run.val() & !self.commit.trap.val() & self.steer.returns.val();
        self.to_mtvec.next = self.run.val() & self.commit.trap.val();
        self.untrapped.next = 0.into();
        if self.to_seq.val() {
            self.untrapped.next = self.seq.val().get_bits::<ADDRESS_BITS>(2);
        }
        if self.to_mepc.val() {
            self.untrapped.next = self.untrapped.val() | self.csr.mepc.val().get_bits::<ADDRESS_BITS>(2);
        }
        self.addr.next = self.untrapped.val();
        if self.to_mtvec.val() {
            self.addr.next = self.untrapped.val() | self.csr.mtvec.val().get_bits::<ADDRESS_BITS>(2);
        }
        // The last choice is the latest: whether a branch is taken.
        self.next_pc.next = self.early_pc.val();
        if self.jumps.val() {
            self.next_pc.next = self.steer.target.val();
        }

        self.advance.next = !self.stall.val() | self.steer.redirect.val() | self.commit.trap.val();
        self.held.d.next = !self.advance.val() & self.run.val();
        if self.advance.val() {
            self.pc.d.next = self.next_pc.val();
        }
        if !self.run.val() {
            self.pc.d.next = self.reset_pc.val();
        }
    }
}
