//! A hierarchical timer wheel: one deadline for each slot of the connection table, all operations O(1).
//!
//! Two levels of 256 slots; a slot of level 0 is a tick of 1024 microseconds, and one of level 1 is as long as all of level 0. An entry
//! lies in level 0 if its deadline is less than a circle away, and else in level 1, in the deadline's slot or, if that is more than a
//! circle away (67 s), in the farthest. When the wheel reaches its slot it is placed anew. So a deadline that is less than
//! 262 ms away, as that of a delayed acknowledgement is and mostly that of a retransmission, never moves, and one of an hour moves every 67 s. [`TimerWheel::poll`] does one such step a call, so
//! that a crowd of timers in one slot never holds up the event loop.
//!
//! Deadlines are rounded up to a tick: a timer may fire up to 1024 microseconds late, never early. Links
//! live in the table's slots, so the wheel works over any table size and holds no memory of its own but the
//! heads.

use baton_abi::at_most;

use crate::table::SLOTS_MAX;

/// Index of a connection slot, or [`NONE`].
pub type SlotIndex = u16;
/// No slot.
pub const NONE: SlotIndex = u16::MAX;

/// Times of the wheel are in microseconds, and multiples of this.
const TICK_US: u32 = 1 << SLOT_SHIFT[0];
const LEVELS: usize = 2;
const LEVEL_SLOTS: usize = 256;
/// The bits of a time above these count the slots of a level.
const SLOT_SHIFT: [u32; LEVELS] = [10, 18];
/// Words of a level in [`TimerWheel::occupied`].
const LEVEL_WORDS: usize = LEVEL_SLOTS / 32;
/// Longest time for which the wheel stands still when no timer runs: less than half the circle.
const QUIET_MAX_US: u32 = 1 << 30;
/// The list of entries taken out of a slot that the wheel has reached.
const REACHED: u16 = (LEVELS * LEVEL_SLOTS) as u16;
/// [`TimerLink::place`] of the first entry of a list, with the list's number added; below it are slots.
const HEAD: u16 = SLOTS_MAX as u16;
/// [`TimerLink::place`] of a timer that is not running.
const IDLE: u16 = u16::MAX;

/// The wheel's part of a connection slot.
#[derive(Clone, Copy, Debug)]
pub struct TimerLink {
    next: SlotIndex,
    /// The entry before this one, or [`HEAD`], or [`IDLE`].
    place: u16,
    deadline: u32,
}

impl TimerLink {
    pub const IDLE: TimerLink = TimerLink { next: NONE, place: IDLE, deadline: 0 };

    pub fn is_running(&self) -> bool {
        self.place != IDLE
    }
}

/// Where the wheel finds its links.
pub trait TimerLinks {
    fn timer(&mut self, slot: SlotIndex) -> &mut TimerLink;
}

/// What a step of the wheel found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This slot's timer has expired; it runs no more.
    Expired(SlotIndex),
    /// Something was rearranged; there may be more to do at this time.
    Moved,
    /// Nothing is due.
    Idle,
}

#[derive(Debug)]
pub struct TimerWheel {
    /// Time that the wheel has reached.
    now: u32,
    heads: [SlotIndex; LEVELS * LEVEL_SLOTS + 1],
    /// A bit for each slot that is not empty.
    occupied: [u32; LEVELS * LEVEL_WORDS],
    /// A bit for each of a level's words that is not zero.
    summary: [u8; LEVELS],
    /// Nothing is due before this time. It may be too early, which costs one search, but not too late.
    quiet_until: u32,
}

impl TimerWheel {
    pub fn new(now_us: u32) -> Self {
        TimerWheel {
            now: tick_before(now_us),
            heads: [NONE; LEVELS * LEVEL_SLOTS + 1],
            occupied: [0; LEVELS * LEVEL_WORDS],
            summary: [0; LEVELS],
            quiet_until: tick_before(now_us),
        }
    }

