//! The instruction decoder: RV32IM, Zicsr, Zifencei and the machine-mode instructions.
//!
//! Combinational, from the instruction word to control signals. Anything that is not a defined instruction is
//! `illegal`. CSR addresses are judged in the execute stage, where there is more time.

use super::bundles::DecodedOut;
use rust_hdl::prelude::*;

#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Decode {
    pub insn: Signal<In, Bits<32>>,
    pub out: DecodedOut,
    major: Signal<Local, Bits<5>>,
    funct3: Signal<Local, Bits<3>>,
    funct7: Signal<Local, Bits<7>>,
    signs: Signal<Local, Bits<32>>,
    imm_i: Signal<Local, Bits<32>>,
    imm_s: Signal<Local, Bits<32>>,
    imm_b: Signal<Local, Bits<32>>,
    imm_j: Signal<Local, Bits<32>>,
    writes: Signal<Local, Bit>,
}

impl Logic for Decode {
    #[hdl_gen]
    fn update(&mut self) {
        self.out.insn.next = self.insn.val();
        self.major.next = self.insn.val().get_bits::<5>(2);
        self.funct3.next = self.insn.val().get_bits::<3>(12);
        self.funct7.next = self.insn.val().get_bits::<7>(25);

        self.signs.next = bits::<32>(0);
        if self.insn.val().get_bit(31) {
            self.signs.next = !bits::<32>(0);
        }
        self.imm_i.next = (self.signs.val() << 12) | bit_cast::<32, 12>(self.insn.val().get_bits::<12>(20));
        self.imm_s.next = (self.signs.val() << 12)
            | (bit_cast::<32, 7>(self.insn.val().get_bits::<7>(25)) << 5)
            | bit_cast::<32, 5>(self.insn.val().get_bits::<5>(7));
        self.imm_b.next = (self.signs.val() << 12)
            | (bit_cast::<32, 1>(self.insn.val().get_bits::<1>(7)) << 11)
            | (bit_cast::<32, 6>(self.insn.val().get_bits::<6>(25)) << 5)
            | (bit_cast::<32, 4>(self.insn.val().get_bits::<4>(8)) << 1);
        self.imm_j.next = (self.signs.val() << 20)
            | (bit_cast::<32, 8>(self.insn.val().get_bits::<8>(12)) << 12)
            | (bit_cast::<32, 1>(self.insn.val().get_bits::<1>(20)) << 11)
            | (bit_cast::<32, 10>(self.insn.val().get_bits::<10>(21)) << 1);

        // Which registers are read, from the least of the opcode that tells it: the interlock is late. An instruction that is illegal,
        // or has a number in place of rs1, may wait for nothing.
        self.out.use1.next =
            !(self.major.val().get_bit(0) & (self.major.val().get_bit(1) | self.major.val().get_bit(2)));
        self.out.use2.next = self.major.val().get_bit(3)
            & !self.major.val().get_bit(0)
            & !(self.major.val().get_bit(4) & self.major.val().get_bit(2));

        self.out.imm.next = self.imm_i.val();
        self.writes.next = false;
        self.out.base_rs1.next = false;
        self.out.base_zero.next = false;
        self.out.b_imm.next = false;
        self.out.alt.next = false;
        self.out.late.next = false;
        self.out.load.next = false;
        self.out.store.next = false;
        self.out.branch.next = false;
        self.out.jump.next = false;
        self.out.link.next = false;
        self.out.upper.next = false;
        self.out.mul.next = false;
        self.out.div.next = false;
        self.out.csr.next = false;
        self.out.mret.next = false;
        self.out.wfi.next = false;
        self.out.ecall.next = false;
        self.out.ebreak.next = false;
        self.out.illegal.next = false;

        match self.major.val().index() {
            // LOAD
            0 => {
                self.out.base_rs1.next = true;
                self.out.load.next = true;
                self.out.late.next = true;
                self.writes.next = true;
                if (self.funct3.val() == 3) | (self.funct3.val() >= 6) {
                    self.out.illegal.next = true;
                }
            }
            // MISC-MEM: FENCE does nothing; FENCE.I jumps to the next instruction, which fetches it anew.
            3 => {
                self.out.imm.next = bits::<32>(4);
                self.out.jump.next = self.funct3.val() == 1;
                if self.funct3.val() >= 2 {
                    self.out.illegal.next = true;
                }
            }
            // OP-IMM
            4 => {
                self.writes.next = true;
                self.out.b_imm.next = true;
                if self.funct3.val() == 1 {
                    self.out.illegal.next = self.funct7.val() != 0;
                }
                if self.funct3.val() == 5 {
                    self.out.alt.next = self.funct7.val().get_bit(5);
                    self.out.illegal.next = (self.funct7.val() != 0) & (self.funct7.val() != 32);
                }
            }
            // AUIPC
            5 => {
                self.writes.next = true;
                self.out.upper.next = true;
                self.out.imm.next = bit_cast::<32, 20>(self.insn.val().get_bits::<20>(12)) << 12;
            }
            // STORE
            8 => {
                self.out.base_rs1.next = true;
                self.out.imm.next = self.imm_s.val();
                self.out.store.next = true;
                if self.funct3.val() >= 3 {
                    self.out.illegal.next = true;
                }
            }
            // OP
            12 => {
                self.writes.next = true;
                if self.funct7.val() == 1 {
                    self.out.mul.next = !self.funct3.val().get_bit(2);
                    self.out.late.next = !self.funct3.val().get_bit(2);
                    self.out.div.next = self.funct3.val().get_bit(2);
                } else if self.funct7.val() == 32 {
                    self.out.alt.next = true;
                    self.out.illegal.next = (self.funct3.val() != 0) & (self.funct3.val() != 5);
                } else {
                    self.out.illegal.next = self.funct7.val() != 0;
                }
            }
            // LUI
            13 => {
                self.writes.next = true;
                self.out.upper.next = true;
                self.out.base_zero.next = true;
                self.out.imm.next = bit_cast::<32, 20>(self.insn.val().get_bits::<20>(12)) << 12;
            }
            // BRANCH
            24 => {
                self.out.imm.next = self.imm_b.val();
                self.out.branch.next = true;
                if (self.funct3.val() == 2) | (self.funct3.val() == 3) {
                    self.out.illegal.next = true;
                }
            }
            // JALR
            25 => {
                self.writes.next = true;
                self.out.base_rs1.next = true;
                self.out.jump.next = true;
                self.out.link.next = true;
                self.out.illegal.next = self.funct3.val() != 0;
            }
            // JAL
            27 => {
                self.writes.next = true;
                self.out.imm.next = self.imm_j.val();
                self.out.jump.next = true;
                self.out.link.next = true;
            }
            // SYSTEM
            28 => {
                if (self.funct3.val() & 3) != 0 {
                    self.writes.next = true;
                    self.out.csr.next = true;
                    self.out.late.next = true;
                } else if self.insn.val() == 0x00000073 {
                    self.out.ecall.next = true;
                } else if self.insn.val() == 0x00100073 {
                    self.out.ebreak.next = true;
                } else if self.insn.val() == 0x30200073 {
                    self.out.mret.next = true;
                } else if self.insn.val() == 0x10500073 {
                    self.out.wfi.next = true;
                } else {
                    self.out.illegal.next = true;
                }
            }
            _ => {
                self.out.illegal.next = true;
            }
        }
        if self.insn.val().get_bits::<2>(0) != 3 {
            self.out.illegal.next = true;
        }
        self.out.wen.next = self.writes.val() & (self.insn.val().get_bits::<5>(7) != 0);
    }
}
