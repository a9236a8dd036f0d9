//! The pipeline: four stages joined together, without memory.
//!
//! ```text
//!  fetch ──► instruction memory ──► decode, register file, issue ──► ALU, divider, execute, LSU ──► data memory ──► commit, CSRs
//!    ▲                                        ▲      ▲                          │                                       │
//!    │                                        │      └────── forwarding ────────┴───────────────── forwarding ─────────┤
//!    └──── redirect (execute) and trap (commit) ─────────────────────────────────────────────────────────────────────────┘
//! ```

use super::alu::Alu;
use super::bundles::*;
use super::commit::Commit;
use super::csr::Csr;
use super::decode::Decode;
use super::div::Div;
use super::execute::Execute;
use super::fetch::Fetch;
use super::issue::Issue;
use super::lsu::Lsu;
use super::ADDRESS_BITS;
use crate::kit::{Cr, Mul32, Reg, RegFile};
use crate::module;
use rust_hdl::prelude::*;

/// The core, for a memory of up to `2^ADDRESS_BITS` words. Every port is as in [`super::System`].
#[derive(Clone, Debug, LogicBlock)]
pub struct Core {
    pub cr: Cr,
    pub run: Signal<In, Bit>,
    /// The execute stage stands still in the cycle after; without effect unless [`Core::set_paced`].
    pub pause: Signal<In, Bit>,
    pub wake: Signal<In, Bit>,
    pub asleep: Signal<Out, Bit>,
    pub retired: Signal<Out, Bit>,
    pub ld_write: Signal<In, Bit>,
    pub ld_addr: Signal<In, Bits<24>>,
    pub ld_data: Signal<In, Bits<32>>,
    /// Instruction memory, which reads in every cycle: `i_data` is the word at the `i_addr` of the cycle before.
    pub i_addr: Signal<Out, Bits<ADDRESS_BITS>>,
    pub i_data: Signal<In, Bits<32>>,
    /// Data memory, where targets of branches and jumps are read too: reads, or writes the bytes that `d_write` selects; `d_data` is the answer in the next cycle.
    pub d_enable: Signal<Out, Bit>,
    pub d_addr: Signal<Out, Bits<ADDRESS_BITS>>,
    pub d_write: Signal<Out, Bits<4>>,
    pub d_write_data: Signal<Out, Bits<32>>,
    pub d_data: Signal<In, Bits<32>>,
    pub mmio_addr: Signal<Out, Bits<16>>,
    pub mmio_read: Signal<Out, Bit>,
    pub mmio_write: Signal<Out, Bit>,
    pub mmio_wdata: Signal<Out, Bits<32>>,
    pub mmio_rdata: Signal<In, Bits<32>>,
    pub probe: ProbeOut,

    paused: Reg<Bit>,
    paced: Constant<Bit>,
    running: Reg<Bit>,
    awake: Reg<Bit>,
    fetch: Fetch,
    decode: Decode,
    regfile: RegFile,
    issue: Issue,
    alu: Alu,
    mul: Mul32,
    div: Div,
    execute: Execute,
    lsu: Lsu,
    commit: Commit,
    csr: Csr,
}

impl Core {
    /// A core for a memory of `words` words, with a device bus or without.
    pub fn new(words: usize, devices: bool) -> Self {
        Core {
            cr: Default::default(),
            run: Default::default(),
            pause: Default::default(),
            wake: Default::default(),
            asleep: Default::default(),
            retired: Default::default(),
            ld_write: Default::default(),
            ld_addr: Default::default(),
            ld_data: Default::default(),
            i_addr: Default::default(),
            i_data: Default::default(),
            d_enable: Default::default(),
            d_addr: Default::default(),
            d_write: Default::default(),
            d_write_data: Default::default(),
            d_data: Default::default(),
            mmio_addr: Default::default(),
            mmio_read: Default::default(),
            mmio_write: Default::default(),
            mmio_wdata: Default::default(),
            mmio_rdata: Default::default(),
            probe: Default::default(),
            paused: Default::default(),
            paced: Constant::new(false),
            running: Default::default(),
            awake: Default::default(),
            fetch: Fetch::new(words),
            decode: Default::default(),
            regfile: Default::default(),
            issue: Default::default(),
            alu: Default::default(),
            mul: Default::default(),
            div: Default::default(),
            execute: Default::default(),
            lsu: Lsu::new(words, devices),
            commit: Default::default(),
            csr: Default::default(),
        }
    }

    /// `pause` has an effect. A core without pays nothing for it.
    pub fn set_paced(&mut self) {
        self.paced = Constant::new(true);
    }
}

