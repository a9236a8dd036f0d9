//! Counters since reset (`abi::regs::STATISTICS`).

use super::RegBus;
use crate::kit::{Cr, Reg, Ticker};
use crate::module;
use rust_hdl::prelude::*;

/// Answers at addresses 0x200 to 0x260. Each input named after a counter adds one in every cycle in which it is high;
/// a queue length input is followed with its high-water mark; `delay` is added when `delay_valid` is high.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Statistics {
    pub cr: Cr,
    pub bus: RegBus,
    pub rx_frames: Signal<In, Bit>,
    pub tx_frames: Signal<In, Bit>,
    pub rx_bad_fcs: Signal<In, Bit>,
    pub rx_bad_length: Signal<In, Bit>,
    pub rx_bad_checksum: Signal<In, Bit>,
    pub rx_overflow: Signal<In, Bit>,
    pub rx_filtered: Signal<In, Bit>,
    pub rx_program_drop: Signal<In, Bit>,
    pub host_rx_frames: Signal<In, Bit>,
    pub host_rx_drops: Signal<In, Bit>,
    pub nic_rx_frames: Signal<In, Bit>,
    pub nic_rx_drops: Signal<In, Bit>,
    pub host_tx_frames: Signal<In, Bit>,
    pub nic_tx_frames: Signal<In, Bit>,
    pub dma_read_errors: Signal<In, Bit>,
    pub dma_write_errors: Signal<In, Bit>,
    pub tx_bad_descriptors: Signal<In, Bit>,
    pub tx_abandoned: Signal<In, Bit>,
    /// From the register port.
    pub accept_read: Signal<In, Bit>,
    pub core_instructions: Signal<In, Bit>,
    pub core_idle_cycles: Signal<In, Bit>,
    pub host_rx_qlen: Signal<In, Bits<16>>,
    pub nic_rx_qlen: Signal<In, Bits<16>>,
    pub host_tx_qlen: Signal<In, Bits<16>>,
    pub cmd_qlen: Signal<In, Bits<16>>,
    pub delay_valid: Signal<In, Bit>,
    pub delay: Signal<In, Bits<32>>,
    rx_frames_count: Reg<Bits<32>>,
    tx_frames_count: Reg<Bits<32>>,
    rx_bad_fcs_count: Reg<Bits<32>>,
    rx_bad_length_count: Reg<Bits<32>>,
    rx_bad_checksum_count: Reg<Bits<32>>,
    rx_overflow_count: Reg<Bits<32>>,
    rx_filtered_count: Reg<Bits<32>>,
    rx_program_drop_count: Reg<Bits<32>>,
    host_rx_frames_count: Reg<Bits<32>>,
    host_rx_drops_count: Reg<Bits<32>>,
    nic_rx_frames_count: Reg<Bits<32>>,
    nic_rx_drops_count: Reg<Bits<32>>,
    host_tx_frames_count: Reg<Bits<32>>,
    nic_tx_frames_count: Reg<Bits<32>>,
    dma_read_errors_count: Reg<Bits<32>>,
    dma_write_errors_count: Reg<Bits<32>>,
    tx_bad_descriptors_count: Reg<Bits<32>>,
    tx_abandoned_count: Reg<Bits<32>>,
    core_instructions_count: Ticker<Bits<32>>,
    core_idle_cycles_count: Ticker<Bits<32>>,
    /// Both as they were when the last read was accepted.
    core_instructions_shown: Reg<Bits<32>>,
    core_idle_cycles_shown: Reg<Bits<32>>,
    host_rx_qlen_most: Reg<Bits<16>>,
    host_rx_qlen_word: Signal<Local, Bits<32>>,
    host_rx_qlen_most_word: Signal<Local, Bits<32>>,
    nic_rx_qlen_most: Reg<Bits<16>>,
    nic_rx_qlen_word: Signal<Local, Bits<32>>,
    nic_rx_qlen_most_word: Signal<Local, Bits<32>>,
    host_tx_qlen_most: Reg<Bits<16>>,
    host_tx_qlen_word: Signal<Local, Bits<32>>,
    host_tx_qlen_most_word: Signal<Local, Bits<32>>,
    cmd_qlen_most: Reg<Bits<16>>,
    cmd_qlen_word: Signal<Local, Bits<32>>,
    cmd_qlen_most_word: Signal<Local, Bits<32>>,
    delay_sum: Reg<Bits<32>>,
    delay_max: Reg<Bits<32>>,
}

