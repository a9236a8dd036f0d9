//! `dma::WriteSide` against a reference memory.
//!
//! Random packets, jobs and events of every length and alignment go in, through an AXI4 slave that stalls
//! every channel, performs writes out of order until it answers them, and refuses some. A host looks at the
//! index block in every cycle and compares with the reference whatever has just been announced; at the end
//! all of memory is compared.

mod axi;
mod bench;

use axi::{chance, Pace};
use baton_abi::mmio::job;
use bench::{Bench, Job, Packet, BROKEN, POOL, RANGES};

/// Hands out memory that nothing else uses, now and then on purpose at a bad place.
struct Allocator {
    next: u32,
    /// Percent of bad places.
    bad: u32,
}

impl Allocator {
    fn new(bad: u32) -> Self {
        Allocator { next: POOL, bad }
    }

    /// A place for `len` bytes, of which as few as `least` may be written.
    fn take(&mut self, len: u32, least: u32, align: u32, bench: &mut Bench) -> u32 {
        if chance(&mut bench.rng, self.bad) {
            let near = bench.below(2 * len.max(1)).wrapping_sub(len);
            let place = match bench.below(6) {
                // Across the seam of two ranges, the end of one, its start, the end of the address space.
                0 => RANGES[1].0.wrapping_sub(bench.below(len.max(2))),
                1 => RANGES[1].1.wrapping_add(near),
                2 => RANGES[2].0.wrapping_sub(1 + bench.below(64)),
                3 => 0xFFFF_FFFFu32.wrapping_sub(bench.below(len.max(2))),
                4 => RANGES[3].0,
                _ => BROKEN.start + 4 * bench.below(200),
            };
            // A place that is refused, or broken: any other would be used twice.
            let place = place & !(align - 1);
            if !bench::allowed(place, least as usize) || BROKEN.contains(&place) {
                return place;
            }
        }
        let mut place = (self.next + bench.below(16)).next_multiple_of(align);
        if place < RANGES[1].0 && place + len > RANGES[1].0 {
            place = RANGES[1].0;
        }
        self.next = place + len;
        assert!(self.next <= RANGES[1].1, "the pool is used up");
        place
    }
}

fn length(bench: &mut Bench) -> u32 {
    match bench.below(4) {
        0 => 62,
        1 => 16 + bench.below(100),
        2 => 1520 - bench.below(8),
        _ => 16 + bench.below(1500),
    }
}

/// Cycles within which any test is over.
const LIMIT: u32 = 1_000_000;

/// Everything at once.
fn traffic(seed: u64, pace: Pace, packets: u32, bad: u32) {
    let bench = Bench::new(pace, seed);
    traffic_until(bench, seed, packets, bad, LIMIT);
}

/// Everything at once, up to a cycle; before it, the traffic comes to its end and all of memory is compared.
fn traffic_until(mut bench: Bench, seed: u64, packets: u32, bad: u32, end: u32) -> Bench {
    println!("seed {seed}: {:?}", bench.slave.pace);
    let mut memory = Allocator::new(bad);
    bench.queue_pace = if seed.is_multiple_of(2) { 100 } else { 40 };
    let (mut host, mut nic) = (packets, packets);
    while host > 0 || nic > 0 {
        if bench.ring_room() > 0 && chance(&mut bench.rng, 10) {
            let len = if chance(&mut bench.rng, bad) { 100 } else { 1536 };
            let addr = memory.take(len, 16, 4, &mut bench);
            bench.post(addr, len);
        }
        if host > 0 && bench.host.len() < 4 && chance(&mut bench.rng, 5) {
            host -= 1;
            let (len, arrival) = (length(&mut bench) as usize, bench.cycle.wrapping_sub(20));
            let packet = Packet::random(len, arrival, &mut bench.rng);
            bench.push_host(packet);
        }
        if nic > 0 && bench.jobs.len() < 16 && chance(&mut bench.rng, 5) {
            nic -= 1;
            nic_packet(&mut bench, &mut memory);
        }
        if chance(&mut bench.rng, 1) {
            bench.tx_cons = bench.tx_cons.wrapping_add(1);
        }
        if chance(&mut bench.rng, 1) {
            bench.cmd_cons = bench.cmd_cons.wrapping_add(3);
        }
        bench.step();
        if bench.cycle >= end {
            assert!(end < LIMIT, "{host} host packets, {nic} NIC packets left");
            return bench;
        }
    }
    while !bench.host.is_empty() || !bench.jobs.is_empty() {
        if bench.ring_room() > 0 {
            let addr = memory.take(1536, 16, 4, &mut bench);
            bench.post(addr, 1536);
        }
        bench.step();
        assert!(bench.cycle < LIMIT, "jobs left: {:?}", bench.jobs);
    }
    bench.finish(100_000);
    println!("  {} cycles, {} bursts, {} faults", bench.cycle, bench.slave.issued.len(), bench.reports);
    let stopped = end < LIMIT;
    assert!(bad == 0 || stopped || (bench.sources[0] > 0 && bench.sources[1] > 0), "too little went wrong");
    bench
}

