//! The softcore's memory-mapped port: decode, and the queues that firmware pushes into.
//!
//! A read answers in the next cycle and changes nothing; a write acts in the cycle after its own, from a register, because what
//! it reaches lies far from the core. A read in that cycle knows of it: `STATUS` counts what is on its way, an operation is
//! under way, no work item is shown; only the window onto the NIC receive queue moves a cycle later. What lies here is written at
//! once: `WAKE_AT`, `WAKE_ON`, `NIC_RX_MARKS`, `LOOKUP_VALUE`, `CMD_POP`. Reads of write-only or unknown addresses give zero, writes to read-only or unknown ones are ignored. Pushes into a full queue are
//! lost, as `abi::mmio` says.
//!
//! **Segments taken in one write.** `NIC_RX_POP` and `NIC_RX_COPY` advance the window and push the job that ends with the
//! packet's memory; a copy that frees its packet is one entry of the queue and leaves as two jobs, COPY and then POP. The
//! scheduler's segments and commands are shown only while eight jobs have room, which is more than either can
//! need, so firmware does not ask; what was chosen stays chosen, and the order of arrival holds.
//!
//! Verified by `cosim/tests/mmio.rs` and by every run of the firmware.

use super::commands::CommandQueue;
use super::key::KeyRegister;
use super::scheduler::DefaultScheduler;
use super::time::Micros;
use crate::kit::{Cr, LutFifo, Reg};
use crate::module;
use crate::rx::KEY_BITS;
use rust_hdl::prelude::*;

/// See the module's header. Port groups: the bus, the scheduler's queues, receive, commands, jobs and events,
/// transmit, lookup, mailbox.
#[derive(Clone, Debug, Default, LogicBlock)]
pub struct Mmio {
    pub cr: Cr,
    pub addr: Signal<In, Bits<16>>,
    pub write: Signal<In, Bit>,
    pub wdata: Signal<In, Bits<32>>,
    pub rdata: Signal<Out, Bits<32>>,
    /// Ends the core's sleep. Low in the cycle of a write to WAKE_AT and in the next.
    pub wake: Signal<Out, Bit>,
    pub now: Signal<In, Bits<32>>,
    pub ticks_per_us: Signal<In, Bits<32>>,
    pub time_us: Signal<Out, Bits<32>>,

    pub sched_mode: Signal<In, Bits<2>>,
    pub hq_pending: Signal<In, Bit>,
    pub hq_stamp: Signal<In, Bits<32>>,
    pub hq_go: Signal<Out, Bit>,
    pub htx_pending: Signal<In, Bit>,
    pub htx_stamp: Signal<In, Bits<32>>,
    pub htx_go: Signal<Out, Bit>,

    pub nq_valid: Signal<In, Bit>,
    pub nq_stamp: Signal<In, Bits<32>>,
    pub nq_qlen: Signal<In, Bits<16>>,
    pub nq_index: Signal<Out, Bits<4>>,
    pub nq_word: Signal<In, Bits<32>>,
    pub nq_next: Signal<Out, Bit>,

    pub cmd_valid: Signal<In, Bit>,
    pub cmd_word: Signal<In, Bits<32>>,
    pub cmd_ready: Signal<Out, Bit>,
    pub cmd_qlen: Signal<Out, Bits<16>>,

    pub job_valid: Signal<Out, Bit>,
    pub job_op: Signal<Out, Bits<3>>,
    pub job_src: Signal<Out, Bits<16>>,
    pub job_len: Signal<Out, Bits<16>>,
    pub job_addr: Signal<Out, Bits<32>>,
    pub job_pop: Signal<In, Bit>,
    pub evt_valid: Signal<Out, Bit>,
    pub evt_word: Signal<Out, Bits<32>>,
    pub evt_pop: Signal<In, Bit>,
    pub mover_quiet: Signal<In, Bit>,

    pub tp_ready: Signal<In, Bit>,
    pub tp_go: Signal<Out, Bit>,
    pub tp_header_len: Signal<Out, Bits<8>>,
    pub tp_conn: Signal<Out, Bits<16>>,
    pub tp_addr: Signal<Out, Bits<32>>,
    pub tp_len: Signal<Out, Bits<17>>,
    pub tp_cut: Signal<Out, Bits<17>>,
    pub tp_rest: Signal<Out, Bits<32>>,
    pub tp_mss: Signal<Out, Bits<14>>,
    /// A burst of this connection was lost.
    pub tp_lost: Signal<In, Bit>,
    pub tp_lost_conn: Signal<In, Bits<16>>,
    pub th_write: Signal<Out, Bit>,
    pub th_index: Signal<Out, Bits<5>>,
    pub th_data: Signal<Out, Bits<32>>,
    pub tx_quiet: Signal<In, Bit>,

