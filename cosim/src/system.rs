//! The whole co-simulation: a NIC, host memory, the register port, the wire and one clock.
//!
//! [`System::step`] is one cycle of the core clock. In a cycle every model drives what follows from the cycles
//! before; the NIC's outputs settle; then all see the same clock edge. Nothing depends on the order
//! in which the models are visited, and nothing on anything but configuration and seed.

use crate::{
    axi::{AxiConfig, AxiMemory, Burst, ReadMemory, WriteMemory},
    axil::{Done, LiteManager, LiteMaster},
    monitor::Monitor,
    nic::Nic,
    pcap::Pcap,
    pins::{NicIn, NicOut, Port, Ports},
    port::{HostMemory, HostPort},
    ports::{lite_registers, read_master, tx_stream, write_master},
    wire::{FrameStats, FromNic, RxStream, ToNic, WireConfig},
};
use anyhow::{bail, Context, Result};

/// The machine around the NIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemConfig {
    /// Core clock of the NIC, in hertz.
    pub clock_hz: u64,
    /// First address of host memory, a multiple of 4096.
    pub memory_base: u32,
    /// Size of host memory, a multiple of 4096.
    pub memory_bytes: u32,
    /// One way from the processor to a register, in picoseconds.
    pub register_latency_ps: u64,
    pub axi: AxiConfig,
    pub wire: WireConfig,
}

impl Default for SystemConfig {
    fn default() -> Self {
        SystemConfig {
            clock_hz: 400_000_000,
            memory_base: 0x1000_0000,
            memory_bytes: 64 << 20,
            register_latency_ps: 150_000,
            axi: AxiConfig::default(),
            wire: WireConfig::default(),
        }
    }
}

/// Something that crossed the NIC's boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    MemoryRead(Burst<'a>),
    MemoryWrite(Burst<'a>),
    Register(Done),
    /// A frame reached the NIC.
    FrameIn {
        frame: &'a [u8],
        good_fcs: bool,
    },
    /// A frame left the NIC; the network may still lose it.
    FrameOut {
        frame: &'a [u8],
    },
}