/// A packet with the jobs of a firmware: copies, events, and its end.
fn nic_packet(bench: &mut Bench, memory: &mut Allocator) {
    let len = length(bench);
    let packet = Packet::random(len as usize, bench.cycle, &mut bench.rng);
    bench.push_nic(packet);
    for _ in 0..bench.below(4) {
        let src = bench.below(len);
        let len = bench.below(len - src + 1);
        let addr = memory.take(len, len, 1, bench);
        bench.push_job(Job { op: job::COPY, src: src as u16, len: len as u16, addr });
        if bench.below(3) == 0 {
            let slots = 1 + bench.below(8) as u16;
            bench.push_event(slots);
        }
    }
    if bench.below(8) == 0 {
        // Jobs that mean nothing must not stop those that do.
        let op = [0, 5, 6, 7][bench.below(4) as usize];
        bench.push_job(Job { op, src: 1, len: 2, addr: 3 });
        bench.push_job(Job { op: job::EVENT, src: 0, len: 0, addr: 0 });
    }
    let op = if bench.below(3) == 0 { job::TO_HOST } else { job::POP };
    bench.push_job(Job { op, src: 0, len: 0, addr: 0 });
}

const STALLS: [Pace; 4] = [
    Pace { awready: 50, wready: 60, perform: 30, answer: 50, latency: 0 },
    Pace { awready: 5, wready: 90, perform: 10, answer: 90, latency: 20 },
    Pace { awready: 90, wready: 15, perform: 90, answer: 5, latency: 0 },
    Pace { awready: 100, wready: 100, perform: 2, answer: 20, latency: 100 },
];

#[test]
fn random_traffic_without_faults() {
    traffic(1, Pace::IDEAL, 100, 0);
    for (seed, pace) in STALLS.into_iter().enumerate() {
        traffic(10 + seed as u64, pace, 80, 0);
    }
}

#[test]
fn random_traffic_with_faults() {
    traffic(2, Pace::IDEAL, 80, 20);
    for (seed, pace) in STALLS.into_iter().enumerate() {
        traffic(20 + seed as u64, pace, 60, 20);
    }
}

/// Resets in the middle of everything: what was under way is forgotten, and all that comes after is exact.
#[test]
fn resets_at_any_time() {
    let mut bench = Bench::new(STALLS[0], 30);
    for seed in 30..70 {
        let pace = STALLS[seed as usize % STALLS.len()];
        let end = 100 + bench.below(3000);
        bench = traffic_until(bench, seed, 40, 10, end);
        bench = bench.reset(pace, seed);
    }
    let bench = bench.reset(Pace::IDEAL, 71);
    traffic_until(bench, 71, 40, 20, LIMIT);
}

