//! The softcore's devices at their bus: queues in both directions, windows, and what ends the core's sleep.

mod support;

use baton_abi::mmio::{self, lookup, BLOCKS};
use baton_abi::Access;
use baton_cosim::block::Model;
use baton_hdl::core::Mmio;
use std::collections::VecDeque;
use support::Chance;

struct Bench {
    dut: Model,
}

impl Bench {
    fn new() -> Bench {
        let mut dut = Model::build("mmio", &baton_hdl::emit::verilog("mmio", Mmio::default())).unwrap();
        let ticks = dut.port("ticks_per_us").unwrap();
        dut.set(ticks, 10);
        dut.reset(2);
        Bench { dut }
    }

    fn set(&mut self, name: &str, value: u64) {
        let port = self.dut.port(name).unwrap();
        self.dut.set(port, value);
    }

    fn get(&mut self, name: &str) -> u64 {
        let port = self.dut.port(name).unwrap();
        self.dut.eval();
        self.dut.get(port)
    }

    /// Up to the cycle in which the write acts.
    fn write(&mut self, addr: u32, value: u32) {
        self.set("addr", u64::from(addr));
        self.set("wdata", u64::from(value));
        self.set("write", 1);
        self.dut.cycle();
        self.set("write", 0);
    }

    fn read(&mut self, addr: u32) -> u32 {
        self.set("addr", u64::from(addr));
        self.dut.cycle();
        self.get("rdata") as u32
    }

    /// Delivers a command slot word by word.
    fn command(&mut self, words: [u32; 8]) {
        for word in words {
            assert_eq!(self.get("cmd_ready"), 1);
            self.set("cmd_word", u64::from(word));
            self.set("cmd_valid", 1);
            self.dut.cycle();
        }
        self.set("cmd_valid", 0);
    }
}

#[test]
fn registers_keep_to_their_access() {
    let mut bench = Bench::new();
    let moving = [mmio::TIME_US, mmio::STATUS, mmio::LOOKUP_RESULT, mmio::NIC_RX_QLEN];
    for register in BLOCKS.iter().flat_map(|block| block.registers) {
        for address in (0..register.count).map(|i| register.address + 4 * i) {
            if moving.contains(&address)
                || address == mmio::LOOKUP_OP
                || [mmio::JOB_GO, mmio::NIC_RX_POP, mmio::NIC_RX_COPY].contains(&address)
            {
                continue;
            }
            let before = bench.read(address);
            bench.write(address, 0xFFFF_FFFF);
            let after = bench.read(address);
            let mask =
                register.fields.iter().fold(0u32, |m, f| m | (((1u64 << f.width) - 1) as u32) << f.lsb);
            let expected = match register.access {
                Access::ReadWrite if register.fields.is_empty() => u32::MAX,
                Access::ReadWrite => mask,
                _ => before,
            };
            assert_eq!(after, expected, "{} at {address:#06x}", register.name);
        }
    }
    assert_eq!(bench.read(mmio::CMD + 4 * 72), 0, "an address past the last");
}

#[test]
fn jobs_leave_as_they_were_pushed_and_a_full_queue_loses_the_rest() {
    let mut bench = Bench::new();
    for i in 0..20u32 {
        let room = bench.read(mmio::STATUS) & mmio::STATUS_JOB_ROOM != 0;
        assert_eq!(room, i <= 8, "room after {i} jobs");
        bench.write(mmio::JOB_SRC_LEN, i << 16 | (100 + i));
        bench.write(mmio::JOB_ADDR, 0x8000_0000 + i);
        bench.write(mmio::JOB_GO, i % 4 + 1);
    }
    assert_eq!(bench.read(mmio::STATUS) & mmio::STATUS_QUIET, 0);
    for i in 0..16u64 {
        assert_eq!(bench.get("job_valid"), 1);
        let job = ["job_op", "job_src", "job_len", "job_addr"].map(|name| bench.get(name));
        assert_eq!(job, [i % 4 + 1, 100 + i, i, 0x8000_0000 + i]);
        bench.set("job_pop", 1);
        bench.dut.cycle();
        bench.set("job_pop", 0);
    }
    assert_eq!(bench.get("job_valid"), 0, "what had no room is lost");
}

