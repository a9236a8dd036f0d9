//! Classifiers and resolvers of several programs in one model, and the interpreter beside each.

use super::chance::Chance;
use baton_cosim::block::{Model, Port};
use baton_hdl::{emit, rx};
use baton_p4::{
    diag::Diagnostics,
    hardware::{self, Hardware, Kind, TableDescription},
    interpreter::{Entries, Input, Interpreter},
    pre::Disk,
    Parsed,
};
use std::{
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    rc::Rc,
};

/// A program and its hardware.
pub struct Source {
    name: String,
    parsed: Parsed,
    hardware: Hardware,
    /// Verilog of classifier and resolver, if it is not the compiler's.
    verilog: Option<String>,
}

impl Source {
    /// The program of the NIC that this is built with, as Rust-HDL emits it.
    pub fn built() -> Source {
        let mut source = Source::at(Path::new(rx::PROGRAM_PATH)).expect("the NIC was built from it");
        let window = emit::verilog("u0_window", rx::Window::default());
        let classifier = emit::verilog("u0_classifier", rx::Classifier::default());
        source.verilog = Some(window + &classifier + &emit::verilog("u0_resolver", rx::Resolver::default()));
        source
    }

    /// One of `p4/programs`.
    pub fn program(name: &str) -> Source {
        let path = root().join(format!("programs/{name}.p4"));
        Source::at(&path).unwrap_or_else(|diagnostics| panic!("{name}: {diagnostics}"))
    }

    /// The valid programs of the compiler's tests, and the names of those that the hardware does not take.
    pub fn valid() -> (Vec<Source>, Vec<String>) {
        let folder = root().join("tests/valid");
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.is_file());
        paths.sort();
        let (mut sources, mut refused) = (vec![], vec![]);
        for path in paths {
            match Source::at(&path) {
                Ok(source) => sources.push(source),
                Err(why) => refused.push(format!("{}: {why}", path.display())),
            }
        }
        (sources, refused)
    }

    fn at(path: &Path) -> Result<Source, String> {
        let checked = baton_p4::check(path, &Default::default(), &Disk).unwrap();
        let ir = checked.ir.expect("the program is right");
        let mut diagnostics = Diagnostics::default();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        match hardware::compile(&ir, &mut diagnostics) {
            Some(hardware) => Ok(Source { name, parsed: checked.parsed, hardware, verilog: None }),
            None => Err(diagnostics.iter().map(|d| d.message.clone()).collect::<Vec<_>>().join("; ")),
        }
    }

    pub fn looks_ahead(&self) -> bool {
        self.hardware.words_ahead > 0
    }

    fn table(&self) -> Option<&TableDescription> {
        self.hardware.control_plane.tables.iter().find(|table| table.kind == Kind::Hash)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../p4")
}

/// Outputs by their ports; the widths are those of the modules.
const PLAIN: [(&str, u32); 5] = [
    ("lookup", 1),
    ("parser_error", 8),
    ("network_offset", 16),
    ("transport_offset", 16),
    ("payload_offset", 16),
];
const LATE: [(&str, u32); 5] =
    [("hit", 1), ("connection", 16), ("drop", 1), ("queue", 8), ("class_of_service", 3)];

struct Ports {
    /// The classifier takes the last word of a frame.
    ends: Port,
    key: Port,
    plain: Vec<Port>,
    late: Vec<Port>,
    found: Port,
    action: Port,
    value: Port,
}

/// Key words to action and value.
type Table = HashMap<Vec<u64>, (u64, u64)>;

struct Unit {
    source: Source,
    ports: Ports,
    table: Table,
    entries: Entries,
    seen: Vec<Vec<u64>>,
    looked_up: u64,
    hits: u64,
    /// Hits of packets over IPv6.
    ipv6_hits: u64,
}

pub struct Rig {
    dut: Model,
    units: Vec<Unit>,
    frames: VecDeque<(Vec<u8>, bool)>,
}