    pub lk_key: Signal<Out, Bits<KEY_BITS>>,
    pub lk_value: Signal<Out, Bits<16>>,
    pub lk_op: Signal<Out, Bits<2>>,
    pub lk_start: Signal<Out, Bit>,
    pub lk_busy: Signal<In, Bit>,
    pub lk_outcome: Signal<In, Bits<2>>,
    pub lk_found: Signal<In, Bits<16>>,

    /// Counters of a connection; see `regs::counters`.
    pub ct_start: Signal<Out, Bit>,
    pub ct_conn: Signal<Out, Bits<16>>,
    pub ct_clear: Signal<Out, Bit>,
    pub ct_busy: Signal<In, Bit>,
    pub ct_rx_packets: Signal<In, Bits<32>>,
    pub ct_rx_bytes: Signal<In, Bits<32>>,
    pub ct_tx_packets: Signal<In, Bits<32>>,
    pub ct_tx_bytes: Signal<In, Bits<32>>,

    pub mb_read_index: Signal<Out, Bits<4>>,
    pub mb_cfg: Signal<In, Bits<32>>,
    pub mb_write: Signal<Out, Bit>,
    pub mb_write_index: Signal<Out, Bits<4>>,
    pub mb_data: Signal<Out, Bits<32>>,

    scheduler: DefaultScheduler,
    commands: CommandQueue,
    micros: Micros,
    lookup_key: KeyRegister<KEY_BITS>,
    /// op [2:0], source [18:3], length [34:19], address [66:35], POP follows [67].
    jobs: LutFifo<Bits<68>, 4, 5>,
    events: LutFifo<Bits<32>, 7, 8>,

    /// The write of the cycle before.
    late: Reg<Bit>,
    late_addr: Reg<Bits<16>>,
    late_data: Reg<Bits<32>>,
    /// What it consumed.
    taken_late: Reg<Bits<6>>,
    wake_at: Reg<Bits<32>>,
    wake_on: Reg<Bits<4>>,
    awake: Reg<Bit>,
    marks: Reg<Bits<32>>,
    job_src_len: Reg<Bits<32>>,
    job_to: Reg<Bits<32>>,
    /// The copy at the queue's head has left, and its POP is next.
    popping: Reg<Bit>,
    tx_addr: Reg<Bits<32>>,
    tx_len: Reg<Bits<17>>,
    tx_cut: Reg<Bits<17>>,
    tx_rest: Reg<Bits<32>>,
    tx_mss: Reg<Bits<14>>,
    lost_count: Reg<Bits<16>>,
    lost_conn: Reg<Bits<16>>,
    value: Reg<Bits<16>>,
    op: Reg<Bits<2>>,
    register: Reg<Bits<32>>,
    from_nic_rx: Reg<Bit>,
    from_commands: Reg<Bit>,

    /// What the write consumes, if anything: HOST_RX_GO (bit 0), HOST_TX_GO (1), an item of the NIC receive queue (2), with its job
    /// POP (3) or COPY (4), commands (5).
    taken: Signal<Local, Bits<6>>,
    job_go: Signal<Local, Bit>,
    take_pop: Signal<Local, Bit>,
    take_copy: Signal<Local, Bit>,
    job_push: Signal<Local, Bit>,
    wake_at_written: Signal<Local, Bit>,
    since_wake: Signal<Local, Bits<32>>,
    job_room: Signal<Local, Bit>,
    event_room: Signal<Local, Bit>,
    burst_room: Signal<Local, Bit>,
    quiet: Signal<Local, Bit>,
    status: Signal<Local, Bits<4>>,
    wanted: Signal<Local, Bits<4>>,
    qlen_word: Signal<Local, Bits<32>>,
    above: Signal<Local, Bit>,
    below: Signal<Local, Bit>,
    result: Signal<Local, Bits<32>>,
    push_op: Signal<Local, Bits<3>>,
    push_addr: Signal<Local, Bits<32>>,
    job_wide: Signal<Local, Bits<68>>,
    more: Signal<Local, Bit>,
    item: Signal<Local, Bits<3>>,
    busy: Signal<Local, Bit>,
}

