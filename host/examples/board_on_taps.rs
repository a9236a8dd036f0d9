//! A co-simulated board on two TAP interfaces: `board_on_taps NETWORK LINK SECONDS`.
//!
//! `nic_link` (NIC, MACs, host link) at the pins of its PHYs; frames of the network's port go to and from the TAP NETWORK, those of
//! the host link's port to and from LINK. So `baton hostlink --interface LINK` runs against it as against a board, only more slowly:
//! see docs/hostlink.md. A line on standard output says when it is ready, one at the end what it did.

use anyhow::{bail, Context, Result};
use baton::live::tap::Tap;
use baton_cosim::nic::LinkedNic;
use baton_hdl::{board, mac::rgmii::RgmiiConfig, nic::NicConfig};
use std::time::{Duration, Instant};

const CORE_PS: u64 = 10_000;
const STATION: [u8; 6] = [0x02, 0xBA, 0x70, 0x0E, 0, 9];
/// Bytes on a line towards the board beyond which frames wait in the kernel.
const BACKLOG: usize = 8192;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [network, link, seconds] = arguments.as_slice() else {
        bail!("usage: board_on_taps NETWORK LINK SECONDS");
    };
    let end = Instant::now() + Duration::from_secs(seconds.parse().context("SECONDS is no number")?);
    let mut taps = [Tap::open(network)?, Tap::open(link)?];
    let mut nic = LinkedNic::new(&verilog()?, CORE_PS, STATION)?;
    println!("ready");
    let start = Instant::now();
    let mut frames = [[0u64; 2]; 2];
    while Instant::now() < end {
        for (port, tap) in taps.iter_mut().enumerate() {
            while nic.backlog(port) < BACKLOG {
                let Some(frame) = tap.receive()? else { break };
                frames[port][0] += 1;
                nic.send(port, &frame);
            }
        }
        for _ in 0..50 {
            nic.cycle();
        }
        for (port, tap) in taps.iter_mut().enumerate() {
            while let Some(frame) = nic.receive(port) {
                frames[port][1] += 1;
                tap.send(&frame);
            }
        }
    }
    println!(
        "{} cycles in {} ms; frames to and from the network {:?}, the link {:?}; {} damaged",
        nic.cycles(),
        start.elapsed().as_millis(),
        frames[0],
        frames[1],
        nic.broken()
    );
    Ok(())
}

/// The circuit's text. Its structures are large, so that the thread that makes them needs a large stack.
fn verilog() -> Result<String> {
    let rgmii = RgmiiConfig { tx_delay_ps: 0, rx_delay_ps: 2_000 };
    let maker = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || board::core::verilog(&NicConfig::default(), &rgmii))?;
    let text = maker.join().map_err(|_| anyhow::anyhow!("the Verilog cannot be made"))?;
    Ok(text + include_str!("../../hdl/models/ecp5_ddr.v"))
}
