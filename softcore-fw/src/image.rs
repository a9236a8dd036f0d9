//! Start code, trap and panic handlers, and the registers as memory.
//!
//! The image is one flat block at `RAM_BASE` whose first word is the first instruction; `link.ld` lays it
//! out. Nothing outside this file is unsafe.

use core::{
    arch::{asm, global_asm},
    cell::UnsafeCell,
    mem::MaybeUninit,
    panic::PanicInfo,
    ptr,
};

use baton_abi::{
    mmio::{MBOX_STS, MMIO_BASE},
    regs::mailbox,
};
use baton_fw::{board, gap_rooms, timing, Built, Firmware, Hardware, HostOnly, Slot};
use baton_tcp::{SharedConfig, SharedMemory};

// Sets up the stack and the trap vector, clears .bss (the loader writes only what the file holds), and calls
// `main`. A trap has no way back: its handler starts on a fresh stack, whatever state the old one is in.
global_asm!(
    ".section .start, \"ax\"",
    ".global _start",
    "_start:",
    "    la   sp, _stack_top",
    "    la   t0, _trap",
    "    csrw mtvec, t0",
    "    la   t0, _bss_start",
    "    la   t1, _bss_end",
    "1:  bgeu t0, t1, 2f",
    "    sw   zero, 0(t0)",
    "    addi t0, t0, 4",
    "    j    1b",
    "2:  call {main}",
    "    .balign 4",
    "_trap:",
    "    la   sp, _stack_top",
    "    csrr a0, mcause",
    "    csrr a1, mepc",
    "    call {fault}",
    main = sym main,
    fault = sym fault,
);

// The compiler's calls of `memcpy` move records and connections, which are words; its own library's loop takes five instructions for
// one, this one 19 for eight. What does not lie alike at both ends, of which there is nothing, goes byte by byte: the library's
// way would take a kilobyte.
global_asm!(
    ".section .text.memcpy, \"ax\"",
    ".global memcpy",
    ".type memcpy, @function",
    "memcpy:",
    "    mv   a4, a0",
    "    xor  a3, a0, a1",
    "    andi a3, a3, 3",
    "    bnez a3, 6f",
    "    li   t0, 4",
    "    li   t1, 32",
    "    bltu a2, t0, 6f",
    "2:  andi a3, a4, 3",
    "    beqz a3, 3f",
    "    lbu  a3, 0(a1)",
    "    addi a1, a1, 1",
    "    addi a2, a2, -1",
    "    sb   a3, 0(a4)",
    "    addi a4, a4, 1",
    "    j    2b",
    "3:  bltu a2, t1, 5f",
    "4:  lw   a3, 0(a1)",
    "    lw   a5, 4(a1)",
    "    lw   a6, 8(a1)",
    "    lw   a7, 12(a1)",
    "    lw   t3, 16(a1)",
    "    lw   t4, 20(a1)",
    "    lw   t5, 24(a1)",
    "    lw   t6, 28(a1)",
    "    addi a1, a1, 32",
    "    addi a2, a2, -32",
    "    sw   a3, 0(a4)",
    "    sw   a5, 4(a4)",
    "    sw   a6, 8(a4)",
    "    sw   a7, 12(a4)",
    "    sw   t3, 16(a4)",
    "    sw   t4, 20(a4)",
    "    sw   t5, 24(a4)",
    "    sw   t6, 28(a4)",
    "    addi a4, a4, 32",
    "    bgeu a2, t1, 4b",
    "5:  bltu a2, t0, 6f",
    "    lw   a3, 0(a1)",
    "    addi a1, a1, 4",
    "    addi a2, a2, -4",
    "    sw   a3, 0(a4)",
    "    addi a4, a4, 4",
    "    j    5b",
    "6:  beqz a2, 7f",
    "    lbu  a3, 0(a1)",
    "    addi a1, a1, 1",
    "    addi a2, a2, -1",
    "    sb   a3, 0(a4)",
    "    addi a4, a4, 1",
    "    j    6b",
    "7:  ret",
    ".size memcpy, . - memcpy",
);

