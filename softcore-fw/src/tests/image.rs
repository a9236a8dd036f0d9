//! The image itself, on an instruction-set simulator with the model of the NIC as its devices.
//!
//! `cargo xtask test` builds the image and names it in `BATON_FIRMWARE`; without that the tests say so and pass.

use baton_abi::{
    handoff::HandoffRecord,
    mmio::{MMIO_BASE, RAM_BASE},
    msg::{command, event, ConnId, Header},
    regs::mailbox,
};
use baton_tcp::{wire, Flags};
use rrs_lib::{
    instruction_executor::{InstructionException, InstructionExecutor},
    HartState, MemAccessSize, Memory,
};

use super::{
    nic::MockNic,
    protocol::{frame, message, record, COOKIE},
};
use crate::Hardware;

const RAM_BYTES: usize = 128 * 1024;
const WFI: u32 = 0x1050_0073;
const CSRW_MTVEC_T0: u32 = 0x3052_9073;

struct Bus {
    ram: Vec<u8>,
    nic: MockNic,
}

impl Bus {
    fn ram(&mut self, addr: u32, len: usize) -> Option<&mut [u8]> {
        let at = addr.checked_sub(RAM_BASE)? as usize;
        self.ram.get_mut(at..at + len)
    }
}

fn bytes_of(size: MemAccessSize) -> usize {
    match size {
        MemAccessSize::Byte => 1,
        MemAccessSize::HalfWord => 2,
        MemAccessSize::Word => 4,
    }
}

impl Memory for Bus {
    fn read_mem(&mut self, addr: u32, size: MemAccessSize) -> Option<u32> {
        let len = bytes_of(size);
        if addr >= MMIO_BASE {
            return (len == 4).then(|| self.nic.read(addr - MMIO_BASE));
        }
        let bytes = self.ram(addr, len)?;
        Some(bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)))
    }

    fn write_mem(&mut self, addr: u32, size: MemAccessSize, data: u32) -> bool {
        let len = bytes_of(size);
        if addr >= MMIO_BASE {
            self.nic.write(addr - MMIO_BASE, data);
            return len == 4;
        }
        match self.ram(addr, len) {
            Some(bytes) => {
                bytes.copy_from_slice(&data.to_le_bytes()[..len]);
                true
            }
            None => false,
        }
    }
}

struct Machine {
    hart: HartState,
    bus: Bus,
    instructions: u64,
}

impl Machine {
    /// `None` when there is no image.
    fn new() -> Option<Self> {
        let Some(path) = std::env::var_os("BATON_FIRMWARE") else {
            eprintln!("BATON_FIRMWARE is not set: nothing to test; run `cargo xtask test`");
            return None;
        };
        let image = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        // What the loader does not write is arbitrary.
        let mut ram = vec![0xA5; RAM_BYTES];
        ram[..image.len()].copy_from_slice(&image);
        let mut hart = HartState::new();
        hart.pc = RAM_BASE;
        Some(Machine { hart, bus: Bus { ram, nic: MockNic::new(1) }, instructions: 0 })
    }

    /// Runs until the core sleeps with nothing left in the NIC. Returns the instructions that it took.
    fn settle(&mut self) -> u64 {
        let start = self.instructions;
        for _ in 0..3_000_000 {
            let mut executor = InstructionExecutor { hart_state: &mut self.hart, mem: &mut self.bus };
            match executor.step() {
                Ok(()) => self.instructions += 1,
                Err(InstructionException::IllegalInstruction(_, WFI)) => {
                    self.hart.pc += 4;
                    let busy = self.bus.nic.queue_len() > 0 || !self.bus.nic.commands.is_empty();
                    let quiet = self.bus.nic.is_quiet();
                    self.bus.nic.step(0);
                    if quiet && !busy {
                        return self.instructions - start;
                    }
                }
                Err(InstructionException::IllegalInstruction(_, CSRW_MTVEC_T0)) => self.hart.pc += 4,
                Err(trap) => panic!("trap at {:#x}: {trap:?}", self.hart.pc),
            }
            if self.instructions.is_multiple_of(64) {
                self.bus.nic.step(0);
            }
        }
        panic!("the core does not come to rest; pc {:#x}", self.hart.pc);
    }

