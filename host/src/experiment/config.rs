//! What a run is: the paper's shorthand, and everything else that determines the result.

use crate::workload::Kind;
use anyhow::{bail, ensure, Result};
use nom::branch::alt;
use nom::bytes::complete::take_till1;
use nom::character::complete::{char as byte, digit1, one_of};
use nom::combinator::{all_consuming, map_res, value};
use nom::sequence::{terminated, tuple};
use nom::IResult;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The paper's shorthand: Workload-NICconnections-Priority-LoadControl-Selection-NICMIPS (its Table 3).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Config {
    pub workload: Kind,
    /// Connections that the NIC can hold; 0: handoff is not used.
    pub connections: u32,
    /// Host packets first.
    pub priority: bool,
    pub load_control: bool,
    /// Name of the selection policy.
    pub selection: String,
    /// Instruction rate of the NIC in millions a second.
    pub mips: u32,
}

fn number(input: &str) -> IResult<&str, u32> {
    map_res(digit1, str::parse)(input)
}

fn flag(letter: char) -> impl FnMut(&str) -> IResult<&str, bool> {
    move |input| alt((value(true, byte(letter)), value(false, byte('N'))))(input)
}

fn shorthand(input: &str) -> IResult<&str, Config> {
    let dash = || byte('-');
    let workload = map_res(one_of("WIDS"), |letter| Kind::from_letter(letter).ok_or(()));
    let (rest, (workload, connections, priority, load_control, selection, mips)) = tuple((
        terminated(workload, dash()),
        terminated(number, dash()),
        terminated(flag('P'), dash()),
        terminated(flag('L'), dash()),
        terminated(take_till1(|c| c == '-'), dash()),
        number,
    ))(input)?;
    Ok((
        rest,
        Config { workload, connections, priority, load_control, selection: selection.to_string(), mips },
    ))
}

/// Names the part of a shorthand that is wrong.
fn diagnose(text: &str) -> String {
    let parts: Vec<&str> = text.split('-').collect();
    let name =
        ["workload", "NIC connections", "packet priority", "load control", "selection policy", "NIC MIPS"];
    let must = [
        "W, I, D or S",
        "a number; 0 means no handoff",
        "P or N",
        "L or N",
        "FCFS, Tn or another policy",
        "a number",
    ];
    if parts.len() != name.len() {
        return format!("it has {} parts instead of {}", parts.len(), name.len());
    }
    let right = |index: usize, part: &str| match index {
        0 => matches!(part, "W" | "I" | "D" | "S"),
        2 => matches!(part, "P" | "N"),
        3 => matches!(part, "L" | "N"),
        4 => !part.is_empty(),
        _ => part.parse::<u32>().is_ok(),
    };
    match parts.iter().enumerate().find(|(index, part)| !right(*index, part)) {
        Some((index, part)) => format!("{part:?} is no {}: {} goes there", name[index], must[index]),
        None => "it is malformed".into(),
    }
}

impl FromStr for Config {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Config> {
        let Ok((_, config)) = all_consuming(shorthand)(text) else {
            bail!(
                "{text:?} is no configuration: {}. An example is W-1024-P-L-FCFS-400: \
                 workload, connections on the NIC, host packets first (P or N), load control (L or N), selection policy, NIC MIPS",
                diagnose(text)
            );
        };
        config.check()?;
        Ok(config)
    }
}

impl Config {
    /// # Errors
    /// When a number is out of the range that the NIC has.
    pub fn check(&self) -> Result<()> {
        ensure!(self.connections <= 4096, "the NIC holds at most 4096 connections, not {}", self.connections);
        ensure!((1..=2000).contains(&self.mips), "{} MIPS is not 1 to 2000", self.mips);
        crate::policy::parse(&self.selection, &crate::policy::Context::default())?;
        Ok(())
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = |set: bool, letter: char| if set { letter } else { 'N' };
        write!(
            f,
            "{}-{}-{}-{}-{}-{}",
            self.workload.letter(),
            self.connections,
            flag(self.priority, 'P'),
            flag(self.load_control, 'L'),
            self.selection,
            self.mips
        )
    }
}

