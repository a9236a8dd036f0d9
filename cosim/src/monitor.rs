//! Rules of AXI4, AXI4-Lite and AXI4-Stream, checked in every cycle of every co-simulation.
//!
//! A violation is a defect of the NIC and ends the run with a panic that names the rule and the cycle. Section
//! numbers are those of ARM IHI 0022 (AXI) and IHI 0051 (AXI-Stream).

use crate::pins::{NicIn, NicOut};

/// Words in the longest burst that the NIC may ask for.
pub const BURST_WORDS_MAX: u32 = 64;

/// Watches all ports of the NIC.
#[derive(Debug, Default)]
pub struct Monitor {
    cycle: u64,
    before: NicOut,
    /// Channels on which the NIC had offered something that was not taken: AW, W, AR, B, R, tx.
    waiting: u32,
    /// Write bursts whose data is incomplete, as words still to come: data comes in address order (A5.3).
    data: std::collections::VecDeque<u32>,
    /// Words that came before their address.
    early: Vec<bool>,
    writes_unanswered: u32,
    reads_unanswered: u32,
    lite_writes: [u32; 2],
    lite_writes_answered: u32,
    lite_reads: u32,
    tx_words: u32,
}

const AW: u32 = 1;
const W: u32 = 2;
const AR: u32 = 4;
const B: u32 = 8;
const R: u32 = 16;
const TX: u32 = 32;

impl Monitor {
    /// Checks a cycle. Nothing is asked for while reset is high.
    ///
    /// # Panics
    /// When a rule is broken.
    #[inline]
    pub fn check(&mut self, pins: &NicIn, out: &NicOut) {
        self.cycle += 1;
        if pins.reset {
            let cycle = self.cycle;
            *self = Monitor { cycle, ..Monitor::default() };
            return;
        }
        if self.waiting != 0 {
            self.steady(out);
        }
        self.waiting = 0;
        let some = out.m_axi_awvalid | out.m_axi_wvalid | out.m_axi_arvalid | out.s_axil_bvalid;
        if some | out.s_axil_rvalid | out.tx_tvalid {
            self.offers(pins, out);
        }
        self.writes_unanswered -= u32::from(pins.m_axi_bvalid && out.m_axi_bready);
        let read_done = pins.m_axi_rvalid && out.m_axi_rready && pins.m_axi_rlast;
        self.reads_unanswered -= u32::from(read_done);
        self.lite_writes[0] += u32::from(pins.s_axil_awvalid && out.s_axil_awready);
        self.lite_writes[1] += u32::from(pins.s_axil_wvalid && out.s_axil_wready);
        self.lite_reads += u32::from(pins.s_axil_arvalid && out.s_axil_arready);
        self.before = *out;
    }

    /// The NIC has nothing outstanding on the memory port.
    pub fn is_quiet(&self) -> bool {
        self.writes_unanswered == 0 && self.reads_unanswered == 0 && self.data.is_empty()
    }

    fn rule(&self, holds: bool, rule: &str, out: &NicOut) {
        assert!(holds, "cycle {}: {rule}\nnow:    {out:x?}\nbefore: {:x?}", self.cycle, self.before);
    }

    /// What was offered and not taken stays as it is (A3.2.1; stream 2.2.1).
    fn steady(&self, out: &NicOut) {
        let was = &self.before;
        let same = [
            (
                AW,
                out.m_axi_awvalid
                    && (out.m_axi_awaddr, out.m_axi_awlen, out.m_axi_awsize, out.m_axi_awburst)
                        == (was.m_axi_awaddr, was.m_axi_awlen, was.m_axi_awsize, was.m_axi_awburst),
                "AW changed or fell before it was accepted",
            ),
            (
                W,
                out.m_axi_wvalid
                    && (out.m_axi_wdata, out.m_axi_wstrb, out.m_axi_wlast)
                        == (was.m_axi_wdata, was.m_axi_wstrb, was.m_axi_wlast),
                "W changed or fell before it was accepted",
            ),
            (
                AR,
                out.m_axi_arvalid
                    && (out.m_axi_araddr, out.m_axi_arlen, out.m_axi_arsize, out.m_axi_arburst)
                        == (was.m_axi_araddr, was.m_axi_arlen, was.m_axi_arsize, was.m_axi_arburst),
                "AR changed or fell before it was accepted",
            ),
            (
                B,
                out.s_axil_bvalid && out.s_axil_bresp == was.s_axil_bresp,
                "register B changed or fell before it was accepted",
            ),
            (
                R,
                out.s_axil_rvalid
                    && (out.s_axil_rdata, out.s_axil_rresp) == (was.s_axil_rdata, was.s_axil_rresp),
                "register R changed or fell before it was accepted",
            ),
            (
                TX,
                out.tx_tvalid
                    && (out.tx_tdata, out.tx_tkeep, out.tx_tlast)
                        == (was.tx_tdata, was.tx_tkeep, was.tx_tlast),
                "tx stream changed or fell before it was accepted",
            ),
        ];
        for (channel, holds, rule) in same {
            self.rule(self.waiting & channel == 0 || holds, rule, out);
        }
    }