fn wrapper(top: &str, sources: &[Source]) -> String {
    let mut ports = vec![String::from(
        "input wire cr$clock, input wire cr$reset, input wire [31:0] word, input wire valid, input wire last, \
         input wire [14:0] len, input wire from_wire",
    )];
    let mut body = String::new();
    let range = |width: u32| format!("[{}:0]", width - 1);
    for (index, source) in sources.iter().enumerate() {
        let hardware = &source.hardware;
        let keys = std::iter::once(("key".to_string(), 32 * hardware.key_words as u32));
        let plain = PLAIN.iter().map(|(name, width)| (name.to_string(), *width));
        let early: Vec<(String, u32)> = keys.chain(plain).collect();
        let late: Vec<(String, u32)> = LATE.iter().map(|(name, width)| (name.to_string(), *width)).collect();
        let inputs = [("found", 1), ("action", 4), ("value", 16)];
        for (name, width) in &inputs {
            ports.push(format!("input wire {} u{index}_{name}", range(*width)));
        }
        for (name, width) in early.iter().chain(&late) {
            ports.push(format!("output wire {} u{index}_{name}", range(*width)));
        }
        let connect = |names: Vec<&str>| {
            names.iter().map(|name| format!(", .{name}(u{index}_{name})")).collect::<String>()
        };
        let early = connect(early.iter().map(|(name, _)| name.as_str()).collect());
        let late =
            connect(late.iter().map(|(name, _)| name.as_str()).chain(inputs.map(|(name, _)| name)).collect());
        ports.push(format!("output wire u{index}_ends"));
        let clock = ".cr$clock(cr$clock), .cr$reset(cr$reset)";
        let words = [("word", 32), ("valid", 1), ("last", 1), ("len", 15), ("from_wire", 1)];
        let (mut given, mut taken) = (String::new(), String::new());
        for (name, width) in words {
            body += &format!("wire {} u{index}_{name};\n", range(width));
            given += &format!(", .{name}({name}), .head_{name}(u{index}_{name})");
            taken += &format!(", .{name}(u{index}_{name})");
        }
        body += &format!(
            "wire {} u{index}_carry;\nwire {} u{index}_ahead;\n\
             u{index}_window u{index}_w({clock}{given}, .bad_fcs(1'b0), .head_bad_fcs(), .ahead(u{index}_ahead));\n\
             u{index}_classifier u{index}_c({clock}{taken}, .ahead(u{index}_ahead), .carry(u{index}_carry){early});\n\
             u{index}_resolver u{index}_r(.carry(u{index}_carry){late});\n\
             assign u{index}_ends = u{index}_valid && u{index}_last;\n",
            range(hardware.carry_bits),
            range(hardware.window_bits),
        );
    }
    let text = |(index, source): (usize, &Source)| match &source.verilog {
        Some(text) => text.clone(),
        None => source.hardware.verilog(&format!("u{index}_")),
    };
    let modules: String = sources.iter().enumerate().map(text).collect();
    format!("{modules}\nmodule {top}({});\n{body}endmodule\n", ports.join(",\n"))
}

impl Rig {
    pub fn new(top: &str, sources: Vec<Source>) -> Rig {
        let mut dut = Model::build(top, &wrapper(top, &sources)).unwrap();
        let units = sources.into_iter().enumerate().map(|(index, source)| {
            let port = |name: &str| dut.port(&format!("u{index}_{name}")).unwrap();
            let ports = Ports {
                ends: port("ends"),
                key: port("key"),
                plain: PLAIN.iter().map(|(name, _)| port(name)).collect(),
                late: LATE.iter().map(|(name, _)| port(name)).collect(),
                found: port("found"),
                action: port("action"),
                value: port("value"),
            };
            let entries = Entries::default();
            Unit {
                source,
                ports,
                table: Table::new(),
                entries,
                seen: vec![],
                looked_up: 0,
                hits: 0,
                ipv6_hits: 0,
            }
        });
        let units = units.collect();
        dut.reset(2);
        Rig { dut, units, frames: VecDeque::new() }
    }

    /// Adds a frame, which may be one that the host sent back.
    pub fn push(&mut self, frame: Vec<u8>, recirculated: bool) {
        self.frames.push_back((frame, recirculated));
    }

    /// Name, frames that were looked up, and frames that were found, of each program.
    pub fn counts(&self) -> Vec<(String, u64, u64)> {
        self.units.iter().map(|unit| (unit.source.name.clone(), unit.looked_up, unit.hits)).collect()
    }

    /// Of these, packets over IPv6 that were found, in a program.
    pub fn ipv6_hits(&self, program: &str) -> u64 {
        self.units.iter().filter(|unit| unit.source.name == program).map(|unit| unit.ipv6_hits).sum()
    }