module! {
    impl [] Logic for Mmio;
    regs: late, late_addr, late_data, taken_late, wake_at, wake_on, awake, marks, job_src_len, job_to, popping, tx_addr, tx_len,
        tx_cut, tx_rest, tx_mss, lost_count, lost_conn, value, op, register, from_nic_rx, from_commands;
    children: scheduler, commands, micros, lookup_key, jobs, events;
    #[hdl_gen]
    fn update(&mut self) {
        // Writes at once.
        self.wake_at_written.next = false;
        self.taken.next = 0.into();
        if self.write.val() {
            match self.addr.val().index() {
                16 => {
                    self.wake_at.d.next = self.wdata.val();
                    self.wake_at_written.next = true;
                }
                44 => {
                    self.marks.d.next = self.wdata.val();
                }
                48 => {
                    self.wake_on.d.next = self.wdata.val().get_bits::<4>(0);
                }
                140 => {
                    self.value.d.next = self.wdata.val().get_bits::<16>(0);
                }
                144 => {
                    self.op.d.next = self.wdata.val().get_bits::<2>(0);
                }
                // HOST_RX_GO, HOST_TX_GO, NIC_RX_NEXT, CMD_POP, NIC_RX_POP, NIC_RX_COPY.
                20 => {
                    self.taken.next = 1.into();
                }
                24 => {
                    self.taken.next = 2.into();
                }
                28 => {
                    self.taken.next = 4.into();
                }
                32 => {
                    self.taken.next = 32.into();
                }
                80 => {
                    self.taken.next = 12.into();
                }
                84 => {
                    self.taken.next = 20.into();
                }
                _ => {}
            }
        }

        // All others.
        self.late.d.next = self.write.val();
        self.late_addr.d.next = self.addr.val();
        self.late_data.d.next = self.wdata.val();
        self.taken_late.d.next = self.taken.val();
        self.take_pop.next = self.taken_late.q.val().get_bit(3);
        self.take_copy.next = self.taken_late.q.val().get_bit(4);
        self.job_go.next = false;
        self.events.push.next = false;
        self.tp_go.next = false;
        self.th_write.next = false;
        self.mb_write.next = false;
        self.lk_start.next = false;
        self.lookup_key.write.next = false;
        self.ct_start.next = false;
        if self.late.q.val() {
            match self.late_addr.q.val().index() {
                64 => {
                    self.job_src_len.d.next = self.late_data.q.val();
                }
                68 => {
                    self.job_to.d.next = self.late_data.q.val();
                }
                72 => {
                    self.job_go.next = true;
                }
                76 => {
                    self.events.push.next = true;
                }
                96 => {
                    self.tx_addr.d.next = self.late_data.q.val();
                }
                100 => {
                    self.tx_len.d.next = self.late_data.q.val().get_bits::<17>(0);
                }
                108 => {
                    self.tx_mss.d.next = self.late_data.q.val().get_bits::<14>(0);
                }
                104 => {
                    self.tp_go.next = true;
                    self.tx_cut.d.next = 0.into();
                }
                116 => {
                    self.tx_cut.d.next = self.late_data.q.val().get_bits::<17>(0);
                }
                120 => {
                    self.tx_rest.d.next = self.late_data.q.val();
                }
                128 => {
                    self.lookup_key.write.next = true;
                }
                144 => {
                    self.lk_start.next = true;
                }
                160 => {
                    self.ct_start.next = true;
                }
                _ => {
                    self.mb_write.next = self.late_addr.q.val().get_bits::<10>(6) == 5;
                    self.th_write.next = self.late_addr.q.val().get_bits::<9>(7) == 5;
                }
            }
        }

        // Scheduler, time and sleep.
        self.scheduler.mode.next = self.sched_mode.val();
        self.scheduler.host_rx_waits.next = self.hq_pending.val();
        self.scheduler.host_rx_stamp.next = self.hq_stamp.val();
        self.scheduler.host_tx_waits.next = self.htx_pending.val();
        self.scheduler.host_tx_stamp.next = self.htx_stamp.val();
        self.scheduler.nic_rx_waits.next = self.nq_valid.val();
        self.scheduler.nic_rx_stamp.next = self.nq_stamp.val();
        self.scheduler.command_waits.next = self.commands.count.val().any();
        self.scheduler.command_stamp.next = self.commands.stamp.val();
        self.scheduler.core_host_rx_go.next = self.taken_late.q.val().get_bit(0);
        self.scheduler.core_host_tx_go.next = self.taken_late.q.val().get_bit(1);
        self.scheduler.consumed.next = self.taken.val().any() || self.taken_late.q.val().any();
        self.scheduler.command_taken.next = self.taken.val().get_bit(5);
        self.hq_go.next = self.scheduler.host_rx_go.val();
        self.htx_go.next = self.scheduler.host_tx_go.val();
        self.micros.ticks_per_us.next = self.ticks_per_us.val();
        self.time_us.next = self.micros.micros.val();
        self.since_wake.next = self.micros.micros.val() - self.wake_at.q.val();
        self.wake.next = self.awake.q.val() && !self.wake_at_written.val();

        // Queues.
        self.nq_index.next = self.addr.val().get_bits::<4>(2);
        self.nq_next.next = self.taken_late.q.val().get_bit(2);
        self.commands.now.next = self.now.val();
        self.commands.word.next = self.cmd_word.val();
        self.commands.valid.next = self.cmd_valid.val();
        self.cmd_ready.next = self.commands.ready.val();
        // The window begins at 0x300, which is word 64 of 128.
        self.commands.window_index.next = self.addr.val().get_bits::<7>(2) ^ 64;
        self.commands.pop.next = self.taken.val().get_bit(5);
        self.commands.pop_slots.next = self.wdata.val().get_bits::<7>(0);
        self.cmd_qlen.next = bit_cast::<16, 7>(self.commands.count.val());

        self.push_op.next = self.late_data.q.val().get_bits::<3>(0);
        self.push_addr.next = self.job_to.q.val();
        if self.take_pop.val() {
            self.push_op.next = 2.into();
        }
        if self.take_copy.val() {
            self.push_op.next = 1.into();
            self.push_addr.next = self.late_data.q.val();
        }
        self.job_wide.next = (bit_cast::<68, 1>(self.take_copy.val().into()) << 67)
            | (bit_cast::<68, 32>(self.push_addr.val()) << 35)
            | (bit_cast::<68, 32>(self.job_src_len.q.val()) << 3)
            | bit_cast::<68, 3>(self.push_op.val());
        self.job_push.next = self.job_go.val() || self.take_pop.val() || self.take_copy.val();
        self.jobs.push.next = self.job_push.val();
        self.jobs.data.next = self.job_wide.val();
        // A copy that frees its packet stays at the head for its POP.
        self.more.next = self.jobs.head.val().get_bit(67) && !self.popping.q.val();
        if self.job_pop.val() {
            self.popping.d.next = self.more.val();
        }
        self.jobs.pop.next = self.job_pop.val() && !self.more.val();
        self.job_valid.next = self.jobs.valid.val();
        self.job_op.next = self.jobs.head.val().get_bits::<3>(0);
        if self.popping.q.val() {
            self.job_op.next = 2.into();
        }
        self.job_src.next = bit_cast::<16, 14>(self.jobs.head.val().get_bits::<14>(3));
        self.job_len.next = self.jobs.head.val().get_bits::<16>(19);
        self.job_addr.next = self.jobs.head.val().get_bits::<32>(35);
        self.events.data.next = self.late_data.q.val();
        self.events.pop.next = self.evt_pop.val();
        self.evt_valid.next = self.events.count.val() >= 8;
        self.evt_word.next = self.events.head.val();

        self.tp_header_len.next = self.late_data.q.val().get_bits::<8>(0);
        self.tp_conn.next = self.late_data.q.val().get_bits::<16>(16);
        self.tp_addr.next = self.tx_addr.q.val();
        self.tp_len.next = self.tx_len.q.val();
        self.tp_cut.next = self.tx_cut.q.val();
        self.tp_rest.next = self.tx_rest.q.val();
        self.tp_mss.next = self.tx_mss.q.val();
        if self.tp_lost.val() {
            self.lost_count.d.next = self.lost_count.q.val() + 1;
            self.lost_conn.d.next = self.tp_lost_conn.val();
        }
        self.th_index.next = self.late_addr.q.val().get_bits::<5>(2);
        self.th_data.next = self.late_data.q.val();

        self.lookup_key.word.next = self.late_data.q.val();
        self.lk_key.next = self.lookup_key.key.val();
        self.lk_value.next = self.value.q.val();
        self.lk_op.next = self.op.q.val();
        self.ct_conn.next = self.late_data.q.val().get_bits::<16>(0);
        self.ct_clear.next = self.late_data.q.val().get_bit(31);
        self.mb_read_index.next = self.addr.val().get_bits::<4>(2);
        self.mb_write_index.next = self.late_addr.q.val().get_bits::<4>(2);
        self.mb_data.next = self.late_data.q.val();

        // Reads.
        self.job_room.next = self.jobs.count.val() < 8 || (self.jobs.count.val() == 8 && !self.job_push.val());
        self.event_room.next = self.events.count.val() < 56
            || (self.events.count.val() == 56 && !self.events.push.val());
        self.burst_room.next = self.tp_ready.val() && !self.tp_go.val();
        self.quiet.next = self.mover_quiet.val() && self.tx_quiet.val() && !self.jobs.valid.val()
            && !self.events.valid.val() && !self.late.q.val();
        self.status.next = bit_cast::<4, 1>(self.job_room.val().into())
            | (bit_cast::<4, 1>(self.event_room.val().into()) << 1)
            | (bit_cast::<4, 1>(self.burst_room.val().into()) << 2)
            | (bit_cast::<4, 1>(self.quiet.val().into()) << 3);
        self.wanted.next = self.status.val() & self.wake_on.q.val();
        // Segments and commands, 3 and 4, are shown when there is room for what they need.
        self.item.next = self.scheduler.item.val();
        if !self.job_room.val() && (self.scheduler.item.val() >= 3) {
            self.item.next = 0.into();
        }
        // A new WAKE_AT counts from the next cycle on; a WFI right behind the write must not see the old one.
        self.awake.d.next = false;
        if !self.wake_at_written.val() {
            self.awake.d.next = self.item.val().any() || !self.since_wake.val().get_bit(31)
                || self.wanted.val().any();
        }
        self.above.next = self.nq_qlen.val() > self.marks.q.val().get_bits::<16>(0);
        self.below.next = self.nq_qlen.val() < self.marks.q.val().get_bits::<16>(16);
        self.qlen_word.next = bit_cast::<32, 16>(self.nq_qlen.val())
            | (bit_cast::<32, 1>(self.above.val().into()) << 16)
            | (bit_cast::<32, 1>(self.below.val().into()) << 17);
        // An operation is under way from the cycle of the write that starts it.
        self.busy.next = self.lk_start.val() || self.lk_busy.val();
        self.result.next = bit_cast::<32, 16>(self.lk_found.val())
            | (bit_cast::<32, 2>(self.lk_outcome.val()) << 16)
            | (bit_cast::<32, 1>(self.busy.val().into()) << 31);
        self.register.d.next = 0.into();
        match self.addr.val().index() {
            0 => {
                self.register.d.next = bit_cast::<32, 3>(self.item.val());
            }
            4 => {
                self.register.d.next = bit_cast::<32, 4>(self.status.val());
            }
            8 => {
                self.register.d.next = self.micros.micros.val();
            }
            12 => {
                self.register.d.next = self.now.val();
            }
            16 => {
                self.register.d.next = self.wake_at.q.val();
            }
            36 => {
                self.register.d.next = bit_cast::<32, 7>(self.commands.count.val());
            }
            40 => {
                self.register.d.next = self.qlen_word.val();
            }
            44 => {
                self.register.d.next = self.marks.q.val();
            }
            48 => {
                self.register.d.next = bit_cast::<32, 4>(self.wake_on.q.val());
            }
            112 => {
                self.register.d.next = bit_cast::<32, 16>(self.lost_count.q.val())
                    | (bit_cast::<32, 16>(self.lost_conn.q.val()) << 16);
            }
            140 => {
                self.register.d.next = bit_cast::<32, 16>(self.value.q.val());
            }
            148 => {
                self.register.d.next = self.result.val();
            }
            164 => {
                self.register.d.next =
                    bit_cast::<32, 1>((self.ct_start.val() || self.ct_busy.val()).into());
            }
            168 => {
                self.register.d.next = self.ct_rx_packets.val();
            }
            172 => {
                self.register.d.next = self.ct_rx_bytes.val();
            }
            176 => {
                self.register.d.next = self.ct_tx_packets.val();
            }
            180 => {
                self.register.d.next = self.ct_tx_bytes.val();
            }
            _ => {
                if self.addr.val().get_bits::<10>(6) == 4 {
                    self.register.d.next = self.mb_cfg.val();
                }
            }
        }
        self.from_nic_rx.d.next = self.addr.val().get_bits::<10>(6) == 8;
        self.from_commands.d.next =
            (self.addr.val().get_bits::<8>(8) == 3) || (self.addr.val().get_bits::<11>(5) == 32);
        self.rdata.next = self.register.q.val();
        if self.from_nic_rx.q.val() {
            self.rdata.next = self.nq_word.val();
        }
        if self.from_commands.q.val() {
            self.rdata.next = self.commands.window_word.val();
        }
    }
}