module! {
    impl [] Logic for Core;
    regs: paused, running, awake;
    children: fetch, regfile, issue, mul, div, commit, csr;
    #[hdl_gen]
    fn update(&mut self) {
        // A register each: both arrive late from elsewhere and go far.
        self.running.d.next = self.run.val();
        self.awake.d.next = self.wake.val();
        self.paused.d.next = self.pause.val() & self.paced.val();
        self.execute.pause.next = self.paused.q.val();
        self.div.pause.next = self.paused.q.val();
        self.fetch.run.next = self.running.q.val();
        self.issue.run.next = self.running.q.val();
        self.execute.run.next = self.running.q.val();
        self.csr.run.next = self.running.q.val();
        self.execute.wake.next = self.awake.q.val();
        self.csr.wake.next = self.awake.q.val();
        self.csr.ahead.next = self.issue.out.csr.val();

        SteerOut::join(&mut self.execute.steer, &mut self.fetch.steer);
        SteerOut::join(&mut self.execute.steer, &mut self.issue.steer);
        CommitOut::join(&mut self.commit.out, &mut self.fetch.commit);
        CommitOut::join(&mut self.commit.out, &mut self.issue.commit);
        CommitOut::join(&mut self.commit.out, &mut self.execute.commit);
        CsrStateOut::join(&mut self.csr.out, &mut self.fetch.csr);
        CsrStateOut::join(&mut self.csr.out, &mut self.execute.csr);
        CsrStateOut::join(&mut self.csr.out, &mut self.commit.csr_state);
        FetchedOut::join(&mut self.fetch.out, &mut self.issue.fetched);
        DecodedOut::join(&mut self.decode.out, &mut self.issue.decoded);
        IssuedOut::join(&mut self.issue.out, &mut self.execute.issued);
        OperandsOut::join(&mut self.issue.operands, &mut self.execute.operands);
        OperandsOut::join(&mut self.issue.operands, &mut self.alu.operands);
        OperandsOut::join(&mut self.issue.operands, &mut self.div.operands);
        AluOut::join(&mut self.alu.out, &mut self.execute.alu);
        DivOut::join(&mut self.div.out, &mut self.execute.div);
        AccessOut::join(&mut self.execute.access, &mut self.lsu.access);
        ExecutedOut::join(&mut self.execute.out, &mut self.commit.executed);
        CheckedOut::join(&mut self.lsu.out, &mut self.commit.checked);
        CsrCommandOut::join(&mut self.commit.csr_command, &mut self.csr.command);

        self.fetch.stall.next = self.issue.stall.val();
        self.i_addr.next = self.fetch.addr.val();
        self.fetch.data.next = self.i_data.val();
        self.fetch.target_data.next = self.d_data.val();
        self.decode.insn.next = self.fetch.insn.val();

        self.regfile.addr1.next = self.fetch.insn.val().get_bits::<5>(15);
        self.regfile.addr2.next = self.fetch.insn.val().get_bits::<5>(20);
        self.issue.data1.next = self.regfile.data1.val();
        self.issue.data2.next = self.regfile.data2.val();
        self.regfile.write_enable.next = self.commit.out.wen.val();
        self.regfile.write_addr.next = self.commit.out.rd.val();
        self.regfile.write_data.next = self.commit.out.result.val();

        // MULH and MULHSU read the first factor as signed, MULH alone the second; MUL does not care.
        self.mul.enable.next = self.issue.out.mul.val();
        self.mul.a.next = self.issue.operands.a.val();
        self.mul.b.next = self.issue.operands.b.val();
        self.mul.a_signed.next = self.issue.operands.op.val() != 3;
        self.mul.b_signed.next = !self.issue.operands.op.val().get_bit(1);
        self.commit.product.next = self.mul.product.val();
        self.div.abort.next = self.commit.out.trap.val() | !self.running.q.val();

        self.lsu.run.next = self.running.q.val();
        self.lsu.ld_write.next = self.ld_write.val();
        self.lsu.ld_addr.next = self.ld_addr.val();
        self.lsu.ld_data.next = self.ld_data.val();
        self.d_enable.next = self.lsu.enable.val();
        self.d_addr.next = self.lsu.addr.val();
        self.d_write.next = self.lsu.write.val();
        self.d_write_data.next = self.lsu.write_data.val();
        self.commit.ram_data.next = self.d_data.val();
        self.mmio_addr.next = self.lsu.mmio_addr.val();
        self.mmio_read.next = self.lsu.mmio_read.val();
        self.mmio_write.next = self.lsu.mmio_write.val();
        self.mmio_wdata.next = self.lsu.mmio_wdata.val();
        self.commit.mmio_rdata.next = self.mmio_rdata.val();

        self.asleep.next = self.execute.asleep.val();
        self.retired.next = self.commit.retired.val();

        self.probe.run.next = self.running.q.val();
        self.probe.seq.next = self.issue.out.seq.val();
        self.probe.redirect.next = self.execute.steer.redirect.val();
        self.probe.target.next = self.execute.steer.target.val();
        if self.execute.steer.returns.val() {
            self.probe.target.next = self.csr.out.mepc.val();
        }
        self.probe.a.next = self.issue.operands.a.val();
        self.probe.b.next = self.issue.operands.b.val();
        self.probe.addr.next = self.execute.access.addr.val();
        self.probe.strobe.next = self.lsu.out.strobe.val();
        self.probe.lanes.next = self.lsu.out.lanes.val();
        self.probe.valid.next = self.commit.here.val();
        self.probe.pc.next = self.commit.pc_here.val();
        self.probe.insn.next = self.commit.insn_here.val();
        self.probe.trap.next = self.commit.out.trap.val();
        self.probe.irq.next = self.commit.csr_command.irq.val();
        self.probe.wen.next = self.commit.out.wen.val();
        self.probe.result.next = self.commit.out.result.val();
        self.probe.word.next = self.commit.word_here.val();
        self.probe.mtvec.next = self.csr.out.mtvec.val();
    }
}
