//! The registers of the co-simulated NIC against the table that documents them: reset values, what a write does, and
//! what lies between.

use anyhow::Result;
use baton_abi::regs::{self, BLOCKS};
use baton_abi::{Access, Register};
use baton_cosim::nic::VerilatedNic;
use baton_cosim::port::HostPort;
use baton_cosim::system::{System, SystemConfig};

/// Registers whose value moves by itself, or that are set by the build.
const MOVING: &[u32] =
    &[regs::CYCLES, regs::TIME_US, regs::FW_SIZE, regs::CAPABILITIES, regs::COUNTER_STATUS];

fn words() -> impl Iterator<Item = (&'static Register, u32)> {
    BLOCKS
        .iter()
        .flat_map(|block| block.registers)
        .flat_map(|register| (0..register.count).map(move |i| (register, register.address + 4 * i)))
}

/// Bits that a register implements.
fn mask(register: &Register) -> u32 {
    match register.fields {
        [] => u32::MAX,
        fields => fields.iter().fold(0, |mask, f| mask | (((1u64 << f.width) - 1) as u32) << f.lsb),
    }
}

fn system() -> System<VerilatedNic> {
    System::new(VerilatedNic::new(), SystemConfig::default())
}

#[test]
fn reset_values_are_as_documented() -> Result<()> {
    let mut system = system();
    for (register, address) in words().filter(|(_, address)| !MOVING.contains(address)) {
        assert_eq!(system.reg_read(address)?, register.reset, "{} at {address:#06x}", register.name);
    }
    Ok(())
}

#[test]
fn writes_do_what_the_access_says() -> Result<()> {
    let mut system = system();
    for pattern in [u32::MAX, 0xA5A5_5A5A, 0x1234_5678, 0] {
        for (register, address) in words().filter(|(_, address)| !MOVING.contains(address)) {
            // Running the core or moving indices would change other registers.
            if [regs::CONTROL, regs::TX_PROD, regs::RX_PROD, regs::CMD_PROD].contains(&address) {
                continue;
            }
            let before = system.reg_read(address)?;
            system.reg_write(address, pattern);
            let after = system.reg_read(address)?;
            let expected = match register.access {
                Access::ReadOnly => before,
                Access::ReadWrite => pattern & mask(register),
                Access::WriteOnly => 0,
                Access::WriteOneToClear => before & !pattern,
            };
            assert_eq!(after, expected, "{} at {address:#06x} after {pattern:#010x}", register.name);
            // Restore what other registers of the test depend on.
            system.reg_write(address, before);
        }
    }
    assert_eq!(system.register_write_errors(), 0);
    Ok(())
}

#[test]
fn accesses_outside_the_table_are_refused_and_harmless() -> Result<()> {
    let mut system = system();
    let known: Vec<u32> = words().map(|(_, address)| address).collect();
    let mut refused = 0;
    for address in (0..0x300).step_by(4).chain([0x1000, 0x8000, 0xFFFC]).filter(|a| !known.contains(a)) {
        assert!(system.reg_read(address).is_err(), "a read of {address:#06x} succeeded");
        system.reg_write(address, u32::MAX);
        refused += 1;
    }
    for address in known.iter().flat_map(|address| (1..4).map(move |i| address + i)) {
        assert!(system.reg_read(address).is_err(), "a misaligned read of {address:#06x} succeeded");
        system.reg_write(address, u32::MAX);
        refused += 1;
    }
    assert_eq!(system.reg_read(regs::ID)?, regs::ID_VALUE);
    assert_eq!(system.register_write_errors(), refused);
    Ok(())
}
