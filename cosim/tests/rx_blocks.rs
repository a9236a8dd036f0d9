//! Blocks of the receive path by themselves, with stalls and resets at random.

mod support;

use baton_cosim::block::{Model, Port};
use baton_hdl::{emit, rx};
use std::collections::VecDeque;
use support::Chance;

fn ports<const N: usize>(dut: &Model, names: [&str; N]) -> [Port; N] {
    names.map(|name| dut.port(name).unwrap())
}

/// A word of a stored frame, as `Align` must give it: data and which of its bytes count, last, length, damaged, wire.
type Stored = (u32, u32, bool, usize, bool, bool);

/// The frame under way on a stream: its bytes, whether it is damaged, the word to send, and whether that is offered.
type Sending = Option<(Vec<u8>, bool, usize, bool)>;

/// The stored words of a frame.
fn stored(frame: &[u8], bad_fcs: bool, from_wire: bool) -> Vec<Stored> {
    let padded: Vec<u8> = [0, 0].iter().chain(frame).copied().collect();
    let count = padded.len().div_ceil(4);
    let word = |index: usize| {
        let bytes = &padded[4 * index..padded.len().min(4 * index + 4)];
        let (mut data, mut mask) = (0, 0);
        for (lane, byte) in bytes.iter().enumerate() {
            data |= u32::from(*byte) << (8 * lane);
            mask |= 0xff << (8 * lane);
        }
        (data, mask, index + 1 == count, padded.len(), bad_fcs, from_wire)
    };
    (0..count).map(word).collect()
}

#[test]
fn align_shifts_frames_of_two_streams() {
    const SEED: u64 = 1;
    let mut chance = Chance::new(SEED);
    let mut dut = Model::build("rx_align", &emit::verilog("rx_align", rx::Align::default())).unwrap();
    dut.reset(1);
    let streams = ["wire_in", "loopback"].map(|stream| {
        ["tdata", "tkeep", "tlast", "tuser", "tvalid", "tready"]
            .map(|name| dut.port(&format!("{stream}${name}")).unwrap())
    });
    let [word, valid, last, len, bad_fcs, from_wire] =
        ports(&dut, ["word", "valid", "last", "len", "bad_fcs", "from_wire"]);
    let mut sending: [Sending; 2] = [None, None];
    let mut expected: VecDeque<Stored> = VecDeque::new();
    let mut frames = 0;
    for cycle in 0..60_000 {
        if chance.permille(1) {
            let cycles = 1 + chance.below(3);
            dut.reset(cycles);
            (sending, expected) = ([None, None], VecDeque::new());
        }
        for (stream, state) in streams.iter().zip(&mut sending) {
            if state.is_none() && chance.permille(150) {
                let most = if chance.permille(100) { 9100 } else { 90 };
                let mut frame = vec![0; 1 + chance.below(most) as usize];
                chance.fill(&mut frame);
                *state = Some((frame, chance.permille(200), 0, false));
            }
            let [tdata, tkeep, tlast, tuser, tvalid, _] = *stream;
            let mut offered = false;
            if let Some((frame, damaged, at, valid)) = state {
                *valid |= chance.permille(700);
                offered = *valid;
                let bytes = &frame[4 * *at..frame.len().min(4 * *at + 4)];
                let ends = 4 * *at + 4 >= frame.len();
                let mut data = [0xa5; 4];
                data[..bytes.len()].copy_from_slice(bytes);
                dut.set(tdata, u32::from_le_bytes(data).into());
                dut.set(tkeep, (1 << bytes.len()) - 1);
                dut.set(tlast, ends.into());
                dut.set(tuser, (*damaged && ends).into());
            }
            dut.set(tvalid, offered.into());
        }
        dut.eval();
        // A word appears one cycle after it was taken; what is there now was expected before this cycle's transfers.
        if dut.is_high(valid) {
            let (data, mask, ends, length, damaged, wire) =
                expected.pop_front().unwrap_or_else(|| panic!("seed {SEED}, cycle {cycle}: a word too many"));
            assert_eq!(dut.get(word) as u32 & mask, data, "seed {SEED}, cycle {cycle}");
            assert_eq!(
                (dut.is_high(last), dut.is_high(from_wire)),
                (ends, wire),
                "seed {SEED}, cycle {cycle}"
            );
            if ends {
                assert_eq!((dut.get(len) as usize, dut.is_high(bad_fcs)), (length, damaged), "cycle {cycle}");
                frames += 1;
            }
        }
        let ready = streams.map(|stream| dut.is_high(stream[5]));
        assert!(!(ready[0] && ready[1]), "seed {SEED}, cycle {cycle}: both streams are ready");
        for (index, state) in sending.iter_mut().enumerate() {
            let Some((frame, damaged, at, valid)) = state else { continue };
            if !*valid || !ready[index] {
                continue;
            }
            // A stored word is whole when two bytes of this stream word are there, or the frame ends.
            let words = stored(frame, *damaged, index == 0);
            let ends = 4 * *at + 4 >= frame.len();
            expected.push_back(words[*at]);
            if ends && words.len() > *at + 1 {
                expected.push_back(words[*at + 1]);
            }
            *at += 1;
            *valid = false;
            if ends {
                *state = None;
            }
        }
        dut.cycle();
    }
    assert!(frames > 500, "seed {SEED}: only {frames} frames");
}

