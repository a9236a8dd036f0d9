//! Connections on the NIC that never rest, and their peers.

use super::machine::{Machine, RECEIVE_BUFFER, SEND_BUFFER, SERVER_IP, SERVER_MAC, STREAM_BYTES};
use super::LatencyConfig;
use anyhow::{bail, ensure, Context, Result};
use baton_abi::handoff::{HandoffRecord, RECORD_WORDS};
use baton_abi::msg::{command, event, refused, slots_for, ConnId, Header};
use baton_cosim::{nic::Nic, pins::NicOut};
use baton_tcp::{
    wire, Config, Endpoints, Instant, ReceiveSpans, SegmentIn, SegmentOut, SendSpans, SeqNumber, Tcb,
    TimerOutcome,
};
use std::collections::VecDeque;

/// Frames of the load that wait for the wire at most, so that a probe finds it nearly free.
const BACKLOG_FRAMES: u64 = 2;
/// Port of the first peer.
const FIRST_PORT: u16 = 10_000;
/// Cycles between two looks at the peers' timers.
const TIMER_CYCLES: u64 = 125_000;
/// Cycles in which all handoffs have to be answered, for each connection.
const HANDOFF_CYCLES: u64 = 200_000;

struct Peer {
    tcb: Tcb,
    ends: Endpoints,
    /// It may have something to say.
    queued: bool,
    /// What the NIC calls its connection, once it has it.
    conn: ConnId,
    /// Bytes that were sent and received since the host's last command for either.
    done: [u32; 2],
    /// Commands for either so far.
    given: [u32; 2],
}

/// What passed between host and NIC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// Bytes sent and received that `PROGRESS` events told of, and how many events that took.
    pub bytes: [u64; 2],
    pub events: [u64; 2],
    /// `SEND` and `RECEIVE_BUFFER` commands.
    pub commands: [u64; 2],
}

/// The peers of all connections on the NIC.
pub struct Load {
    peers: Vec<Peer>,
    /// Those that may have something to say, each once.
    queue: VecDeque<usize>,
    sends: bool,
    packet_id: u16,
    next_timers: u64,
    segments_heard: u64,
    messages: Messages,
    command_bytes: u32,
    /// Commands that wait for room in their ring.
    commands: VecDeque<[u32; 4]>,
}

impl Messages {
    /// What has passed since `earlier`.
    pub fn since(&self, earlier: &Messages) -> Messages {
        let since = |now: [u64; 2], then: [u64; 2]| [now[0] - then[0], now[1] - then[1]];
        Messages {
            bytes: since(self.bytes, earlier.bytes),
            events: since(self.events, earlier.events),
            commands: since(self.commands, earlier.commands),
        }
    }
}

impl Load {
    /// Opens connections and hands them to the NIC, as many as its table takes.
    ///
    /// # Errors
    /// When a handoff is refused for another reason than a full table, or gets no answer.
    pub fn start<N: Nic>(config: &LatencyConfig, machine: &mut Machine<N>) -> Result<Self> {
        Self::start_watched(config, machine, |_| {})
    }

    /// Likewise; `watch` sees the NIC's pins after every cycle.
    ///
    /// # Errors
    /// As [`Load::start`].
    pub fn start_watched<N: Nic>(
        config: &LatencyConfig,
        machine: &mut Machine<N>,
        mut watch: impl FnMut(&NicOut),
    ) -> Result<Self> {
        let count = config.connections.min(machine.table_size()?);
        let mut load = Load {
            peers: Vec::new(),
            queue: VecDeque::new(),
            sends: config.peers_send,
            packet_id: 0,
            next_timers: 0,
            segments_heard: 0,
            messages: Messages::default(),
            command_bytes: config.command_bytes,
            commands: VecDeque::new(),
        };
        let (mut answered, mut handed) = (0, 0);
        let deadline = machine.cycles() + HANDOFF_CYCLES * u64::from(count.max(1));
        while answered < count {
            let slots = slots_for(RECORD_WORDS);
            if handed < count && handed - answered < 32 && machine.command_room() >= slots {
                let (peer, record) = connection(handed as u16, machine.now_us(), config)?;
                load.peers.push(peer);
                let header = Header { code: command::HANDOFF, slots: slots as u8, conn: ConnId(0) };
                let mut words = vec![header.to_word(), handed];
                words.extend(record.to_words().iter());
                machine.command(&words);
                handed += 1;
            }
            while let Some(words) = machine.event() {
                match Header::from_word(words[0]).code {
                    event::ACCEPTED => {
                        answered += 1;
                        load.peers[words[1] as usize].conn = Header::from_word(words[0]).conn;
                        load.wake(words[1] as usize);
                    }
                    event::REFUSED => bail!("handoff {} was refused: {}", words[1], refusal(words[2])),
                    _ => {}
                }
            }
            load.hear(machine)?;
            machine.step();
            watch(machine.outputs());
            ensure!(machine.cycles() < deadline, "{answered} of {count} handoffs were answered");
        }
        machine.check_firmware()?;
        Ok(load)
    }