/// What one write does with a segment: the window moves, and its packet's jobs leave one by one.
#[test]
fn a_segment_is_taken_in_one_write() {
    let mut bench = Bench::new();
    let write = |bench: &mut Bench, addr: u32, value: u32| {
        bench.set("addr", u64::from(addr));
        bench.set("wdata", u64::from(value));
        bench.set("write", 1);
        assert_eq!(bench.get("nq_next"), 0);
        bench.dut.cycle();
        bench.set("write", 0);
        assert_eq!(bench.get("nq_next"), 1, "the window moves with what the write does");
        bench.dut.cycle();
        assert_eq!(bench.get("nq_next"), 0);
    };
    // Of the source's half-word the upper two bits are for others.
    bench.write(mmio::JOB_SRC_LEN, 700 << 16 | 0xC000 | 66);
    write(&mut bench, mmio::NIC_RX_COPY, 0x8765_4320);
    write(&mut bench, mmio::NIC_RX_POP, 0x1234_5678);
    bench.write(mmio::JOB_ADDR, 0x0BAD_0000);
    write(&mut bench, mmio::NIC_RX_COPY, 0x8765_5000);
    bench.write(mmio::JOB_GO, mmio::job::EVENT);
    bench.dut.cycle();
    let copy = |addr| [u64::from(mmio::job::COPY), 66, 700, addr];
    for (index, expected) in
        [copy(0x8765_4320), [2; 4], [2; 4], copy(0x8765_5000), [2; 4], [4; 4]].iter().enumerate()
    {
        assert_eq!(bench.get("job_valid"), 1);
        let job = ["job_op", "job_src", "job_len", "job_addr"].map(|name| bench.get(name));
        assert_eq!(job[0], expected[0], "job {index}");
        assert!(job[0] != 1 || job == *expected, "job {index}: {job:?}");
        bench.set("job_pop", 1);
        bench.dut.cycle();
        bench.set("job_pop", 0);
        bench.dut.cycle();
    }
    assert_eq!(bench.get("job_valid"), 0);
}

/// Segments and commands are shown while eight jobs have room, host packets always.
#[test]
fn work_is_shown_with_room_for_its_jobs() {
    let mut bench = Bench::new();
    bench.set("nq_valid", 1);
    for jobs in 0..=16 {
        for _ in 0..8 {
            bench.dut.cycle();
        }
        let expected = if jobs <= 8 { mmio::work::NIC_RX } else { mmio::work::NONE };
        assert_eq!(bench.read(mmio::SCHED_NEXT), expected, "{jobs} jobs");
        assert_eq!(bench.get("wake"), u64::from(jobs <= 8));
        bench.write(mmio::JOB_GO, mmio::job::POP);
        if jobs == 0 {
            // With a deadline far away.
            bench.write(mmio::WAKE_AT, 1 << 30);
        }
    }
    bench.set("hq_pending", 1);
    for _ in 0..8 {
        bench.dut.cycle();
    }
    assert_eq!(bench.read(mmio::SCHED_NEXT), mmio::work::HOST_RX);
    bench.set("hq_pending", 0);
    for popped in 0..16 {
        for _ in 0..8 {
            bench.dut.cycle();
        }
        let expected = if popped >= 8 { mmio::work::NIC_RX } else { mmio::work::NONE };
        assert_eq!(bench.read(mmio::SCHED_NEXT), expected, "{popped} of 16 jobs have left");
        bench.set("job_pop", 1);
        bench.dut.cycle();
        bench.set("job_pop", 0);
    }
}

#[test]
fn an_event_shows_when_a_slot_is_whole() {
    let mut bench = Bench::new();
    for i in 0..8 {
        assert_eq!(bench.get("evt_valid"), 0, "{i} words");
        bench.write(mmio::EVT_DATA, 1000 + i);
    }
    // A word reaches the queue a cycle after its write.
    bench.dut.cycle();
    bench.set("evt_pop", 1);
    for i in 0..8 {
        assert_eq!(bench.get("evt_valid"), u64::from(i == 0));
        assert_eq!(bench.get("evt_word"), 1000 + i);
        bench.dut.cycle();
    }
    bench.set("evt_pop", 0);
    for _ in 0..56 {
        bench.write(mmio::EVT_DATA, 0);
    }
    assert_ne!(bench.read(mmio::STATUS) & mmio::STATUS_EVENT_ROOM, 0, "room for nine slots more");
    bench.write(mmio::EVT_DATA, 0);
    assert_eq!(bench.read(mmio::STATUS) & mmio::STATUS_EVENT_ROOM, 0, "no room for nine slots more");
}

