//! The MAC: between the core's frame streams and a PHY at GMII, 1000, 100 and 10 Mb/s, full duplex.
//!
//! ```text
//!       rx_cr (PHY's clock)      │            cr (core)              │      tx_cr (125 MHz)
//!                                │                                   │
//!  gmii_rx* ─► RxGear ─► AsyncFifo ─► RxCheck ──────────► rx stream  │
//!                │ overflow …    │                                   │
//!                └──► EventCounter ─► MacRegs ◄─ register bus        │
//!                                │     │  ▲ └► Mdio ─► mdc, mdio     │
//!                     speed ◄─ Synchronizer └─ EventCounter ◄── sent, underflow ─┐
//!                                │                                   │          │
//!                                │ tx stream ─► TxFrame ─► AsyncFifo ─► TxGear ─┴─► gmii_tx*
//!                                │                             (LineShare before it)
//! ```
//!
//! The line's domains only turn symbols into words and back; check sequences, padding, lengths and
//! filtering are the core's, 32 bits a cycle. Words cross in two `AsyncFifo`s (receive 1024 words or fewer, transmit
//! 512 or fewer), settings of one or two bits in `Synchronizer`s, counts in `EventCounter`s: nothing else crosses.
//!
//! **Rates.** Minimum frames back to back, in both directions, at a core clock of 62.5 MHz or more; the
//! frame's 21 word times of 32 ns would allow 31.25 MHz, at which only the core's pauses between frames are
//! missing. **Latency** with all clocks at 125 MHz: a frame's first word leaves on the receive stream 27 or
//! 28 cycles after its start delimiter stood on the pins, because its fourth word decides whether it is a
//! control frame; its last word leaves 11 or 12 cycles after its last byte. A frame's preamble stands on
//! the pins 23 or 24 cycles after its first word came on the transmit stream (`tx_start_words` and 7 or 8),
//! that of a frame of at most 68 bytes 6 or 7 cycles after the frame's end was made (`tx_frame`).
//! `cosim/tests/mac.rs` asserts these.
//!
//! **Words** of the queues have 36 bits: four bytes of a frame, the first lowest and unused ones zero, and above
//! them a tag. Bit 3 of the tag: the frame's last word, with the number of its bytes less one in bits 1:0, and in
//! bit 2 that the PHY reported an error. Bit 2 alone: the frame's end without data, its rest was dropped. Zero:
//! others follow.
//!
//! **One line for two MACs** ([`Line`]). On a board with one port the host link's MAC owns the line, and the NIC's is its guest: each
//! receives what comes with memories of its own, so that neither can hold up or lose frames of the other's, and settings and resets of one
//! are none of the other's; the guest's transmit queue is read by the owner (`line`), with the owner's speed. The guest takes no frame of the host
//! link's EtherType, whatever its address; the host link takes no other.
//!
//! **Settings** (`regs`): speed, or what the PHY says in-band; a change of speed damages frames on the line
//! and nothing else. **Reset** of any domain drops what is in its queue; a frame cut by it reaches core or
//! line marked as damaged. What each line condition leads to stands in `rx_gear`, `rx_check` and `tx_gear`.
//! Half duplex is not supported; pause frames are counted, not obeyed.

pub mod line;
pub mod mdio;
pub mod regs;
pub mod rgmii;
pub mod rx_check;
pub mod rx_gear;
pub mod share;
pub mod tx_frame;
pub mod tx_gear;

pub use mdio::MdioPins;
pub use rgmii::Rgmii;
pub use share::MdioUser;

use crate::kit::{AsyncFifo, Cr, EventCounter, Reg, StreamIn, StreamOut, Synchronizer};
use crate::module;
use crate::regs::RegBus;
use line::{LineShare, QueueIn, QueueOut};
use mdio::Mdio;
use regs::MacRegs;
use rust_hdl::prelude::*;
use rx_check::RxCheck;
use rx_gear::RxGear;
use share::MdioShare;
use tx_frame::TxFrame;
use tx_gear::TxGear;

