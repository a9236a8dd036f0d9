//! The seam between the server's software and its cost: one method an operation.
//!
//! The software says what it does; the method charges instructions from [`super::costs`] and touches the lines that the
//! operation uses. With [`CostModel::Free`] every method returns at once. A connection is named by the place
//! of its socket in the table, which decides where its structures lie.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use baton_abi::handoff::Span;

use super::costs::*;
use super::cpu::{Cpu, Function, Profile};
use super::layout::{self, Wheel, Zone};
use super::{CostModel, MachineConfig};

/// What a connection has beside its structures.
#[derive(Clone, Debug, Default)]
struct Connection {
    live: bool,
    /// The send buffer: what each mbuf refers to, and its bytes.
    send: VecDeque<(Piece, u32)>,
}

/// An mbuf of a send buffer.
#[derive(Clone, Copy, Debug)]
struct Piece {
    mbuf: u32,
    refers: Refers,
}

/// Where the bytes of an mbuf lie.
#[derive(Clone, Copy, Debug)]
enum Refers {
    /// In a cluster of the kernel.
    Cluster(u32),
    /// In a page of a file, at this address.
    Page(u32),
}

/// Time that a processor's work has taken so far, in picoseconds: what a port in the middle of the work reads.
pub type BusyClock = Rc<Cell<u64>>;

#[derive(Debug)]
struct Machine {
    config: MachineConfig,
    cpu: Cpu,
    connections: Vec<Connection>,
    mbufs: Zone,
    clusters: Zone,
    /// mbufs of the frames in the transmit ring, in order.
    in_flight: VecDeque<u32>,
    retransmit: Wheel,
    keepalive: Wheel,
    busy: BusyClock,
}

/// Counts what the server's software does.
#[derive(Debug, Default)]
pub struct Meter(Option<Box<Machine>>);

impl Meter {
    pub fn new(config: &MachineConfig) -> Self {
        match config.cost {
            CostModel::Free => Meter(None),
            CostModel::Caches => Meter(Some(Box::new(Machine {
                config: *config,
                cpu: Cpu::new(config.cpu),
                connections: Vec::new(),
                mbufs: Zone::default(),
                clusters: Zone::default(),
                in_flight: VecDeque::new(),
                retransmit: Wheel::new(),
                keepalive: Wheel::new(),
                busy: BusyClock::default(),
            }))),
        }
    }

    /// Least time between two interrupts, in picoseconds; `None` when operations cost nothing.
    pub fn interrupt_interval_ps(&self) -> Option<u64> {
        self.0.as_ref().map(|m| m.config.interrupt_interval_ps)
    }

    /// The processor's profile at `now_ps`; all zeros when operations cost nothing.
    pub fn profile(&self, now_ps: u64) -> Profile {
        self.0.as_ref().map_or_else(Profile::default, |m| m.cpu.profile(now_ps))
    }

    /// Whether operations cost time.
    pub fn counts_time(&self) -> bool {
        self.0.is_some()
    }

    /// The clock of the work; it stands at zero when operations cost nothing.
    pub fn busy_clock(&self) -> BusyClock {
        self.0.as_ref().map_or_else(BusyClock::default, |m| Rc::clone(&m.busy))
    }

    /// The NIC wrote `len` bytes at `addr` of host memory.
    pub fn dma_wrote(&mut self, addr: u32, len: u32) {
        if let Some(m) = &mut self.0 {
            m.cpu.invalidate(addr.into(), len.into());
        }
    }

    fn with(&mut self, operation: impl FnOnce(&mut Machine)) {
        if let Some(machine) = &mut self.0 {
            operation(machine);
            machine.busy.set(machine.cpu.picoseconds(machine.cpu.busy_cycles()));
        }
    }

    // --- Interrupt and driver.

    pub fn interrupt(&mut self) {
        self.with(|m| m.run(Function::Interrupt, INTERRUPT, 0));
    }

    /// The processor waited for a register.
    pub fn register_wait(&mut self, waited_ps: u64) {
        self.with(|m| m.cpu.stall(Function::Interrupt, m.cpu.cycles_of(waited_ps)));
    }

    pub fn doorbells(&mut self, count: usize) {
        self.with(|m| m.cpu.stall(Function::Driver, count as u64 * u64::from(DOORBELL_CYCLES)));
    }