#[test]
fn the_command_window_shows_the_head() {
    let mut bench = Bench::new();
    // Round the ring several times, so that indices wrap.
    for round in 0..40u32 {
        for slot in 0..9 {
            bench.command(std::array::from_fn(|i| round * 100 + slot * 10 + i as u32));
        }
        assert_eq!(bench.read(mmio::CMD_COUNT), 9);
        for word in 0..72 {
            let expected = round * 100 + word / 8 * 10 + word % 8;
            assert_eq!(bench.read(mmio::CMD + 4 * word), expected, "round {round} word {word}");
        }
        bench.write(mmio::CMD_POP, 1);
        assert_eq!(bench.read(mmio::CMD_COUNT), 8);
        assert_eq!(bench.read(mmio::CMD), round * 100 + 10);
        bench.write(mmio::CMD_POP, 100);
        assert_eq!(bench.read(mmio::CMD_COUNT), 0, "a pop of too many empties the queue");
    }
    for _ in 0..64 {
        bench.command([7; 8]);
    }
    assert_eq!((bench.get("cmd_ready"), bench.read(mmio::CMD_COUNT)), (0, 64));
}

#[test]
fn sleep_ends_for_time_work_and_room() {
    let mut bench = Bench::new();
    let now = bench.read(mmio::TIME_US);
    bench.write(mmio::WAKE_AT, now + 5);
    for _ in 0..30 {
        assert_eq!(bench.get("wake"), 0, "nothing to wake for");
        bench.dut.cycle();
    }
    for _ in 0..40 {
        bench.dut.cycle();
    }
    assert_eq!(bench.get("wake"), 1, "the time has come");

    // In the cycle of the write, with a deadline that has passed still standing, wake is low.
    let now = bench.read(mmio::TIME_US);
    bench.set("addr", u64::from(mmio::WAKE_AT));
    bench.set("wdata", u64::from(now + 1000));
    bench.set("write", 1);
    assert_eq!(bench.get("wake"), 0);
    bench.dut.cycle();
    bench.set("write", 0);
    for _ in 0..10 {
        assert_eq!(bench.get("wake"), 0);
        bench.dut.cycle();
    }
    bench.set("tp_ready", 1);
    for _ in 0..10 {
        bench.dut.cycle();
    }
    assert_eq!(bench.get("wake"), 0, "room is not asked for");
    bench.write(mmio::WAKE_ON, mmio::STATUS_TX_ROOM);
    bench.dut.cycle();
    assert_eq!(bench.get("wake"), 1, "there is room");
    bench.write(mmio::WAKE_ON, 0);
    bench.dut.cycle();
    assert_eq!(bench.get("wake"), 0);
    bench.command([0; 8]);
    for _ in 0..4 {
        bench.dut.cycle();
    }
    assert_eq!(bench.get("wake"), 1, "there is work");
    assert_eq!(bench.read(mmio::SCHED_NEXT), mmio::work::COMMAND);
}

#[test]
fn a_lookup_is_busy_from_the_write_on() {
    let mut bench = Bench::new();
    let words = baton_hdl::rx::KEY_BITS as u32 / 32;
    // One more than there is room for: the last ones count.
    for i in 0..=words {
        bench.write(mmio::LOOKUP_KEY, 50 + i);
    }
    bench.write(mmio::LOOKUP_VALUE, 9);
    bench.write(mmio::LOOKUP_OP, lookup::INSERT);
    bench.set("addr", u64::from(mmio::LOOKUP_RESULT));
    assert_eq!(bench.get("lk_start"), 1);
    assert_eq!(["lk_value", "lk_op"].map(|n| bench.get(n)), [9, 1]);
    let mut key = bench.dut.get_wide(bench.dut.port("lk_key").unwrap());
    key.reverse();
    assert_eq!(key, (51..51 + words).collect::<Vec<_>>());
    bench.dut.cycle();
    assert_eq!(bench.get("lk_start"), 0);
    assert_ne!(bench.get("rdata") as u32 & lookup::BUSY, 0, "the read right behind the write");
    bench.write(mmio::JOB_ADDR, 0);
    assert_eq!(["lk_value", "lk_op"].map(|n| bench.get(n)), [9, 1], "another write changes nothing");
    bench.set("lk_busy", 0);
    bench.set("lk_outcome", u64::from(lookup::ABSENT));
    bench.set("lk_found", 0x77);
    let result = bench.read(mmio::LOOKUP_RESULT);
    assert_eq!(result, lookup::ABSENT << lookup::OUTCOME_SHIFT | 0x77);
}

