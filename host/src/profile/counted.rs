//! A NIC whose core is counted, in whatever machine it sits.

use super::Counter;
use baton_cosim::nic::Nic;
use baton_cosim::pins::{NicIn, NicOut, Ports};
use std::cell::RefCell;
use std::rc::Rc;

/// `None` while nothing is counted.
pub type SharedCounter<'p> = Rc<RefCell<Option<Counter<'p>>>>;

/// See the module's header.
pub struct CountedNic<'p, N> {
    nic: N,
    counter: SharedCounter<'p>,
}

impl<'p, N> CountedNic<'p, N> {
    /// Counts whenever there is a counter in `counter`.
    pub fn new(nic: N, counter: SharedCounter<'p>) -> Self {
        CountedNic { nic, counter }
    }
}

impl<N: Nic> Nic for CountedNic<'_, N> {
    fn cycle(&mut self, pins: &NicIn, changed: Ports, out: &mut NicOut) -> Ports {
        let moved = self.nic.cycle(pins, changed, out);
        if let Some(counter) = &mut *self.counter.borrow_mut() {
            counter.look(out);
        }
        moved
    }
}
