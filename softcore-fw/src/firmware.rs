//! The event loop.
//!
//! One turn takes the scheduler's next item, lets timers expire, sends a few segments and delivers events; each
//! part does a bounded amount of work and none waits. Host packets, where the core moves them, go first
//! and are moved again before every burst of segments. An item that could need more room than the
//! hardware's queues have stays where it is until the next turn. With nothing left to do, the core sleeps
//! until there is work or the next timer.

use baton_abi::{
    at_most,
    mmio::{
        work as item, HOST_RX_GO, HOST_TX_GO, NIC_RX_MARKS, SCHED_NEXT, STATUS, STATUS_TX_ROOM, TIME_US,
        WAKE_AT, WAKE_ON,
    },
    msg::reset,
    regs::mailbox,
    work,
};
use baton_tcp::{Config, Instant, TimerOutcome};

use crate::{
    connection::Fate,
    hardware::{Hardware, HardwareExt},
    load::LoadControl,
    load_events::LoadEvents,
    mover::Mover,
    program::Program,
    shed::Shed,
    table::{Queue, Slot, Table},
    wheel::{SlotIndex, Step, TimerWheel},
};

/// Items taken in a row before the rest of a turn.
const ITEMS_PER_TURN: u32 = 16;
/// Commands that may go before a segment which came earlier.
const COMMANDS_IN_A_ROW: u32 = 16;
/// Reads of the scheduler after a host packet before it is taken for empty.
const SCHEDULER_POLLS: u32 = 3;
/// Steps of the timer wheel in a turn.
const TIMER_STEPS_PER_TURN: u32 = 8;
/// Sleep while something waits that raises no wake-up of its own.
const POLL_US: u32 = 1;

/// Counters that the mailbox shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub received: u32,
    pub sent: u32,
    pub retransmitted: u32,
    pub bad_commands: u32,
    pub stale: u32,
}

/// The firmware's whole state but for the connections, whose memory it is given.
#[derive(Debug)]
pub struct Firmware<'a, H: Hardware> {
    pub(crate) hw: H,
    pub(crate) table: Table<'a, H::Program>,
    pub(crate) wheel: TimerWheel,
    pub(crate) mover: Mover,
    pub(crate) load: LoadControl,
    /// Entries in the lookup table (`Cnum`).
    pub(crate) cnum: u32,
    pub(crate) totals: Totals,
    /// `totals.received` and `totals.sent` as the mailbox has them.
    published: [u32; 2],
    /// Turns for which events have waited for company.
    pub(crate) report_age: u8,
    pub(crate) shed: Shed,
    pub(crate) load_events: LoadEvents,
    /// Connections waited to send when the turn before ended, and could.
    pub(crate) behind: bool,
    /// Commands taken since the last segment; as many as may go before one where the next command could not be taken.
    commands_passed: u32,
    /// Since when the command at the head has been incomplete, in core cycles.
    pub(crate) incomplete_since: Option<u32>,
    pub(crate) identification: u16,
}

/// Timing of the connections that the slots are for: the engine's own where the host has not said otherwise.
pub fn timing<H: Hardware>(hw: &H) -> Config {
    let mut config = Config::default();
    for (word, value) in [
        (mailbox::CFG_MIN_RTO_US, &mut config.min_rto_us),
        (mailbox::CFG_DELAYED_ACK_US, &mut config.delayed_ack_us),
        (mailbox::CFG_MAX_RTO_US, &mut config.max_rto_us),
        (mailbox::CFG_KEEPALIVE_US, &mut config.keepalive_us),
        (mailbox::CFG_FIN_WAIT_2_US, &mut config.fin_wait_2_us),
        (mailbox::CFG_CHALLENGE_US, &mut config.challenge_us),
        (mailbox::CFG_TIME_WAIT_US, &mut config.time_wait_us),
    ] {
        if let us @ 1.. = hw.config(word) {
            *value = us;
        }
    }
    if let count @ 1.. = hw.config(mailbox::CFG_MAX_RETRANSMITS) {
        config.max_retransmits = count.min(u32::from(u8::MAX)) as u8;
    }
    config
}

