//! Bad input to the NIC: each gets a clear error or a counter, and the others go on.

use anyhow::Result;
use baton::client::http::Expect;
use baton::client::FetchState;
use baton::demo::{self, DemoConfig};
use baton::server::{FirstCome, Server};
use baton_abi::regs;
use baton_abi::ring::TxDesc;
use baton_cosim::nic::VerilatedNic;
use baton_cosim::port::{load_firmware, HostPort};
use baton_cosim::system::{System, SystemConfig};
use baton_cosim::wire::{Faults, WireConfig};

#[test]
fn a_firmware_image_that_is_too_large_is_refused() {
    let mut system = System::new(VerilatedNic::new(), SystemConfig::default());
    let size = system.reg_read(regs::FW_SIZE).unwrap();
    let image = vec![0x13; size as usize + 4];
    let error = load_firmware(&mut system, &image).unwrap_err().to_string();
    assert!(error.contains(&image.len().to_string()) && error.contains(&size.to_string()), "{error}");
    let config = DemoConfig::default().server();
    let error = Server::start(&config, Box::<FirstCome>::default(), &mut system, Some(&image)).err().unwrap();
    assert!(format!("{error:#}").contains(&size.to_string()), "{error:#}");
}

/// A frame to the server that no stack accepts, by kind.
fn bad_frame(kind: usize) -> Vec<u8> {
    let mut frame = vec![0u8; 90];
    frame[..6].copy_from_slice(&[0x02, 0, 0, 0, 0, 1]);
    frame[6..12].copy_from_slice(&[0x02, 0, 0, 9, 9, 9]);
    frame[12..14].copy_from_slice(&[0x08, 0x00]);
    frame[14] = 0x45;
    frame[16..18].copy_from_slice(&60u16.to_be_bytes());
    frame[22] = 64;
    frame[23] = 6;
    frame[26..30].copy_from_slice(&[10, 0, 9, 9]);
    frame[30..34].copy_from_slice(&[10, 0, 0, 1]);
    match kind {
        // The IPv4 header checksum is wrong as it stands.
        0 => {}
        // A total length beyond the frame, with a right header checksum.
        1 => {
            frame[16..18].copy_from_slice(&1400u16.to_be_bytes());
            fix_ip_checksum(&mut frame);
        }
        // A right IPv4 header and a wrong TCP checksum.
        2 => {
            frame[46] = 0x50;
            frame[50] = 0xFF;
            fix_ip_checksum(&mut frame);
        }
        // Longer than any frame.
        _ => frame.resize(1700, 0),
    }
    frame
}

fn fix_ip_checksum(frame: &mut [u8]) {
    frame[24..26].fill(0);
    let sum: u32 = frame[14..34].chunks(2).map(|b| u32::from(u16::from_be_bytes([b[0], b[1]]))).sum();
    let folded = (sum & 0xFFFF) + (sum >> 16);
    frame[24..26].copy_from_slice(&(!(folded as u16)).to_be_bytes());
}

