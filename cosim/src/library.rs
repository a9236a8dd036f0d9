//! Verilated modules as shared libraries, built once for each text and kept in `target/verilated`.
//!
//! An entry of the cache appears by one rename, so whoever finds it finds it whole. A lock file keeps two
//! processes from compiling the same entry at the same time; the runtime, which takes longest, is
//! compiled once for all modules.

use crate::verilate::{digest, ports, run, workspace, PortDecl, Verilator, FAST, GATES};
use anyhow::{Context, Result};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// How a module is verilated and compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flavour {
    /// With support for FST waveforms.
    pub trace: bool,
    /// Registers without an initial value, and memories, start at zero, and there are no assertions: for long
    /// runs. Otherwise they start at seeded random values, so that a test fails when a circuit relies on more than its reset.
    pub fast: bool,
}

impl Flavour {
    fn verilator_options(self) -> Vec<&'static str> {
        let mut options = match self.fast {
            true => FAST.to_vec(),
            false => vec!["--x-assign", "unique", "--x-initial", "unique", "--assert"],
        };
        if self.trace {
            options.extend(["--trace-fst", "--trace-structs"]);
        }
        options
    }

    fn compiler_options(self) -> Vec<&'static str> {
        // More optimisation makes the model 2 % faster and its compilation twice as long.
        let mut options = vec!["-O1", "-std=c++20", "-fPIC", "-w", "-fno-gnu-unique", "-fvisibility=hidden"];
        options.extend([
            "-DVM_COVERAGE=0",
            "-DVM_SC=0",
            "-DVM_TIMING=0",
            "-DVM_TRACE_VCD=0",
            "-DVM_TRACE_SAIF=0",
        ]);
        options.extend(match self.trace {
            true => ["-DVM_TRACE=1", "-DVM_TRACE_FST=1"],
            false => ["-DVM_TRACE=0", "-DVM_TRACE_FST=0"],
        });
        options
    }

    fn runtime_sources(self) -> &'static [&'static str] {
        match self.trace {
            true => &["verilated.cpp", "verilated_threads.cpp", "verilated_fst_c.cpp"],
            false => &["verilated.cpp", "verilated_threads.cpp"],
        }
    }
}

/// The library of module `top` in `verilog`, and the ports of the module in the order of its `ports` table.
pub fn build(top: &str, verilog: &str, flavour: Flavour) -> Result<(PathBuf, Vec<PortDecl>)> {
    let tool = Verilator::find()?;
    let identity = tool.identity()?;
    let options = flavour.compiler_options().join(" ");
    let runtime = cached(&format!("runtime-{}", digest(&[&identity, &options])), |dir| {
        for source in flavour.runtime_sources() {
            let object = dir.join(source).with_extension("o");
            let mut compiler = compiler(&tool, flavour);
            compiler.arg("-c").arg(tool.include().join(source)).arg("-o").arg(object);
            run(&mut compiler, "the Verilator runtime does not compile")?;
        }
        Ok(())
    })?;
    let options = [flavour.verilator_options(), flavour.compiler_options()].concat().join(" ");
    let name = format!(
        "{}-{}",
        file_name(top),
        digest(&[&identity, &options, WRAPPER, &GATES.concat(), top, verilog])
    );
    let entry = cached(&name, |dir| {
        let source = dir.join("dut.v");
        fs::write(&source, verilog)?;
        tool.translate(&source, top, &dir.join("cpp"), &flavour.verilator_options())
            .with_context(|| format!("the Verilog is kept in {}", keep(top, verilog)))?;
        let header = fs::read_to_string(dir.join("cpp/Vdut.h"))?;
        let whole = dir.join("cpp/whole.cpp");
        fs::write(&whole, one_unit(&dir.join("cpp"), &wrapper(&ports(&header)))?)?;
        let mut compiler = compiler(&tool, flavour);
        compiler.arg("-I").arg(dir.join("cpp")).arg(&whole).arg("-o").arg(dir.join("dut.so"));
        compiler.args(flavour.runtime_sources().iter().map(|s| runtime.join(s).with_extension("o")));
        compiler.args(["-shared", "-Wl,-Bsymbolic", "-pthread"]);
        if flavour.trace {
            compiler.args(["-llz4", "-lz"]);
        }
        run(&mut compiler, &format!("the verilated C++ of `{top}` does not compile"))
    })?;
    let header = fs::read_to_string(entry.join("cpp/Vdut.h"))?;
    Ok((entry.join("dut.so"), ports(&header)))
}

