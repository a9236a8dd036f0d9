//! Which work item the core takes next, and who moves host packets.
//!
//! Each of the four queues shows whether an entry waits and the cycle in which it arrived. The choice is made in
//! two registered steps, so `item` follows the queues by two cycles; for six cycles after the core has
//! consumed an item `item` is zero, which covers the queue's own step to its next head. Modes:
//! - `fcfs`: the oldest head of all queues;
//! - `host-first`: host receive, then host transmit, then the older of NIC receive and command;
//! - `direct`: this module moves host packets at once, and the core sees the older of NIC receive and command.
//!
//! Within NIC work the older goes first in every mode, so neither commands nor segments starve the other. "Older" is
//! by the stamps of the heads that wait; of equals, the one named first above goes first: host receive, host transmit,
//! NIC receive, command.
//!
//! **No starvation of commands.** `host-first` alone would let host packets keep commands waiting for ever. So when
//! `2^PASSES` host packets have gone past a waiting command, the next item is that command, before every other. In
//! `fcfs` and `direct` only what arrived before a command goes first. A command that the core cannot take (its
//! answer finds no room, its rest has not come) does not hold up host packets: after `2^TURN` cycles its turn lapses,
//! and it waits for as many again. NIC packets have no such claim: host packets never wait behind them.
//!
//! Verified by `cosim/tests/scheduler.rs`; proven in `hdl/formal/scheduler.sv` (`cargo xtask formal`).

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// The scheduler of the NIC: a command lets 16 host packets pass; its turn lasts for 4096 cycles, longer than any turn
/// of the firmware's event loop.
pub type DefaultScheduler = Scheduler<4, 12>;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Scheduler<const PASSES: usize, const TURN: usize> {
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
    /// That item was a command.
    pub command_taken: Signal<In, Bit>,
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
    /// Host packets that have passed the waiting command.
    passed: Reg<Bits<PASSES>>,
    /// The command goes next; and the cycles for which it has.
    command_due: Reg<Bit>,
    turn: Reg<Bits<TURN>>,
    pass: Signal<Local, Bit>,
}

module! {
    impl [const PASSES: usize, const TURN: usize] Logic for Scheduler<PASSES, TURN>;
    regs: host_item, host_stamp, nic_item, nic_stamp, chosen, hush, passed, command_due, turn;
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

        // A command's turn in host-first mode.
        self.pass.next = self.command_waits.val()
            && (self.mode.val() == 1)
            && (self.core_host_rx_go.val() || self.core_host_tx_go.val());
        if self.pass.val() {
            self.passed.d.next = self.passed.q.val() + 1;
        }
        if self.pass.val() && self.passed.q.val().all() {
            self.command_due.d.next = true;
        }
        if self.command_due.q.val() {
            self.turn.d.next = self.turn.q.val() + 1;
            self.chosen.d.next = 4.into();
        }
        if self.command_taken.val() || !self.command_waits.val() || (self.mode.val() != 1) || self.turn.q.val().all() {
            self.passed.d.next = 0.into();
            self.command_due.d.next = false;
            self.turn.d.next = 0.into();
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
