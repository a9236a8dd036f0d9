//! A random master against memory with random stalls, compared with plain copies.

use super::*;

const BASE: u32 = 0x4000;
const BYTES: u32 = 0x4000;

/// Offers bursts one after the other, and stalls at random itself.
struct Master {
    rng: ChaCha8Rng,
    write: WriteMaster,
    read: ReadMaster,
    addresses: VecDeque<(u32, u8)>,
    data: VecDeque<(u32, u8, bool)>,
    reads: VecDeque<(u32, u8)>,
    responses: Vec<u8>,
    /// Data and response code of each word read, and whether it was the last.
    words: Vec<(u32, u8, bool)>,
}

impl Master {
    fn new(seed: u64) -> Self {
        Master {
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0xA5A5),
            write: WriteMaster::default(),
            read: ReadMaster::default(),
            addresses: VecDeque::new(),
            data: VecDeque::new(),
            reads: VecDeque::new(),
            responses: Vec::new(),
            words: Vec::new(),
        }
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.rng.next_u32() % limit
    }

    /// The edge that ends a cycle in which memory drove these.
    fn clock(&mut self, write: &WriteMemory, read: &ReadMemory) {
        if self.write.awvalid && write.awready {
            self.write.awvalid = false;
        }
        if self.write.wvalid && write.wready {
            self.write.wvalid = false;
        }
        if write.bvalid && self.write.bready {
            self.responses.push(write.bresp);
        }
        if self.read.arvalid && read.arready {
            self.read.arvalid = false;
        }
        if read.rvalid && self.read.rready {
            self.words.push((read.rdata, read.rresp, read.rlast));
        }
        if !self.write.awvalid && self.below(3) == 0 {
            if let Some((addr, len)) = self.addresses.pop_front() {
                (self.write.awaddr, self.write.awlen, self.write.awvalid) = (addr, len, true);
            }
        }
        if !self.write.wvalid && self.below(4) > 0 {
            if let Some((data, strobe, last)) = self.data.pop_front() {
                (self.write.wdata, self.write.wstrb, self.write.wlast) = (data, strobe, last);
                self.write.wvalid = true;
            }
        }
        if !self.read.arvalid && self.below(3) == 0 {
            if let Some((addr, len)) = self.reads.pop_front() {
                (self.read.araddr, self.read.arlen, self.read.arvalid) = (addr, len, true);
            }
        }
        self.write.bready = self.below(2) == 0;
        self.read.rready = self.below(4) > 0;
    }

    fn is_done(&self, writes: usize, words: usize) -> bool {
        self.responses.len() == writes && self.words.len() == words
    }
}

fn drive(
    master: &mut Master,
    axi: &mut AxiMemory,
    memory: &mut HostMemory,
    writes: usize,
    words: usize,
) -> u64 {
    for cycle in 1..200_000u64 {
        if master.is_done(writes, words) && axi.is_idle() {
            return cycle;
        }
        let (write, read) = (master.write, master.read);
        let (memory_write, memory_read) = (axi.write, axi.read);
        master.clock(&memory_write, &memory_read);
        axi.clock(cycle * 2500, &write, &read, memory, &mut |_, _| {});
    }
    panic!(
        "bursts are unfinished: {} of {writes}, {} of {words}",
        master.responses.len(),
        master.words.len()
    );
}

fn random_config(seed: u64) -> AxiConfig {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    AxiConfig {
        read_latency_ps: u64::from(rng.next_u32() % 300_000),
        write_latency_ps: u64::from(rng.next_u32() % 300_000),
        bandwidth_bps: [0, 8_000_000_000, 12_345_678_901][rng.next_u32() as usize % 3],
        outstanding: 1 + rng.next_u32() as usize % 8,
        stall_permille: [0, 100, 700][rng.next_u32() as usize % 3],
        seed,
    }
}

