//! `regs::axil::AxilSlave` against a few registers in Rust, with stalls on every channel and resets at random.

#[path = "support/chance.rs"]
mod chance;

use baton_cosim::{
    axil::{LiteManager, LiteRegisters},
    block::{Model, Port},
    monitor::LiteMonitor,
};
use baton_hdl::{emit, regs::axil::AxilSlave};
use chance::Chance;
use std::collections::VecDeque;

/// Registers at 0x20 to 0x3C; no others.
const FIRST: u16 = 0x20;
const COUNT: usize = 8;
/// Cycles from an access's acceptance to its answer.
const WRITE_LATENCY: u64 = 2;
const READ_LATENCY: u64 = 3;

#[derive(Clone, Copy, Debug)]
struct Write {
    addr: u16,
    data: u32,
    strobe: u8,
}

struct Bench {
    dut: Model,
    inputs: [Port; 9],
    outputs: [Port; 8],
    bus: [Port; 8],
    monitor: LiteMonitor,
    manager: LiteManager,
    words: [u32; COUNT],
    /// What the registers answer to the address of the cycle before.
    answer: Option<u32>,
    chance: Chance,
    /// Chance in a thousand that the manager offers or takes something in a cycle.
    pace: u32,
    cycle: u64,
    /// Accesses taken and not answered, with the cycle and what the answer must be.
    writes: VecDeque<(u64, u8)>,
    reads: VecDeque<(u64, u16)>,
    answered: [u64; 2],
}

fn index(addr: u16) -> Option<usize> {
    let at = usize::from(addr.checked_sub(FIRST)?) / 4;
    (at < COUNT).then_some(at)
}

impl Bench {
    fn new(pace: u32, seed: u64) -> Self {
        println!("seed {seed}, pace {pace}");
        let mut dut = Model::build("axil_slave", &emit::verilog("axil_slave", AxilSlave::default())).unwrap();
        dut.reset(2);
        let port = |name: &str| dut.port(name).unwrap();
        let pin = |name: &str| port(&format!("port${name}"));
        let inputs =
            ["awaddr", "awvalid", "wdata", "wstrb", "wvalid", "bready", "araddr", "arvalid", "rready"];
        let outputs = ["awready", "wready", "bresp", "bvalid", "arready", "rdata", "rresp", "rvalid"];
        let bus = [
            "write",
            "write_addr",
            "write_data",
            "write_hit",
            "read_addr",
            "read_data",
            "read_hit",
            "port$wstrb",
        ];
        Bench {
            inputs: inputs.map(pin),
            outputs: outputs.map(pin),
            bus: bus.map(port),
            dut,
            monitor: LiteMonitor::default(),
            manager: LiteManager::default(),
            words: [0; COUNT],
            answer: None,
            chance: Chance::new(seed),
            pace,
            cycle: 0,
            writes: VecDeque::new(),
            reads: VecDeque::new(),
            answered: [0; 2],
        }
    }

    fn addr(&mut self) -> u16 {
        let near = (FIRST - 8 + self.chance.below(4 * COUNT as u32 + 16) as u16) & !3;
        near + u16::from(self.chance.permille(100)) * self.chance.below(4) as u16
    }

    /// What the manager does next, given what was taken.
    fn next(&mut self, was: &LiteRegisters) {
        let pace = self.pace;
        let m = &mut self.manager;
        m.awvalid &= !was.awready;
        m.wvalid &= !was.wready;
        m.arvalid &= !was.arready;
        if !self.manager.awvalid && self.chance.permille(pace) {
            (self.manager.awaddr, self.manager.awvalid) = (self.addr(), true);
        }
        if !self.manager.wvalid && self.chance.permille(pace) {
            let strobe = if self.chance.permille(900) { 0xF } else { self.chance.below(16) as u8 };
            let mut data = [0; 4];
            self.chance.fill(&mut data);
            (self.manager.wdata, self.manager.wstrb, self.manager.wvalid) =
                (u32::from_le_bytes(data), strobe, true);
        }
        if !self.manager.arvalid && self.chance.permille(pace) {
            (self.manager.araddr, self.manager.arvalid) = (self.addr(), true);
        }
        self.manager.bready = self.chance.permille(pace);
        self.manager.rready = self.chance.permille(pace);
    }

    fn drive(&mut self) {
        let m = self.manager;
        let values = [
            u64::from(m.awaddr),
            m.awvalid.into(),
            m.wdata.into(),
            m.wstrb.into(),
            m.wvalid.into(),
            m.bready.into(),
            m.araddr.into(),
            m.arvalid.into(),
            m.rready.into(),
        ];
        for (port, value) in self.inputs.into_iter().zip(values) {
            self.dut.set(port, value);
        }
        self.dut.eval();
        // The registers answer a write in the same cycle, a read in the next.
        let [_, write_addr, _, write_hit, _, read_data, read_hit, _] = self.bus;
        let write = index(self.dut.get(write_addr) as u16);
        self.dut.set(write_hit, write.is_some().into());
        self.dut.set(read_hit, self.answer.is_some().into());
        self.dut.set(read_data, self.answer.unwrap_or(0).into());
        self.dut.eval();
    }

    fn outputs(&self) -> LiteRegisters {
        let get = self.outputs.map(|port| self.dut.get(port));
        LiteRegisters {
            awready: get[0] == 1,
            wready: get[1] == 1,
            bresp: get[2] as u8,
            bvalid: get[3] == 1,
            arready: get[4] == 1,
            rdata: get[5] as u32,
            rresp: get[6] as u8,
            rvalid: get[7] == 1,
        }
    }

    fn check(&mut self, reset: bool, out: &LiteRegisters) {
        if let Err(rule) = self.monitor.check(reset, &self.manager, out) {
            panic!("cycle {}: {rule}\n{:x?}\n{out:x?}", self.cycle, self.manager);
        }
    }