    /// The driver read the index block and took so many transmit descriptors back.
    pub fn index_block(&mut self, addr: u32, transmitted: u32) {
        self.with(|m| {
            m.cpu.touch(Function::Driver, addr.into(), 16);
            for _ in 0..transmitted {
                m.spend(Function::Driver, DRIVER_TX_DONE);
                if let Some(mbuf) = m.in_flight.pop_front() {
                    m.free_mbuf(Function::Driver, mbuf);
                }
            }
        });
    }

    /// The driver and the layers below TCP took a frame in; `desc` and `frame` are its addresses.
    pub fn frame_in(&mut self, desc: u32, frame: u32) {
        self.with(|m| {
            m.run(Function::Driver, DRIVER_RX, 1);
            m.cpu.touch(Function::Driver, desc.into(), 16);
            let mbuf = m.take_mbuf(Function::Driver);
            m.cpu.touch(Function::Driver, frame.into(), 14);
            m.run(Function::Ip, IP_IN, 2);
            m.cpu.touch(Function::Ip, u64::from(frame) + 14, 20);
            m.mbufs.give(mbuf);
        });
    }

    fn frame_out(m: &mut Machine, desc: u32) {
        m.run(Function::Ip, IP_OUT, 2);
        m.run(Function::Driver, DRIVER_TX, 1);
        m.cpu.touch(Function::Driver, desc.into(), 16);
        let mbuf = m.take_mbuf(Function::Tcp);
        m.in_flight.push_back(mbuf);
    }

    // --- TCP.

    /// The TCP layer took a segment of a connection in: `payload` bytes at `payload_at`, its header before them.
    pub fn tcp_in(&mut self, conn: u16, payload_at: u32, payload: u32) {
        self.with(|m| {
            m.tcp(TCP_IN);
            m.cpu.touch(Function::Tcp, u64::from(payload_at) - 20, 20);
            m.look_up(conn);
            m.cpu.touch_fields(Function::Tcp, layout::inpcb(conn), INPCB_BYTES.into());
            m.tcp_block(conn);
            m.cpu.touch_fields(Function::Tcp, layout::socket(conn), SOCKET_BYTES.into());
            m.checksum(u64::from(payload_at), payload);
            m.rearm(conn);
        });
    }

    /// The TCP layer sent a segment, or had the NIC cut several of a frame: `len` bytes from `offset` of the send buffer on.
    /// `desc` is the transmit descriptor's address.
    pub fn tcp_out(&mut self, conn: u16, desc: u32, offset: u32, len: u32) {
        self.with(|m| {
            m.tcp(TCP_OUT);
            m.cpu.touch_fields(Function::Tcp, layout::inpcb(conn), INPCB_BYTES.into());
            m.tcp_block(conn);
            m.cpu.touch_fields(Function::Tcp, layout::socket(conn), SOCKET_BYTES.into());
            m.cpu.touch_fields(Function::Tcp, layout::template(conn), TEMPLATE_BYTES.into());
            m.walk_send_buffer(conn, offset, len);
            m.rearm(conn);
            Meter::frame_out(m, desc);
        });
    }

    /// A segment that belongs to no connection was answered.
    pub fn reset_out(&mut self, desc: u32) {
        self.with(|m| {
            m.tcp(TCP_OUT);
            Meter::frame_out(m, desc);
        });
    }

    /// A SYN opened a connection.
    pub fn opened(&mut self, conn: u16) {
        self.with(|m| {
            m.connection(conn).live = true;
            m.spend(Function::Tcp, TCP_OPEN);
            m.look_up(conn);
            m.structures(conn);
        });
    }

    /// A connection has ended.
    pub fn ended(&mut self, conn: u16) {
        self.with(|m| {
            let connection = m.connection(conn);
            if !std::mem::take(&mut connection.live) {
                return;
            }
            let send = std::mem::take(&mut connection.send);
            m.spend(Function::Tcp, TCP_CLOSE);
            m.structures(conn);
            m.disarm(conn);
            for (piece, _) in send {
                m.free_piece(piece);
            }
        });
    }

    pub fn timer(&mut self, conn: u16) {
        self.with(|m| {
            m.spend(Function::Tcp, TCP_TIMER);
            m.tcp_block(conn);
        });
    }

    // --- Sockets and system calls.

    /// The peer acknowledged `n` bytes, as the host's TCP or the NIC says.
    pub fn acknowledged(&mut self, conn: u16, n: u32) {
        self.with(|m| m.drop_acknowledged(conn, n));
    }

    /// Whoever selects on the socket is woken.
    pub fn wakeup(&mut self, conn: u16) {
        self.with(|m| {
            m.run(Function::Sockets, SOCKET_WAKEUP, 4);
            m.cpu.touch_fields(Function::Sockets, layout::socket(conn), SOCKET_BYTES.into());
        });
    }