#[test]
fn admission_follows_the_settings_and_finds_tags() {
    const SEED: u64 = 2;
    let mut chance = Chance::new(SEED);
    let text = emit::verilog("rx_admission", rx::Admission::default());
    let mut dut = Model::build("rx_admission", &text).unwrap();
    dut.reset(1);
    let [word, valid, last, from_wire, refuse, vlan] =
        ports(&dut, ["word", "valid", "last", "from_wire", "refuse", "vlan"]);
    let (mut refused, mut tags) = (0, 0);
    for frame in 0..20_000 {
        let mut station = [0; 6];
        chance.fill(&mut station);
        station[0] &= !1;
        let mut bytes = vec![0; 18 + 4 * chance.below(4) as usize];
        chance.fill(&mut bytes[2..]);
        match chance.below(6) {
            0 => bytes[2..8].fill(0xff),
            1 => bytes[2] |= 1,
            2 => {
                bytes[2..8].fill(0xff);
                bytes[2 + chance.below(6) as usize] ^= 1 << chance.below(8);
            }
            3 => {
                bytes[2..8].copy_from_slice(&station);
                bytes[2 + chance.below(6) as usize] ^= 1 << chance.below(8);
            }
            4 => bytes[2..8].copy_from_slice(&station),
            _ => bytes[2] &= !1,
        }
        match chance.below(5) {
            0 => bytes[14..16].copy_from_slice(&[0x81, 0x00]),
            1 => bytes[14..16].copy_from_slice(&[0x88, 0xa8]),
            2 => bytes[14..16].copy_from_slice(&[0x00, 0x81]),
            _ => {}
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let settings: [bool; 3] = std::array::from_fn(|_| chance.permille(500));
        for (name, on) in ["promiscuous", "broadcast", "multicast"].into_iter().zip(settings) {
            dut.poke(name, on.into());
        }
        dut.poke("station_low", u32::from_le_bytes(station[..4].try_into().unwrap()).into());
        dut.poke("station_high", u16::from_le_bytes(station[4..].try_into().unwrap()).into());
        let wire = chance.permille(800);
        dut.set(from_wire, wire.into());
        let [promiscuous, broadcast, multicast] = settings;
        let to = &bytes[2..8];
        let wanted = promiscuous
            || !wire
            || to == station
            || if to == [0xff; 6] { broadcast } else { to[0] & 1 == 1 && multicast };
        let tagged = [[0x81, 0x00], [0x88, 0xa8]].contains(&[bytes[14], bytes[15]]);
        let words = bytes.chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().unwrap()));
        let count = words.len();
        let stop = if chance.permille(20) { chance.below(count as u32) as usize } else { count };
        for (index, data) in words.enumerate() {
            if index == stop {
                dut.set(valid, 0);
                dut.reset(1);
                break;
            }
            while chance.permille(300) {
                dut.set(valid, 0);
                dut.set(word, chance.below(u32::MAX).into());
                dut.cycle();
            }
            dut.set(valid, 1);
            dut.set(word, data.into());
            dut.set(last, (index + 1 == count).into());
            dut.eval();
            let expected = (index > 1 && !wanted, index > 3 && tagged);
            assert_eq!(
                (dut.is_high(refuse), dut.is_high(vlan)),
                expected,
                "seed {SEED}, frame {frame}, word {index}"
            );
            dut.cycle();
        }
        dut.set(valid, 0);
        refused += u32::from(!wanted);
        tags += u32::from(tagged);
    }
    assert!(refused > 2000 && tags > 2000, "seed {SEED}: {refused} refused, {tags} tagged");
}

