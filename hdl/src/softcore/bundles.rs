//! What one stage of the pipeline hands to the next, as bundles of ports.
//!
//! Stages are joined source to sink with no logic in between, so that every combinational path of the core
//! lies inside the stages and no two modules feed each other in one cycle.

use rust_hdl::prelude::*;

/// Defines a source bundle and the sink bundle that it joins; the literal after each names the other.
macro_rules! bundle {
    (
        $(#[$doc:meta])*
        $source:ident $source_partner:tt => $sink:ident $sink_partner:tt { $($field:ident: $kind:ty),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, LogicInterface)]
        #[join = $source_partner]
        pub struct $source { $(pub $field: Signal<Out, $kind>),* }

        $(#[$doc])*
        #[derive(Clone, Debug, Default, LogicInterface)]
        #[join = $sink_partner]
        pub struct $sink { $(pub $field: Signal<In, $kind>),* }
    };
}

bundle! {
    /// Decoder to issue: the instruction in the decode stage.
    ///
    /// `wen`: writes `rd`, which is not x0. `use1`/`use2`: reads rs1/rs2. `base_rs1`, `base_zero`: the address
    /// adder starts from rs1, from zero, or else from the pc. `b_imm`: the second operand is the immediate.
    /// `late`: the result exists one cycle later than the ALU's. `upper`: the result is the address adder's.
    DecodedOut "DecodedIn" => DecodedIn "DecodedOut" {
        insn: Bits<32>, imm: Bits<32>, wen: Bit, use1: Bit, use2: Bit, base_rs1: Bit, base_zero: Bit, b_imm: Bit,
        alt: Bit, late: Bit, load: Bit, store: Bit, branch: Bit, jump: Bit, link: Bit, upper: Bit, mul: Bit, div: Bit,
        csr: Bit, mret: Bit, wfi: Bit, ecall: Bit, ebreak: Bit, illegal: Bit,
    }
}

bundle! {
    /// Fetch to issue: where the instruction in the decode stage came from, the address after it, and
    /// whether there was no memory at it.
    FetchedOut "FetchedIn" => FetchedIn "FetchedOut" { pc: Bits<32>, seq: Bits<32>, fault: Bit }
}

bundle! {
    /// Issue to the arithmetic units, registered. `op` is funct3; `alt` chooses SUB and SRA. `left`: `op` is that of a shift to the left; `alu`:
    /// the result is the ALU's.
    OperandsOut "OperandsIn" => OperandsIn "OperandsOut" {
        a: Bits<32>, b: Bits<32>, op: Bits<3>, alt: Bit, left: Bit, alu: Bit, div: Bit,
    }
}

bundle! {
    /// Issue to execute, registered: the instruction in the execute stage. All flags mean something only
    /// while `valid` is high. `data` is what a store writes: rs2, in registers of its own, for it goes to every block of the
    /// memory and to the devices, which would draw the operand away from the ALU.
    IssuedOut "IssuedIn" => IssuedIn "IssuedOut" {
        valid: Bit, pc: Bits<32>, seq: Bits<32>, insn: Bits<32>, base: Bits<32>, imm: Bits<32>, data: Bits<32>, wen: Bit, load: Bit,
        store: Bit, branch: Bit, jump: Bit, link: Bit, upper: Bit, mul: Bit, div: Bit, csr: Bit, mret: Bit, wfi: Bit, ecall: Bit,
        ebreak: Bit, illegal: Bit, fault: Bit,
    }
}

bundle! {
    /// The ALU's result, zero unless `alu` asks for it, and the branch condition.
    AluOut "AluIn" => AluIn "AluOut" { result: Bits<32>, taken: Bit }
}

bundle! {
    /// The divider's result, in the one cycle in which `done` is high.
    DivOut "DivIn" => DivIn "DivOut" { result: Bits<32>, done: Bit }
}

bundle! {
    /// Execute to fetch and issue: `hold` keeps the instruction in the execute stage where it is;
    /// `redirect`, never in a cycle with a trap or in a hold, makes `target` the next address; without it and without a trap
    /// that is `mepc` if `returns`, which is early; `result` is the value to forward.
    SteerOut "SteerIn" => SteerIn "SteerOut" {
        hold: Bit, redirect: Bit, returns: Bit, target: Bits<32>, result: Bits<32>,
    }
}

bundle! {
    /// Execute to the load/store unit: an access of `size` (funct3) at `addr`. `allow` is low when the
    /// instruction must have no effect. `target`: a branch or jump, whose target at `addr` is to be read.
    AccessOut "AccessIn" => AccessIn "AccessOut" {
        addr: Bits<32>, size: Bits<3>, data: Bits<32>, load: Bit, store: Bit, target: Bit, allow: Bit,
    }
}

bundle! {
    /// Load/store unit to commit, about the access in the execute stage: what is wrong with it, whether it
    /// goes to a device, and what it writes.
    CheckedOut "CheckedIn" => CheckedIn "CheckedOut" {
        misaligned: Bit, fault: Bit, device: Bit, strobe: Bits<4>, lanes: Bits<32>,
    }
}

bundle! {
    /// Execute to commit: the instruction that leaves the execute stage in this cycle, if `live`.
    /// `aux` is the address, the CSR operand, or what `mtval` will be.
    ExecutedOut "ExecutedIn" => ExecutedIn "ExecutedOut" {
        live: Bit, pc: Bits<32>, insn: Bits<32>, wen: Bit, result: Bits<32>, aux: Bits<32>, load: Bit, store: Bit, mul: Bit,
        csr: Bit, mret: Bit, trap: Bit, irq: Bit, cause: Bits<4>,
    }
}

bundle! {
    /// Commit to everyone before it: `trap` kills the younger instructions; `wen`, `rd` and `result` are what the register
    /// file takes at the end of the cycle.
    CommitOut "CommitIn" => CommitIn "CommitOut" { trap: Bit, wen: Bit, rd: Bits<5>, result: Bits<32> }
}

bundle! {
    /// Commit to the CSRs: the instruction in the commit stage.
    CsrCommandOut "CsrCommandIn" => CsrCommandIn "CsrCommandOut" {
        access: Bit, insn: Bits<32>, operand: Bits<32>, mret: Bit, trap: Bit, irq: Bit, cause: Bits<4>, epc: Bits<32>, retired: Bit,
    }
}

bundle! {
    /// The CSRs' answer: the value read, and registers that steer the pipeline. `irq`: an interrupt
    /// is pending and enabled.
    CsrStateOut "CsrStateIn" => CsrStateIn "CsrStateOut" { rdata: Bits<32>, mtvec: Bits<32>, mepc: Bits<32>, irq: Bit }
}

bundle! {
    /// The core to an observer: wires that are there anyway, so that a core without an observer is none the worse.
    ///
    /// From `seq` to `lanes` they are about the instruction in the execute stage; from `valid` on, about the one in the
    /// commit stage, in the cycle in which it leaves the pipeline. `a` and `b` are the operands; `word` is what memory
    /// or a device answered.
    ProbeOut "ProbeIn" => ProbeIn "ProbeOut" {
        run: Bit, seq: Bits<32>, redirect: Bit, target: Bits<32>, a: Bits<32>, b: Bits<32>, addr: Bits<32>, strobe: Bits<4>,
        lanes: Bits<32>, valid: Bit, pc: Bits<32>, insn: Bits<32>, trap: Bit, irq: Bit, wen: Bit, result: Bits<32>,
        word: Bits<32>, mtvec: Bits<32>,
    }
}
