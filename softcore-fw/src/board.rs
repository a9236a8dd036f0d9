//! A board's PHYs, set up once after the board's reset, and its console.
//!
//! Each PHY is looked for on its management bus, known by its identifier, told explicitly which delays of RGMII's clocks it
//! makes, and set to negotiate full duplex at 1000, 100 and 10 Mb/s. What the line then is, the PHY reports in-band to the MAC. A
//! PHY that does not answer, or is none of those known here, keeps what its pins say. All of it happens before the event
//! loop, and each wait is bounded. It runs once, so nothing is inlined. The registers of PHYs are those of the Linux drivers for the same parts (`marvell.c`,
//! `realtek.c`, `bcm-phy-lib.c`, `micrel.c`); no board has tried them.

use baton_abi::mmio::{
    board, BOARD_CONSOLE, BOARD_CONSOLE_ROOM, BOARD_KIND, BOARD_MDIO, BOARD_MDIO_BUSY, BOARD_MDIO_NO_ANSWER,
    BOARD_MDIO_PHY_SHIFT, BOARD_MDIO_REGISTER_SHIFT, BOARD_MDIO_WRITE, BOARD_PHY, BOARD_PHY_DONE,
    BOARD_PHY_RESET, BOARD_RESET_MS_SHIFT, BOARD_SHARED_BUS, TIME_US,
};

use crate::hardware::Hardware;

/// Addresses that are looked at; the PHYs of all boards are among them.
const ADDRESSES: u32 = 8;
/// Polls of a management access before it is given up; it takes less than a tenth.
const MDIO_POLLS: u32 = 20_000;
/// Polls of the console before a byte is dropped: more than 32 bytes take to leave at 125 MHz.
const CONSOLE_POLLS: u32 = 200_000;

// Registers that every PHY has (IEEE 802.3, clause 22).
const CONTROL: u32 = 0;
const ID1: u32 = 2;
const ID2: u32 = 3;
const ADVERTISE: u32 = 4;
const CONTROL_1000: u32 = 9;
const CONTROL_RESET: u16 = 1 << 15;
const CONTROL_NEGOTIATE: u16 = 1 << 12 | 1 << 9;
/// 100 and 10 Mb/s, full duplex, IEEE 802.3.
const ADVERTISE_FULL: u16 = 1 << 8 | 1 << 6 | 1;
const ADVERTISE_1000_FULL: u16 = 1 << 9;

/// Which delays the PHYs of a board make: of the transmit and of the receive clock. The FPGA makes the others.
fn delays(kind: u32) -> (bool, bool) {
    match kind {
        board::COLORLIGHT_I9 | board::COLORLIGHT_5A75B => (true, false),
        board::ECPIX5 => (false, true),
        _ => (true, true),
    }
}

/// The management bus of a port.
struct Bus<'a, H> {
    hw: &'a mut H,
    register: u32,
    phy: u32,
}

impl<H: Hardware> Bus<'_, H> {
    #[inline(never)]
    fn access(&mut self, command: u32) -> Option<u16> {
        self.hw.write(self.register, command | self.phy << BOARD_MDIO_PHY_SHIFT);
        for _ in 0..MDIO_POLLS {
            let status = self.hw.read(self.register);
            if status & BOARD_MDIO_BUSY == 0 {
                return (status & BOARD_MDIO_NO_ANSWER == 0).then_some(status as u16);
            }
        }
        None
    }

    #[inline(never)]
    fn read(&mut self, register: u32) -> u16 {
        self.access(register << BOARD_MDIO_REGISTER_SHIFT).unwrap_or(0)
    }

    #[inline(never)]
    fn write(&mut self, register: u32, value: u16) {
        self.access(BOARD_MDIO_WRITE | register << BOARD_MDIO_REGISTER_SHIFT | u32::from(value));
    }

    /// Sets or clears the bits of `mask`.
    #[inline(never)]
    fn change(&mut self, register: u32, mask: u16, on: bool) {
        let value = self.read(register);
        self.write(register, if on { value | mask } else { value & !mask });
    }

    /// Both words of the identifier; 0 where no PHY answers.
    #[inline(never)]
    fn id(&mut self) -> u32 {
        match self.access(ID1 << BOARD_MDIO_REGISTER_SHIFT) {
            None => 0,
            Some(high) => u32::from(high) << 16 | u32::from(self.read(ID2)),
        }
    }

    #[inline(never)]
    fn set_up(&mut self, id: u32, (tx, rx): (bool, bool)) {
        let mut control = CONTROL_NEGOTIATE;
        match id & !0xF {
            // Marvell 88E1510 family: page 2, register 21; counts after a software reset.
            0x0141_0DD0 => {
                self.write(22, 2);
                self.change(21, 1 << 4, tx);
                self.change(21, 1 << 5, rx);
                self.write(22, 0);
                control |= CONTROL_RESET;
            }
            // Realtek RTL8211F family: page 0xD08, registers 17 and 21.
            0x001C_C910 => {
                self.write(31, 0xD08);
                self.change(17, 1 << 8, tx);
                self.change(21, 1 << 3, rx);
                self.write(31, 0);
            }
            // Broadcom BCM54612E and its relatives: shadow registers behind 28 (clock alignment) and 24 (miscellaneous).
            0x0362_5E60 => {
                self.write(28, 3 << 10);
                let value = self.read(28) & !(1 << 9);
                self.write(28, 1 << 15 | 3 << 10 | value | u16::from(tx) << 9);
                self.write(24, 7 << 12 | 7);
                let value = self.read(24) & !(1 << 8);
                self.write(24, 1 << 15 | value | 7 | u16::from(rx) << 8);
            }
            // Microchip KSZ9031 family, behind the registers of clause 45. It has a receive delay of 1.2 ns and no other; its pads can
            // add next to nothing, so that all of them are set to their middle, and `tx` and `rx` are what they are.
            // Its pulses of negotiation come 16 ms apart, and not, as from reset on, at the edge of what others take.
            0x0022_1620 => {
                for (device, register, value) in
                    [(2, 4, 0x77), (2, 5, 0x7777), (2, 6, 0x7777), (2, 8, 0x1EF), (0, 4, 6), (0, 3, 0x1A80)]
                {
                    self.write(13, device);
                    self.write(14, register);
                    self.write(13, 1 << 14 | device);
                    self.write(14, value);
                }
            }
            _ => {}
        }
        self.write(ADVERTISE, ADVERTISE_FULL);
        self.write(CONTROL_1000, ADVERTISE_1000_FULL);
        self.write(CONTROL, control);
    }
}