    /// Starts or restarts a slot's timer. A deadline in the past expires at once.
    #[inline]
    pub fn start(&mut self, links: &mut impl TimerLinks, slot: SlotIndex, deadline_us: u32) {
        if links.timer(slot).is_running() {
            self.stop(links, slot);
        }
        self.start_idle(links, slot, deadline_us);
    }

    /// As [`TimerWheel::start`], for a timer that does not run.
    #[inline(always)]
    pub fn start_idle(&mut self, links: &mut impl TimerLinks, slot: SlotIndex, deadline_us: u32) {
        debug_assert!(!links.timer(slot).is_running());
        let deadline = tick_before(deadline_us.wrapping_add(TICK_US - 1));
        links.timer(slot).deadline = deadline;
        self.place(links, slot, deadline);
    }

    /// Whether the slot's timer runs and expires no later than this.
    #[inline]
    pub fn runs_until(&self, link: &TimerLink, deadline_us: u32) -> bool {
        link.is_running() && !later(link.deadline, deadline_us.wrapping_add(TICK_US - 1))
    }

    /// Stops a slot's timer, if it runs.
    pub fn stop(&mut self, links: &mut impl TimerLinks, slot: SlotIndex) {
        let TimerLink { next, place, .. } = *links.timer(slot);
        if place == IDLE {
            return;
        }
        if let Some(list) = place.checked_sub(HEAD) {
            self.heads[list as usize] = next;
            if next == NONE && list != REACHED {
                self.empty(list);
            }
        } else {
            links.timer(place).next = next;
        }
        if next != NONE {
            links.timer(next).place = place;
        }
        links.timer(slot).place = IDLE;
    }

    /// Does one step towards `now_us`. Call until it says [`Step::Idle`], or again in the next turn.
    pub fn poll(&mut self, links: &mut impl TimerLinks, now_us: u32) -> Step {
        let slot = self.heads[REACHED as usize];
        if slot != NONE {
            let TimerLink { next, deadline, .. } = *links.timer(slot);
            links.timer(slot).place = IDLE;
            self.heads[REACHED as usize] = next;
            if next != NONE {
                links.timer(next).place = HEAD + REACHED;
            }
            if later(deadline, self.now) {
                self.place(links, slot, deadline);
                return Step::Moved;
            }
            return Step::Expired(slot);
        }
        let now = tick_before(now_us);
        if later(self.quiet_until, now) {
            return Step::Idle;
        }
        match self.next_slot() {
            Some((list, time)) if !later(time, now) => {
                self.now = time;
                self.reach(links, list);
                return Step::Moved;
            }
            Some((_, time)) => self.quiet_until = time,
            None => self.quiet_until = now.wrapping_add(QUIET_MAX_US),
        }
        self.now = now;
        Step::Idle
    }

    /// Whether [`TimerWheel::poll`] may have something to do; false is certain.
    #[inline]
    pub fn may_have_work(&self, now_us: u32) -> bool {
        // What waits in the reached list was due when it came there, so it is counted in.
        now_us.wrapping_sub(self.quiet_until()) as i32 >= 0
    }

    /// Before this time [`TimerWheel::poll`] has nothing to do, in microseconds. It may be too early, which costs a
    /// look, but not too late.
    #[inline]
    pub fn quiet_until(&self) -> u32 {
        self.quiet_until
    }

    /// When [`TimerWheel::poll`] has something to do next: a deadline, or a slot to be rearranged before it.
    #[cfg(test)]
    pub fn next_deadline(&self) -> Option<u32> {
        if self.heads[REACHED as usize] != NONE {
            return Some(self.now);
        }
        self.next_slot().map(|(_, time)| time)
    }

