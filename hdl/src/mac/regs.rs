//! Registers of the MAC (`abi::regs::MAC`, `abi::regs::MAC_STATISTICS`), in the core's domain.
//!
//! A block on the register bus like those of `crate::regs`: `write` acts in its cycle, reads have no side
//! effect and answer in the same cycle. Counters wrap; the two byte counters have 64 bits, and a reader
//! takes high, low and high again. Verified in `cosim/tests/mac_regs.rs`.

use crate::kit::{Cr, Fact, Reg};
use crate::module;
use crate::regs::RegBus;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, LogicBlock)]
pub struct MacRegs {
    pub cr: Cr,
    pub bus: RegBus,
    pub tx_enable: Signal<Out, Bit>,
    pub rx_enable: Signal<Out, Bit>,
    pub promiscuous: Signal<Out, Bit>,
    pub jumbo: Signal<Out, Bit>,
    pub speed_set: Signal<Out, Bits<2>>,
    pub speed_auto: Signal<Out, Bit>,
    pub addr_low: Signal<Out, Bits<32>>,
    pub addr_high: Signal<Out, Bits<16>>,
    /// Link, speed (2:1) and duplex that the PHY reports, and the speed in use.
    pub link: Signal<In, Bits<4>>,
    pub speed: Signal<In, Bits<2>>,
    pub has_inband: Signal<In, Bit>,
    pub mdio_start: Signal<Out, Bit>,
    pub mdio_command: Signal<Out, Bits<32>>,
    pub mdio_divider: Signal<Out, Bits<8>>,
    pub mdio_busy: Signal<In, Bit>,
    pub mdio_no_answer: Signal<In, Bit>,
    pub mdio_data: Signal<In, Bits<16>>,
    pub phy_reset_n: Signal<Out, Bit>,
    /// Pulses, and bytes with the frames.
    pub rx_frame: Signal<In, Bit>,
    pub rx_frame_bytes: Signal<In, Bits<14>>,
    pub rx_bad_fcs: Signal<In, Bit>,
    pub rx_symbol: Signal<In, Bit>,
    pub rx_runt: Signal<In, Bit>,
    pub rx_overlong: Signal<In, Bit>,
    pub rx_pause: Signal<In, Bit>,
    pub rx_filtered: Signal<In, Bit>,
    pub tx_frame: Signal<In, Bit>,
    pub tx_frame_bytes: Signal<In, Bits<14>>,
    pub tx_dropped: Signal<In, Bit>,
    /// Counts of the other domains.
    pub rx_overflow: Signal<In, Bits<32>>,
    pub rx_false_carrier: Signal<In, Bits<32>>,
    pub tx_sent: Signal<In, Bits<32>>,
    pub tx_underflow: Signal<In, Bits<32>>,

    /// Nothing is on the bus.
    alone: Fact,
    write: Signal<Local, Bit>,
    control: Reg<Bits<9>>,
    own_low: Reg<Bits<32>>,
    own_high: Reg<Bits<16>>,
    divider: Reg<Bits<8>>,
    phy_reset: Reg<Bit>,
    rx_frames: Reg<Bits<32>>,
    rx_bytes: Reg<Bits<64>>,
    bad_fcs: Reg<Bits<32>>,
    symbol: Reg<Bits<32>>,
    runts: Reg<Bits<32>>,
    overlong: Reg<Bits<32>>,
    pause: Reg<Bits<32>>,
    filtered: Reg<Bits<32>>,
    tx_bytes: Reg<Bits<64>>,
    dropped: Reg<Bits<32>>,
    status: Signal<Local, Bits<32>>,
    mdio_status: Signal<Local, Bits<32>>,
}

