//! Words shared by host and firmware (`abi::regs::MAILBOX`, `abi::mmio::SHARED`).

use super::RegBus;
use crate::kit::{Cr, LutRam};
use crate::module;
use rust_hdl::prelude::*;

/// Answers at addresses 0x100 to 0x17C. The host writes and reads the first sixteen words and reads the second;
/// the firmware reads the first (`core_read_index` to `core_cfg`, same cycle) and writes the second. The words
/// survive reset.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Mailbox {
    pub cr: Cr,
    pub bus: RegBus,
    pub core_read_index: Signal<In, Bits<4>>,
    pub core_cfg: Signal<Out, Bits<32>>,
    pub core_write: Signal<In, Bit>,
    pub core_write_index: Signal<In, Bits<4>>,
    pub core_data: Signal<In, Bits<32>>,
    cfg_for_host: LutRam<32, 4>,
    cfg_for_core: LutRam<32, 4>,
    sts: LutRam<32, 4>,
    cfg_write: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Mailbox;
    regs: ;
    children: cfg_for_host, cfg_for_core, sts;
    #[hdl_gen]
    fn update(&mut self) {
        self.bus.write_hit.next = (self.bus.write_addr.val() >= 256) && (self.bus.write_addr.val() < 384);
        self.cfg_write.next = self.bus.write.val() && (self.bus.write_addr.val().get_bits::<10>(6) == 4);
        self.cfg_for_host.write_enable.next = self.cfg_write.val();
        self.cfg_for_host.write_addr.next = self.bus.write_addr.val().get_bits::<4>(2);
        self.cfg_for_host.write_data.next = self.bus.write_data.val();
        self.cfg_for_host.read_addr.next = self.bus.read_addr.val().get_bits::<4>(2);
        self.cfg_for_core.write_enable.next = self.cfg_write.val();
        self.cfg_for_core.write_addr.next = self.bus.write_addr.val().get_bits::<4>(2);
        self.cfg_for_core.write_data.next = self.bus.write_data.val();
        self.cfg_for_core.read_addr.next = self.core_read_index.val();
        self.core_cfg.next = self.cfg_for_core.read_data.val();
        self.sts.write_enable.next = self.core_write.val();
        self.sts.write_addr.next = self.core_write_index.val();
        self.sts.write_data.next = self.core_data.val();
        self.sts.read_addr.next = self.bus.read_addr.val().get_bits::<4>(2);
        self.bus.read_hit.next = true;
        self.bus.read_data.next = 0.into();
        match self.bus.read_addr.val().get_bits::<10>(6).index() {
            4 => {
                self.bus.read_data.next = self.cfg_for_host.read_data.val();
            }
            5 => {
                self.bus.read_data.next = self.sts.read_data.val();
            }
            _ => {
                self.bus.read_hit.next = false;
            }
        }
    }
}