#[test]
fn a_ring_keeps_what_is_committed() {
    const SEED: u64 = 3;
    const WORDS: usize = 512;
    let mut chance = Chance::new(SEED);
    let mut dut = Model::build("rx_ring", &emit::verilog("rx_ring", rx::Ring::<9, 10>::default())).unwrap();
    dut.reset(1);
    let [write, write_data, commit, rollback, used, full] =
        ports(&dut, ["write", "write_data", "commit", "rollback", "used", "full"]);
    let [read_addr, read_data, free, free_words] =
        ports(&dut, ["read_addr", "read_data", "free", "free_words"]);
    let (mut words, mut committed): (VecDeque<u32>, usize) = (VecDeque::new(), 0);
    let (mut asked, mut fulls, mut next) = (None, 0, 0);
    // Phases in which the ring fills and empties.
    for cycle in 0..80_000 {
        let filling = cycle / 2000 % 2 == 0;
        if chance.permille(1) {
            dut.set(write, 0);
            dut.set(free, 0);
            dut.set(commit, 0);
            dut.set(rollback, 0);
            dut.reset(1);
            words.clear();
            (committed, asked) = (0, None);
        }
        dut.eval();
        assert_eq!(dut.get(used) as usize, words.len(), "seed {SEED}, cycle {cycle}");
        assert_eq!(dut.is_high(full), words.len() == WORDS, "seed {SEED}, cycle {cycle}");
        fulls += u32::from(words.len() == WORDS);
        if let Some(expected) = asked.take() {
            assert_eq!(dut.get(read_data) as u32, expected, "seed {SEED}, cycle {cycle}");
        }
        let writes = chance.permille(if filling { 900 } else { 300 });
        let ends = chance.permille(60);
        let back = ends && chance.permille(300);
        let frees = if committed > 0 && chance.permille(if filling { 20 } else { 60 }) {
            1 + chance.below(committed.min(40) as u32) as usize
        } else {
            0
        };
        next += 1;
        dut.set(write, writes.into());
        dut.set(write_data, next.into());
        dut.set(commit, (ends && !back).into());
        dut.set(rollback, back.into());
        dut.set(free, (frees > 0).into());
        dut.set(free_words, frees as u64);
        if committed > 0 {
            let place = chance.below(committed as u32) as usize;
            dut.set(read_addr, place as u64);
            asked = Some(words[place]);
        }
        dut.cycle();
        if writes && words.len() < WORDS {
            words.push_back(next);
        }
        if back {
            words.truncate(committed);
        } else if ends {
            committed = words.len();
        }
        words.drain(..frees);
        committed -= frees;
    }
    assert!(fulls > 100, "seed {SEED}: full in {fulls} cycles");
}