#[test]
fn a_burst_goes_with_what_was_written_before() {
    let mut bench = Bench::new();
    bench.write(mmio::TX_ADDR, 0x1234_5678);
    bench.write(mmio::TX_LEN, mmio::TX_BURST_BYTES_MAX);
    bench.write(mmio::TX_MSS, 1460);
    // A word of the header leaves in the cycle after its write as the burst does, and so before it.
    bench.write(mmio::TX_HEADER + 4 * 31, 0x600D);
    assert_eq!(["th_write", "th_index", "th_data", "tp_go"].map(|n| bench.get(n)), [1, 31, 0x600D, 0]);
    bench.set("tp_ready", 1);
    bench.write(mmio::TX_GO, 56 | 0xABCD << mmio::TX_GO_CONN_SHIFT);
    let names = ["tp_go", "tp_header_len", "tp_conn", "tp_addr", "tp_len", "tp_mss"];
    let longest = u64::from(mmio::TX_BURST_BYTES_MAX);
    assert_eq!(names.map(|n| bench.get(n)), [1, 56, 0xABCD, 0x1234_5678, longest, 1460]);
    assert_eq!(bench.get("th_write"), 0);
    assert_eq!(bench.get("tp_cut"), 0);
    let room = bench.read(mmio::STATUS) & mmio::STATUS_TX_ROOM;
    assert_eq!(room, 0, "the read right behind the write knows of the burst");
    assert_eq!(bench.get("tp_go"), 0);
    assert_ne!(bench.read(mmio::STATUS) & mmio::STATUS_TX_ROOM, 0);

    // A second place is that of one burst.
    for cut in [mmio::TX_BURST_BYTES_MAX, 0] {
        if cut > 0 {
            bench.write(mmio::TX_CUT, cut);
            bench.write(mmio::TX_REST, 0x8765_4321);
        }
        bench.write(mmio::TX_GO, 56);
        assert_eq!(["tp_go", "tp_cut"].map(|n| bench.get(n)), [1, cut.into()]);
        assert_eq!(bench.get("tp_rest"), 0x8765_4321);
        bench.read(mmio::STATUS);
    }
}

#[test]
fn the_marks_are_exact() {
    let mut bench = Bench::new();
    for (hiwat, lowat) in [(0, 0), (1, 1), (5, 3), (3, 5), (127, 128), (0xffff, 0xffff), (0x8000, 0x7fff)] {
        bench.write(mmio::NIC_RX_MARKS, hiwat | lowat << 16);
        let around =
            [hiwat, lowat].into_iter().flat_map(|mark| mark.saturating_sub(2)..=(mark + 2).min(0xffff));
        for qlen in around.chain(0..10) {
            bench.set("nq_qlen", u64::from(qlen));
            let expected = qlen | u32::from(qlen > hiwat) << 16 | u32::from(qlen < lowat) << 17;
            assert_eq!(bench.read(mmio::NIC_RX_QLEN), expected, "Qlen {qlen}, Hiwat {hiwat}, Lowat {lowat}");
        }
    }
}

#[test]
fn counters_are_asked_for_and_read() {
    let mut bench = Bench::new();
    bench.write(mmio::COUNTER_OP, 0x1234 | mmio::COUNTER_OP_CLEAR);
    assert_eq!(["ct_start", "ct_conn", "ct_clear"].map(|name| bench.get(name)), [1, 0x1234, 1]);
    assert_eq!(bench.read(mmio::COUNTER_STATUS), 1, "the read right behind the write");
    assert_eq!(bench.get("ct_start"), 0);
    bench.set("ct_busy", 1);
    assert_eq!(bench.read(mmio::COUNTER_STATUS), 1);
    bench.set("ct_busy", 0);
    assert_eq!(bench.read(mmio::COUNTER_STATUS), 0);
    let words = [
        ("ct_rx_packets", mmio::COUNTER_RX_PACKETS),
        ("ct_rx_bytes", mmio::COUNTER_RX_BYTES),
        ("ct_tx_packets", mmio::COUNTER_TX_PACKETS),
        ("ct_tx_bytes", mmio::COUNTER_TX_BYTES),
    ];
    for (value, (name, _)) in (0x9000_0001..).zip(words) {
        bench.set(name, value);
    }
    for (value, (name, address)) in (0x9000_0001..).zip(words) {
        assert_eq!(bench.read(address), value, "{name}");
    }
}

