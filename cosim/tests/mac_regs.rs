//! The MAC's registers against the table that documents them, its MDIO master with a PHY, and the split of
//! the register port.

#[path = "mac/bench.rs"]
#[allow(dead_code)]
mod bench;
mod support;

use baton_abi::{regs, Access};
use baton_cosim::{block::Model, gmii::Shape, mdio::Phy};
use baton_hdl::{emit, mac::MacConfig, regs::axil_split::AxilSplit};
use bench::{Bench, Options};
use support::Chance;

/// Bits that a register implements.
fn mask(register: &baton_abi::Register) -> u32 {
    match register.fields {
        [] => u32::MAX,
        fields => fields.iter().fold(0, |mask, f| mask | (((1u64 << f.width) - 1) as u32) << f.lsb),
    }
}

#[test]
fn registers_are_as_documented() {
    let mut bench = Bench::new(&Options::default());
    // The bench has set the speed.
    bench.write(regs::MAC_CONTROL, 0x67);
    let registers: Vec<_> = regs::MAC_BLOCKS.iter().flat_map(|block| block.registers).collect();
    bench.run_ns(100);
    for register in &registers {
        assert_eq!(bench.read(register.address), register.reset, "{}", register.name);
    }
    for pattern in [u32::MAX, 0xA5A5_5A5A, 0x1234_5678, 0] {
        for register in registers.iter().filter(|r| r.access != Access::WriteOnly) {
            let before = bench.read(register.address);
            bench.write(register.address, pattern);
            let expected = match register.access {
                Access::ReadWrite => pattern & mask(register),
                _ => before,
            };
            assert_eq!(bench.read(register.address), expected, "{} after {pattern:#x}", register.name);
            bench.write(register.address, before);
            bench.run_ns(100);
        }
    }
    let (read_addr, hit) =
        (bench.dut.port("bus$read_addr").unwrap(), bench.dut.port("bus$read_hit").unwrap());
    for address in (0x0F00..0x1100).step_by(4) {
        bench.dut.set(read_addr, address);
        bench.dut.eval();
        let known = registers.iter().any(|register| u64::from(register.address) == address);
        assert_eq!(bench.dut.is_high(hit), known, "{address:#x}");
    }
}

#[test]
fn a_mac_without_registers_heeds_no_write_and_answers_no_read() {
    let config = MacConfig { has_registers: false, ..MacConfig::default() };
    let mut bench = Bench::new(&Options { config, ..Options::default() });
    // Would stop both directions.
    bench.write(regs::MAC_CONTROL, 0);
    let frame = bench.random_frame(100);
    bench.sender.frame(&frame, &Shape::default());
    bench.to_send.push_back(frame.clone());
    bench.run_until(100_000, |b| !b.sent.is_empty() && !b.received.is_empty());
    assert_eq!(bench.received[0].bytes, frame);
    let [read_addr, read_data, hit] =
        ["bus$read_addr", "bus$read_data", "bus$read_hit"].map(|name| bench.dut.port(name).unwrap());
    for register in regs::MAC_BLOCKS.iter().flat_map(|block| block.registers) {
        bench.dut.set(read_addr, register.address.into());
        bench.dut.eval();
        assert!(!bench.dut.is_high(hit), "{}", register.name);
        assert_eq!(bench.dut.get(read_data), 0, "{}", register.name);
    }
}

/// Runs until the access is over; the PHY sees every core cycle.
fn access(bench: &mut Bench, phy: &mut Phy, command: u32) -> (u32, u64) {
    let pins =
        ["mdio$mdc", "mdio$mdio_o", "mdio$mdio_oe", "mdio$mdio_i"].map(|name| bench.dut.port(name).unwrap());
    let start = bench.now_ps();
    bench.write(regs::MDIO_COMMAND, command);
    loop {
        let rising = bench.clocks.rising();
        bench.step();
        if rising.has(bench.core) {
            let [mdc, data, drives] = [0, 1, 2].map(|i| bench.dut.is_high(pins[i]));
            let level = phy.clock(mdc, drives.then_some(data), bench.now_ps());
            bench.dut.set(pins[3], level.into());
            let status = bench.read(regs::MDIO_STATUS);
            if status >> 16 & 1 == 0 {
                return (status, bench.now_ps() - start);
            }
            assert!(bench.now_ps() - start < 1_000_000_000, "the access does not end");
        }
    }
}

