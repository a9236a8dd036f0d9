//! The fetch stage: the address of the next instruction.
//!
//! It drives the read address of instruction memory with the address of the instruction that will be in the
//! decode stage in the next cycle, so that a taken branch costs one cycle. While the decode stage
//! stalls, the memory keeps its word.

use super::bundles::{CommitIn, CsrStateIn, FetchedOut, SteerIn};
use crate::kit::{Cr, Reg};
use crate::module;
use baton_abi::mmio::RAM_BASE;
use rust_hdl::prelude::*;

#[derive(Clone, Debug, LogicBlock)]
pub struct Fetch<const A: usize> {
    pub cr: Cr,
    /// Low holds the core at the reset vector.
    pub run: Signal<In, Bit>,
    /// The instruction in the decode stage cannot go on in this cycle.
    pub stall: Signal<In, Bit>,
    pub steer: SteerIn,
    pub commit: CommitIn,
    pub csr: CsrStateIn,
    /// Word address and enable of instruction memory.
    pub addr: Signal<Out, Bits<A>>,
    pub enable: Signal<Out, Bit>,
    pub out: FetchedOut,
    pc: Reg<Bits<32>>,
    fault: Reg<Bit>,
    next_pc: Signal<Local, Bits<32>>,
    word: Signal<Local, Bits<30>>,
    base: Constant<Bits<30>>,
    words: Constant<Bits<30>>,
    reset_pc: Constant<Bits<32>>,
}

impl<const A: usize> Fetch<A> {
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
            enable: Default::default(),
            out: Default::default(),
            pc: Reg::new(u64::from(RAM_BASE).into()),
            fault: Default::default(),
            next_pc: Default::default(),
            word: Default::default(),
            base: Constant::new(u64::from(RAM_BASE >> 2).into()),
            words: Constant::new((words as u64).into()),
            reset_pc: Constant::new(u64::from(RAM_BASE).into()),
        }
    }
}

module! {
    impl [const A: usize] Logic for Fetch<A>;
    regs: pc, fault;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.out.pc.next = self.pc.q.val();
        self.out.fault.next = self.fault.q.val();
        self.out.seq.next = self.pc.q.val() + 4;

        self.next_pc.next = self.pc.q.val() + 4;
        if self.steer.redirect.val() {
            self.next_pc.next = self.steer.target.val();
        }
        if self.commit.trap.val() {
            self.next_pc.next = self.csr.mtvec.val();
        }
        if !self.run.val() {
            self.next_pc.next = self.reset_pc.val();
        }
        self.addr.next = self.next_pc.val().get_bits::<A>(2);
        self.enable.next = !self.stall.val() | self.steer.redirect.val() | self.commit.trap.val() | !self.run.val();

        self.word.next = self.next_pc.val().get_bits::<30>(2) - self.base.val();
        if self.enable.val() {
            self.pc.d.next = self.next_pc.val();
            self.fault.d.next = self.word.val() >= self.words.val();
        }
    }
}
