//! Commands, events, scheduling and load control, one mechanism a test.

use baton_abi::{
    address::IpAddress,
    handoff::HandoffRecord,
    mmio::work,
    msg::{command, error, event, refused, reset, slots_for, ConnId, Header},
    regs::mailbox,
    ring::RX_FLAG_FROM_NIC,
};
use baton_tcp::{
    wire, Config, Endpoints, Flags, Instant, Options, ReceiveSpans, SegmentIn, SegmentOut, SendSpans,
    SeqNumber, Tcb,
};

use super::{nic::MockNic, slots};
use crate::{Firmware, Slot};

pub(super) const COOKIE: u32 = 77;
const ISS: u32 = 1000;
const IRS: u32 = 5000;

fn endpoints(client: u16) -> Endpoints {
    Endpoints {
        local_ip: 0x0A00_0001.into(),
        remote_ip: 0x0A00_0002.into(),
        local_port: 80,
        remote_port: 10_000 + client,
        local_mac: [2, 0, 0, 0, 0, 1],
        remote_mac: [2, 0, 0, 0, 0, 2],
        vlan: 0,
    }
}

/// An established connection with 8 KiB of receive buffer and an empty send buffer.
pub(super) fn record(client: u16) -> HandoffRecord {
    let config = Config { timestamps: false, sack: false, nagle: false, ..Config::default() };
    let now = Instant(0);
    let syn = SegmentIn {
        seq: SeqNumber(IRS),
        flags: Flags::SYN,
        window: 60_000,
        options: Options { mss: Some(1460), ..Options::NONE },
        ..SegmentIn::default()
    };
    let mut receive = ReceiveSpans::new();
    receive.push(0x8000, 8192).unwrap();
    let mut tcb = Tcb::accept(config, &syn, SeqNumber(ISS), receive.len(), now);
    while tcb.poll_transmit(now, |_| 0).is_some() {}
    let ack = SegmentIn {
        seq: SeqNumber(IRS + 1),
        ack: SeqNumber(ISS + 1),
        flags: Flags::ACK,
        window: 60_000,
        ..SegmentIn::default()
    };
    assert!(tcb.segment_arrives(now, &ack).established);
    while tcb.poll_transmit(now, |_| 0).is_some() {}
    HandoffRecord {
        endpoints: endpoints(client),
        tcb: tcb.export(now),
        send: SendSpans::new().to_record(),
        receive: receive.to_record(),
    }
}

pub(super) fn message(code: u8, conn: ConnId, body: &[u32]) -> Vec<u32> {
    let slots = slots_for(body.len()) as u8;
    [Header { code, slots, conn }.to_word(), COOKIE].into_iter().chain(body.iter().copied()).collect()
}

pub(super) struct Bench<'a> {
    pub(super) fw: Firmware<'a, MockNic>,
}

impl<'a> Bench<'a> {
    fn new(slots: &'a mut [Slot]) -> Self {
        Self::configured(slots, &[])
    }

    pub(super) fn configured(slots: &'a mut [Slot], config: &[(usize, u32)]) -> Self {
        let mut nic = MockNic::new(1);
        for &(index, value) in config {
            nic.config[index] = value;
        }
        Bench { fw: super::firmware(nic, slots) }
    }

    /// Turns until nothing happens any more, with time standing nearly still.
    pub(super) fn settle(&mut self) {
        let mut idle = 0;
        for _ in 0..10_000 {
            idle = if self.fw.turn() || !self.fw.hw.is_quiet() { 0 } else { idle + 1 };
            if idle == 10 {
                return;
            }
            self.fw.hw.step(0);
        }
        panic!("the firmware does not come to rest");
    }

    pub(super) fn command(&mut self, code: u8, conn: ConnId, body: &[u32]) {
        self.fw.hw.command(&message(code, conn, body));
        self.settle();
    }

    pub(super) fn events(&mut self) -> Vec<Vec<u32>> {
        self.fw.hw.events.drain(..).collect()
    }