#[test]
fn the_mdio_master_reads_and_writes_a_phy() {
    let mut chance = Chance::new(60);
    for (divider, core_ps) in [(24, 8_000), (3, 16_000), (60, 8_000)] {
        let mut bench = Bench::new(&Options { core_ps, ..Options::default() });
        bench.write(regs::MDIO_DIVIDER, divider);
        // A PHY answers up to 300 ns after the clock's edge where the clock is the standard's.
        let delay_ps = if divider == 3 { 20_000 } else { 300_000 };
        let mut phy = Phy::new(9, delay_ps.min(u64::from(divider + 1) * core_ps * 2 - 5 * core_ps));
        for round in 0..40 {
            let (register, value) = (chance.below(32), chance.below(0x10000));
            let mut before = phy.registers;
            let (_, took) = access(&mut bench, &mut phy, 1 << 26 | 9 << 21 | register << 16 | value);
            before[register as usize] = value as u16;
            assert_eq!(phy.registers, before, "round {round}");
            // 65 bits of two half periods.
            let cycles = took / core_ps;
            let stated = u64::from(130 * (divider + 1));
            assert!((stated..=stated + 4).contains(&cycles), "{cycles} cycles, {stated} stated");
            let other = chance.below(32);
            let (status, _) = access(&mut bench, &mut phy, 9 << 21 | other << 16);
            assert_eq!(status, u32::from(phy.registers[other as usize]), "round {round}");
            // Another address: nobody answers, and a write changes nothing.
            let before = phy.registers;
            let (status, _) = access(&mut bench, &mut phy, 10 << 21 | other << 16);
            assert_eq!(status, 1 << 17 | 0xFFFF);
            access(&mut bench, &mut phy, 1 << 26 | 8 << 21 | register << 16 | 0x1234);
            assert_eq!(phy.registers, before);
        }
        assert_eq!(phy.errors, 0);
        if divider == 24 {
            assert!(phy.least_period_ps >= 400_000, "MDC of {} ps", phy.least_period_ps);
        }
    }
}

#[test]
fn the_phys_reset_pin_follows_its_register() {
    let mut bench = Bench::new(&Options::default());
    assert_eq!(bench.dut.peek("mdio$phy_reset_n"), 1);
    bench.write(regs::PHY_RESET, 1);
    assert_eq!(bench.dut.peek("mdio$phy_reset_n"), 0);
}

#[test]
fn a_reset_in_an_access_ends_it() {
    let mut chance = Chance::new(62);
    let mut bench = Bench::new(&Options::default());
    let mut phy = Phy::new(9, 20_000);
    for round in 0..20 {
        bench.write(regs::MDIO_DIVIDER, 3);
        bench.write(regs::MDIO_COMMAND, 9 << 21 | chance.below(32) << 16);
        // An access takes 130 times four cycles of 8 ns.
        bench.run_ns(u64::from(chance.below(4_000)));
        bench.reset("cr$reset", 40);
        assert_eq!(bench.read(regs::MDIO_STATUS) >> 16 & 1, 0, "round {round}: busy after a reset");
        bench.write(regs::MDIO_DIVIDER, 3);
        let (register, value) = (chance.below(32), chance.below(0x10000));
        access(&mut bench, &mut phy, 1 << 26 | 9 << 21 | register << 16 | value);
        assert_eq!(u32::from(phy.registers[register as usize]), value, "round {round}");
        let (status, _) = access(&mut bench, &mut phy, 9 << 21 | register << 16);
        assert_eq!(status, value, "round {round}");
    }
}

