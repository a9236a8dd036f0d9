//! The NIC: every block, wired together (`nic_top`).
//!
//! One core clock and one synchronous reset. Pins: an AXI4-Lite slave for the driver (`abi::regs`), an AXI4
//! master for DMA (32-bit addresses and data, INCR bursts of at most 64 beats, no ids), the stream side of
//! a MAC in each direction, and an interrupt line (level, high). The `core_*` pins observe the softcore, and `device_*` is
//! its bus to devices that a board adds; `device_rdata` is zero where there are none.
//!
//! ```text
//!  rx_* ─► RxPath ─┬─ host queue ──► WriteSide ─► m_axi write
//!                  └─ NIC queue ───►    ▲ jobs, events
//!                        │ descriptors  │
//!                        ▼              │
//!  s_axil ─► registers  Mmio ◄─► softcore
//!                        │ segments     ▲ commands
//!                        ▼              │
//!  tx_* ◄── TxSide ◄─ host transmit ring, command ring, receive buffers ◄─ m_axi read
//! ```
//!
//! This module only connects; what each block does on bad input stands in its own header.

use crate::core::Mmio;
use crate::dma::WriteSide;
use crate::emit::Gated;
use crate::kit::{Cr, Fact, Ticker};
use crate::module;
use crate::regs::{
    axil::AxilSlave, counters::ConnCounters, dma::DmaRanges, filter::Filter, identity::Identity,
    mailbox::Mailbox, rings::Rings, statistics::Statistics, RegTap, RegUser,
};
use crate::rx::{RxPath, JUMBO_WORDS_LOG2};
use crate::softcore::{Pace, System, ADDRESS_BITS};
use crate::tx::TxSide;
use rust_hdl::prelude::*;
use std::ops::RangeInclusive;

/// Sizes that a build of the NIC may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NicConfig {
    /// Bytes of core memory, for firmware and its connections: a multiple of 4 in [`CORE_MEMORY_BYTES`].
    pub core_memory_bytes: u32,
    /// What the receive path is made for.
    pub receive: ReceiveSize,
    /// On a board, whose core memory comes with firmware: the core runs from reset on, and this is the value of
    /// `TICKS_PER_US` after reset, the clock in MHz. Else the host loads and starts it.
    pub boot_ticks_per_us: Option<u16>,
    /// With `CORE_PACE`, by which the softcore runs slower than its clock.
    pub pace: bool,
    /// Connections can be handed off. Without it every frame is the host's: `CAPABILITIES` has no table and no TSO, the command ring is not
    /// read, no event is written, and what the firmware does to table, NIC receive queue, jobs and bursts has no effect.
    pub handoff: bool,
}

/// Sizes of lookup table, connection counters and receive memories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceiveSize {
    /// 4096 connections, jumbo frames, 32 KiB and 128 packets for the host's receive queue; 512 KiB and 2048 packets for the NIC's, for the paper's NIC
    /// lets 1024 wait. In `fcfs` the two count as one of 128 packets: the paper's NIC has a second queue for *host first* only.
    #[default]
    Full,
    /// 1024 connections, no jumbo frames, 8 KiB and 64 packets for each receive queue.
    Board,
    /// 256 connections, no jumbo frames, 8 KiB and 32 packets for each receive queue.
    Small,
}

/// An expression in which `$sized` is the type of `$block`, a block with the parameters of [`Nic`], for a [`ReceiveSize`].
macro_rules! by_size {
    ($size:expr, $block:ident as $sized:ident, $value:expr) => {
        match $size {
            $crate::nic::ReceiveSize::Full => {
                type $sized = $block<12, 13, 7, 8, 12, 13, 13, 14, 17, 18, 11, 12, 15>;
                $value
            }
            $crate::nic::ReceiveSize::Board => {
                type $sized = $block<10, 11, 5, 6, 10, 11, 11, 12, 11, 12, 7, 8, 11>;
                $value
            }
            $crate::nic::ReceiveSize::Small => {
                type $sized = $block<8, 9, 5, 6, 10, 11, 11, 12, 11, 12, 7, 8, 11>;
                $value
            }
        }
    };
}
pub(crate) use by_size;

impl Default for NicConfig {
    fn default() -> Self {
        NicConfig {
            core_memory_bytes: 128 * 1024,
            receive: ReceiveSize::default(),
            boot_ticks_per_us: None,
            pace: true,
            handoff: true,
        }
    }
}

/// Verilog of the whole NIC; the top module is `nic_top`, its clock and reset are `clock` and `reset`.
pub fn verilog(config: &NicConfig) -> String {
    let text = by_size!(config.receive, Nic as Chosen, crate::emit::verilog("nic_top", Chosen::new(config)));
    plain_pins(&text)
}

/// The pins of bundles under plain names.
fn plain_pins(text: &str) -> String {
    text.replace("cr$clock", "clock").replace("cr$reset", "reset").replace("device$", "device_")
}

/// [`verilog`]'s text behind gates for a simulation, whose wrapper is a module `wrapper`; see [`Gated`].
pub fn gated(config: &NicConfig, wrapper: &str) -> Gated {
    let mut gated = by_size!(
        config.receive,
        Nic as Chosen,
        crate::emit::gated("nic_top", Chosen::new(config), wrapper, &gate_of)
    );
    gated.text = plain_pins(&gated.text);
    gated
}