    /// The only event since the last look: its code and words from the second on.
    fn event(&mut self) -> (u8, ConnId, Vec<u32>) {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "{events:?}");
        let header = Header::from_word(events[0][0]);
        (header.code, header.conn, events.remove(0).split_off(1))
    }

    pub(super) fn handoff(&mut self, client: u16) -> ConnId {
        self.command(command::HANDOFF, ConnId(0), &record(client).to_words());
        let (code, conn, body) = self.event();
        assert_eq!((code, body[0], body[1]), (event::ACCEPTED, COOKIE, self.fw.cnum));
        conn
    }

    fn refusal(&mut self, client: u16) -> u32 {
        self.command(command::HANDOFF, ConnId(0), &record(client).to_words());
        let (code, _, body) = self.event();
        assert_eq!((code, body[0]), (event::REFUSED, COOKIE));
        body[1]
    }

    pub(super) fn arrive(&mut self, client: u16, seq: u32, ack: u32, flags: Flags, payload: &[u8]) {
        self.fw.hw.arrive(&frame(client, seq, ack, flags, payload));
    }

    fn sent(&mut self) -> Vec<wire::Packet> {
        self.fw.hw.wire.drain(..).map(|frame| wire::parse(&frame).unwrap()).collect()
    }

    pub(super) fn status(&self, index: usize) -> u32 {
        self.fw.hw.status[index]
    }
}

/// A segment from the peer of `client`: sequence and acknowledgement relative to the first data bytes.
pub(super) fn frame(client: u16, seq: u32, ack: u32, flags: Flags, payload: &[u8]) -> Vec<u8> {
    let segment = SegmentOut {
        seq: SeqNumber(IRS + 1 + seq),
        ack: SeqNumber(ISS + 1 + ack),
        flags: flags | Flags::ACK,
        window: 60_000,
        data_len: payload.len() as u16,
        ..SegmentOut::default()
    };
    let mut frame = vec![0; wire::HEADERS + payload.len()];
    let header = wire::emit(&mut frame, &endpoints(client).reversed(), &segment, 0).unwrap();
    frame[header..].copy_from_slice(payload);
    wire::fill_checksums(&mut frame);
    frame
}

#[test]
fn start_reports_configuration_and_state() {
    let mut memory = slots(5);
    let bench = Bench::configured(&mut memory, &[(mailbox::CFG_HARD_LIMIT, 100)]);
    assert_eq!(bench.status(mailbox::STS_FIRMWARE), 1);
    assert_eq!(bench.status(mailbox::STS_TABLE_SIZE), 5);
    assert_eq!(bench.status(mailbox::STS_SOFT_LIMIT), 5, "the table bounds Hard_Limit");
}

#[test]
fn handoff_accepts_until_the_limit() {
    let mut memory = slots(3);
    let mut bench = Bench::configured(&mut memory, &[(mailbox::CFG_HARD_LIMIT, 2)]);
    let first = bench.handoff(0);
    let second = bench.handoff(1);
    assert_ne!(first, second);
    assert_eq!(bench.refusal(2), refused::LIMIT);
    assert_eq!((bench.status(mailbox::STS_CNUM), bench.fw.hw.lookup.len()), (2, 2));
    bench.command(command::ABORT, first, &[]);
    assert_eq!(bench.event().0, event::CLOSED);
    assert!(bench.sent().iter().any(|packet| packet.segment.flags.has(Flags::RST)));
    assert_eq!(bench.status(mailbox::STS_CNUM), 1);
    bench.handoff(2);
}