impl From<Config> for String {
    fn from(config: Config) -> String {
        config.to_string()
    }
}

impl TryFrom<String> for Config {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Config> {
        text.parse()
    }
}

/// How much the softcore does at the configuration's MIPS. The NIC's clock in MHz is always their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
pub enum Capacity {
    /// The softcore runs in every cycle
    AsIs,
    /// The softcore stands still in a share of the cycles, so that the NIC is as idle as the paper's when it moves the packets of
    /// 23,031 requests a second without handoff; the data path does not
    EqualWork,
}

/// Cycles of 65,536 in which the softcore runs when the NIC is 62 % idle with the packets of 23,031 requests a second, without handoff, at
/// 400 MHz. Found once by `baton reproduce capacity`, which prints the measurement; then fixed for every other run.
pub const EQUAL_WORK_CYCLES: u32 = 5140;
/// What `CORE_PACE` counts in.
pub const PACE_CYCLES: u32 = 1 << 16;

/// Everything beside the shorthand that determines a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Options {
    pub seed: u64,
    /// Packets of the warm-up and of the measurement, both directions together.
    pub warmup_packets: u64,
    pub packets: u64,
    pub capacity: Capacity,
    /// The NIC's clock in MHz, instead of the MIPS.
    pub core_mhz: Option<u32>,
    /// Cycles of 65,536 in which the softcore runs, instead of what `capacity` says.
    pub core_cycles: Option<u32>,
    /// Simultaneous clients, instead of the paper's number.
    pub clients: Option<u32>,
    pub trace: Option<PathBuf>,
    /// Watermarks of the NIC receive queue, in packets.
    pub hiwat: u32,
    pub lowat: u32,
    /// Host packets are moved by hardware (the mode `direct`), whatever the priority says.
    pub direct: bool,
    /// The server's software costs no time, as before there was a model of its cost.
    pub free_server: bool,
    /// How many times faster than the simulation the clients' clocks run.
    pub client_time_scale: u64,
    /// Seconds that a client waits for the answer to its first SYN.
    pub client_first_timeout: u32,
    /// Least retransmission timeout of the server and the NIC, in milliseconds.
    pub min_rto_ms: u32,
    /// Frames that wait for the NIC at most, on the host; 0: TCP waits for room.
    pub send_queue: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 1,
            warmup_packets: 24_000,
            packets: 36_000,
            capacity: Capacity::EqualWork,
            core_mhz: None,
            core_cycles: None,
            clients: None,
            trace: None,
            // The first is the paper's; the second it does not state.
            hiwat: 1024,
            lowat: 512,
            direct: false,
            free_server: false,
            client_time_scale: 1,
            client_first_timeout: 3,
            // FreeBSD 4.7, `TCPTV_MIN` in `tcp_timer.h`; later versions made it 30 ms and a slop of 200 ms.
            min_rto_ms: 1000,
            send_queue: 0,
        }
    }
}

impl Options {
    /// Clock of the NIC in MHz.
    pub fn core_mhz(&self, config: &Config) -> u32 {
        self.core_mhz.unwrap_or(config.mips)
    }

    /// Cycles of [`PACE_CYCLES`] in which the softcore runs.
    pub fn core_cycles(&self) -> u32 {
        self.core_cycles.unwrap_or(match self.capacity {
            Capacity::AsIs => PACE_CYCLES,
            Capacity::EqualWork => EQUAL_WORK_CYCLES,
        })
    }