#[test]
fn a_host_queue_counts_and_keeps_its_packets() {
    const SEED: u64 = 4;
    // 512 words and 8 packets, of the 32 that its indices could count.
    let mut chance = Chance::new(SEED);
    let mut block = rx::HostQueue::<9, 10, 5, 6>::default();
    block.set_packets_log2(3);
    let text = emit::verilog("rx_host_queue", block);
    let mut dut = Model::build("rx_host_queue", &text).unwrap();
    dut.reset(1);
    let [write, write_data, push, packet, used_words, room] =
        ports(&dut, ["write", "write_data", "push", "packet", "used_words", "room"]);
    let [pending, qlen, go, valid, head, read_addr, read_data, pop] =
        ports(&dut, ["pending", "qlen", "go", "valid", "head", "read_addr", "read_data", "pop"]);
    // Packets: their words, and their information as it goes in (length, arrival, verified).
    let mut queue: VecDeque<(Vec<u32>, u64)> = VecDeque::new();
    let mut granted = 0;
    let mut writing: Option<(Vec<u32>, u64, usize)> = None;
    let mut asked = None;
    let (mut passed, mut fullest) = (0, 0);
    for cycle in 0..80_000 {
        let draining = cycle / 3000 % 2 == 1;
        if chance.permille(1) {
            for port in [write, push, go, pop] {
                dut.set(port, 0);
            }
            dut.reset(1);
            queue.clear();
            (granted, writing, asked) = (0, None, None);
        }
        dut.eval();
        let stored: usize = queue.iter().map(|(words, _)| words.len()).sum();
        let under_way = writing.as_ref().map_or(0, |(.., at)| *at);
        assert_eq!(dut.get(used_words) as usize, stored + under_way, "seed {SEED}, cycle {cycle}");
        assert_eq!(dut.is_high(room), queue.len() < 8, "seed {SEED}, cycle {cycle}");
        let waiting = queue.len() - granted;
        assert_eq!(
            dut.get(qlen) as usize,
            waiting,
            "seed {SEED}, cycle {cycle}: the counter is not the content"
        );
        assert_eq!(dut.is_high(pending), waiting > 0 && granted < 4, "seed {SEED}, cycle {cycle}");
        assert_eq!(dut.is_high(valid), granted > 0, "seed {SEED}, cycle {cycle}");
        if granted > 0 {
            assert_eq!(dut.get(head), queue[0].1, "seed {SEED}, cycle {cycle}");
        }
        if let Some(expected) = asked.take() {
            assert_eq!(dut.get(read_data) as u32, expected, "seed {SEED}, cycle {cycle}");
        }
        fullest = fullest.max(queue.len());

        if writing.is_none() && queue.len() < 8 && chance.permille(if draining { 100 } else { 600 }) {
            let words: Vec<u32> = (0..4 + chance.below(90)).map(|_| chance.below(u32::MAX)).collect();
            if stored + words.len() <= 512 {
                let bytes = 4 * words.len() as u64 - u64::from(chance.below(4));
                let arrival = u64::from(chance.below(u32::MAX));
                writing = Some((words, bytes | arrival << 14 | u64::from(chance.below(2)) << 46, 0));
            }
        }
        let mut pushed = None;
        dut.set(write, 0);
        dut.set(push, 0);
        if let Some((words, information, at)) = writing.as_mut().filter(|_| chance.permille(800)) {
            dut.set(write, 1);
            dut.set(write_data, words[*at].into());
            *at += 1;
            if *at == words.len() {
                dut.set(push, 1);
                dut.set(packet, *information);
                pushed = Some((std::mem::take(words), *information));
            }
        }
        // Grants and frees, also when there is nothing to grant or free.
        let goes = chance.permille(if draining { 300 } else { 60 });
        let pops = chance.permille(if draining { 100 } else { 10 });
        dut.set(go, goes.into());
        dut.set(pop, pops.into());
        if let Some((words, _)) = queue.front().filter(|_| granted > 0) {
            let place = chance.below(words.len() as u32) as usize;
            dut.set(read_addr, place as u64);
            asked = Some(words[place]);
        }
        dut.cycle();
        let grants = goes && waiting > 0 && granted < 4;
        if pops && granted > 0 {
            queue.pop_front();
            granted -= 1;
            passed += 1;
        }
        granted += usize::from(grants);
        if let Some(packet) = pushed {
            queue.push_back(packet);
            writing = None;
        }
    }
    assert!(
        passed > 500 && fullest == 8,
        "seed {SEED}: {passed} packets passed, at most {fullest} in the queue"
    );
}

