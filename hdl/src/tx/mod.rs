//! Transmission: frames of the host and bursts of the firmware, from host memory to the wire.
//!
//! [`TxSide`] joins the transmit path with the read side of the DMA engine, which also prefetches receive
//! buffers and commands. Frames without their check sequence leave on `wire_out`, or on `loopback` when their
//! descriptor says so. A *burst* is a header template and one span of host memory, or two; hardware cuts it into segments of
//! one MSS and completes each header: sequence number, total length, identification, PSH and FIN, both
//! checksums. The firmware pushes bursts, the host has them of frames with `TX_FLAG_TSO`. Host frames go before the
//! firmware's segments, between those of a burst too.
//!
//! Core clock, synchronous reset. Inside a frame a word goes out every cycle; between the segments of a burst, and
//! between any two frames that are ready, three cycles pass at most. A frame or burst with an impossible length,
//! or whose header is no template, is dropped and counted by `st_bad_desc`; one whose bytes could not be read is
//! dropped and shows as a `dma_error`, and what remains of its burst is abandoned (`st_abandoned`). `lost` tells
//! of the firmware's bursts that ended in either way. Verified in `cosim/tests/tx`.

pub mod finish;
pub mod host_queue;
pub mod intake;
pub mod loader;
pub mod merger;
pub mod output;
pub mod path;
pub mod planner;
pub mod records;
pub mod sender;
pub mod staging;
pub mod template;

pub use path::TxPath;

use crate::dma::{
    read_bus::{ReadDataSource, ReadRequest},
    ReadSide,
};
use crate::kit::{Cr, StreamOut};
use crate::module;
use rust_hdl::prelude::*;