    #[inline(always)]
    fn place(&mut self, links: &mut impl TimerLinks, slot: SlotIndex, deadline: u32) {
        let (mut list, mut from) = (REACHED, deadline);
        if later(deadline, self.now) {
            if deadline.wrapping_sub(self.now) < 1 << SLOT_SHIFT[1] {
                list = (deadline >> SLOT_SHIFT[0]) as u16 % LEVEL_SLOTS as u16;
            } else {
                let here = self.now >> SLOT_SHIFT[1];
                let ahead = (deadline >> SLOT_SHIFT[1]).wrapping_sub(here) % (1 << (32 - SLOT_SHIFT[1]));
                let number = here + ahead.min(LEVEL_SLOTS as u32 - 1);
                list = (LEVEL_SLOTS + number as usize % LEVEL_SLOTS) as u16;
                // The slot's first tick: the entry is placed anew then, before it is due.
                from = number << SLOT_SHIFT[1];
            }
        }
        let next = core::mem::replace(&mut self.heads[list as usize], slot);
        if next != NONE {
            links.timer(next).place = slot;
        } else {
            let index = usize::from(list / 32);
            if let (Some(word), Some(summary)) =
                (self.occupied.get_mut(index), self.summary.get_mut(index / LEVEL_WORDS))
            {
                *word |= 1 << (list % 32);
                *summary |= 1 << (index % LEVEL_WORDS);
            }
            if later(self.quiet_until, from) {
                self.quiet_until = from;
            }
        }
        let link = links.timer(slot);
        link.next = next;
        link.place = HEAD + list;
    }

    /// The slot that the wheel reaches first, and when. Of several that it reaches at once, the highest: it may hold entries of
    /// the same tick.
    fn next_slot(&self) -> Option<(u16, u32)> {
        let mut first: Option<(u16, u32)> = None;
        let turns = at_most!(LEVELS);
        for (level, shift) in SLOT_SHIFT.into_iter().enumerate() {
            turns.take();
            let here = self.now >> shift;
            let Some(slot) = self.first_from(level, here % LEVEL_SLOTS as u32) else { continue };
            let ahead = slot.wrapping_sub(here) % LEVEL_SLOTS as u32;
            let time = (here + ahead) << shift;
            if first.is_none_or(|(_, other)| !later(time, other)) {
                first = Some(((level * LEVEL_SLOTS) as u16 + slot as u16, time));
            }
        }
        first
    }

    /// The first slot of a level that is not empty, from this one on and round.
    fn first_from(&self, level: usize, here: u32) -> Option<u32> {
        let summary = u32::from(*self.summary.get(level)?);
        if summary == 0 {
            return None;
        }
        let words = self.occupied.get(level * LEVEL_WORDS..)?.first_chunk::<LEVEL_WORDS>()?;
        let (own, behind) = (here as usize / 32, !(u32::MAX << (here % 32)));
        let ahead = words[own] & !behind;
        if ahead != 0 {
            return Some(here / 32 * 32 + ahead.trailing_zeros());
        }
        // The words after this one, and round to its own bits before `here`.
        let round = (summary | summary << LEVEL_WORDS) >> (own + 1) & 0xFF;
        let index = (own + 1 + round.trailing_zeros() as usize) % LEVEL_WORDS;
        Some(index as u32 * 32 + words[index].trailing_zeros())
    }

    /// Nothing is left in the list of a level's slot.
    fn empty(&mut self, list: u16) {
        let index = usize::from(list / 32);
        self.occupied[index] &= !(1 << (list % 32));
        if self.occupied[index] == 0 {
            self.summary[index / LEVEL_WORDS] &= !(1 << (index % LEVEL_WORDS));
        }
    }

    /// Moves a slot's list to the reached list, which is empty. Its members learn their new list one by
    /// one, when they come to the list's head; only the head is looked at before that.
    fn reach(&mut self, links: &mut impl TimerLinks, list: u16) {
        let head = core::mem::replace(&mut self.heads[list as usize], NONE);
        self.empty(list);
        self.heads[REACHED as usize] = head;
        links.timer(head).place = HEAD + REACHED;
    }
}

/// The last tick until a time.
#[inline(always)]
fn tick_before(us: u32) -> u32 {
    us & !(TICK_US - 1)
}

