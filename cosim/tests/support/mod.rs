//! What the block tests of the read side share: host memory on the AXI4 read channels, and chance.

// Every test uses a part of it.
#![allow(dead_code)]

use baton_cosim::{
    axi::{AxiConfig, AxiMemory, ReadMaster, WriteMaster},
    block::{Model, Port},
    monitor::ReadMonitor,
    port::HostMemory,
};

mod chance;

pub use chance::Chance;

/// Length of a core clock cycle for the memory model.
pub const CYCLE_PS: u64 = 10_000;

/// Host memory behind the read channels of a module, with a monitor of the rules of AXI4 between them.
pub struct ReadPins {
    araddr: Port,
    arlen: Port,
    arvalid: Port,
    arready: Port,
    rdata: Port,
    rresp: Port,
    rlast: Option<Port>,
    rvalid: Port,
    rready: Port,
    config: AxiConfig,
    axi: AxiMemory,
    monitor: ReadMonitor,
    pub memory: HostMemory,
    cycle: u64,
    pub bursts: u64,
    pub words: u64,
}

impl ReadPins {
    pub fn new(dut: &Model, config: AxiConfig, memory: HostMemory) -> Self {
        let port = |name: &str| dut.port(name).unwrap();
        ReadPins {
            araddr: port("araddr"),
            arlen: port("arlen"),
            arvalid: port("arvalid"),
            arready: port("arready"),
            rdata: port("rdata"),
            rresp: port("rresp"),
            rlast: dut.port("rlast").ok(),
            rvalid: port("rvalid"),
            rready: port("rready"),
            config,
            axi: AxiMemory::new(config),
            monitor: ReadMonitor::default(),
            memory,
            cycle: 0,
            bursts: 0,
            words: 0,
        }
    }

    /// Sets the module's inputs for this cycle.
    pub fn drive(&self, dut: &mut Model) {
        let read = self.axi.read;
        dut.set(self.arready, read.arready.into());
        dut.set(self.rvalid, read.rvalid.into());
        dut.set(self.rdata, read.rdata.into());
        dut.set(self.rresp, read.rresp.into());
        if let Some(rlast) = self.rlast {
            dut.set(rlast, read.rlast.into());
        }
    }

    /// Most bursts that were outstanding at once.
    pub fn outstanding_max(&self) -> usize {
        self.monitor.outstanding_max
    }

    /// Resets module and memory together; what was under way is forgotten.
    pub fn reset(&mut self, dut: &mut Model) {
        self.axi = AxiMemory::new(AxiConfig { seed: self.config.seed + self.cycle, ..self.config });
        self.drive(dut);
        for _ in 0..2 {
            dut.reset(1);
            dut.eval();
            self.check(true, &self.master(dut));
        }
    }

    fn master(&self, dut: &Model) -> ReadMaster {
        ReadMaster {
            araddr: dut.get(self.araddr) as u32,
            arlen: dut.get(self.arlen) as u8,
            arvalid: dut.is_high(self.arvalid),
            rready: dut.is_high(self.rready),
        }
    }

    fn check(&mut self, reset: bool, master: &ReadMaster) {
        if let Err(rule) = self.monitor.check(reset, master, &self.axi.read) {
            panic!("cycle {}: {rule}\n{master:x?}\n{:x?}", self.cycle, self.axi.read);
        }
    }

    /// Ends the cycle; the module's outputs have settled.
    pub fn clock(&mut self, dut: &Model) {
        let read = self.axi.read;
        let master = self.master(dut);
        self.check(false, &master);
        self.bursts += u64::from(master.arvalid && read.arready);
        self.words += u64::from(read.rvalid && master.rready);
        self.cycle += 1;
        self.axi.clock(
            self.cycle * CYCLE_PS,
            &WriteMaster::default(),
            &master,
            &mut self.memory,
            &mut |_, _| {},
        );
    }
}

/// Memory timing: latency in cycles, and stalls.
pub fn timing(latency: u64, stall_permille: u32, seed: u64) -> AxiConfig {
    AxiConfig {
        read_latency_ps: latency * CYCLE_PS,
        bandwidth_bps: 0,
        stall_permille,
        seed,
        ..AxiConfig::default()
    }
}
