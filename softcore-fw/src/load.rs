//! Load control: Kim & Rixner, Section 3.2 and Figure 3.
//!
//! The length of the NIC receive queue (`Qlen`) tells how loaded the NIC is. The state machine keeps it
//! between `Lowat` and `Hiwat` by moving `Soft_Limit`, the number of connections that the NIC accepts. It
//! runs when a packet arrives, a connection is handed off or one ends, one transition at a time.
//!
//! ```text
//!              Qlen > Hiwat: reduce Soft_Limit, tell the driver
//!           ┌─────────────────────────────┐   ┌──────────────────────────────┐
//!           │                             ▼   ▼                              │
//!        MONITOR ◄──────────────────── DECREASE                              │
//!          ▲  │      Cnum < Soft_Limit                                       │
//!          │  │  Qlen < Lowat: increase Soft_Limit, tell the driver          │
//!          │  └────────────────────────────────────────────► INCREASE ───────┘
//!          └──────────────────────────────────────────────────┘ Qlen > Hiwat
//!                 Cnum = Soft_Limit
//! ```
//!
//! The paper does not say by how much the limit moves. Here it moves by a sixteenth, and by at least one
//! connection. A reduction starts from the connections that are really there: lowering a limit that
//! nobody has reached would change nothing, and only delay the relief.

/// States of Figure 3; the numbers are those of the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum LoadState {
    /// Watches `Qlen`.
    Monitor = 0,
    /// Waits until connections have ended and `Cnum` is below `Soft_Limit`.
    Decrease = 1,
    /// Waits until new connections have raised `Cnum` to `Soft_Limit`.
    Increase = 2,
}

/// What an event found in the NIC: `Qlen` and `Cnum`.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Segments in the NIC receive queue.
    pub qlen: u32,
    /// Connections on the NIC.
    pub cnum: u32,
}

/// The parameters of the paper and the state machine over them.
#[derive(Clone, Debug)]
pub struct LoadControl {
    enabled: bool,
    hard_limit: u32,
    soft_limit: u32,
    hiwat: u32,
    lowat: u32,
    state: LoadState,
}

/// Divisor of the limit's steps.
const STEP_DIVISOR: u32 = 16;

impl LoadControl {
    /// `hard_limit`: connections, at least 1. `hiwat` and `lowat`: segments; they count only where `enabled`.
    pub fn new(enabled: bool, hard_limit: u32, hiwat: u32, lowat: u32) -> Self {
        let hard_limit = hard_limit.max(1);
        LoadControl {
            enabled,
            hard_limit,
            soft_limit: hard_limit,
            hiwat,
            lowat: lowat.min(hiwat),
            state: LoadState::Monitor,
        }
    }

    #[inline]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub fn state(&self) -> LoadState {
        self.state
    }

    /// Connections that the NIC accepts now; at most `Hard_Limit`, at least 1.
    pub fn soft_limit(&self) -> u32 {
        self.soft_limit
    }

    pub fn hard_limit(&self) -> u32 {
        self.hard_limit
    }

    pub fn hiwat(&self) -> u32 {
        self.hiwat
    }

    pub fn lowat(&self) -> u32 {
        self.lowat
    }

    /// Whether one more connection may be handed off.
    pub fn admits(&self, cnum: u32) -> bool {
        cnum < self.soft_limit
    }

    /// Runs the state machine. True: `Soft_Limit` changed and the driver must hear of it. It changes with a transition only, and
    /// the firmware tells the driver of every transition.
    #[inline]
    pub fn run(&mut self, load: Load) -> bool {
        if !self.enabled {
            return false;
        }
        match self.state {
            LoadState::Monitor if load.qlen > self.hiwat => self.reduce(load.cnum),
            LoadState::Monitor if load.qlen < self.lowat => self.increase(),
            LoadState::Increase if load.qlen > self.hiwat => self.reduce(load.cnum),
            LoadState::Increase if load.cnum >= self.soft_limit => {
                self.state = LoadState::Monitor;
                false
            }
            LoadState::Decrease if load.cnum < self.soft_limit => {
                self.state = LoadState::Monitor;
                false
            }
            _ => false,
        }
    }

    /// The limit never falls below one connection: at zero, `Cnum` could never drop below it and DECREASE
    /// would have no way out.
    fn reduce(&mut self, cnum: u32) -> bool {
        let from = self.soft_limit.min(cnum).max(1);
        let limit = from.saturating_sub(step(from)).max(1);
        if limit == self.soft_limit {
            return false;
        }
        self.soft_limit = limit;
        self.state = LoadState::Decrease;
        debug_assert!(self.soft_limit <= self.hard_limit);
        true
    }

    fn increase(&mut self) -> bool {
        if self.soft_limit == self.hard_limit {
            return false;
        }
        self.soft_limit = (self.soft_limit + step(self.soft_limit)).min(self.hard_limit);
        self.state = LoadState::Increase;
        true
    }
}

