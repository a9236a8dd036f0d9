//! The host link's hardware against the PC's end of it (`cosim::hostlink`), over a wire that loses, doubles, delays and
//! damages frames, with the rules of AXI checked in every cycle. Replay: every bench prints its seed, and the seeds are in the tests.

mod bench;
#[path = "../support/mod.rs"]
mod support;

use baton_abi::link::{kind, Header};
use baton_cosim::hostlink::{LinkState, LinkStats};
use bench::{Bench, Faults, REGISTERS};

const FAULTS: Faults = Faults { lose: 30, damage: 20, double: 20, delay: 30, stall: 200 };

fn up(bench: &mut Bench) {
    bench.until(200_000, "the link comes up", |b| b.pc.state() == LinkState::Up);
}

/// Reads a register and waits for the answer.
fn read(bench: &mut Bench, address: u16) -> Result<u32, u8> {
    bench.pc.reg_read(address);
    for _ in 0..500_000 {
        if let Some(answer) = bench.pc.reg_answer() {
            return answer;
        }
        bench.step();
    }
    panic!("no answer: {:?}", bench.pc.stats());
}

#[test]
fn registers_are_written_and_read() {
    let mut bench = Bench::new(1, Faults::default());
    up(&mut bench);
    bench.pc.reg_write(0x10, 0x1234_5678);
    assert_eq!(read(&mut bench, 0x10), Ok(0x1234_5678));
    assert_eq!(read(&mut bench, REGISTERS), Err(2));
    // To one address, then to rising ones, then to one that does not exist: more than one frame holds.
    for value in 0..200 {
        bench.pc.reg_write(0x20, value);
    }
    for word in 0..64 {
        bench.pc.reg_write(4 * word, 1000 + u32::from(word));
    }
    bench.pc.reg_write(REGISTERS, 0);
    for word in 0..64u16 {
        assert_eq!(read(&mut bench, 4 * word), Ok(1000 + u32::from(word)));
    }
    let stats = bench.pc.stats();
    assert_eq!((stats.write_errors, stats.dropped, stats.violations, stats.timeouts), (1, 0, 0, 0));
    assert!(stats.frames_out < 200, "{stats:?}");
}

#[test]
fn the_interrupt_is_reported() {
    let mut bench = Bench::new(2, FAULTS);
    up(&mut bench);
    for level in [true, false, true] {
        bench.irq = level;
        bench.until(500_000, "the interrupt", |b| b.pc.irq() == level);
    }
}

fn traffic(bench: &mut Bench, cycles: u64) {
    let end = bench.cycle + cycles;
    let mut registers = bench.registers.clone();
    let mut reads = std::collections::VecDeque::new();
    bench.dma_on = true;
    while bench.cycle < end || !reads.is_empty() || !bench.dma_is_quiet() {
        assert!(bench.cycle < end + 2_000_000, "no end: {:?}", bench.pc.stats());
        bench.dma_on = bench.cycle < end;
        if bench.dma_on && bench.chance.permille(5) {
            let word = bench.chance.below(64) as u16;
            if bench.chance.permille(500) {
                registers[usize::from(word)] = bench.chance.below(u32::MAX);
                bench.pc.reg_write(4 * word, registers[usize::from(word)]);
            } else {
                bench.pc.reg_read(4 * word);
                reads.push_back(registers[usize::from(word)]);
            }
        }
        if let Some(answer) = bench.pc.reg_answer() {
            assert_eq!(Some(answer), reads.pop_front().map(Ok));
        }
        if bench.chance.permille(1) {
            bench.irq = !bench.irq;
        }
        bench.step();
    }
    let level = bench.irq;
    bench.until(500_000, "the interrupt", |b| b.pc.irq() == level && b.pc.is_quiet());
    assert_eq!(bench.registers, registers);
}

#[test]
fn bursts_pass_a_good_wire_without_repetition() {
    let mut bench = Bench::new(3, Faults::default());
    up(&mut bench);
    traffic(&mut bench, 100_000);
    let stats = bench.pc.stats();
    assert!(bench.writes_done > 300 && bench.reads_done > 300, "{} {}", bench.writes_done, bench.reads_done);
    let LinkStats { dropped, violations, duplicates, gaps, gap_repeats, timeouts, board_dropped, .. } = stats;
    assert_eq!([dropped, violations, duplicates, gaps, gap_repeats, timeouts, board_dropped.into()], [0; 7]);
}

#[test]
fn nothing_is_lost_or_doubled_over_a_bad_wire() {
    for seed in 10..14 {
        let mut bench = Bench::new(seed, FAULTS);
        up(&mut bench);
        traffic(&mut bench, 150_000);
        let stats = bench.pc.stats();
        assert!(
            bench.writes_done > 100 && bench.reads_done > 100,
            "{} {}",
            bench.writes_done,
            bench.reads_done
        );
        assert!(stats.duplicates > 0 && stats.gaps > 0 && stats.gap_repeats > 0, "{stats:?}");
        assert_eq!((stats.violations, stats.write_errors), (0, 0));
    }
}