    fn event(&mut self) -> Vec<u32> {
        assert_eq!(self.bus.nic.events.len(), 1, "{:?}", self.bus.nic.events);
        self.bus.nic.events.pop_front().unwrap()
    }
}

#[test]
fn image_serves_a_connection() {
    let Some(mut machine) = Machine::new() else { return };
    let start = machine.settle();
    assert_eq!(machine.bus.nic.status[mailbox::STS_FIRMWARE], 1);
    assert_eq!(machine.bus.nic.status[mailbox::STS_TABLE_SIZE], 128);

    machine.bus.nic.command(&message(command::HANDOFF, ConnId(0), &record(0).to_words()));
    let handoff = machine.settle();
    let accepted = machine.event();
    let header = Header::from_word(accepted[0]);
    assert_eq!((header.code, accepted[1], accepted[2]), (event::ACCEPTED, COOKIE, 1));

    let payload: Vec<u8> = (0..=255).cycle().take(1460).collect();
    let mut receive = 0;
    for at in 0..4 {
        machine.bus.nic.arrive(&frame(0, at * 1460, 0, Flags::PSH, &payload));
        receive = machine.settle();
        assert_eq!(machine.event()[3], 1460);
    }
    assert_eq!(machine.bus.nic.memory[0x8000..0x8000 + 1460], payload);
    let acknowledged = machine.bus.nic.wire.drain(..).count();
    assert!(acknowledged >= 1);

    machine.bus.nic.memory[0x30000..0x30000 + 1460].copy_from_slice(&payload);
    let send_command = message(command::SEND, header.conn, &[0x30000, 6 * 1460]);
    machine.bus.nic.command(&send_command);
    let send = machine.settle();
    let sent: Vec<_> = machine.bus.nic.wire.drain(..).collect();
    assert_eq!(sent.len(), 6);
    let first = wire::parse(&sent[0]).unwrap();
    assert_eq!(sent[0][first.payload], payload);
    machine.bus.nic.arrive(&frame(0, 4 * 1460, 3 * 1460, Flags::ACK, &[]));
    let acknowledge = machine.settle();
    machine.bus.nic.arrive(&frame(0, 4 * 1460, 6 * 1460, Flags::ACK, &[]));
    machine.settle();
    assert_eq!(machine.event()[2], 6 * 1460);

    machine.bus.nic.command(&message(command::RESTORE, header.conn, &[]));
    let restore = machine.settle();
    let restored = machine.event();
    assert_eq!(HandoffRecord::from_words(&restored[2..]).unwrap().endpoints, record(0).endpoints);
    println!(
        "instructions: start {start}, handoff {handoff}, data segment received {receive}, 6 segments sent \
         {send}, acknowledgement received {acknowledge}, restore {restore}"
    );
}

/// A stack that overflows would run into the table. The deepest path, a restore, must stay far from it.
#[test]
fn stack_stays_small() {
    let Some(mut machine) = Machine::new() else { return };
    machine.settle();
    for client in 0..4 {
        machine.bus.nic.command(&message(command::HANDOFF, ConnId(0), &record(client).to_words()));
        machine.settle();
        let conn = Header::from_word(machine.event()[0]).conn;
        machine.bus.nic.arrive(&frame(client, 0, 0, Flags::PSH, b"request"));
        machine.settle();
        machine.event();
        machine.bus.nic.command(&message(command::RESTORE, conn, &[]));
        machine.settle();
        machine.event();
    }
    // Of the filler, the highest run of 64 bytes that was never written marks the stack's depth.
    let depth = machine.bus.ram.rchunks(64).position(|chunk| chunk.iter().all(|&b| b == 0xA5));
    let depth = depth.expect("some memory is unused") * 64;
    println!("stack: {depth} bytes");
    assert!(depth <= 2048, "{depth} bytes of stack; link.ld reserves 2 KiB");
}