impl<'a, H: Hardware> Firmware<'a, H> {
    /// Reads the configuration and reports that the firmware runs. `slots` must be empty.
    pub fn new(mut hw: H, slots: &'a mut [Slot<H::Program>]) -> Self {
        let table = Table::new(slots);
        let capacity = table.capacity() as u32;
        let hard_limit = match hw.config(mailbox::CFG_HARD_LIMIT) {
            0 => capacity,
            limit => limit.min(capacity),
        };
        let load = LoadControl::new(
            hw.config(mailbox::CFG_LOAD_CONTROL) != 0,
            hard_limit,
            hw.config(mailbox::CFG_HIWAT),
            hw.config(mailbox::CFG_LOWAT),
        );
        let shed = Shed::new(load.hiwat(), load.lowat(), hw.config(mailbox::CFG_SHED_AFTER_US));
        hw.write(NIC_RX_MARKS, (load.hiwat() & 0xFFFF) | load.lowat() << 16);
        let wheel = TimerWheel::new(hw.read(TIME_US));
        let mut firmware = Firmware {
            hw,
            table,
            wheel,
            mover: Mover::default(),
            load,
            cnum: 0,
            totals: Totals::default(),
            published: [0; 2],
            report_age: 0,
            shed,
            load_events: LoadEvents::default(),
            behind: false,
            commands_passed: 0,
            incomplete_since: None,
            identification: 0,
        };
        firmware.hw.publish(mailbox::STS_TABLE_SIZE, capacity);
        firmware.hw.publish(mailbox::STS_KEY_LAYOUT, H::Program::KEY_LAYOUT);
        firmware.publish_load();
        firmware.publish_load_constants();
        firmware.hw.publish(mailbox::STS_FIRMWARE, 1);
        firmware
    }

    /// Runs for ever.
    pub fn run(&mut self) -> ! {
        loop {
            if !self.turn() {
                self.rest();
            }
        }
    }

    /// One turn of the loop. False: there is nothing to do, or no room to do it.
    #[inline]
    pub fn turn(&mut self) -> bool {
        self.behind = self.may_transmit();
        let mut busy = self.take_work();
        if self.wheel.may_have_work(self.hw.read(TIME_US)) {
            busy |= self.run_timers();
        }
        if self.may_transmit() {
            busy |= self.transmit();
        }
        if self.has_reports() {
            busy |= self.report();
        }
        busy
    }

    /// Sleeps until there may be something to do.
    #[inline]
    pub fn rest(&mut self) {
        let wake_on = match self.table.first(Queue::Transmit) {
            Some(_) => STATUS_TX_ROOM,
            None => 0,
        };
        let wake_at = if self.must_poll() {
            self.hw.read(TIME_US).wrapping_add(POLL_US)
        } else {
            self.wheel.quiet_until()
        };
        self.publish_totals();
        self.hw.write(WAKE_ON, wake_on);
        self.hw.write(WAKE_AT, wake_at);
        self.hw.sleep();
    }

    /// Shows the host how many segments came and went: before the core sleeps, and when timers run.
    #[inline]
    fn publish_totals(&mut self) {
        if [self.totals.received, self.totals.sent] != self.published {
            self.published = [self.totals.received, self.totals.sent];
            self.hw.publish(mailbox::STS_RX_SEGMENTS, self.totals.received);
            self.hw.publish(mailbox::STS_TX_SEGMENTS, self.totals.sent);
        }
    }

    /// Whether something waits that raises no wake-up of its own.
    #[inline]
    fn must_poll(&self) -> bool {
        self.incomplete_since.is_some() || self.has_reports()
    }

    /// Whether [`Firmware::report`] may have something to do.
    #[inline]
    fn has_reports(&self) -> bool {
        !self.load_events.is_empty()
            || self.table.first(Queue::Report).is_some()
            || self.table.first(Queue::Restore).is_some()
            || self.mover.has_events()
    }

    /// Whether a connection may have something to send, and there is room.
    #[inline]
    fn may_transmit(&self) -> bool {
        self.table.first(Queue::Transmit).is_some() && self.hw.read(STATUS) & STATUS_TX_ROOM != 0
    }

    /// Takes items from the scheduler. True: enough for a turn were taken, and there may be more. False: the last look found
    /// none, or there was no room for what it needs.
    ///
    /// Of segments and commands it takes one alone where the core is behind with sending, fewer than the bursts that a turn sends. So
    /// an overload shows where load control looks for it, in the receive queue, and not in what waits to be sent.
    #[inline]
    fn take_work(&mut self) -> bool {
        for _ in 0..ITEMS_PER_TURN {
            self.hw.mark::<{ work::LOOK }>();
            let done = match self.hw.read(SCHED_NEXT) {
                item::NIC_RX if !self.command_goes_first() => {
                    self.receive();
                    if self.behind {
                        return true;
                    }
                    true
                }
                item::HOST_RX => self.move_host_packet(HOST_RX_GO),
                item::HOST_TX => self.move_host_packet(HOST_TX_GO),
                item::NIC_RX | item::COMMAND => {
                    let done = self.command();
                    // One that cannot be taken yet lets the segments go first.
                    self.commands_passed = if done {
                        COMMANDS_IN_A_ROW.min(self.commands_passed + 1)
                    } else {
                        COMMANDS_IN_A_ROW
                    };
                    if self.behind {
                        return done;
                    }
                    done
                }
                _ => false,
            };
            if !done {
                return false;
            }
        }
        true
    }

