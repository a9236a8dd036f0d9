//! What yosys and nextpnr report: cells by block, frequency by clock, the critical path by name.

use anyhow::{bail, Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Cells of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// LUTs of logic, as yosys counts them.
    pub lut4: u64,
    /// LUTs that nextpnr has to place: those of logic, two in each carry cell, and six for 64 bits of distributed memory.
    pub placed: u64,
    pub ff: u64,
    pub dp16kd: u64,
    pub mult18: u64,
}

impl Cells {
    fn read(module: &Value) -> Cells {
        let count = |cell: &str| module["num_cells_by_type"][cell].as_u64().unwrap_or(0);
        Cells {
            lut4: count("LUT4"),
            placed: count("LUT4") + 2 * count("CCU2C") + 6 * count("TRELLIS_DPR16X4"),
            ff: count("TRELLIS_FF"),
            dp16kd: count("DP16KD"),
            mult18: count("MULT18X18D"),
        }
    }

    fn plus(self, other: Cells) -> Cells {
        Cells {
            lut4: self.lut4 + other.lut4,
            placed: self.placed + other.placed,
            ff: self.ff + other.ff,
            dp16kd: self.dp16kd + other.dp16kd,
            mult18: self.mult18 + other.mult18,
        }
    }
}

/// LUT4, flip-flops, DP16KD and MULT18X18D of a device (Lattice FPGA-DS-02012).
fn device(name: &str) -> Result<Cells> {
    let (lut4, dp16kd, mult18) = match name.trim_start_matches("um5g-").trim_start_matches("um-") {
        "25k" => (24_288, 56, 28),
        "45k" => (43_848, 108, 72),
        "85k" => (83_640, 208, 156),
        _ => bail!("no device {name}"),
    };
    Ok(Cells { lut4, placed: lut4, ff: lut4, dp16kd, mult18 })
}

/// Share of a device's block RAM, in percent to a tenth.
pub fn percent_of_block_ram(total: Cells, device_name: &str) -> Result<f64> {
    Ok((total.dp16kd as f64 * 1000.0 / device(device_name)?.dp16kd as f64).round() / 10.0)
}

/// Cells of each block, in the order of the table, and of what is in none.
pub struct Blocks(Vec<(String, Cells)>);

impl Blocks {
    /// From `stat -json` of a design whose blocks are modules of their own.
    pub fn read(path: &Path, names: &[(&str, &str)]) -> Result<Blocks> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Blocks::parse(&text, names).with_context(|| format!("{} is damaged", path.display()))
    }

    fn parse(text: &str, names: &[(&str, &str)]) -> Result<Blocks> {
        let stat: Value = serde_json::from_str(text)?;
        let modules = stat["modules"].as_object().context("no modules")?;
        let mut blocks: Vec<(String, Cells)> =
            names.iter().map(|(_, name)| (name.to_string(), Cells::default())).collect();
        blocks.push(("other".into(), Cells::default()));
        for (module, values) in modules {
            // The longest suffix is the most exact one.
            let at =
                (0..names.len()).filter(|i| module.ends_with(names[*i].0)).max_by_key(|i| names[*i].0.len());
            let block = &mut blocks[at.unwrap_or(names.len())];
            block.1 = block.1.plus(Cells::read(values));
        }
        blocks.retain(|(_, cells)| *cells != Cells::default());
        Ok(Blocks(blocks))
    }

    pub fn total(&self) -> Cells {
        self.0.iter().fold(Cells::default(), |sum, (_, cells)| sum.plus(*cells))
    }

    pub fn named(&self) -> impl Iterator<Item = (&str, Cells)> {
        self.0.iter().map(|(name, cells)| (name.as_str(), *cells))
    }

    /// Prints the table, and whether the device has as much of everything.
    pub fn print(&self, board: &str, device_name: &str) -> Result<bool> {
        let have = device(device_name)?;
        println!("\n{board}, {device_name}: cells by block");
        println!("  {:<24} {:>7} {:>7} {:>7} {:>7} {:>7}", "", "LUT4", "placed", "FF", "DP16KD", "MULT18");
        let line = |name: &str, c: Cells| {
            println!(
                "  {name:<24} {:>7} {:>7} {:>7} {:>7} {:>7}",
                c.lut4, c.placed, c.ff, c.dp16kd, c.mult18
            );
        };
        self.named().for_each(|(name, cells)| line(name, cells));
        let total = self.total();
        line("total", total);
        line("the device has", have);
        let mut fits = true;
        for (what, need, have) in [
            ("LUTs", total.placed, have.placed),
            ("flip-flops", total.ff, have.ff),
            ("DP16KD", total.dp16kd, have.dp16kd),
            ("MULT18X18D", total.mult18, have.mult18),
        ] {
            if need > have {
                println!("  does not fit: {need} {what}, and the device has {have}");
                fits = false;
            }
        }
        Ok(fits)
    }
}