#[test]
fn a_new_session_of_the_pc_starts_clean() {
    let mut bench = Bench::new(20, FAULTS);
    for session in 1..6 {
        bench.pc = bench::pc(session, bench.cycle);
        up(&mut bench);
        bench.dma_on = true;
        let end = bench.cycle + u64::from(bench.chance.below(20_000));
        while bench.cycle < end {
            bench.pc.reg_write(0, session);
            bench.step();
        }
    }
    bench.pc = bench::pc(6, bench.cycle);
    up(&mut bench);
    traffic(&mut bench, 30_000);
}

#[test]
fn a_reset_of_the_board_ends_the_session_and_the_next_one_works() {
    let mut bench = Bench::new(30, FAULTS);
    for session in 1..5 {
        bench.pc = bench::pc(session, bench.cycle);
        up(&mut bench);
        bench.dma_on = true;
        let end = bench.cycle + u64::from(bench.chance.below(20_000));
        while bench.cycle < end {
            bench.step();
        }
        bench.reset_board();
        assert!(!bench.is_linked());
        bench.until(2_000_000, "the loss is noticed", |b| b.pc.state() == LinkState::Lost);
    }
    bench.pc = bench::pc(9, bench.cycle);
    up(&mut bench);
    traffic(&mut bench, 30_000);
}

/// The board gives up on a PC that has gone, and is silent until it is greeted again.
#[test]
fn the_board_gives_up_on_a_pc_that_has_gone() {
    let mut bench = Bench::new(40, Faults::default());
    up(&mut bench);
    bench.faults.lose = 1000;
    bench.irq = true;
    bench.until(1100 << 11, "the board gives up", |b| !b.is_linked());
    bench.faults.lose = 0;
    bench.irq = false;
    bench.pc = bench::pc(7, bench.cycle);
    up(&mut bench);
    traffic(&mut bench, 20_000);
}

/// Frames that no PC would send change nothing, and those with the link's EtherType are counted.
#[test]
fn hostile_frames_change_nothing() {
    let mut bench = Bench::new(50, Faults { stall: 100, ..Faults::default() });
    up(&mut bench);
    let (own, board) = ([2, 0xBA, 0, 0, 0, 1], bench.pc.board());
    let good = Header {
        destination: board,
        source: own,
        kind: kind::REG_WRITE,
        session: 0x1000 + 50,
        seq: 0,
        ack: 0,
        credit: 16,
        words: 1,
        info: 0,
        address: 0x40,
    };
    let frame = |header: Header| {
        let mut bytes = header.to_bytes().to_vec();
        bytes.resize(60, 0x5A);
        bytes
    };
    let mut bad = vec![
        frame(Header { session: 77, ..good }),
        frame(Header { destination: [9; 6], ..good }),
        frame(Header { destination: [0xFF; 6], ..good }),
        frame(Header { kind: 9, ..good }),
        frame(Header { kind: kind::WRITE, ..good }),
        frame(Header { words: 65, ..good }),
        frame(Header { words: 8, ..good }),
        frame(good)[..56].to_vec(),
        frame(good)[..59].to_vec(),
        [frame(good), vec![0; 4]].concat(),
        [frame(good), vec![0; 1400]].concat(),
    ];
    bad.push({
        let mut other = frame(good);
        other[14] = 2;
        other
    });
    let counted = bad.len() as u32;
    // Another protocol is not ours to count. The right number with the wrong message is taken and refused.
    let mut other = frame(good);
    other[12] = 8;
    bad.push(other);
    bad.push(frame(Header { seq: 5, ..good }));
    bad.push(frame(Header { ack: 999, kind: kind::ACK, ..good }));
    bad.push(frame(Header { session: 0, kind: kind::HELLO, ..good }));
    for frame in bad {
        bench.inject(frame);
        for _ in 0..600 {
            bench.step();
        }
    }
    assert!(bench.registers.iter().all(|register| *register == 0) && bench.is_linked());
    // Messages in order that answer nothing: the board takes their numbers, and the PC's own are then behind.
    for (seq, kind, words, info) in [(0, 0x12, 0, 1), (1, 0x13, 1, 0), (2, 0x10, 0, 0), (3, 0x1F, 0, 0)] {
        bench.inject(frame(Header { seq, kind, words, info, ..good }));
        for _ in 0..600 {
            bench.step();
        }
    }
    bench.until(100_000, "the board is asked", |b| u32::from(b.pc.stats().board_dropped) == counted + 4);
    bench.pc = bench::pc(8, bench.cycle);
    up(&mut bench);
    traffic(&mut bench, 20_000);
}