    /// What the capacity of the NIC is set by.
    pub fn setting(&self) -> &'static str {
        match self.capacity {
            _ if self.core_mhz.is_some() || self.core_cycles.is_some() => "as given",
            Capacity::AsIs => "as is",
            Capacity::EqualWork => "equal work",
        }
    }

    pub fn clients(&self, config: &Config) -> u32 {
        self.clients.unwrap_or(config.workload.clients())
    }

    /// Whether the paper's 400,000 packets of warm-up and 600,000 measured are in it.
    pub fn is_full_length(&self) -> bool {
        self.warmup_packets >= 400_000 && self.packets >= 600_000
    }

    /// # Errors
    /// Says which option is out of range.
    pub fn check(&self, config: &Config) -> Result<()> {
        config.check()?;
        ensure!(self.packets >= 100, "fewer than 100 packets say nothing");
        ensure!(self.packets + self.warmup_packets <= 1_000_000_000, "more than a thousand million packets");
        ensure!(
            (10..=2000).contains(&self.core_mhz(config)),
            "a core clock of {} MHz is not 10 to 2000",
            self.core_mhz(config)
        );
        ensure!(
            (1..=PACE_CYCLES).contains(&self.core_cycles()),
            "the softcore cannot run in {} cycles of {PACE_CYCLES}",
            self.core_cycles()
        );
        ensure!(
            (1..=16_384).contains(&self.clients(config)),
            "{} clients are not 1 to 16384",
            self.clients(config)
        );
        ensure!(self.lowat <= self.hiwat && self.hiwat < 65536, "Lowat is above Hiwat, or Hiwat above 65535");
        ensure!((1..=1000).contains(&self.client_time_scale), "a time scale is 1 to 1000");
        ensure!((1..=60).contains(&self.client_first_timeout), "a client's first timeout is 1 to 60 s");
        ensure!(self.send_queue <= 4096, "a send queue has at most 4096 frames");
        ensure!((1..=60_000).contains(&self.min_rto_ms), "a least retransmission timeout is 1 to 60000 ms");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shorthands_are_read_and_written() {
        for text in ["W-1024-P-L-FCFS-400", "S-0-N-N-FCFS-400", "I-4096-P-N-T20-800", "D-2048-P-L-SWAP-600"] {
            assert_eq!(text.parse::<Config>().unwrap().to_string(), text);
        }
        let config: Config = "W-256-P-L-T20-400".parse().unwrap();
        assert_eq!((config.connections, config.priority, config.load_control), (256, true, true));
        assert_eq!((config.selection.as_str(), config.mips), ("T20", 400));
    }

    #[test]
    fn errors_name_the_part() {
        for (text, part) in [
            ("X-1-P-L-FCFS-400", "workload"),
            ("W-many-P-L-FCFS-400", "NIC connections"),
            ("W-1-L-L-FCFS-400", "packet priority"),
            ("W-1-P-P-FCFS-400", "load control"),
            ("W-1-P-L--400", "selection policy"),
            ("W-1-P-L-FCFS-fast", "NIC MIPS"),
            ("W-1-P-L-FCFS", "5 parts"),
            ("W-5000-P-L-FCFS-400", "4096"),
            ("W-1-P-L-BEST-400", "there are"),
            ("W-1-P-L-FCFS-0", "2000"),
        ] {
            let error = text.parse::<Config>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn the_pace_follows_the_setting() {
        let config: Config = "W-256-P-L-FCFS-800".parse().unwrap();
        let as_is = Options { capacity: Capacity::AsIs, ..Options::default() };
        assert_eq!((as_is.core_mhz(&config), as_is.core_cycles()), (800, PACE_CYCLES));
        let equal_work = Options::default();
        assert_eq!((equal_work.core_mhz(&config), equal_work.core_cycles()), (800, EQUAL_WORK_CYCLES));
        assert_eq!(Options { core_mhz: Some(55), ..as_is.clone() }.core_mhz(&config), 55);
        assert!(Options { core_cycles: Some(0), ..equal_work }.check(&config).is_err());
        assert!(Options { hiwat: 3, lowat: 4, ..as_is }.check(&config).is_err());
    }
}
