//! The whole NIC in its machine: registers, and host packets that hardware moves without firmware.

#[path = "support/machine.rs"]
mod setup;

use baton_abi::{regs, ring};
use baton_cosim::{
    nic::{Nic, TracedNic, VerilatedNic, Window, VERILOG},
    pins::{NicIn, NicOut, Ports},
    port::HostPort,
    system::{System, SystemConfig},
    wire::Faults,
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use setup::{start, BASE, BUFFERS, INDEX, MEMORY_BYTES, RING, RX_RING, TX_RING};
use std::{cell::RefCell, rc::Rc};

fn machine<N: Nic>(nic: N) -> System<N> {
    let config = SystemConfig { memory_base: BASE, memory_bytes: MEMORY_BYTES, ..SystemConfig::default() };
    System::new(nic, config)
}

fn random_frame(rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut frame = vec![0; 60 + rng.next_u32() as usize % 1455];
    rng.fill_bytes(&mut frame);
    // No IPv4, so that there is no checksum to be right.
    frame[12..14].copy_from_slice(&[0x88, 0xB5]);
    frame
}

#[test]
fn it_says_who_it_is() {
    let mut system = machine(VerilatedNic::new());
    assert_eq!(system.reg_read(regs::ID).unwrap(), regs::ID_VALUE);
    assert_eq!(system.reg_read(regs::VERSION).unwrap(), regs::VERSION_VALUE);
    assert!(system.reg_read(0xFFFC).is_err(), "no such register");
    assert!(!system.irq());
}

/// The softcore runs as much slower as `CORE_PACE` says, and the rest of the NIC does not.
#[test]
fn the_softcore_runs_at_the_pace_it_is_given() {
    let mut system = machine(VerilatedNic::new());
    system.reg_write(regs::FW_ADDR, 0);
    // addi x1, x1, 1; and a jump to it: two instructions in three cycles.
    [0x0010_8093, 0xFFDF_F06F].into_iter().for_each(|word| system.reg_write(regs::FW_DATA, word));
    system.reg_write(regs::CONTROL, regs::CONTROL_CORE_RUN);
    for skip in [0, 1, 0x4000, 0x5555, 0xC000, 0xFFFF, 0] {
        system.reg_write(regs::CORE_PACE, skip);
        assert_eq!(system.reg_read(regs::CORE_PACE).unwrap(), skip);
        let instructions =
            |system: &mut System<VerilatedNic>| system.reg_read(regs::STAT_CORE_INSTRUCTIONS).unwrap();
        let before = instructions(&mut system);
        let start = system.reg_read(regs::CYCLES).unwrap();
        system.run_until(6000, |_| false);
        let done = instructions(&mut system).wrapping_sub(before);
        let cycles = system.reg_read(regs::CYCLES).unwrap().wrapping_sub(start);
        let expected = f64::from(cycles) * f64::from(0x1_0000 - skip) / 65536.0 * 2.0 / 3.0;
        assert!(
            (f64::from(done) - expected).abs() < 6.0,
            "skip {skip:#x}: {done} instructions in {cycles} cycles"
        );
    }
}

#[test]
fn host_packets_reach_memory_and_the_wire_without_firmware() {
    let mut system = machine(VerilatedNic::new());
    start(&mut system);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let frames: Vec<Vec<u8>> = (0..RING).map(|_| random_frame(&mut rng)).collect();
    for frame in &frames {
        system.wire_send(frame.clone());
    }
    let all = system.run_until(200_000, |system| {
        system.memory().read_word(INDEX + 4 * ring::INDEX_RX_CONS as u32) == RING
    });
    assert!(all, "{} of {RING} frames", system.memory().read_word(INDEX + 4 * ring::INDEX_RX_CONS as u32));
    for (slot, frame) in (0..).zip(&frames) {
        let mut words = [0; 4];
        system.memory().read_words(RX_RING + 16 * slot, &mut words);
        let done = ring::RxCompletion::from_words(words);
        assert_eq!(
            (usize::from(done.len), done.flags & ring::RX_FLAG_ERROR),
            (frame.len(), 0),
            "slot {slot}"
        );
        let at = BUFFERS + 2048 * slot + ring::RX_PAD_BYTES;
        assert_eq!(system.memory().slice(at, frame.len()), frame, "slot {slot}");
    }
    assert!(system.run_until(100, |system| system.irq()));

    for slot in 0..RING {
        let desc = ring::TxDesc {
            addr: BUFFERS + 2048 * slot + ring::RX_PAD_BYTES,
            len: frames[slot as usize].len() as u16,
            ..ring::TxDesc::default()
        };
        system.memory_mut().write_words(TX_RING + 16 * slot, &desc.to_words());
    }
    system.reg_write(regs::TX_PROD, RING);
    let mut sent = Vec::new();
    system.run_until(200_000, |system| {
        sent.extend(system.wire_recv().map(|(frame, _)| frame));
        sent.len() == frames.len()
    });
    assert_eq!(sent, frames);
    assert_eq!(system.wire_from_nic().underruns(), 0);
}

/// Two models of the same Verilog, which must not differ in any cycle.
struct Both(VerilatedNic, TracedNic, u64);

impl Nic for Both {
    fn cycle(&mut self, pins: &NicIn, changed: Ports, out: &mut NicOut) -> Ports {
        let (before, mut plain) = (*out, *out);
        let moved = self.0.cycle(pins, changed, out);
        self.1.cycle(pins, changed, &mut plain);
        assert_eq!(*out, plain, "cycle {}", self.2);
        let told = moved.0 & out.changed(&before).0 == out.changed(&before).0;
        assert!(told, "cycle {}: {before:x?}, then {out:x?}, but {moved:?}", self.2);
        self.2 += 1;
        moved
    }
}

#[test]
fn the_bridge_and_the_run_time_model_agree_in_every_cycle() {
    let mut system = machine(Both(VerilatedNic::new(), TracedNic::new(VERILOG, None).unwrap(), 0));
    start(&mut system);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for n in 0..40 {
        let mut frame = random_frame(&mut rng);
        if n % 2 == 0 {
            // Looks like TCP over IPv4, mostly with wrong checksums.
            frame[12..16].copy_from_slice(&[8, 0, 0x45, 0]);
            frame[23] = 6;
        }
        system.wire_send(frame);
        system.run(u64::from(rng.next_u32() % 300));
        let register = (rng.next_u32() % 0x280) & !3;
        let _ = system.reg_read(register);
    }
    system.run(20_000);
    assert!(system.reg_read(regs::STAT_RX_FRAMES).unwrap() > 0);
}

/// The NIC, without a word about which ports rest.
struct Restless(VerilatedNic);

impl Nic for Restless {
    fn cycle(&mut self, pins: &NicIn, _: Ports, out: &mut NicOut) -> Ports {
        self.0.cycle(pins, Ports::ALL, out);
        Ports::ALL
    }
}

/// Everything that crosses the boundary of a NIC that answers no host, with its time, while frames are lost on the way and
/// software does things in between.
fn crossings(nic: impl Nic + 'static) -> Vec<String> {
    let mut system = machine(nic);
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    system.observe(Box::new(move |time, event| log.borrow_mut().push(format!("{time} {event:?}"))));
    start(&mut system);
    let faults = Faults { loss_ppm: 100_000, reorder_ppm: 100_000, delay_ps: 3_000_000, ..Faults::default() };
    system.wire_to_nic().set_faults(faults);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for slot in 0..RING {
        system.wire_send(random_frame(&mut rng));
        system.run(u64::from(rng.next_u32() % 900));
        let frame = random_frame(&mut rng);
        let addr = BUFFERS + 2048 * slot + ring::RX_PAD_BYTES;
        system.memory_mut().write(addr, &frame);
        let desc = ring::TxDesc { addr, len: frame.len() as u16, ..ring::TxDesc::default() };
        system.memory_mut().write_words(TX_RING + 16 * slot, &desc.to_words());
        system.reg_write(regs::TX_PROD, slot + 1);
        if slot % 8 == 0 {
            let _ = system.reg_read(regs::STAT_RX_FRAMES);
        }
    }
    system.run(20_000);
    seen.take()
}

#[test]
fn ports_that_rest_change_nothing() {
    let (resting, restless) = (crossings(VerilatedNic::new()), crossings(Restless(VerilatedNic::new())));
    assert!(resting.len() > 400, "{} crossings", resting.len());
    for (at, (one, other)) in resting.iter().zip(&restless).enumerate() {
        assert_eq!(one, other, "crossing {at}");
    }
    assert_eq!(resting.len(), restless.len());
}

#[test]
fn a_reset_in_mid_run_makes_a_new_nic() {
    let (mut one, mut other) = (VerilatedNic::new(), TracedNic::new(VERILOG, None).unwrap());
    let mut outs = [NicOut::default(); 2];
    for cycle in 0..400u32 {
        let pins = NicIn {
            reset: cycle < 4 || (200..204).contains(&cycle),
            s_axil_arvalid: cycle % 10 == 0,
            s_axil_araddr: regs::CYCLES as u16,
            s_axil_rready: true,
            s_axil_bready: true,
            ..NicIn::default()
        };
        one.cycle(&pins, Ports::ALL, &mut outs[0]);
        other.cycle(&pins, Ports::ALL, &mut outs[1]);
        assert!(outs[0] == outs[1] || pins.reset, "cycle {cycle}: {outs:x?}");
    }
}

#[test]
fn a_window_of_the_nic_is_recorded() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("nic.fst");
    let window = Window { cycles: 200..1200, file: file.clone(), period_ps: 2500 };
    let mut system = machine(TracedNic::new(VERILOG, Some(window)).unwrap());
    start(&mut system);
    system.wire_send(vec![0xFF; 100]);
    system.run(2000);
    drop(system);
    let bytes = std::fs::read(file).unwrap();
    // A hierarchy and some changes; and the header block of FST first (type 0, 329 bytes).
    assert!(bytes.len() > 10_000, "{} bytes", bytes.len());
    assert_eq!(bytes[..9], [0, 0, 0, 0, 0, 0, 0, 1, 73]);
}
