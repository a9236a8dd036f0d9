//! Figures of the receive path, measured on its emitted Verilog: how close frames of minimum size may come, and how
//! often the lookup table refuses a connection.

use crate::block::{Model, Port};
use crate::library::Flavour;
use anyhow::{ensure, Result};
use baton_abi::mmio::lookup;
use baton_control_plane::{ControlPlane, Part};
use baton_hdl::{emit, rx};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use std::collections::HashSet;

/// Remote address, local address, remote port in the upper and local port in the lower half.
pub type Key = [u32; 3];

const FAST: Flavour = Flavour { trace: false, fast: true };

/// The words of an entry's key in this NIC's table, the least significant first, for a connection over IPv4 without a
/// VLAN. A NIC of a program without a table takes anything.
pub fn entry_key([remote_ip, local_ip, ports]: Key) -> Vec<u32> {
    let mapped = |address: u32| 0xFFFF << 32 | u128::from(address);
    entry_key_of(mapped(remote_ip), mapped(local_ip), ports)
}

/// The same for any connection, by its IPv6 addresses or those that stand for IPv4 addresses.
pub fn entry_key_of(remote_ip: u128, local_ip: u128, ports: u32) -> Vec<u32> {
    let table = ControlPlane::parse(rx::CONTROL_PLANE).and_then(|plane| plane.connections());
    let table = table.expect("the NIC's own description");
    let mut words = table.map_or(vec![0], |table| {
        table.key(|part| match part {
            Part::RemoteAddr => remote_ip,
            Part::LocalAddr => local_ip,
            Part::RemotePort => u128::from(ports >> 16),
            Part::LocalPort => u128::from(ports & 0xFFFF),
            Part::Vlan => 0,
        })
    });
    words.reverse();
    words
}

/// The ports of a lookup operation, which the lookup table and the receive path have in common.
struct Operation {
    key: Port,
    value: Port,
    op: Port,
    start: Port,
    busy: Port,
    outcome: Port,
    found: Port,
}

impl Operation {
    fn new(dut: &Model) -> Result<Operation> {
        Ok(Operation {
            key: dut.port("lk_key")?,
            value: dut.port("lk_value")?,
            op: dut.port("lk_op")?,
            start: dut.port("lk_start")?,
            busy: dut.port("lk_busy")?,
            outcome: dut.port("lk_outcome")?,
            found: dut.port("lk_found")?,
        })
    }

    /// Sets the inputs; `start` is to be lowered after the next cycle.
    fn drive(&self, dut: &mut Model, op: u32, key: Key, value: u16) {
        dut.set_wide(self.key, &entry_key(key));
        dut.set(self.value, value.into());
        dut.set(self.op, op.into());
        dut.set(self.start, 1);
    }
}

/// A lookup table by itself, for `2^A` connections.
pub struct Table {
    dut: Model,
    operation: Operation,
    /// Most cycles that an operation may take: the table is cleared first.
    patience: u32,
}

impl Table {
    /// # Errors
    /// When the table cannot be built.
    pub fn new<const A: usize>() -> Result<Table> {
        let text = emit::verilog("rx_lookup", rx::Lookup::<A, 5, 6>::default());
        let dut = Model::with_flavour("rx_lookup", &text, FAST, 1)?;
        let operation = Operation::new(&dut)?;
        Ok(Table { dut, operation, patience: (1 << A) + 200 })
    }

    /// Empties the table and gives it a key.
    pub fn reset(&mut self, hash_key: [u32; 2]) {
        self.dut.reset(2);
        self.dut.poke("hash_key0", hash_key[0].into());
        self.dut.poke("hash_key1", hash_key[1].into());
    }

    /// Carries out an operation of `abi::mmio::lookup`; its outcome, and the value found.
    ///
    /// # Errors
    /// When it does not end.
    pub fn operate(&mut self, op: u32, key: Key, value: u16) -> Result<(u32, u16)> {
        self.operation.drive(&mut self.dut, op, key, value);
        for _ in 0..self.patience {
            self.dut.cycle();
            self.dut.set(self.operation.start, 0);
            if !self.dut.is_high(self.operation.busy) {
                let outcome = self.dut.get(self.operation.outcome) as u32;
                return Ok((outcome, self.dut.get(self.operation.found) as u16));
            }
        }
        anyhow::bail!("operation {op} of {key:x?} does not end")
    }
}

