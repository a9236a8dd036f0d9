//! The NIC's driver: bring-up, the four rings, doorbells, the index block and the interrupt.
//!
//! The driver moves descriptors and slots and knows nothing of TCP. What crosses the bus: a register write
//! for each doorbell whose index moved since the last [`Driver::ring_doorbells`], one write and one read to
//! acknowledge an interrupt. Everything else is in memory: the NIC announces its progress in the index
//! block after whatever it announces has been written.
//!
//! Buffers. Received frames lie in pool buffers: one posted in each receive descriptor, others held by the
//! stack or on their way back into the NIC (`INJECT`). Transmit frames are built in place in a buffer
//! that belongs to the ring slot, so a free slot is a free buffer. Frames that the NIC cuts into segments have a few
//! large buffers of their own.

use std::collections::VecDeque;

use anyhow::{ensure, Context, Result};
use baton_abi::handoff::Endpoints;
use baton_abi::msg::{ConnId, Header};
use baton_abi::regs::{self, mailbox, Ring, SchedMode};
use baton_abi::ring::{
    self, RxCompletion, TxDesc, INDEX_BYTES, RX_BUFFER_BYTES_MIN, RX_DESC_BYTES, RX_PAD_BYTES, SLOTS_MAX,
    SLOT_BYTES, SLOT_WORDS, TX_DESC_BYTES,
};
use baton_control_plane::ControlPlane;
use baton_cosim::port::{load_firmware, HostPort};

use super::arena::{Arena, Pool};
use super::table::Connections;

/// Size of a transmit or receive buffer: the least that the NIC accepts, which holds the largest frame.
pub(super) const FRAME_BUFFER_BYTES: u32 = RX_BUFFER_BYTES_MIN;
/// Size of a buffer for a frame that the NIC cuts: any that it takes.
pub(super) const LARGE_BUFFER_BYTES: u32 = (ring::TSO_FRAME_BYTES_MAX + 1).next_multiple_of(64);
/// How often the firmware's state is read before it is given up on.
const FIRMWARE_START_READS: u32 = 1_000_000;
/// Words of the largest message.
pub const MESSAGE_WORDS: usize = SLOTS_MAX * SLOT_WORDS;

/// Knobs of the driver.
#[derive(Clone, Debug)]
pub struct DriverConfig {
    /// log2 of the entries of the transmit and receive rings, 1 to 12.
    pub tx_log2: u32,
    pub rx_log2: u32,
    /// Frames that wait for the NIC at most: a segment more is lost, and TCP told, as with the interface queue of a BSD. 0: TCP waits
    /// for room in the transmit ring.
    pub send_queue: u32,
    /// log2 of the slots of the command and event rings, 4 (for the largest message) to 12.
    pub cmd_log2: u32,
    pub evt_log2: u32,
    /// Receive buffers beyond those that fill the ring: what the stack may hold back during handoffs.
    pub spare_rx_buffers: u32,
    /// Buffers of 64 KiB for frames that the NIC cuts into segments (TSO), as many as are on their way at once; 0
    /// has the stack send every segment by itself.
    pub tso_buffers: u32,
    pub sched_mode: SchedMode,
    /// Of the frames that wait, those of the highest class of service are taken first, those of a class in order of
    /// arrival; else all are.
    pub by_class: bool,
    /// Core clock cycles in a microsecond.
    pub ticks_per_us: u32,
    /// Key of the lookup hash; a deployment draws it at random.
    pub hash_key: [u32; 2],
    /// The tables of the NIC's P4 program.
    pub control_plane: ControlPlane,
    /// The first words of the mailbox's configuration, indexed by `mailbox::CFG_*`.
    pub mailbox: [u32; mailbox::CFG_WORDS],
}

impl Default for DriverConfig {
    fn default() -> Self {
        DriverConfig {
            tx_log2: 8,
            rx_log2: 8,
            send_queue: 0,
            cmd_log2: 8,
            evt_log2: 8,
            spare_rx_buffers: 512,
            tso_buffers: 16,
            sched_mode: SchedMode::Direct,
            by_class: false,
            ticks_per_us: 125,
            hash_key: [0x0BAD_5EED, 0x600D_F00D],
            control_plane: own_control_plane(),
            mailbox: [0; mailbox::CFG_WORDS],
        }
    }
}