    /// The web server learned of an event of a connection from select.
    pub fn selected(&mut self, conn: u16) {
        self.with(|m| {
            m.run(Function::SystemCalls, SELECT_SHARE, 5);
            m.cpu.touch(Function::SystemCalls, layout::file(conn), FILE_BYTES.into());
            m.cpu.touch_fields(Function::SystemCalls, layout::socket(conn), SOCKET_BYTES.into());
        });
    }

    /// The web server accepted a connection.
    pub fn accepted(&mut self, conn: u16) {
        self.with(|m| {
            m.spend(Function::SystemCalls, SYSCALL + ACCEPT);
            m.cpu.touch(Function::SystemCalls, layout::file(conn), FILE_BYTES.into());
            m.cpu.touch_fields(Function::Sockets, layout::socket(conn), SOCKET_BYTES.into());
            m.spend(Function::Application, APPLICATION_CONNECTION);
            m.cpu.touch(Function::Application, layout::client(conn), CLIENT_BYTES.into());
        });
    }

    /// The web server read `len` bytes, the first of those that lie in `spans` of host memory.
    pub fn read(&mut self, conn: u16, spans: [Span; 2], len: u32) {
        self.with(|m| {
            m.spend(Function::SystemCalls, SYSCALL);
            m.cpu.touch(Function::SystemCalls, layout::file(conn), FILE_BYTES.into());
            m.spend(Function::Sockets, SOCKET_RECEIVE);
            m.cpu.touch_fields(Function::Sockets, layout::socket(conn), SOCKET_BYTES.into());
            let mut left = len;
            for span in spans {
                let take = left.min(span.len);
                m.copy(span.addr.into(), layout::user_buffer(), take);
                left -= take;
            }
        });
    }

    /// `len` bytes reached the socket's receive buffer at `addr`. The stack has copied them there; the machine that is
    /// modelled has them where DMA wrote them, so the processor has not seen them.
    pub fn arrived(&mut self, addr: u32, len: u32) {
        self.dma_wrote(addr, len);
    }

    /// The web server handled a request for what lies at `file`.
    pub fn request(&mut self, conn: u16, file: Option<u32>) {
        self.with(|m| {
            m.run(Function::Application, APPLICATION_REQUEST, 6);
            m.cpu.touch(Function::Application, layout::user_buffer(), 512);
            m.cpu.touch(Function::Application, layout::client(conn), CLIENT_BYTES.into());
            if let Some(addr) = file {
                let entry = layout::cached_file(addr);
                m.cpu.touch(Function::Application, entry, CACHED_FILE_BYTES.into());
            }
            m.spend(Function::SystemCalls, APPLICATION_CALLS * SYSCALL);
        });
    }

    /// The web server made `len` bytes of a response at `addr`.
    pub fn made(&mut self, conn: u16, addr: u32, len: u32) {
        self.with(|m| {
            m.spend(Function::Application, APPLICATION_DYNAMIC + len.div_ceil(64) * MAKE_LINE);
            m.cpu.touch(Function::Application, layout::client(conn), CLIENT_BYTES.into());
            m.cpu.touch(Function::Application, addr.into(), len.into());
        });
    }

    /// The web server wrote `len` bytes, which are copied: `from` host memory, or from its own buffer.
    pub fn write(&mut self, conn: u16, from: Option<u32>, len: u32) {
        self.with(|m| {
            m.send_call(conn, SYSCALL);
            let mut done = 0;
            while done < len {
                let take = (len - done).min(CLUSTER_BYTES);
                let cluster = m.clusters.take();
                let source = from.map_or_else(layout::user_buffer, |addr| u64::from(addr + done));
                m.copy(source, layout::cluster(cluster), take);
                m.append(conn, Refers::Cluster(cluster), take);
                done += take;
            }
        });
    }

    /// The web server sent `len` bytes of a file at `addr`.
    pub fn sendfile(&mut self, conn: u16, addr: u32, len: u32) {
        if self.0.as_ref().is_some_and(|m| !m.config.zero_copy) {
            return self.write(conn, Some(addr), len);
        }
        self.with(|m| {
            for _ in 0..len.div_ceil(SENDFILE_CHUNK_BYTES) {
                m.send_call(conn, SYSCALL + SENDFILE);
            }
            let mut done = 0;
            while done < len {
                let at = addr + done;
                let take = (len - done).min(PAGE_BYTES - at % PAGE_BYTES);
                m.spend(Function::SystemCalls, SENDFILE_PAGE);
                m.cpu.touch(Function::SystemCalls, layout::vm_page(at), 64);
                m.append(conn, Refers::Page(at), take);
                done += take;
            }
        });
    }