    /// Enters every second of the keys that were looked up, with any action.
    pub fn fill(&mut self, chance: &mut Chance) {
        for unit in &mut self.units {
            let Some(table) = unit.source.table().cloned() else { continue };
            unit.seen.sort();
            unit.seen.dedup();
            let most = table.size.min(2000) as usize;
            let mut entries = vec![];
            for (place, key) in unit.seen.iter().enumerate() {
                if unit.table.contains_key(key) || unit.table.len() == most || place % 2 == 1 {
                    continue;
                }
                let action = &table.actions[chance.below(table.actions.len() as u32) as usize];
                let mut value = u64::from(chance.below(1 << 16));
                let fields = action
                    .params
                    .iter()
                    .map(|param| (param.name.clone(), value >> param.low_bit & ((1 << param.bits) - 1)));
                let params: serde_json::Map<_, _> =
                    fields.map(|(name, value)| (name, value.into())).collect();
                if action.params.is_empty() {
                    value = 0;
                }
                let whole: String = key.iter().map(|word| format!("{word:032b}")).collect();
                let bits = |key: &hardware::KeyDescription| {
                    let end = whole.len() - key.low_bit as usize;
                    format!("0b{}", &whole[end - key.bits as usize..end]).into()
                };
                let keys: serde_json::Map<_, _> =
                    table.keys.iter().map(|key| (key.name.clone(), bits(key))).collect();
                unit.table.insert(key.clone(), (action.id.into(), value));
                entries.push(serde_json::json!({
                    "table": table.name, "action": action.name, "key": keys, "params": params
                }));
            }
            let more = Entries::from_json(&serde_json::json!({ "entries": entries }).to_string()).unwrap();
            unit.entries.entries.extend(more.entries);
        }
    }

    /// Sends the frames that wait, and compares what becomes of each; with `resets`, many frames are cut off by one, and
    /// the next begins right behind it. Says how many were compared.
    pub fn run(&mut self, seed: u32, resets: bool) -> u64 {
        let Rig { dut, units, frames } = self;
        let interpreters: Vec<Interpreter> = units
            .iter()
            .map(|unit| {
                let name = &unit.source.name;
                Interpreter::new(&unit.source.parsed, &unit.entries)
                    .unwrap_or_else(|error| panic!("{name}: {error}"))
            })
            .collect();
        // A unit's borrow by its interpreter must not reach its counters.
        let mut checks: Vec<Check> = units.iter().map(|_| Check::default()).collect();
        let mut chance = Chance::new(seed.into());
        let [word, valid, last, len, from_wire] =
            ["word", "valid", "last", "len", "from_wire"].map(|name| dut.port(name).unwrap());
        let mut compared = 0;
        'frames: while let Some((frame, recirculated)) = frames.pop_front() {
            let stored: Vec<u8> = [0, 0].iter().chain(&frame).copied().collect();
            let sent = Rc::new(Frame { bytes: frame, recirculated });
            checks.iter_mut().for_each(|check| check.sent.push_back(Rc::clone(&sent)));
            let count = stored.len().div_ceil(4);
            let pauses = if chance.permille(500) { 0 } else { 300 };
            for (index, bytes) in stored.chunks(4).enumerate() {
                while chance.permille(pauses) {
                    dut.set(valid, 0);
                    step(dut, units, &interpreters, &mut checks, seed);
                }
                if resets && chance.permille(8) {
                    dut.set(valid, chance.below(2).into());
                    dut.reset(1 + chance.below(3));
                    checks.iter_mut().for_each(Check::reset);
                    continue 'frames;
                }
                // Bytes past the end are anything.
                let mut value = [0; 4];
                chance.fill(&mut value);
                value[..bytes.len()].copy_from_slice(bytes);
                dut.set(word, u32::from_le_bytes(value).into());
                dut.set(valid, 1);
                dut.set(last, (index + 1 == count).into());
                dut.set(len, (4 * index + bytes.len()) as u64);
                dut.set(from_wire, (!recirculated).into());
                step(dut, units, &interpreters, &mut checks, seed);
            }
            // Runts are nobody's to classify.
            compared += u64::from(sent.bytes.len() >= RUNT);
        }
        dut.set(valid, 0);
        for _ in 0..CYCLES_MAX {
            step(dut, units, &interpreters, &mut checks, seed);
        }
        drop(interpreters);
        for (unit, mut check) in units.iter_mut().zip(checks) {
            assert!(check.sent.is_empty(), "{}: a frame never ended, seed {seed}", unit.source.name);
            unit.seen.append(&mut check.seen);
            unit.looked_up += check.looked_up;
            unit.hits += check.hits;
            unit.ipv6_hits += check.ipv6_hits;
        }
        compared
    }
}