/// The description of the NIC that this was built with.
pub fn own_control_plane() -> ControlPlane {
    ControlPlane::parse(baton_hdl::rx::CONTROL_PLANE).expect("the compiler's own text")
}

/// Frames in the order of their descriptors: [`frame_key`], and the producer index that gives the frame to the NIC. What an
/// experiment measures the delay to the wire with.
pub type SendLog = std::rc::Rc<std::cell::RefCell<VecDeque<(u64, u16)>>>;

/// Received frames that the NIC classified, each with its class and queue: what a check of the P4 program is made on.
pub type FrameLog = std::rc::Rc<std::cell::RefCell<Vec<LoggedFrame>>>;

/// A received frame, and what the P4 program chose for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedFrame {
    pub bytes: Vec<u8>,
    pub queue: u8,
    pub class: u8,
}

/// Tells the host's IPv4 frames apart for as long as they are under way: destination address and port, packet number.
pub fn frame_key(frame: &[u8]) -> u64 {
    let at = |range: std::ops::Range<usize>| {
        frame.get(range).unwrap_or(&[]).iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte))
    };
    at(18..20) << 48 | at(36..38) << 32 | at(30..34)
}

/// A received frame. Whoever takes it owns the buffer and gives it back, by [`Driver::release`] or by injecting
/// it.
#[derive(Debug, PartialEq, Eq)]
pub struct RxFrame {
    buffer: u32,
    pub len: u16,
    pub flags: u16,
    /// Cycles from arrival to completion.
    pub delay_cycles: u32,
}

impl RxFrame {
    /// Address of the frame's first byte.
    pub fn addr(&self) -> u32 {
        self.buffer + RX_PAD_BYTES
    }

    /// The class of service that the P4 program chose; a higher one goes first.
    pub fn class(&self) -> u8 {
        (self.flags >> ring::RX_CLASS_SHIFT & ring::RX_CLASS_MASK) as u8
    }

    /// The host's queue that it chose.
    pub fn queue(&self) -> u8 {
        (self.flags >> ring::RX_QUEUE_SHIFT) as u8
    }
}

/// Classes of service.
const CLASSES: usize = ring::RX_CLASS_MASK as usize + 1;

/// An event of the NIC.
#[derive(Clone, Debug)]
pub struct Message {
    pub header: Header,
    pub cookie: u32,
    words: [u32; MESSAGE_WORDS],
}

impl Message {
    /// Words from the third of the message on, as many as its slots hold.
    pub fn payload(&self) -> &[u32] {
        &self.words[2..self.header.slots as usize * SLOT_WORDS]
    }
}

/// A ring that is full; try again after the NIC has consumed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingFull;

/// Counts of the driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriverStats {
    pub rx_frames: u64,
    pub tx_frames: u64,
    /// Of these, frames for the NIC to cut into segments.
    pub tso_frames: u64,
    pub injected: u64,
    pub commands: u64,
    pub events: u64,
    pub rx_errors: u64,
    pub dma_errors: u64,
    pub doorbells: u64,
    pub interrupts: u64,
}

struct RingState {
    base: u32,
    log2: u32,
    entry_bytes: u32,
    prod: u16,
    cons: u16,
    /// Our index as the NIC knows it.
    announced: u16,
}

impl RingState {
    fn new(arena: &mut Arena, log2: u32, entry_bytes: u32) -> Option<Self> {
        let base = arena.alloc(entry_bytes << log2, 64)?;
        Some(RingState { base, log2, entry_bytes, prod: 0, cons: 0, announced: 0 })
    }

    fn addr(&self, index: u16) -> u32 {
        self.base + (u32::from(index) & ((1 << self.log2) - 1)) * self.entry_bytes
    }

    fn slot(&self, index: u16) -> usize {
        usize::from(index) & ((1 << self.log2) - 1)
    }

