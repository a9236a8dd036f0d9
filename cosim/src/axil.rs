//! The processor's side of the register port: an AXI4-Lite manager with posted writes.
//!
//! Accesses are carried out one at a time in the order in which they were asked for, each after a latency.
//! Writes are posted: nobody waits for them. A read is answered after every access before it, as on PCI
//! Express. Outputs of a cycle follow from the cycles before, as everywhere in this crate.

use std::collections::VecDeque;

/// What the manager drives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiteManager {
    pub awaddr: u16,
    pub awvalid: bool,
    pub wdata: u32,
    pub wstrb: u8,
    pub wvalid: bool,
    pub bready: bool,
    pub araddr: u16,
    pub arvalid: bool,
    pub rready: bool,
}

/// What the registers drive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiteRegisters {
    pub awready: bool,
    pub wready: bool,
    pub bresp: u8,
    pub bvalid: bool,
    pub arready: bool,
    pub rdata: u32,
    pub rresp: u8,
    pub rvalid: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Write { addr: u16, data: u32 },
    Read { addr: u16 },
}

/// A finished access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    pub write: bool,
    pub addr: u16,
    pub data: u32,
    /// The response was not OKAY.
    pub error: bool,
}

/// The manager.
#[derive(Debug)]
pub struct LiteMaster {
    /// Driven in the present cycle.
    pub drive: LiteManager,
    latency_ps: u64,
    queue: VecDeque<(u64, Request)>,
    active: Option<Request>,
    /// Cycles that the access on the bus has lasted.
    cycles: u32,
    answer: Option<(u64, Result<u32, u8>)>,
    write_errors: u64,
}

/// Cycles after which an access that the registers do not answer is a fault of the NIC.
pub const ANSWER_CYCLES_MAX: u32 = 10_000;

impl LiteMaster {
    /// `latency_ps` passes before an access reaches the NIC, and again before a read returns.
    pub fn new(latency_ps: u64) -> Self {
        LiteMaster {
            drive: LiteManager { bready: true, rready: true, wstrb: 0xF, ..LiteManager::default() },
            latency_ps,
            queue: VecDeque::new(),
            active: None,
            cycles: 0,
            answer: None,
            write_errors: 0,
        }
    }

    /// Posts a write.
    pub fn write(&mut self, now_ps: u64, addr: u16, data: u32) {
        self.queue.push_back((now_ps + self.latency_ps, Request::Write { addr, data }));
    }

    /// Asks for a read; the answer is in [`LiteMaster::answer`] later. One at a time.
    pub fn read(&mut self, now_ps: u64, addr: u16) {
        self.queue.push_back((now_ps + self.latency_ps, Request::Read { addr }));
    }

    /// The answer to the read, once it is there: its data, or the response code if it is not OKAY.
    pub fn answer(&mut self, now_ps: u64) -> Option<Result<u32, u8>> {
        match self.answer {
            Some((due_ps, answer)) if due_ps <= now_ps => {
                self.answer = None;
                Some(answer)
            }
            _ => None,
        }
    }