/// Frequencies and the critical path of the core clock, of one run of nextpnr.
pub struct Timing {
    /// MHz by clock: `core`, `tx`, `rx0`, `rx1`, or the name that nextpnr has.
    pub fmax: BTreeMap<String, f64>,
    /// The steps of the path, each with its delay in nanoseconds.
    pub path: Vec<String>,
}

/// Of both sides of RGMII at 1000 Mb/s.
const LINE_MHZ: f64 = 125.0;

/// What a clock has to reach for a core at `core_mhz`.
pub fn needed_mhz(clock: &str, core_mhz: f64) -> f64 {
    if clock == "core" {
        core_mhz
    } else {
        LINE_MHZ
    }
}

/// nextpnr's name of a clock, and ours.
fn clock_name(net: &str) -> String {
    let net = net.trim_start_matches("$glbnet$");
    let known = [("core_out", "core"), ("line_out", "tx"), ("eth0_rx_clk", "rx0"), ("eth1_rx_clk", "rx1")];
    let known = known.iter().chain(&[("pll$core", "core"), ("pll$line", "tx"), ("tx_cr$clock", "tx")]);
    let known = known.chain(&[("tx0_", "tx"), ("tx1_", "tx"), ("cr$clock", "core")]);
    let known = known.filter(|(part, _)| net.contains(part));
    // The softcore by itself has one clock.
    let known =
        known.chain(net.starts_with("clock").then_some(&("", "core"))).map(|(_, name)| name.to_string());
    known.into_iter().next().unwrap_or_else(|| net.to_string())
}

impl Timing {
    /// How many times what it needs the clock reaches that has the least of it.
    pub fn margin(&self, core_mhz: f64) -> f64 {
        let margins = self.fmax.iter().map(|(clock, mhz)| mhz / needed_mhz(clock, core_mhz));
        margins.fold(f64::INFINITY, f64::min)
    }