    fn used(&self) -> u32 {
        u32::from(self.prod.wrapping_sub(self.cons))
    }

    fn free(&self) -> u32 {
        (1 << self.log2) - self.used()
    }
}

/// A buffer that a transmit slot uses instead of its own, until the NIC has read it.
#[derive(Clone, Copy, Debug)]
enum Borrowed {
    Receive(u32),
    Large(u32),
}

/// The driver's state.
pub struct Driver {
    index_addr: u32,
    tx: RingState,
    send_queue: u32,
    rx: RingState,
    cmd: RingState,
    evt: RingState,
    tx_buffers: u32,
    /// For each transmit slot, the buffer that is sent from it, if it is not the slot's own.
    tx_borrowed: Vec<Option<Borrowed>>,
    rx_pool: Pool,
    large_pool: Pool,
    /// Buffers in the receive ring, in order.
    posted: VecDeque<u32>,
    by_class: bool,
    /// Frames that were taken off the ring and wait behind those of higher classes.
    sorted: [VecDeque<RxFrame>; CLASSES],
    frame_log: Option<FrameLog>,
    irq_enable: u32,
    stats: DriverStats,
    delays: Vec<u64>,
    send_log: Option<SendLog>,
    /// What can be handed off; without firmware nobody was asked.
    connections: Option<Connections>,
}

