//! The softcore in Verilator beside the reference.

use crate::encode::FENCE_I;
use crate::reference::{Reference, Retired, DEVICE_WORDS};
use crate::stream::Dice;
use baton_cosim::block::{Model, Port};
use baton_hdl::softcore::System;

/// 64 KiB of memory.
const WORDS: usize = 1 << 14;
/// Cycles in which some instruction must leave the pipeline, asleep or not.
const PATIENCE: u32 = 400;

struct Pins {
    run: Port,
    wake: Port,
    ld: [Port; 3],
    mmio_rdata: Port,
    mmio: [Port; 4],
    asleep: Port,
    rt: [Port; 11],
}

pub struct Bench {
    dut: Model,
    pins: Pins,
    pub reference: Reference,
    devices: Vec<u32>,
    /// Instructions since the start of the program.
    pub count: u64,
    /// How often `wake` is high.
    pub wake_percent: u32,
    /// Words of the last stores, which the next two instructions may have been fetched without.
    stale: [u32; 2],
    /// The reference no longer knows the state of memory and devices.
    lost: bool,
}

impl Bench {
    /// A core with 64 KiB of memory, all zero.
    pub fn new() -> Self {
        let mut bench = Bench::with_words(WORDS);
        bench.load(&[0; WORDS]);
        bench
    }

    /// A core with memory of any size, whose contents are not defined before they are written.
    pub fn with_words(words: usize) -> Self {
        let text = baton_hdl::emit::verilog("softcore", System::new(words));
        let mut dut = Model::build("softcore", &text).unwrap();
        let port = |name: &str| dut.port(name).unwrap();
        let pins = Pins {
            run: port("run"),
            wake: port("wake"),
            ld: ["ld_write", "ld_addr", "ld_data"].map(port),
            mmio_rdata: port("mmio_rdata"),
            mmio: ["mmio_addr", "mmio_read", "mmio_write", "mmio_wdata"].map(port),
            asleep: port("asleep"),
            rt: [
                "rt_valid",
                "rt_pc",
                "rt_insn",
                "rt_rd",
                "rt_wdata",
                "rt_trap",
                "rt_intr",
                "rt_mem_valid",
                "rt_mem_addr",
                "rt_mem_strobe",
                "rt_mem_data",
            ]
            .map(port),
        };
        dut.reset(2);
        Bench {
            dut,
            pins,
            reference: Reference::new(vec![0; words]),
            devices: vec![0; DEVICE_WORDS],
            count: 0,
            wake_percent: 0,
            stale: [0; 2],
            lost: false,
        }
    }

    fn load(&mut self, words: &[u32]) {
        let [write, addr, data] = self.pins.ld;
        self.dut.set(write, 1);
        for (index, word) in words.iter().enumerate() {
            self.dut.set(addr, 4 * index as u64);
            self.dut.set(data, u64::from(*word));
            self.dut.cycle();
        }
        self.dut.set(write, 0);
    }

    /// Loads a program over what is in memory, and starts it.
    pub fn start(&mut self, program: &[u32]) {
        self.dut.set(self.pins.run, 0);
        self.dut.set(self.pins.wake, 0);
        // What is in the commit stage still completes; nothing else may leave a trace.
        for _ in 0..4 {
            if let Some(retired) = self.cycle() {
                self.compare(retired).unwrap();
            }
        }
        let mut ram = std::mem::take(&mut self.reference.bus.ram);
        ram[..program.len()].copy_from_slice(program);
        let registers = self.reference.hart.registers;
        let mut devices = std::mem::take(&mut self.reference.bus.devices);
        if std::mem::take(&mut self.lost) {
            self.load(&ram);
            devices.clone_from(&self.devices);
        } else {
            self.load(program);
        }
        assert_eq!(devices, self.devices, "device registers at the end of the last program");
        self.reference = Reference::new(ram);
        self.reference.keep(registers, devices);
        self.dut.set(self.pins.run, 1);
        self.count = 0;
        self.stale = [0; 2];
    }

    pub fn cycles(&self) -> u64 {
        self.dut.cycles()
    }

    pub fn asleep(&self) -> bool {
        self.dut.is_high(self.pins.asleep)
    }

    /// One cycle: the devices, and the instruction that leaves the pipeline.
    fn cycle(&mut self) -> Option<Retired> {
        self.dut.eval();
        let [valid, pc, insn, rd, wdata, trap, intr, mem_valid, mem_addr, mem_strobe, mem_data] =
            self.pins.rt;
        let get = |port| self.dut.get(port) as u32;
        let retired = self.dut.is_high(valid).then(|| Retired {
            pc: get(pc),
            insn: get(insn),
            rd: get(rd),
            wdata: if get(rd) == 0 { 0 } else { get(wdata) },
            trap: self.dut.is_high(trap),
            intr: self.dut.is_high(intr),
            store: self.dut.is_high(mem_valid).then(|| (get(mem_addr), get(mem_strobe), get(mem_data))),
        });
        let [addr, read, write, data] = self.pins.mmio;
        let index = get(addr) as usize / 4 % DEVICE_WORDS;
        let (read, write, data) = (self.dut.is_high(read), self.dut.is_high(write), get(data));
        if write {
            self.devices[index] = data;
        }
        // Rubbish unless there was a read.
        let answer = if read { self.devices[index] } else { 0xDEAD_0000 | index as u32 };
        self.dut.cycle();
        self.dut.set(self.pins.mmio_rdata, u64::from(answer));
        retired
    }

    /// Runs until one instruction left the pipeline and compares it with the reference. `None` when the program
    /// fetched what it has just written without saying so, which has no defined outcome.
    pub fn lockstep(&mut self, dice: &mut Dice) -> Result<Option<Retired>, String> {
        for _ in 0..PATIENCE {
            if self.wake_percent > 0 {
                let wake = dice.percent(self.wake_percent);
                self.dut.set(self.pins.wake, u64::from(wake));
            } else {
                // Without interrupts about; WFI must end all the same.
                let asleep = self.asleep();
                self.dut.set(self.pins.wake, u64::from(asleep));
            }
            if let Some(retired) = self.cycle() {
                return self.compare(retired);
            }
        }
        Err(format!("no instruction in {PATIENCE} cycles after pc {:#010x}", self.reference.hart.pc))
    }

    fn compare(&mut self, retired: Retired) -> Result<Option<Retired>, String> {
        let fetched = self.reference.hart.pc & !3;
        self.lost |= self.stale.contains(&fetched);
        if self.lost {
            return Ok(None);
        }
        let expected = self.reference.step(&retired);
        if retired != expected {
            return Err(format!("the core did\n  {retired:x?}\nand the reference\n  {expected:x?}"));
        }
        self.count += 1;
        let stored = retired.store.map_or(0, |(addr, ..)| addr & !3);
        self.stale = if retired.insn == FENCE_I && !retired.trap { [0; 2] } else { [stored, self.stale[0]] };
        Ok(Some(retired))
    }

    /// So many cycles with `wake` as given, in lockstep.
    pub fn run_cycles(&mut self, cycles: u32, wake: bool) {
        for _ in 0..cycles {
            self.dut.set(self.pins.wake, u64::from(wake));
            if let Some(retired) = self.cycle() {
                self.compare(retired).unwrap();
            }
        }
        self.dut.eval();
    }
}