/// Every alignment of source and destination with every length up to a few words, and over a line's end.
#[test]
fn copies_of_every_alignment() {
    let mut bench = Bench::new(Pace::IDEAL, 3);
    let packet = Packet::random(700, 0, &mut bench.rng);
    bench.push_nic(packet);
    let mut line = POOL;
    for src in 0..4 {
        for lane in 0..4 {
            for len in (1..=17).chain(246..=262) {
                let addr = if len > 17 { line + lane } else { line + 244 + lane };
                bench.push_job(Job { op: job::COPY, src: 100 + src, len, addr });
                line += 512;
            }
        }
    }
    bench.push_job(Job { op: job::POP, src: 0, len: 0, addr: 0 });
    bench.finish(200_000);
}

/// The event ring fills; host packets and the index block go on; the message goes out whole when there is
/// room.
#[test]
fn a_full_event_ring_holds_up_only_jobs() {
    let mut bench = Bench::new(Pace::IDEAL, 4);
    let mut memory = Allocator::new(0);
    bench.acknowledge_events(false);
    bench.push_event(8);
    bench.push_event(5);
    bench.push_event(4);
    bench.push_event(1);
    for _ in 0..8 {
        let addr = memory.take(1536, 16, 4, &mut bench);
        bench.post(addr, 1536);
        let packet = Packet::random(100, 0, &mut bench.rng);
        bench.push_host(packet);
    }
    for _ in 0..3000 {
        bench.step();
    }
    assert_eq!((bench.completions, bench.events_seen, bench.index[1], bench.index[3]), (8, 13, 8, 13));
    bench.acknowledge_events(true);
    bench.finish(3000);
    assert_eq!(bench.events_seen, 18);
}

/// Rings and the index block outside registered memory: every access is refused and reported, nothing is
/// written, nothing stops.
#[test]
fn rings_outside_registered_memory() {
    let mut bench = Bench::new(Pace::IDEAL, 5);
    bench.blind = true;
    bench.poke("rx_base", 0x400D_0000);
    bench.poke("evt_base", 0x400D_8000);
    bench.poke("index_addr", 0xFFFF_FFF8);
    for _ in 0..4 {
        bench.post(RANGES[1].1, 1536);
        let packet = Packet::random(100, 0, &mut bench.rng);
        bench.push_host(packet);
        bench.push_event(2);
    }
    bench.drain(5000);
    assert!(bench.events.is_empty(), "refused event words stay behind");
    assert!(bench.slave.issued.is_empty());
    // Buffers, completions, event slots, and at least one index block.
    assert!(bench.reports > 4 + 4 + 8, "{} reports", bench.reports);
    assert_eq!(bench.sources[..4], [4, 0, 4, 8]);
    assert!(bench.sources[4] > 0);
    assert_eq!(bench.slave.memory.difference(&bench.mirror), None);
}

/// One word a cycle within a packet; smallest frames at little more than their words and their completion.
#[test]
fn throughput() {
    for (len, frames, most) in [(62usize, 200u32, 25), (1520, 30, 405)] {
        let mut bench = Bench::new(Pace::IDEAL, 6);
        let mut place = POOL;
        let (mut left, start) = (frames, bench.cycle);
        while bench.completions < frames as usize {
            while bench.ring_room() > 0 && bench.descriptors.len() < 8 {
                bench.post(place, 1536);
                place += 1536;
            }
            if left > 0 && bench.host.len() < 4 {
                left -= 1;
                let packet = Packet::random(len, bench.cycle, &mut bench.rng);
                bench.push_host(packet);
            }
            bench.step();
            assert!(bench.cycle < LIMIT, "{} of {frames} frames completed", bench.completions);
        }
        let each = (bench.cycle - start) / frames;
        println!(
            "{len} bytes: {each} cycles a frame, index block written {} times",
            bench.index_writes.len()
        );
        assert!(each <= most, "{len} bytes took {each} cycles, more than {most}");
    }
}