#[test]
fn handoff_refuses_with_its_reason() {
    let mut memory = slots(4);
    let mut bench = Bench::new(&mut memory);
    bench.handoff(0);
    assert_eq!(bench.refusal(0), refused::DUPLICATE);
    bench.fw.hw.bucket_full = true;
    assert_eq!(bench.refusal(1), refused::BUCKET_FULL);
    bench.fw.hw.bucket_full = false;
    let mut words = record(2).to_words();
    words[0] ^= 1;
    bench.command(command::HANDOFF, ConnId(0), &words);
    assert_eq!(bench.event().2[1], refused::BAD_RECORD);
    let mut closed = record(2);
    closed.tcb.state = 0;
    bench.command(command::HANDOFF, ConnId(0), &closed.to_words());
    assert_eq!(bench.event().2[1], refused::BAD_RECORD);
    // This firmware's connections are those of IPv4.
    let mut foreign = record(2);
    foreign.endpoints.local_ip = IpAddress([0x2001_0DB8, 0, 0, 1]);
    foreign.endpoints.remote_ip = IpAddress([0x2001_0DB8, 0, 0, 2]);
    bench.command(command::HANDOFF, ConnId(0), &foreign.to_words());
    assert_eq!(bench.event().2[1], refused::BAD_RECORD);
    // Nothing of the refused ones stayed.
    assert_eq!((bench.fw.cnum, bench.fw.hw.lookup.len()), (1, 1));
    assert_eq!(bench.status(mailbox::STS_BAD_COMMANDS), 0);
}

#[test]
fn malformed_commands_are_answered_and_counted() {
    let mut memory = slots(2);
    let mut bench = Bench::new(&mut memory);
    let conn = bench.handoff(0);
    let word = |code, slots, conn| Header { code, slots, conn }.to_word();
    let cases: &[(Vec<u32>, u32)] = &[
        (vec![word(99, 1, conn), COOKIE], error::UNKNOWN_COMMAND),
        (vec![word(command::SEND, 0, conn), COOKIE], error::BAD_LENGTH),
        (vec![word(command::SEND, 10, conn), COOKIE], error::BAD_LENGTH),
        (vec![word(command::SEND, 255, conn), COOKIE], error::BAD_LENGTH),
        ([&[word(command::SEND, 2, conn), COOKIE][..], &[0; 14]].concat(), error::BAD_LENGTH),
        (vec![word(command::HANDOFF, 1, conn), COOKIE], error::BAD_LENGTH),
        (vec![word(command::SEND, 1, conn), COOKIE, 0x1000, 0], error::BAD_BUFFER),
        (vec![word(command::SEND, 1, conn), COOKIE, 0x1000, u32::MAX], error::BAD_BUFFER),
        (vec![word(command::SEND, 1, conn), COOKIE, 0x1000, 4, 0xFFFF_FFFF, 2], error::BAD_BUFFER),
        (vec![word(command::SEND, 1, conn), COOKIE, 0x1000, 1 << 30, 0x5000_0000, 1], error::BAD_BUFFER),
        (vec![word(command::RECEIVE_BUFFER, 1, conn), COOKIE, 0xFFFF_FFFF, 2], error::BAD_BUFFER),
    ];
    for (count, (words, code)) in cases.iter().enumerate() {
        bench.fw.hw.command(words);
        bench.settle();
        let (what, _, body) = bench.event();
        assert_eq!((what, body[0], body[1], body[2]), (event::ERROR, COOKIE, *code, words[0]), "{words:x?}");
        assert_eq!(bench.status(mailbox::STS_BAD_COMMANDS), count as u32 + 1);
        assert!(bench.fw.hw.commands.is_empty());
    }
    // A connection that is not here is no malformed command.
    bench.command(command::QUERY, ConnId(conn.0 ^ 0x1000), &[]);
    assert_eq!(bench.event().2[1], error::NO_CONNECTION);
    assert_eq!(bench.status(mailbox::STS_BAD_COMMANDS), cases.len() as u32);
    // And the connection is as it was.
    bench.arrive(0, 0, 0, Flags::PSH, b"hello");
    bench.settle();
    assert_eq!((bench.event().0, &bench.fw.hw.memory[0x8000..0x8005]), (event::PROGRESS, &b"hello"[..]));
}

#[test]
fn incomplete_command_waits_then_fails() {
    let mut memory = slots(1);
    let mut bench = Bench::new(&mut memory);
    let words = message(command::HANDOFF, ConnId(0), &record(0).to_words());
    bench.fw.hw.command(&words[..24]);
    for _ in 0..10 {
        assert!(!bench.fw.turn());
    }
    bench.fw.hw.command(&words[24..]);
    bench.settle();
    assert_eq!(bench.event().0, event::ACCEPTED);
    bench.fw.hw.command(&words[..24]);
    for _ in 0..300 {
        bench.fw.turn();
        bench.fw.hw.step(10);
    }
    bench.settle();
    assert_eq!((bench.event().2[1], bench.fw.hw.commands.len()), (error::BAD_LENGTH, 0));
}