    fn step(&mut self) {
        self.drive();
        let out = self.outputs();
        self.check(false, &out);
        let m = self.manager;
        let [write, write_addr, write_data, _, read_addr, ..] = self.bus;
        self.answer = index(self.dut.get(read_addr) as u16).map(|i| self.words[i]);
        if self.dut.is_high(write) {
            let addr = self.dut.get(write_addr) as u16;
            if let Some(i) = index(addr) {
                assert_eq!(addr % 4, 0, "a misaligned write acts");
                self.words[i] = self.dut.get(write_data) as u32;
            }
        }
        if out.bvalid && m.bready {
            let (_, response) = self.writes.pop_front().expect("the monitor saw to it");
            assert_eq!(out.bresp, response, "cycle {}", self.cycle);
            self.answered[0] += 1;
        }
        if out.rvalid && m.rready {
            let (_, addr) = self.reads.pop_front().expect("the monitor saw to it");
            let known = index(addr).filter(|_| addr % 4 == 0);
            assert_eq!(out.rresp, if known.is_some() { 0 } else { 2 }, "cycle {} {addr:#x}", self.cycle);
            // A write that acts after the read may have changed the word; tests of values keep reads apart.
            if known.is_none() {
                assert_eq!(out.rdata, 0, "data with an error");
            }
            self.answered[1] += 1;
        }
        for (name, valid, due) in [
            ("B", out.bvalid, self.writes.front().map(|w| w.0)),
            ("R", out.rvalid, self.reads.front().map(|r| r.0)),
        ] {
            if let Some(due) = due {
                assert!(valid || self.cycle < due, "{name} is late in cycle {}", self.cycle);
                assert!(!valid || self.cycle >= due, "{name} is early in cycle {}", self.cycle);
            }
        }
        if m.awvalid && out.awready {
            assert!(m.wvalid && out.wready, "address and word are taken together");
            let write = Write { addr: m.awaddr, data: m.wdata, strobe: m.wstrb };
            let good = index(write.addr).is_some() && write.addr.is_multiple_of(4) && write.strobe == 0xF;
            self.writes.push_back((self.cycle + WRITE_LATENCY, if good { 0 } else { 2 }));
        }
        if m.arvalid && out.arready {
            self.reads.push_back((self.cycle + READ_LATENCY, m.araddr));
        }
        self.dut.cycle();
        self.cycle += 1;
        self.next(&out);
    }

    fn reset(&mut self) {
        self.manager = LiteManager::default();
        for _ in 0..2 {
            self.drive();
            self.dut.reset(1);
            self.dut.eval();
            let out = self.outputs();
            self.check(true, &out);
        }
        self.writes.clear();
        self.reads.clear();
        self.words = [0; COUNT];
    }

    /// One access of the manager, alone.
    fn write(&mut self, write: Write) -> u8 {
        let Write { addr, data, strobe } = write;
        self.manager = LiteManager {
            awaddr: addr,
            awvalid: true,
            wdata: data,
            wstrb: strobe,
            wvalid: true,
            bready: true,
            ..LiteManager::default()
        };
        self.pace = 0;
        for _ in 0..10 {
            self.drive();
            let out = self.outputs();
            self.manager.bready = true;
            self.step();
            self.manager.bready = true;
            if out.bvalid {
                return out.bresp;
            }
        }
        panic!("no answer to {write:x?}");
    }

    fn read(&mut self, addr: u16) -> (u32, u8) {
        self.manager = LiteManager { araddr: addr, arvalid: true, rready: true, ..LiteManager::default() };
        self.pace = 0;
        for _ in 0..10 {
            self.drive();
            let out = self.outputs();
            self.step();
            self.manager.rready = true;
            if out.rvalid {
                return (out.rdata, out.rresp);
            }
        }
        panic!("no answer to a read of {addr:#x}");
    }
}

#[test]
fn random_accesses_with_stalls_on_every_channel() {
    for (seed, pace) in [(1, 1000), (2, 500), (3, 100), (4, 900)] {
        let mut bench = Bench::new(pace, seed);
        for _ in 0..20_000 {
            bench.step();
        }
        let least = if pace == 100 { 200 } else { 1000 };
        assert!(bench.answered.iter().all(|n| *n > least), "{:?} answers", bench.answered);
    }
}

#[test]
fn resets_at_any_time() {
    let mut bench = Bench::new(600, 5);
    for _ in 0..500 {
        for _ in 0..bench.chance.below(40) {
            bench.step();
        }
        bench.reset();
    }
    assert!(bench.answered.iter().all(|n| *n > 500), "{:?} answers", bench.answered);
}

#[test]
fn words_are_written_and_read_back_and_nothing_else_changes() {
    let mut bench = Bench::new(0, 6);
    let good = |addr, data| Write { addr, data, strobe: 0xF };
    for (i, addr) in (FIRST..).step_by(4).take(COUNT).enumerate() {
        assert_eq!(bench.write(good(addr, 0x1111 * i as u32)), 0);
    }
    // A missing strobe, a misaligned address, an address that no one knows: refused, and nothing changes.
    assert_eq!(bench.write(Write { addr: FIRST, data: 7, strobe: 0x7 }), 2);
    assert_eq!(bench.write(good(FIRST + 1, 7)), 2);
    assert_eq!(bench.write(good(FIRST - 4, 7)), 2);
    for (i, addr) in (FIRST..).step_by(4).take(COUNT).enumerate() {
        assert_eq!(bench.read(addr), (0x1111 * i as u32, 0));
    }
    assert_eq!(bench.read(FIRST + 2), (0, 2));
    assert_eq!(bench.read(0), (0, 2));
}