/// So many different connections of clients with a server: few networks, ephemeral ports.
pub fn connections(rng: &mut ChaCha8Rng, count: usize) -> Vec<Key> {
    let mut seen = HashSet::new();
    while seen.len() < count {
        let random = rng.next_u64();
        let client = 0x0a00_0000 | random as u32 & 0x3ff;
        let port = 32768 + (random >> 32) as u32 % 28232;
        seen.insert([client, 0x0a00_fe01, port << 16 | 80]);
    }
    let mut keys: Vec<Key> = seen.into_iter().collect();
    keys.sort_unstable();
    keys
}

/// Refused insertions, in percent.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// Of the connections that fill an empty table to what it is made for; the mean over all hash keys.
    pub filling: f64,
    /// The same, for the worst of the hash keys.
    pub filling_worst: f64,
    /// Of new connections when each comes after another has left the full table.
    pub changing: f64,
}

/// Fills a table to the `2^A` connections that it is made for, under so many hash keys, and then lets `changes`
/// connections leave and as many others come, at random.
///
/// # Errors
/// When the table cannot be built or does not answer as it must.
pub fn lookup_refused<const A: usize>(seed: u64, hash_keys: u32, changes: usize) -> Result<Refused> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut table = Table::new::<A>()?;
    let count = 1 << A;
    let (mut refused, mut worst, mut late) = (0, 0, 0);
    for _ in 0..hash_keys {
        table.reset([rng.next_u32(), rng.next_u32()]);
        let keys = connections(&mut rng, count + changes);
        let (first, others) = keys.split_at(count);
        let mut standing = Vec::new();
        let insert = |table: &mut Table, standing: &mut Vec<Key>, key: Key| -> Result<usize> {
            match table.operate(lookup::INSERT, key, standing.len() as u16)?.0 {
                lookup::OK => standing.push(key),
                lookup::FULL => return Ok(1),
                outcome => anyhow::bail!("seed {seed}: the insertion of {key:x?} gives {outcome}"),
            }
            Ok(0)
        };
        let mut here = 0;
        for &key in first {
            here += insert(&mut table, &mut standing, key)?;
        }
        for &key in others {
            // A refused connection leaves a place that the next one takes.
            if standing.len() == count - here {
                let leaving = standing.swap_remove(rng.next_u32() as usize % standing.len());
                let (outcome, _) = table.operate(lookup::DELETE, leaving, 0)?;
                ensure!(outcome == lookup::OK, "seed {seed}: the deletion of {leaving:x?} gives {outcome}");
            }
            late += insert(&mut table, &mut standing, key)?;
        }
        refused += here;
        worst = worst.max(here);
    }
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    Ok(Refused {
        filling: percent(refused, count * hash_keys as usize),
        filling_worst: percent(worst, count),
        changing: percent(late, changes * hash_keys as usize),
    })
}

/// Which side of the queues the frames of a measurement go to.
const MIXES: [fn(usize) -> bool; 4] = [
    |_| false,
    |_| true,
    |at| at % 2 == 0,
    // No period that a queue could follow.
    |at| (at as u32).wrapping_mul(0x9e37_79b9) >> 31 == 1,
];

/// Smallest number of cycles between the starts of frames of minimum size (60 bytes without check sequence) at which
/// every one of `count` frames passes parser, checksum and lookup, and the wire never waits: for host packets, NIC
/// packets and two mixes of them, while connections are inserted, deleted and looked up without a pause.
///
/// # Errors
/// When the path cannot be built, or loses frames at every interval.
pub fn min_frame_interval_cycles(count: usize) -> Result<u32> {
    const SLOWEST: u32 = 40;
    let text = emit::verilog("rx_path", rx::DefaultRxPath::default());
    let mut dut = Model::with_flavour("rx_path", &text, FAST, 1)?;
    for interval in (1..=SLOWEST).rev() {
        for to_nic in MIXES {
            if !passes(&mut dut, interval, count, to_nic)? {
                ensure!(interval < SLOWEST, "frames are lost at one every {SLOWEST} cycles");
                return Ok(interval + 1);
            }
        }
    }
    Ok(1)
}

/// The connection of the frames of a measurement, and one that the operations insert and delete.
const CONNECTIONS: [Key; 2] = [[0x0a00_0002, 0x0a00_fe01, 40000 << 16 | 80], [0x0a00_0003, 0x0a00_fe01, 80]];