#[test]
fn full_span_lists_are_refused_without_harm() {
    let mut memory = slots(1);
    let mut bench = Bench::new(&mut memory);
    let conn = bench.handoff(0);
    // The second of two: one came with the connection.
    bench.command(command::RECEIVE_BUFFER, conn, &[0x10000, 100]);
    assert!(bench.events().is_empty());
    bench.command(command::RECEIVE_BUFFER, conn, &[0x20000, 100]);
    assert_eq!(bench.event().2[1], error::BAD_BUFFER);
    // Bytes behind the last span lengthen it.
    bench.command(command::RECEIVE_BUFFER, conn, &[0x10064, 100]);
    assert!(bench.events().is_empty());
}

#[test]
fn data_crosses_spans_in_both_directions() {
    let mut memory = slots(1);
    let mut bench = Bench::new(&mut memory);
    let conn = bench.handoff(0);
    bench.command(command::RECEIVE_BUFFER, conn, &[0x20000, 30]);
    // The last 5 bytes of the first buffer and all of the other: two copies, a pop and an event.
    for at in (0..8187).step_by(1000) {
        let len = 1000.min(8187 - at);
        bench.arrive(0, at, 0, Flags::ACK, &vec![1; len as usize]);
        bench.settle();
    }
    bench.events();
    let payload: Vec<u8> = (0..35).collect();
    bench.arrive(0, 8187, 0, Flags::PSH, &payload);
    bench.settle();
    let (code, _, body) = bench.event();
    assert_eq!((code, &body[1..4]), (event::PROGRESS, &[0, 35, 0][..]));
    let memory = &bench.fw.hw.memory;
    assert_eq!([&memory[0x8000 + 8187..0xA000], &memory[0x20000..0x2001E]].concat(), payload);

    bench.sent();
    bench.fw.hw.memory[0x30000..0x30004].copy_from_slice(b"abcd");
    bench.fw.hw.memory[0x31000..0x31003].copy_from_slice(b"efg");
    bench.command(command::SEND, conn, &[0x30000, 4, 0x31000, 3]);
    let frames: Vec<Vec<u8>> = bench.fw.hw.wire.drain(..).collect();
    let payloads: Vec<_> = frames.iter().map(|frame| &frame[wire::parse(frame).unwrap().payload]).collect();
    assert_eq!(payloads, [b"abcdefg"], "both spans are one segment");
    bench.arrive(0, 8222, 2, Flags::ACK, &[]);
    bench.settle();
    assert!(bench.events().is_empty(), "no buffer is free yet");
    bench.arrive(0, 8222, 5, Flags::ACK, &[]);
    bench.settle();
    let (code, _, body) = bench.event();
    assert_eq!((code, &body[1..4]), (event::PROGRESS, &[5, 0, 0][..]));
    bench.command(command::QUERY, conn, &[]);
    let (code, _, body) = bench.event();
    assert_eq!((code, &body[1..3]), (event::QUERY_REPLY, &[0, 2][..]), "two bytes in flight");
}