/// Connections that the image can hold; `build.rs` sets it, and the linker checks that they fit. With none the image is that of a
/// NIC without handoff.
const CONNECTIONS: usize = parse(env!("BATON_FW_CONNECTIONS"));
/// Cause that STS_FIRMWARE shows after a panic; no trap has this number.
const CAUSE_PANIC: u32 = 0xFFFF;
/// STS_FIRMWARE after a trap or a panic, with the cause in the low half.
const DEAD: u32 = 0xDEAD_0000;

const fn parse(text: &str) -> usize {
    match usize::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("BATON_FW_CONNECTIONS is not a number"),
    }
}

/// The device registers, as memory from `MMIO_BASE` on.
struct Registers;

impl Hardware for Registers {
    type Program = Built;

    #[inline(always)]
    fn read(&self, register: u32) -> u32 {
        // SAFETY: the library passes register offsets of `baton_abi::mmio`, all word-aligned and inside the
        // 64 KiB of device registers, which hold no Rust object. A read has no side effect.
        unsafe { ptr::read_volatile((MMIO_BASE + register) as *const u32) }
    }

    #[inline(always)]
    fn write(&mut self, register: u32, value: u32) {
        // SAFETY: as for `read`. What a write starts touches core memory in no way: DMA reaches host
        // memory only.
        unsafe { ptr::write_volatile((MMIO_BASE + register) as *mut u32, value) }
    }

    #[inline(always)]
    fn sleep(&mut self) {
        // SAFETY: `wfi` changes neither memory nor registers. Interrupts are off; it ends when there is work.
        unsafe { asm!("wfi", options(nomem, nostack)) }
    }

    /// An address and a number in a section that is not loaded; `baton bench` reads it.
    #[inline(always)]
    fn mark<const WORK: u32>(&self) {
        // SAFETY: no instruction comes of it.
        unsafe {
            asm!(
                "2:",
                ".pushsection .baton.marks, \"\", @progbits",
                ".word 2b",
                ".word {work}",
                ".popsection",
                work = const WORK,
                options(nomem, nostack, preserves_flags)
            )
        }
    }
}

/// Memory for the connection table and what all connections share. It lies behind .bss, which the start code clears, and costs
/// the image no bytes.
struct Memory {
    table: [MaybeUninit<Slot>; CONNECTIONS],
    shared: SharedMemory<{ gap_rooms(CONNECTIONS) }>,
}

struct MemoryCell(UnsafeCell<Memory>);

// SAFETY: there is one hart and no interrupt handler that returns, and `main` alone touches the cell.
unsafe impl Sync for MemoryCell {}

#[link_section = ".uninit"]
static MEMORY: MemoryCell = MemoryCell(UnsafeCell::new(Memory {
    table: [const { MaybeUninit::uninit() }; CONNECTIONS],
    shared: SharedMemory::new(),
}));

/// Called once, by the start code.
extern "C" fn main() -> ! {
    board::bring_up(&mut Registers);
    if CONNECTIONS == 0 {
        HostOnly::new(Registers).run()
    }
    // SAFETY: `main` runs once and nothing else names `MEMORY`, so this is the only reference to it.
    let Memory { table, shared } = unsafe { &mut *MEMORY.0.get() };
    let config = SharedConfig::new(timing(&Registers), shared);
    for slot in table.iter_mut() {
        slot.write(Slot::empty(config));
    }
    // SAFETY: the loop above has initialised every slot, and `MaybeUninit<Slot>` has the layout of `Slot`.
    let slots = unsafe { &mut *(ptr::from_mut(table) as *mut [Slot; CONNECTIONS]) };
    Firmware::new(Registers, slots).run()
}

/// Tells the host what happened, and stops.
fn stop(cause: u32, pc: u32) -> ! {
    let mut registers = Registers;
    registers.write(MBOX_STS + 4 * mailbox::STS_FAULT_PC as u32, pc);
    registers.write(MBOX_STS + 4 * mailbox::STS_FIRMWARE as u32, DEAD | cause & 0xFFFF);
    board::report_stop(&mut registers, cause, pc);
    loop {
        registers.sleep();
    }
}

/// Called by the trap code. Interrupts are never enabled, so every trap is an exception: a defect.
extern "C" fn fault(cause: u32, pc: u32) -> ! {
    stop(cause, pc)
}

#[panic_handler]
fn panicked(_: &PanicInfo) -> ! {
    stop(CAUSE_PANIC, 0)
}
