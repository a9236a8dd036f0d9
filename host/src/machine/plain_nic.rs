//! A functional NIC without offload and without timing: the rings of host packets, checksums, and nothing else.
//!
//! For calibrating the server machine, in seconds instead of hours. It keeps the contract of `baton_abi` for a NIC
//! whose core does not run: frames go between wire and host rings as soon as they are there. Every result that a
//! document states comes from the RTL.

use std::collections::{HashMap, VecDeque};

use anyhow::{bail, Result};
use baton_abi::{regs, ring};
use baton_cosim::port::{HostMemory, HostPort};
use baton_tcp::wire;

/// Frames that wait for a receive buffer; beyond, they are dropped.
const QUEUE_FRAMES: usize = 1024;
/// Time that a read of a register takes, in picoseconds: both ways of the co-simulation's default.
const READ_PS: u64 = 300_000;

/// See the module's header.
pub struct PlainNic {
    memory: HostMemory,
    registers: HashMap<u32, u32>,
    received: VecDeque<Vec<u8>>,
    sent: VecDeque<Vec<u8>>,
    written: Vec<(u32, u32)>,
    tx_cons: u16,
    rx_cons: u16,
    cause: u32,
    now_ps: u64,
    /// Frames dropped for want of receive buffers.
    pub drops: u64,
}

impl PlainNic {
    /// With `memory_bytes` of host memory.
    pub fn new(memory_bytes: u32) -> Self {
        PlainNic {
            memory: HostMemory::new(0x1000_0000, memory_bytes),
            registers: HashMap::new(),
            received: VecDeque::new(),
            sent: VecDeque::new(),
            written: Vec::new(),
            tx_cons: 0,
            rx_cons: 0,
            cause: 0,
            now_ps: 0,
            drops: 0,
        }
    }

    pub fn set_time(&mut self, now_ps: u64) {
        self.now_ps = self.now_ps.max(now_ps);
    }

    /// The next frame for the wire.
    pub fn take_frame(&mut self) -> Option<Vec<u8>> {
        self.sent.pop_front()
    }

    /// What was written to host memory since the last call: addresses and lengths.
    pub fn take_written(&mut self) -> Vec<(u32, u32)> {
        std::mem::take(&mut self.written)
    }

    /// A frame arrives from the wire.
    pub fn receive(&mut self, frame: Vec<u8>) {
        if self.received.len() < QUEUE_FRAMES {
            self.received.push_back(frame);
            self.complete();
        } else {
            self.drops += 1;
        }
    }

    fn register(&self, address: u32) -> u32 {
        self.registers.get(&address).copied().unwrap_or(0)
    }

    fn entry(&self, which: regs::Ring, index: u16, bytes: u32) -> u32 {
        let group = which as u32 * regs::RING_STRIDE;
        let mask = (1 << self.register(regs::TX_SIZE_LOG2 + group)) - 1;
        self.register(regs::TX_BASE + group) + (u32::from(index) & mask) * bytes
    }

    fn write(&mut self, addr: u32, bytes: &[u8]) {
        self.memory.write(addr, bytes);
        self.written.push((addr, bytes.len() as u32));
    }

    fn announce(&mut self, word: usize, index: u16, cause: u32) {
        let addr = self.register(regs::INDEX_ADDR) + 4 * word as u32;
        self.write(addr, &u32::from(index).to_le_bytes());
        self.cause |= cause;
    }

    /// Moves received frames to the buffers that the host has posted.
    fn complete(&mut self) {
        let before = self.rx_cons;
        while self.rx_cons != self.register(regs::RX_PROD) as u16 {
            let Some(frame) = self.received.pop_front() else { break };
            let verified = wire::checksums_valid(&frame);
            let slot = self.entry(regs::Ring::Rx, self.rx_cons, ring::RX_DESC_BYTES);
            let addr = self.memory.read_word(slot) + ring::RX_PAD_BYTES;
            self.write(addr, &frame);
            let flags = if verified { u32::from(ring::RX_FLAG_CHECKSUM_OK) } else { 0 };
            let time = (self.now_ps / 2_500) as u32;
            let words = [frame.len() as u32 | flags << 16, time, time, 0];
            let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
            self.write(slot, &bytes);
            self.rx_cons = self.rx_cons.wrapping_add(1);
        }
        if self.rx_cons != before {
            self.announce(ring::INDEX_RX_CONS, self.rx_cons, regs::IRQ_RX);
        }
    }

    /// Sends the frames that the host has queued.
    fn transmit(&mut self) {
        let before = self.tx_cons;
        while self.tx_cons != self.register(regs::TX_PROD) as u16 {
            let slot = self.entry(regs::Ring::Tx, self.tx_cons, ring::TX_DESC_BYTES);
            let mut words = [0; 4];
            self.memory.read_words(slot, &mut words);
            let (len, flags) = (words[1] & 0xFFFF, (words[1] >> 16) as u16);
            assert!(flags & ring::TX_FLAG_TSO == 0, "this NIC cuts no frames, and says so");
            let mut frame = self.memory.slice(words[0], len as usize).to_vec();
            if flags & ring::TX_FLAG_CHECKSUM != 0 {
                let (start, offset) = ((words[2] & 0xFFFF) as usize, (words[2] >> 16) as usize);
                let sum = !wire::sum(&frame[start..], 0) as u16;
                frame[offset..offset + 2].copy_from_slice(&sum.to_be_bytes());
            }
            self.sent.push_back(frame);
            self.tx_cons = self.tx_cons.wrapping_add(1);
        }
        if self.tx_cons != before {
            self.announce(ring::INDEX_TX_CONS, self.tx_cons, regs::IRQ_TX);
        }
    }
}

impl HostPort for PlainNic {
    fn reg_write(&mut self, address: u32, value: u32) {
        if address == regs::IRQ_CAUSE {
            self.cause &= !value;
            return;
        }
        self.registers.insert(address, value);
        match address {
            regs::TX_PROD => self.transmit(),
            regs::RX_PROD => self.complete(),
            _ => {}
        }
    }

    fn reg_read(&mut self, address: u32) -> Result<u32> {
        self.now_ps += READ_PS;
        Ok(match address {
            regs::ID => regs::ID_VALUE,
            regs::VERSION => regs::VERSION_VALUE,
            regs::IRQ_CAUSE => self.cause,
            // Neither connections nor TSO.
            regs::CAPABILITIES => 0,
            regs::CONTROL => self.register(regs::CONTROL),
            _ => bail!("a NIC without offload has no register {address:#06x} to read"),
        })
    }

    fn memory(&self) -> &HostMemory {
        &self.memory
    }

    fn memory_mut(&mut self) -> &mut HostMemory {
        &mut self.memory
    }

    fn irq(&self) -> bool {
        self.cause & self.register(regs::IRQ_ENABLE) != 0
    }

    fn now_ps(&self) -> u64 {
        self.now_ps
    }
}