    fn offers(&mut self, pins: &NicIn, out: &NicOut) {
        if out.m_axi_awvalid {
            self.burst(out.m_axi_awaddr, out.m_axi_awlen, out.m_axi_awsize, out.m_axi_awburst, out);
            match pins.m_axi_awready {
                true => self.write_address(u32::from(out.m_axi_awlen) + 1, out),
                false => self.waiting |= AW,
            }
        }
        if out.m_axi_wvalid {
            match pins.m_axi_wready {
                true => self.write_data(out.m_axi_wlast, out),
                false => self.waiting |= W,
            }
        }
        if out.m_axi_arvalid {
            self.burst(out.m_axi_araddr, out.m_axi_arlen, out.m_axi_arsize, out.m_axi_arburst, out);
            match pins.m_axi_arready {
                true => self.reads_unanswered += 1,
                false => self.waiting |= AR,
            }
        }
        if out.s_axil_bvalid {
            let asked = self.lite_writes[0].min(self.lite_writes[1]);
            self.rule(asked > self.lite_writes_answered, "register B without a write (A3.3.1)", out);
            match pins.s_axil_bready {
                true => self.lite_writes_answered += 1,
                false => self.waiting |= B,
            }
        }
        if out.s_axil_rvalid {
            self.rule(self.lite_reads > 0, "register R without a read (A3.3.1)", out);
            match pins.s_axil_rready {
                true => self.lite_reads -= 1,
                false => self.waiting |= R,
            }
        }
        if out.tx_tvalid {
            self.stream(pins, out);
        }
    }

    fn burst(&self, addr: u32, len: u8, size: u8, kind: u8, out: &NicOut) {
        let words = u32::from(len) + 1;
        self.rule(size == 2 && kind == 1, "bursts are incrementing, of whole words", out);
        self.rule(addr.is_multiple_of(4), "bursts start at a word", out);
        self.rule(words <= BURST_WORDS_MAX, "a burst is longer than 64 words", out);
        self.rule((addr & 0xFFF) + 4 * words <= 0x1000, "a burst crosses a 4 KiB boundary (A3.4.1)", out);
    }

    fn write_address(&mut self, words: u32, out: &NicOut) {
        self.writes_unanswered += 1;
        self.data.push_back(words);
        for last in std::mem::take(&mut self.early) {
            self.write_data(last, out);
        }
    }

    fn write_data(&mut self, last: bool, out: &NicOut) {
        let Some(words) = self.data.front_mut() else {
            self.early.push(last);
            return;
        };
        *words -= 1;
        let done = *words == 0;
        self.rule(last == done, "wlast is not on the last word of a burst (A3.4.1)", out);
        if done {
            self.data.pop_front();
        }
    }

    fn stream(&mut self, pins: &NicIn, out: &NicOut) {
        let keep = out.tx_tkeep;
        let whole = keep == 0xF;
        self.rule(whole || (out.tx_tlast && matches!(keep, 1 | 3 | 7)), "tkeep has holes", out);
        if !pins.tx_tready {
            self.waiting |= TX;
            return;
        }
        self.tx_words += 1;
        self.rule(self.tx_words <= 380, "a transmitted frame is longer than 1518 bytes", out);
        if out.tx_tlast {
            self.rule(self.tx_words >= 4, "a transmitted frame is shorter than an Ethernet header", out);
            self.tx_words = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(addr: u32, len: u8) -> NicOut {
        NicOut {
            m_axi_awaddr: addr,
            m_axi_awlen: len,
            m_axi_awsize: 2,
            m_axi_awburst: 1,
            m_axi_awvalid: true,
            ..NicOut::default()
        }
    }

    fn check(cycles: &[(NicIn, NicOut)]) {
        let mut monitor = Monitor::default();
        for (pins, out) in cycles {
            monitor.check(pins, out);
        }
    }

    fn ready() -> NicIn {
        NicIn { m_axi_awready: true, m_axi_wready: true, tx_tready: true, ..NicIn::default() }
    }

    fn word(last: bool) -> NicOut {
        NicOut { m_axi_wvalid: true, m_axi_wstrb: 0xF, m_axi_wlast: last, ..NicOut::default() }
    }

    #[test]
    fn a_correct_burst_passes_with_data_before_or_after_its_address() {
        let answer =
            (NicIn { m_axi_bvalid: true, ..ready() }, NicOut { m_axi_bready: true, ..NicOut::default() });
        check(&[(ready(), address(0x1000, 1)), (ready(), word(false)), (ready(), word(true)), answer]);
        check(&[(ready(), word(false)), (ready(), word(true)), (ready(), address(0x1000, 1)), answer]);
        check(&[(NicIn::default(), address(0xFF8, 1)), (ready(), address(0xFF8, 1))]);
    }

    #[test]
    #[should_panic(expected = "AW changed or fell")]
    fn an_address_may_not_change() {
        check(&[(NicIn::default(), address(0x1000, 1)), (ready(), address(0x1004, 1))]);
    }

    #[test]
    #[should_panic(expected = "4 KiB")]
    fn a_burst_may_not_cross_a_page() {
        check(&[(ready(), address(0xFFC, 1))]);
    }

    #[test]
    #[should_panic(expected = "wlast")]
    fn wlast_is_on_the_last_word() {
        check(&[(ready(), address(0x1000, 1)), (ready(), word(true))]);
    }

    #[test]
    #[should_panic(expected = "tkeep")]
    fn only_the_last_word_of_a_frame_is_partial() {
        check(&[(ready(), NicOut { tx_tvalid: true, tx_tkeep: 3, ..NicOut::default() })]);
    }

    #[test]
    #[should_panic(expected = "B without a write")]
    fn a_response_needs_a_request() {
        check(&[(ready(), NicOut { s_axil_bvalid: true, ..NicOut::default() })]);
    }
}