/// A packet of the NIC's queue: its words, its information as it goes in, its arrival, and its descriptor.
struct NicPacket {
    words: Vec<u32>,
    information: u64,
    arrival: u64,
    descriptor: [u32; 16],
}

#[test]
fn a_nic_queue_keeps_packets_and_descriptors_on_two_sides() {
    const SEED: u64 = 5;
    // 512 words and 8 packets, of the 32 that its indices could count.
    let mut chance = Chance::new(SEED);
    let mut block = rx::NicQueue::<9, 10, 5, 6, 9>::default();
    block.set_packets_log2(3);
    let text = emit::verilog("rx_nic_queue", block);
    let mut dut = Model::build("rx_nic_queue", &text).unwrap();
    dut.reset(1);
    let [write, write_data, desc_write, desc_index, desc_data, push, packet, used_words, room] = ports(
        &dut,
        [
            "write",
            "write_data",
            "desc_write",
            "desc_index",
            "desc_data",
            "push",
            "packet",
            "used_words",
            "room",
        ],
    );
    let [valid, stamp, qlen, word_index, word, advance] =
        ports(&dut, ["valid", "stamp", "qlen", "word_index", "word", "advance"]);
    let [head_valid, head, read_addr, read_data, pop] =
        ports(&dut, ["head_valid", "head", "read_addr", "read_data", "pop"]);
    let mut queue: VecDeque<NicPacket> = VecDeque::new();
    // Packets at the queue's front that the descriptor side has left behind.
    let mut advanced = 0;
    let mut writing: Option<(NicPacket, usize)> = None;
    let (mut asked_word, mut asked_data) = (None, None);
    let (mut passed, mut fullest, mut resets) = (0, 0, 0);
    for cycle in 0..80_000 {
        let draining = cycle / 3000 % 2 == 1;
        if chance.permille(1) {
            for port in [write, desc_write, push, advance, pop] {
                dut.set(port, 0);
            }
            dut.reset(1);
            queue.clear();
            (advanced, writing, asked_word, asked_data) = (0, None, None, None);
            resets += 1;
        }
        dut.eval();
        let at = format!("seed {SEED}, cycle {cycle}");
        let stored: usize = queue.iter().map(|packet| packet.words.len()).sum();
        let under_way = writing.as_ref().map_or(0, |(_, at)| *at);
        assert_eq!(dut.get(used_words) as usize, stored + under_way, "{at}");
        assert_eq!(dut.is_high(room), queue.len() < 8, "{at}");
        let waiting = queue.len() - advanced;
        assert_eq!(dut.get(qlen) as usize, waiting, "{at}: the counter is not the content");
        assert_eq!((dut.is_high(valid), dut.is_high(head_valid)), (waiting > 0, !queue.is_empty()), "{at}");
        if waiting > 0 {
            assert_eq!(dut.get(stamp), queue[advanced].arrival, "{at}");
        }
        if let Some(oldest) = queue.front() {
            assert_eq!(dut.get(head), oldest.information, "{at}");
        }
        for (port, expected) in [(word, asked_word.take()), (read_data, asked_data.take())] {
            assert!(
                expected.is_none_or(|expected: u32| dut.get(port) as u32 == expected),
                "{at}: {expected:?}"
            );
        }
        fullest = fullest.max(queue.len());

        if writing.is_none() && queue.len() < 8 && chance.permille(if draining { 100 } else { 600 }) {
            // A descriptor is written beside the words, so a packet has as many words at least.
            let words: Vec<u32> = (0..16 + chance.below(80)).map(|_| chance.below(u32::MAX)).collect();
            if stored + words.len() <= 512 {
                let bytes = 4 * words.len() as u64 - u64::from(chance.below(4));
                let arrival = u64::from(chance.below(u32::MAX));
                let information = bytes | arrival << 14 | u64::from(chance.below(2)) << 46;
                let descriptor = std::array::from_fn(|_| chance.below(u32::MAX));
                writing = Some((NicPacket { words, information, arrival, descriptor }, 0));
            }
        }
        let mut pushed = false;
        for port in [write, desc_write, push] {
            dut.set(port, 0);
        }
        if let Some((incoming, at)) = writing.as_mut().filter(|_| chance.permille(800)) {
            dut.set(write, 1);
            dut.set(write_data, incoming.words[*at].into());
            if let Some(value) = incoming.descriptor.get(*at) {
                dut.set(desc_write, 1);
                dut.set(desc_index, *at as u64);
                dut.set(desc_data, (*value).into());
            }
            *at += 1;
            if *at == incoming.words.len() {
                dut.set(push, 1);
                dut.set(packet, incoming.information);
                pushed = true;
            }
        }
        // The firmware goes on and the mover frees, also when there is nothing; the mover never overtakes the firmware.
        let goes = chance.permille(if draining { 100 } else { 12 });
        let frees = chance.permille(if draining { 100 } else { 10 }) && (advanced > 0 || queue.is_empty());
        dut.set(advance, goes.into());
        dut.set(pop, frees.into());
        if waiting > 0 && !goes {
            let index = chance.below(16) as usize;
            dut.set(word_index, index as u64);
            asked_word = Some(queue[advanced].descriptor[index]);
        }
        if let Some(oldest) = queue.front() {
            let place = chance.below(oldest.words.len() as u32) as usize;
            dut.set(read_addr, place as u64);
            asked_data = Some(oldest.words[place]);
        }
        dut.cycle();
        advanced += usize::from(goes && waiting > 0);
        if frees && queue.pop_front().is_some() {
            advanced -= 1;
            passed += 1;
        }
        if pushed {
            queue.extend(writing.take().map(|(packet, _)| packet));
        }
    }
    assert!(
        passed > 500 && fullest == 8 && resets > 40,
        "seed {SEED}: {passed} packets passed, at most {fullest} in the queue, {resets} resets"
    );
}