#[inline(never)]
fn wait_ms<H: Hardware>(hw: &H, ms: u32) {
    let start = hw.read(TIME_US);
    while hw.read(TIME_US).wrapping_sub(start) < 1000 * ms {}
}

/// Sets up the first PHY from the bus's address on, and returns the address behind it.
#[inline(never)]
fn bring_up_port<H: Hardware>(bus: &mut Bus<H>, kind: u32) -> u32 {
    let mut id = 0;
    while id == 0 && bus.phy < ADDRESSES {
        id = bus.id();
        if id != 0 {
            bus.set_up(id, delays(kind));
        }
        bus.phy += 1;
    }
    print(bus.hw, " ");
    print_hex(bus.hw, id);
    bus.phy
}

/// Sets the PHYs up, unless that was done since the board's reset, and says on the console who they are.
pub fn bring_up<H: Hardware>(hw: &mut H) {
    let word = hw.read(BOARD_KIND);
    let (kind, shared) = (word & 0xFF, word & BOARD_SHARED_BUS != 0);
    if kind == board::NONE || hw.read(BOARD_PHY) & BOARD_PHY_DONE != 0 {
        return;
    }
    let ms = word >> BOARD_RESET_MS_SHIFT & 0xFF;
    hw.write(BOARD_PHY, BOARD_PHY_RESET);
    wait_ms(hw, ms);
    hw.write(BOARD_PHY, 0);
    wait_ms(hw, ms);

    print(hw, "baton phy");
    let next = bring_up_port(&mut Bus { hw, register: BOARD_MDIO, phy: 0 }, kind);
    if kind != board::ECPIX5 {
        let (register, phy) = if shared { (BOARD_MDIO, next) } else { (BOARD_MDIO + 4, 0) };
        bring_up_port(&mut Bus { hw, register, phy }, kind);
    }
    print(hw, "\r\n");
    hw.write(BOARD_PHY, BOARD_PHY_DONE);
}

/// Says on the console why the firmware has stopped.
pub fn report_stop<H: Hardware>(hw: &mut H, cause: u32, pc: u32) {
    if hw.read(BOARD_KIND) & 0xFF != board::NONE {
        print(hw, "baton stop ");
        print_hex(hw, cause);
        print(hw, " ");
        print_hex(hw, pc);
        print(hw, "\r\n");
    }
}

#[inline(never)]
fn print<H: Hardware>(hw: &mut H, text: &str) {
    text.bytes().for_each(|byte| put(hw, byte));
}

#[inline(never)]
fn put<H: Hardware>(hw: &mut H, byte: u8) {
    for _ in 0..CONSOLE_POLLS {
        if hw.read(BOARD_CONSOLE) & BOARD_CONSOLE_ROOM != 0 {
            break;
        }
    }
    hw.write(BOARD_CONSOLE, u32::from(byte));
}

/// Eight digits, the most significant first.
#[inline(never)]
fn print_hex<H: Hardware>(hw: &mut H, word: u32) {
    for shift in (0..32).step_by(4).rev() {
        let digit = (word >> shift & 15) as u8;
        put(hw, if digit < 10 { b'0' + digit } else { b'A' + digit - 10 });
    }
}
