//! From the description of the NIC to its compiled model.

use crate::{
    gates::{Gates, WRAPPER},
    header::pins_header,
    regions::Regions,
    verilate::{Verilator, FAST},
};
use anyhow::{Context, Result};
use baton_hdl::nic::NicConfig;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Core memory for the firmware with the most connections; an image for less uses a part of it.
const CORE_MEMORY_BYTES: u32 = 2 << 20;

pub fn build() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let config = NicConfig { core_memory_bytes: CORE_MEMORY_BYTES, ..NicConfig::default() };
    fs::write(out.join("nic_top.v"), baton_hdl::nic::verilog(&config))?;
    let gated = baton_hdl::nic::gated(&config, WRAPPER);
    let gates = Gates::new(&gated)?;
    let source = out.join("nic_sim.v");
    fs::write(&source, format!("{}{}", gated.text, gates.wrapper()))?;
    let folder = out.join("verilated");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let tool = Verilator::find()?;
    // Functions of their own cost less than the locals of all of them in one.
    let options = [FAST, &["--inline-cfuncs", "0"]].concat();
    tool.translate(&source, WRAPPER, &folder, &options)?;
    let sources = verilated_sources(&folder)?;
    // What runs only once, Verilator puts into files of its own.
    let is_slow = |path: &&PathBuf| path.to_string_lossy().ends_with("__Slow.cpp");
    let text: String =
        sources.iter().filter(|path| !is_slow(path)).map(fs::read_to_string).collect::<Result<_, _>>()?;
    let regions = Regions::of(&text)?;
    fs::write(folder.join("nic_pins.h"), pins_header(&gates, &regions)?)?;
    for source in &sources {
        if let Some(text) = regions.rewrite(&fs::read_to_string(source)?) {
            fs::write(source, text)?;
        }
    }

    let mut model = cxx_build::bridge("src/nic/verilated.rs");
    settings(&mut model, &tool, &folder).opt_level(2);
    model.files(sources.iter().filter(|path| !is_slow(path)));
    model.try_compile("baton_nic").context("the verilated NIC does not compile")?;
    let mut start = cc::Build::new();
    settings(start.cpp(true), &tool, &folder).opt_level(0);
    start.files(sources.iter().filter(is_slow));
    start.try_compile("baton_nic_start").context("the start of the verilated NIC does not compile")?;
    let mut runtime = cc::Build::new();
    settings(runtime.cpp(true), &tool, &folder).opt_level(1);
    runtime.files(["verilated.cpp", "verilated_threads.cpp"].map(|file| tool.include().join(file)));
    runtime.try_compile("baton_nic_runtime").context("the Verilator runtime does not compile")?;
    println!("cargo:rustc-link-lib=pthread");
    Ok(())
}

fn settings<'a>(compiler: &'a mut cc::Build, tool: &Verilator, folder: &Path) -> &'a mut cc::Build {
    compiler.std("c++20").debug(false).warnings(false).extra_warnings(false).flag_if_supported("-w");
    compiler
        .include(folder)
        .include("src/nic")
        .include(tool.include())
        .include(tool.include().join("vltstd"));
    for name in ["COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF"] {
        compiler.define(&format!("VM_{name}"), "0");
    }
    compiler
}

fn verilated_sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "cpp") {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}