/// A frame that `Steer` is to move: what is known of it, and its stored words.
#[derive(Clone)]
struct Routed {
    words: Vec<u32>,
    stored_len: u64,
    payload_len: u64,
    data_offset: u64,
    ecn: u64,
    segment_word: u64,
    bad: bool,
    verified: bool,
    hit: bool,
    value: u64,
    drop: bool,
    arrival: u64,
    sort: u64,
}

impl Routed {
    fn random(chance: &mut Chance) -> Routed {
        // The TCP header begins at word 9, or later behind tags and IP options, and is in the frame.
        let segment_word = 9 + u64::from(chance.below(6));
        let least = segment_word as u32 + 5;
        let most = if chance.permille(30) { 700 } else { 40 };
        let count = least + chance.below(most);
        let hit = chance.permille(500);
        Routed {
            words: (0..count).map(|_| chance.below(u32::MAX)).collect(),
            stored_len: u64::from(4 * count - chance.below(4)),
            payload_len: u64::from(chance.below(1 << 14)),
            data_offset: u64::from(5 + chance.below(11)),
            ecn: u64::from(chance.below(4)),
            segment_word,
            bad: chance.permille(80),
            verified: chance.permille(500),
            hit,
            value: u64::from(chance.below(1 << 16)),
            drop: !hit && chance.permille(80),
            arrival: u64::from(chance.below(u32::MAX)),
            sort: u64::from(chance.below(1 << 11)),
        }
    }

    /// As a `RoutedFrame` of so many bits, least field first; what the program carries stays zero.
    fn packed(&self, width: usize) -> u64 {
        let facts = self.stored_len
            | self.payload_len << 14
            | self.data_offset << 28
            | self.ecn << 32
            | u64::from(self.bad) << 34
            | u64::from(self.verified) << 35
            | u64::from(self.hit) << 36
            | self.segment_word << 37;
        facts
            | u64::from(self.hit) << (width - 18)
            | self.value << (width - 17)
            | u64::from(self.drop) << (width - 1)
    }

