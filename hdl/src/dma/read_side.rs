//! The read side of the DMA engine: three descriptor rings and a client for transmit payload.
//!
//! The transmit ring comes out as words for `tx`, the receive ring as one prefetched buffer, the command
//! ring as a word stream of eight words a slot. A transmit or receive descriptor that could not be read keeps its
//! place, as one of length zero; a command slot that could not be read is consumed and dropped.
//!
//! Core clock, synchronous reset. Verified in `cosim/tests/dma_read.rs` and `cosim/tests/tx`.

use super::{
    axi_reader::AxiReader,
    fetcher::Fetcher,
    read_bus::{Ranges, ReadDataSource, ReadRequest},
};
use crate::kit::{Cr, Reg};
use crate::module;
use rust_hdl::prelude::*;

/// Everything that reads host memory.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct ReadSide {
    pub cr: Cr,
    pub ranges: Ranges,
    pub payload_request: ReadRequest,
    pub payload_data: ReadDataSource,

    pub tx_base: Signal<In, Bits<32>>,
    pub tx_size_log2: Signal<In, Bits<4>>,
    pub tx_prod: Signal<In, Bits<16>>,
    /// Words of the oldest transmit descriptor; see [`Fetcher`].
    pub tx_word: Signal<Out, Bits<32>>,
    pub tx_valid: Signal<Out, Bit>,
    pub tx_bad: Signal<Out, Bit>,
    pub tx_last: Signal<Out, Bit>,
    pub tx_pop: Signal<In, Bit>,
    pub tx_arrived: Signal<Out, Bit>,

    pub rx_base: Signal<In, Bits<32>>,
    pub rx_size_log2: Signal<In, Bits<4>>,
    pub rx_prod: Signal<In, Bits<16>>,
    /// A receive buffer is at hand.
    pub rxd_valid: Signal<Out, Bit>,
    pub rxd_addr: Signal<Out, Bits<32>>,
    /// Bytes of the buffer; zero when the descriptor could not be read.
    pub rxd_len: Signal<Out, Bits<32>>,
    pub rxd_pop: Signal<In, Bit>,

    pub cmd_base: Signal<In, Bits<32>>,
    pub cmd_size_log2: Signal<In, Bits<4>>,
    pub cmd_prod: Signal<In, Bits<16>>,
    pub cmd_word: Signal<Out, Bits<32>>,
    pub cmd_valid: Signal<Out, Bit>,
    pub cmd_ready: Signal<In, Bit>,
    /// Index of the next command slot to be fetched; the host may write over those before it.
    pub cmd_cons: Signal<Out, Bits<16>>,

    pub araddr: Signal<Out, Bits<32>>,
    pub arlen: Signal<Out, Bits<8>>,
    pub arvalid: Signal<Out, Bit>,
    pub arready: Signal<In, Bit>,
    pub rdata: Signal<In, Bits<32>>,
    pub rresp: Signal<In, Bits<2>>,
    pub rvalid: Signal<In, Bit>,
    pub rready: Signal<Out, Bit>,
    pub dma_error: Signal<Out, Bit>,
    pub fault_addr: Signal<Out, Bits<32>>,
    pub fault_info: Signal<Out, Bits<7>>,

    reader: AxiReader,
    tx: Fetcher,
    rx: Fetcher,
    cmd: Fetcher,
    buffer: RxBuffer,
}

impl ReadSide {
    /// For a build without handoff, which fetches no commands.
    pub fn set_host_only(&mut self) {
        self.cmd.set_absent();
    }
}