/// What a build of the MAC may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacConfig {
    /// A transmitted frame starts when more words than this of it are in the queue, or all of it; 2 to eight fewer than the
    /// queue's words. It must cover the longest pause of the core within a frame, in word times of the line; the NIC's
    /// core has none.
    pub tx_start_words: u32,
    /// log2 of the words that wait between the line and the core, 7 to 10. The core takes them faster than the line brings
    /// them, unless whoever has the receive stream pauses.
    pub rx_words_log2: usize,
    /// log2 of the words that wait between the core and the line, 5 to 9.
    pub tx_words_log2: usize,
    /// The PHY reports link, speed and duplex between frames (RGMII).
    pub inband_status: bool,
    pub line: Line,
    /// Something is on its register bus. Without, it has the settings that a reset gives, and counts nothing.
    pub has_registers: bool,
}

/// Whose line a MAC sends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// Its own.
    #[default]
    Own,
    /// Its own, on which a guest's frames go as well.
    Shared,
    /// Another MAC's, which the host link uses too.
    Guest,
}

impl Default for MacConfig {
    fn default() -> Self {
        MacConfig {
            tx_start_words: 16,
            rx_words_log2: 10,
            tx_words_log2: 9,
            inband_status: false,
            line: Line::Own,
            has_registers: true,
        }
    }
}

/// See the module's header.
#[derive(Clone, Debug, LogicBlock)]
pub struct Mac {
    pub cr: Cr,
    pub rx_cr: Cr,
    pub tx_cr: Cr,
    /// Received frames, without check sequence; `tuser` with `tlast`: damaged.
    pub rx: StreamOut,
    /// Frames to send, without padding and check sequence.
    pub tx: StreamIn,
    pub bus: RegBus,
    pub mdio: MdioPins,
    pub gmii_rx_dv: Signal<In, Bit>,
    pub gmii_rx_er: Signal<In, Bit>,
    pub gmii_rxd: Signal<In, Bits<8>>,
    /// In the receive domain: link, speed (2:1), duplex.
    pub inband: Signal<In, Bits<4>>,
    /// What firmware has learnt from the PHY, in the core's domain: link, speed (2:1), duplex, and in bit 4 that this
    /// counts instead of what the PHY reports in-band.
    pub report: Signal<In, Bits<5>>,
    /// Link, speed (2:1) and duplex as they are known, for lamps.
    pub line_state: Signal<Out, Bits<4>>,
    /// Firmware holds the PHY in reset.
    pub hold_phy: Signal<In, Bit>,
    pub manage: MdioUser,
    /// The transmit queue of a guest, with [`Line::Shared`], and of this MAC, with [`Line::Guest`]; nothing otherwise.
    pub guest: QueueIn,
    pub queue: QueueOut,
    pub gmii_tx_en: Signal<Out, Bit>,
    pub gmii_tx_er: Signal<Out, Bit>,
    pub gmii_txd: Signal<Out, Bits<8>>,
    /// Level of the line's clock in the two halves of the cycle.
    pub gmii_line_clock: Signal<Out, Bits<2>>,

    rx_gear: RxGear,
    rx_fifo: AsyncFifo<Bits<36>, 10, 11>,
    /// Its level up to which there is room.
    rx_room: Constant<Bits<11>>,
    rx_check: RxCheck,
    tx_frame: TxFrame,
    tx_fifo: AsyncFifo<Bits<36>, 9, 10>,
    /// Its level up to which there is room.
    tx_most: Constant<Bits<10>>,
    tx_line: LineShare,
    tx_gear: TxGear,
    regs: MacRegs,
    master: Mdio,
    share: MdioShare,
    rx_settings: Synchronizer<2>,
    tx_settings: Synchronizer<2>,
    inband_sync: Synchronizer<4>,
    overflows: EventCounter,
    false_carriers: EventCounter,
    sent: EventCounter,
    underflows: EventCounter,
    /// The PHY's report as it was a cycle ago, and as it was twice in a row.
    inband_before: Reg<Bits<4>>,
    inband_stable: Reg<Bits<4>>,
    speed: Reg<Bits<2>>,
    /// The transmit queue takes three more words; a cycle late, because it is a difference and a comparison.
    tx_room: Reg<Bit>,
    rx_to_sync: Signal<Local, Bits<2>>,
    line: Signal<Local, Bits<4>>,
    knows_line: Signal<Local, Bit>,
    has_inband: Constant<Bit>,
    is_guest: Constant<Bit>,
}

