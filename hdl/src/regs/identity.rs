//! Identity, run control, interrupt and firmware load (`abi::regs::IDENTITY`).

use super::RegBus;
use crate::kit::{Cr, Reg};
use crate::module;
use crate::rx::{HAS_IPV6, HAS_TABLE, KEY_BITS, KEY_LAYOUT};
use baton_abi::regs::{
    CAPABILITIES_CONNECTIONS_SHIFT, CAPABILITIES_JUMBO, CAPABILITIES_KEY_LAYOUT_SHIFT,
    CAPABILITIES_KEY_WORDS_SHIFT, CAPABILITIES_TSO, ID_VALUE, VERSION_VALUE,
};
use rust_hdl::prelude::*;

/// Answers at addresses 0x00 to 0x3C. `irq` follows the masked causes with one cycle of latency.
#[derive(Clone, Debug, LogicBlock)]
pub struct Identity {
    pub cr: Cr,
    pub bus: RegBus,
    pub core_run: Signal<Out, Bit>,
    pub sched_mode: Signal<Out, Bits<2>>,
    /// Jumbo frames are on; never where the build has no memory for them.
    pub jumbo: Signal<Out, Bit>,
    /// The P4 program has connections over IPv6.
    pub ipv6: Signal<Out, Bit>,
    pub ticks_per_us: Signal<Out, Bits<32>>,
    /// Microseconds that the firmware's time base has counted.
    pub time_us: Signal<In, Bits<32>>,
    pub hash_key0: Signal<Out, Bits<32>>,
    pub hash_key1: Signal<Out, Bits<32>>,
    pub index_addr: Signal<Out, Bits<32>>,
    pub core_skip: Signal<Out, Bits<16>>,
    /// High for one cycle with `fw_addr` and `fw_data`.
    pub fw_write: Signal<Out, Bit>,
    pub fw_addr: Signal<Out, Bits<24>>,
    pub fw_data: Signal<Out, Bits<32>>,
    pub irq: Signal<Out, Bit>,
    /// One bit a cause, high for one cycle.
    pub raise: Signal<In, Bits<5>>,
    /// From the register port: a read is accepted, and answered in the next cycle.
    pub accept_read: Signal<In, Bit>,
    /// Cycle counter.
    pub now: Signal<In, Bits<32>>,
    /// It, as it was when the last read was accepted.
    cycles_shown: Reg<Bits<32>>,
    run: Reg<Bit>,
    mode: Reg<Bits<2>>,
    jumbo_on: Reg<Bit>,
    ticks: Reg<Bits<32>>,
    cause: Reg<Bits<5>>,
    enable: Reg<Bits<5>>,
    irq_level: Reg<Bit>,
    load_addr: Reg<Bits<24>>,
    load_pending: Reg<Bit>,
    load_data: Reg<Bits<32>>,
    key0: Reg<Bits<32>>,
    key1: Reg<Bits<32>>,
    index: Reg<Bits<32>>,
    skip: Reg<Bits<16>>,
    cleared: Signal<Local, Bits<5>>,
    kept: Signal<Local, Bits<5>>,
    active: Signal<Local, Bits<5>>,
    run_word: Signal<Local, Bits<32>>,
    mode_word: Signal<Local, Bits<32>>,
    jumbo_word: Signal<Local, Bits<32>>,
    has_jumbo: Constant<Bit>,
    has_ipv6: Constant<Bit>,
    has_pace: Constant<Bit>,
    capabilities: Constant<Bits<32>>,
    id: Constant<Bits<32>>,
    version: Constant<Bits<32>>,
    fw_size: Constant<Bits<32>>,
}