/// The transmit path and everything that reads host memory.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct TxSide {
    pub cr: Cr,
    /// Cycle counter.
    pub now: Signal<In, Bits<32>>,
    /// Frames of up to 9014 bytes, without the check sequence, instead of 1518.
    pub jumbo: Signal<In, Bit>,
    /// Headers may be those of IPv6; steady.
    pub ipv6: Signal<In, Bit>,

    /// Writes word `th_index` of the current header, most significant byte first on the wire.
    pub th_write: Signal<In, Bit>,
    pub th_index: Signal<In, Bits<5>>,
    pub th_data: Signal<In, Bits<32>>,
    /// Pushes the burst whose header was written.
    pub tp_go: Signal<In, Bit>,
    /// Bytes of the header, with two bytes of padding.
    pub tp_header_len: Signal<In, Bits<8>>,
    /// Connection that the burst belongs to; it comes out again with each segment sent.
    pub tp_conn: Signal<In, Bits<16>>,
    pub tp_addr: Signal<In, Bits<32>>,
    /// Bytes of payload of all segments together, and of each but the last.
    pub tp_len: Signal<In, Bits<17>>,
    /// Bytes of it that lie at `tp_addr`, or 0 for all; the others lie at `tp_rest`.
    pub tp_cut: Signal<In, Bits<17>>,
    pub tp_rest: Signal<In, Bits<32>>,
    pub tp_mss: Signal<In, Bits<14>>,
    /// A header slot is free: its words may be written, and `tp_go` raised.
    pub tp_ready: Signal<Out, Bit>,
    /// No burst of the firmware is unfinished.
    pub quiet_nic: Signal<Out, Bit>,
    /// Pulse: a segment of the firmware was sent for this connection, with so many bytes of payload.
    pub sent_valid: Signal<Out, Bit>,
    pub sent_conn: Signal<Out, Bits<16>>,
    pub sent_bytes: Signal<Out, Bits<16>>,
    /// Pulse: a burst of the firmware, for the connection `sent_conn`, was refused or abandoned.
    pub lost: Signal<Out, Bit>,

    pub tx_base: Signal<In, Bits<32>>,
    pub tx_size_log2: Signal<In, Bits<4>>,
    pub tx_prod: Signal<In, Bits<16>>,
    /// Descriptors whose frames have been read, or refused.
    pub tx_cons: Signal<Out, Bits<16>>,
    /// A transmit descriptor waits, and there is room to move it on.
    pub htx_pending: Signal<Out, Bit>,
    /// Cycle in which its doorbell was rung; see [`host_queue`].
    pub htx_stamp: Signal<Out, Bits<32>>,
    pub htx_go: Signal<In, Bit>,
    /// Descriptors posted and not yet moved on.
    pub htx_qlen: Signal<Out, Bits<16>>,

    pub rx_base: Signal<In, Bits<32>>,
    pub rx_size_log2: Signal<In, Bits<4>>,
    pub rx_prod: Signal<In, Bits<16>>,
    pub rxd_valid: Signal<Out, Bit>,
    pub rxd_addr: Signal<Out, Bits<32>>,
    /// Bytes of the buffer; zero when its descriptor could not be read.
    pub rxd_len: Signal<Out, Bits<32>>,
    pub rxd_pop: Signal<In, Bit>,

    pub cmd_base: Signal<In, Bits<32>>,
    pub cmd_size_log2: Signal<In, Bits<4>>,
    pub cmd_prod: Signal<In, Bits<16>>,
    pub cmd_valid: Signal<Out, Bit>,
    /// Command words, eight a slot.
    pub cmd_word: Signal<Out, Bits<32>>,
    pub cmd_ready: Signal<In, Bit>,
    /// Command slots that have been fetched.
    pub cmd_cons: Signal<Out, Bits<16>>,

    pub range_base0: Signal<In, Bits<32>>,
    pub range_base1: Signal<In, Bits<32>>,
    pub range_base2: Signal<In, Bits<32>>,
    pub range_base3: Signal<In, Bits<32>>,
    pub range_limit0: Signal<In, Bits<32>>,
    pub range_limit1: Signal<In, Bits<32>>,
    pub range_limit2: Signal<In, Bits<32>>,
    pub range_limit3: Signal<In, Bits<32>>,
    /// Pulse: a read was refused or failed, at `fault_addr`.
    pub dma_error: Signal<Out, Bit>,
    pub fault_addr: Signal<Out, Bits<32>>,
    pub fault_info: Signal<Out, Bits<7>>,

    pub araddr: Signal<Out, Bits<32>>,
    pub arlen: Signal<Out, Bits<8>>,
    pub arvalid: Signal<Out, Bit>,
    pub arready: Signal<In, Bit>,
    pub rdata: Signal<In, Bits<32>>,
    pub rresp: Signal<In, Bits<2>>,
    pub rlast: Signal<In, Bit>,
    pub rvalid: Signal<In, Bit>,
    pub rready: Signal<Out, Bit>,

    pub wire_out: StreamOut,
    pub loopback: StreamOut,
    /// Pulse: a frame went to the wire.
    pub st_frames: Signal<Out, Bit>,
    /// Pulse: a frame of the host was sent, to the wire or the loopback.
    pub st_host: Signal<Out, Bit>,
    /// Pulse: a segment of the firmware was sent.
    pub st_nic: Signal<Out, Bit>,
    /// Pulse: a descriptor or burst was refused.
    pub st_bad_desc: Signal<Out, Bit>,
    /// Pulse: the rest of a burst was abandoned, because bytes of it could not be read.
    pub st_abandoned: Signal<Out, Bit>,

    read: ReadSide,
    path: TxPath,
}

impl TxSide {
    /// For a build that never has `jumbo`; see [`TxPath::set_board_sized`].
    pub fn set_board_sized(&mut self) {
        self.path.set_board_sized();
    }

    /// For a build that fetches no commands and segments nothing; see [`TxPath::set_plain_only`].
    pub fn set_host_only(&mut self) {
        self.path.set_plain_only();
        self.read.set_host_only();
    }
}