impl Driver {
    /// Sets up the NIC. Rings come from `control`, packet buffers from `packets`; `ranges` is the memory that
    /// DMA may touch and covers both. With firmware, it is loaded, started and seen to run; without, the
    /// core stays in reset and the NIC is a plain one.
    pub fn bring_up(
        port: &mut dyn HostPort,
        config: &DriverConfig,
        control: &mut Arena,
        packets: &mut Arena,
        ranges: &[std::ops::Range<u32>],
        firmware: Option<&[u8]>,
    ) -> Result<Self> {
        ensure!((1..=regs::RING_SIZE_LOG2_MAX).contains(&config.tx_log2), "tx_log2 is not 1 to 12");
        ensure!((1..=regs::RING_SIZE_LOG2_MAX).contains(&config.rx_log2), "rx_log2 is not 1 to 12");
        ensure!((4..=regs::RING_SIZE_LOG2_MAX).contains(&config.cmd_log2), "cmd_log2 is not 4 to 12");
        ensure!((4..=regs::RING_SIZE_LOG2_MAX).contains(&config.evt_log2), "evt_log2 is not 4 to 12");
        ensure!(ranges.len() <= regs::DMA_RANGES, "more than {} DMA ranges", regs::DMA_RANGES);

        let id = port.reg_read(regs::ID)?;
        ensure!(id == regs::ID_VALUE, "no Baton NIC here: ID reads {id:#010x}");
        let version = port.reg_read(regs::VERSION)?;
        ensure!(
            version >> 16 == regs::VERSION_VALUE >> 16,
            "register map {}.{} is not one that this driver knows",
            version >> 16,
            version & 0xffff
        );

        let mut mailbox = config.mailbox;
        let capabilities = port.reg_read(regs::CAPABILITIES)?;
        let tso_buffers = if capabilities & regs::CAPABILITIES_TSO == 0 { 0 } else { config.tso_buffers };
        let connections = match firmware {
            // Nothing is handed off.
            None => None,
            Some(_) => {
                let connections = Connections::new(&config.control_plane, capabilities)?;
                let limit = &mut mailbox[mailbox::CFG_HARD_LIMIT];
                *limit = connections.hard_limit(*limit)?;
                Some(connections)
            }
        };

        let full = "host memory is too small for the driver's rings";
        let index_addr = control.alloc(INDEX_BYTES, 64).context(full)?;
        let tx = RingState::new(control, config.tx_log2, TX_DESC_BYTES).context(full)?;
        let rx = RingState::new(control, config.rx_log2, RX_DESC_BYTES).context(full)?;
        let cmd = RingState::new(control, config.cmd_log2, SLOT_BYTES).context(full)?;
        let evt = RingState::new(control, config.evt_log2, SLOT_BYTES).context(full)?;
        let full = "host memory is too small for the driver's packet buffers";
        let tx_buffers = packets.alloc(FRAME_BUFFER_BYTES << config.tx_log2, 64).context(full)?;
        let count = (1 << config.rx_log2) + config.spare_rx_buffers;
        let rx_pool = Pool::new("receive buffers", packets, FRAME_BUFFER_BYTES, count).context(full)?;
        let large_pool = Pool::new("TSO buffers", packets, LARGE_BUFFER_BYTES, tso_buffers).context(full)?;

        port.memory_mut().write_words(index_addr, &[0; INDEX_BYTES as usize / 4]);
        port.reg_write(regs::CONTROL, 0);
        port.reg_write(regs::TICKS_PER_US, config.ticks_per_us);
        for (i, &key) in config.hash_key.iter().enumerate() {
            port.reg_write(regs::HASH_KEY + 4 * i as u32, key);
        }
        for (i, range) in ranges.iter().enumerate() {
            port.reg_write(regs::DMA0_BASE + 8 * i as u32, range.start);
            port.reg_write(regs::DMA0_LIMIT + 8 * i as u32, range.end);
        }
        for (i, &word) in mailbox.iter().enumerate() {
            port.reg_write(regs::CFG + 4 * i as u32, word);
        }
        for (which, state) in [(Ring::Tx, &tx), (Ring::Rx, &rx), (Ring::Cmd, &cmd), (Ring::Event, &evt)] {
            let group = which as u32 * regs::RING_STRIDE;
            port.reg_write(regs::TX_BASE + group, state.base);
            port.reg_write(regs::TX_SIZE_LOG2 + group, state.log2);
        }
        port.reg_write(regs::INDEX_ADDR, index_addr);

        let mut control_word = (config.sched_mode as u32) << regs::CONTROL_MODE_SHIFT;
        if let Some(image) = firmware {
            load_firmware(port, image)?;
            control_word |= regs::CONTROL_CORE_RUN;
        }
        port.reg_write(regs::CONTROL, control_word);
        if firmware.is_some() {
            await_firmware(port)?;
        }
        if let Some(connections) = &connections {
            connections.check_firmware(port.reg_read(regs::STS + 4 * mailbox::STS_KEY_LAYOUT as u32)?)?;
        }
        let irq_enable = regs::IRQ_EVENT | regs::IRQ_RX | regs::IRQ_DMA_ERROR;
        port.reg_write(regs::IRQ_ENABLE, irq_enable);

        let mut driver = Driver {
            index_addr,
            send_queue: config.send_queue,
            tx_borrowed: vec![None; 1 << config.tx_log2],
            tx,
            rx,
            cmd,
            evt,
            tx_buffers,
            rx_pool,
            large_pool,
            posted: VecDeque::new(),
            by_class: config.by_class,
            sorted: Default::default(),
            frame_log: None,
            irq_enable,
            stats: DriverStats::default(),
            delays: Vec::new(),
            send_log: None,
            connections,
        };
        driver.post_buffers(port);
        driver.ring_doorbells(port);
        Ok(driver)
    }

    /// Acknowledges the interrupt if it is raised. The read flushes the posted write, so whatever the NIC
    /// announces later raises the line again, and whatever it announced before is in memory.
    pub fn acknowledge(&mut self, port: &mut dyn HostPort) -> Result<()> {
        if !port.irq() {
            return Ok(());
        }
        self.stats.interrupts += 1;
        port.reg_write(regs::IRQ_CAUSE, regs::IRQ_EVENT | regs::IRQ_RX | regs::IRQ_TX | regs::IRQ_CMD);
        if port.reg_read(regs::IRQ_CAUSE)? & regs::IRQ_DMA_ERROR != 0 {
            self.stats.dma_errors += 1;
            port.reg_write(regs::IRQ_CAUSE, regs::IRQ_DMA_ERROR);
        }
        Ok(())
    }