/// Two slaves that answer after a random time; every access reaches the right one, and its answer comes
/// back.
#[test]
fn the_register_port_is_split_by_address() {
    let text = emit::verilog("split", AxilSplit::default());
    let mut dut = Model::build("split", &text).unwrap();
    dut.reset(2);
    let mut chance = Chance::new(61);
    let names = ["a_", "b_"];
    // For each slave: cycles until it answers a write and a read, and what it saw last.
    let (mut write_in, mut read_in) = ([None::<u32>; 2], [None::<u32>; 2]);
    let (mut seen_write, mut seen_read) = ([0u64; 2], [0u64; 2]);
    let (mut writes, mut reads) = (0u32, 0u32);
    let (mut write, mut read): (Option<(u64, bool)>, Option<(u64, bool)>) = (None, None);
    let mut resets = 0;
    for _ in 0..20_000 {
        if chance.permille(2) {
            for name in ["awvalid", "wvalid", "arvalid"] {
                dut.poke(name, 0);
            }
            for name in names {
                dut.poke(&format!("{name}bvalid"), 0);
                dut.poke(&format!("{name}rvalid"), 0);
            }
            dut.reset(1 + chance.below(2));
            (write_in, read_in, write, read) = ([None; 2], [None; 2], None, None);
            resets += 1;
        }
        // The master: one access at a time in each direction; address and data of a write come apart.
        if write.is_none() && chance.permille(300) {
            let address = u64::from(chance.below(0x4000)) & !3;
            dut.poke("awaddr", address);
            dut.poke("wdata", address ^ 0x5A5A);
            write = Some((address, false));
        }
        if let Some((_, false)) = write {
            if dut.peek("awvalid") == 0 && chance.permille(500) {
                dut.poke("awvalid", 1);
            }
            if dut.peek("wvalid") == 0 && chance.permille(500) {
                dut.poke("wvalid", 1);
            }
        }
        if read.is_none() && chance.permille(300) {
            let address = u64::from(chance.below(0x4000)) & !3;
            dut.poke("araddr", address);
            dut.poke("arvalid", 1);
            read = Some((address, false));
        }
        dut.poke("bready", chance.permille(600).into());
        dut.poke("rready", chance.permille(600).into());
        // The slaves; ready depends on both valids, as that of `AxilSlave` does.
        for (i, name) in names.iter().enumerate() {
            dut.poke(&format!("{name}bvalid"), (write_in[i] == Some(0)).into());
            dut.poke(&format!("{name}bresp"), 2 * i as u64);
            dut.poke(&format!("{name}rvalid"), (read_in[i] == Some(0)).into());
            dut.poke(&format!("{name}rresp"), 2 * i as u64);
            dut.poke(&format!("{name}rdata"), seen_read[i] ^ 0xF0F0 ^ i as u64);
        }
        dut.eval();
        for (i, name) in names.iter().enumerate() {
            let offers = dut.peek(&format!("{name}awvalid")) & dut.peek(&format!("{name}wvalid"));
            assert_eq!(dut.peek(&format!("{name}awvalid")), offers);
            let ready = offers == 1 && write_in[i].is_none();
            dut.poke(&format!("{name}awready"), ready.into());
            dut.poke(&format!("{name}wready"), ready.into());
            let ready = dut.peek(&format!("{name}arvalid")) == 1 && read_in[i].is_none();
            dut.poke(&format!("{name}arready"), ready.into());
        }
        dut.eval();
        let mut lower = (false, false);
        for (i, name) in names.iter().enumerate() {
            let get = |signal: &str| dut.peek(&format!("{name}{signal}"));
            write_in[i] = match write_in[i] {
                None if get("awready") == 1 => {
                    let (address, _) = write.expect("a write was asked for");
                    assert_eq!((get("awaddr"), get("wdata")), (address, address ^ 0x5A5A));
                    assert_eq!(address >> 12 & 1, i as u64);
                    seen_write[i] = address;
                    lower.0 = true;
                    Some(1 + chance.below(4))
                }
                Some(0) if get("bready") == 1 => {
                    let (address, accepted) = write.take().expect("a write is open");
                    assert!(accepted && seen_write[i] == address);
                    assert_eq!((dut.peek("bvalid"), dut.peek("bresp")), (1, 2 * i as u64));
                    writes += 1;
                    None
                }
                Some(n) => Some(n.saturating_sub(1)),
                None => None,
            };
            read_in[i] = match read_in[i] {
                None if get("arready") == 1 => {
                    let (address, _) = read.expect("a read was asked for");
                    assert_eq!((get("araddr"), address >> 12 & 1), (address, i as u64));
                    seen_read[i] = address;
                    lower.1 = true;
                    Some(1 + chance.below(4))
                }
                Some(0) if get("rready") == 1 => {
                    let (address, accepted) = read.take().expect("a read is open");
                    assert!(accepted);
                    assert_eq!(dut.peek("rdata"), address ^ 0xF0F0 ^ i as u64);
                    assert_eq!((dut.peek("rvalid"), dut.peek("rresp")), (1, 2 * i as u64));
                    reads += 1;
                    None
                }
                Some(n) => Some(n.saturating_sub(1)),
                None => None,
            };
        }
        assert_eq!(lower.0, dut.peek("awready") == 1);
        dut.cycle();
        if lower.0 {
            dut.poke("awvalid", 0);
            dut.poke("wvalid", 0);
            write = write.map(|w| (w.0, true));
        }
        if lower.1 {
            dut.poke("arvalid", 0);
            read = read.map(|r| (r.0, true));
        }
    }
    assert!(writes > 1_000 && reads > 1_000, "{writes} writes, {reads} reads");
    assert!(resets > 20, "{resets} resets");
}