/// Which modules share a gate in a simulation: those that mostly move in the same cycles. What is not named has the gate
/// of its first two levels.
fn gate_of(path: &str) -> String {
    const SHARED: &[(&str, &[&str])] = &[
        ("core", &["system", "pace"]),
        ("mmio", &["mmio.scheduler"]),
        (
            "receive stream",
            &["rx.align", "rx.window", "rx.admission", "rx.verifier", "rx.classifier", "rx.staging"],
        ),
        ("receive lookup", &["rx.lookup", "rx.steer"]),
        ("receive queues", &["rx.host", "rx.nic"]),
        ("write data", &["write_side.mover", "write_side.writer"]),
        ("write control", &["write_side.sequencer", "write_side.publisher", "write_side.check"]),
        ("read reader", &["tx_side.read.reader"]),
        ("read rings", &["tx_side.read"]),
        ("transmit stream", &["tx_side.path.exit"]),
        ("transmit merger", &["tx_side.path.merger"]),
        ("transmit sender", &["tx_side.path.sender"]),
        ("transmit intake", &["tx_side.path.intake"]),
        ("transmit headers", &["tx_side.path.header"]),
        (
            "transmit control",
            &["tx_side.path.finish", "tx_side.path.planner", "tx_side.path.loader", "tx_side.path.queue"],
        ),
        ("transmit", &["tx_side.path"]),
        (
            "register answers",
            &[
                "identity_tap",
                "rings_tap",
                "ranges_tap",
                "mailbox_tap",
                "statistics_tap",
                "filter_tap",
                "counters_tap",
            ],
        ),
        (
            "rarely",
            &[
                "axil",
                "counters",
                "filter",
                "identity",
                "mailbox",
                "mmio.commands",
                "mmio.micros",
                "ranges",
                "rings",
                "write_side.fault",
            ],
        ),
    ];
    let within =
        |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let shared = SHARED.iter().find(|(_, prefixes)| prefixes.iter().any(|prefix| within(prefix)));
    match shared {
        Some((gate, _)) => gate.to_string(),
        None => path.splitn(3, '.').take(2).collect::<Vec<_>>().join("."),
    }
}

/// Sizes that core memory may have.
pub const CORE_MEMORY_BYTES: RangeInclusive<u32> = 32 * 1024..=4 << ADDRESS_BITS;

/// The softcore's device bus, for devices outside the NIC: in a cycle with `write`, `wdata` is written at offset `addr`
/// from `MMIO_BASE`; `rdata` answers the `addr` of the cycle before, zero where nothing is there. Addresses are those that
/// the core's own devices leave free (`baton_abi::mmio`).
#[derive(Clone, Debug, Default, LogicInterface)]
pub struct DeviceBus {
    pub addr: Signal<Out, Bits<16>>,
    pub write: Signal<Out, Bit>,
    pub wdata: Signal<Out, Bits<32>>,
    pub rdata: Signal<In, Bits<32>>,
}

/// See the module's header. `2^L` connections, `2^F` frames between parser and queues, and receive memories of `2^S` (staging), `2^H` and `2^N` words (queues);
/// `2^P` packets in the NIC queue, with descriptors of `2^W` words. `L1 = L + 1` and so on.
#[derive(Clone, Debug, LogicBlock)]
pub struct Nic<
    const L: usize,
    const L1: usize,
    const F: usize,
    const F1: usize,
    const S: usize,
    const S1: usize,
    const H: usize,
    const H1: usize,
    const N: usize,
    const N1: usize,
    const P: usize,
    const P1: usize,
    const W: usize,