impl Mac {
    /// # Panics
    /// When the configuration is out of its range.
    pub fn new(config: &MacConfig) -> Self {
        assert!(
            (5..=9).contains(&config.tx_words_log2),
            "2^{} words are not 32 to 512",
            config.tx_words_log2
        );
        let tx_words = 1 << config.tx_words_log2;
        assert!(
            (2..=tx_words - 8).contains(&config.tx_start_words),
            "tx_start_words is {}, and must be 2 to {}",
            config.tx_start_words,
            tx_words - 8
        );
        assert!(
            (7..=10).contains(&config.rx_words_log2),
            "2^{} words are not 128 to 1024",
            config.rx_words_log2
        );
        let mut rx_fifo = AsyncFifo::default();
        rx_fifo.set_words_log2(config.rx_words_log2);
        let mut tx_fifo = AsyncFifo::default();
        tx_fifo.set_words_log2(config.tx_words_log2);
        Mac {
            cr: Default::default(),
            rx_cr: Default::default(),
            tx_cr: Default::default(),
            rx: Default::default(),
            tx: Default::default(),
            bus: Default::default(),
            mdio: Default::default(),
            gmii_rx_dv: Default::default(),
            gmii_rx_er: Default::default(),
            gmii_rxd: Default::default(),
            inband: Default::default(),
            report: Default::default(),
            line_state: Default::default(),
            hold_phy: Default::default(),
            manage: Default::default(),
            guest: Default::default(),
            queue: Default::default(),
            gmii_tx_en: Default::default(),
            gmii_tx_er: Default::default(),
            gmii_txd: Default::default(),
            gmii_line_clock: Default::default(),
            rx_gear: Default::default(),
            rx_fifo,
            rx_room: Constant::new(((1u64 << config.rx_words_log2) - 4).into()),
            rx_check: RxCheck::new(config.line == Line::Guest),
            tx_frame: TxFrame::new(config.tx_start_words),
            tx_fifo,
            tx_most: Constant::new(u64::from(tx_words - 5).into()),
            tx_line: LineShare::new(config.line == Line::Shared),
            tx_gear: Default::default(),
            regs: MacRegs::new(config.has_registers),
            master: Default::default(),
            share: Default::default(),
            rx_settings: Default::default(),
            tx_settings: Default::default(),
            inband_sync: Default::default(),
            overflows: Default::default(),
            false_carriers: Default::default(),
            sent: Default::default(),
            underflows: Default::default(),
            inband_before: Default::default(),
            inband_stable: Default::default(),
            speed: Reg::new(bits(2)),
            tx_room: Default::default(),
            rx_to_sync: Default::default(),
            line: Default::default(),
            knows_line: Default::default(),
            has_inband: Constant::new(config.inband_status),
            is_guest: Constant::new(config.line == Line::Guest),
        }
    }
}