    /// Reads the index block and takes back what the NIC has consumed.
    pub fn refresh(&mut self, port: &mut dyn HostPort) {
        let mut words = [0; INDEX_BYTES as usize / 4];
        port.memory().read_words(self.index_addr, &mut words);
        let tx_cons = words[ring::INDEX_TX_CONS] as u16;
        assert!(
            tx_cons.wrapping_sub(self.tx.cons) <= self.tx.prod.wrapping_sub(self.tx.cons),
            "the NIC consumed transmit descriptors that were never produced"
        );
        while self.tx.cons != tx_cons {
            let slot = self.tx.slot(self.tx.cons);
            match self.tx_borrowed[slot].take() {
                Some(Borrowed::Receive(buffer)) => self.rx_pool.give(buffer),
                Some(Borrowed::Large(buffer)) => self.large_pool.give(buffer),
                None => {}
            }
            self.tx.cons = self.tx.cons.wrapping_add(1);
        }
        let cmd_cons = words[ring::INDEX_CMD_CONS] as u16;
        assert!(
            cmd_cons.wrapping_sub(self.cmd.cons) <= self.cmd.prod.wrapping_sub(self.cmd.cons),
            "the NIC consumed commands that were never produced"
        );
        self.cmd.cons = cmd_cons;
        self.evt.prod = words[ring::INDEX_EVT_PROD] as u16;
    }

    /// The next received frame: in order of completion, or first by class if the driver was told so.
    pub fn next_frame(&mut self, port: &mut dyn HostPort) -> Option<RxFrame> {
        if !self.by_class {
            return self.next_completion(port);
        }
        while let Some(frame) = self.next_completion(port) {
            self.sorted[usize::from(frame.class())].push_back(frame);
        }
        self.sorted.iter_mut().rev().find_map(VecDeque::pop_front)
    }

    fn next_completion(&mut self, port: &mut dyn HostPort) -> Option<RxFrame> {
        loop {
            let nic = port.memory().read_word(self.index_addr + 4 * ring::INDEX_RX_CONS as u32) as u16;
            if self.rx.cons == nic {
                return None;
            }
            let mut words = [0; 4];
            port.memory().read_words(self.rx.addr(self.rx.cons), &mut words);
            self.rx.cons = self.rx.cons.wrapping_add(1);
            let buffer = self.posted.pop_front().expect("the NIC completes only buffers that were posted");
            let done = RxCompletion::from_words(words);
            if done.flags & ring::RX_FLAG_ERROR != 0
                || u32::from(done.len) + RX_PAD_BYTES > FRAME_BUFFER_BYTES
            {
                self.stats.rx_errors += 1;
                self.rx_pool.give(buffer);
                continue;
            }
            self.stats.rx_frames += 1;
            let delay_cycles = done.completion_cycle.wrapping_sub(done.arrival_cycle);
            if done.flags & ring::RX_FLAG_FROM_NIC == 0 {
                self.delays.push(u64::from(delay_cycles));
            }
            let frame = RxFrame { buffer, len: done.len, flags: done.flags, delay_cycles };
            if let Some(log) = self.frame_log.as_ref().filter(|_| done.flags & ring::RX_FLAG_FROM_NIC == 0) {
                let bytes = port.memory().slice(frame.addr(), usize::from(frame.len)).to_vec();
                log.borrow_mut().push(LoggedFrame { bytes, queue: frame.queue(), class: frame.class() });
            }
            return Some(frame);
        }
    }