/// Whether `a` is after `b`, on the circle of the clock.
#[inline(always)]
fn later(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) as i32 > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Links(Vec<TimerLink>);

    impl TimerLinks for Links {
        fn timer(&mut self, slot: SlotIndex) -> &mut TimerLink {
            &mut self.0[slot as usize]
        }
    }

    /// xorshift32: any sequence will do here, as long as it is the same every time.
    struct Random(u32);

    impl Random {
        fn below(&mut self, bound: u32) -> u32 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 17;
            self.0 ^= self.0 << 5;
            self.0 % bound
        }
    }

    fn expire(wheel: &mut TimerWheel, links: &mut Links, now: u32) -> Vec<SlotIndex> {
        let mut expired = Vec::new();
        for _ in 0..10_000 {
            match wheel.poll(links, now) {
                Step::Expired(slot) => expired.push(slot),
                Step::Moved => {}
                Step::Idle => return expired,
            }
        }
        panic!("the wheel never came to rest");
    }

    #[test]
    fn fires_once_within_a_tick() {
        let mut links = Links(vec![TimerLink::IDLE; 1]);
        for delay in [0, 1, TICK_US - 1, TICK_US, 40_000, 1_000_000, 60_000_000, 2_000_000_000] {
            for origin in [0u32, 0x7FFF_FF00, 0xFFFF_FF80] {
                let mut wheel = TimerWheel::new(origin);
                let deadline = origin.wrapping_add(delay);
                wheel.start(&mut links, 0, deadline);
                if delay > 1 {
                    assert!(expire(&mut wheel, &mut links, deadline.wrapping_sub(1)).is_empty());
                }
                assert_eq!(
                    expire(&mut wheel, &mut links, deadline.wrapping_add(TICK_US)),
                    [0],
                    "delay {delay}"
                );
                assert!(!links.0[0].is_running());
                assert_eq!(wheel.next_deadline(), None);
            }
        }
    }

    /// Random starts, stops and waits against a plain list of deadlines, across the clock's wrap.
    #[test]
    fn agrees_with_a_list_of_deadlines() {
        for seed in 1..40u32 {
            let mut random = Random(seed.wrapping_mul(0x9E37_79B9));
            let mut now = 0u32.wrapping_sub(random.below(200_000_000));
            let count = 1 + random.below(40) as usize;
            let mut links = Links(vec![TimerLink::IDLE; count]);
            let mut wheel = TimerWheel::new(now);
            let mut model: Vec<Option<u32>> = vec![None; count];
            for _ in 0..3000 {
                let slot = random.below(count as u32) as usize;
                match random.below(4) {
                    0 | 1 => {
                        let bits = 1 + random.below(30);
                        let deadline = now.wrapping_add(random.below(1 << bits));
                        wheel.start(&mut links, slot as SlotIndex, deadline);
                        model[slot] = Some(deadline);
                    }
                    2 => {
                        wheel.stop(&mut links, slot as SlotIndex);
                        model[slot] = None;
                    }
                    _ => {
                        let bits = 1 + random.below(27);
                        now = now.wrapping_add(random.below(1 << bits));
                        // Sometimes only a few steps: the wheel must bear interruption.
                        let steps = if random.below(2) == 0 { 3 } else { 100_000 };
                        for _ in 0..steps {
                            match wheel.poll(&mut links, now) {
                                Step::Expired(slot) => {
                                    let deadline = model[slot as usize].take().expect("was running");
                                    assert!(now.wrapping_sub(deadline) as i32 >= 0, "seed {seed}: early");
                                }
                                Step::Moved => {}
                                Step::Idle => {
                                    for deadline in model.iter().flatten() {
                                        let late = now.wrapping_sub(*deadline) as i32;
                                        assert!(late < TICK_US as i32, "seed {seed}: {late} us late");
                                    }
                                    break;
                                }
                            }
                        }
                    }
                }
                let tick = TICK_US as i32;
                let earliest = model.iter().flatten().map(|d| d.wrapping_sub(now) as i32).min();
                match (wheel.next_deadline(), earliest) {
                    (Some(next), Some(earliest)) => {
                        assert!(
                            (next.wrapping_sub(now) as i32) < earliest.max(1 - tick) + tick,
                            "seed {seed}"
                        );
                    }
                    (None, None) => {}
                    other => panic!("seed {seed}: {other:?}"),
                }
            }
        }
    }
}