#[test]
fn stale_packets_go_to_the_host_before_the_record() {
    let mut memory = slots(2);
    let mut bench = Bench::new(&mut memory);
    let conn = bench.handoff(0);
    let other = bench.handoff(1);
    // The mock serves segments before commands; so take the command first, then let the queue drain.
    bench.fw.hw.command(&message(command::RESTORE, conn, &[]));
    let restore_first = |bench: &mut Bench| {
        bench.fw.command();
    };
    bench.arrive(0, 0, 0, Flags::PSH, b"one");
    bench.arrive(1, 0, 0, Flags::PSH, b"other");
    bench.arrive(0, 3, 0, Flags::PSH, b"two");
    bench.fw.mover.begin(&bench.fw.hw);
    restore_first(&mut bench);
    bench.arrive(0, 6, 0, Flags::PSH, b"three");
    assert_eq!(bench.fw.hw.host_frames.len(), 1, "after the delete, the lookup misses");
    bench.fw.hw.host_frames.clear();
    assert!(bench.fw.hw.events.is_empty());
    bench.settle();
    let stale: Vec<_> = bench.fw.hw.host_frames.drain(..).collect();
    assert_eq!(stale.len(), 2);
    assert!(stale.iter().all(|frame| frame.flags & RX_FLAG_FROM_NIC != 0));
    assert!(stale[0].frame.ends_with(b"one") && stale[1].frame.ends_with(b"two"));
    assert_eq!(bench.status(mailbox::STS_STALE_PACKETS), 2);
    let events = bench.events();
    let restored = events.iter().find(|e| e[0] as u8 == event::RESTORED).expect("RESTORED");
    let back = HandoffRecord::from_words(&restored[2..]).unwrap();
    assert_eq!((back.endpoints, back.receive), (endpoints(0), record(0).receive));
    assert!(events.iter().any(|e| e[0] as u8 == event::PROGRESS && e[3] == 5));
    // The name is dead, the other lives.
    bench.command(command::RESTORE, conn, &[]);
    assert_eq!(bench.event().2[1], error::NO_CONNECTION);
    bench.command(command::RESTORE, other, &[]);
    assert_eq!(bench.event().0, event::RESTORED);
    assert_eq!((bench.fw.cnum, bench.fw.hw.lookup.len()), (0, 0));
}

#[test]
fn reset_of_the_peer_is_reported_last() {
    let mut memory = slots(1);
    let mut bench = Bench::new(&mut memory);
    bench.handoff(0);
    bench.arrive(0, 0, 0, Flags::PSH, b"data");
    bench.arrive(0, 4, 0, Flags::RST, &[]);
    bench.settle();
    let events: Vec<_> = bench.events().iter().map(|e| (e[0] as u8, e[2], e[3])).collect();
    assert_eq!(events, [(event::PROGRESS, 0, 4), (event::RESET, reset::PEER, 0)]);
    bench.handoff(0);
}

#[test]
fn silence_ends_in_a_timeout() {
    let mut memory = slots(1);
    let mut bench = Bench::configured(&mut memory, &[(mailbox::CFG_MIN_RTO_US, 10_000)]);
    let conn = bench.handoff(0);
    bench.command(command::SEND, conn, &[0x30000, 100]);
    for _ in 0..400_000 {
        bench.fw.turn();
        bench.fw.hw.step(2000);
        if !bench.fw.hw.events.is_empty() {
            break;
        }
    }
    let (code, _, body) = bench.event();
    assert_eq!((code, body[1]), (event::RESET, reset::TIMEOUT));
    assert!(bench.status(mailbox::STS_RETRANSMITS) >= 10);
}

#[test]
fn events_wait_for_room_and_are_never_lost() {
    let mut memory = slots(40);
    let mut bench = Bench::new(&mut memory);
    for client in 0..40 {
        bench.handoff(client);
    }
    bench.fw.hw.event_ring_full = true;
    for round in 0..5 {
        for client in 0..40 {
            bench.arrive(client, round * 10, 0, Flags::PSH, &[7; 10]);
        }
        for _ in 0..200 {
            bench.fw.turn();
            bench.fw.hw.step(1);
        }
    }
    assert!(bench.events().is_empty());
    bench.fw.hw.event_ring_full = false;
    bench.settle();
    let events = bench.events();
    let bytes: u32 = events.iter().filter(|e| e[0] as u8 == event::PROGRESS).map(|e| e[3]).sum();
    assert_eq!(bytes, 40 * 50);
}

