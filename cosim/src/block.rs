//! Any emitted module in Verilator, built when a test asks for it.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! # let verilog = String::new();
//! use baton_cosim::block::Model;
//! let mut dut = Model::build("counter", &verilog)?;
//! let (enable, count) = (dut.port("enable")?, dut.port("count")?);
//! dut.reset(2);
//! dut.set(enable, 1);
//! dut.eval(); // combinational outputs follow the inputs
//! dut.cycle(); // one rising edge of `cr$clock`
//! assert_eq!(dut.get(count), 1);
//! # Ok(())
//! # }
//! ```
//!
//! A test that never races sets inputs, calls [`Model::eval`], reads outputs, and then calls
//! [`Model::cycle`]. Inputs start low, registers and memories at random values
//! from a fixed seed. `BATON_BLOCK_TRACE=file.fst`
//! in the environment records a waveform of the models that a test builds, one after the other
//! (a second model writes `file.1.fst`), with one clock cycle every 10 ns.

use crate::{
    library::{self, Flavour},
    verilate::PortDecl,
};
use anyhow::{bail, Context, Result};
use libloading::Library;
use std::{
    ffi::{c_char, c_int, c_ulonglong, c_void, CString},
    fs::File,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

/// A port of one [`Model`]; using it with another model is a mistake that the name check of `port` cannot see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(usize);

struct PortRef {
    decl: PortDecl,
    data: *mut c_void,
}

type EvalFn = unsafe extern "C" fn(*mut c_void);
type DumpFn = unsafe extern "C" fn(*mut c_void, c_ulonglong);

struct Wave {
    dump: DumpFn,
    close: EvalFn,
    next_ps: u64,
}

/// A verilated module.
pub struct Model {
    handle: *mut c_void,
    eval: EvalFn,
    delete: EvalFn,
    ports: Vec<PortRef>,
    clock: Option<Port>,
    cycles: u64,
    wave: Option<Wave>,
    // Declared last: the code must outlive everything that points into it.
    _library: Library,
}

/// Picoseconds of a clock cycle in block waveforms.
const WAVE_PERIOD_PS: u64 = 10_000;

static WAVES: AtomicUsize = AtomicUsize::new(0);

impl Model {
    /// Verilates and loads module `top` of `verilog`, or takes it from the cache.
    pub fn build(top: &str, verilog: &str) -> Result<Model> {
        let wave = std::env::var("BATON_BLOCK_TRACE").ok().filter(|path| !path.is_empty());
        let mut model = Model::with_flavour(top, verilog, Flavour { trace: wave.is_some(), fast: false }, 1)?;
        if let Some(path) = wave {
            let path = match WAVES.fetch_add(1, Ordering::Relaxed) {
                0 => path,
                n => format!("{}.{n}.fst", path.trim_end_matches(".fst")),
            };
            model.trace_to(Path::new(&path))?;
        }
        Ok(model)
    }

    /// As [`Model::build`], for a given flavour and seed of the initial values.
    pub fn with_flavour(top: &str, verilog: &str, flavour: Flavour, seed: i32) -> Result<Model> {
        let (path, decls) = library::build(top, verilog, flavour)?;
        // SAFETY: the library was made by `library::build` from our wrapper; its initialisers are those of the
        // Verilator runtime, and the signatures below are those of the wrapper.
        unsafe {
            let library = Library::new(&path).with_context(|| format!("cannot load {}", path.display()))?;
            let new = *library.get::<unsafe extern "C" fn(c_int) -> *mut c_void>(b"baton_new")?;
            let delete = *library.get::<EvalFn>(b"baton_delete")?;
            let eval = *library.get::<EvalFn>(b"baton_eval")?;
            let locate =
                *library.get::<unsafe extern "C" fn(*mut c_void, *mut *mut c_void)>(b"baton_ports")?;
            let handle = new(seed.max(1));
            let mut data = vec![std::ptr::null_mut(); decls.len().max(1)];
            locate(handle, data.as_mut_ptr());
            let ports = decls.into_iter().zip(data).map(|(decl, data)| PortRef { decl, data }).collect();
            let mut model =
                Model { handle, eval, delete, ports, clock: None, cycles: 0, wave: None, _library: library };
            model.clock = model.port("cr$clock").or_else(|_| model.port("clock")).ok();
            model.start();
            Ok(model)
        }
    }

    /// All inputs low, and settled: the first rising edge of a clock then is one.
    fn start(&mut self) {
        for index in 0..self.ports.len() {
            match self.ports[index].decl {
                PortDecl { input: false, .. } => {}
                PortDecl { width: 0..=64, .. } => self.set(Port(index), 0),
                _ => self.set_wide(Port(index), &[]),
            }
        }
        self.eval();
    }

    /// Records all signals to an FST file from here on. The model must be of a flavour with `trace`.
    pub fn trace_to(&mut self, file: &Path) -> Result<()> {
        let name = CString::new(file.as_os_str().as_encoded_bytes())?;
        File::create(file).with_context(|| format!("cannot write a waveform to {}", file.display()))?;
        // SAFETY: signatures as in the wrapper; a library without tracing lacks the symbols and is refused.
        unsafe {
            let open = *self
                ._library
                .get::<unsafe extern "C" fn(*mut c_void, *const c_char)>(b"baton_trace_open")
                .context("the model was built without waveform support")?;
            let dump = *self._library.get::<DumpFn>(b"baton_trace_dump")?;
            let close = *self._library.get::<EvalFn>(b"baton_trace_close")?;
            self.trace_end();
            open(self.handle, name.as_ptr());
            self.wave = Some(Wave { dump, close, next_ps: 0 });
        }
        Ok(())
    }

    /// Ends the recording and completes its file.
    pub fn trace_end(&mut self) {
        if let Some(wave) = self.wave.take() {
            // SAFETY: the function belongs to the library that made the handle.
            unsafe { (wave.close)(self.handle) }
        }
    }

    /// The port of this Verilog name, such as `stream$tdata`.
    pub fn port(&self, name: &str) -> Result<Port> {
        match self.ports.iter().position(|port| port.decl.name == name) {
            Some(index) => Ok(Port(index)),
            None => {
                let names: Vec<&str> = self.ports.iter().map(|port| port.decl.name.as_str()).collect();
                bail!("no port `{name}`; there are {}", names.join(", "))
            }
        }
    }

    /// Names, widths and directions of all ports.
    pub fn ports(&self) -> impl Iterator<Item = &PortDecl> {
        self.ports.iter().map(|port| &port.decl)
    }

    /// Sets an input of at most 64 bits.
    ///
    /// # Panics
    /// When the port is an output or too wide, or the value does not fit it.
    pub fn set(&mut self, port: Port, value: u64) {
        let PortRef { ref decl, data } = self.ports[port.0];
        assert!(decl.input, "`{}` is an output", decl.name);
        assert!(
            decl.width >= 64 || value >> decl.width == 0,
            "{value:#x} does not fit `{}` of {} bits",
            decl.name,
            decl.width
        );
        // SAFETY: Verilator stores a port in the least of 8, 16, 32 and 64 bits that holds its width, and
        // `data` points to that member of the live model.
        unsafe {
            match decl.width {
                0..=8 => *data.cast::<u8>() = value as u8,
                9..=16 => *data.cast::<u16>() = value as u16,
                17..=32 => *data.cast::<u32>() = value as u32,
                33..=64 => *data.cast::<u64>() = value,
                width => panic!("`{}` has {width} bits: use set_wide", decl.name),
            }
        }
    }

    /// The value of a port of at most 64 bits.
    ///
    /// # Panics
    /// When the port is wider.
    pub fn get(&self, port: Port) -> u64 {
        let PortRef { ref decl, data } = self.ports[port.0];
        // SAFETY: as in `set`.
        unsafe {
            match decl.width {
                0..=8 => u64::from(*data.cast::<u8>()),
                9..=16 => u64::from(*data.cast::<u16>()),
                17..=32 => u64::from(*data.cast::<u32>()),
                33..=64 => *data.cast::<u64>(),
                width => panic!("`{}` has {width} bits: use get_wide", decl.name),
            }
        }
    }

    /// Whether a one-bit port is high.
    pub fn is_high(&self, port: Port) -> bool {
        self.get(port) != 0
    }

    /// Sets an input of more than 64 bits, least significant word first; words left out are zero.
    pub fn set_wide(&mut self, port: Port, words: &[u32]) {
        let PortRef { ref decl, data } = self.ports[port.0];
        let count = decl.width.div_ceil(32);
        assert!(decl.input && decl.width > 64 && words.len() <= count, "set_wide on `{}`", decl.name);
        let (last, bits) = (words.get(count - 1).copied().unwrap_or(0), decl.width % 32);
        assert!(bits == 0 || last >> bits == 0, "the value does not fit `{}`", decl.name);
        // SAFETY: Verilator stores a port wider than 64 bits as an array of 32-bit words.
        let target = unsafe { std::slice::from_raw_parts_mut(data.cast::<u32>(), count) };
        target.fill(0);
        target[..words.len()].copy_from_slice(words);
    }

    /// The value of a port of more than 64 bits, least significant word first.
    pub fn get_wide(&self, port: Port) -> Vec<u32> {
        let PortRef { ref decl, data } = self.ports[port.0];
        assert!(decl.width > 64, "`{}` has {} bits: use get", decl.name, decl.width);
        // SAFETY: as in `set_wide`.
        unsafe { std::slice::from_raw_parts(data.cast::<u32>(), decl.width.div_ceil(32)) }.to_vec()
    }

    /// Sets an input by name: for configuration, not for a loop.
    ///
    /// # Panics
    /// When there is no such input, or the value does not fit.
    pub fn poke(&mut self, name: &str, value: u64) {
        let port = self.port(name).unwrap_or_else(|error| panic!("{error}"));
        self.set(port, value);
    }

    /// The value of a port by name.
    ///
    /// # Panics
    /// When there is no such port.
    pub fn peek(&self, name: &str) -> u64 {
        self.get(self.port(name).unwrap_or_else(|error| panic!("{error}")))
    }

    /// Settles combinational logic. A change of a clock input is an edge.
    pub fn eval(&mut self) {
        // SAFETY: the handle is live and the function is its own.
        unsafe { (self.eval)(self.handle) }
    }

    /// One cycle of the clock, which is `cr$clock`, or `clock` in a top with plain names: rising edge, outputs settle,
    /// falling edge.
    ///
    /// # Panics
    /// When the module has no clock.
    pub fn cycle(&mut self) {
        let clock = self.clock.expect("the module has no input `cr$clock` or `clock`");
        self.eval_at(0);
        self.set(clock, 1);
        self.eval_at(WAVE_PERIOD_PS / 2);
        self.set(clock, 0);
        self.eval_at(WAVE_PERIOD_PS);
        self.cycles += 1;
    }

    fn eval_at(&mut self, offset_ps: u64) {
        // Without a waveform the inputs settle as part of the rising edge.
        if offset_ps > 0 || self.wave.is_some() {
            self.eval();
            self.dump(self.cycles * WAVE_PERIOD_PS + offset_ps.saturating_sub(1));
        }
    }

    /// Adds the values of all signals to the waveform, if one is recorded and has nothing of this time or later.
    pub fn dump(&mut self, time_ps: u64) {
        if let Some(wave) = self.wave.as_mut().filter(|wave| time_ps >= wave.next_ps) {
            wave.next_ps = time_ps + 1;
            // SAFETY: as in `trace_end`.
            unsafe { (wave.dump)(self.handle, time_ps) }
        }
    }

    /// Holds `cr$reset`, or `reset`, high for so many cycles, and then low.
    pub fn reset(&mut self, cycles: u32) {
        let name = if self.port("cr$reset").is_ok() { "cr$reset" } else { "reset" };
        self.poke(name, 1);
        for _ in 0..cycles {
            self.cycle();
        }
        self.poke(name, 0);
        self.eval();
    }

    /// Cycles since the model was built.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.trace_end();
        // SAFETY: the handle came from `baton_new` of the library that is still loaded, and dies here.
        unsafe { (self.delete)(self.handle) }
    }
}