/// A segment of minimum size, as stream words: four bytes of payload, and two of padding.
fn segment(key: Key) -> [u32; 15] {
    let mut frame = [0u8; 60];
    frame[12..24].copy_from_slice(&[0x08, 0x00, 0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6]);
    for (at, word) in [26, 30, 34].into_iter().zip(key) {
        frame[at..at + 4].copy_from_slice(&word.to_be_bytes());
    }
    frame[46..50].copy_from_slice(&[0x50, 0x10, 0xff, 0xff]);
    frame[54..58].copy_from_slice(b"data");
    let sum = |bytes: &[u8]| -> u32 {
        bytes.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum()
    };
    let fold = |sum: u32| !((sum >> 16) + (sum & 0xffff)) as u16;
    let header = fold(sum(&frame[14..34]));
    let body = fold(sum(&frame[26..58]) + 6 + 24);
    frame[24..26].copy_from_slice(&header.to_be_bytes());
    frame[50..52].copy_from_slice(&body.to_be_bytes());
    let mut words = [0; 15];
    for (word, bytes) in words.iter_mut().zip(frame.chunks_exact(4)) {
        *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    words
}

/// Whether `count` frames, one every `interval` cycles, reach their queues, and the wire never waits.
fn passes(dut: &mut Model, interval: u32, count: usize, to_nic: fn(usize) -> bool) -> Result<bool> {
    let operation = Operation::new(dut)?;
    let [tdata, tkeep, tlast, tvalid, tready] =
        ["tdata", "tkeep", "tlast", "tvalid", "tready"].map(|name| dut.port(&format!("wire_in${name}")));
    let (tdata, tkeep, tlast, tvalid, tready) = (tdata?, tkeep?, tlast?, tvalid?, tready?);
    let (hq_pending, hq_go, hq_valid, hq_pop) =
        (dut.port("hq_pending")?, dut.port("hq_go")?, dut.port("hq_valid")?, dut.port("hq_pop")?);
    let (nq_valid, nq_next, nq_mem_valid, nq_pop) =
        (dut.port("nq_valid")?, dut.port("nq_next")?, dut.port("nq_mem_valid")?, dut.port("nq_pop")?);
    let (to_host, to_queue) = (dut.port("st_host")?, dut.port("st_nic")?);
    let losses = ["st_bad_length", "st_bad_checksum", "st_overflow", "st_host_drop", "st_nic_drop"];
    let losses = losses.map(|name| dut.port(name)).into_iter().collect::<Result<Vec<Port>>>()?;

    dut.poke("promiscuous", 1);
    dut.set(tvalid, 0);
    dut.reset(2);
    // The frames' connection, once the table is cleared.
    operation.drive(dut, lookup::INSERT, CONNECTIONS[0], 1);
    while {
        dut.cycle();
        dut.set(operation.start, 0);
        dut.is_high(operation.busy)
    } {}
    let frames = [segment([1, 2, 3]), segment(CONNECTIONS[0])];
    let (mut sent, mut word, mut since, mut arrived) = (0, 0, 0, [0, 0]);
    let mut operations = (0..3).cycle();
    // After the last frame there is time for what is under way.
    for _ in 0..count as u32 * interval + 4000 {
        if sent < count && (word > 0 || since >= interval || sent == 0) {
            if word == 0 {
                since = 0;
            }
            dut.set(tdata, frames[usize::from(to_nic(sent))][word].into());
            dut.set(tkeep, 15);
            dut.set(tlast, u64::from(word == 14));
            dut.set(tvalid, 1);
        } else {
            dut.set(tvalid, 0);
        }
        since += 1;
        dut.eval();
        if !dut.is_high(operation.busy) {
            let (op, key) = [
                (lookup::INSERT, CONNECTIONS[1]),
                (lookup::FIND, CONNECTIONS[0]),
                (lookup::DELETE, CONNECTIONS[1]),
            ][operations.next().unwrap_or(0)];
            operation.drive(dut, op, key, 2);
        }
        // Readers that keep up.
        dut.set(hq_go, dut.get(hq_pending));
        dut.set(hq_pop, dut.get(hq_valid));
        dut.set(nq_next, dut.get(nq_valid));
        dut.set(nq_pop, dut.get(nq_mem_valid));
        dut.eval();
        if losses.iter().any(|loss| dut.is_high(*loss)) {
            return Ok(false);
        }
        arrived[0] += dut.get(to_host) as usize;
        arrived[1] += dut.get(to_queue) as usize;
        if dut.is_high(tvalid) {
            if !dut.is_high(tready) {
                return Ok(false);
            }
            word += 1;
            if word == 15 {
                (word, sent) = (0, sent + 1);
            }
        }
        dut.cycle();
        dut.set(operation.start, 0);
    }
    let to_queue = (0..count).filter(|at| to_nic(*at)).count();
    ensure!(
        arrived == [count - to_queue, to_queue],
        "{arrived:?} of {count} frames arrived, {to_queue} of them NIC packets"
    );
    Ok(true)
}