#[test]
fn bad_frames_are_counted_and_connections_go_on() -> Result<()> {
    let config = DemoConfig { host_connections: 3, ..DemoConfig::default() };
    let firmware = baton_tests::firmware()?;
    let mut world = demo::build(&config, VerilatedNic::new(), &firmware, Box::<FirstCome>::default())?;
    let mut fetches = Vec::new();
    for client in 0..4 {
        fetches.push(world.client_mut(client).fetch([Expect::file(3, 128 << 10)]));
    }
    let corrupt = Faults { corrupt_ppm: 20_000, ..Faults::default() };
    world.system.wire_to_nic().set_faults(corrupt);
    let mut sent = [0u64; 4];
    for round in 0..200 {
        world.run_until(4_000, |_| false)?;
        sent[round % 4] += 1;
        world.system.wire_send(bad_frame(round % 4));
    }
    assert!(world.run_until(60_000_000, |w| w.clients().iter().all(|c| c.idle()))?, "every connection ends");
    for (client, fetch) in fetches.into_iter().enumerate() {
        assert_eq!(*world.client(client).state(fetch), FetchState::Done, "client {client}");
    }
    let corrupted = world.system.wire_stats()[0].corrupted;
    let mut read = |register| world.system.reg_read(register).map(u64::from);
    let (fcs, length, checksum) =
        (read(regs::STAT_RX_BAD_FCS)?, read(regs::STAT_RX_BAD_LENGTH)?, read(regs::STAT_RX_BAD_CHECKSUM)?);
    assert!(corrupted > 0 && fcs > 0, "{corrupted} frames corrupted, {fcs} counted");
    // A frame that is bad in two ways counts once.
    let bad = sent.iter().sum::<u64>() + corrupted;
    let counted = fcs + length + checksum;
    assert!(counted <= bad && counted >= sent.iter().sum::<u64>(), "{counted} counted of {bad}");
    assert!(fcs <= corrupted && length <= sent[3] && length > 0 && checksum > 0, "{fcs} {length} {checksum}");
    Ok(())
}

#[test]
fn a_descriptor_outside_registered_memory_is_refused_and_the_next_one_sent() -> Result<()> {
    let config = SystemConfig { wire: WireConfig::default(), ..SystemConfig::default() };
    let mut system = System::new(VerilatedNic::new(), config);
    let base = system.memory().base();
    let (ring, index, good) = (base, base + 0x1000, base + 0x2000);
    let frame: Vec<u8> = (0..100).collect();
    system.memory_mut().write(good, &frame);
    // Registered: three pages. Outside: a page that exists, and one that does not.
    let outside = [base + 0x8000, 0xFFFF_FFF0];
    let bad_lengths = [0u16, 13, 1519, u16::MAX];
    let mut descriptors: Vec<TxDesc> = Vec::new();
    let desc = |addr, len| TxDesc { addr, len, ..TxDesc::default() };
    descriptors.extend(outside.map(|addr| desc(addr, 100)));
    descriptors.extend(bad_lengths.map(|len| desc(good, len)));
    descriptors.push(desc(good, 100));
    for (i, descriptor) in descriptors.iter().enumerate() {
        system.memory_mut().write_words(ring + 16 * i as u32, &descriptor.to_words());
    }
    for (register, value) in [
        (regs::DMA0_BASE, base),
        (regs::DMA0_LIMIT, base + 0x3000),
        (regs::INDEX_ADDR, index),
        (regs::TX_BASE, ring),
        (regs::TX_SIZE_LOG2, 4),
        (regs::CONTROL, (regs::SchedMode::Direct as u32) << regs::CONTROL_MODE_SHIFT),
        (regs::TX_PROD, descriptors.len() as u32),
    ] {
        system.reg_write(register, value);
    }
    let mut received = None;
    let arrived = system.run_until(100_000, |s| {
        received = s.wire_recv();
        received.is_some()
    });
    assert!(arrived, "the good frame leaves");
    assert_eq!(received.unwrap().0[..100], frame[..]);
    system.run(2_000);
    assert!(system.wire_recv().is_none(), "nothing else leaves");
    assert_eq!(system.reg_read(regs::STAT_DMA_READ_ERRORS)?, outside.len() as u32);
    assert_eq!(system.reg_read(regs::STAT_TX_BAD_DESCRIPTORS)?, bad_lengths.len() as u32);
    assert_eq!(system.reg_read(regs::TX_CONS)?, descriptors.len() as u32, "every descriptor is consumed");
    assert_eq!(system.reg_read(regs::DMA_FAULT_ADDR)?, outside[1]);
    assert_ne!(system.reg_read(regs::IRQ_CAUSE)? & regs::IRQ_DMA_ERROR, 0);
    assert_eq!(system.memory().read_word(index) & 0xFFFF, descriptors.len() as u32);
    Ok(())
}