impl MacRegs {
    /// `on_bus`: something reads and writes them.
    pub fn new(on_bus: bool) -> Self {
        MacRegs {
            alone: Fact::new(!on_bus),
            write: Default::default(),
            cr: Default::default(),
            bus: Default::default(),
            tx_enable: Default::default(),
            rx_enable: Default::default(),
            promiscuous: Default::default(),
            jumbo: Default::default(),
            speed_set: Default::default(),
            speed_auto: Default::default(),
            addr_low: Default::default(),
            addr_high: Default::default(),
            link: Default::default(),
            speed: Default::default(),
            has_inband: Default::default(),
            mdio_start: Default::default(),
            mdio_command: Default::default(),
            mdio_divider: Default::default(),
            mdio_busy: Default::default(),
            mdio_no_answer: Default::default(),
            mdio_data: Default::default(),
            phy_reset_n: Default::default(),
            rx_frame: Default::default(),
            rx_frame_bytes: Default::default(),
            rx_bad_fcs: Default::default(),
            rx_symbol: Default::default(),
            rx_runt: Default::default(),
            rx_overlong: Default::default(),
            rx_pause: Default::default(),
            rx_filtered: Default::default(),
            tx_frame: Default::default(),
            tx_frame_bytes: Default::default(),
            tx_dropped: Default::default(),
            rx_overflow: Default::default(),
            rx_false_carrier: Default::default(),
            tx_sent: Default::default(),
            tx_underflow: Default::default(),
            // Both directions enabled, promiscuous, 1000 Mb/s unless the PHY says otherwise.
            control: Reg::new(0x067u64.into()),
            own_low: Default::default(),
            own_high: Default::default(),
            divider: Reg::new(24u64.into()),
            phy_reset: Default::default(),
            rx_frames: Default::default(),
            rx_bytes: Default::default(),
            bad_fcs: Default::default(),
            symbol: Default::default(),
            runts: Default::default(),
            overlong: Default::default(),
            pause: Default::default(),
            filtered: Default::default(),
            tx_bytes: Default::default(),
            dropped: Default::default(),
            status: Default::default(),
            mdio_status: Default::default(),
        }
    }
}

