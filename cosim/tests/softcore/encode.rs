//! A tiny RV32 instruction encoder.

fn r(opcode: u32, f3: u32, f7: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    opcode | rd << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 | f7 << 25
}

fn i(opcode: u32, f3: u32, rd: u32, rs1: u32, imm: i32) -> u32 {
    opcode | rd << 7 | f3 << 12 | rs1 << 15 | (imm as u32) << 20
}

/// OP: `f7` is 0, 0x20 (SUB, SRA) or 1 (the M extension).
pub fn op(f3: u32, f7: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    r(0x33, f3, f7, rd, rs1, rs2)
}

/// OP-IMM.
pub fn op_imm(f3: u32, rd: u32, rs1: u32, imm: i32) -> u32 {
    i(0x13, f3, rd, rs1, imm)
}

pub fn addi(rd: u32, rs1: u32, imm: i32) -> u32 {
    op_imm(0, rd, rs1, imm)
}

pub fn lui(rd: u32, upper: u32) -> u32 {
    0x37 | rd << 7 | (upper & 0xFFFF_F000)
}

pub fn auipc(rd: u32, upper: u32) -> u32 {
    0x17 | rd << 7 | (upper & 0xFFFF_F000)
}

/// LUI and ADDI that put any value into a register.
pub fn li(rd: u32, value: u32) -> [u32; 2] {
    [lui(rd, value.wrapping_add(0x800)), addi(rd, rd, (value << 20) as i32 >> 20)]
}

pub fn load(f3: u32, rd: u32, base: u32, imm: i32) -> u32 {
    i(0x03, f3, rd, base, imm)
}

pub fn store(f3: u32, src: u32, base: u32, imm: i32) -> u32 {
    let imm = imm as u32;
    r(0x23, f3, imm >> 5 & 0x7F, imm & 0x1F, base, src)
}

pub fn branch(f3: u32, rs1: u32, rs2: u32, offset: i32) -> u32 {
    let o = offset as u32;
    let high = (o >> 12 & 1) << 6 | o >> 5 & 0x3F;
    let low = o >> 1 & 0xF;
    r(0x63, f3, high, low << 1 | o >> 11 & 1, rs1, rs2)
}

pub fn jal(rd: u32, offset: i32) -> u32 {
    let o = offset as u32;
    0x6F | rd << 7
        | (o >> 12 & 0xFF) << 12
        | (o >> 11 & 1) << 20
        | (o >> 1 & 0x3FF) << 21
        | (o >> 20 & 1) << 31
}

pub fn jalr(rd: u32, base: u32, imm: i32) -> u32 {
    i(0x67, 0, rd, base, imm)
}

/// `f3`: 1 CSRRW, 2 CSRRS, 3 CSRRC, and 5 to 7 the same with an immediate in `rs1`.
pub fn csr(f3: u32, rd: u32, addr: u32, rs1: u32) -> u32 {
    i(0x73, f3, rd, rs1, addr as i32)
}

pub const ECALL: u32 = 0x0000_0073;
pub const EBREAK: u32 = 0x0010_0073;
pub const MRET: u32 = 0x3020_0073;
pub const WFI: u32 = 0x1050_0073;
pub const FENCE: u32 = 0x0FF0_000F;
pub const FENCE_I: u32 = 0x0000_100F;

/// CSR addresses.
pub mod csrs {
    pub const MSTATUS: u32 = 0x300;
    pub const MISA: u32 = 0x301;
    pub const MIE: u32 = 0x304;
    pub const MTVEC: u32 = 0x305;
    pub const MSTATUSH: u32 = 0x310;
    pub const MSCRATCH: u32 = 0x340;
    pub const MEPC: u32 = 0x341;
    pub const MCAUSE: u32 = 0x342;
    pub const MTVAL: u32 = 0x343;
    pub const MIP: u32 = 0x344;
    pub const MCYCLE: u32 = 0xB00;
    pub const MINSTRET: u32 = 0xB02;
    pub const MCYCLEH: u32 = 0xB80;
    pub const MINSTRETH: u32 = 0xB82;
    pub const CYCLE: u32 = 0xC00;
    pub const INSTRET: u32 = 0xC02;
    pub const CYCLEH: u32 = 0xC80;
    pub const INSTRETH: u32 = 0xC82;
    pub const MVENDORID: u32 = 0xF11;
    pub const MHARTID: u32 = 0xF14;
    pub const MCONFIGPTR: u32 = 0xF15;
}