    /// Connections on the NIC.
    pub fn connections(&self) -> u32 {
        self.peers.len() as u32
    }

    /// Segments with payload that the peers have received.
    pub fn segments_heard(&self) -> u64 {
        self.segments_heard
    }

    /// What passed between host and NIC since all connections were handed off.
    pub fn messages(&self) -> Messages {
        self.messages
    }

    /// Asks for every connection back.
    pub fn recall(&mut self) {
        for (index, peer) in self.peers.iter().enumerate() {
            let header = Header { code: command::RESTORE, slots: 1, conn: peer.conn };
            self.commands.push_back([header.to_word(), index as u32, 0, 0]);
        }
    }

    /// The host: counts what it is told, and answers progress with more of the same.
    fn host<N: Nic>(&mut self, machine: &mut Machine<N>) {
        while let Some(words) = machine.event() {
            if Header::from_word(words[0]).code != event::PROGRESS {
                continue;
            }
            let Some(peer) = self.peers.get_mut(words[1] as usize) else { continue };
            for (direction, &bytes) in words[2..4].iter().enumerate().filter(|(_, &bytes)| bytes > 0) {
                self.messages.events[direction] += 1;
                self.messages.bytes[direction] += u64::from(bytes);
                peer.done[direction] += bytes;
                while self.command_bytes > 0 && peer.done[direction] >= self.command_bytes {
                    peer.done[direction] -= self.command_bytes;
                    peer.given[direction] += 1;
                    self.messages.commands[direction] += 1;
                    let code = [command::SEND, command::RECEIVE_BUFFER][direction];
                    let header = Header { code, slots: 1, conn: peer.conn };
                    let addr = span(direction, peer.given[direction], self.command_bytes);
                    self.commands.push_back([header.to_word(), words[1], addr, self.command_bytes]);
                }
            }
        }
        while machine.command_room() > 0 {
            let Some(words) = self.commands.pop_front() else { break };
            machine.command(&words);
        }
    }

    /// What the peers do in a cycle.
    pub fn step<N: Nic>(&mut self, machine: &mut Machine<N>) -> Result<()> {
        if self.peers.is_empty() {
            return Ok(());
        }
        self.host(machine);
        self.hear(machine)?;
        if machine.cycles() >= self.next_timers {
            self.next_timers = machine.cycles() + TIMER_CYCLES;
            self.timers(machine)?;
        }
        while machine.wire_backlog < BACKLOG_FRAMES {
            let Some(index) = self.queue.pop_front() else { break };
            let peer = &mut self.peers[index];
            peer.queued = false;
            let now = Instant(machine.now_us());
            if let Some(segment) = peer.tcb.poll_transmit(now, |_| u32::MAX) {
                self.packet_id = self.packet_id.wrapping_add(1);
                let frame = frame(&peer.ends, &segment, self.packet_id)?;
                machine.send(frame);
                machine.wire_backlog += 1;
                self.wake(index);
            }
        }
        Ok(())
    }

    fn wake(&mut self, index: usize) {
        if !std::mem::replace(&mut self.peers[index].queued, true) {
            self.queue.push_back(index);
        }
    }

    /// Takes what the NIC has sent.
    fn hear<N: Nic>(&mut self, machine: &mut Machine<N>) -> Result<()> {
        while let Some(frame) = machine.receive() {
            let packet = wire::parse(&frame).ok().context("the NIC sent a frame that is no TCP segment")?;
            ensure!(wire::checksums_valid(&frame), "the NIC sent a frame with a wrong checksum");
            let index = usize::from(packet.endpoints.local_port.wrapping_sub(FIRST_PORT));
            let peer = self.peers.get_mut(index).context("the NIC sent a segment to nobody")?;
            self.segments_heard += u64::from(packet.segment.payload_len > 0);
            let arrival = peer.tcb.segment_arrives(Instant(machine.now_us()), &packet.segment);
            ensure!(!arrival.reset, "connection {index} was reset");
            // The application reads at once, and has always more to write.
            if arrival.advanced > 0 {
                peer.tcb.receive_space_added(arrival.advanced);
            }
            if self.sends && arrival.acked > 0 {
                peer.tcb.send_enqueued(arrival.acked);
            }
            self.wake(index);
        }
        Ok(())
    }