module! {
    impl [] Logic for ReadSide;
    regs: ;
    children: reader, tx, rx, cmd, buffer;
    #[hdl_gen]
    fn update(&mut self) {
        Ranges::link(&mut self.ranges, &mut self.reader.ranges);
        ReadRequest::link(&mut self.payload_request, &mut self.reader.request0);
        ReadDataSource::link(&mut self.payload_data, &mut self.reader.data0);
        ReadRequest::join(&mut self.reader.request1, &mut self.tx.request);
        ReadDataSource::join(&mut self.reader.data1, &mut self.tx.data);
        ReadRequest::join(&mut self.reader.request2, &mut self.rx.request);
        ReadDataSource::join(&mut self.reader.data2, &mut self.rx.data);
        ReadRequest::join(&mut self.reader.request3, &mut self.cmd.request);
        ReadDataSource::join(&mut self.reader.data3, &mut self.cmd.data);

        self.tx.slots.next = false;
        self.tx.base.next = self.tx_base.val();
        self.tx.size_log2.next = self.tx_size_log2.val();
        self.tx.prod.next = self.tx_prod.val();
        self.tx_word.next = self.tx.word.val();
        self.tx_valid.next = self.tx.valid.val();
        self.tx_bad.next = self.tx.bad.val();
        self.tx_last.next = self.tx.last.val();
        self.tx.pop.next = self.tx_pop.val();
        self.tx_arrived.next = self.tx.arrived.val();

        self.rx.slots.next = false;
        self.rx.base.next = self.rx_base.val();
        self.rx.size_log2.next = self.rx_size_log2.val();
        self.rx.prod.next = self.rx_prod.val();
        self.buffer.word.next = self.rx.word.val();
        self.buffer.valid.next = self.rx.valid.val();
        self.buffer.bad.next = self.rx.bad.val();
        self.rx.pop.next = self.buffer.pop.val();
        self.rxd_valid.next = self.buffer.rxd_valid.val();
        self.rxd_addr.next = self.buffer.rxd_addr.val();
        self.rxd_len.next = self.buffer.rxd_len.val();
        self.buffer.rxd_pop.next = self.rxd_pop.val();

        self.cmd.slots.next = true;
        self.cmd.base.next = self.cmd_base.val();
        self.cmd.size_log2.next = self.cmd_size_log2.val();
        self.cmd.prod.next = self.cmd_prod.val();
        self.cmd_word.next = self.cmd.word.val();
        self.cmd_valid.next = self.cmd.valid.val() && !self.cmd.bad.val();
        self.cmd.pop.next = self.cmd.valid.val() && (self.cmd.bad.val() || self.cmd_ready.val());
        self.cmd_cons.next = self.cmd.cons.val();

        self.araddr.next = self.reader.araddr.val();
        self.arlen.next = self.reader.arlen.val();
        self.arvalid.next = self.reader.arvalid.val();
        self.reader.arready.next = self.arready.val();
        self.reader.rdata.next = self.rdata.val();
        self.reader.rresp.next = self.rresp.val();
        self.reader.rvalid.next = self.rvalid.val();
        self.rready.next = self.reader.rready.val();
        self.dma_error.next = self.reader.dma_error.val();
        self.fault_addr.next = self.reader.fault_addr.val();
        self.fault_info.next = self.reader.fault_info.val();
    }
}

/// Unpacks receive descriptors, one ahead of its use.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct RxBuffer {
    pub cr: Cr,
    pub word: Signal<In, Bits<32>>,
    pub valid: Signal<In, Bit>,
    pub bad: Signal<In, Bit>,
    pub pop: Signal<Out, Bit>,
    pub rxd_valid: Signal<Out, Bit>,
    pub rxd_addr: Signal<Out, Bits<32>>,
    pub rxd_len: Signal<Out, Bits<32>>,
    pub rxd_pop: Signal<In, Bit>,

    pos: Reg<Bits<2>>,
    held: Reg<Bit>,
    addr: Reg<Bits<32>>,
    length: Reg<Bits<32>>,
    take: Signal<Local, Bit>,
}

module! {
    impl [] Logic for RxBuffer;
    regs: pos, held, addr, length;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.take.next = self.valid.val() && !self.held.q.val();
        self.pop.next = self.take.val();
        if self.rxd_pop.val() {
            self.held.d.next = false;
        }
        if self.take.val() {
            self.pos.d.next = self.pos.q.val() + 1;
            match self.pos.q.val().index() {
                0 => {
                    self.addr.d.next = self.word.val();
                }
                1 => {
                    self.length.d.next = self.word.val();
                    if self.bad.val() {
                        self.length.d.next = 0.into();
                    }
                }
                2 => {}
                _ => {
                    self.held.d.next = true;
                }
            }
        }
        self.rxd_valid.next = self.held.q.val();
        self.rxd_addr.next = self.addr.q.val();
        self.rxd_len.next = self.length.q.val();
    }
}