    /// Whether a command goes before the segment that the scheduler shows, which came earlier: only under load control. Of an overloaded NIC
    /// one of the two has to wait; it is to be what load control counts. Segments wait for a bounded number of commands.
    #[inline]
    fn command_goes_first(&mut self) -> bool {
        if !self.load.is_enabled() {
            return false;
        }
        let first = self.commands_passed < COMMANDS_IN_A_ROW && self.hw.command_slots() > 0;
        if !first {
            self.commands_passed = 0;
        }
        first
    }

    #[inline]
    fn move_host_packet(&mut self, go: u32) -> bool {
        self.hw.mark::<{ work::HOST_PACKET }>();
        self.hw.write(go, 1);
        // The scheduler is silent for a few cycles after an item was taken.
        let turns = at_most!(SCHEDULER_POLLS);
        for _ in 0..SCHEDULER_POLLS {
            turns.take();
            if self.hw.read(SCHED_NEXT) != item::NONE {
                break;
            }
        }
        true
    }

    #[inline(never)]
    fn run_timers(&mut self) -> bool {
        self.hw.mark::<{ work::TIMER }>();
        let now = Instant(self.hw.read(TIME_US));
        self.publish_totals();
        let turns = at_most!(TIMER_STEPS_PER_TURN);
        for _ in 0..TIMER_STEPS_PER_TURN {
            turns.take();
            match self.wheel.poll(&mut self.table, now.0) {
                Step::Expired(slot) => self.timer_expired(slot, now),
                Step::Moved => {}
                Step::Idle => return false,
            }
        }
        true
    }

    fn timer_expired(&mut self, slot: SlotIndex, now: Instant) {
        let Some(connection) = self.table.get(slot) else { return };
        match connection.tcb.poll_at() {
            Some(deadline) if now.reached(deadline) => match connection.tcb.on_timer(now) {
                TimerOutcome::TimedOut => self.end(slot, Fate::Reset(reset::TIMEOUT)),
                TimerOutcome::Closed => self.end(slot, Fate::Closed),
                TimerOutcome::None | TimerOutcome::Transmit => {
                    self.wants_to_send(slot);
                    self.arm(slot);
                }
            },
            // The deadline has moved since the timer was started, which is left alone until it expires.
            _ => self.arm(slot),
        }
    }

    /// Sees that the slot's timer expires no later than its connection needs.
    #[inline]
    pub(crate) fn arm(&mut self, slot: SlotIndex) {
        if let Some(deadline) = self.table.get(slot).and_then(|connection| connection.tcb.poll_at()) {
            self.arm_for(slot, deadline);
        }
    }

    /// Sees that the slot's timer expires no later than `deadline`.
    #[inline]
    pub(crate) fn arm_for(&mut self, slot: SlotIndex, deadline: Instant) {
        if !self.wheel.runs_until(self.table.timer_link(slot), deadline.0) {
            self.start_timer(slot, deadline);
        }
    }

    /// It calls nothing where no timer runs, which is the common case, so that it saves no register there.
    #[inline(never)]
    fn start_timer(&mut self, slot: SlotIndex, deadline: Instant) {
        if self.table.timer_link(slot).is_running() {
            return self.restart_timer(slot, deadline);
        }
        self.wheel.start_idle(&mut self.table, slot, deadline.0);
    }

    #[inline(never)]
    fn restart_timer(&mut self, slot: SlotIndex, deadline: Instant) {
        self.wheel.start(&mut self.table, slot, deadline.0);
    }

    /// The connection may have a segment to send.
    #[inline]
    pub(crate) fn wants_to_send(&mut self, slot: SlotIndex) {
        self.table.enqueue(Queue::Transmit, slot);
    }

    /// Starts a connection's way out: from here on, its packets are the host's.
    #[inline(never)]
    pub(crate) fn end(&mut self, slot: SlotIndex, fate: Fate) {
        let Some(connection) = self.table.get(slot) else { return };
        debug_assert!(connection.is_open());
        connection.stage.set_fate(fate);
        let key = connection.lookup_key();
        self.table.close(slot);
        self.hw.lookup_delete(key.as_ref());
        self.wheel.stop(&mut self.table, slot);
        self.cnum -= 1;
        if !matches!(fate, Fate::Restoring { .. }) {
            // A last RST or ACK may have to go out; the report follows it.
            self.wants_to_send(slot);
        }
        self.run_load_control();
        self.publish_load();
    }
}