> {
    pub cr: Cr,
    pub s_axil_awaddr: Signal<In, Bits<16>>,
    pub s_axil_awvalid: Signal<In, Bit>,
    pub s_axil_awready: Signal<Out, Bit>,
    pub s_axil_wdata: Signal<In, Bits<32>>,
    pub s_axil_wstrb: Signal<In, Bits<4>>,
    pub s_axil_wvalid: Signal<In, Bit>,
    pub s_axil_wready: Signal<Out, Bit>,
    pub s_axil_bresp: Signal<Out, Bits<2>>,
    pub s_axil_bvalid: Signal<Out, Bit>,
    pub s_axil_bready: Signal<In, Bit>,
    pub s_axil_araddr: Signal<In, Bits<16>>,
    pub s_axil_arvalid: Signal<In, Bit>,
    pub s_axil_arready: Signal<Out, Bit>,
    pub s_axil_rdata: Signal<Out, Bits<32>>,
    pub s_axil_rresp: Signal<Out, Bits<2>>,
    pub s_axil_rvalid: Signal<Out, Bit>,
    pub s_axil_rready: Signal<In, Bit>,
    pub m_axi_awaddr: Signal<Out, Bits<32>>,
    pub m_axi_awlen: Signal<Out, Bits<8>>,
    pub m_axi_awsize: Signal<Out, Bits<3>>,
    pub m_axi_awburst: Signal<Out, Bits<2>>,
    pub m_axi_awvalid: Signal<Out, Bit>,
    pub m_axi_awready: Signal<In, Bit>,
    pub m_axi_wdata: Signal<Out, Bits<32>>,
    pub m_axi_wstrb: Signal<Out, Bits<4>>,
    pub m_axi_wlast: Signal<Out, Bit>,
    pub m_axi_wvalid: Signal<Out, Bit>,
    pub m_axi_wready: Signal<In, Bit>,
    pub m_axi_bresp: Signal<In, Bits<2>>,
    pub m_axi_bvalid: Signal<In, Bit>,
    pub m_axi_bready: Signal<Out, Bit>,
    pub m_axi_araddr: Signal<Out, Bits<32>>,
    pub m_axi_arlen: Signal<Out, Bits<8>>,
    pub m_axi_arsize: Signal<Out, Bits<3>>,
    pub m_axi_arburst: Signal<Out, Bits<2>>,
    pub m_axi_arvalid: Signal<Out, Bit>,
    pub m_axi_arready: Signal<In, Bit>,
    pub m_axi_rdata: Signal<In, Bits<32>>,
    pub m_axi_rresp: Signal<In, Bits<2>>,
    pub m_axi_rlast: Signal<In, Bit>,
    pub m_axi_rvalid: Signal<In, Bit>,
    pub m_axi_rready: Signal<Out, Bit>,
    pub rx_tdata: Signal<In, Bits<32>>,
    pub rx_tkeep: Signal<In, Bits<4>>,
    pub rx_tlast: Signal<In, Bit>,
    pub rx_tuser: Signal<In, Bit>,
    pub rx_tvalid: Signal<In, Bit>,
    pub rx_tready: Signal<Out, Bit>,
    pub tx_tdata: Signal<Out, Bits<32>>,
    pub tx_tkeep: Signal<Out, Bits<4>>,
    pub tx_tlast: Signal<Out, Bit>,
    pub tx_tvalid: Signal<Out, Bit>,
    pub tx_tready: Signal<In, Bit>,
    pub irq: Signal<Out, Bit>,
    pub core_pc: Signal<Out, Bits<32>>,
    pub core_asleep: Signal<Out, Bit>,
    pub core_retired: Signal<Out, Bit>,
    pub device: DeviceBus,
    axil: AxilSlave,
    identity: Identity,
    rings: Rings,
    ranges: DmaRanges,
    mailbox: Mailbox,
    statistics: Statistics,
    filter: Filter,
    counters: ConnCounters<L, L1>,
    pace: Pace,
    system: System,
    mmio: Mmio,
    rx: RxPath<L, F, F1, S, S1, H, H1, N, N1, P, P1, W>,
    write_side: WriteSide,
    tx_side: TxSide,
    cycles: Ticker<Bits<32>>,
    identity_tap: RegTap,
    rings_tap: RegTap,
    ranges_tap: RegTap,
    mailbox_tap: RegTap,
    statistics_tap: RegTap,
    filter_tap: RegTap,
    counters_tap: RegTap,
    raise: Signal<Local, Bits<5>>,
    dma_error: Signal<Local, Bit>,
    host_only: Fact,
}