    fn timers<N: Nic>(&mut self, machine: &Machine<N>) -> Result<()> {
        let now = Instant(machine.now_us());
        for index in 0..self.peers.len() {
            let tcb = &mut self.peers[index].tcb;
            if tcb.poll_at().is_some_and(|at| now.reached(at)) {
                let outcome = tcb.on_timer(now);
                ensure!(outcome != TimerOutcome::TimedOut, "connection {index} timed out");
                self.wake(index);
            }
        }
        Ok(())
    }
}

fn refusal(reason: u32) -> &'static str {
    match reason {
        refused::LIMIT => "the limit of connections",
        refused::TABLE_FULL => "the table is full",
        refused::BUCKET_FULL => "the lookup bucket is full",
        refused::BAD_RECORD => "the record is bad",
        _ => "an unknown reason",
    }
}

fn frame(ends: &Endpoints, segment: &SegmentOut, id: u16) -> Result<Vec<u8>> {
    let mut frame = vec![0; 1514];
    let header = wire::emit(&mut frame, ends, segment, id).context("a segment is longer than a frame")?;
    frame.truncate(header + usize::from(segment.data_len));
    wire::fill_checksums(&mut frame);
    Ok(frame)
}

fn received(segment: &SegmentOut) -> SegmentIn {
    SegmentIn {
        seq: segment.seq,
        ack: segment.ack,
        flags: segment.flags,
        window: segment.window,
        options: segment.options,
        payload_len: segment.data_len,
        ecn: 0,
    }
}

/// An established connection: the peer's end, and the record of the NIC's.
fn connection(number: u16, now_us: u32, load: &LatencyConfig) -> Result<(Peer, HandoffRecord)> {
    let config = Config { nagle: false, min_rto_us: 20_000, delayed_ack_us: 2_000, ..Config::default() };
    let now = Instant(now_us);
    let ends = Endpoints {
        local_ip: (0x0A01_0001 + u32::from(number)).into(),
        remote_ip: SERVER_IP.into(),
        local_port: FIRST_PORT + number,
        remote_port: 80,
        local_mac: [2, 0, 0, 1, (number >> 8) as u8, number as u8],
        remote_mac: SERVER_MAC,
        vlan: 0,
    };
    let mut send = SendSpans::new();
    let mut receive = ReceiveSpans::new();
    let full = "a span fits an empty buffer";
    match load.command_bytes {
        0 => {
            if load.nic_sends {
                send.push(SEND_BUFFER, STREAM_BYTES).ok().context(full)?;
            }
            receive.push(RECEIVE_BUFFER, STREAM_BYTES).ok().context(full)?;
        }
        bytes => {
            for number in 0..PIECES {
                if load.nic_sends {
                    send.push(span(0, number, bytes), bytes).ok().context(full)?;
                }
                receive.push(span(1, number, bytes), bytes).ok().context(full)?;
            }
        }
    }
    let mut peer = Tcb::connect(config, SeqNumber(1_000), 1 << 18, now);
    let syn = peer.poll_transmit(now, |_| 0).context("an active open sends SYN")?;
    let mut own = Tcb::accept(config, &received(&syn), SeqNumber(2_000), receive.len(), now);
    let syn_ack = own.poll_transmit(now, |_| 0).context("SYN is answered")?;
    ensure!(peer.segment_arrives(now, &received(&syn_ack)).established, "the peer is established");
    let ack = peer.poll_transmit(now, |_| 0).context("SYN and ACK are acknowledged")?;
    ensure!(own.segment_arrives(now, &received(&ack)).established, "the server is established");
    own.send_enqueued(send.len());
    if load.peers_send {
        peer.send_enqueued(1 << 18);
    }
    let record = HandoffRecord {
        endpoints: ends.reversed(),
        tcb: own.export(now),
        send: send.to_record(),
        receive: receive.to_record(),
    };
    let peer = Peer { tcb: peer, ends, queued: false, conn: ConnId(0), done: [0; 2], given: [PIECES - 1; 2] };
    Ok((peer, record))
}

/// Pieces that each buffer has.
const PIECES: u32 = baton_abi::handoff::SEND_SPANS as u32;

/// Where a connection's next piece lies: both kinds come round; sent ones never touch their neighbours, received ones are a ring.
fn span(direction: usize, number: u32, bytes: u32) -> u32 {
    let (buffer, stride) = [(SEND_BUFFER, 2 * bytes), (RECEIVE_BUFFER, bytes)][direction];
    buffer + number % (2 * PIECES) * stride
}