/// Called with the time in picoseconds and what happened.
pub type Observer = Box<dyn FnMut(u64, &Event<'_>)>;

/// Core cycles and the time that they take, exact at any clock rate.
#[derive(Clone, Copy, Debug)]
struct Time {
    cycles: u64,
    now_ps: u64,
    /// Time of the cycle before.
    before_ps: u64,
    whole_ps: u64,
    /// Remainder of a second's picoseconds over the clock rate, and how much of it has come together.
    rest: u64,
    carried: u64,
    clock_hz: u64,
}

const PS_PER_SECOND: u64 = 1_000_000_000_000;

impl Time {
    fn new(clock_hz: u64) -> Self {
        assert!((1..=PS_PER_SECOND / 2).contains(&clock_hz), "{clock_hz} Hz is no clock rate");
        let (whole_ps, rest) = (PS_PER_SECOND / clock_hz, PS_PER_SECOND % clock_hz);
        Time { cycles: 0, now_ps: 0, before_ps: 0, whole_ps, rest, carried: 0, clock_hz }
    }

    /// A cycle takes so long from here on.
    fn set_period_ps(&mut self, period_ps: u64) {
        (self.whole_ps, self.rest, self.carried) = (period_ps, 0, 0);
    }

    #[inline]
    fn advance(&mut self) {
        self.cycles += 1;
        self.before_ps = self.now_ps;
        self.now_ps += self.whole_ps;
        self.carried += self.rest;
        if self.carried >= self.clock_hz {
            self.carried -= self.clock_hz;
            self.now_ps += 1;
        }
    }
}

/// Which ports have nothing to do. A port rests while its outputs and inputs are those of the cycle before, no transfer
/// is offered, and the model at its other end waits for a time; an edge would then change nothing.
#[derive(Debug, Default)]
struct Rests {
    /// When each port's rest ends.
    ports_ps: [u64; Port::COUNT],
    /// The first of them.
    until_ps: u64,
    /// Ports with inputs that the present edge has changed.
    changed: Ports,
}

impl Rests {
    /// The ports for which the edge at the beginning of the cycle at `now_ps` is not to be left out.
    #[inline]
    fn due(&mut self, moved: Ports, now_ps: u64) -> Ports {
        self.changed = Ports::NONE;
        let bits = self.ports_ps.iter().enumerate().map(|(port, end_ps)| u8::from(now_ps >= *end_ps) << port);
        Ports(bits.fold(moved.0, |due, bit| due | bit))
    }

    /// After the edge `port` rests until then, unless its inputs did not stay: what the NIC makes of them is still to be
    /// seen.
    #[inline]
    fn set(&mut self, port: Port, stays: bool, until_ps: u64) {
        self.ports_ps[port as usize] = if stays { until_ps } else { 0 };
        self.changed.insert_if(port, !stays);
    }

    #[inline]
    fn settle(&mut self) {
        self.until_ps = self.ports_ps.into_iter().fold(u64::MAX, u64::min);
    }

    /// Software has done something: every port is looked at again.
    fn end(&mut self) {
        (self.ports_ps, self.until_ps) = ([0; Port::COUNT], 0);
    }
}

/// Who listens.
#[derive(Default)]
struct Listeners {
    pcap: Option<Pcap>,
    /// The first failure to write the capture; told at its end.
    pcap_error: Option<std::io::Error>,
    observers: Vec<Observer>,
}

impl Listeners {
    fn tell(&mut self, time_ps: u64, event: Event<'_>) {
        for observer in &mut self.observers {
            observer(time_ps, &event);
        }
    }

    fn frame(&mut self, time_ps: u64, frame: &[u8], event: Event<'_>) {
        if let Some(pcap) = &mut self.pcap {
            if let Err(error) = pcap.frame(time_ps, frame) {
                self.pcap_error.get_or_insert(error);
            }
        }
        self.tell(time_ps, event);
    }
}

/// A NIC in its machine.
pub struct System<N: Nic> {
    nic: N,
    pins: NicIn,
    out: NicOut,
    time: Time,
    memory: HostMemory,
    axi: AxiMemory,
    registers: LiteMaster,
    to_nic: ToNic,
    from_nic: FromNic,
    monitor: Monitor,
    listeners: Listeners,
    rests: Rests,
    /// Ports with pins that are not those of the last cycle.
    changed: Ports,
}

/// Cycles of reset.
const RESET_CYCLES: u32 = 16;
/// Cycles after which a read of a register has failed, however many writes are before it.
const READ_CYCLES_MAX: u64 = 2_000_000;

impl<N: Nic> System<N> {
    /// A machine around `nic`, which is reset.
    ///
    /// # Panics
    /// When the configuration is out of the ranges that its parts give.
    pub fn new(nic: N, config: SystemConfig) -> Self {
        let mut system = System {
            nic,
            pins: NicIn::default(),
            out: NicOut::default(),
            time: Time::new(config.clock_hz),
            memory: HostMemory::new(config.memory_base, config.memory_bytes),
            axi: AxiMemory::new(config.axi),
            registers: LiteMaster::new(config.register_latency_ps),
            to_nic: ToNic::new(&config.wire),
            from_nic: FromNic::new(&config.wire),
            monitor: Monitor::default(),
            listeners: Listeners::default(),
            rests: Rests::default(),
            changed: Ports::ALL,
        };
        system.pins.reset = true;
        for _ in 0..RESET_CYCLES {
            system.nic.cycle(&system.pins, Ports::ALL, &mut system.out);
            system.monitor.check(system.time.cycles, Ports::ALL, &system.pins, &system.out);
            system.time.advance();
        }
        system.pins.reset = false;
        drive_registers(&mut system.pins, &system.registers.drive);
        system
    }

    /// One cycle of the core clock.
    #[inline]
    pub fn step(&mut self) {
        let moved = self.nic.cycle(&self.pins, self.changed, &mut self.out);
        self.changed = Ports::NONE;
        self.time.advance();
        if moved != Ports::NONE || self.time.now_ps >= self.rests.until_ps {
            self.edge(moved);
        }
    }

    /// The clock edge at the end of a cycle, for each port of which outputs have `moved` or that has rested long enough.
    fn edge(&mut self, moved: Ports) {
        let System { axi, memory, listeners, to_nic, from_nic, registers, out, pins, time, rests, .. } = self;
        let (now_ps, end_ps) = (time.now_ps, time.before_ps);
        let due = rests.due(moved, now_ps);
        self.monitor.check(time.cycles - 1, due, pins, out);
        let stalls = axi.stalls();
        if due.has(Port::MemoryWrite) {
            let (master, before) = (write_master(out), axi.write);
            axi.clock_write(now_ps, &master, memory, stalls, &mut |burst| {
                listeners.tell(end_ps, Event::MemoryWrite(burst));
            });
            rests.set(Port::MemoryWrite, axi.write == before, axi.write_rests_until_ps(&master));
            drive_memory_write(pins, &axi.write);
        }
        if due.has(Port::MemoryRead) {
            let (master, before) = (read_master(out), axi.read);
            axi.clock_read(now_ps, &master, memory, stalls, &mut |burst| {
                listeners.tell(end_ps, Event::MemoryRead(burst));
            });
            rests.set(Port::MemoryRead, axi.read == before, axi.read_rests_until_ps(&master));
            drive_memory_read(pins, &axi.read);
        }
        if due.has(Port::Registers) {
            let before = registers.drive;
            if let Some(done) = registers.clock(now_ps, &lite_registers(out)) {
                listeners.tell(end_ps, Event::Register(done));
            }
            rests.set(Port::Registers, registers.drive == before, registers.rest_until_ps());
            drive_registers(pins, &registers.drive);
        }
        if due.has(Port::Rx) {
            let before = to_nic.drive;
            to_nic.clock(now_ps, out.rx_tready, &mut |frame, good_fcs| {
                listeners.frame(end_ps, frame, Event::FrameIn { frame, good_fcs });
            });
            rests.set(Port::Rx, to_nic.drive == before, to_nic.rest_until_ps(out.rx_tready));
            drive_rx(pins, &to_nic.drive);
        }
        if due.has(Port::Tx) {
            let (tx, before) = (tx_stream(out), from_nic.tready);
            from_nic.clock(now_ps, &tx, &mut |time_ps, frame| {
                listeners.frame(time_ps, frame, Event::FrameOut { frame });
            });
            rests.set(Port::Tx, from_nic.tready == before, from_nic.rest_until_ps(&tx));
            pins.tx_tready = from_nic.tready;
        }
        self.changed = rests.changed;
        rests.settle();
    }

    /// A core cycle takes so long from here on, at least a picosecond: for a clock that follows another one.
    ///
    /// # Panics
    /// When the period is zero: time would stand still.
    pub fn set_period_ps(&mut self, period_ps: u64) {
        assert!(period_ps > 0, "a core cycle takes time");
        self.time.set_period_ps(period_ps);
    }

    /// Steps so many cycles.
    pub fn run(&mut self, cycles: u64) {
        for _ in 0..cycles {
            self.step();
        }
    }

    /// Steps until `done` holds, at most `cycles_max` cycles; whether it did.
    pub fn run_until(&mut self, cycles_max: u64, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        for _ in 0..cycles_max {
            if done(self) {
                return true;
            }
            self.step();
        }
        done(self)
    }

    /// The NIC.
    pub fn nic(&self) -> &N {
        &self.nic
    }

    pub fn nic_mut(&mut self) -> &mut N {
        self.rests.end();
        &mut self.nic
    }

    /// Outputs of the NIC in the last cycle.
    pub fn pins_out(&self) -> &NicOut {
        &self.out
    }

    /// Core cycles since the start, reset included.
    pub fn cycles(&self) -> u64 {
        self.time.cycles
    }

    /// A client sends a frame to the NIC, without its check sequence.
    pub fn wire_send(&mut self, frame: Vec<u8>) {
        self.rests.end();
        self.to_nic.send(self.time.now_ps, frame);
    }

    /// The next frame that has reached the clients, with the time at which it did.
    #[inline]
    pub fn wire_recv(&mut self) -> Option<(Vec<u8>, u64)> {
        if self.from_nic.next_arrival_ps() > self.time.now_ps {
            return None;
        }
        self.from_nic.receive(self.time.now_ps)
    }

    /// Direction to the NIC: faults, counts, backlog.
    pub fn wire_to_nic(&mut self) -> &mut ToNic {
        self.rests.end();
        &mut self.to_nic
    }

    /// Direction from the NIC: faults, counts, underruns.
    pub fn wire_from_nic(&mut self) -> &mut FromNic {
        self.rests.end();
        &mut self.from_nic
    }

    /// What the wire has carried: to the NIC, and from it.
    pub fn wire_stats(&self) -> [FrameStats; 2] {
        [self.to_nic.stats(), self.from_nic.stats()]
    }

    /// No access to memory or registers is under way, and no frame is on the wire.
    pub fn is_idle(&self) -> bool {
        self.axi.is_idle() && self.registers.is_idle() && self.to_nic.is_idle() && self.from_nic.is_idle()
    }

    /// Register writes that the NIC refused.
    pub fn register_write_errors(&self) -> u64 {
        self.registers.write_errors()
    }

    /// Calls `observer` with everything that crosses the NIC's boundary from here on.
    pub fn observe(&mut self, observer: Observer) {
        self.listeners.observers.push(observer);
    }

    /// Captures the wire to `pcap` from here on: frames in both directions as they pass the NIC's end.
    pub fn capture(&mut self, pcap: Pcap) {
        self.listeners.pcap = Some(pcap);
    }

    /// Ends the capture and completes its file.
    pub fn capture_end(&mut self) -> Result<()> {
        if let Some(error) = self.listeners.pcap_error.take() {
            return Err(error).context("the capture is incomplete");
        }
        match self.listeners.pcap.take() {
            Some(mut pcap) => pcap.flush().context("cannot complete the capture"),
            None => Ok(()),
        }
    }
}

impl<N: Nic> HostPort for System<N> {
    fn reg_write(&mut self, address: u32, value: u32) {
        let address = u16::try_from(address).expect("registers have 16-bit addresses");
        self.rests.end();
        self.registers.write(self.time.now_ps, address, value);
    }

    /// The processor waits for the answer, so time passes.
    fn reg_read(&mut self, address: u32) -> Result<u32> {
        let short = u16::try_from(address).context("registers have 16-bit addresses")?;
        self.rests.end();
        self.registers.read(self.time.now_ps, short);
        for _ in 0..READ_CYCLES_MAX {
            self.step();
            match self.registers.answer(self.time.now_ps) {
                None => {}
                Some(Ok(data)) => return Ok(data),
                Some(Err(code)) => bail!("a read of register {address:#06x} got response {code}"),
            }
        }
        bail!("a read of register {address:#06x} got no answer in {READ_CYCLES_MAX} cycles")
    }

    fn memory(&self) -> &HostMemory {
        &self.memory
    }

    fn memory_mut(&mut self) -> &mut HostMemory {
        &mut self.memory
    }

    fn irq(&self) -> bool {
        self.out.irq
    }

    fn now_ps(&self) -> u64 {
        self.time.now_ps
    }
}

fn drive_registers(pins: &mut NicIn, lite: &LiteManager) {
    pins.s_axil_awaddr = lite.awaddr;
    pins.s_axil_awvalid = lite.awvalid;
    pins.s_axil_wdata = lite.wdata;
    pins.s_axil_wstrb = lite.wstrb;
    pins.s_axil_wvalid = lite.wvalid;
    pins.s_axil_bready = lite.bready;
    pins.s_axil_araddr = lite.araddr;
    pins.s_axil_arvalid = lite.arvalid;
    pins.s_axil_rready = lite.rready;
}

fn drive_memory_write(pins: &mut NicIn, write: &WriteMemory) {
    pins.m_axi_awready = write.awready;
    pins.m_axi_wready = write.wready;
    pins.m_axi_bresp = write.bresp;
    pins.m_axi_bvalid = write.bvalid;
}

fn drive_memory_read(pins: &mut NicIn, read: &ReadMemory) {
    pins.m_axi_arready = read.arready;
    pins.m_axi_rdata = read.rdata;
    pins.m_axi_rresp = read.rresp;
    pins.m_axi_rlast = read.rlast;
    pins.m_axi_rvalid = read.rvalid;
}

fn drive_rx(pins: &mut NicIn, rx: &RxStream) {
    pins.rx_tdata = rx.tdata;
    pins.rx_tkeep = rx.tkeep;
    pins.rx_tlast = rx.tlast;
    pins.rx_tuser = rx.tuser;
    pins.rx_tvalid = rx.tvalid;
}
