//! A PHY's management interface (IEEE 802.3, clause 22), seen at its two pins.

/// A PHY at one address, with 32 registers.
#[derive(Clone, Debug)]
pub struct Phy {
    address: u16,
    delay_ps: u64,
    pub registers: [u16; 32],
    /// Every write: register and value.
    pub writes: Vec<(u8, u16)>,
    /// Accesses that broke a rule: no full preamble, a wrong start or turnaround, two drivers at once.
    pub errors: u32,
    /// Shortest time between two rising edges of MDC.
    pub least_period_ps: u64,
    clock: bool,
    rose_ps: Option<u64>,
    ones: u32,
    /// Bits of the access so far, its start included, and their number; 0 while there is none.
    shift: u32,
    bits: u32,
    /// What the PHY drives, from a moment on.
    drives: Option<bool>,
    then: Option<(u64, Option<bool>)>,
}

impl Phy {
    /// `delay_ps`: from the rising edge of MDC to the change of what the PHY drives.
    pub fn new(address: u16, delay_ps: u64) -> Self {
        Phy {
            address,
            delay_ps,
            registers: std::array::from_fn(|i| 0x1100 + i as u16),
            writes: Vec::new(),
            errors: 0,
            least_period_ps: u64::MAX,
            clock: false,
            rose_ps: None,
            ones: 0,
            shift: 0,
            bits: 0,
            drives: None,
            then: None,
        }
    }

    /// The pins now: MDC, and what the master drives; returns the level of MDIO, which a pull-up holds high.
    pub fn clock(&mut self, mdc: bool, master: Option<bool>, now_ps: u64) -> bool {
        if let Some((at, level)) = self.then {
            if now_ps >= at {
                self.drives = level;
                self.then = None;
            }
        }
        self.errors += u32::from(master.is_some() && self.drives.is_some());
        let level = master.or(self.drives).unwrap_or(true);
        if mdc && !self.clock {
            if let Some(before) = self.rose_ps.replace(now_ps) {
                self.least_period_ps = self.least_period_ps.min(now_ps - before);
            }
            self.bit(level, now_ps);
        }
        self.clock = mdc;
        level
    }

    fn bit(&mut self, level: bool, now_ps: u64) {
        if self.bits == 0 && level {
            self.ones += 1;
            return;
        }
        if self.bits == 0 {
            self.errors += u32::from(self.ones < 32);
            self.ones = 0;
            self.shift = 0;
        }
        self.shift = self.shift << 1 | u32::from(level);
        self.bits += 1;
        // 01, operation, five bits of PHY, five of register: 14; turnaround to 16; data to 32.
        if self.bits == 32 {
            let [start, operation, phy, register, turnaround] =
                [(30, 3), (28, 3), (23, 31), (18, 31), (16, 3)].map(|(at, mask)| self.shift >> at & mask);
            self.errors += u32::from(start != 1 || !(1..=2).contains(&operation));
            if operation == 1 {
                self.errors += u32::from(turnaround != 2);
                if phy == u32::from(self.address) {
                    self.registers[register as usize] = self.shift as u16;
                    self.writes.push((register as u8, self.shift as u16));
                }
            }
            self.bits = 0;
            self.then = Some((now_ps + self.delay_ps, None));
        } else if self.bits >= 15 {
            let header = self.shift >> (self.bits - 14);
            let (operation, phy, register) = (header >> 10 & 3, header >> 5 & 31, header & 31);
            if operation == 2 && phy == u32::from(self.address) {
                // The second bit of the turnaround, then the data; each stands at the next rising edge.
                let level = match self.bits {
                    15 => false,
                    n => self.registers[register as usize] >> (31 - n) & 1 == 1,
                };
                self.then = Some((now_ps + self.delay_ps, Some(level)));
            }
        }
    }
}