    /// The web server closed its side of a connection.
    pub fn closed(&mut self, conn: u16) {
        self.with(|m| {
            m.spend(Function::SystemCalls, SYSCALL + CLOSE);
            m.cpu.touch(Function::SystemCalls, layout::file(conn), FILE_BYTES.into());
            m.cpu.touch_fields(Function::Sockets, layout::socket(conn), SOCKET_BYTES.into());
            m.cpu.touch(Function::Application, layout::client(conn), CLIENT_BYTES.into());
        });
    }

    // --- The bypass.

    /// A command of `bytes` bytes for a connection was written to the ring from `addr` on.
    pub fn command(&mut self, conn: u16, addr: u32, bytes: u32) {
        self.with(|m| {
            m.run(Function::Bypass, BYPASS_COMMAND, 7);
            m.cpu.touch_fields(Function::Bypass, layout::socket(conn), SOCKET_BYTES.into());
            m.cpu.touch(Function::Bypass, addr.into(), bytes.into());
        });
    }

    /// An event of the NIC for a connection was read from the ring at `addr`.
    pub fn event(&mut self, conn: Option<u16>, addr: u32, bytes: u32) {
        self.with(|m| {
            m.run(Function::Bypass, BYPASS_EVENT, 7);
            m.cpu.touch(Function::Bypass, addr.into(), bytes.into());
            if let Some(conn) = conn {
                m.cpu.touch_fields(Function::Bypass, layout::socket(conn), SOCKET_BYTES.into());
            }
        });
    }

    /// A connection's state was packed for the NIC, or taken back.
    pub fn record(&mut self, conn: u16) {
        self.with(|m| {
            m.spend(Function::Bypass, BYPASS_RECORD);
            m.cpu.touch_fields(Function::Bypass, layout::inpcb(conn), INPCB_BYTES.into());
            m.cpu.touch_fields(Function::Bypass, layout::tcpcb(conn), TCPCB_BYTES.into());
            m.disarm(conn);
        });
    }
}

impl Machine {
    /// Instructions of an operation; those of the layers around TCP in the calibrated proportion.
    fn spend(&mut self, function: Function, instructions: u32) {
        use Function::{Bypass, Driver, Interrupt, Ip, Sockets};
        let scaled = matches!(function, Sockets | Ip | Driver | Interrupt | Bypass);
        let percent = if scaled { LAYER_PERCENT } else { 100 };
        self.cpu.instructions(function, instructions * percent / 100);
    }

    /// Instructions, and the variables of a layer.
    fn run(&mut self, function: Function, instructions: u32, layer: u64) {
        self.spend(function, instructions);
        self.cpu.touch(function, layout::globals(layer), 256);
    }

    fn tcp(&mut self, instructions: u32) {
        self.cpu.count_packet();
        self.run(Function::Tcp, instructions, 3);
    }

    fn connection(&mut self, conn: u16) -> &mut Connection {
        let index = usize::from(conn);
        if self.connections.len() <= index {
            self.connections.resize_with(index + 1, Connection::default);
        }
        &mut self.connections[index]
    }

    /// The bucket of a connection, and those that were put in front of it.
    fn look_up(&mut self, conn: u16) {
        let bucket = u32::from(conn) % TCP_HASH_BUCKETS;
        self.cpu.touch(Function::Tcp, layout::hash_bucket(bucket), 4);
        let others = (usize::from(conn)..self.connections.len()).step_by(TCP_HASH_BUCKETS as usize).skip(1);
        for other in others {
            if self.connections[other].live {
                self.cpu.touch(Function::Tcp, layout::inpcb(other as u16), 8);
            }
        }
    }

    fn tcp_block(&mut self, conn: u16) {
        self.cpu.touch_fields(Function::Tcp, layout::tcpcb(conn), TCPCB_BYTES.into());
    }

    /// Everything of a connection, when it is made and when it ends.
    fn structures(&mut self, conn: u16) {
        for (addr, bytes) in [
            (layout::inpcb(conn), INPCB_BYTES),
            (layout::tcpcb(conn), TCPCB_BYTES),
            (layout::template(conn), TEMPLATE_BYTES),
            (layout::socket(conn), SOCKET_BYTES),
        ] {
            self.cpu.touch_fields(Function::Tcp, addr, bytes.into());
        }
    }