#[test]
fn random_bursts_do_what_copies_do() {
    for seed in 0..40 {
        let mut axi = AxiMemory::new(random_config(seed));
        let mut memory = HostMemory::new(BASE, BYTES);
        let mut reference = vec![0u8; BYTES as usize];
        let mut master = Master::new(seed);
        let mut codes = Vec::new();
        for _ in 0..60 {
            let words = 1 + master.below(64);
            let addr = BASE - 0x1000 + 4 * master.below((BYTES + 0x2000) / 4);
            let words = words.min((0x1000 - (addr & 0xFFF)) / 4);
            let inside = (BASE..BASE + BYTES).contains(&addr);
            codes.push(if inside { OKAY } else { SLVERR });
            master.addresses.push_back((addr, (words - 1) as u8));
            for word in 0..words {
                let (data, strobe) = (master.rng.next_u32(), master.below(16) as u8);
                master.data.push_back((data, strobe, word + 1 == words));
                for lane in (0..4).filter(|lane| inside && strobe >> lane & 1 == 1) {
                    reference[(addr - BASE + 4 * word + lane) as usize] = data.to_le_bytes()[lane as usize];
                }
            }
        }
        drive(&mut master, &mut axi, &mut memory, codes.len(), 0);
        assert_eq!(master.responses, codes, "seed {seed}");
        assert_eq!(memory.slice(BASE, BYTES as usize), reference, "seed {seed}");

        let mut expected = Vec::new();
        for page in (BASE - 0x1000..BASE + BYTES + 0x1000).step_by(0x1000) {
            let words = 1 + master.below(64);
            master.reads.push_back((page, (words - 1) as u8));
            let inside = (BASE..BASE + BYTES).contains(&page);
            for word in 0..words {
                let data = if inside { memory.read_word(page + 4 * word) } else { 0 };
                expected.push((data, if inside { OKAY } else { SLVERR }, word + 1 == words));
            }
        }
        drive(&mut master, &mut axi, &mut memory, codes.len(), expected.len());
        assert_eq!(master.words, expected, "seed {seed}");
    }
}

#[test]
fn the_same_seed_takes_the_same_time() {
    let time = || {
        let mut master = Master::new(3);
        master.reads.extend((0..20).map(|n| (BASE + 0x100 * n, 63)));
        let config = AxiConfig { stall_permille: 300, ..AxiConfig::default() };
        drive(&mut master, &mut AxiMemory::new(config), &mut HostMemory::new(BASE, BYTES), 0, 20 * 64)
    };
    assert_eq!(time(), time());
}

#[test]
fn latency_and_bandwidth_are_those_asked_for() {
    // A master that is always ready, so that only memory decides.
    let config = AxiConfig {
        read_latency_ps: 100_000,
        bandwidth_bps: 4_000_000_000,
        stall_permille: 0,
        ..AxiConfig::default()
    };
    let (mut axi, mut memory) = (AxiMemory::new(config), HostMemory::new(BASE, BYTES));
    let mut read = ReadMaster { araddr: BASE, arlen: 63, arvalid: true, rready: true };
    let mut taken = Vec::new();
    for cycle in 1..2000u64 {
        let was = axi.read;
        axi.clock(cycle * 2500, &WriteMaster::default(), &read, &mut memory, &mut |_, _| {});
        read.arvalid &= !was.arready;
        if was.rvalid {
            taken.push(cycle * 2500);
        }
    }
    assert_eq!(taken.len(), 64);
    // Address taken at the second edge, data 100 ns later, its transfer a cycle after that.
    assert_eq!(taken[0], 2 * 2500 + 100_000 + 2500);
    // 32 bits at 4 Gb/s take 8 ns; the first two words may follow each other at once.
    // Each transfer is at a clock edge.
    assert!((taken[63] - taken[1]).abs_diff(62 * 8000) < 2500);
}

#[test]
fn data_is_in_memory_no_sooner_than_its_response() {
    let config = AxiConfig { write_latency_ps: 50_000, ..AxiConfig::default() };
    let (mut axi, mut memory) = (AxiMemory::new(config), HostMemory::new(BASE, BYTES));
    let mut write = WriteMaster {
        awaddr: BASE,
        awvalid: true,
        wdata: 7,
        wstrb: 15,
        wlast: true,
        wvalid: true,
        ..WriteMaster::default()
    };
    let mut seen = 0;
    for cycle in 1..100u64 {
        let was = axi.write;
        axi.clock(cycle * 2500, &write, &ReadMaster::default(), &mut memory, &mut |access, burst| {
            assert_eq!((access, burst.addr, burst.words), (Access::Write, BASE, &[7][..]));
            seen += 1;
        });
        write.awvalid &= !was.awready;
        write.wvalid &= !was.wready;
        assert_eq!(memory.read_word(BASE) == 7, axi.write.bvalid);
    }
    assert_eq!(seen, 1);
    assert!(axi.write.bvalid, "the response waits for bready");
}
