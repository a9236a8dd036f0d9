//! A NIC in a few hundred lines: the host's registers and rings, and the firmware on functional devices.
//!
//! It keeps the contract of `baton_abi` and none of the timing. Each [`NicDouble::tick`] does a random part of
//! what is waiting, so that commands, packets and events interleave in ways that a fast model would not show.
//! Every DMA access is checked against the registered ranges.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use baton_abi::mmio::{job, nic_rx};
use baton_abi::msg::{command, event, refused, ConnId, Header};
use baton_abi::{regs, ring};
use baton_cosim::port::{HostMemory, HostPort};
use baton_fw::{timing, Firmware, Slot};
use baton_tcp::{SharedConfig, SharedMemory};
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::device::{CoreBus, Device, QUEUE_MAX};

/// Frames that the host receive queue holds.
const HOST_QUEUE_MAX: usize = 64;

/// Counts of the double.
#[derive(Clone, Copy, Debug, Default)]
pub struct NicStats {
    pub host_packets: u64,
    pub nic_packets: u64,
    pub drops: u64,
    pub looped: u64,
    pub passed_on: u64,
}

pub struct NicDouble {
    memory: HostMemory,
    registers: BTreeMap<u32, u32>,
    device: Rc<RefCell<Device>>,
    firmware: Option<Firmware<'static, CoreBus>>,
    /// Frames, flags and arrival cycle.
    host_queue: VecDeque<(Vec<u8>, u16, u32)>,
    /// Frames on their way to the wire.
    pub sent: VecDeque<Vec<u8>>,
    tx_cons: u16,
    rx_cons: u16,
    cmd_cons: u16,
    evt_prod: u16,
    cause: u32,
    core_busy: bool,
    now_ps: u64,
    rng: ChaCha8Rng,
    /// The chance in 256 that an engine rests in a tick.
    pub laziness: u32,
    /// Connections that the firmware can hold; set it before the server starts.
    pub slots: usize,
    pub stats: NicStats,
}

fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// One's complement sum of 16-bit words, folded and not complemented.
fn ones_sum(bytes: &[u8], start: u32) -> u16 {
    let mut sum = u64::from(start);
    for pair in bytes.chunks(2) {
        sum += u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |&b| u64::from(b));
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

/// What the receive path makes of a frame.
enum Class {
    Bad,
    Host(u16),
    Nic([u32; 3]),
}

fn classify(frame: &[u8]) -> Class {
    if frame.len() < 34 || be16(frame, 12) != 0x0800 || frame[14] != 0x45 {
        return Class::Host(0);
    }
    let total = usize::from(be16(frame, 16));
    if ones_sum(&frame[14..34], 0) != 0xFFFF || total < 20 || 14 + total > frame.len() {
        return Class::Bad;
    }
    if be16(frame, 20) & 0x3FFF != 0 || frame[23] != 6 {
        return Class::Host(0);
    }
    let tcp = &frame[34..14 + total];
    let pseudo = u32::from(ones_sum(&frame[26..34], 6 + tcp.len() as u32));
    if tcp.len() < 20 || ones_sum(tcp, pseudo) != 0xFFFF || usize::from(tcp[12] >> 4) * 4 > tcp.len() {
        return Class::Bad;
    }
    let ports = u32::from(be16(tcp, 0)) << 16 | u32::from(be16(tcp, 2));
    Class::Nic([be32(frame, 26), be32(frame, 30), ports])
}

fn descriptor(frame: &[u8], conn: u16, arrival: u32) -> [u32; nic_rx::WORDS] {
    let mut words = [0; nic_rx::WORDS];
    let tcp = 34;
    let header = usize::from(frame[tcp + 12] >> 4) * 4;
    let payload = 14 + usize::from(be16(frame, 16)) - tcp - header;
    words[nic_rx::CONN_LEN] = u32::from(conn) | (payload as u32) << 16;
    words[nic_rx::OFFSET] =
        (tcp + header + 2) as u32 | u32::from(frame[15] & 3) << nic_rx::ECN_SHIFT | (payload as u32) << 16;
    words[nic_rx::ARRIVAL] = arrival;
    words[nic_rx::SEQ] = be32(frame, tcp + 4);
    words[nic_rx::ACK] = be32(frame, tcp + 8);
    words[nic_rx::FLAGS_WINDOW] = be32(frame, tcp + 12);
    for at in (20..header).step_by(4) {
        words[nic_rx::OPTIONS + (at - 20) / 4] = be32(frame, tcp + at);
    }
    words
}

impl NicDouble {
    pub fn new(memory_bytes: u32, seed: u64) -> Self {
        NicDouble {
            memory: HostMemory::new(0x1000_0000, memory_bytes),
            registers: BTreeMap::new(),
            device: Rc::new(RefCell::new(Device::new())),
            firmware: None,
            host_queue: VecDeque::new(),
            sent: VecDeque::new(),
            tx_cons: 0,
            rx_cons: 0,
            cmd_cons: 0,
            evt_prod: 0,
            cause: 0,
            core_busy: false,
            now_ps: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
            laziness: 64,
            slots: 128,
            stats: NicStats::default(),
        }
    }

    pub fn set_time(&mut self, now_ps: u64) {
        assert!(now_ps >= self.now_ps);
        self.now_ps = now_ps;
        let mut device = self.device.borrow_mut();
        // The NIC's clock starts elsewhere than the host's: records carry no absolute times.
        device.now_us = (now_ps / 1_000_000) as u32 ^ 0x8000_0000;
        device.cycles = (now_ps / 8_000) as u32;
    }

    fn reg(&self, address: u32) -> u32 {
        self.registers.get(&address).copied().unwrap_or(0)
    }

    fn in_ranges(&self, addr: u32, len: usize) -> bool {
        (0..regs::DMA_RANGES as u32).any(|i| {
            let (base, limit) = (self.reg(regs::DMA0_BASE + 8 * i), self.reg(regs::DMA0_LIMIT + 8 * i));
            addr >= base && u64::from(addr) + len as u64 <= u64::from(limit)
        })
    }

    fn dma_read(&self, addr: u32, len: usize) -> Vec<u8> {
        assert!(self.in_ranges(addr, len), "DMA reads {len} bytes at {addr:#x}, outside the ranges");
        self.memory.slice(addr, len).to_vec()
    }

    fn dma_write(&mut self, addr: u32, data: &[u8]) {
        assert!(self.in_ranges(addr, data.len()), "DMA writes {} bytes at {addr:#x}, outside", data.len());
        self.memory.write(addr, data);
    }

    fn entry(&self, which: regs::Ring, index: u16, bytes: u32) -> u32 {
        let group = which as u32 * regs::RING_STRIDE;
        let mask = (1 << self.reg(regs::TX_SIZE_LOG2 + group)) - 1;
        self.reg(regs::TX_BASE + group) + (u32::from(index) & mask) * bytes
    }

    fn announce(&mut self, word: usize, index: u16, cause: u32) {
        let addr = self.reg(regs::INDEX_ADDR) + 4 * word as u32;
        self.dma_write(addr, &u32::from(index).to_le_bytes());
        self.cause |= cause;
    }

    fn rests(&mut self) -> bool {
        self.rng.next_u32() & 0xFF < self.laziness
    }

    /// A frame arrives, from the wire or from the host.
    pub fn receive(&mut self, mut frame: Vec<u8>) {
        let arrival = (self.now_ps / 8_000) as u32;
        if frame.len() < 60 {
            frame.resize(60, 0);
        }
        let mut device = self.device.borrow_mut();
        let flags = match classify(&frame) {
            Class::Bad => {
                self.stats.drops += 1;
                return;
            }
            Class::Host(flags) => flags,
            Class::Nic(key) => match device.table.get(&key).copied() {
                Some(conn) if device.packets.len() < QUEUE_MAX => {
                    device.descriptors.push_back(descriptor(&frame, conn, arrival));
                    let mut stored = vec![0, 0];
                    stored.extend_from_slice(&frame);
                    device.packets.push_back((stored, arrival));
                    self.stats.nic_packets += 1;
                    return;
                }
                Some(_) => {
                    self.stats.drops += 1;
                    return;
                }
                None => ring::RX_FLAG_CHECKSUM_OK,
            },
        };
        if self.host_queue.len() < HOST_QUEUE_MAX {
            self.stats.host_packets += 1;
            self.host_queue.push_back((frame, flags, arrival));
        } else {
            self.stats.drops += 1;
        }
    }

    /// Does some of what is waiting.
    pub fn tick(&mut self) {
        for engine in
            [Self::tick_tx, Self::tick_host_rx, Self::tick_commands, Self::tick_jobs, Self::tick_bursts]
        {
            while !self.rests() && engine(self) {}
        }
        self.core_busy = self.tick_core();
    }

    /// Whether a tick has something to do.
    pub fn busy(&self) -> bool {
        let device = self.device.borrow();
        let posted = self.rx_cons != self.reg(regs::RX_PROD) as u16;
        let used = self.evt_prod.wrapping_sub(self.reg(regs::EVT_CONS) as u16);
        let events_fit = u32::from(used) + 9 <= 1 << self.reg(regs::EVT_SIZE_LOG2);
        self.core_busy
            || device.has_work()
            || (!device.jobs.is_empty() && events_fit && posted)
            || !device.bursts.is_empty()
            || (!self.host_queue.is_empty() && posted)
            || self.tx_cons != self.reg(regs::TX_PROD) as u16
            || self.cmd_cons != self.reg(regs::CMD_PROD) as u16
    }

    /// When the core wants to wake, if it runs.
    pub fn wake_ps(&self) -> Option<u64> {
        self.firmware.as_ref()?;
        let device = self.device.borrow();
        let us = device.wake_at.wrapping_sub(device.now_us) as i32;
        Some(self.now_ps + u64::from(us.max(1) as u32) * 1_000_000)
    }

    fn tick_core(&mut self) -> bool {
        let Some(firmware) = self.firmware.as_mut() else { return false };
        for _ in 0..self.rng.next_u32() % 8 {
            self.device.borrow_mut().command_first = self.rng.next_u32() & 1 == 0;
            if !firmware.turn() {
                firmware.rest();
                return false;
            }
        }
        // It has not said when it wants to wake: it goes on in the next tick.
        true
    }

    fn tick_tx(&mut self) -> bool {
        if self.tx_cons == self.reg(regs::TX_PROD) as u16 {
            return false;
        }
        let bytes = self.dma_read(self.entry(regs::Ring::Tx, self.tx_cons, ring::TX_DESC_BYTES), 16);
        let word = |i: usize| u32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
        let (addr, len, flags) = (word(0), word(4) & 0xFFFF, (word(4) >> 16) as u16);
        let mut frame = self.dma_read(addr, len as usize);
        if flags & ring::TX_FLAG_CHECKSUM != 0 {
            let (start, offset) = ((word(8) & 0xFFFF) as usize, (word(8) >> 16) as usize);
            let sum = !ones_sum(&frame[start..], 0);
            frame[offset..offset + 2].copy_from_slice(&sum.to_be_bytes());
        }
        self.tx_cons = self.tx_cons.wrapping_add(1);
        self.announce(ring::INDEX_TX_CONS, self.tx_cons, regs::IRQ_TX);
        if flags & ring::TX_FLAG_TSO != 0 {
            let (mss, header_len) = ((word(12) & 0xFFFF) as usize, (word(12) >> 16) as usize);
            self.cut(&frame[..header_len], &frame[header_len..], mss);
        } else if flags & ring::TX_FLAG_INJECT != 0 {
            self.stats.looped += 1;
            self.receive(frame);
        } else {
            self.sent.push_back(frame);
        }
        true
    }

    /// Writes a frame to the next receive buffer.
    fn complete(&mut self, frame: &[u8], flags: u16, arrival: u32) -> bool {
        if self.rx_cons == self.reg(regs::RX_PROD) as u16 {
            return false;
        }
        let slot = self.entry(regs::Ring::Rx, self.rx_cons, ring::RX_DESC_BYTES);
        let desc = self.dma_read(slot, 8);
        let addr = u32::from_le_bytes([desc[0], desc[1], desc[2], desc[3]]);
        self.dma_write(addr + ring::RX_PAD_BYTES, frame);
        let words = [frame.len() as u32 | u32::from(flags) << 16, arrival, (self.now_ps / 8_000) as u32, 0];
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        self.dma_write(slot, &bytes);
        self.rx_cons = self.rx_cons.wrapping_add(1);
        self.announce(ring::INDEX_RX_CONS, self.rx_cons, regs::IRQ_RX);
        true
    }

    fn tick_host_rx(&mut self) -> bool {
        let Some((frame, flags, arrival)) = self.host_queue.pop_front() else { return false };
        let done = self.complete(&frame, flags, arrival);
        if !done {
            self.host_queue.push_front((frame, flags, arrival));
        }
        done
    }

    fn tick_commands(&mut self) -> bool {
        let room = self.device.borrow().commands.len() < QUEUE_MAX;
        if self.cmd_cons == self.reg(regs::CMD_PROD) as u16 || !room {
            return false;
        }
        let bytes = self.dma_read(self.entry(regs::Ring::Cmd, self.cmd_cons, ring::SLOT_BYTES), 32);
        let mut slot = [0; 8];
        for (word, bytes) in slot.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        self.cmd_cons = self.cmd_cons.wrapping_add(1);
        self.announce(ring::INDEX_CMD_CONS, self.cmd_cons, regs::IRQ_CMD);
        self.device.borrow_mut().commands.push_back(slot);
        if self.firmware.is_none() {
            self.refuse();
        }
        true
    }

    /// Without firmware every handoff is refused.
    fn refuse(&mut self) {
        let mut device = self.device.borrow_mut();
        let header = Header::from_word(device.commands[0][0]);
        if device.commands.len() < usize::from(header.slots) {
            return;
        }
        assert_eq!(header.code, command::HANDOFF);
        let cookie = device.commands[0][1];
        device.commands.drain(..usize::from(header.slots));
        let header = Header { code: event::REFUSED, slots: 1, conn: ConnId(0) };
        device.event_words.extend([header.to_word(), cookie, refused::TABLE_FULL, 0, 0, 0, 0, 0]);
        device.jobs.push_back(super::device::Job { op: job::EVENT, src: 0, len: 1, addr: 0 });
    }

    fn tick_jobs(&mut self) -> bool {
        let Some(next) = self.device.borrow().jobs.front().copied() else { return false };
        match next.op {
            job::COPY => {
                let data = self.device.borrow().packets[0].0[next.src..next.src + next.len].to_vec();
                self.dma_write(next.addr, &data);
            }
            job::POP => drop(self.device.borrow_mut().packets.pop_front().expect("a packet to free")),
            job::TO_HOST => {
                let (stored, arrival) = self.device.borrow().packets[0].clone();
                let flags = ring::RX_FLAG_CHECKSUM_OK | ring::RX_FLAG_FROM_NIC;
                if !self.complete(&stored[2..], flags, arrival) {
                    return false;
                }
                self.device.borrow_mut().packets.pop_front();
                self.stats.passed_on += 1;
            }
            _ => {
                let used = self.evt_prod.wrapping_sub(self.reg(regs::EVT_CONS) as u16);
                if u32::from(used) + next.len as u32 > 1 << self.reg(regs::EVT_SIZE_LOG2) {
                    return false;
                }
                for _ in 0..next.len {
                    let bytes: Vec<u8> =
                        self.device.borrow_mut().event_words.drain(..8).flat_map(u32::to_le_bytes).collect();
                    let addr = self.entry(regs::Ring::Event, self.evt_prod, ring::SLOT_BYTES);
                    self.dma_write(addr, &bytes);
                    self.evt_prod = self.evt_prod.wrapping_add(1);
                }
                self.announce(ring::INDEX_EVT_PROD, self.evt_prod, regs::IRQ_EVENT);
            }
        }
        self.device.borrow_mut().jobs.pop_front();
        true
    }

    fn tick_bursts(&mut self) -> bool {
        let Some(burst) = self.device.borrow_mut().bursts.pop_front() else { return false };
        let payload: Vec<u8> =
            burst.spans.iter().flat_map(|(addr, len)| self.dma_read(*addr, *len)).collect();
        self.cut(&burst.header, &payload, burst.mss);
        true
    }

    /// Sends `payload` in segments of `mss` bytes, whose headers continue `header`.
    fn cut(&mut self, header: &[u8], payload: &[u8], mss: usize) {
        assert!((54..=94).contains(&header.len()) && (header.len() + mss <= 1514 || payload.is_empty()));
        let count = payload.len().div_ceil(mss.max(1)).max(1);
        for number in 0..count {
            let done = number * mss;
            let mut frame = header.to_vec();
            frame.extend_from_slice(&payload[done..payload.len().min(done + mss)]);
            let total = (frame.len() - 14) as u16;
            frame[16..18].copy_from_slice(&total.to_be_bytes());
            let id = u16::from_be_bytes([header[18], header[19]]).wrapping_add(number as u16);
            frame[18..20].copy_from_slice(&id.to_be_bytes());
            frame[24..26].fill(0);
            let sum = !ones_sum(&frame[14..34], 0);
            frame[24..26].copy_from_slice(&sum.to_be_bytes());
            let seq = u32::from_be_bytes([header[38], header[39], header[40], header[41]]);
            frame[38..42].copy_from_slice(&seq.wrapping_add(done as u32).to_be_bytes());
            if number + 1 < count {
                frame[47] &= !0x09;
            }
            frame[50..52].fill(0);
            let pseudo = ones_sum(&frame[26..34], 6 + u32::from(total) - 20);
            let sum = !ones_sum(&frame[34..], u32::from(pseudo));
            frame[50..52].copy_from_slice(&sum.to_be_bytes());
            self.sent.push_back(frame);
        }
    }

    /// Whether nothing is under way in the NIC.
    pub fn settled(&self) -> bool {
        let device = self.device.borrow();
        !device.has_work()
            && device.quiet()
            && device.packets.is_empty()
            && self.host_queue.is_empty()
            && self.tx_cons == self.reg(regs::TX_PROD) as u16
            && self.cmd_cons == self.reg(regs::CMD_PROD) as u16
    }

    /// Connections in the lookup table.
    #[allow(dead_code)] // Not every test hands connections off.
    pub fn entries(&self) -> usize {
        self.device.borrow().table.len()
    }
}

impl HostPort for NicDouble {
    fn reg_write(&mut self, address: u32, value: u32) {
        match address {
            regs::IRQ_CAUSE => self.cause &= !value,
            regs::FW_DATA => *self.registers.entry(regs::FW_ADDR).or_insert(0) += 4,
            regs::CONTROL => {
                self.registers.insert(address, value);
                if value & regs::CONTROL_CORE_RUN != 0 && self.firmware.is_none() {
                    {
                        let mut device = self.device.borrow_mut();
                        for i in 0..16 {
                            device.config[i] =
                                self.registers.get(&(regs::CFG + 4 * i as u32)).copied().unwrap_or(0);
                        }
                    }
                    // The firmware borrows its table for as long as the image runs, here to the test's end.
                    let bus = CoreBus(self.device.clone());
                    let config =
                        SharedConfig::new(timing(&bus), Box::leak(Box::new(SharedMemory::<64>::new())));
                    let slots: Vec<Slot> = (0..self.slots).map(|_| Slot::empty(config)).collect();
                    self.firmware = Some(Firmware::new(bus, Vec::leak(slots)));
                }
            }
            _ => drop(self.registers.insert(address, value)),
        }
    }

    fn reg_read(&mut self, address: u32) -> anyhow::Result<u32> {
        Ok(match address {
            regs::ID => regs::ID_VALUE,
            regs::VERSION => regs::VERSION_VALUE,
            regs::FW_SIZE => 128 << 10,
            // 4096 connections, and the table of the firmware's program.
            regs::CAPABILITIES => {
                12 << regs::CAPABILITIES_CONNECTIONS_SHIFT
                    | 3 << regs::CAPABILITIES_KEY_WORDS_SHIFT
                    | <baton_fw::Built as baton_fw::Program>::KEY_LAYOUT
                        << regs::CAPABILITIES_KEY_LAYOUT_SHIFT
            }
            regs::IRQ_CAUSE => self.cause,
            _ if (regs::STS..regs::STS + 64).contains(&address) => {
                self.device.borrow().status[((address - regs::STS) / 4) as usize]
            }
            _ => self.reg(address),
        })
    }

    fn memory(&self) -> &HostMemory {
        &self.memory
    }

    fn memory_mut(&mut self) -> &mut HostMemory {
        &mut self.memory
    }

    fn irq(&self) -> bool {
        self.cause & self.reg(regs::IRQ_ENABLE) != 0
    }

    fn now_ps(&self) -> u64 {
        self.now_ps
    }
}