fn step(limit: u32) -> u32 {
    (limit / STEP_DIVISOR).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control() -> LoadControl {
        LoadControl::new(true, 64, 10, 2)
    }

    fn run(control: &mut LoadControl, qlen: u32, cnum: u32) -> (bool, LoadState, u32) {
        let told = control.run(Load { qlen, cnum });
        (told, control.state(), control.soft_limit())
    }

    #[test]
    fn starts_in_monitor_at_the_hard_limit() {
        let c = control();
        assert_eq!((c.state(), c.soft_limit()), (LoadState::Monitor, 64));
        assert!(c.admits(63) && !c.admits(64));
    }

    #[test]
    fn monitor_stays_between_the_marks() {
        let mut c = control();
        for qlen in 2..=10 {
            assert_eq!(run(&mut c, qlen, 50), (false, LoadState::Monitor, 64));
        }
        // Below Lowat there is nothing to raise while Soft_Limit is Hard_Limit.
        assert_eq!(run(&mut c, 0, 50), (false, LoadState::Monitor, 64));
    }

    #[test]
    fn overload_reduces_and_waits_for_terminations() {
        let mut c = control();
        assert_eq!(run(&mut c, 11, 64), (true, LoadState::Decrease, 60));
        // In DECREASE the queue is not looked at.
        assert_eq!(run(&mut c, 60, 61), (false, LoadState::Decrease, 60));
        assert_eq!(run(&mut c, 60, 60), (false, LoadState::Decrease, 60));
        assert_eq!(run(&mut c, 60, 59), (false, LoadState::Monitor, 60));
        // Assessed anew: still overloaded.
        assert_eq!(run(&mut c, 11, 59), (true, LoadState::Decrease, 56));
    }

    #[test]
    fn underload_increases_and_waits_for_handoffs() {
        let mut c = control();
        run(&mut c, 11, 64);
        run(&mut c, 5, 59);
        assert_eq!(run(&mut c, 1, 59), (true, LoadState::Increase, 63));
        assert_eq!(run(&mut c, 0, 62), (false, LoadState::Increase, 63));
        assert_eq!(run(&mut c, 0, 63), (false, LoadState::Monitor, 63));
        assert_eq!(run(&mut c, 1, 63), (true, LoadState::Increase, 64));
        // Overload in INCREASE goes straight to DECREASE.
        assert_eq!(run(&mut c, 11, 63), (true, LoadState::Decrease, 60));
    }

    #[test]
    fn limit_stays_within_one_and_hard_limit() {
        let mut c = LoadControl::new(true, 3, 4, 1);
        for cnum in [3, 2, 1, 1, 1, 0] {
            run(&mut c, 100, cnum);
            run(&mut c, 100, 0);
        }
        assert_eq!(c.soft_limit(), 1);
        for _ in 0..20 {
            let cnum = c.soft_limit();
            run(&mut c, 0, cnum);
        }
        assert_eq!(c.soft_limit(), 3);
    }

    #[test]
    fn off_means_only_the_hard_limit() {
        let mut c = LoadControl::new(false, 8, 1, 0);
        assert_eq!(run(&mut c, 1000, 8), (false, LoadState::Monitor, 8));
        assert!(!c.admits(8));
    }

    /// Every event in every reachable state keeps the invariants of Section 3.2.
    #[test]
    fn invariants_hold_in_all_states() {
        for hard in 1..=20 {
            let mut c = LoadControl::new(true, hard, 6, 3);
            let mut cnum = 0u32;
            for event in 0..4000u32 {
                let roll = event.wrapping_mul(0x9E37_79B1) >> 20;
                match roll % 3 {
                    0 if c.admits(cnum) => cnum += 1,
                    1 => cnum = cnum.saturating_sub(1),
                    _ => {}
                }
                let before = (c.state(), c.soft_limit());
                let told = c.run(Load { qlen: roll / 3 % 10, cnum });
                assert_eq!(told, before.1 != c.soft_limit());
                assert!((1..=hard).contains(&c.soft_limit()));
                match (before.0, c.state()) {
                    (LoadState::Decrease, LoadState::Increase) => panic!("no such edge"),
                    (a, LoadState::Monitor) if a != LoadState::Monitor => assert!(!told),
                    _ => {}
                }
            }
        }
    }
}