    pub fn read(path: &Path) -> Result<Timing> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Timing::parse(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    fn parse(text: &str) -> Result<Timing> {
        let report: Value = serde_json::from_str(text)?;
        let mut fmax = BTreeMap::new();
        for (clock, value) in report["fmax"].as_object().context("no fmax")? {
            fmax.insert(clock_name(clock), value["achieved"].as_f64().context("no frequency")?);
        }
        let is_core = |path: &&Value| {
            let side =
                |end: &str| clock_name(path[end].as_str().unwrap_or("").trim_start_matches("posedge "));
            side("from") == "core" && side("to") == "core"
        };
        let paths = report["critical_paths"].as_array().context("no paths")?;
        // A carry chain is hundreds of steps of next to nothing: one line for all that follow one another.
        const NEXT_TO_NOTHING: f64 = 0.05;
        let (mut lines, mut carry) = (Vec::new(), (0, 0.0));
        let told = |(steps, delay): (u32, f64)| {
            (delay > 0.005).then(|| format!("{delay:5.2} ns carry     {steps} steps"))
        };
        for step in paths.iter().find(is_core).and_then(|path| path["path"].as_array()).into_iter().flatten()
        {
            let name = step["net"].as_str().or(step["from"]["cell"].as_str()).unwrap_or("");
            let delay = step["delay"].as_f64().unwrap_or(0.0);
            if delay < NEXT_TO_NOTHING {
                carry = (carry.0 + 1, carry.1 + delay);
                continue;
            }
            lines.extend(told(std::mem::take(&mut carry)));
            lines.push(format!("{delay:5.2} ns {:<9} {name}", step["type"].as_str().unwrap_or("")));
        }
        lines.extend(told(carry));
        Ok(Timing { fmax, path: lines })
    }

    /// MHz of the core clock; zero if there is none.
    pub fn core(&self) -> f64 {
        self.fmax.get("core").copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_counted_and_what_does_not_fit_is_told() {
        let text = r#"{"modules": {
            "\\baton$core$nic$inner$nic$rx": {"num_cells_by_type": {"LUT4": 10, "CCU2C": 2, "TRELLIS_DPR16X4": 1, "DP16KD": 3}},
            "\\baton$core$link_mac": {"num_cells_by_type": {"TRELLIS_FF": 5}},
            "\\baton": {"num_cells_by_type": {"LUT4": 1, "DP16KD": 60}}}}"#;
        let names = [("$core$link", "link"), ("$core$link_mac", "link MAC"), ("$nic$rx", "receive")];
        let blocks = Blocks::parse(text, &names).unwrap();
        let got: Vec<(&str, Cells)> = blocks.named().collect();
        assert_eq!(got[0], ("link MAC", Cells { ff: 5, ..Cells::default() }));
        assert_eq!(got[1], ("receive", Cells { lut4: 10, placed: 20, dp16kd: 3, ..Cells::default() }));
        assert_eq!(blocks.total(), Cells { lut4: 11, placed: 21, ff: 5, dp16kd: 63, mult18: 0 });
        assert!(blocks.print("versa", "um5g-45k").unwrap());
        assert!(!blocks.print("colorlight-5a75b", "25k").unwrap());
        assert!(blocks.print("none", "12k").is_err());
        assert_eq!(percent_of_block_ram(blocks.total(), "um5g-45k").unwrap(), 58.3);
        assert!(percent_of_block_ram(blocks.total(), "12k").is_err());
    }

    #[test]
    fn clocks_and_the_core_clocks_path_are_read() {
        let text = r#"{"fmax": {"$glbnet$core$cr$clock": {"achieved": 80.5, "constraint": 82.5}, "eth0_rx_clk$TRELLIS_IO_IN": {"achieved": 150},
            "$glbnet$core.link_mac.tx_cr$clock": {"achieved": 130}},
            "critical_paths": [{"from": "posedge eth0_rx_clk", "to": "posedge eth0_rx_clk", "path": []},
            {"from": "posedge $glbnet$core$cr$clock", "to": "posedge $glbnet$core$cr$clock",
             "path": [{"type": "routing", "delay": 1.5, "net": "nic.rx.full", "from": {"cell": "a"}},
                      {"type": "logic", "delay": 0.04}, {"type": "routing", "delay": 0.0}, {"type": "logic", "delay": 0.25, "from": {"cell": "b"}}]}]}"#;
        let timing = Timing::parse(text).unwrap();
        assert_eq!(timing.core(), 80.5);
        assert_eq!(timing.fmax["rx0"], 150.0);
        assert_eq!(timing.fmax["tx"], 130.0);
        // The transmit clock has the least to spare, until the core needs more.
        assert_eq!(timing.margin(50.0), 130.0 / 125.0);
        assert_eq!(timing.margin(80.5), 1.0);
        assert_eq!(
            timing.path,
            [" 1.50 ns routing   nic.rx.full", " 0.04 ns carry     2 steps", " 0.25 ns logic     b"]
        );
        assert!(Timing::parse("{}").is_err());
    }

    #[test]
    fn no_clock_is_taken_for_another() {
        for (net, name) in [
            ("$glbnet$core.cr$clock", "core"),
            ("clock$TRELLIS_IO_IN", "core"),
            ("$glbnet$tx0_reset.clock", "tx"),
            ("$glbnet$core.tx1_cr$clock", "tx"),
            ("$glbnet$eth1_rx_clk$TRELLIS_IO_IN", "rx1"),
            ("$glbnet$other_reset.clock", "other_reset.clock"),
        ] {
            assert_eq!(clock_name(net), name);
        }
    }
}
