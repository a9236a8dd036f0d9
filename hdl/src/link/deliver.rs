//! Messages from the PC: register accesses, words that the NIC has read, and the ends of its writes.
//!
//! Messages are carried out one at a time, in order. A message that does not fit what is outstanding (words for no
//! read or for a read of another length, more writes done than there are, a register write without words) is dropped and
//! counted. A register access has no limit of time: the NIC's registers answer every one.
//!
//! AXI4-Lite master, one access at a time, all its outputs registers. A register write answers the PC only when it failed, a read
//! always. R: a word a cycle from the third on, held as long as `rready` is low; every word of a failed read is zero with SLVERR.
//! B: OKAY for each write that is done, SLVERR for the last if it failed. Core clock, synchronous reset; `restart` forgets everything.
//! Verified in `cosim/tests/host_link`.

use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// See the module's header.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct LinkDeliver {
    pub cr: Cr,
    pub restart: Signal<In, Bit>,
    /// From the receiver.
    pub head_valid: Signal<In, Bit>,
    pub head: Signal<In, Bits<64>>,
    pub read_index: Signal<Out, Bits<6>>,
    pub read_data: Signal<In, Bits<32>>,
    pub pop: Signal<Out, Bit>,
    /// Outstanding bursts, from the intake.
    pub read_valid: Signal<In, Bit>,
    pub read_len: Signal<In, Bits<6>>,
    pub read_pop: Signal<Out, Bit>,
    pub writes: Signal<In, Bits<4>>,
    pub write_pop: Signal<Out, Bit>,
    pub bresp: Signal<Out, Bits<2>>,
    pub bvalid: Signal<Out, Bit>,
    pub bready: Signal<In, Bit>,
    pub rdata: Signal<Out, Bits<32>>,
    pub rresp: Signal<Out, Bits<2>>,
    pub rlast: Signal<Out, Bit>,
    pub rvalid: Signal<Out, Bit>,
    pub rready: Signal<In, Bit>,
    pub m_axil_awaddr: Signal<Out, Bits<16>>,
    pub m_axil_awvalid: Signal<Out, Bit>,
    pub m_axil_awready: Signal<In, Bit>,
    pub m_axil_wdata: Signal<Out, Bits<32>>,
    pub m_axil_wvalid: Signal<Out, Bit>,
    pub m_axil_wready: Signal<In, Bit>,
    pub m_axil_bresp: Signal<In, Bits<2>>,
    pub m_axil_bvalid: Signal<In, Bit>,
    pub m_axil_bready: Signal<Out, Bit>,
    pub m_axil_araddr: Signal<Out, Bits<16>>,
    pub m_axil_arvalid: Signal<Out, Bit>,
    pub m_axil_arready: Signal<In, Bit>,
    pub m_axil_rdata: Signal<In, Bits<32>>,
    pub m_axil_rresp: Signal<In, Bits<2>>,
    pub m_axil_rvalid: Signal<In, Bit>,
    pub m_axil_rready: Signal<Out, Bit>,
    pub answer: Signal<Out, Bits<64>>,
    pub answer_valid: Signal<Out, Bit>,
    pub answer_taken: Signal<In, Bit>,
    /// Messages dropped; wraps.
    pub refused: Signal<Out, Bits<16>>,

    /// 0 waits; 1 and 2 fetch a word; 3 shows words of a read; 4 writes a register, 5 reads one, 6 gives the
    /// answer; 7 responds to writes; 8 goes on to the next message.
    state: Reg<Bits<4>>,
    index: Reg<Bits<6>>,
    word: Reg<Bits<32>>,
    failed: Reg<Bit>,
    left: Reg<Bits<4>>,
    addr: Reg<Bits<16>>,
    awvalid: Reg<Bit>,
    wvalid: Reg<Bit>,
    arvalid: Reg<Bit>,
    reply: Reg<Bits<64>>,
    refusals: Reg<Bits<16>>,
    kind: Signal<Local, Bits<8>>,
    words: Signal<Local, Bits<8>>,
    info: Signal<Local, Bits<16>>,
    index_up: Signal<Local, Bits<6>>,
    index_up2: Signal<Local, Bits<6>>,
    word_count: Signal<Local, Bits<8>>,
    read_words: Signal<Local, Bits<8>>,
    read_fits: Signal<Local, Bit>,
    writes_fit: Signal<Local, Bit>,
    is_last: Signal<Local, Bit>,
    refuse: Signal<Local, Bit>,
}