impl Identity {
    /// `fw_size`: bytes of core memory; `has_jumbo`: the receive path holds jumbo frames; `has_pace`: the
    /// softcore heeds `core_skip`; `connections_log2`: log2 of the connections that the lookup table is made for, none in a build without handoff and TSO.
    /// `boot_ticks_per_us`: the core runs from reset on, because its memory comes with firmware, and this is the time base.
    pub fn new(
        fw_size: u32,
        has_jumbo: bool,
        has_pace: bool,
        connections_log2: Option<usize>,
        boot_ticks_per_us: Option<u16>,
    ) -> Self {
        let capabilities = if has_jumbo { CAPABILITIES_JUMBO } else { 0 }
            | connections_log2.map_or(0, |log2| {
                (log2 as u32) << CAPABILITIES_CONNECTIONS_SHIFT
                    | CAPABILITIES_TSO
                    | if HAS_TABLE { (KEY_BITS as u32 / 32) << CAPABILITIES_KEY_WORDS_SHIFT } else { 0 }
                    | u32::from(KEY_LAYOUT) << CAPABILITIES_KEY_LAYOUT_SHIFT
            });
        Identity {
            cr: Default::default(),
            bus: Default::default(),
            core_run: Default::default(),
            sched_mode: Default::default(),
            jumbo: Default::default(),
            ipv6: Default::default(),
            ticks_per_us: Default::default(),
            time_us: Default::default(),
            hash_key0: Default::default(),
            hash_key1: Default::default(),
            index_addr: Default::default(),
            core_skip: Default::default(),
            fw_write: Default::default(),
            fw_addr: Default::default(),
            fw_data: Default::default(),
            irq: Default::default(),
            raise: Default::default(),
            accept_read: Default::default(),
            now: Default::default(),
            cycles_shown: Default::default(),
            run: Reg::new(boot_ticks_per_us.is_some()),
            mode: Default::default(),
            jumbo_on: Default::default(),
            ticks: Reg::new(u64::from(boot_ticks_per_us.unwrap_or(125)).into()),
            cause: Default::default(),
            enable: Default::default(),
            irq_level: Default::default(),
            load_addr: Default::default(),
            load_pending: Default::default(),
            load_data: Default::default(),
            key0: Default::default(),
            key1: Default::default(),
            index: Default::default(),
            cleared: Default::default(),
            kept: Default::default(),
            active: Default::default(),
            run_word: Default::default(),
            mode_word: Default::default(),
            jumbo_word: Default::default(),
            skip: Default::default(),
            has_jumbo: Constant::new(has_jumbo),
            has_ipv6: Constant::new(HAS_IPV6),
            has_pace: Constant::new(has_pace),
            capabilities: Constant::new((capabilities as u64).into()),
            id: Constant::new((ID_VALUE as u64).into()),
            version: Constant::new((VERSION_VALUE as u64).into()),
            fw_size: Constant::new((fw_size as u64).into()),
        }
    }
}

