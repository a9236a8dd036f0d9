//! Packet and byte counters of every connection (`abi::regs::CONNECTION`, `abi::mmio::COUNTERS`).
//!
//! One block RAM of two words a connection, received and sent, each a packet count and a byte count of 32 bits that
//! wrap: a reader takes differences. The connection value's low bits are the address, so a slot's counters go on with
//! its next connection until firmware reads and clears them. One engine serves, in this order, received segments,
//! sent segments, and firmware and host in turns; a reader gets all four numbers as of one moment.
//!
//! Core clock, synchronous reset. After reset the counters are cleared for `2^C1` cycles, in which events are lost
//! (there are none: the lookup table is empty) and readers wait. An event takes 3 cycles and a reading 5; events of one
//! direction must be at least 12 cycles apart (segments of minimum size are 16), a reading ends within 24. A selection
//! while one of the same reader is under way is served after it. There is no backpressure and no bad input: value bits
//! above the table are ignored. Verified in `cosim/tests/counters.rs`.

use super::RegBus;
use crate::kit::{Cr, Fact, RamRw, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Counters of `2^C` connections; `C1 = C + 1`. Answers at addresses 0xD0 to 0xE4.
#[derive(Clone, Debug, LogicBlock)]
pub struct ConnCounters<const C: usize, const C1: usize> {
    pub cr: Cr,
    pub bus: RegBus,
    /// A segment was received, of a connection and with so many bytes of payload.
    pub rx_valid: Signal<In, Bit>,
    pub rx_conn: Signal<In, Bits<16>>,
    pub rx_bytes: Signal<In, Bits<16>>,
    /// A segment was sent.
    pub tx_valid: Signal<In, Bit>,
    pub tx_conn: Signal<In, Bits<16>>,
    pub tx_bytes: Signal<In, Bits<16>>,
    /// Firmware's reading; `core_clear` with `core_start`.
    pub core_start: Signal<In, Bit>,
    pub core_conn: Signal<In, Bits<16>>,
    pub core_clear: Signal<In, Bit>,
    pub core_busy: Signal<Out, Bit>,
    pub core_rx_packets: Signal<Out, Bits<32>>,
    pub core_rx_bytes: Signal<Out, Bits<32>>,
    pub core_tx_packets: Signal<Out, Bits<32>>,
    pub core_tx_bytes: Signal<Out, Bits<32>>,

    /// Bytes in the upper half, packets in the lower.
    memory: RamRw<64, C1>,
    /// 0 clearing, 1 idle, 2 the address is out, 3 the word is there.
    state: Reg<Bits<2>>,
    sweep: Reg<Bits<C1>>,
    /// Whom the engine serves: 0 received, 1 sent, 2 firmware, 3 host.
    client: Reg<Bits<2>>,
    /// Direction in the lowest bit.
    address: Reg<Bits<C1>>,
    amount: Reg<Bits<16>>,
    clears: Reg<Bit>,
    /// The reader that was served last was firmware.
    core_last: Reg<Bit>,

    rx_pending: Reg<Bit>,
    rx_slot: Reg<Bits<C>>,
    rx_amount: Reg<Bits<16>>,
    tx_pending: Reg<Bit>,
    tx_slot: Reg<Bits<C>>,
    tx_amount: Reg<Bits<16>>,
    core_pending: Reg<Bit>,
    core_slot: Reg<Bits<C>>,
    core_clears: Reg<Bit>,
    host_pending: Reg<Bit>,
    select: Reg<Bits<16>>,

    core_words_rx_packets: Reg<Bits<32>>,
    core_words_rx_bytes: Reg<Bits<32>>,
    core_words_tx_packets: Reg<Bits<32>>,
    core_words_tx_bytes: Reg<Bits<32>>,
    host_words_rx_packets: Reg<Bits<32>>,
    host_words_rx_bytes: Reg<Bits<32>>,
    host_words_tx_packets: Reg<Bits<32>>,
    host_words_tx_bytes: Reg<Bits<32>>,

    /// There are no connections.
    absent: Fact,
    slot: Signal<Local, Bits<C>>,
    choice: Signal<Local, Bits<2>>,
    any: Signal<Local, Bit>,
    at_core: Signal<Local, Bit>,
    at_host: Signal<Local, Bit>,
    host_busy: Signal<Local, Bit>,
    packets: Signal<Local, Bits<32>>,
    bytes: Signal<Local, Bits<32>>,
    more_packets: Signal<Local, Bits<32>>,
    more_bytes: Signal<Local, Bits<32>>,
    direction: Signal<Local, Bits<C1>>,
    word: Signal<Local, Bits<64>>,
}

impl<const C: usize, const C1: usize> Default for ConnCounters<C, C1> {
    fn default() -> Self {
        assert!(C1 == C + 1 && (3..=16).contains(&C), "counters of 2^{C} connections, {C1} address bits");
        ConnCounters {
            cr: Default::default(),
            bus: Default::default(),
            rx_valid: Default::default(),
            rx_conn: Default::default(),
            rx_bytes: Default::default(),
            tx_valid: Default::default(),
            tx_conn: Default::default(),
            tx_bytes: Default::default(),
            core_start: Default::default(),
            core_conn: Default::default(),
            core_clear: Default::default(),
            core_busy: Default::default(),
            core_rx_packets: Default::default(),
            core_rx_bytes: Default::default(),
            core_tx_packets: Default::default(),
            core_tx_bytes: Default::default(),
            memory: Default::default(),
            state: Default::default(),
            sweep: Default::default(),
            client: Default::default(),
            address: Default::default(),
            amount: Default::default(),
            clears: Default::default(),
            core_last: Default::default(),
            rx_pending: Default::default(),
            rx_slot: Default::default(),
            rx_amount: Default::default(),
            tx_pending: Default::default(),
            tx_slot: Default::default(),
            tx_amount: Default::default(),
            core_pending: Default::default(),
            core_slot: Default::default(),
            core_clears: Default::default(),
            host_pending: Default::default(),
            select: Default::default(),
            core_words_rx_packets: Default::default(),
            core_words_rx_bytes: Default::default(),
            core_words_tx_packets: Default::default(),
            core_words_tx_bytes: Default::default(),
            host_words_rx_packets: Default::default(),
            host_words_rx_bytes: Default::default(),
            host_words_tx_packets: Default::default(),
            host_words_tx_bytes: Default::default(),
            absent: Default::default(),
            slot: Default::default(),
            choice: Default::default(),
            any: Default::default(),
            at_core: Default::default(),
            at_host: Default::default(),
            host_busy: Default::default(),
            packets: Default::default(),
            bytes: Default::default(),
            more_packets: Default::default(),
            more_bytes: Default::default(),
            direction: Default::default(),
            word: Default::default(),
        }
    }
}

impl<const C: usize, const C1: usize> ConnCounters<C, C1> {
    /// For a build without handoff: readers get zeros.
    pub fn set_absent(&mut self) {
        self.absent = Fact::new(true);
    }
}

module! {
    impl [const C: usize, const C1: usize] Logic for ConnCounters<C, C1>;
    regs: state, sweep, client, address, amount, clears, core_last, rx_pending, rx_slot, rx_amount, tx_pending,
        tx_slot, tx_amount, core_pending, core_slot, core_clears, host_pending, select, core_words_rx_packets,
        core_words_rx_bytes, core_words_tx_packets, core_words_tx_bytes, host_words_rx_packets,
        host_words_rx_bytes, host_words_tx_packets, host_words_tx_bytes;
    children: memory;
    #[hdl_gen]
    fn update(&mut self) {
        // Who is next.
        self.any.next = self.rx_pending.q.val() || self.tx_pending.q.val() || self.core_pending.q.val()
            || self.host_pending.q.val();
        self.choice.next = 3.into();
        self.slot.next = self.select.q.val().get_bits::<C>(0);
        self.direction.next = 0.into();
        if self.core_pending.q.val() && (!self.host_pending.q.val() || !self.core_last.q.val()) {
            self.choice.next = 2.into();
            self.slot.next = self.core_slot.q.val();
        }
        if self.tx_pending.q.val() {
            self.choice.next = 1.into();
            self.slot.next = self.tx_slot.q.val();
            self.direction.next = 1.into();
        }
        if self.rx_pending.q.val() {
            self.choice.next = 0.into();
            self.slot.next = self.rx_slot.q.val();
            self.direction.next = 0.into();
        }

        // The engine.
        if self.state.q.val() == 0 {
            self.sweep.d.next = self.sweep.q.val() + 1;
            if self.sweep.q.val().all() {
                self.state.d.next = 1.into();
            }
        }
        if (self.state.q.val() == 1) && self.any.val() {
            self.state.d.next = 2.into();
            self.client.d.next = self.choice.val();
            self.address.d.next = (bit_cast::<C1, C>(self.slot.val()) << 1) | self.direction.val();
            self.clears.d.next = (self.choice.val() == 2) && self.core_clears.q.val();
            self.amount.d.next = self.rx_amount.q.val();
            if self.choice.val() == 0 {
                self.rx_pending.d.next = false;
            }
            if self.choice.val() == 1 {
                self.tx_pending.d.next = false;
                self.amount.d.next = self.tx_amount.q.val();
            }
            if self.choice.val() == 2 {
                self.core_pending.d.next = false;
                self.core_last.d.next = true;
            }
            if self.choice.val() == 3 {
                self.host_pending.d.next = false;
                self.core_last.d.next = false;
            }
        }
        if self.state.q.val() == 2 {
            self.state.d.next = 3.into();
        }
        self.at_core.next = (self.state.q.val() == 3) && (self.client.q.val() == 2);
        self.at_host.next = (self.state.q.val() == 3) && (self.client.q.val() == 3);
        if self.state.q.val() == 3 {
            self.state.d.next = 1.into();
            // A reader goes on with what was sent.
            if self.client.q.val().get_bit(1) && !self.address.q.val().get_bit(0) {
                self.state.d.next = 2.into();
                self.address.d.next = self.address.q.val() + 1;
            }
        }

        // What comes in wins over what is being taken.
        if self.rx_valid.val() {
            self.rx_pending.d.next = self.state.q.val() != 0;
            self.rx_slot.d.next = self.rx_conn.val().get_bits::<C>(0);
            self.rx_amount.d.next = self.rx_bytes.val();
        }
        if self.tx_valid.val() {
            self.tx_pending.d.next = self.state.q.val() != 0;
            self.tx_slot.d.next = self.tx_conn.val().get_bits::<C>(0);
            self.tx_amount.d.next = self.tx_bytes.val();
        }
        if self.core_start.val() {
            self.core_pending.d.next = true;
            self.core_slot.d.next = self.core_conn.val().get_bits::<C>(0);
            self.core_clears.d.next = self.core_clear.val();
        }

        // The memory.
        self.word.next = 0.into();
        if !self.absent.holds.val() {
            self.word.next = self.memory.read_data.val();
        }
        self.packets.next = self.word.val().get_bits::<32>(0);
        self.bytes.next = self.word.val().get_bits::<32>(32);
        self.more_packets.next = self.packets.val() + 1;
        self.more_bytes.next = self.bytes.val() + bit_cast::<32, 16>(self.amount.q.val());
        self.memory.read_addr.next = self.address.q.val();
        self.memory.write_addr.next = self.address.q.val();
        self.memory.write_data.next = 0.into();
        if (self.state.q.val() == 3) && !self.client.q.val().get_bit(1) {
            self.memory.write_data.next = (bit_cast::<64, 32>(self.more_bytes.val()) << 32)
                | bit_cast::<64, 32>(self.more_packets.val());
        }
        self.memory.write_enable.next = (self.state.q.val() == 0)
            || ((self.state.q.val() == 3) && (!self.client.q.val().get_bit(1) || self.clears.q.val()));
        if self.state.q.val() == 0 {
            self.memory.write_addr.next = self.sweep.q.val();
        }

        // The readers.
        if self.at_core.val() && !self.address.q.val().get_bit(0) {
            self.core_words_rx_packets.d.next = self.packets.val();
            self.core_words_rx_bytes.d.next = self.bytes.val();
        }
        if self.at_core.val() && self.address.q.val().get_bit(0) {
            self.core_words_tx_packets.d.next = self.packets.val();
            self.core_words_tx_bytes.d.next = self.bytes.val();
        }
        if self.at_host.val() && !self.address.q.val().get_bit(0) {
            self.host_words_rx_packets.d.next = self.packets.val();
            self.host_words_rx_bytes.d.next = self.bytes.val();
        }
        if self.at_host.val() && self.address.q.val().get_bit(0) {
            self.host_words_tx_packets.d.next = self.packets.val();
            self.host_words_tx_bytes.d.next = self.bytes.val();
        }
        self.core_busy.next = self.core_pending.q.val()
            || (self.state.q.val().get_bit(1) && (self.client.q.val() == 2));
        self.core_rx_packets.next = self.core_words_rx_packets.q.val();
        self.core_rx_bytes.next = self.core_words_rx_bytes.q.val();
        self.core_tx_packets.next = self.core_words_tx_packets.q.val();
        self.core_tx_bytes.next = self.core_words_tx_bytes.q.val();
        self.host_busy.next = self.host_pending.q.val()
            || (self.state.q.val().get_bit(1) && (self.client.q.val() == 3));

        self.bus.write_hit.next = (self.bus.write_addr.val() >= 208) && (self.bus.write_addr.val() <= 228);
        if self.bus.write.val() && (self.bus.write_addr.val() == 208) {
            self.select.d.next = self.bus.write_data.val().get_bits::<16>(0);
            self.host_pending.d.next = true;
        }
        self.bus.read_hit.next = true;
        self.bus.read_data.next = 0.into();
        match self.bus.read_addr.val().index() {
            208 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.select.q.val());
            }
            212 => {
                self.bus.read_data.next = bit_cast::<32, 1>(self.host_busy.val().into());
            }
            216 => {
                self.bus.read_data.next = self.host_words_rx_packets.q.val();
            }
            220 => {
                self.bus.read_data.next = self.host_words_rx_bytes.q.val();
            }
            224 => {
                self.bus.read_data.next = self.host_words_tx_packets.q.val();
            }
            228 => {
                self.bus.read_data.next = self.host_words_tx_bytes.q.val();
            }
            _ => {
                self.bus.read_hit.next = false;
            }
        }
    }
}