module! {
    impl [] Logic for LinkDeliver;
    regs: state, index, word, failed, left, addr, awvalid, wvalid, arvalid, reply, refusals;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.kind.next = self.head.val().get_bits::<8>(56);
        self.words.next = self.head.val().get_bits::<8>(48);
        self.info.next = self.head.val().get_bits::<16>(32);
        self.index_up.next = self.index.q.val() + 1;
        self.index_up2.next = self.index.q.val() + 2;
        self.word_count.next = bit_cast::<8, 6>(self.index.q.val()) + 1;
        self.read_words.next = bit_cast::<8, 6>(self.read_len.val()) + 1;
        self.read_fits.next = self.read_valid.val()
            && ((self.info.val().get_bit(0) && (self.words.val() == 0))
                || (!self.info.val().get_bit(0) && (self.words.val() == self.read_words.val())));
        self.writes_fit.next = (self.info.val().get_bits::<8>(0) != 0)
            && (self.info.val().get_bits::<8>(0) <= bit_cast::<8, 4>(self.writes.val()));
        self.is_last.next = self.index.q.val() == self.read_len.val();

        self.read_index.next = self.index.q.val();
        self.pop.next = false;
        self.read_pop.next = false;
        self.write_pop.next = false;
        self.bvalid.next = false;
        self.rvalid.next = false;
        self.answer_valid.next = false;
        self.m_axil_bready.next = false;
        self.m_axil_rready.next = false;
        self.refuse.next = false;
        if self.m_axil_awready.val() {
            self.awvalid.d.next = false;
        }
        if self.m_axil_wready.val() {
            self.wvalid.d.next = false;
        }
        if self.m_axil_arready.val() {
            self.arvalid.d.next = false;
        }
        match self.state.q.val().index() {
            0 => {
                self.index.d.next = 0.into();
                self.addr.d.next = self.head.val().get_bits::<16>(0);
                self.failed.d.next = self.info.val().get_bit(0);
                self.left.d.next = self.info.val().get_bits::<4>(0);
                if self.head_valid.val() {
                    self.refuse.next = true;
                    if (self.kind.val() == 0x10) && self.words.val().any() {
                        self.state.d.next = 1.into();
                        self.refuse.next = false;
                    }
                    if self.kind.val() == 0x11 {
                        self.state.d.next = 5.into();
                        self.arvalid.d.next = true;
                        self.refuse.next = false;
                    }
                    if (self.kind.val() == 0x12) && self.writes_fit.val() {
                        self.state.d.next = 7.into();
                        self.failed.d.next = self.info.val().get_bit(8);
                        self.refuse.next = false;
                    }
                    if (self.kind.val() == 0x13) && self.read_fits.val() {
                        self.state.d.next = 1.into();
                        self.refuse.next = false;
                    }
                }
            }
            1 => {
                self.state.d.next = 2.into();
            }
            2 => {
                self.read_index.next = self.index_up.val();
                self.word.d.next = self.read_data.val();
                if self.kind.val() == 0x10 {
                    self.state.d.next = 4.into();
                    self.awvalid.d.next = true;
                    self.wvalid.d.next = true;
                } else {
                    self.state.d.next = 3.into();
                    if self.failed.q.val() {
                        self.word.d.next = 0.into();
                    }
                }
            }
            3 => {
                // While a word is shown the memory has the next one, and is asked for that after it.
                self.read_index.next = self.index_up.val();
                self.rvalid.next = true;
                if self.rready.val() {
                    self.read_index.next = self.index_up2.val();
                    self.index.d.next = self.index_up.val();
                    self.word.d.next = self.read_data.val();
                    if self.failed.q.val() {
                        self.word.d.next = 0.into();
                    }
                    if self.is_last.val() {
                        self.read_pop.next = true;
                        self.state.d.next = 8.into();
                    }
                }
            }
            4 => {
                self.m_axil_bready.next = true;
                if self.m_axil_bvalid.val() {
                    self.index.d.next = self.index_up.val();
                    self.state.d.next = 1.into();
                    if self.info.val().get_bit(0) {
                        self.addr.d.next = self.addr.q.val() + 4;
                    }
                    if self.word_count.val() == self.words.val() {
                        self.state.d.next = 8.into();
                    }
                    if self.m_axil_bresp.val().any() {
                        // What is left of the message is given up.
                        self.state.d.next = 6.into();
                        self.reply.d.next = (bits::<64>(0x23) << 56)
                            | (bit_cast::<64, 2>(self.m_axil_bresp.val()) << 32)
                            | bit_cast::<64, 16>(self.addr.q.val());
                    }
                }
            }
            5 => {
                self.m_axil_rready.next = true;
                if self.m_axil_rvalid.val() {
                    self.state.d.next = 6.into();
                    self.reply.d.next = (bits::<64>(0x22) << 56)
                        | (bit_cast::<64, 2>(self.m_axil_rresp.val()) << 32)
                        | bit_cast::<64, 32>(self.m_axil_rdata.val());
                }
            }
            6 => {
                self.answer_valid.next = true;
                if self.answer_taken.val() {
                    self.state.d.next = 8.into();
                }
            }
            7 => {
                self.bvalid.next = true;
                if self.bready.val() {
                    self.write_pop.next = true;
                    self.left.d.next = self.left.q.val() - 1;
                    if self.left.q.val() == 1 {
                        self.state.d.next = 8.into();
                    }
                }
            }
            _ => {
                self.state.d.next = 0.into();
                self.pop.next = true;
            }
        }
        if self.refuse.val() {
            self.refusals.d.next = self.refusals.q.val() + 1;
            self.state.d.next = 8.into();
        }

        self.rdata.next = self.word.q.val();
        self.rlast.next = self.is_last.val();
        self.rresp.next = 0.into();
        if self.failed.q.val() {
            self.rresp.next = 2.into();
        }
        self.bresp.next = 0.into();
        if self.failed.q.val() && (self.left.q.val() == 1) {
            self.bresp.next = 2.into();
        }
        self.m_axil_awaddr.next = self.addr.q.val();
        self.m_axil_araddr.next = self.addr.q.val();
        self.m_axil_wdata.next = self.word.q.val();
        self.m_axil_awvalid.next = self.awvalid.q.val();
        self.m_axil_wvalid.next = self.wvalid.q.val();
        self.m_axil_arvalid.next = self.arvalid.q.val();
        self.answer.next = self.reply.q.val();
        self.refused.next = self.refusals.q.val();
        if self.restart.val() {
            self.state.d.next = 0.into();
            self.awvalid.d.next = false;
            self.wvalid.d.next = false;
            self.arvalid.d.next = false;
        }
    }
}