    /// No access is waiting or under way.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.active.is_none()
    }

    /// Writes that were not answered with OKAY.
    pub fn write_errors(&self) -> u64 {
        self.write_errors
    }

    /// Until when [`LiteMaster::clock`] will change nothing, unless there is another access.
    pub fn rest_until_ps(&self) -> u64 {
        match (&self.active, self.queue.front()) {
            (Some(_), _) => 0,
            (None, Some((due_ps, _))) => *due_ps,
            (None, None) => u64::MAX,
        }
    }

    /// The clock edge that ends a cycle in which the registers drove these; `now_ps` is the time of the next
    /// cycle. Returns the access that this cycle finished.
    ///
    /// # Panics
    /// When the registers do not answer within [`ANSWER_CYCLES_MAX`] cycles.
    pub fn clock(&mut self, now_ps: u64, registers: &LiteRegisters) -> Option<Done> {
        let done = match self.active {
            None => None,
            Some(request) => self.clock_active(now_ps, request, registers),
        };
        if self.active.is_none() {
            if let Some(&(due_ps, request)) = self.queue.front() {
                if due_ps <= now_ps {
                    self.queue.pop_front();
                    self.start(request);
                }
            }
        }
        done
    }

    fn clock_active(&mut self, now_ps: u64, request: Request, registers: &LiteRegisters) -> Option<Done> {
        self.cycles += 1;
        assert!(
            self.cycles <= ANSWER_CYCLES_MAX,
            "the registers have not answered {request:x?} within {ANSWER_CYCLES_MAX} cycles"
        );
        let drive = &mut self.drive;
        drive.awvalid &= !registers.awready;
        drive.wvalid &= !registers.wready;
        drive.arvalid &= !registers.arready;
        match request {
            Request::Write { addr, data } if registers.bvalid => {
                self.active = None;
                let error = registers.bresp != 0;
                self.write_errors += u64::from(error);
                Some(Done { write: true, addr, data, error })
            }
            Request::Read { addr } if registers.rvalid => {
                self.active = None;
                let (data, error) = (registers.rdata, registers.rresp != 0);
                let answer = if error { Err(registers.rresp) } else { Ok(data) };
                self.answer = Some((now_ps + self.latency_ps, answer));
                Some(Done { write: false, addr, data, error })
            }
            _ => None,
        }
    }

    fn start(&mut self, request: Request) {
        self.active = Some(request);
        self.cycles = 0;
        match request {
            Request::Write { addr, data } => {
                self.drive.awaddr = addr;
                self.drive.wdata = data;
                self.drive.awvalid = true;
                self.drive.wvalid = true;
            }
            Request::Read { addr } => {
                self.drive.araddr = addr;
                self.drive.arvalid = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Registers that take address and data in either order and answer some cycles later.
    #[derive(Default)]
    struct Registers {
        out: LiteRegisters,
        words: [u32; 16],
        address: Option<u16>,
        data: Option<u32>,
        cycle: u32,
    }

    impl Registers {
        fn clock(&mut self, m: &LiteManager) {
            if m.awvalid && self.out.awready {
                assert!(self.address.replace(m.awaddr).is_none());
            }
            if m.wvalid && self.out.wready {
                assert!(self.data.replace(m.wdata).is_none());
            }
            if self.out.bvalid && m.bready {
                self.out.bvalid = false;
            }
            if self.out.rvalid && m.rready {
                self.out.rvalid = false;
            }
            if let (Some(address), Some(data)) = (self.address, self.data) {
                self.out.bvalid = true;
                self.out.bresp = if address >= 64 { 2 } else { 0 };
                if address < 64 {
                    self.words[usize::from(address / 4)] = data;
                }
                (self.address, self.data) = (None, None);
            }
            if m.arvalid && self.out.arready {
                self.out.rvalid = true;
                self.out.rresp = if m.araddr >= 64 { 2 } else { 0 };
                self.out.rdata = self.words[usize::from(m.araddr / 4) & 15];
            }
            self.cycle += 1;
            self.out.awready = self.cycle.is_multiple_of(3) && self.address.is_none();
            self.out.wready = self.cycle.is_multiple_of(5) && self.data.is_none();
            self.out.arready = self.cycle.is_multiple_of(4) && !self.out.rvalid;
        }
    }

    fn run(master: &mut LiteMaster, registers: &mut Registers, cycles: u64) -> Vec<(u64, Result<u32, u8>)> {
        let mut answers = Vec::new();
        for cycle in 0..cycles {
            let (drive, out) = (master.drive, registers.out);
            registers.clock(&drive);
            master.clock((cycle + 1) * 1000, &out);
            answers.extend(master.answer((cycle + 1) * 1000).map(|answer| (cycle, answer)));
        }
        answers
    }

    #[test]
    fn a_read_follows_the_writes_before_it() {
        let (mut master, mut registers) = (LiteMaster::new(5000), Registers::default());
        for word in 0..8 {
            master.write(0, word * 4, 100 + u32::from(word));
        }
        master.write(0, 12, 7);
        master.read(0, 12);
        let answers = run(&mut master, &mut registers, 300);
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].1, Ok(7));
        assert!(answers[0].0 >= 10, "two latencies passed");
        assert_eq!(registers.words[..4], [100, 101, 102, 7]);
        assert!(master.is_idle());
    }

    #[test]
    fn errors_are_told() {
        let (mut master, mut registers) = (LiteMaster::new(0), Registers::default());
        master.write(0, 0x80, 1);
        master.read(0, 0x80);
        assert_eq!(run(&mut master, &mut registers, 100)[0].1, Err(2));
        assert_eq!(master.write_errors(), 1);
    }
}