#[test]
fn lost_bursts_are_counted_with_their_connection() {
    let mut bench = Bench::new();
    assert_eq!(bench.read(mmio::TX_LOST), 0);
    for conn in [7, 0xABCD] {
        bench.set("tp_lost", 1);
        bench.set("tp_lost_conn", conn);
        bench.dut.cycle();
        bench.set("tp_lost", 0);
        bench.set("tp_lost_conn", 1);
        bench.dut.cycle();
    }
    assert_eq!(bench.read(mmio::TX_LOST), 0xABCD_0002);
}

/// Jobs and commands come and go at random, and resets at any time empty both queues.
#[test]
fn queues_are_empty_after_a_reset_at_any_time() {
    const SEED: u64 = 9;
    let mut chance = Chance::new(SEED);
    let mut bench = Bench::new();
    let mut jobs: VecDeque<[u64; 2]> = VecDeque::new();
    // Words of commands so far, of which the oldest are in the window.
    let mut words: VecDeque<u32> = VecDeque::new();
    let (mut taken, mut popped, mut resets) = (0, 0, 0);
    for step in 0..20_000u32 {
        let at = format!("seed {SEED}, step {step}");
        if chance.permille(5) {
            for name in ["write", "cmd_valid", "job_pop"] {
                bench.set(name, 0);
            }
            bench.dut.reset(1 + chance.below(2));
            (jobs, words) = (VecDeque::new(), VecDeque::new());
            resets += 1;
        }
        assert_eq!(bench.get("job_valid"), u64::from(!jobs.is_empty()), "{at}");
        if let Some(job) = jobs.front() {
            assert_eq!(["job_src", "job_addr"].map(|name| bench.get(name)), *job, "{at}");
        }
        match chance.below(4) {
            0 if jobs.len() < 8 => {
                let job = [u64::from(chance.below(0x4000)), u64::from(step)];
                bench.write(mmio::JOB_SRC_LEN, 4 << 16 | job[0] as u32);
                bench.write(mmio::JOB_ADDR, step);
                bench.write(mmio::JOB_GO, 1);
                // A reset before the write acts leaves no job.
                if chance.permille(30) {
                    bench.dut.reset(1);
                    (jobs, words) = (VecDeque::new(), VecDeque::new());
                } else {
                    bench.dut.cycle();
                    jobs.push_back(job);
                }
            }
            1 if !jobs.is_empty() => {
                bench.set("job_pop", 1);
                bench.dut.cycle();
                bench.set("job_pop", 0);
                jobs.pop_front();
                taken += 1;
            }
            2 if bench.get("cmd_ready") == 1 => {
                bench.set("cmd_word", step.into());
                bench.set("cmd_valid", 1);
                bench.dut.cycle();
                bench.set("cmd_valid", 0);
                words.push_back(step);
            }
            3 if words.len() >= 8 => {
                for place in 0..8 {
                    assert_eq!(bench.read(mmio::CMD + 4 * place), words[place as usize], "{at}");
                }
                bench.write(mmio::CMD_POP, 1);
                words.drain(..8);
                popped += 1;
            }
            _ => bench.dut.cycle(),
        }
    }
    assert!(taken > 500 && popped > 100 && resets > 50, "seed {SEED}: {taken}, {popped}, {resets}");
}

/// A clock of 156.25 MHz has 625 cycles in 4 microseconds; a divider or a step of zero counts as one.
#[test]
fn the_time_base_takes_any_clock() {
    for (word, cycles, micros) in [
        (625 | 4 << 16, 625_000, 4000),
        (10, 10_000, 1000),
        (10 | 1 << 16, 10_000, 1000),
        (0, 1000, 1000),
        (64 | 65_535 << 16, 640, 655_350),
    ] {
        let mut bench = Bench::new();
        bench.set("ticks_per_us", word);
        bench.dut.reset(2);
        let before = bench.get("time_us") as u32;
        for _ in 0..cycles {
            bench.dut.cycle();
        }
        assert_eq!(bench.get("time_us") as u32 - before, micros, "{word:#x}");
    }
}
