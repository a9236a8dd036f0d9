//! What the block tests of the read side share: host memory on the AXI4 read channels, and chance.

use baton_cosim::{
    axi::{AxiConfig, AxiMemory, ReadMaster, WriteMaster},
    block::{Model, Port},
    port::HostMemory,
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

/// Length of a core clock cycle for the memory model.
pub const CYCLE_PS: u64 = 10_000;

/// A seeded source of chance.
pub struct Chance(ChaCha8Rng);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Chance(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(limit)) >> 32) as u32
    }

    /// True so many times in a thousand.
    pub fn permille(&mut self, chance: u32) -> bool {
        self.below(1000) < chance
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

/// Host memory behind the read channels of a module, and the rules of AXI4 that a master must keep.
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
    axi: AxiMemory,
    pub memory: HostMemory,
    cycle: u64,
    offered: Option<(u32, u8)>,
    outstanding: usize,
    /// Most bursts that were outstanding at once.
    pub outstanding_max: usize,
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
            axi: AxiMemory::new(config),
            memory,
            cycle: 0,
            offered: None,
            outstanding: 0,
            outstanding_max: 0,
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

    /// Ends the cycle; the module's outputs have settled.
    pub fn clock(&mut self, dut: &Model) {
        let read = self.axi.read;
        let master = ReadMaster {
            araddr: dut.get(self.araddr) as u32,
            arlen: dut.get(self.arlen) as u8,
            arvalid: dut.is_high(self.arvalid),
            rready: dut.is_high(self.rready),
        };
        if let Some(offered) = self.offered {
            assert!(master.arvalid, "arvalid fell before arready");
            assert_eq!((master.araddr, master.arlen), offered, "an address changed before arready");
        }
        self.offered = (master.arvalid && !read.arready).then_some((master.araddr, master.arlen));
        if master.arvalid && read.arready {
            let bytes = 4 * (u32::from(master.arlen) + 1);
            assert!(master.arlen < 64, "a burst of {bytes} bytes");
            assert_eq!(master.araddr % 4, 0);
            assert!(master.araddr % 4096 + bytes <= 4096, "{bytes} bytes at {:#x}", master.araddr);
            self.outstanding += 1;
            self.outstanding_max = self.outstanding_max.max(self.outstanding);
            self.bursts += 1;
        }
        if read.rvalid && master.rready {
            self.words += 1;
            self.outstanding -= usize::from(read.rlast);
        }
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