    /// As a `Packet`. The host's queue and class of a frame for the NIC have no meaning.
    fn packet(&self) -> u64 {
        self.stored_len | self.arrival << 14 | u64::from(self.verified) << 46 | self.sort << 47
    }

    /// The descriptor as far as the frame has words for it; see `abi::mmio::nic_rx`.
    fn descriptor(&self) -> Vec<(u64, u64)> {
        let segment = self.segment_word as usize;
        let big = |word: usize| u64::from(self.words[word].swap_bytes());
        let offset = 4 * (self.segment_word + self.data_offset);
        let mut words = vec![
            (0, self.value | self.payload_len << 16),
            (1, offset | self.ecn << 14 | self.payload_len << 16),
            (2, self.arrival),
        ];
        words.extend((1..4).map(|field| (field as u64 + 2, big(segment + field))));
        let options = (segment + 15).min(self.words.len()) - segment;
        words.extend((5..options).map(|option| (option as u64 + 1, big(segment + option))));
        words
    }
}

#[test]
fn steer_moves_each_frame_to_its_queue_or_drops_it() {
    const SEED: u64 = 6;
    const CAPACITY: u64 = 2048;
    let mut chance = Chance::new(SEED);
    let mut dut =
        Model::build("rx_steer", &emit::verilog("rx_steer", rx::Steer::<12, 12>::default())).unwrap();
    let [routed_valid, routed, arrival, sort, take, read_addr, read_data, free, free_words] = ports(
        &dut,
        ["routed_valid", "routed", "arrival", "sort", "take", "read_addr", "read_data", "free", "free_words"],
    );
    let [host_used, host_room, host_write, host_push, nic_used, nic_room, nic_write, nic_push] = ports(
        &dut,
        [
            "host_used",
            "host_room",
            "host_write",
            "host_push",
            "nic_used",
            "nic_room",
            "nic_write",
            "nic_push",
        ],
    );
    let [write_data, packet, desc_write, desc_index, desc_data] =
        ports(&dut, ["write_data", "packet", "desc_write", "desc_index", "desc_data"]);
    let outcomes = ports(&dut, ["bad", "refused", "to_host", "host_drop", "to_nic", "nic_drop"]);
    let [bad, refused, to_host, host_drop, to_nic, nic_drop] = outcomes;
    let width = dut.ports().find(|port| port.name == "routed").unwrap().width;
    dut.reset(1);
    // Frames at or behind the head; words that are stored; frames under way to each queue with what has come of them.
    let mut frames: VecDeque<Routed> = VecDeque::new();
    let mut memory: VecDeque<u32> = VecDeque::new();
    let mut to: [Option<Routed>; 2] = [None, None];
    let mut written: [Vec<u32>; 2] = [Vec::new(), Vec::new()];
    let mut descriptor: Vec<(u64, u64)> = Vec::new();
    let mut shown = false;
    let mut counts = [0; 6];
    let (mut resets, mut passes) = (0, 0);
    // What the queues said a cycle before, by which a frame is judged.
    let (mut used, mut room) = ([0; 2], [false; 2]);
    for cycle in 0..120_000 {
        let at = format!("seed {SEED}, cycle {cycle}");
        let (seen_used, seen_room) = (used, room);
        if chance.permille(1) {
            dut.set(routed_valid, 0);
            dut.reset(1);
            (frames, memory, to, written) =
                (VecDeque::new(), VecDeque::new(), [None, None], Default::default());
            (descriptor, shown) = (Vec::new(), false);
            resets += 1;
        }
        while frames.len() < 6 && memory.len() < 3000 {
            let frame = Routed::random(&mut chance);
            memory.extend(&frame.words);
            frames.push_back(frame);
        }
        // A frame shows when it has been judged, and stays until it is taken.
        shown |= chance.permille(300);
        dut.set(routed_valid, shown.into());
        dut.set(routed, frames[0].packed(width));
        dut.set(arrival, frames[0].arrival);
        dut.set(sort, frames[0].sort);
        // Both queues have room as it comes; while a frame is under way to one, nobody else takes it.
        used = [(); 2].map(|()| {
            let most = if chance.permille(100) { 60 } else { 2048 };
            CAPACITY - u64::from(chance.below(most))
        });
        room = [(); 2].map(|()| chance.permille(950));
        dut.set(host_used, used[0]);
        dut.set(nic_used, used[1]);
        dut.set(host_room, room[0].into());
        dut.set(nic_room, room[1].into());
        dut.eval();

        let happened = outcomes.map(|port| dut.is_high(port));
        for (count, pulse) in counts.iter_mut().zip(happened) {
            *count += usize::from(pulse);
        }
        let head = frames[0].clone();
        let fits = |queue: usize| seen_room[queue] && CAPACITY - seen_used[queue] >= head.words.len() as u64;
        assert!(!dut.is_high(bad) || (shown && head.bad), "{at}: a good frame is called bad");
        assert!(
            !dut.is_high(refused) || (shown && head.drop && !head.bad),
            "{at}: the program did not drop it"
        );
        let good = shown && !head.bad && !head.drop;
        assert!(!dut.is_high(host_drop) || (good && !head.hit && !fits(0)), "{at}: it fits the host's queue");
        assert!(!dut.is_high(nic_drop) || (good && head.hit && !fits(1)), "{at}: it fits the NIC's queue");
        assert!(!(dut.is_high(host_write) && dut.is_high(nic_write)), "{at}: two words at once");
        for (queue, write, push, done) in
            [(0, host_write, host_push, to_host), (1, nic_write, nic_push, to_nic)]
        {
            assert_eq!(dut.is_high(push), dut.is_high(done), "{at}");
            if !dut.is_high(write) {
                assert!(!dut.is_high(push), "{at}: a push without a word");
                continue;
            }
            // The host's frame is at the head until its last word; the NIC's has been taken.
            let frame = if queue == 0 { &head } else { to[1].as_ref().expect("a frame on its way") };
            assert_eq!(frame.hit, queue == 1, "{at}");
            if queue == 0 && written[0].is_empty() {
                passes += usize::from(to[1].is_some());
            }
            written[queue].push(dut.get(write_data) as u32);
            if dut.is_high(push) {
                assert_eq!(written[queue], frame.words, "{at}: the words of the frame");
                let sorted = if queue == 0 { u64::MAX } else { (1 << 47) - 1 };
                assert_eq!(dut.get(packet) & sorted, frame.packet() & sorted, "{at}");
            }
        }
        if dut.is_high(desc_write) {
            assert!(dut.is_high(nic_write), "{at}: a descriptor beside nothing");
            descriptor.push((dut.get(desc_index), dut.get(desc_data)));
        }
        if dut.is_high(host_push) {
            written[0].clear();
        }
        if dut.is_high(nic_push) {
            let frame = to[1].take().expect("a frame on its way");
            let mut expected = frame.descriptor();
            expected.sort_unstable();
            descriptor.sort_unstable();
            assert_eq!(descriptor, expected, "{at}");
            (written[1], descriptor) = (Vec::new(), Vec::new());
        }
        let taken = dut.is_high(take);
        if taken {
            assert!(shown, "{at}: nothing to take");
            let dropped = [bad, refused, host_drop, nic_drop].iter().any(|port| dut.is_high(*port));
            if head.hit && !dropped {
                assert!(good && fits(1) && to[1].is_none(), "{at}");
                to[1] = Some(head);
            } else {
                assert!(dropped || dut.is_high(to_host), "{at}: a frame is lost");
            }
            frames.pop_front();
            shown = false;
        }
        let word = memory.get(dut.get(read_addr) as usize).copied().unwrap_or(0);
        if dut.is_high(free) {
            memory.drain(..dut.get(free_words) as usize);
        }
        dut.cycle();
        dut.set(read_data, word.into());
    }
    assert!(counts.iter().all(|count| *count > 50), "seed {SEED}: outcomes {counts:?}");
    assert!(passes > 100 && resets > 60, "seed {SEED}: {passes} frames passed, {resets} resets");
}