fn compiler(tool: &Verilator, flavour: Flavour) -> Command {
    let mut command = Command::new("g++");
    command.args(flavour.compiler_options());
    command.arg("-I").arg(tool.include()).arg("-I").arg(tool.include().join("vltstd"));
    command
}

/// All generated sources and the wrapper in one unit, which compiles faster than the parts. What runs only once,
/// Verilator puts into files of its own (`__Slow`); it is not optimised.
fn one_unit(folder: &Path, wrapper: &str) -> Result<String> {
    let (mut fast, mut slow) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".cpp") {
            let list = if name.ends_with("__Slow.cpp") { &mut slow } else { &mut fast };
            list.push(format!("#include \"{name}\"\n"));
        }
    }
    fast.sort();
    slow.sort();
    Ok(format!("{}{wrapper}#pragma GCC optimize (\"O0\")\n{}", fast.concat(), slow.concat()))
}

/// The C interface of the library. Ports are read and written through pointers into the model.
fn wrapper(ports: &[PortDecl]) -> String {
    let table: String = ports.iter().map(|port| format!("        &m->top.{},\n", port.member)).collect();
    WRAPPER.replace("@PORTS@", &table).replace("@COUNT@", &ports.len().max(1).to_string())
}

const WRAPPER: &str = r#"
#include "Vdut.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif
#define BATON_API extern "C" __attribute__((visibility("default")))
namespace {
struct Context : VerilatedContext {
    explicit Context(int seed) { randReset(2); randSeed(seed); traceEverOn(VM_TRACE); }
};
struct Model {
    Context context;
    Vdut top;
#if VM_TRACE
    VerilatedFstC* wave = nullptr;
#endif
    explicit Model(int seed) : context{seed}, top{&context, "top"} {}
};
}
BATON_API void* baton_new(int seed) { return new Model{seed}; }
BATON_API void baton_delete(void* p) {
    Model* m = static_cast<Model*>(p);
    m->top.final();
    delete m;
}
BATON_API void baton_ports(void* p, void** out) {
    Model* m = static_cast<Model*>(p);
    void* table[@COUNT@] = {
@PORTS@    };
    for (unsigned i = 0; i < @COUNT@; ++i) out[i] = table[i];
}
BATON_API void baton_eval(void* p) { static_cast<Model*>(p)->top.eval(); }
#if VM_TRACE
BATON_API void baton_trace_open(void* p, const char* file) {
    Model* m = static_cast<Model*>(p);
    m->wave = new VerilatedFstC;
    m->context.timeunit(-12);
    m->context.timeprecision(-12);
    m->top.trace(m->wave, 99);
    m->wave->open(file);
}
BATON_API void baton_trace_dump(void* p, unsigned long long ps) { static_cast<Model*>(p)->wave->dump(static_cast<uint64_t>(ps)); }
BATON_API void baton_trace_close(void* p) {
    Model* m = static_cast<Model*>(p);
    m->wave->close();
    delete m->wave;
    m->wave = nullptr;
}
#endif
"#;

/// The folder of a cache entry, which `fill` makes in a temporary folder if there is none.
fn cached(name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let cache = cache();
    let entry = cache.join(name);
    if entry.is_dir() {
        return Ok(entry);
    }
    fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
    let lock = File::create(cache.join(format!("{name}.lock")))?;
    lock.lock()?;
    if !entry.is_dir() {
        let work = cache.join(format!("{name}.{}", std::process::id()));
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        fs::create_dir(&work)?;
        let filled = fill(&work);
        if let Err(error) = filled {
            fs::remove_dir_all(&work)?;
            return Err(error);
        }
        fs::rename(&work, &entry)?;
    }
    Ok(entry)
}

fn cache() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    workspace().join(target).join("verilated")
}

/// Leaves a text that was refused where a person can look at it.
fn keep(top: &str, verilog: &str) -> String {
    let path = cache().join(format!("{}.refused.v", file_name(top)));
    match fs::write(&path, verilog) {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("no file ({error})"),
    }
}

fn file_name(top: &str) -> String {
    top.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