    /// Delays of the host packets received since the last call, in cycles from arrival to completion.
    pub fn take_delays(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.delays)
    }

    /// Gives a received frame's buffer back.
    pub fn release(&mut self, frame: RxFrame) {
        self.rx_pool.give(frame.buffer);
    }

    /// Fills the receive ring from the pool.
    pub fn post_buffers(&mut self, port: &mut dyn HostPort) {
        while self.rx.free() > 0 {
            let Some(buffer) = self.rx_pool.take() else { return };
            port.memory_mut().write_words(self.rx.addr(self.rx.prod), &[buffer, FRAME_BUFFER_BYTES, 0, 0]);
            self.posted.push_back(buffer);
            self.rx.prod = self.rx.prod.wrapping_add(1);
        }
    }

    /// Address of the transmit descriptor that is written next.
    pub fn tx_desc_addr(&self) -> u32 {
        self.tx.addr(self.tx.prod)
    }

    /// Address of the command slot that is written next.
    pub fn command_addr(&self) -> u32 {
        self.cmd.addr(self.cmd.prod)
    }

    /// Address of the event slot that is read next.
    pub fn event_addr(&self) -> u32 {
        self.evt.addr(self.evt.cons)
    }

    /// Address of the receive descriptor that is read next.
    pub fn rx_desc_addr(&self) -> u32 {
        self.rx.addr(self.rx.cons)
    }

    /// Address of the index block.
    pub fn index_addr(&self) -> u32 {
        self.index_addr
    }

    /// Whether frames or events that the NIC has announced wait.
    pub fn pending(&self, port: &dyn HostPort) -> bool {
        let nic = port.memory().read_word(self.index_addr + 4 * ring::INDEX_RX_CONS as u32) as u16;
        self.rx.cons != nic || self.evt.used() > 0 || self.sorted.iter().any(|class| !class.is_empty())
    }

    /// Producer index of the transmit ring, for [`Driver::tx_consumed`].
    pub fn tx_produced(&self) -> u16 {
        self.tx.prod
    }

    /// Whether the NIC has consumed every transmit descriptor before this index.
    pub fn tx_consumed(&self, index: u16) -> bool {
        self.tx.cons.wrapping_sub(index) as i16 >= 0
    }

    /// Whether the send queue is full, so that the next segment is lost.
    pub fn refuses(&self) -> bool {
        self.send_queue > 0 && self.tx.used() >= self.send_queue
    }

    /// Where to build the next frame to transmit; `None` while the ring is full.
    pub fn tx_buffer(&self) -> Option<u32> {
        (self.tx.free() > 0).then(|| self.tx_buffers + self.tx.slot(self.tx.prod) as u32 * FRAME_BUFFER_BYTES)
    }

    /// Sends the frame of `len` bytes that was built in [`Driver::tx_buffer`]. With `checksum`, hardware adds the
    /// TCP checksum of bytes from `checksum.0` on at `checksum.1`.
    pub fn transmit(&mut self, port: &mut dyn HostPort, len: u16, checksum: Option<(u16, u16)>) {
        let addr = self.tx_buffer().expect("the caller has built a frame in a free slot");
        let (csum_start, csum_offset) = checksum.unwrap_or((0, 0));
        let flags = if checksum.is_some() { ring::TX_FLAG_CHECKSUM } else { 0 };
        if let Some(log) = &self.send_log {
            let key = frame_key(port.memory().slice(addr, 38));
            log.borrow_mut().push_back((key, self.tx.prod.wrapping_add(1)));
        }
        self.push_tx(port, TxDesc { addr, len, flags, csum_start, csum_offset, ..TxDesc::default() });
        self.stats.tx_frames += 1;
    }

    /// Notes in `log` each frame that is sent as it is.
    pub fn log_sends(&mut self, log: SendLog) {
        self.send_log = Some(log);
    }

    /// Notes in `log` what the P4 program chose for each frame that it gave to the host.
    pub fn log_frames(&mut self, log: FrameLog) {
        self.frame_log = Some(log);
    }

    /// Whether a frame for the NIC to cut may be built: a buffer of [`LARGE_BUFFER_BYTES`] and a slot are free.
    pub fn large_room(&self) -> bool {
        self.tx.free() > 0 && self.large_pool.available() > 0
    }

    /// Where to build the frame for [`Driver::transmit_large`], which has to follow.
    pub fn large_buffer(&mut self) -> Option<u32> {
        if self.large_room() {
            self.large_pool.take()
        } else {
            None
        }
    }

    /// Sends a frame of `len` bytes from `buffer`, in segments of `mss` bytes behind its header of `header_len` bytes.
    pub fn transmit_large(
        &mut self,
        port: &mut dyn HostPort,
        buffer: u32,
        len: u16,
        mss: u16,
        header_len: u16,
    ) {
        let slot = self.tx.slot(self.tx.prod);
        self.borrow(slot, Borrowed::Large(buffer));
        let flags = ring::TX_FLAG_TSO;
        self.push_tx(port, TxDesc { addr: buffer, len, flags, mss, header_len, ..TxDesc::default() });
        self.stats.tx_frames += 1;
        self.stats.tso_frames += 1;
    }

    fn borrow(&mut self, slot: usize, buffer: Borrowed) {
        let previous = self.tx_borrowed[slot].replace(buffer);
        assert!(previous.is_none(), "a transmit slot was reused before its buffer returned");
    }

    /// Sends a received frame through the NIC's receive path once more. Its buffer returns to the pool when the
    /// NIC has read it.
    pub fn inject(&mut self, port: &mut dyn HostPort, frame: RxFrame) -> Result<(), RxFrame> {
        if self.tx.free() == 0 {
            return Err(frame);
        }
        let slot = self.tx.slot(self.tx.prod);
        self.borrow(slot, Borrowed::Receive(frame.buffer));
        let flags = ring::TX_FLAG_INJECT;
        let desc = TxDesc { addr: frame.addr(), len: frame.len, flags, ..TxDesc::default() };
        self.push_tx(port, desc);
        self.stats.injected += 1;
        Ok(())
    }

    fn push_tx(&mut self, port: &mut dyn HostPort, desc: TxDesc) {
        port.memory_mut().write_words(self.tx.addr(self.tx.prod), &desc.to_words());
        self.tx.prod = self.tx.prod.wrapping_add(1);
    }

    /// Whether the NIC's table can hold a connection between these ends.
    pub fn takes(&self, ends: &Endpoints) -> bool {
        self.connections.as_ref().is_none_or(|connections| connections.takes(ends))
    }

    /// Queues a command of `words` after header and cookie.
    pub fn command(
        &mut self,
        port: &mut dyn HostPort,
        code: u8,
        conn: ConnId,
        cookie: u32,
        words: &[u32],
    ) -> Result<(), RingFull> {
        let slots = baton_abi::msg::slots_for(words.len());
        assert!(slots <= SLOTS_MAX, "a command of {} words", words.len());
        if (self.cmd.free() as usize) < slots {
            return Err(RingFull);
        }
        let mut message = [0; MESSAGE_WORDS];
        message[0] = Header { code, slots: slots as u8, conn }.to_word();
        message[1] = cookie;
        message[2..2 + words.len()].copy_from_slice(words);
        for slot in message[..slots * SLOT_WORDS].chunks_exact(SLOT_WORDS) {
            port.memory_mut().write_words(self.cmd.addr(self.cmd.prod), slot);
            self.cmd.prod = self.cmd.prod.wrapping_add(1);
        }
        self.stats.commands += 1;
        Ok(())
    }

    /// The next event, in the NIC's order.
    pub fn next_event(&mut self, port: &mut dyn HostPort) -> Option<Message> {
        let available = self.evt.used() as usize;
        if available == 0 {
            return None;
        }
        let header = Header::from_word(port.memory().read_word(self.evt.addr(self.evt.cons)));
        assert!(header.slots_valid(), "an event of {} slots: the event ring is out of step", header.slots);
        let slots = header.slots as usize;
        if slots > available {
            return None;
        }
        let mut words = [0; MESSAGE_WORDS];
        for slot in words[..slots * SLOT_WORDS].chunks_exact_mut(SLOT_WORDS) {
            port.memory().read_words(self.evt.addr(self.evt.cons), slot);
            self.evt.cons = self.evt.cons.wrapping_add(1);
        }
        self.stats.events += 1;
        Some(Message { header, cookie: words[1], words })
    }

    /// Tells the NIC of every index that moved. `waiting` says that someone needs ring space: then consumption
    /// raises an interrupt too.
    /// Returns how many registers that took.
    pub fn ring_doorbells(&mut self, port: &mut dyn HostPort) -> usize {
        let before = self.stats.doorbells;
        let bells = [
            (regs::RX_PROD, self.rx.prod, &mut self.rx.announced),
            (regs::CMD_PROD, self.cmd.prod, &mut self.cmd.announced),
            (regs::TX_PROD, self.tx.prod, &mut self.tx.announced),
            (regs::EVT_CONS, self.evt.cons, &mut self.evt.announced),
        ];
        for (register, index, announced) in bells {
            if index != *announced {
                port.reg_write(register, u32::from(index));
                *announced = index;
                self.stats.doorbells += 1;
            }
        }
        (self.stats.doorbells - before) as usize
    }

    /// Tells the NIC of the frames alone, if there are new ones. Returns how many registers that took.
    pub fn ring_transmit(&mut self, port: &mut dyn HostPort) -> usize {
        let news = self.tx.prod != self.tx.announced;
        if news {
            port.reg_write(regs::TX_PROD, u32::from(self.tx.prod));
            self.tx.announced = self.tx.prod;
            self.stats.doorbells += 1;
        }
        news.into()
    }

    /// Whether consumption from the transmit and command rings raises an interrupt: wanted only while someone
    /// waits for room, since buffers also return on any other occasion.
    pub fn interrupt_on_room(&mut self, port: &mut dyn HostPort, wanted: bool) {
        let room = regs::IRQ_TX | regs::IRQ_CMD;
        let enable = if wanted { self.irq_enable | room } else { self.irq_enable & !room };
        self.enable_interrupts(port, enable);
    }

    /// Has these causes, and no others, raise the interrupt. Returns how many registers that took.
    fn enable_interrupts(&mut self, port: &mut dyn HostPort, enable: u32) -> usize {
        let news = enable != self.irq_enable;
        if news {
            self.irq_enable = enable;
            port.reg_write(regs::IRQ_ENABLE, enable);
        }
        news.into()
    }

    /// Events raise no interrupt from now on: a processor that is busy looks at the event ring by itself. Returns how many
    /// registers that took.
    pub fn disarm_events(&mut self, port: &mut dyn HostPort) -> usize {
        if self.connections.is_none() {
            return 0;
        }
        self.enable_interrupts(port, self.irq_enable & !regs::IRQ_EVENT)
    }

    /// Events raise interrupts again, for a processor that is about to wait. Returns how many registers that took; if
    /// any, the ring has to be looked at once more, for an event may have come before it could interrupt.
    pub fn arm_events(&mut self, port: &mut dyn HostPort) -> usize {
        if self.irq_enable & regs::IRQ_EVENT != 0 {
            return 0;
        }
        // What was announced so far has been found without an interrupt.
        port.reg_write(regs::IRQ_CAUSE, regs::IRQ_EVENT);
        1 + self.enable_interrupts(port, self.irq_enable | regs::IRQ_EVENT)
    }

    /// Receive buffers that are neither posted nor free: held by the stack or being injected.
    pub fn rx_buffers_out(&self) -> usize {
        self.rx_pool.lent() - self.posted.len()
    }

    /// Transmit descriptors that the NIC has not consumed yet.
    pub fn tx_pending(&self) -> u32 {
        self.tx.used()
    }

    /// Command slots that the NIC has not fetched yet.
    pub fn commands_pending(&self) -> u32 {
        self.cmd.used()
    }

    pub fn stats(&self) -> DriverStats {
        self.stats
    }
}

/// Waits until the firmware says that it runs.
fn await_firmware(port: &mut dyn HostPort) -> Result<()> {
    let status = regs::STS + 4 * mailbox::STS_FIRMWARE as u32;
    for _ in 0..FIRMWARE_START_READS {
        match port.reg_read(status)? {
            0 => {}
            1 => return Ok(()),
            fault => {
                let pc = port.reg_read(regs::STS + 4 * mailbox::STS_FAULT_PC as u32)?;
                anyhow::bail!("the firmware failed at start: {fault:#010x}, pc {pc:#010x}");
            }
        }
    }
    anyhow::bail!("the firmware did not start")
}
