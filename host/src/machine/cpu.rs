//! A processor that counts: one instruction a cycle, and what the caches add.
//!
//! The paper's simulator "is configured to execute one x86 instruction per cycle unless there are memory stalls"
//! and fetches instructions instantaneously (Section 4.1, Table 2). So a cycle is an instruction or a stall of a data
//! access: none in the first level, whose hit takes the cycle of its instruction, the hit latency of the second
//! level, or that and the access latency of memory, since the second level is looked up first.

use super::cache::{CacheConfig, Hierarchy, Level, LINE_BYTES};

/// What the processor does with its cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[repr(usize)]
pub enum Function {
    /// The web server's own code.
    Application,
    /// Entry, exit and the generic part of system calls, files and pages included.
    SystemCalls,
    /// The socket layer: buffers, wakeups.
    Sockets,
    Tcp,
    Ip,
    /// Device driver and link layer.
    Driver,
    Interrupt,
    /// Moving bytes between user and kernel memory.
    Copy,
    /// The protocol that carries socket operations to the NIC, and its events.
    Bypass,
    Idle,
}

impl Function {
    pub const COUNT: usize = 10;
    pub const ALL: [Function; Function::COUNT] = [
        Function::Application,
        Function::SystemCalls,
        Function::Sockets,
        Function::Tcp,
        Function::Ip,
        Function::Driver,
        Function::Interrupt,
        Function::Copy,
        Function::Bypass,
        Function::Idle,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Function::Application => "application",
            Function::SystemCalls => "system calls",
            Function::Sockets => "sockets",
            Function::Tcp => "TCP",
            Function::Ip => "IP",
            Function::Driver => "driver",
            Function::Interrupt => "interrupt",
            Function::Copy => "copy",
            Function::Bypass => "bypass",
            Function::Idle => "idle",
        }
    }
}

/// The processor and its memory. The default is the paper's Table 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuConfig {
    /// Clock, in hertz.
    pub clock_hz: u64,
    pub l1: CacheConfig,
    pub l2: CacheConfig,
    /// Stall of an access that the second level serves, in cycles.
    pub l2_cycles: u32,
    /// What an access that memory serves stalls beyond the second level's hit latency, in cycles.
    pub dram_cycles: u32,
    /// A miss in the second level fetches the next line too.
    pub prefetch: bool,
}

impl Default for CpuConfig {
    fn default() -> Self {
        CpuConfig {
            clock_hz: 2_000_000_000,
            l1: CacheConfig { bytes: 64 << 10, ways: 2 },
            l2: CacheConfig { bytes: 1 << 20, ways: 16 },
            l2_cycles: 15,
            dram_cycles: 195,
            prefetch: true,
        }
    }
}

/// Counts of one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Work {
    /// Cycles, stalls included.
    pub cycles: u64,
    pub instructions: u64,
    /// Accesses to lines that the first level did not have.
    pub l1_misses: u64,
    /// Of these, the ones that the second level did not have either.
    pub l2_misses: u64,
}

impl Work {
    fn map2(self, other: Work, f: impl Fn(u64, u64) -> u64) -> Work {
        Work {
            cycles: f(self.cycles, other.cycles),
            instructions: f(self.instructions, other.instructions),
            l1_misses: f(self.l1_misses, other.l1_misses),
            l2_misses: f(self.l2_misses, other.l2_misses),
        }
    }
}

/// What the processor did since the start, by function.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Profile {
    work: [Work; Function::COUNT],
    /// Segments that the TCP layer of the host has received and sent.
    pub tcp_packets: u64,
}

impl Profile {
    pub fn of(&self, function: Function) -> Work {
        self.work[function as usize]
    }

    pub(super) fn of_mut(&mut self, function: Function) -> &mut Work {
        &mut self.work[function as usize]
    }

    /// What was done since `earlier`, a profile of the same machine.
    pub fn since(&self, earlier: &Profile) -> Profile {
        let mut work = self.work;
        for (now, then) in work.iter_mut().zip(earlier.work) {
            *now = now.map2(then, u64::saturating_sub);
        }
        Profile { work, tcp_packets: self.tcp_packets.saturating_sub(earlier.tcp_packets) }
    }

    /// All functions together, idle time included.
    pub fn total(&self) -> Work {
        self.work.iter().fold(Work::default(), |sum, work| sum.map2(*work, |a, b| a + b))
    }

    /// Cycles that were not idle.
    pub fn busy_cycles(&self) -> u64 {
        self.total().cycles - self.of(Function::Idle).cycles
    }

    pub fn idle_cycles(&self) -> u64 {
        self.of(Function::Idle).cycles
    }

    /// Part of all cycles, 0 to 1, that `functions` took.
    pub fn share(&self, functions: &[Function]) -> f64 {
        let part: u64 = functions.iter().map(|&f| self.of(f).cycles).sum();
        part as f64 / self.total().cycles.max(1) as f64
    }

    /// Part of all cycles spent in the network stack below the system call layer.
    pub fn below_system_calls(&self) -> f64 {
        use Function::*;
        self.share(&[Sockets, Tcp, Ip, Driver, Interrupt, Copy, Bypass])
    }

    /// Part of all cycles spent in the operating system.
    pub fn kernel(&self) -> f64 {
        self.below_system_calls() + self.share(&[Function::SystemCalls])
    }

    /// Part of all cycles in which there was nothing to do.
    pub fn idle(&self) -> f64 {
        self.share(&[Function::Idle])
    }

