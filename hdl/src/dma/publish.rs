//! Announces ring indices to the host: the index block in host memory, then the interrupt.
//!
//! When an index has changed, all four are captured together with the count of writes issued so far. Once
//! that many have been acknowledged, everything that the captured values announce is in memory, and only
//! then may they be written there; other operations go on meanwhile. When that write has been acknowledged
//! too, the interrupt causes of the indices that it changed are pulsed. So the host never sees an index
//! before what it announces, nor an interrupt before its index, whatever the order in which the memory
//! performs writes.
//!
//! `rx_seen` and `evt_seen`, which the registers show, follow the same rule. A refused write of the index
//! block pulses no cause: it announced nothing.
//!
//! Core clock, synchronous reset. Latency from a change to `request`: two cycles and the acknowledgement of
//! the writes before it. One announcement is under way at a time, so changes meanwhile are announced
//! together. Verified in `cosim/tests/dma_write`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// The publisher of the ring indices.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Publisher {
    pub cr: Cr,
    pub tx_cons: Signal<In, Bits<16>>,
    pub rx_cons: Signal<In, Bits<16>>,
    pub cmd_cons: Signal<In, Bits<16>>,
    pub evt_prod: Signal<In, Bits<16>>,
    /// Writes issued and acknowledged since reset, wrapping. An index changes no earlier than its writes
    /// are counted as issued.
    pub issued: Signal<In, Bits<8>>,
    pub acked: Signal<In, Bits<8>>,
    /// The captured values are to be written.
    pub request: Signal<Out, Bit>,
    /// The request has become an operation, or (refused) never will.
    pub accepted: Signal<In, Bit>,
    pub refused: Signal<In, Bit>,
    /// The write of the index block has been acknowledged.
    pub done: Signal<In, Bit>,
    /// The captured values, in the order of the index block.
    pub index0: Signal<Out, Bits<16>>,
    pub index1: Signal<Out, Bits<16>>,
    pub index2: Signal<Out, Bits<16>>,
    pub index3: Signal<Out, Bits<16>>,
    pub rx_seen: Signal<Out, Bits<16>>,
    pub evt_seen: Signal<Out, Bits<16>>,
    pub irq_event: Signal<Out, Bit>,
    pub irq_rx: Signal<Out, Bit>,
    pub irq_tx: Signal<Out, Bit>,
    pub irq_cmd: Signal<Out, Bit>,

    /// 0 idle, 1 waiting for acknowledgements, 2 requesting, 3 being written.
    state: Reg<Bits<2>>,
    mark: Reg<Bits<8>>,
    tx: Reg<Bits<16>>,
    rx: Reg<Bits<16>>,
    cmd: Reg<Bits<16>>,
    evt: Reg<Bits<16>>,
    tx_changed: Reg<Bit>,
    rx_changed: Reg<Bit>,
    cmd_changed: Reg<Bit>,
    evt_changed: Reg<Bit>,
    rx_in_memory: Reg<Bits<16>>,
    evt_in_memory: Reg<Bits<16>>,
    tx_differs: Signal<Local, Bit>,
    rx_differs: Signal<Local, Bit>,
    cmd_differs: Signal<Local, Bit>,
    evt_differs: Signal<Local, Bit>,
    differs: Signal<Local, Bit>,
    pulse: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Publisher;
    regs: state, mark, tx, rx, cmd, evt, tx_changed, rx_changed, cmd_changed, evt_changed, rx_in_memory,
        evt_in_memory;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.tx_differs.next = self.tx.q.val() != self.tx_cons.val();
        self.rx_differs.next = self.rx.q.val() != self.rx_cons.val();
        self.cmd_differs.next = self.cmd.q.val() != self.cmd_cons.val();
        self.evt_differs.next = self.evt.q.val() != self.evt_prod.val();
        self.differs.next = self.tx_differs.val()
            || self.rx_differs.val()
            || self.cmd_differs.val()
            || self.evt_differs.val();
        self.pulse.next = false;
        match self.state.q.val().index() {
            0 => {
                self.tx.d.next = self.tx_cons.val();
                self.rx.d.next = self.rx_cons.val();
                self.cmd.d.next = self.cmd_cons.val();
                self.evt.d.next = self.evt_prod.val();
                self.tx_changed.d.next = self.tx_differs.val();
                self.rx_changed.d.next = self.rx_differs.val();
                self.cmd_changed.d.next = self.cmd_differs.val();
                self.evt_changed.d.next = self.evt_differs.val();
                self.mark.d.next = self.issued.val();
                if self.differs.val() {
                    self.state.d.next = 1.into();
                }
            }
            1 => {
                if self.acked.val() == self.mark.q.val() {
                    self.rx_in_memory.d.next = self.rx.q.val();
                    self.evt_in_memory.d.next = self.evt.q.val();
                    self.state.d.next = 2.into();
                }
            }
            2 => {
                if self.accepted.val() {
                    self.state.d.next = 3.into();
                }
                if self.refused.val() {
                    self.state.d.next = 0.into();
                }
            }
            _ => {
                if self.done.val() {
                    self.pulse.next = true;
                    self.state.d.next = 0.into();
                }
            }
        }
        self.request.next = self.state.q.val() == 2;
        self.index0.next = self.tx.q.val();
        self.index1.next = self.rx.q.val();
        self.index2.next = self.cmd.q.val();
        self.index3.next = self.evt.q.val();
        self.rx_seen.next = self.rx_in_memory.q.val();
        self.evt_seen.next = self.evt_in_memory.q.val();
        self.irq_tx.next = self.pulse.val() && self.tx_changed.q.val();
        self.irq_rx.next = self.pulse.val() && self.rx_changed.q.val();
        self.irq_cmd.next = self.pulse.val() && self.cmd_changed.q.val();
        self.irq_event.next = self.pulse.val() && self.evt_changed.q.val();
    }
}
