//! Memory that DMA may touch (`abi::regs::DMA`).

use super::RegBus;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Answers at addresses 0x80 to 0xA4. A range is `base <= address < limit`; after reset all are empty.
/// A fault of either side of DMA is latched for DMA_FAULT_ADDR and DMA_FAULT and counted; when both report in one
/// cycle both count, and the read is kept.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct DmaRanges {
    pub cr: Cr,
    pub bus: RegBus,
    pub read_fault: Signal<In, Bit>,
    pub read_fault_addr: Signal<In, Bits<32>>,
    pub read_fault_info: Signal<In, Bits<7>>,
    pub write_fault: Signal<In, Bit>,
    pub write_fault_addr: Signal<In, Bits<32>>,
    pub write_fault_info: Signal<In, Bits<7>>,
    pub range_base0: Signal<Out, Bits<32>>,
    pub range_limit0: Signal<Out, Bits<32>>,
    pub range_base1: Signal<Out, Bits<32>>,
    pub range_limit1: Signal<Out, Bits<32>>,
    pub range_base2: Signal<Out, Bits<32>>,
    pub range_limit2: Signal<Out, Bits<32>>,
    pub range_base3: Signal<Out, Bits<32>>,
    pub range_limit3: Signal<Out, Bits<32>>,
    range_base0_reg: Reg<Bits<32>>,
    range_limit0_reg: Reg<Bits<32>>,
    range_base1_reg: Reg<Bits<32>>,
    range_limit1_reg: Reg<Bits<32>>,
    range_base2_reg: Reg<Bits<32>>,
    range_limit2_reg: Reg<Bits<32>>,
    range_base3_reg: Reg<Bits<32>>,
    range_limit3_reg: Reg<Bits<32>>,
    last_fault: Reg<Bits<32>>,
    last_info: Reg<Bits<7>>,
    /// Faults since reset, up to 65535.
    faults: Reg<Bits<16>>,
    faults_sum: Signal<Local, Bits<17>>,
}

module! {
    impl [] Logic for DmaRanges;
    regs: last_fault, last_info, faults, range_base0_reg, range_limit0_reg, range_base1_reg, range_limit1_reg, range_base2_reg, range_limit2_reg, range_base3_reg, range_limit3_reg;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.bus.write_hit.next = true;
        match self.bus.write_addr.val().index() {
            128 => {
                if self.bus.write.val() {
                    self.range_base0_reg.d.next = self.bus.write_data.val();
                }
            }
            132 => {
                if self.bus.write.val() {
                    self.range_limit0_reg.d.next = self.bus.write_data.val();
                }
            }
            136 => {
                if self.bus.write.val() {
                    self.range_base1_reg.d.next = self.bus.write_data.val();
                }
            }
            140 => {
                if self.bus.write.val() {
                    self.range_limit1_reg.d.next = self.bus.write_data.val();
                }
            }
            144 => {
                if self.bus.write.val() {
                    self.range_base2_reg.d.next = self.bus.write_data.val();
                }
            }
            148 => {
                if self.bus.write.val() {
                    self.range_limit2_reg.d.next = self.bus.write_data.val();
                }
            }
            152 => {
                if self.bus.write.val() {
                    self.range_base3_reg.d.next = self.bus.write_data.val();
                }
            }
            156 => {
                if self.bus.write.val() {
                    self.range_limit3_reg.d.next = self.bus.write_data.val();
                }
            }
            160 => {}
            164 => {}
            _ => {
                self.bus.write_hit.next = false;
            }
        }
        self.faults_sum.next = 0.into();
        if self.read_fault.val() || self.write_fault.val() {
            self.last_fault.d.next = self.write_fault_addr.val();
            self.last_info.d.next = self.write_fault_info.val();
            self.faults_sum.next = bit_cast::<17, 16>(self.faults.q.val()) + 1;
            if self.read_fault.val() {
                self.last_fault.d.next = self.read_fault_addr.val();
                self.last_info.d.next = self.read_fault_info.val();
            }
            if self.read_fault.val() && self.write_fault.val() {
                self.faults_sum.next = bit_cast::<17, 16>(self.faults.q.val()) + 2;
            }
            self.faults.d.next = self.faults_sum.val().get_bits::<16>(0);
            if self.faults_sum.val().get_bit(16) {
                self.faults.d.next = 65535.into();
            }
        }
        self.bus.read_hit.next = true;
        self.bus.read_data.next = 0.into();
        match self.bus.read_addr.val().index() {
            128 => {
                self.bus.read_data.next = self.range_base0_reg.q.val();
            }
            132 => {
                self.bus.read_data.next = self.range_limit0_reg.q.val();
            }
            136 => {
                self.bus.read_data.next = self.range_base1_reg.q.val();
            }
            140 => {
                self.bus.read_data.next = self.range_limit1_reg.q.val();
            }
            144 => {
                self.bus.read_data.next = self.range_base2_reg.q.val();
            }
            148 => {
                self.bus.read_data.next = self.range_limit2_reg.q.val();
            }
            152 => {
                self.bus.read_data.next = self.range_base3_reg.q.val();
            }
            156 => {
                self.bus.read_data.next = self.range_limit3_reg.q.val();
            }
            160 => {
                self.bus.read_data.next = self.last_fault.q.val();
            }
            164 => {
                self.bus.read_data.next = bit_cast::<32, 7>(self.last_info.q.val())
                    | (bit_cast::<32, 16>(self.faults.q.val()) << 16);
            }
            _ => {
                self.bus.read_hit.next = false;
            }
        }
        self.range_base0.next = self.range_base0_reg.q.val();
        self.range_limit0.next = self.range_limit0_reg.q.val();
        self.range_base1.next = self.range_base1_reg.q.val();
        self.range_limit1.next = self.range_limit1_reg.q.val();
        self.range_base2.next = self.range_base2_reg.q.val();
        self.range_limit2.next = self.range_limit2_reg.q.val();
        self.range_base3.next = self.range_base3_reg.q.val();
        self.range_limit3.next = self.range_limit3_reg.q.val();
    }
}