module! {
    impl [] Logic for Identity;
    regs: cycles_shown, run, mode, jumbo_on, ticks, cause, enable, irq_level, load_addr, load_pending, load_data, key0, key1, index, skip;
    children: ;
    #[hdl_gen]
    fn update(&mut self) {
        self.bus.write_hit.next = true;
        self.load_pending.d.next = false;
        self.cleared.next = 0.into();
        match self.bus.write_addr.val().index() {
            0 => {}
            4 => {}
            8 => {
                if self.bus.write.val() {
                    self.run.d.next = self.bus.write_data.val().get_bit(0);
                    self.mode.d.next = self.bus.write_data.val().get_bits::<2>(4);
                    self.jumbo_on.d.next = self.bus.write_data.val().get_bit(8) && self.has_jumbo.val();
                }
            }
            12 => {
                if self.bus.write.val() {
                    self.ticks.d.next = self.bus.write_data.val();
                }
            }
            16 => {
                if self.bus.write.val() {
                    self.cleared.next = self.bus.write_data.val().get_bits::<5>(0);
                }
            }
            20 => {
                if self.bus.write.val() {
                    self.enable.d.next = self.bus.write_data.val().get_bits::<5>(0);
                }
            }
            24 => {}
            28 => {}
            32 => {
                if self.bus.write.val() {
                    self.load_addr.d.next = self.bus.write_data.val().get_bits::<24>(0);
                }
            }
            36 => {
                if self.bus.write.val() && !self.run.q.val() {
                    self.load_pending.d.next = true;
                    self.load_data.d.next = self.bus.write_data.val();
                }
            }
            40 => {}
            44 => {}
            48 => {
                if self.bus.write.val() {
                    self.key0.d.next = self.bus.write_data.val();
                }
            }
            52 => {
                if self.bus.write.val() {
                    self.key1.d.next = self.bus.write_data.val();
                }
            }
            56 => {
                if self.bus.write.val() {
                    self.index.d.next = self.bus.write_data.val();
                }
            }
            60 => {
                if self.bus.write.val() && self.has_pace.val() {
                    self.skip.d.next = self.bus.write_data.val().get_bits::<16>(0);
                }
            }
            _ => {
                self.bus.write_hit.next = false;
            }
        }
        // The address moves on after the word was written.
        if self.load_pending.q.val() {
            self.load_addr.d.next = self.load_addr.q.val() + 4;
        }
        self.fw_write.next = self.load_pending.q.val();
        self.fw_addr.next = self.load_addr.q.val();
        self.fw_data.next = self.load_data.q.val();

        // A cause that is raised in the cycle in which it is cleared stays.
        self.kept.next = self.cause.q.val() & !self.cleared.val();
        self.cause.d.next = self.kept.val() | self.raise.val();
        self.active.next = self.cause.q.val() & self.enable.q.val();
        self.irq_level.d.next = self.active.val().any();
        self.irq.next = self.irq_level.q.val();

        if self.accept_read.val() {
            self.cycles_shown.d.next = self.now.val();
        }
        self.run_word.next = bit_cast::<32, 1>(self.run.q.val().into());
        self.mode_word.next = bit_cast::<32, 2>(self.mode.q.val()) << 4;
        self.jumbo_word.next = bit_cast::<32, 1>(self.jumbo_on.q.val().into()) << 8;
        self.bus.read_hit.next = true;
        self.bus.read_data.next = 0.into();
        match self.bus.read_addr.val().index() {
            0 => {
                self.bus.read_data.next = self.id.val();
            }
            4 => {
                self.bus.read_data.next = self.version.val();
            }
            8 => {
                self.bus.read_data.next = self.run_word.val() | self.mode_word.val() | self.jumbo_word.val();
            }
            12 => {
                self.bus.read_data.next = self.ticks.q.val();
            }
            16 => {
                self.bus.read_data.next = bit_cast::<32, 5>(self.cause.q.val());
            }
            20 => {
                self.bus.read_data.next = bit_cast::<32, 5>(self.enable.q.val());
            }
            24 => {
                self.bus.read_data.next = self.cycles_shown.q.val();
            }
            28 => {
                self.bus.read_data.next = self.capabilities.val();
            }
            32 => {
                self.bus.read_data.next = bit_cast::<32, 24>(self.load_addr.q.val());
            }
            36 => {}
            40 => {
                self.bus.read_data.next = self.fw_size.val();
            }
            44 => {
                self.bus.read_data.next = self.time_us.val();
            }
            48 => {
                self.bus.read_data.next = self.key0.q.val();
            }
            52 => {
                self.bus.read_data.next = self.key1.q.val();
            }
            56 => {
                self.bus.read_data.next = self.index.q.val();
            }
            60 => {
                self.bus.read_data.next = bit_cast::<32, 16>(self.skip.q.val());
            }
            _ => {
                self.bus.read_hit.next = false;
            }
        }
        self.core_run.next = self.run.q.val();
        self.sched_mode.next = self.mode.q.val();
        self.ipv6.next = self.has_ipv6.val();
        self.jumbo.next = self.jumbo_on.q.val();
        self.ticks_per_us.next = self.ticks.q.val();
        self.hash_key0.next = self.key0.q.val();
        self.hash_key1.next = self.key1.q.val();
        self.index_addr.next = self.index.q.val();
        self.core_skip.next = self.skip.q.val();
    }
}