#[test]
fn acknowledged_bytes_are_news_when_the_host_can_give_as_much_as_is_left() {
    let mut memory = slots(1);
    let mut bench = Bench::new(&mut memory);
    let conn = bench.handoff(0);
    let progress = |bench: &mut Bench, ack, text: &[u8], at| {
        bench.arrive(0, at, ack, Flags::PSH, text);
        bench.settle();
        bench.events().iter().map(|e| (e[0] as u8, [e[2], e[3], e[4]])).collect::<Vec<_>>()
    };
    bench.command(command::SEND, conn, &[0x30000, 100, 0x31000, 900]);
    assert_eq!(progress(&mut bench, 100, &[], 0), [], "a head, whose body is on the way");
    assert_eq!(progress(&mut bench, 600, &[], 0), [], "a span that is not finished");
    assert_eq!(progress(&mut bench, 1000, b"next", 0), [(event::PROGRESS, [1000, 4, 0])]);
    // Half of four equal spans.
    for addr in [0x32000, 0x34000] {
        bench.command(command::SEND, conn, &[addr, 100, addr + 0x1000, 100]);
    }
    assert_eq!(progress(&mut bench, 1100, &[], 4), []);
    assert_eq!(progress(&mut bench, 1200, &[], 4), [(event::PROGRESS, [200, 0, 0])]);
    // The peer's FIN goes with what it acknowledges.
    bench.arrive(0, 4, 1400, Flags::FIN, &[]);
    bench.settle();
    let events: Vec<_> = bench.events().iter().map(|e| (e[0] as u8, [e[2], e[3], e[4]])).collect();
    assert_eq!(events, [(event::PROGRESS, [200, 0, event::PROGRESS_PEER_CLOSED])]);
}

#[test]
fn progress_adds_up_while_the_queue_is_busy() {
    let mut memory = slots(1);
    let mut bench = Bench::new(&mut memory);
    bench.handoff(0);
    for at in 0..32 {
        bench.arrive(0, at * 10, 0, Flags::PSH, &[7; 10]);
    }
    bench.settle();
    let lengths: Vec<_> = bench.events().iter().map(|e| e[3]).collect();
    assert_eq!(lengths.iter().sum::<u32>(), 320);
    assert!(lengths.len() <= 5, "{lengths:?}");
}

#[test]
fn host_packets_go_before_bursts_of_segments() {
    let mut memory = slots(1);
    let mut bench = Bench::new(&mut memory);
    let conn = bench.handoff(0);
    bench.fw.hw.host_rx_waiting = 3;
    bench.fw.hw.host_tx_waiting = 2;
    bench.command(command::SEND, conn, &[0x30000, 10_000]);
    assert_eq!(
        bench.fw.hw.moved,
        [work::HOST_RX, work::HOST_RX, work::HOST_RX, work::HOST_TX, work::HOST_TX]
    );
    assert!(bench.sent().len() >= 7);
    assert!(bench.fw.hw.burst_max <= 2, "{} bursts without a look at the scheduler", bench.fw.hw.burst_max);
}

#[test]
fn segments_wait_while_sending_is_behind() {
    let mut memory = slots(12);
    let mut bench = Bench::new(&mut memory);
    let conns: Vec<ConnId> = (0..12).map(|client| bench.handoff(client)).collect();
    bench.fw.hw.tx_blocked = true;
    for conn in conns {
        bench.command(command::SEND, conn, &[0x30000, 1000]);
    }
    bench.fw.hw.tx_blocked = false;
    for client in 0..12 {
        bench.arrive(client, 0, 0, Flags::PSH, b"text");
    }
    for _ in 0..3 {
        let waiting = bench.fw.hw.queue_len();
        bench.fw.turn();
        bench.fw.hw.step(0);
        assert_eq!(waiting - bench.fw.hw.queue_len(), 1, "one for each turn with two bursts");
    }
    assert_eq!(bench.sent().len(), 6);
    bench.settle();
    assert_eq!(bench.fw.hw.queue_len(), 0);
}

#[test]
fn connections_share_the_wire() {
    let mut memory = slots(4);
    let mut bench = Bench::new(&mut memory);
    let conns: Vec<_> = (0..4).map(|client| bench.handoff(client)).collect();
    bench.fw.hw.tx_blocked = true;
    for conn in conns {
        bench.command(command::SEND, conn, &[0x30000, 10 * 1460]);
    }
    bench.fw.hw.tx_blocked = false;
    bench.settle();
    let ports: Vec<_> = bench.sent().iter().map(|packet| packet.endpoints.local_port).collect();
    assert_eq!(ports.len(), 40);
    // No connection sends its whole window before the others have sent a burst.
    let runs: Vec<_> = ports.chunk_by(|a, b| a == b).map(|run| run.len()).collect();
    assert_eq!(runs, [8, 8, 8, 8, 2, 2, 2, 2], "{ports:?}");
}