impl<
        const L: usize,
        const L1: usize,
        const F: usize,
        const F1: usize,
        const S: usize,
        const S1: usize,
        const H: usize,
        const H1: usize,
        const N: usize,
        const N1: usize,
        const P: usize,
        const P1: usize,
        const W: usize,
    > Nic<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>
{
    /// # Panics
    /// When the configuration is out of its range.
    pub fn new(config: &NicConfig) -> Self {
        let bytes = config.core_memory_bytes;
        assert!(
            bytes.is_multiple_of(4) && CORE_MEMORY_BYTES.contains(&bytes),
            "core memory of {bytes} bytes: must be a multiple of 4 in {CORE_MEMORY_BYTES:?}"
        );
        let has_jumbo = [S, H, N].iter().zip(JUMBO_WORDS_LOG2).all(|(have, need)| *have >= need);
        let mut system = System::new(config.core_memory_bytes as usize / 4);
        if config.pace {
            system.set_paced();
        }
        let mut rx = RxPath::default();
        match config.receive {
            ReceiveSize::Full => rx.set_one_queue(),
            ReceiveSize::Board => rx.set_queue_packets_log2(6),
            ReceiveSize::Small => rx.set_queue_packets_log2(5),
        }
        let mut tx_side = TxSide::default();
        if !has_jumbo {
            tx_side.set_board_sized();
        }
        let mut counters = ConnCounters::default();
        if !config.handoff {
            rx.set_host_only();
            tx_side.set_host_only();
            counters.set_absent();
        }
        Nic {
            cr: Default::default(),
            s_axil_awaddr: Default::default(),
            s_axil_awvalid: Default::default(),
            s_axil_awready: Default::default(),
            s_axil_wdata: Default::default(),
            s_axil_wstrb: Default::default(),
            s_axil_wvalid: Default::default(),
            s_axil_wready: Default::default(),
            s_axil_bresp: Default::default(),
            s_axil_bvalid: Default::default(),
            s_axil_bready: Default::default(),
            s_axil_araddr: Default::default(),
            s_axil_arvalid: Default::default(),
            s_axil_arready: Default::default(),
            s_axil_rdata: Default::default(),
            s_axil_rresp: Default::default(),
            s_axil_rvalid: Default::default(),
            s_axil_rready: Default::default(),
            m_axi_awaddr: Default::default(),
            m_axi_awlen: Default::default(),
            m_axi_awsize: Default::default(),
            m_axi_awburst: Default::default(),
            m_axi_awvalid: Default::default(),
            m_axi_awready: Default::default(),
            m_axi_wdata: Default::default(),
            m_axi_wstrb: Default::default(),
            m_axi_wlast: Default::default(),
            m_axi_wvalid: Default::default(),
            m_axi_wready: Default::default(),
            m_axi_bresp: Default::default(),
            m_axi_bvalid: Default::default(),
            m_axi_bready: Default::default(),
            m_axi_araddr: Default::default(),
            m_axi_arlen: Default::default(),
            m_axi_arsize: Default::default(),
            m_axi_arburst: Default::default(),
            m_axi_arvalid: Default::default(),
            m_axi_arready: Default::default(),
            m_axi_rdata: Default::default(),
            m_axi_rresp: Default::default(),
            m_axi_rlast: Default::default(),
            m_axi_rvalid: Default::default(),
            m_axi_rready: Default::default(),
            rx_tdata: Default::default(),
            rx_tkeep: Default::default(),
            rx_tlast: Default::default(),
            rx_tuser: Default::default(),
            rx_tvalid: Default::default(),
            rx_tready: Default::default(),
            tx_tdata: Default::default(),
            tx_tkeep: Default::default(),
            tx_tlast: Default::default(),
            tx_tvalid: Default::default(),
            tx_tready: Default::default(),
            irq: Default::default(),
            core_pc: Default::default(),
            core_asleep: Default::default(),
            core_retired: Default::default(),
            device: Default::default(),
            axil: Default::default(),
            identity: Identity::new(
                config.core_memory_bytes,
                has_jumbo,
                config.pace,
                config.handoff.then_some(L),
                config.boot_ticks_per_us,
            ),
            pace: Default::default(),
            rings: Default::default(),
            ranges: Default::default(),
            mailbox: Default::default(),
            statistics: Default::default(),
            filter: Default::default(),
            counters,
            system,
            mmio: Default::default(),
            rx,
            write_side: Default::default(),
            tx_side,
            cycles: Default::default(),
            identity_tap: Default::default(),
            rings_tap: Default::default(),
            ranges_tap: Default::default(),
            mailbox_tap: Default::default(),
            statistics_tap: Default::default(),
            filter_tap: Default::default(),
            counters_tap: Default::default(),
            raise: Default::default(),
            dma_error: Default::default(),
            host_only: Fact::new(!config.handoff),
        }
    }
}

impl<
        const L: usize,
        const L1: usize,
        const F: usize,
        const F1: usize,
        const S: usize,
        const S1: usize,
        const H: usize,
        const H1: usize,
        const N: usize,
        const N1: usize,
        const P: usize,
        const P1: usize,
        const W: usize,
    > Nic<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>
{
    /// Core memory holds the words of `kit::IMAGE_FILE` when the FPGA is configured.
    pub fn set_image(&mut self) {
        self.system.set_image();
    }
}

