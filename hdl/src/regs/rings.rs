//! Ring addresses, sizes and indices (`abi::regs::RINGS`).

use super::RegBus;
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Answers at addresses 0x40 to 0x7C. The host owns the index that it writes (producer of the transmit, receive and
/// command rings, consumer of the event ring); the other is read from the NIC.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Rings {
    pub cr: Cr,
    pub bus: RegBus,
    pub tx_base: Signal<Out, Bits<32>>,
    pub tx_size_log2: Signal<Out, Bits<4>>,
    pub tx_prod: Signal<Out, Bits<16>>,
    pub tx_cons: Signal<In, Bits<16>>,
    pub rx_base: Signal<Out, Bits<32>>,
    pub rx_size_log2: Signal<Out, Bits<4>>,
    pub rx_prod: Signal<Out, Bits<16>>,
    pub rx_cons: Signal<In, Bits<16>>,
    pub cmd_base: Signal<Out, Bits<32>>,
    pub cmd_size_log2: Signal<Out, Bits<4>>,
    pub cmd_prod: Signal<Out, Bits<16>>,
    pub cmd_cons: Signal<In, Bits<16>>,
    pub evt_base: Signal<Out, Bits<32>>,
    pub evt_size_log2: Signal<Out, Bits<4>>,
    pub evt_cons: Signal<Out, Bits<16>>,
    pub evt_prod: Signal<In, Bits<16>>,
    tx_base_reg: Reg<Bits<32>>,
    tx_size_reg: Reg<Bits<4>>,
    tx_index_reg: Reg<Bits<16>>,
    rx_base_reg: Reg<Bits<32>>,
    rx_size_reg: Reg<Bits<4>>,
    rx_index_reg: Reg<Bits<16>>,
    cmd_base_reg: Reg<Bits<32>>,
    cmd_size_reg: Reg<Bits<4>>,
    cmd_index_reg: Reg<Bits<16>>,
    evt_base_reg: Reg<Bits<32>>,
    evt_size_reg: Reg<Bits<4>>,
    evt_index_reg: Reg<Bits<16>>,
}

module! {
    impl [] Logic for Rings;
    regs: tx_base_reg, tx_size_reg, tx_index_reg, rx_base_reg, rx_size_reg, rx_index_reg, cmd_base_reg, cmd_size_reg, cmd_index_reg, evt_base_reg, evt_size_reg, evt_index_reg;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.bus.write_hit.next = true;
        match self.bus.write_addr.val().index() {
            64 => {
                if self.bus.write.val() {
                    self.tx_base_reg.d.next = self.bus.write_data.val();
                }
            }
            68 => {
                if self.bus.write.val() {
                    self.tx_size_reg.d.next = self.bus.write_data.val().get_bits::<4>(0);
                }
            }
            72 => {
                if self.bus.write.val() {
                    self.tx_index_reg.d.next = self.bus.write_data.val().get_bits::<16>(0);
                }
            }
            76 => {}
            80 => {
                if self.bus.write.val() {
                    self.rx_base_reg.d.next = self.bus.write_data.val();
                }
            }
            84 => {
                if self.bus.write.val() {
                    self.rx_size_reg.d.next = self.bus.write_data.val().get_bits::<4>(0);
                }
            }
            88 => {
                if self.bus.write.val() {
                    self.rx_index_reg.d.next = self.bus.write_data.val().get_bits::<16>(0);
                }
            }
            92 => {}
            96 => {
                if self.bus.write.val() {
                    self.cmd_base_reg.d.next = self.bus.write_data.val();
                }
            }
            100 => {
                if self.bus.write.val() {
                    self.cmd_size_reg.d.next = self.bus.write_data.val().get_bits::<4>(0);
                }
            }
            104 => {
                if self.bus.write.val() {
                    self.cmd_index_reg.d.next = self.bus.write_data.val().get_bits::<16>(0);
                }
            }
            108 => {}
            112 => {
                if self.bus.write.val() {
                    self.evt_base_reg.d.next = self.bus.write_data.val();
                }
            }
            116 => {
                if self.bus.write.val() {
                    self.evt_size_reg.d.next = self.bus.write_data.val().get_bits::<4>(0);
                }
            }
            120 => {
                if self.bus.write.val() {
                    self.evt_index_reg.d.next = self.bus.write_data.val().get_bits::<16>(0);
                }
            }
            124 => {}
            _ => {
                self.bus.write_hit.next = false;
            }
        }
        self.bus.read_hit.next = true;
        self.bus.read_data.next = 0.into();
        match self.bus.read_addr.val().index() {
            64 => {
                self.bus.read_data.next = self.tx_base_reg.q.val();
            }
            68 => {
                self.bus.read_data.next = bit_cast::<32, 4>(self.tx_size_reg.q.val());
            }
            72 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.tx_index_reg.q.val());
            }
            76 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.tx_cons.val());
            }
            80 => {
                self.bus.read_data.next = self.rx_base_reg.q.val();
            }
            84 => {
                self.bus.read_data.next = bit_cast::<32, 4>(self.rx_size_reg.q.val());
            }
            88 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.rx_index_reg.q.val());
            }
            92 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.rx_cons.val());
            }
            96 => {
                self.bus.read_data.next = self.cmd_base_reg.q.val();
            }
            100 => {
                self.bus.read_data.next = bit_cast::<32, 4>(self.cmd_size_reg.q.val());
            }
            104 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.cmd_index_reg.q.val());
            }
            108 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.cmd_cons.val());
            }
            112 => {
                self.bus.read_data.next = self.evt_base_reg.q.val();
            }
            116 => {
                self.bus.read_data.next = bit_cast::<32, 4>(self.evt_size_reg.q.val());
            }
            120 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.evt_index_reg.q.val());
            }
            124 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.evt_prod.val());
            }
            _ => {
                self.bus.read_hit.next = false;
            }
        }
        self.tx_base.next = self.tx_base_reg.q.val();
        self.tx_size_log2.next = self.tx_size_reg.q.val();
        self.tx_prod.next = self.tx_index_reg.q.val();
        self.rx_base.next = self.rx_base_reg.q.val();
        self.rx_size_log2.next = self.rx_size_reg.q.val();
        self.rx_prod.next = self.rx_index_reg.q.val();
        self.cmd_base.next = self.cmd_base_reg.q.val();
        self.cmd_size_log2.next = self.cmd_size_reg.q.val();
        self.cmd_prod.next = self.cmd_index_reg.q.val();
        self.evt_base.next = self.evt_base_reg.q.val();
        self.evt_size_log2.next = self.evt_size_reg.q.val();
        self.evt_cons.next = self.evt_index_reg.q.val();
    }
}