module! {
    impl [] Logic for TxSide;
    regs: ;
    children: read, path;
    #[hdl_gen]
    fn update(&mut self) {
        ReadRequest::join(&mut self.read.payload_request, &mut self.path.request);
        ReadDataSource::join(&mut self.read.payload_data, &mut self.path.data);
        StreamOut::link(&mut self.wire_out, &mut self.path.wire_out);
        StreamOut::link(&mut self.loopback, &mut self.path.loopback);

        self.read.ranges.base0.next = self.range_base0.val();
        self.read.ranges.base1.next = self.range_base1.val();
        self.read.ranges.base2.next = self.range_base2.val();
        self.read.ranges.base3.next = self.range_base3.val();
        self.read.ranges.limit0.next = self.range_limit0.val();
        self.read.ranges.limit1.next = self.range_limit1.val();
        self.read.ranges.limit2.next = self.range_limit2.val();
        self.read.ranges.limit3.next = self.range_limit3.val();
        self.araddr.next = self.read.araddr.val();
        self.arlen.next = self.read.arlen.val();
        self.arvalid.next = self.read.arvalid.val();
        self.read.arready.next = self.arready.val();
        self.read.rdata.next = self.rdata.val();
        self.read.rresp.next = self.rresp.val();
        self.read.rvalid.next = self.rvalid.val();
        self.rready.next = self.read.rready.val();
        self.dma_error.next = self.read.dma_error.val();
        self.fault_addr.next = self.read.fault_addr.val();
        self.fault_info.next = self.read.fault_info.val();

        self.read.rx_base.next = self.rx_base.val();
        self.read.rx_size_log2.next = self.rx_size_log2.val();
        self.read.rx_prod.next = self.rx_prod.val();
        self.rxd_valid.next = self.read.rxd_valid.val();
        self.rxd_addr.next = self.read.rxd_addr.val();
        self.rxd_len.next = self.read.rxd_len.val();
        self.read.rxd_pop.next = self.rxd_pop.val();
        self.read.cmd_base.next = self.cmd_base.val();
        self.read.cmd_size_log2.next = self.cmd_size_log2.val();
        self.read.cmd_prod.next = self.cmd_prod.val();
        self.cmd_word.next = self.read.cmd_word.val();
        self.cmd_valid.next = self.read.cmd_valid.val();
        self.read.cmd_ready.next = self.cmd_ready.val();
        self.cmd_cons.next = self.read.cmd_cons.val();

        self.read.tx_base.next = self.tx_base.val();
        self.read.tx_size_log2.next = self.tx_size_log2.val();
        self.read.tx_prod.next = self.tx_prod.val();
        self.path.tx_word.next = self.read.tx_word.val();
        self.path.tx_valid.next = self.read.tx_valid.val();
        self.path.tx_bad.next = self.read.tx_bad.val();
        self.path.tx_last.next = self.read.tx_last.val();
        self.path.tx_arrived.next = self.read.tx_arrived.val();
        self.read.tx_pop.next = self.path.tx_pop.val();

        self.path.now.next = self.now.val();
        self.path.tx_prod.next = self.tx_prod.val();
        self.tx_cons.next = self.path.tx_cons.val();
        self.htx_pending.next = self.path.htx_pending.val();
        self.htx_stamp.next = self.path.htx_stamp.val();
        self.path.htx_go.next = self.htx_go.val();
        self.htx_qlen.next = self.path.htx_qlen.val();
        self.path.th_write.next = self.th_write.val();
        self.path.th_index.next = self.th_index.val();
        self.path.th_data.next = self.th_data.val();
        self.path.tp_go.next = self.tp_go.val();
        self.path.tp_header_len.next = self.tp_header_len.val();
        self.path.tp_conn.next = self.tp_conn.val();
        self.path.tp_addr.next = self.tp_addr.val();
        self.path.tp_len.next = self.tp_len.val();
        self.path.tp_cut.next = self.tp_cut.val();
        self.path.tp_rest.next = self.tp_rest.val();
        self.path.tp_mss.next = self.tp_mss.val();
        self.path.jumbo.next = self.jumbo.val();
        self.path.ipv6.next = self.ipv6.val();
        self.sent_valid.next = self.path.sent_valid.val();
        self.sent_conn.next = self.path.sent_conn.val();
        self.sent_bytes.next = self.path.sent_bytes.val();
        self.lost.next = self.path.lost.val();
        self.st_abandoned.next = self.path.st_abandoned.val();
        self.tp_ready.next = self.path.tp_ready.val();
        self.quiet_nic.next = self.path.quiet_nic.val();
        self.st_frames.next = self.path.st_frames.val();
        self.st_host.next = self.path.st_host.val();
        self.st_nic.next = self.path.st_nic.val();
        self.st_bad_desc.next = self.path.st_bad_desc.val();
    }
}