module! {
    impl [const L: usize, const L1: usize, const F: usize, const F1: usize, const S: usize, const S1: usize, const H: usize, const H1: usize, const N: usize, const N1: usize, const P: usize, const P1: usize, const W: usize] Logic for Nic<L, L1, F, F1, S, S1, H, H1, N, N1, P, P1, W>;
    regs: cycles;
    children: axil, identity, rings, ranges, mailbox, statistics, filter, counters, identity_tap, rings_tap, ranges_tap, mailbox_tap,
        statistics_tap, filter_tap, counters_tap, pace, system, mmio, rx, write_side, tx_side;
    #[hdl_gen]
    fn update(&mut self) {
        self.cycles.d.next = self.cycles.q.val() + 1;

        // Pins.
        self.axil.port.awaddr.next = self.s_axil_awaddr.val();
        self.axil.port.awvalid.next = self.s_axil_awvalid.val();
        self.s_axil_awready.next = self.axil.port.awready.val();
        self.axil.port.wdata.next = self.s_axil_wdata.val();
        self.axil.port.wstrb.next = self.s_axil_wstrb.val();
        self.axil.port.wvalid.next = self.s_axil_wvalid.val();
        self.s_axil_wready.next = self.axil.port.wready.val();
        self.s_axil_bresp.next = self.axil.port.bresp.val();
        self.s_axil_bvalid.next = self.axil.port.bvalid.val();
        self.axil.port.bready.next = self.s_axil_bready.val();
        self.axil.port.araddr.next = self.s_axil_araddr.val();
        self.axil.port.arvalid.next = self.s_axil_arvalid.val();
        self.s_axil_arready.next = self.axil.port.arready.val();
        self.s_axil_rdata.next = self.axil.port.rdata.val();
        self.s_axil_rresp.next = self.axil.port.rresp.val();
        self.s_axil_rvalid.next = self.axil.port.rvalid.val();
        self.axil.port.rready.next = self.s_axil_rready.val();
        self.m_axi_awaddr.next = self.write_side.awaddr.val();
        self.m_axi_awlen.next = self.write_side.awlen.val();
        self.m_axi_awvalid.next = self.write_side.awvalid.val();
        self.write_side.awready.next = self.m_axi_awready.val();
        self.m_axi_wdata.next = self.write_side.wdata.val();
        self.m_axi_wstrb.next = self.write_side.wstrb.val();
        self.m_axi_wlast.next = self.write_side.wlast.val();
        self.m_axi_wvalid.next = self.write_side.wvalid.val();
        self.write_side.wready.next = self.m_axi_wready.val();
        self.write_side.bresp.next = self.m_axi_bresp.val();
        self.write_side.bvalid.next = self.m_axi_bvalid.val();
        self.m_axi_bready.next = self.write_side.bready.val();
        self.m_axi_araddr.next = self.tx_side.araddr.val();
        self.m_axi_arlen.next = self.tx_side.arlen.val();
        self.m_axi_arvalid.next = self.tx_side.arvalid.val();
        self.tx_side.arready.next = self.m_axi_arready.val();
        self.tx_side.rdata.next = self.m_axi_rdata.val();
        self.tx_side.rresp.next = self.m_axi_rresp.val();
        self.tx_side.rlast.next = self.m_axi_rlast.val();
        self.tx_side.rvalid.next = self.m_axi_rvalid.val();
        self.m_axi_rready.next = self.tx_side.rready.val();
        self.m_axi_awsize.next = 2.into();
        self.m_axi_awburst.next = 1.into();
        self.m_axi_arsize.next = 2.into();
        self.m_axi_arburst.next = 1.into();
        self.rx.wire_in.tdata.next = self.rx_tdata.val();
        self.rx.wire_in.tkeep.next = self.rx_tkeep.val();
        self.rx.wire_in.tlast.next = self.rx_tlast.val();
        self.rx.wire_in.tuser.next = self.rx_tuser.val();
        self.rx.wire_in.tvalid.next = self.rx_tvalid.val();
        self.rx_tready.next = self.rx.wire_in.tready.val();
        self.tx_tdata.next = self.tx_side.wire_out.tdata.val();
        self.tx_tkeep.next = self.tx_side.wire_out.tkeep.val();
        self.tx_tlast.next = self.tx_side.wire_out.tlast.val();
        self.tx_tvalid.next = self.tx_side.wire_out.tvalid.val();
        self.tx_side.wire_out.tready.next = self.tx_tready.val();
        self.irq.next = self.identity.irq.val();
        self.core_pc.next = self.system.probe.pc.val();
        self.core_asleep.next = self.system.asleep.val();
        self.core_retired.next = self.system.retired.val();

        // Registers.
        self.identity_tap.up.write.next = self.axil.write.val();
        self.identity_tap.up.write_addr.next = self.axil.write_addr.val();
        self.identity_tap.up.write_data.next = self.axil.write_data.val();
        self.identity_tap.up.read_addr.next = self.axil.read_addr.val();
        self.axil.write_hit.next = self.identity_tap.up.write_hit.val();
        self.axil.read_hit.next = self.identity_tap.up.read_hit.val();
        self.axil.read_data.next = self.identity_tap.up.read_data.val();
        RegUser::join(&mut self.identity_tap.block, &mut self.identity.bus);
        RegUser::join(&mut self.rings_tap.block, &mut self.rings.bus);
        RegUser::join(&mut self.ranges_tap.block, &mut self.ranges.bus);
        RegUser::join(&mut self.mailbox_tap.block, &mut self.mailbox.bus);
        RegUser::join(&mut self.statistics_tap.block, &mut self.statistics.bus);
        RegUser::join(&mut self.filter_tap.block, &mut self.filter.bus);
        RegUser::join(&mut self.counters_tap.block, &mut self.counters.bus);
        RegUser::join(&mut self.identity_tap.down, &mut self.rings_tap.up);
        RegUser::join(&mut self.rings_tap.down, &mut self.ranges_tap.up);
        RegUser::join(&mut self.ranges_tap.down, &mut self.mailbox_tap.up);
        RegUser::join(&mut self.mailbox_tap.down, &mut self.statistics_tap.up);
        RegUser::join(&mut self.statistics_tap.down, &mut self.filter_tap.up);
        RegUser::join(&mut self.filter_tap.down, &mut self.counters_tap.up);
        self.counters_tap.down.write_hit.next = false;
        self.counters_tap.down.read_hit.next = false;
        self.counters_tap.down.read_data.next = 0.into();
        self.identity.accept_read.next = self.axil.accept_read.val();
        self.identity.now.next = self.cycles.q.val();
        self.dma_error.next = self.write_side.dma_error.val() || self.tx_side.dma_error.val();
        self.raise.next = bit_cast::<5, 1>(self.write_side.irq_event.val().into())
            | (bit_cast::<5, 1>(self.write_side.irq_rx.val().into()) << 1)
            | (bit_cast::<5, 1>(self.write_side.irq_tx.val().into()) << 2)
            | (bit_cast::<5, 1>(self.write_side.irq_cmd.val().into()) << 3)
            | (bit_cast::<5, 1>(self.dma_error.val().into()) << 4);
        self.identity.raise.next = self.raise.val();
        self.ranges.read_fault.next = self.tx_side.dma_error.val();
        self.ranges.read_fault_addr.next = self.tx_side.fault_addr.val();
        self.ranges.read_fault_info.next = self.tx_side.fault_info.val();
        self.ranges.write_fault.next = self.write_side.dma_error.val();
        self.ranges.write_fault_addr.next = self.write_side.fault_addr.val();
        self.ranges.write_fault_info.next = self.write_side.fault_info.val();

        // Softcore and its devices.
        self.system.run.next = self.identity.core_run.val();
        self.pace.skip.next = self.identity.core_skip.val();
        self.system.pause.next = self.pace.pause.val();
        self.system.ld_write.next = self.identity.fw_write.val();
        self.system.ld_addr.next = self.identity.fw_addr.val();
        self.system.ld_data.next = self.identity.fw_data.val();
        self.system.wake.next = self.mmio.wake.val();
        // Whoever does not know an address answers zero.
        self.system.mmio_rdata.next = self.mmio.rdata.val() | self.device.rdata.val();
        self.device.addr.next = self.system.mmio_addr.val();
        self.device.write.next = self.system.mmio_write.val();
        self.device.wdata.next = self.system.mmio_wdata.val();
        self.mmio.addr.next = self.system.mmio_addr.val();
        self.mmio.write.next = self.system.mmio_write.val();
        self.mmio.wdata.next = self.system.mmio_wdata.val();
        self.mmio.now.next = self.cycles.q.val();
        self.mmio.ticks_per_us.next = self.identity.ticks_per_us.val();
        self.identity.time_us.next = self.mmio.time_us.val();
        self.mmio.sched_mode.next = self.identity.sched_mode.val();
        self.mailbox.core_read_index.next = self.mmio.mb_read_index.val();
        self.mailbox.core_write.next = self.mmio.mb_write.val();
        self.mailbox.core_write_index.next = self.mmio.mb_write_index.val();
        self.mailbox.core_data.next = self.mmio.mb_data.val();
        self.mmio.mb_cfg.next = self.mailbox.core_cfg.val();

        // Receive.
        self.rx.now.next = self.cycles.q.val();
        self.rx.in_order.next = !self.identity.sched_mode.val().any();
        self.rx.hash_key0.next = self.identity.hash_key0.val();
        self.rx.hash_key1.next = self.identity.hash_key1.val();
        self.rx.jumbo.next = self.identity.jumbo.val();
        self.rx.ipv6.next = self.identity.ipv6.val();
        self.rx.promiscuous.next = self.filter.promiscuous.val();
        self.rx.broadcast.next = self.filter.broadcast.val();
        self.rx.multicast.next = self.filter.multicast.val();
        self.rx.station_low.next = self.filter.station_low.val();
        self.rx.station_high.next = self.filter.station_high.val();
        self.rx.loopback.tdata.next = self.tx_side.loopback.tdata.val();
        self.rx.loopback.tkeep.next = self.tx_side.loopback.tkeep.val();
        self.rx.loopback.tlast.next = self.tx_side.loopback.tlast.val();
        self.rx.loopback.tuser.next = self.tx_side.loopback.tuser.val();
        self.rx.loopback.tvalid.next = self.tx_side.loopback.tvalid.val();
        self.tx_side.loopback.tready.next = self.rx.loopback.tready.val();
        self.rx.lk_key.next = self.mmio.lk_key.val();
        self.rx.lk_value.next = self.mmio.lk_value.val();
        self.rx.lk_op.next = self.mmio.lk_op.val();
        self.mmio.hq_pending.next = self.rx.hq_pending.val();
        self.mmio.hq_stamp.next = self.rx.hq_pending_stamp.val();
        self.rx.hq_go.next = self.mmio.hq_go.val();
        self.rx.nq_index.next = self.mmio.nq_index.val();
        self.rx.nq_next.next = self.mmio.nq_next.val();

        // Counters of the connections.
        self.counters.rx_conn.next = self.rx.ct_conn.val();
        self.counters.rx_bytes.next = self.rx.ct_bytes.val();
        self.counters.tx_conn.next = self.tx_side.sent_conn.val();
        self.counters.tx_bytes.next = self.tx_side.sent_bytes.val();
        self.counters.core_conn.next = self.mmio.ct_conn.val();
        self.counters.core_clear.next = self.mmio.ct_clear.val();
        self.mmio.ct_busy.next = self.counters.core_busy.val();
        self.mmio.ct_rx_packets.next = self.counters.core_rx_packets.val();
        self.mmio.ct_rx_bytes.next = self.counters.core_rx_bytes.val();
        self.mmio.ct_tx_packets.next = self.counters.core_tx_packets.val();
        self.mmio.ct_tx_bytes.next = self.counters.core_tx_bytes.val();

        // To host memory.
        self.write_side.now.next = self.cycles.q.val();
        self.write_side.hq_valid.next = self.rx.hq_valid.val();
        self.write_side.hq_len.next = self.rx.hq_len.val();
        self.write_side.hq_arrival.next = self.rx.hq_arrival.val();
        self.write_side.hq_flags.next = self.rx.hq_flags.val();
        self.write_side.hq_data.next = self.rx.hq_data.val();
        self.rx.hq_addr.next = self.write_side.hq_addr.val();
        self.rx.hq_pop.next = self.write_side.hq_pop.val();
        self.rx.nq_addr.next = self.write_side.nq_addr.val();
        self.rx.nq_pop.next = self.write_side.nq_pop.val();
        self.mmio.job_pop.next = self.write_side.job_pop.val();
        self.mmio.evt_pop.next = self.write_side.evt_pop.val();
        self.mmio.mover_quiet.next = self.write_side.quiet.val();
        self.write_side.rxd_valid.next = self.tx_side.rxd_valid.val();
        self.write_side.rxd_addr.next = self.tx_side.rxd_addr.val();
        self.write_side.rxd_len.next = self.tx_side.rxd_len.val();
        self.tx_side.rxd_pop.next = self.write_side.rxd_pop.val();
        self.write_side.rx_base.next = self.rings.rx_base.val();
        self.write_side.rx_size_log2.next = self.rings.rx_size_log2.val();
        self.write_side.evt_base.next = self.rings.evt_base.val();
        self.write_side.evt_size_log2.next = self.rings.evt_size_log2.val();
        self.write_side.evt_cons.next = self.rings.evt_cons.val();
        self.write_side.index_addr.next = self.identity.index_addr.val();
        self.write_side.tx_cons.next = self.tx_side.tx_cons.val();
        self.write_side.range_base0.next = self.ranges.range_base0.val();
        self.write_side.range_limit0.next = self.ranges.range_limit0.val();
        self.write_side.range_base1.next = self.ranges.range_base1.val();
        self.write_side.range_limit1.next = self.ranges.range_limit1.val();
        self.write_side.range_base2.next = self.ranges.range_base2.val();
        self.write_side.range_limit2.next = self.ranges.range_limit2.val();
        self.write_side.range_base3.next = self.ranges.range_base3.val();
        self.write_side.range_limit3.next = self.ranges.range_limit3.val();
        self.tx_side.range_base0.next = self.ranges.range_base0.val();
        self.tx_side.range_limit0.next = self.ranges.range_limit0.val();
        self.tx_side.range_base1.next = self.ranges.range_base1.val();
        self.tx_side.range_limit1.next = self.ranges.range_limit1.val();
        self.tx_side.range_base2.next = self.ranges.range_base2.val();
        self.tx_side.range_limit2.next = self.ranges.range_limit2.val();
        self.tx_side.range_base3.next = self.ranges.range_base3.val();
        self.tx_side.range_limit3.next = self.ranges.range_limit3.val();
        self.rings.rx_cons.next = self.write_side.rx_cons.val();
        self.rings.evt_prod.next = self.write_side.evt_prod.val();
        self.rings.tx_cons.next = self.tx_side.tx_cons.val();

        // From host memory, and transmit.
        self.tx_side.now.next = self.cycles.q.val();
        self.tx_side.tx_base.next = self.rings.tx_base.val();
        self.tx_side.tx_size_log2.next = self.rings.tx_size_log2.val();
        self.tx_side.tx_prod.next = self.rings.tx_prod.val();
        self.tx_side.rx_base.next = self.rings.rx_base.val();
        self.tx_side.rx_size_log2.next = self.rings.rx_size_log2.val();
        self.tx_side.rx_prod.next = self.rings.rx_prod.val();
        self.tx_side.cmd_base.next = self.rings.cmd_base.val();
        self.tx_side.cmd_size_log2.next = self.rings.cmd_size_log2.val();
        self.tx_side.cmd_prod.next = self.rings.cmd_prod.val();
        self.tx_side.tp_header_len.next = self.mmio.tp_header_len.val();
        self.tx_side.tp_conn.next = self.mmio.tp_conn.val();
        self.tx_side.tp_mss.next = self.mmio.tp_mss.val();
        self.tx_side.jumbo.next = self.identity.jumbo.val();
        self.tx_side.ipv6.next = self.identity.ipv6.val();
        self.tx_side.tp_addr.next = self.mmio.tp_addr.val();
        self.tx_side.tp_len.next = self.mmio.tp_len.val();
        self.tx_side.tp_cut.next = self.mmio.tp_cut.val();
        self.tx_side.tp_rest.next = self.mmio.tp_rest.val();
        self.tx_side.th_index.next = self.mmio.th_index.val();
        self.tx_side.th_data.next = self.mmio.th_data.val();
        self.mmio.tp_ready.next = self.tx_side.tp_ready.val();
        self.mmio.tx_quiet.next = self.tx_side.quiet_nic.val();
        self.mmio.htx_pending.next = self.tx_side.htx_pending.val();
        self.mmio.htx_stamp.next = self.tx_side.htx_stamp.val();
        self.tx_side.htx_go.next = self.mmio.htx_go.val();
        self.tx_side.cmd_ready.next = self.mmio.cmd_ready.val();

        // What handoff alone needs. Without it these are zero, and synthesis drops what they come from.
        self.rx.lk_start.next = false;
        self.mmio.lk_busy.next = false;
        self.mmio.lk_outcome.next = 0.into();
        self.mmio.lk_found.next = 0.into();
        self.mmio.nq_valid.next = false;
        self.mmio.nq_stamp.next = 0.into();
        self.mmio.nq_qlen.next = 0.into();
        self.mmio.nq_word.next = 0.into();
        self.counters.rx_valid.next = false;
        self.counters.tx_valid.next = false;
        self.counters.core_start.next = false;
        self.write_side.nq_mem_valid.next = false;
        self.write_side.nq_mem_len.next = 0.into();
        self.write_side.nq_mem_arrival.next = 0.into();
        self.write_side.nq_data.next = 0.into();
        self.write_side.job_valid.next = false;
        self.write_side.job_op.next = 0.into();
        self.write_side.job_src.next = 0.into();
        self.write_side.job_len.next = 0.into();
        self.write_side.job_addr.next = 0.into();
        self.write_side.evt_valid.next = false;
        self.write_side.evt_word.next = 0.into();
        self.write_side.cmd_cons.next = 0.into();
        self.rings.cmd_cons.next = 0.into();
        self.tx_side.tp_go.next = false;
        self.tx_side.th_write.next = false;
        self.mmio.tp_lost.next = false;
        self.mmio.tp_lost_conn.next = 0.into();
        self.mmio.cmd_valid.next = false;
        self.mmio.cmd_word.next = 0.into();
        if !self.host_only.holds.val() {
            self.rx.lk_start.next = self.mmio.lk_start.val();
            self.mmio.lk_busy.next = self.rx.lk_busy.val();
            self.mmio.lk_outcome.next = self.rx.lk_outcome.val();
            self.mmio.lk_found.next = self.rx.lk_found.val();
            self.mmio.nq_valid.next = self.rx.nq_valid.val();
            self.mmio.nq_stamp.next = self.rx.nq_stamp.val();
            self.mmio.nq_qlen.next = self.rx.nq_qlen.val();
            self.mmio.nq_word.next = self.rx.nq_word.val();
            self.counters.rx_valid.next = self.rx.st_nic.val();
            self.counters.tx_valid.next = self.tx_side.sent_valid.val();
            self.counters.core_start.next = self.mmio.ct_start.val();
            self.write_side.nq_mem_valid.next = self.rx.nq_mem_valid.val();
            self.write_side.nq_mem_len.next = self.rx.nq_mem_len.val();
            self.write_side.nq_mem_arrival.next = self.rx.nq_mem_arrival.val();
            self.write_side.nq_data.next = self.rx.nq_data.val();
            self.write_side.job_valid.next = self.mmio.job_valid.val();
            self.write_side.job_op.next = self.mmio.job_op.val();
            self.write_side.job_src.next = self.mmio.job_src.val();
            self.write_side.job_len.next = self.mmio.job_len.val();
            self.write_side.job_addr.next = self.mmio.job_addr.val();
            self.write_side.evt_valid.next = self.mmio.evt_valid.val();
            self.write_side.evt_word.next = self.mmio.evt_word.val();
            self.write_side.cmd_cons.next = self.tx_side.cmd_cons.val();
            self.rings.cmd_cons.next = self.tx_side.cmd_cons.val();
            self.tx_side.tp_go.next = self.mmio.tp_go.val();
            self.tx_side.th_write.next = self.mmio.th_write.val();
            self.mmio.tp_lost.next = self.tx_side.lost.val();
            self.mmio.tp_lost_conn.next = self.tx_side.sent_conn.val();
            self.mmio.cmd_valid.next = self.tx_side.cmd_valid.val();
            self.mmio.cmd_word.next = self.tx_side.cmd_word.val();
        }

        // Statistics.
        self.statistics.rx_frames.next = self.rx.st_frames.val();
        self.statistics.rx_bad_fcs.next = self.rx.st_bad_fcs.val();
        self.statistics.rx_bad_length.next = self.rx.st_bad_length.val();
        self.statistics.rx_bad_checksum.next = self.rx.st_bad_checksum.val();
        self.statistics.rx_overflow.next = self.rx.st_overflow.val();
        self.statistics.rx_program_drop.next = self.rx.st_program_drop.val();
        self.statistics.rx_filtered.next = self.rx.st_filtered.val();
        self.statistics.host_rx_frames.next = self.rx.st_host.val();
        self.statistics.host_rx_drops.next = self.rx.st_host_drop.val();
        self.statistics.nic_rx_frames.next = self.rx.st_nic.val();
        self.statistics.nic_rx_drops.next = self.rx.st_nic_drop.val();
        self.statistics.tx_frames.next = self.tx_side.st_frames.val();
        self.statistics.host_tx_frames.next = self.tx_side.st_host.val();
        self.statistics.nic_tx_frames.next = self.tx_side.st_nic.val();
        self.statistics.tx_abandoned.next = self.tx_side.st_abandoned.val();
        self.statistics.tx_bad_descriptors.next = self.tx_side.st_bad_desc.val();
        self.statistics.dma_read_errors.next = self.tx_side.dma_error.val();
        self.statistics.dma_write_errors.next = self.write_side.dma_error.val();
        self.statistics.accept_read.next = self.axil.accept_read.val();
        self.statistics.core_instructions.next = self.system.retired.val();
        self.statistics.core_idle_cycles.next = self.system.asleep.val();
        self.statistics.host_rx_qlen.next = self.rx.hq_qlen.val();
        self.statistics.nic_rx_qlen.next = self.rx.nq_qlen.val();
        self.statistics.host_tx_qlen.next = self.tx_side.htx_qlen.val();
        self.statistics.cmd_qlen.next = self.mmio.cmd_qlen.val();
        self.statistics.delay_valid.next = self.write_side.delay_valid.val();
        self.statistics.delay.next = self.write_side.delay.val();
    }
}