module! {
    impl [] Logic for Statistics;
    regs: rx_frames_count, tx_frames_count, rx_bad_fcs_count, rx_bad_length_count, rx_bad_checksum_count, rx_overflow_count, rx_filtered_count, rx_program_drop_count, host_rx_frames_count, host_rx_drops_count, nic_rx_frames_count, nic_rx_drops_count, host_tx_frames_count, nic_tx_frames_count, dma_read_errors_count, dma_write_errors_count, tx_bad_descriptors_count, tx_abandoned_count, core_instructions_count, core_idle_cycles_count,
        core_instructions_shown, core_idle_cycles_shown,
        host_rx_qlen_most, nic_rx_qlen_most, host_tx_qlen_most, cmd_qlen_most, delay_sum, delay_max;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        if self.rx_frames.val() {
            self.rx_frames_count.d.next = self.rx_frames_count.q.val() + 1;
        }
        if self.tx_frames.val() {
            self.tx_frames_count.d.next = self.tx_frames_count.q.val() + 1;
        }
        if self.rx_bad_fcs.val() {
            self.rx_bad_fcs_count.d.next = self.rx_bad_fcs_count.q.val() + 1;
        }
        if self.rx_bad_length.val() {
            self.rx_bad_length_count.d.next = self.rx_bad_length_count.q.val() + 1;
        }
        if self.rx_bad_checksum.val() {
            self.rx_bad_checksum_count.d.next = self.rx_bad_checksum_count.q.val() + 1;
        }
        if self.rx_overflow.val() {
            self.rx_overflow_count.d.next = self.rx_overflow_count.q.val() + 1;
        }
        if self.rx_program_drop.val() {
            self.rx_program_drop_count.d.next = self.rx_program_drop_count.q.val() + 1;
        }
        if self.rx_filtered.val() {
            self.rx_filtered_count.d.next = self.rx_filtered_count.q.val() + 1;
        }
        if self.host_rx_frames.val() {
            self.host_rx_frames_count.d.next = self.host_rx_frames_count.q.val() + 1;
        }
        if self.host_rx_drops.val() {
            self.host_rx_drops_count.d.next = self.host_rx_drops_count.q.val() + 1;
        }
        if self.nic_rx_frames.val() {
            self.nic_rx_frames_count.d.next = self.nic_rx_frames_count.q.val() + 1;
        }
        if self.nic_rx_drops.val() {
            self.nic_rx_drops_count.d.next = self.nic_rx_drops_count.q.val() + 1;
        }
        if self.host_tx_frames.val() {
            self.host_tx_frames_count.d.next = self.host_tx_frames_count.q.val() + 1;
        }
        if self.nic_tx_frames.val() {
            self.nic_tx_frames_count.d.next = self.nic_tx_frames_count.q.val() + 1;
        }
        if self.dma_read_errors.val() {
            self.dma_read_errors_count.d.next = self.dma_read_errors_count.q.val() + 1;
        }
        if self.dma_write_errors.val() {
            self.dma_write_errors_count.d.next = self.dma_write_errors_count.q.val() + 1;
        }
        if self.tx_bad_descriptors.val() {
            self.tx_bad_descriptors_count.d.next = self.tx_bad_descriptors_count.q.val() + 1;
        }
        if self.tx_abandoned.val() {
            self.tx_abandoned_count.d.next = self.tx_abandoned_count.q.val() + 1;
        }
        if self.core_instructions.val() {
            self.core_instructions_count.d.next = self.core_instructions_count.q.val() + 1;
        }
        if self.core_idle_cycles.val() {
            self.core_idle_cycles_count.d.next = self.core_idle_cycles_count.q.val() + 1;
        }
        if self.accept_read.val() {
            self.core_instructions_shown.d.next = self.core_instructions_count.q.val();
            self.core_idle_cycles_shown.d.next = self.core_idle_cycles_count.q.val();
        }
        if self.host_rx_qlen.val() > self.host_rx_qlen_most.q.val() {
            self.host_rx_qlen_most.d.next = self.host_rx_qlen.val();
        }
        self.host_rx_qlen_word.next = bit_cast::<32, 16>(self.host_rx_qlen.val());
        self.host_rx_qlen_most_word.next = bit_cast::<32, 16>(self.host_rx_qlen_most.q.val()) << 16;
        if self.nic_rx_qlen.val() > self.nic_rx_qlen_most.q.val() {
            self.nic_rx_qlen_most.d.next = self.nic_rx_qlen.val();
        }
        self.nic_rx_qlen_word.next = bit_cast::<32, 16>(self.nic_rx_qlen.val());
        self.nic_rx_qlen_most_word.next = bit_cast::<32, 16>(self.nic_rx_qlen_most.q.val()) << 16;
        if self.host_tx_qlen.val() > self.host_tx_qlen_most.q.val() {
            self.host_tx_qlen_most.d.next = self.host_tx_qlen.val();
        }
        self.host_tx_qlen_word.next = bit_cast::<32, 16>(self.host_tx_qlen.val());
        self.host_tx_qlen_most_word.next = bit_cast::<32, 16>(self.host_tx_qlen_most.q.val()) << 16;
        if self.cmd_qlen.val() > self.cmd_qlen_most.q.val() {
            self.cmd_qlen_most.d.next = self.cmd_qlen.val();
        }
        self.cmd_qlen_word.next = bit_cast::<32, 16>(self.cmd_qlen.val());
        self.cmd_qlen_most_word.next = bit_cast::<32, 16>(self.cmd_qlen_most.q.val()) << 16;
        if self.delay_valid.val() {
            self.delay_sum.d.next = self.delay_sum.q.val() + self.delay.val();
            if self.delay.val() > self.delay_max.q.val() {
                self.delay_max.d.next = self.delay.val();
            }
        }
        // Writes are ignored, but only where there is a counter.
        self.bus.write_hit.next = (self.bus.write_addr.val() >= 512) && (self.bus.write_addr.val() <= 612);
        self.bus.read_hit.next = true;
        self.bus.read_data.next = 0.into();
        match self.bus.read_addr.val().index() {
            512 => {
                self.bus.read_data.next = self.rx_frames_count.q.val();
            }
            516 => {
                self.bus.read_data.next = self.tx_frames_count.q.val();
            }
            520 => {
                self.bus.read_data.next = self.rx_bad_fcs_count.q.val();
            }
            524 => {
                self.bus.read_data.next = self.rx_bad_length_count.q.val();
            }
            528 => {
                self.bus.read_data.next = self.rx_bad_checksum_count.q.val();
            }
            532 => {
                self.bus.read_data.next = self.rx_overflow_count.q.val();
            }
            536 => {
                self.bus.read_data.next = self.host_rx_frames_count.q.val();
            }
            540 => {
                self.bus.read_data.next = self.host_rx_drops_count.q.val();
            }
            544 => {
                self.bus.read_data.next = self.nic_rx_frames_count.q.val();
            }
            548 => {
                self.bus.read_data.next = self.nic_rx_drops_count.q.val();
            }
            552 => {
                self.bus.read_data.next = self.host_tx_frames_count.q.val();
            }
            556 => {
                self.bus.read_data.next = self.nic_tx_frames_count.q.val();
            }
            560 => {
                self.bus.read_data.next = self.dma_read_errors_count.q.val();
            }
            564 => {
                self.bus.read_data.next = self.dma_write_errors_count.q.val();
            }
            568 => {
                self.bus.read_data.next = self.tx_bad_descriptors_count.q.val();
            }
            572 => {
                self.bus.read_data.next = self.core_instructions_shown.q.val();
            }
            576 => {
                self.bus.read_data.next = self.core_idle_cycles_shown.q.val();
            }
            580 => {
                self.bus.read_data.next = self.host_rx_qlen_word.val() | self.host_rx_qlen_most_word.val();
            }
            584 => {
                self.bus.read_data.next = self.nic_rx_qlen_word.val() | self.nic_rx_qlen_most_word.val();
            }
            588 => {
                self.bus.read_data.next = self.host_tx_qlen_word.val() | self.host_tx_qlen_most_word.val();
            }
            592 => {
                self.bus.read_data.next = self.cmd_qlen_word.val() | self.cmd_qlen_most_word.val();
            }
            596 => {
                self.bus.read_data.next = self.delay_sum.q.val();
            }
            600 => {
                self.bus.read_data.next = self.delay_max.q.val();
            }
            604 => {
                self.bus.read_data.next = self.rx_filtered_count.q.val();
            }
            608 => {
                self.bus.read_data.next = self.tx_abandoned_count.q.val();
            }
            612 => {
                self.bus.read_data.next = self.rx_program_drop_count.q.val();
            }
            _ => {
                self.bus.read_hit.next = false;
            }
        }
    }
}