module! {
    impl [] Logic for MacRegs;
    regs: control, own_low, own_high, divider, phy_reset, rx_frames, rx_bytes, bad_fcs, symbol, runts, overlong, pause,
        filtered, tx_bytes, dropped;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        if self.rx_frame.val() {
            self.rx_frames.d.next = self.rx_frames.q.val() + 1;
        }
        if self.rx_bad_fcs.val() {
            self.bad_fcs.d.next = self.bad_fcs.q.val() + 1;
        }
        if self.rx_symbol.val() {
            self.symbol.d.next = self.symbol.q.val() + 1;
        }
        if self.rx_runt.val() {
            self.runts.d.next = self.runts.q.val() + 1;
        }
        if self.rx_overlong.val() {
            self.overlong.d.next = self.overlong.q.val() + 1;
        }
        if self.rx_pause.val() {
            self.pause.d.next = self.pause.q.val() + 1;
        }
        if self.rx_filtered.val() {
            self.filtered.d.next = self.filtered.q.val() + 1;
        }
        if self.tx_dropped.val() {
            self.dropped.d.next = self.dropped.q.val() + 1;
        }
        if self.rx_frame.val() {
            self.rx_bytes.d.next = self.rx_bytes.q.val() + bit_cast::<64, 14>(self.rx_frame_bytes.val());
        }
        if self.tx_frame.val() {
            self.tx_bytes.d.next = self.tx_bytes.q.val() + bit_cast::<64, 14>(self.tx_frame_bytes.val());
        }

        self.mdio_start.next = false;
        self.mdio_command.next = self.bus.write_data.val();
        // Writes elsewhere in the two blocks are ignored.
        self.bus.write_hit.next = ((self.bus.write_addr.val() >= 4096) && (self.bus.write_addr.val() <= 4124))
            || ((self.bus.write_addr.val() >= 4160) && (self.bus.write_addr.val() <= 4220));
        self.write.next = self.bus.write.val() && !self.alone.holds.val();
        if self.write.val() {
            match self.bus.write_addr.val().index() {
                4096 => {
                    // Bits 3 and 7 are reserved.
                    self.control.d.next = self.bus.write_data.val().get_bits::<9>(0) & 0x177;
                }
                4104 => {
                    self.own_low.d.next = self.bus.write_data.val();
                }
                4108 => {
                    self.own_high.d.next = self.bus.write_data.val().get_bits::<16>(0);
                }
                4112 => {
                    self.mdio_start.next = true;
                }
                4120 => {
                    self.divider.d.next = self.bus.write_data.val().get_bits::<8>(0);
                }
                4124 => {
                    self.phy_reset.d.next = self.bus.write_data.val().get_bit(0);
                }
                _ => {}
            }
        }

        self.status.next = bit_cast::<32, 4>(self.link.val())
            | (bit_cast::<32, 2>(self.speed.val()) << 4)
            | (bit_cast::<32, 1>(self.has_inband.val().into()) << 8);
        self.mdio_status.next = bit_cast::<32, 16>(self.mdio_data.val())
            | (bit_cast::<32, 1>(self.mdio_busy.val().into()) << 16)
            | (bit_cast::<32, 1>(self.mdio_no_answer.val().into()) << 17);
        self.bus.read_hit.next = true;
        self.bus.read_data.next = 0.into();
        match self.bus.read_addr.val().index() {
            4096 => {
                self.bus.read_data.next = bit_cast::<32, 9>(self.control.q.val());
            }
            4100 => {
                self.bus.read_data.next = self.status.val();
            }
            4104 => {
                self.bus.read_data.next = self.own_low.q.val();
            }
            4108 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.own_high.q.val());
            }
            4112 => {}
            4116 => {
                self.bus.read_data.next = self.mdio_status.val();
            }
            4120 => {
                self.bus.read_data.next = bit_cast::<32, 8>(self.divider.q.val());
            }
            4124 => {
                self.bus.read_data.next = bit_cast::<32, 1>(self.phy_reset.q.val().into());
            }
            4160 => {
                self.bus.read_data.next = self.rx_frames.q.val();
            }
            4164 => {
                self.bus.read_data.next = self.rx_bytes.q.val().get_bits::<32>(0);
            }
            4168 => {
                self.bus.read_data.next = self.rx_bytes.q.val().get_bits::<32>(32);
            }
            4172 => {
                self.bus.read_data.next = self.bad_fcs.q.val();
            }
            4176 => {
                self.bus.read_data.next = self.symbol.q.val();
            }
            4180 => {
                self.bus.read_data.next = self.runts.q.val();
            }
            4184 => {
                self.bus.read_data.next = self.overlong.q.val();
            }
            4188 => {
                self.bus.read_data.next = self.rx_overflow.val();
            }
            4192 => {
                self.bus.read_data.next = self.pause.q.val();
            }
            4196 => {
                self.bus.read_data.next = self.filtered.q.val();
            }
            4200 => {
                self.bus.read_data.next = self.rx_false_carrier.val();
            }
            4204 => {
                self.bus.read_data.next = self.tx_sent.val();
            }
            4208 => {
                self.bus.read_data.next = self.tx_bytes.q.val().get_bits::<32>(0);
            }
            4212 => {
                self.bus.read_data.next = self.tx_bytes.q.val().get_bits::<32>(32);
            }
            4216 => {
                self.bus.read_data.next = self.tx_underflow.val();
            }
            4220 => {
                self.bus.read_data.next = self.dropped.q.val();
            }
            _ => {
                self.bus.read_hit.next = false;
            }
        }

        if self.alone.holds.val() {
            self.bus.read_hit.next = false;
            self.bus.read_data.next = 0.into();
        }

        self.tx_enable.next = self.control.q.val().get_bit(0);
        self.rx_enable.next = self.control.q.val().get_bit(1);
        self.promiscuous.next = self.control.q.val().get_bit(2);
        self.speed_set.next = self.control.q.val().get_bits::<2>(4);
        self.speed_auto.next = self.control.q.val().get_bit(6);
        self.jumbo.next = self.control.q.val().get_bit(8);
        self.addr_low.next = self.own_low.q.val();
        self.addr_high.next = self.own_high.q.val();
        self.mdio_divider.next = self.divider.q.val();
        self.phy_reset_n.next = !self.phy_reset.q.val();
    }
}
