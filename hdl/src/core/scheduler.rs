//! Which work item the core takes next, and who moves host packets.
//!
//! Each of the four queues shows whether an entry waits and the cycle in which it arrived. The choice is made in
//! two registered steps, so `item` follows the queues by two cycles; for six cycles after the core has
//! consumed an item `item` is zero, which covers the queue's own step to its next head. Modes:
//! - `fcfs`: the oldest head of all queues;
//! - `host-first`: host receive, then host transmit, then the older of NIC receive and command;
//! - `direct`: this module moves host packets at once, and the core sees the older of NIC receive and command.
//!
//! Within NIC work the older goes first in every mode, so neither commands nor segments starve the other.
//! Verified by `cosim/tests/scheduler.rs`; proven in `hdl/formal/scheduler.sv` (`cargo xtask formal`).

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Scheduler {
    pub cr: Cr,
    /// As `CONTROL.SCHED_MODE`.
    pub mode: Signal<In, Bits<2>>,
    pub host_rx_waits: Signal<In, Bit>,
    pub host_rx_stamp: Signal<In, Bits<32>>,
    pub host_tx_waits: Signal<In, Bit>,
    pub host_tx_stamp: Signal<In, Bits<32>>,
    pub nic_rx_waits: Signal<In, Bit>,
    pub nic_rx_stamp: Signal<In, Bits<32>>,
    pub command_waits: Signal<In, Bit>,
    pub command_stamp: Signal<In, Bits<32>>,
    /// The core moves a host packet on.
    pub core_host_rx_go: Signal<In, Bit>,
    pub core_host_tx_go: Signal<In, Bit>,
    /// The core consumed any item.
    pub consumed: Signal<In, Bit>,
    pub host_rx_go: Signal<Out, Bit>,
    pub host_tx_go: Signal<Out, Bit>,
    /// `abi::mmio::work`.
    pub item: Signal<Out, Bits<3>>,
    direct: Signal<Local, Bit>,
    rx_tx_age: Signal<Local, Bits<32>>,
    nic_command_age: Signal<Local, Bits<32>>,
    side_age: Signal<Local, Bits<32>>,
    host_item: Reg<Bits<3>>,
    host_stamp: Reg<Bits<32>>,
    nic_item: Reg<Bits<3>>,
    nic_stamp: Reg<Bits<32>>,
    chosen: Reg<Bits<3>>,
    hush: Reg<Bits<3>>,
}

module! {
    impl [] Logic for Scheduler;
    regs: host_item, host_stamp, nic_item, nic_stamp, chosen, hush;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.direct.next = self.mode.val().get_bit(1);
        self.host_rx_go.next = self.host_rx_waits.val() && (self.direct.val() || self.core_host_rx_go.val());
        self.host_tx_go.next = self.host_tx_waits.val() && (self.direct.val() || self.core_host_tx_go.val());

        // Stamps wrap, so the sign of a difference says which is older.
        self.rx_tx_age.next = self.host_tx_stamp.val() - self.host_rx_stamp.val();
        self.host_item.d.next = 0.into();
        self.host_stamp.d.next = self.host_rx_stamp.val();
        if !self.direct.val() {
            if self.host_rx_waits.val() {
                self.host_item.d.next = 1.into();
            }
            if self.host_tx_waits.val()
                && (!self.host_rx_waits.val() || (!self.mode.val().get_bit(0) && self.rx_tx_age.val().get_bit(31))) {
                self.host_item.d.next = 2.into();
                self.host_stamp.d.next = self.host_tx_stamp.val();
            }
        }
        self.nic_command_age.next = self.command_stamp.val() - self.nic_rx_stamp.val();
        self.nic_item.d.next = 0.into();
        self.nic_stamp.d.next = self.nic_rx_stamp.val();
        if self.nic_rx_waits.val() {
            self.nic_item.d.next = 3.into();
        }
        if self.command_waits.val() && (!self.nic_rx_waits.val() || self.nic_command_age.val().get_bit(31)) {
            self.nic_item.d.next = 4.into();
            self.nic_stamp.d.next = self.command_stamp.val();
        }

        self.side_age.next = self.nic_stamp.q.val() - self.host_stamp.q.val();
        self.chosen.d.next = self.host_item.q.val();
        if (self.host_item.q.val() == 0)
            || ((self.nic_item.q.val() != 0) && !self.mode.val().get_bit(0) && self.side_age.val().get_bit(31)) {
            self.chosen.d.next = self.nic_item.q.val();
        }

        if self.consumed.val() {
            self.hush.d.next = 6.into();
        } else if self.hush.q.val() != 0 {
            self.hush.d.next = self.hush.q.val() - 1;
        }
        self.item.next = 0.into();
        if self.hush.q.val() == 0 {
            self.item.next = self.chosen.q.val();
        }
    }
}
