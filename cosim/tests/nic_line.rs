//! The NIC with its MAC at a PHY's pins, in its machine: host packets that hardware moves, in both
//! directions, and the MAC's registers behind the host's port.

#[path = "support/machine.rs"]
mod setup;

use baton_abi::{regs, ring};
use baton_cosim::{
    nic::{LineConfig, LineNic, PhyPins},
    port::HostPort,
    system::{System, SystemConfig},
    wire::WireConfig,
};
use baton_hdl::{
    mac::{rgmii::RgmiiConfig, MacConfig},
    nic::NicConfig,
    nic_mac,
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use setup::{start, BASE, BUFFERS, INDEX, MEMORY_BYTES, RING, RX_RING, TX_RING};

fn machine(top: &str, verilog: &str, line: LineConfig, rate_bps: u64) -> System<LineNic> {
    let config = SystemConfig {
        clock_hz: 1_000_000_000_000 / line.core_ps,
        memory_base: BASE,
        memory_bytes: MEMORY_BYTES,
        wire: WireConfig { rate_bps, ..WireConfig::default() },
        ..SystemConfig::default()
    };
    let mut system = System::new(LineNic::new(top, verilog, line).unwrap(), config);
    start(&mut system);
    system
}

/// A ring of frames in from the line and out again; `most` cycles for each direction.
fn frames_in_and_out(system: &mut System<LineNic>, longest: u32, most: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let frames: Vec<Vec<u8>> = (0..RING)
        .map(|_| {
            let mut frame = vec![0; 60 + (rng.next_u32() % (longest - 59)) as usize];
            rng.fill_bytes(&mut frame);
            frame[0] &= 0xFE;
            frame[12..14].copy_from_slice(&[0x88, 0xB5]);
            frame
        })
        .collect();
    for frame in &frames {
        system.wire_send(frame.clone());
    }
    let done = |system: &mut System<LineNic>| {
        system.memory().read_word(INDEX + 4 * ring::INDEX_RX_CONS as u32) == RING
    };
    assert!(system.run_until(most, done), "{:?}", system.reg_read(regs::MAC_RX_FRAMES));
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
        let desc = ring::TxDesc { addr: at, len: frame.len() as u16, ..ring::TxDesc::default() };
        system.memory_mut().write_words(TX_RING + 16 * slot, &desc.to_words());
    }
    system.reg_write(regs::TX_PROD, RING);
    let mut sent = Vec::new();
    system.run_until(most, |system| {
        sent.extend(system.wire_recv().map(|(frame, _)| frame));
        sent.len() == frames.len()
    });
    assert_eq!(sent, frames);
    let bytes: usize = frames.iter().map(|frame| frame.len() + 4).sum();
    for (register, value) in [
        (regs::MAC_RX_FRAMES, RING),
        (regs::MAC_RX_BYTES_LOW, bytes as u32),
        (regs::MAC_RX_BAD_FCS, 0),
        (regs::MAC_RX_OVERFLOWS, 0),
        (regs::MAC_TX_FRAMES, RING),
        (regs::MAC_TX_BYTES_LOW, bytes as u32),
        (regs::MAC_TX_UNDERFLOWS, 0),
        (regs::STAT_RX_FRAMES, RING),
        (regs::STAT_TX_FRAMES, RING),
    ] {
        assert_eq!(system.reg_read(register).unwrap(), value, "{register:#x}");
    }
    assert!(system.reg_read(0x1020).is_err() && system.reg_read(0x1100).is_err(), "no such registers");
}

#[test]
fn host_packets_pass_gmii_at_1000_mbit() {
    let text = nic_mac::gmii_verilog(&NicConfig::default(), &MacConfig::default());
    let line = LineConfig {
        pins: PhyPins::Gmii,
        core_ps: 10_000,
        rx_ps: 8_001,
        tx_ps: 7_999,
        nibbles: false,
        status: 0,
    };
    let mut system = machine("nic_gmii", &text, line, 1_000_000_000);
    frames_in_and_out(&mut system, 1514, 200_000);
    assert_eq!(system.reg_read(regs::MAC_STATUS).unwrap(), 0x20);
}

/// The PHY reports 100 Mb/s between frames, and the MAC follows.
#[test]
fn host_packets_pass_rgmii_at_the_speed_that_the_phy_reports() {
    let config = RgmiiConfig { tx_delay_ps: 0, rx_delay_ps: 2_000 };
    let mac = MacConfig { inband_status: true, ..MacConfig::default() };
    let text = nic_mac::rgmii_verilog(&NicConfig::default(), &mac, &config)
        + include_str!("../../hdl/models/ecp5_ddr.v");
    for (status, rx_ps, nibbles, rate_bps, longest) in
        [(0b1101, 8_001, false, 1_000_000_000, 1514), (0b1011, 40_003, true, 100_000_000, 200)]
    {
        let line = LineConfig { pins: PhyPins::Rgmii, core_ps: 10_000, rx_ps, tx_ps: 7_999, nibbles, status };
        let mut system = machine("nic_rgmii", &text, line, rate_bps);
        frames_in_and_out(&mut system, longest, 300_000);
        let speed = u32::from(status) >> 1 & 3;
        assert_eq!(system.reg_read(regs::MAC_STATUS).unwrap(), 0x100 | speed << 4 | u32::from(status));
    }
}