    /// Cycles of the TCP layer for a segment that it received or sent.
    pub fn tcp_cycles_per_packet(&self) -> f64 {
        self.of(Function::Tcp).cycles as f64 / self.tcp_packets.max(1) as f64
    }
}

/// See the module's header.
#[derive(Clone, Debug)]
pub struct Cpu {
    config: CpuConfig,
    caches: Hierarchy,
    profile: Profile,
    /// Cycles that were not idle.
    busy: u64,
}

impl Cpu {
    pub fn new(config: CpuConfig) -> Self {
        let caches = Hierarchy::new(config.l1, config.l2, config.prefetch);
        Cpu { config, caches, profile: Profile::default(), busy: 0 }
    }

    pub fn config(&self) -> &CpuConfig {
        &self.config
    }

    /// Cycles of work since the start.
    pub fn busy_cycles(&self) -> u64 {
        self.busy
    }

    /// Executes so many instructions.
    pub fn instructions(&mut self, function: Function, count: u32) {
        let work = self.profile.of_mut(function);
        work.instructions += u64::from(count);
        work.cycles += u64::from(count);
        self.busy += u64::from(count);
    }

    /// Waits so many cycles for something that is no memory: a register of a device.
    pub fn stall(&mut self, function: Function, cycles: u64) {
        self.profile.of_mut(function).cycles += cycles;
        self.busy += cycles;
    }

    /// Accesses every line of `len` bytes at `addr`. Reads and writes cost the same: a written line is fetched first.
    pub fn touch(&mut self, function: Function, addr: u64, len: u64) {
        if len == 0 {
            return;
        }
        let line_bytes = u64::from(LINE_BYTES);
        for line in addr / line_bytes..=(addr + len - 1) / line_bytes {
            self.touch_line(function, line);
        }
    }

    /// Accesses every line of a structure, whose fields are used in the order that the code needs them and not in that of their
    /// addresses: from the last line to the first, so that fetching the next line gains nothing.
    pub fn touch_fields(&mut self, function: Function, addr: u64, len: u64) {
        let line_bytes = u64::from(LINE_BYTES);
        for line in (addr / line_bytes..(addr + len).div_ceil(line_bytes)).rev() {
            self.touch_line(function, line);
        }
    }

    #[inline]
    fn touch_line(&mut self, function: Function, line: u64) {
        let level = self.caches.access(line);
        let stall = match level {
            Level::L1 => return,
            Level::L2 => self.config.l2_cycles,
            Level::Dram => self.config.l2_cycles + self.config.dram_cycles,
        };
        let work = self.profile.of_mut(function);
        work.cycles += u64::from(stall);
        work.l1_misses += 1;
        work.l2_misses += u64::from(level == Level::Dram);
        self.busy += u64::from(stall);
    }

    /// A device has written memory.
    pub fn invalidate(&mut self, addr: u64, len: u64) {
        self.caches.invalidate(addr, len);
    }

    /// Counts a segment that the TCP layer handled.
    pub(super) fn count_packet(&mut self) {
        self.profile.tcp_packets += 1;
    }

    /// The profile at `now_ps`: what is not work is idle time. Work that is under way counts as done.
    pub fn profile(&self, now_ps: u64) -> Profile {
        let mut profile = self.profile.clone();
        profile.of_mut(Function::Idle).cycles = self.cycles_at(now_ps).saturating_sub(self.busy);
        profile
    }

    fn cycles_at(&self, now_ps: u64) -> u64 {
        (u128::from(now_ps) * u128::from(self.config.clock_hz) / 1_000_000_000_000) as u64
    }

    /// Time of so many cycles, in picoseconds, rounded up.
    pub fn picoseconds(&self, cycles: u64) -> u64 {
        (u128::from(cycles) * 1_000_000_000_000).div_ceil(u128::from(self.config.clock_hz)) as u64
    }

    /// Cycles that so many picoseconds hold.
    pub fn cycles_of(&self, ps: u64) -> u64 {
        self.cycles_at(ps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_instructions_and_stalls() {
        let mut cpu = Cpu::new(CpuConfig::default());
        cpu.instructions(Function::Tcp, 100);
        cpu.touch(Function::Tcp, 1000, 200);
        // Lines 15 to 18: memory, then the line fetched with it, twice.
        let tcp = cpu.profile(0).of(Function::Tcp);
        assert_eq!(tcp, Work { cycles: 100 + 2 * (210 + 15), instructions: 100, l1_misses: 4, l2_misses: 2 });
        cpu.touch(Function::Ip, 1000, 200);
        assert_eq!(cpu.profile(0).of(Function::Ip), Work::default());
        cpu.invalidate(1024, 1);
        cpu.touch(Function::Ip, 1000, 200);
        assert_eq!(cpu.profile(0).of(Function::Ip).cycles, 210);
    }

    #[test]
    fn what_is_left_is_idle_and_profiles_subtract() {
        let mut cpu = Cpu::new(CpuConfig::default());
        cpu.instructions(Function::Driver, 600);
        let early = cpu.profile(500_000);
        assert_eq!((early.idle_cycles(), early.busy_cycles(), early.total().cycles), (400, 600, 1000));
        cpu.instructions(Function::Application, 300);
        let late = cpu.profile(1_000_000).since(&early);
        assert_eq!((late.idle_cycles(), late.busy_cycles()), (700, 300));
        assert_eq!(late.share(&[Function::Application]), 0.3);
        assert_eq!(cpu.picoseconds(3), 1500);
    }
}