    fn disarm(&mut self, conn: u16) {
        for kept in [false, true] {
            let wheel = if kept { &mut self.keepalive } else { &mut self.retransmit };
            if let Some((before, after)) = wheel.disarm(conn) {
                for other in [before, after] {
                    self.touch_callout(other, kept);
                }
            }
        }
    }

    /// Retransmission and keepalive timers start again.
    fn rearm(&mut self, conn: u16) {
        self.disarm(conn);
        for kept in [false, true] {
            let wheel = if kept { &mut self.keepalive } else { &mut self.retransmit };
            let before = wheel.arm(conn);
            self.touch_callout(before, kept);
            self.touch_callout(conn, kept);
        }
    }

    fn touch_callout(&mut self, conn: u16, kept: bool) {
        if conn != u16::MAX {
            let line = layout::callouts(conn) - if kept { 0 } else { 64 };
            self.cpu.touch(Function::Tcp, line, 8);
        }
    }

    fn checksum(&mut self, addr: u64, len: u32) {
        if !self.config.checksum_offload && len > 0 {
            self.spend(Function::Tcp, len.div_ceil(64) * CHECKSUM_LINE);
            self.cpu.touch(Function::Tcp, addr, len.into());
        }
    }

    fn walk_send_buffer(&mut self, conn: u16, offset: u32, len: u32) {
        let Some(connection) = self.connections.get(usize::from(conn)) else { return };
        if len == 0 {
            return;
        }
        let mut start = 0;
        for at in 0..connection.send.len() {
            let (piece, bytes) = self.connections[usize::from(conn)].send[at];
            self.cpu.touch(Function::Tcp, layout::mbuf(piece.mbuf), 64);
            if start + bytes > offset {
                // What the segment refers to gets an mbuf of its own, which goes when the frame has gone.
                let copy = self.take_mbuf(Function::Tcp);
                self.mbufs.give(copy);
                self.cpu.touch(Function::Tcp, layout::reference_count(piece.mbuf), 4);
                let data = match piece.refers {
                    Refers::Cluster(cluster) => layout::cluster(cluster),
                    Refers::Page(addr) => addr.into(),
                };
                let from = offset.max(start) - start;
                let take = (bytes - from).min(offset + len - start - from);
                self.checksum(data + u64::from(from), take);
            }
            start += bytes;
            if start >= offset + len {
                break;
            }
        }
    }

    fn take_mbuf(&mut self, function: Function) -> u32 {
        let mbuf = self.mbufs.take();
        self.cpu.touch(function, layout::mbuf(mbuf), 128);
        mbuf
    }

    fn free_mbuf(&mut self, function: Function, mbuf: u32) {
        self.cpu.touch(function, layout::mbuf(mbuf), 64);
        self.mbufs.give(mbuf);
    }

    fn copy(&mut self, from: u64, to: u64, len: u32) {
        self.spend(Function::Copy, len.div_ceil(64) * COPY_LINE);
        self.cpu.touch(Function::Copy, from, len.into());
        self.cpu.touch(Function::Copy, to, len.into());
    }

    fn send_call(&mut self, conn: u16, instructions: u32) {
        self.spend(Function::SystemCalls, instructions);
        self.cpu.touch(Function::SystemCalls, layout::file(conn), FILE_BYTES.into());
        self.spend(Function::Sockets, SOCKET_SEND);
        self.cpu.touch_fields(Function::Sockets, layout::socket(conn), SOCKET_BYTES.into());
    }

    fn append(&mut self, conn: u16, refers: Refers, len: u32) {
        self.spend(Function::Sockets, SOCKET_APPEND);
        let mbuf = self.take_mbuf(Function::Sockets);
        self.connection(conn).send.push_back((Piece { mbuf, refers }, len));
    }

    fn drop_acknowledged(&mut self, conn: u16, n: u32) {
        let mut left = n;
        while left > 0 {
            let Some((piece, bytes)) = self.connection(conn).send.front_mut() else { return };
            if *bytes > left {
                *bytes -= left;
                return;
            }
            left -= *bytes;
            let piece = *piece;
            self.connection(conn).send.pop_front();
            self.spend(Function::Sockets, SOCKET_DROP);
            self.free_piece(piece);
        }
    }

    fn free_piece(&mut self, piece: Piece) {
        self.free_mbuf(Function::Sockets, piece.mbuf);
        match piece.refers {
            Refers::Cluster(cluster) => self.clusters.give(cluster),
            Refers::Page(addr) => self.cpu.touch(Function::Sockets, layout::vm_page(addr), 64),
        }
    }
}