#[test]
fn load_control_tells_the_host() {
    let mut memory = slots(32);
    let marks = [(mailbox::CFG_LOAD_CONTROL, 1), (mailbox::CFG_HIWAT, 4), (mailbox::CFG_LOWAT, 2)];
    let mut bench = Bench::configured(&mut memory, &marks);
    let conns: Vec<_> = (0..32).map(|client| bench.handoff(client)).collect();
    for client in 0..8 {
        bench.arrive(client, 0, 0, Flags::PSH, b"x");
    }
    bench.settle();
    let limits: Vec<_> =
        bench.events().iter().filter(|e| e[0] as u8 == event::LOAD).map(|e| (e[2], e[3])).collect();
    assert_eq!(limits, [(30, 1)]);
    assert_eq!((bench.status(mailbox::STS_SOFT_LIMIT), bench.status(mailbox::STS_LOAD_STATE)), (30, 1));
    assert_eq!(bench.refusal(40), refused::LIMIT);
    for conn in &conns[..3] {
        bench.command(command::RESTORE, *conn, &[]);
    }
    assert_eq!(bench.status(mailbox::STS_LOAD_STATE), 0, "Cnum fell below Soft_Limit");
    bench.events();
    bench.arrive(20, 0, 0, Flags::PSH, b"x");
    bench.settle();
    let limits: Vec<_> =
        bench.events().iter().filter(|e| e[0] as u8 == event::LOAD).map(|e| (e[2], e[3])).collect();
    assert_eq!(limits, [(31, 2)]);
}

/// What is left of a segment and 40 commands behind it after each of three turns, which have room for eight answers.
fn segment_and_commands(load_control: u32) -> [(usize, usize); 3] {
    let mut memory = slots(1);
    let marks = [(mailbox::CFG_LOAD_CONTROL, load_control), (mailbox::CFG_HIWAT, 4), (mailbox::CFG_LOWAT, 2)];
    let mut bench = Bench::configured(&mut memory, &marks);
    let conn = bench.handoff(0);
    bench.arrive(0, 0, 0, Flags::PSH, b"text");
    for _ in 0..40 {
        bench.fw.hw.command(&message(command::QUERY, conn, &[]));
    }
    [0; 3].map(|_| {
        bench.fw.turn();
        bench.fw.hw.step(0);
        (bench.fw.hw.queue_len(), bench.fw.hw.commands.len())
    })
}

#[test]
fn under_load_control_commands_go_before_segments() {
    assert_eq!(segment_and_commands(0), [(0, 32), (0, 24), (0, 16)], "what came first goes first");
    assert_eq!(
        segment_and_commands(1),
        [(1, 32), (0, 24), (0, 16)],
        "sixteen commands, and then the segment"
    );
}

#[test]
fn idle_firmware_sleeps_until_its_next_timer() {
    let mut memory = slots(1);
    let mut bench = Bench::configured(&mut memory, &[(mailbox::CFG_DELAYED_ACK_US, 3000)]);
    bench.handoff(0);
    bench.arrive(0, 0, 0, Flags::PSH, b"late");
    bench.settle();
    assert!(bench.sent().is_empty(), "the acknowledgement waits");
    let start = bench.fw.hw.time_us;
    for _ in 0..20 {
        bench.fw.rest();
        let wake_at = bench.fw.hw.wake_at();
        let sleep = wake_at.wrapping_sub(bench.fw.hw.time_us);
        assert!(sleep > 0 && sleep < 4000, "sleeps for {sleep}");
        bench.fw.hw.step(sleep);
        while bench.fw.turn() {}
        bench.fw.hw.step(0);
        if !bench.fw.hw.wire.is_empty() {
            break;
        }
    }
    assert_eq!(bench.sent().len(), 1);
    let waited = bench.fw.hw.time_us.wrapping_sub(start);
    assert!((3000..3300).contains(&waited), "{waited}");
}