/// Frames below so many bytes change nothing.
const RUNT: usize = 14;
/// Cycles in which the last frame has been classified.
const CYCLES_MAX: usize = 20;

struct Frame {
    bytes: Vec<u8>,
    recirculated: bool,
}

/// Frames on their way through a unit, and what was found.
#[derive(Default)]
struct Check {
    sent: VecDeque<Rc<Frame>>,
    /// The last word of the first was taken in this cycle.
    ending: [Option<Rc<Frame>>; 3],
    seen: Vec<Vec<u64>>,
    looked_up: u64,
    hits: u64,
    ipv6_hits: u64,
}

impl Check {
    fn reset(&mut self) {
        self.sent.clear();
        self.ending = Default::default();
    }
}

/// A port of so many words, the most significant first.
fn words(dut: &Model, port: Port, count: usize) -> Vec<u64> {
    match count {
        1 => vec![dut.get(port)],
        2 => vec![dut.get(port) >> 32, dut.get(port) & 0xFFFF_FFFF],
        _ => dut.get_wide(port).into_iter().rev().map(u64::from).collect(),
    }
}

/// One cycle; the results of a frame are there in the second cycle behind that of its last word.
fn step(dut: &mut Model, units: &[Unit], interpreters: &[Interpreter], checks: &mut [Check], seed: u32) {
    dut.eval();
    let mut due = false;
    for (unit, check) in units.iter().zip(checks.iter_mut()) {
        check.ending.rotate_right(1);
        check.ending[0] = None;
        if dut.is_high(unit.ports.ends) {
            let frame = check.sent.pop_front();
            let frame =
                frame.unwrap_or_else(|| panic!("{}: an end of no frame, seed {seed}", unit.source.name));
            check.ending[0] = Some(frame).filter(|frame| frame.bytes.len() >= RUNT);
        }
        due |= check.ending[2].is_some();
    }
    if due {
        let mut keys = vec![];
        for (unit, check) in units.iter().zip(checks.iter()) {
            if check.ending[2].is_none() {
                keys.push((vec![], false, false));
                continue;
            }
            let ports = &unit.ports;
            let key = words(dut, ports.key, unit.source.hardware.key_words);
            let looked_up = dut.get(ports.plain[0]) != 0;
            let entry = unit.table.get(&key).filter(|_| looked_up);
            dut.set(ports.found, entry.is_some().into());
            dut.set(ports.action, entry.map_or(0, |entry| entry.0));
            dut.set(ports.value, entry.map_or(0, |entry| entry.1));
            keys.push((key, looked_up, entry.is_some()));
        }
        dut.eval();
        for (((unit, interpreter), (key, looked_up, is_hit)), check) in
            units.iter().zip(interpreters).zip(keys).zip(checks.iter_mut())
        {
            let Some(frame) = check.ending[2].take() else { continue };
            let outcome = interpreter.run_with(&frame.bytes, Input { recirculated: frame.recirculated });
            let want = [
                outcome.parser_error_code as u64,
                outcome.network_offset.into(),
                outcome.transport_offset.into(),
                outcome.payload_offset.into(),
                outcome.hit.into(),
                outcome.connection.into(),
                outcome.drop.into(),
                outcome.queue.into(),
                outcome.class_of_service.into(),
            ];
            let ports = unit.ports.plain[1..].iter().chain(&unit.ports.late);
            let mut got = [0; 9];
            got.iter_mut().zip(ports).for_each(|(got, port)| *got = dut.get(*port));
            if got != want {
                let names: Vec<&str> = PLAIN[1..].iter().chain(&LATE).map(|(name, _)| *name).collect();
                panic!(
                    "{}, seed {seed}: {names:?} are {got:?}, not {want:?}, of {:02x?}, recirculated {}\n{outcome:?}",
                    unit.source.name, frame.bytes, frame.recirculated
                );
            }
            if looked_up && check.seen.len() < 20_000 {
                check.seen.push(key);
            }
            check.looked_up += u64::from(looked_up);
            check.hits += u64::from(is_hit);
            check.ipv6_hits +=
                u64::from(outcome.hit && outcome.headers.iter().any(|header| header.name == "ipv6"));
        }
    }
    dut.cycle();
}