module! {
    impl [] Logic for Mac;
    regs: inband_before, inband_stable, speed, tx_room;
    children: rx_check, tx_frame, regs, master, share, inband_sync, overflows, false_carriers, sent, underflows;
    #[hdl_gen]
    fn update(&mut self) {
        // The line's domains.
        Cr::link(&mut self.rx_cr, &mut self.rx_gear.cr);
        Cr::link(&mut self.rx_cr, &mut self.rx_settings.cr);
        Cr::link(&mut self.rx_cr, &mut self.rx_fifo.write_cr);
        Cr::link(&mut self.rx_cr, &mut self.overflows.source_cr);
        Cr::link(&mut self.rx_cr, &mut self.false_carriers.source_cr);
        Cr::link(&mut self.tx_cr, &mut self.tx_line.cr);
        Cr::link(&mut self.tx_cr, &mut self.tx_gear.cr);
        Cr::link(&mut self.tx_cr, &mut self.tx_settings.cr);
        Cr::link(&mut self.tx_cr, &mut self.tx_fifo.read_cr);
        Cr::link(&mut self.tx_cr, &mut self.sent.source_cr);
        Cr::link(&mut self.tx_cr, &mut self.underflows.source_cr);
        Cr::link(&mut self.cr, &mut self.rx_fifo.read_cr);
        Cr::link(&mut self.cr, &mut self.tx_fifo.write_cr);
        StreamOut::link(&mut self.rx, &mut self.rx_check.stream);
        StreamIn::link(&mut self.tx, &mut self.tx_frame.stream);
        RegBus::link(&mut self.bus, &mut self.regs.bus);
        MdioUser::link(&mut self.manage, &mut self.share.firmware);
        QueueIn::link(&mut self.guest, &mut self.tx_line.guest);

        // Receive.
        self.rx_gear.rx_dv.next = self.gmii_rx_dv.val();
        self.rx_gear.rx_er.next = self.gmii_rx_er.val();
        self.rx_gear.rxd.next = self.gmii_rxd.val();
        self.rx_gear.gigabit.next = self.rx_settings.q.val().get_bit(0);
        self.rx_gear.enable.next = self.rx_settings.q.val().get_bit(1);
        self.rx_gear.room.next = self.rx_fifo.level.val() <= self.rx_room.val();
        self.rx_gear.stop.next = self.rx_fifo.write_stop.val();
        self.rx_fifo.data.next = self.rx_gear.word.val();
        self.rx_fifo.push.next = self.rx_gear.push.val();
        self.rx_fifo.commit.next = true;
        self.rx_check.word.next = self.rx_fifo.head.val();
        self.rx_check.valid.next = self.rx_fifo.valid.val();
        self.rx_fifo.pop.next = self.rx_check.pop.val();
        self.rx_check.stop.next = self.rx_fifo.read_stop.val();
        self.rx_check.jumbo.next = self.regs.jumbo.val();
        self.rx_check.promiscuous.next = self.regs.promiscuous.val();
        self.rx_check.addr_low.next = self.regs.addr_low.val();
        self.rx_check.addr_high.next = self.regs.addr_high.val();

        // Transmit.
        self.tx_frame.enable.next = self.regs.tx_enable.val();
        self.tx_room.d.next = self.tx_fifo.level.val() <= self.tx_most.val();
        self.tx_frame.room.next = self.tx_room.q.val();
        self.tx_frame.stop.next = self.tx_fifo.write_stop.val();
        self.tx_fifo.data.next = self.tx_frame.word.val();
        self.tx_fifo.push.next = self.tx_frame.push.val();
        self.tx_fifo.commit.next = self.tx_frame.commit.val();
        self.tx_line.own.word.next = self.tx_fifo.head.val();
        self.tx_line.own.valid.next = self.tx_fifo.valid.val() && !self.is_guest.val();
        self.tx_line.own.stop.next = self.tx_fifo.read_stop.val();
        self.queue.word.next = self.tx_fifo.head.val();
        self.queue.valid.next = self.tx_fifo.valid.val() && self.is_guest.val();
        self.queue.stop.next = self.tx_fifo.read_stop.val();
        self.tx_fifo.pop.next = self.tx_line.own.pop.val();
        self.sent.pulse.next = self.tx_line.own.sent.val();
        self.underflows.pulse.next = self.tx_line.own.underflow.val();
        if self.is_guest.val() {
            self.tx_fifo.pop.next = self.queue.pop.val();
            self.sent.pulse.next = self.queue.sent.val();
            self.underflows.pulse.next = self.queue.underflow.val();
        }
        self.tx_gear.word.next = self.tx_line.gear.word.val();
        self.tx_gear.valid.next = self.tx_line.gear.valid.val();
        self.tx_gear.stop.next = self.tx_line.gear.stop.val();
        self.tx_line.gear.pop.next = self.tx_gear.pop.val();
        self.tx_line.gear.sent.next = self.tx_gear.sent.val();
        self.tx_line.gear.underflow.next = self.tx_gear.underflow.val();
        self.tx_line.between.next = self.tx_gear.between.val();
        self.tx_gear.speed.next = self.tx_settings.q.val();
        self.gmii_tx_en.next = self.tx_gear.tx_en.val();
        self.gmii_tx_er.next = self.tx_gear.tx_er.val();
        self.gmii_txd.next = self.tx_gear.txd.val();
        self.gmii_line_clock.next = self.tx_gear.line_clock.val();

        // Speed: what the driver set, or what a PHY with a link reports. A report counts when it was seen
        // twice in a row, because its bits cross one by one.
        self.inband_sync.d.next = self.inband.val();
        self.inband_before.d.next = self.inband_sync.q.val();
        if self.inband_before.q.val() == self.inband_sync.q.val() {
            self.inband_stable.d.next = self.inband_sync.q.val();
        }
        self.speed.d.next = self.regs.speed_set.val();
        self.line.next = self.inband_stable.q.val();
        if self.report.val().get_bit(4) {
            self.line.next = self.report.val().get_bits::<4>(0);
        }
        self.knows_line.next = self.has_inband.val() || self.report.val().get_bit(4);
        if self.regs.speed_auto.val() && self.knows_line.val() {
            self.speed.d.next = self.speed.q.val();
            if self.line.val().get_bit(0) {
                self.speed.d.next = self.line.val().get_bits::<2>(1);
            }
        }
        self.regs.link.next = self.line.val();
        self.line_state.next = self.line.val();
        self.regs.speed.next = self.speed.q.val();
        self.regs.has_inband.next = self.knows_line.val();
        self.tx_settings.d.next = self.speed.q.val();
        self.rx_to_sync.next = 0.into();
        if self.speed.q.val().get_bit(1) {
            self.rx_to_sync.next = 1.into();
        }
        self.rx_settings.d.next = self.rx_to_sync.val();
        if self.regs.rx_enable.val() {
            self.rx_settings.d.next = self.rx_to_sync.val() | 2;
        }

        // Counters.
        self.overflows.pulse.next = self.rx_gear.overflow.val();
        self.false_carriers.pulse.next = self.rx_gear.false_carrier.val();
        self.regs.rx_overflow.next = self.overflows.total.val();
        self.regs.rx_false_carrier.next = self.false_carriers.total.val();
        self.regs.tx_sent.next = self.sent.total.val();
        self.regs.tx_underflow.next = self.underflows.total.val();
        self.regs.rx_frame.next = self.rx_check.st_frame.val();
        self.regs.rx_frame_bytes.next = self.rx_check.st_bytes.val();
        self.regs.rx_bad_fcs.next = self.rx_check.st_bad_fcs.val();
        self.regs.rx_symbol.next = self.rx_check.st_symbol.val();
        self.regs.rx_runt.next = self.rx_check.st_runt.val();
        self.regs.rx_overlong.next = self.rx_check.st_long.val();
        self.regs.rx_pause.next = self.rx_check.st_pause.val();
        self.regs.rx_filtered.next = self.rx_check.st_filtered.val();
        self.regs.tx_frame.next = self.tx_frame.st_frame.val();
        self.regs.tx_frame_bytes.next = self.tx_frame.st_bytes.val();
        self.regs.tx_dropped.next = self.tx_frame.st_dropped.val();

        // Management.
        self.share.driver.start.next = self.regs.mdio_start.val();
        self.share.driver.command.next = self.regs.mdio_command.val();
        self.master.start.next = self.share.start.val();
        self.master.command.next = self.share.command.val();
        self.share.busy.next = self.master.busy.val();
        self.share.no_answer.next = self.master.no_answer.val();
        self.share.data.next = self.master.data.val();
        self.master.divider.next = self.regs.mdio_divider.val();
        self.master.mdio_i.next = self.mdio.mdio_i.val();
        self.mdio.mdc.next = self.master.mdc.val();
        self.mdio.mdio_o.next = self.master.mdio_o.val();
        self.mdio.mdio_oe.next = self.master.mdio_oe.val();
        self.mdio.phy_reset_n.next = self.regs.phy_reset_n.val() && !self.hold_phy.val();
        self.regs.mdio_busy.next = self.share.driver.busy.val();
        self.regs.mdio_no_answer.next = self.share.driver.no_answer.val();
        self.regs.mdio_data.next = self.share.driver.data.val();
    }
}