/// Under a flood of host packets and jobs, which between them never leave a gap, an index that changed is
/// written after a few operations.
#[test]
fn the_index_block_is_not_starved() {
    let mut bench = Bench::new(Pace::IDEAL, 7);
    let packet = Packet::random(64, 0, &mut bench.rng);
    bench.push_nic(packet);
    let (mut place, mut since, mut most) = (POOL + 1024, 0, 0);
    while place < RANGES[1].1 - 2048 {
        if bench.ring_room() > 0 && bench.descriptors.len() < 8 {
            bench.post(place, 1536);
            place += 1536;
        }
        if bench.host.len() < 4 {
            let packet = Packet::random(62, bench.cycle, &mut bench.rng);
            bench.push_host(packet);
        }
        if bench.jobs.len() < 4 {
            bench.push_job(Job { op: job::COPY, src: 0, len: 64, addr: POOL });
        }
        let (writes, before) = (bench.index_writes.len(), bench.host.len() + bench.jobs.len());
        bench.step();
        since += before - (bench.host.len() + bench.jobs.len()).min(before);
        most = most.max(since);
        if bench.index_writes.len() > writes {
            since = 0;
        }
        assert!(bench.cycle < LIMIT);
    }
    println!("at most {most} operations between two index blocks");
    // Those on their way when the index changed, those until they are acknowledged, four more, and those
    // that pass while the write itself is under way.
    assert!(most <= 10, "{most} operations without an index block");
}

/// While copies never leave a gap, a host packet waits for the piece under way and no longer.
#[test]
fn a_host_packet_waits_for_one_piece_of_a_copy() {
    // Cycles from a packet's arrival at an idle engine until its last word has been read.
    const IDLE: u32 = 24;
    let mut most = [0; 2];
    for (busy, most) in most.iter_mut().enumerate() {
        let mut bench = Bench::new(Pace::IDEAL, 9);
        // The copies overwrite each other, so that memory is not compared.
        bench.blind = true;
        let packet = Packet::random(1500, 0, &mut bench.rng);
        bench.push_nic(packet);
        for _ in 0..60 {
            bench.post(POOL + 0x8000, 1536);
            for _ in 0..300 + bench.below(100) {
                if busy == 1 && bench.jobs.len() < 4 {
                    let at = POOL + bench.below(256);
                    bench.push_job(Job { op: job::COPY, src: 40, len: 1460, addr: at });
                }
                bench.step();
            }
            let packet = Packet::random(62, bench.cycle, &mut bench.rng);
            bench.push_host(packet);
            let start = bench.cycle;
            while !bench.host.is_empty() {
                if busy == 1 && bench.jobs.len() < 4 {
                    bench.push_job(Job { op: job::COPY, src: 40, len: 1460, addr: POOL });
                }
                bench.step();
                assert!(bench.cycle < LIMIT);
            }
            *most = (*most).max(bench.cycle - start);
        }
    }
    println!("{most:?} cycles until a packet of 16 words was read: idle, and beside copies");
    assert!(most[0] <= IDLE && most[1] <= IDLE + 64 + 8, "{most:?}");
}

/// Accesses that end or start at the very edges of the ranges, or one byte beyond.
#[test]
fn range_edges() {
    let mut bench = Bench::new(Pace::IDEAL, 8);
    let packet = Packet::random(64, 0, &mut bench.rng);
    bench.push_nic(packet);
    for (base, limit) in RANGES {
        for addr in [base, base.wrapping_sub(1), base - 8, limit - 8, limit - 7, limit - 1, limit] {
            bench.push_job(Job { op: job::COPY, src: 3, len: 8, addr });
        }
    }
    for addr in [0u32, 1, 0x3FFF_FFF9, 0x4000_0010, 0xFFFF_FFF8, 0xFFFF_FFF9, 0xFFFF_FFFC, 0xFFFF_FFFF] {
        bench.push_job(Job { op: job::COPY, src: 3, len: 8, addr });
    }
    bench.push_job(Job { op: job::POP, src: 0, len: 0, addr: 0 });
    bench.finish(10_000);
    assert!(bench.reports > 15);
}
