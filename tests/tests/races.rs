//! Races of a connection that changes hands, one a test, by name.
//!
//! A race is a packet script in which the peer's segments, or the user's calls, come `{d}` after `offer` or `recall`, while
//! the TCB is on its way. Each runs with delays that sweep the whole change of hands: on the firmware's library over devices
//! that rest at random, on a host whose NIC refuses, and on the co-simulated NIC, whose clock is 1 MHz here, so that a
//! microsecond is a cycle. What the peer sees must be the same wherever its segment falls, and a sweep must have met the race:
//! packets were held by the host or sent back into the NIC.

mod double;

use anyhow::{Context, Result};
use baton_cosim::nic::VerilatedNic;
use baton_script::{parse, run, Setting};
use baton_tests::script::{simulated, HostEndpoint};
use double::{NicDouble, MEMORY_BYTES};

/// Core clock of the co-simulated NIC, in megahertz.
const MEGAHERTZ: u32 = 1;
/// Delays for the co-simulated NIC, in microseconds. A handoff or a restore takes it about two milliseconds.
const NIC_DELAYS: [u32; 3] = [0, 500, 1500];
/// Those of the long form.
const NIC_DELAYS_LONG: [u32; 16] =
    [0, 100, 200, 300, 400, 500, 600, 800, 900, 1000, 1200, 1400, 1700, 2000, 2500, 3000];
/// Delays for the double, which does everything within some microseconds, and seeds of its rest.
const DOUBLE_DELAYS: [u32; 9] = [0, 1, 2, 4, 6, 10, 15, 25, 60];
const SEEDS: u64 = 6;
const IMAGE: [u8; 4] = [0x13, 0, 0, 0];

/// A script of a race, and whether the sweep must have met held or injected packets: a user's calls meet none.
struct Race {
    text: &'static str,
    packets: bool,
}

/// Packets that the host held or sent back into the NIC.
fn met(stats: (baton::server::driver::DriverStats, baton::server::StackStats)) -> u64 {
    stats.1.held + stats.0.injected
}

fn on_double(setting: Setting, text: &str, seed: u64) -> Result<u64> {
    let script = parse("race", text)?;
    let mut nic = NicDouble::new(MEMORY_BYTES, seed);
    nic.laziness = [0, 64, 240][seed as usize % 3];
    let image = (setting == Setting::Firmware).then_some(&IMAGE[..]);
    let mut endpoint = HostEndpoint::new(setting, &script.config, nic, 1, image)?;
    run(&script, &mut endpoint)?;
    Ok(met(endpoint.stats()))
}

fn on_nic(text: &str, image: &[u8]) -> Result<u64> {
    let script = parse("race", text)?;
    let machine = simulated(VerilatedNic::new(), MEGAHERTZ);
    let mut endpoint = HostEndpoint::new(Setting::Nic, &script.config, machine, MEGAHERTZ, Some(image))?;
    run(&script, &mut endpoint)?;
    Ok(met(endpoint.stats()))
}

/// Runs a race at every delay in every setting.
fn race(race: &Race) -> Result<()> {
    let image = baton_tests::firmware()?;
    let at = |delay: u32| race.text.replace("{d}", &format!("{delay}us"));
    let mut met = [0; 3];
    for (place, setting) in [Setting::Host, Setting::Firmware].into_iter().enumerate() {
        for delay in DOUBLE_DELAYS {
            for seed in 0..SEEDS {
                met[place] += on_double(setting, &at(delay), seed).with_context(|| {
                    format!("{delay} us on the double, seed {seed}, in {}:\n{}", setting.name(), at(delay))
                })?;
            }
        }
    }
    let delays: &[u32] = if baton_tests::long() { &NIC_DELAYS_LONG } else { &NIC_DELAYS };
    for &delay in delays {
        met[2] += on_nic(&at(delay), &image)
            .with_context(|| format!("{delay} us on the co-simulated NIC:\n{}", at(delay)))?;
    }
    // With a NIC that refuses there are races of offers alone.
    let settings = if race.text.contains("handoff") { &met[1..] } else { &met[..] };
    assert!(!race.packets || settings.iter().all(|&packets| packets > 0), "the race was not met: {met:?}");
    Ok(())
}

const fn packets(text: &'static str) -> Race {
    Race { text, packets: true }
}

const fn calls(text: &'static str) -> Race {
    Race { text, packets: false }
}

macro_rules! races {
    ($($(#[$doc:meta])* $name:ident: $race:expr;)*) => {
        $($(#[$doc])* #[test] fn $name() -> Result<()> { race(&$race) })*
    };
}

races! {
    data_between_freeze_and_acceptance: packets("
+0 open passive
+10ms offer
+{d} < P. 1:1001 ack 1
+40ms > . 1 ack 1001
+0 recv 1000
+10ms send 500
+0 > P. 1:501 ack 1001
+10ms < . 1001 ack 501
");
    reordered_data_between_freeze_and_acceptance: packets("
+0 open passive
+10ms offer
+{d} < P. 501:1001 ack 1
+0 > . 1 ack 1
+30ms < P. 1:501 ack 1
+0 > . 1 ack 1001
+0 recv 1000
");
    ack_between_freeze_and_acceptance: packets("
+0 open passive
+0 send 3000
+0 > . 1:3001/1000 ack 1
+10ms offer
+{d} < . 1 ack 2001
+30ms < . 1 ack 3001
+10ms send 1000
+0 > P. 3001:4001 ack 1
+10ms < . 1 ack 4001
");
    fin_between_freeze_and_acceptance: packets("
+0 open passive
+10ms offer
+{d} < F. 1 ack 1
+0 > . 1 ack 2
+0 event peer_closed
+10ms send 500
+0 > P. 1:501 ack 2
+10ms < . 2 ack 501
+0 shutdown
+0 > F. 501 ack 2
+10ms < . 2 ack 502
+0 event closed
");
    rst_between_freeze_and_acceptance: packets("
+0 open passive
+10ms offer
+{d} < R. 1 ack 1
+20ms event reset
");
    data_between_restore_and_its_record: packets("
+0 open passive
+10ms handoff
+10ms recall
+{d} < P. 1:1001 ack 1
+40ms > . 1 ack 1001
+0 recv 1000
+10ms send 500
+0 > P. 1:501 ack 1001
+10ms < . 1001 ack 501
");
    ack_between_restore_and_its_record: packets("
+0 open passive
+10ms handoff
+0 send 3000
+0 > . 1:3001/1000 ack 1
+10ms recall
+{d} < . 1 ack 2001
+30ms < . 1 ack 3001
+10ms send 1000
+0 > P. 3001:4001 ack 1
+10ms < . 1 ack 4001
");
    fin_between_restore_and_its_record: packets("
+0 open passive
+10ms handoff
+10ms recall
+{d} < F. 1 ack 1
+0 > . 1 ack 2
+0 event peer_closed
+10ms send 500
+0 > P. 1:501 ack 2
+10ms < . 2 ack 501
+0 shutdown
+0 > F. 501 ack 2
+10ms < . 2 ack 502
+0 event closed
");
    rst_between_restore_and_its_record: packets("
+0 open passive
+10ms handoff
+10ms recall
+{d} < R. 1 ack 1
+20ms event reset
");
    /// The user sends while the TCB is on its way there, and asks for it back before it is there.
    calls_between_freeze_and_acceptance: calls("
+0 open passive
+10ms offer
+{d} send 1000
+0 > P. 1:1001 ack 1
+10ms < . 1 ack 1001
+10ms shutdown
+0 > F. 1001 ack 1
+10ms < F. 1 ack 1002
+0 > . 1002 ack 2
");
    /// Restored with more in the send buffer than the window lets go.
    restore_with_a_full_send_buffer: packets("
+0 open passive win 2000
+10ms handoff
+0 send 9000
+0 > . 1:2001/1000 ack 1
+10ms recall
+{d} < . 1 ack 2001 win 3000
+0 > . 2001:5001/1000 ack 1
+10ms < . 1 ack 5001 win 10000
+0 > . 5001:9001/1000 ack 1
+10ms < . 1 ack 9001
");
    /// Restored with data beyond a gap in the receive buffer, and the gap is filled meanwhile.
    restore_with_out_of_order_data_held: packets("
config sack=on
+0 open passive [mss 1000, sackok]
+10ms handoff
+10ms < . 501:1001 ack 1
+0 > . 1 ack 1 [sack 501:1001]
+10ms < . 1501:2001 ack 1
+0 > . 1 ack 1 [sack 1501:2001 501:1001]
+10ms recall
+{d} < . 1:501 ack 1
+0 > . 1 ack 1001 [sack 1501:2001]
+30ms < . 1001:1501 ack 1
+0 > . 1 ack 2001
+0 recv 1500
");
    /// Handed off in fast recovery (RFC 6582): the partial acknowledgement comes in between.
    handoff_of_a_connection_in_recovery: packets("
+0 open passive
+0 send 6000
+0 > . 1:6001/1000 ack 1
+10ms < . 1 ack 1
+10ms < . 1 ack 1
+10ms < . 1 ack 1
+0 > . 1:1001 ack 1
+10ms offer
+{d} < . 1 ack 3001
+0 > . 3001:4001 ack 1
+30ms < . 1 ack 6001
+10ms send 1000
+0 > P. 6001:7001 ack 1
+10ms < . 1 ack 7001
");
    restore_of_a_connection_in_recovery: packets("
+0 open passive
+10ms handoff
+0 send 6000
+0 > . 1:6001/1000 ack 1
+10ms < . 1 ack 1
+10ms < . 1 ack 1
+10ms < . 1 ack 1
+0 > . 1:1001 ack 1
+10ms recall
+{d} < . 1 ack 3001
+0 > . 3001:4001 ack 1
+30ms < . 1 ack 6001
+10ms send 1000
+0 > P. 6001:7001 ack 1
+10ms < . 1 ack 7001
");
    /// Both sides close while the TCB is on its way there: the user, and the peer before it has seen our FIN.
    peer_and_host_close_at_once_while_offered: calls("
config time_wait=100ms
+0 open passive
+10ms offer
+{d} shutdown
+0 > F. 1 ack 1
+0 < F. 1 ack 1
+0 > . 2 ack 2
+10ms < . 2 ack 2
+100ms event closed
");
    peer_and_host_close_at_once_while_restored: calls("
config time_wait=100ms
+0 open passive
+10ms handoff
+10ms recall
+{d} shutdown
+0 > F. 1 ack 1
+0 < F. 1 ack 1
+0 > . 2 ack 2
+10ms < . 2 ack 2
+100ms event closed
");
    /// The peer closes while the connection is on its way back and the host has asked for our FIN before.
    fins_cross_between_restore_and_its_record: packets("
config time_wait=100ms
+0 open passive
+10ms handoff
+10ms shutdown
+0 > F. 1 ack 1
+0 recall
+{d} < F. 1 ack 1
+0 > . 2 ack 2
+10ms < . 2 ack 2
+100ms event closed
");
    /// A router reports a narrower path (RFC 1191) while the TCB is on its way: whoever owns it then hears of it.
    narrower_path_between_freeze_and_acceptance: calls("
+0 open passive
+0 send 4000
+0 > . 1:4001/1000 ack 1
+10ms offer
+{d} lower_mss 600 1001
+0 > . 1:601 ack 1
+10ms < . 1 ack 601
+0 > . 601:1801/600 ack 1
+10ms < . 1 ack 4001
+10ms send 1200
+0 > . 4001:5201/600 ack 1
");
    narrower_path_between_restore_and_its_record: calls("
+0 open passive
+10ms handoff
+0 send 4000
+0 > . 1:4001/1000 ack 1
+10ms recall
+{d} lower_mss 600 1001
+0 > . 1:601 ack 1
+10ms < . 1 ack 601
+0 > . 601:1801/600 ack 1
+10ms < . 1 ack 4001
");
    /// There and back in ESTABLISHED, with nothing under way.
    restore_in_established: calls("
+0 open passive
+10ms handoff
+{d} recall
+10ms < P. 1:501 ack 1
+40ms > . 1 ack 501
+10ms offer
+{d} send 500
+0 > P. 1:501 ack 501
+10ms < . 501 ack 501
");
    restore_in_close_wait: calls("
+0 open passive
+10ms handoff
+0 < F. 1 ack 1
+0 > . 1 ack 2
+10ms recall
+{d} send 500
+0 > P. 1:501 ack 2
+10ms < . 2 ack 501
+10ms offer
+{d} shutdown
+0 > F. 501 ack 2
+10ms < . 2 ack 502
+0 event closed
");
    restore_in_fin_wait_1: packets("
config time_wait=100ms
+0 open passive
+10ms handoff
+0 shutdown
+0 > F. 1 ack 1
+10ms recall
+{d} < . 1 ack 2
+30ms offer
+{d} < F. 1 ack 2
+0 > . 2 ack 2
+100ms event closed
");
    restore_in_fin_wait_2: packets("
config time_wait=100ms
+0 open passive
+10ms handoff
+0 shutdown
+0 > F. 1 ack 1
+10ms < . 1 ack 2
+10ms recall
+{d} < P. 1:501 ack 2
+40ms > . 2 ack 501
+0 recv 500
+10ms offer
+{d} < F. 501 ack 2
+0 > . 2 ack 502
+100ms event closed
");
    /// Both have sent FIN, so the host takes the connection back; the peer's acknowledgement of our FIN comes meanwhile.
    restore_in_closing: packets("
config time_wait=100ms
+0 open passive
+10ms handoff
+0 shutdown
+0 > F. 1 ack 1
+10ms < F. 1 ack 1
+0 > . 2 ack 2
+{d} < . 2 ack 2
+100ms event closed
");
    /// The peer closed first; the acknowledgement of our FIN comes while the TCB is on its way back.
    restore_in_last_ack: packets("
+0 open passive
+10ms handoff
+0 < F. 1 ack 1
+0 > . 1 ack 2
+10ms shutdown
+0 > F. 1 ack 2
+0 recall
+{d} < . 2 ack 2
+20ms event closed
");
    handoff_in_last_ack: packets("
+0 open passive
+0 < F. 1 ack 1
+0 > . 1 ack 2
+10ms shutdown
+0 > F. 1 ack 2
+0 offer
+{d} < . 2 ack 2
+20ms event closed
");
    handoff_in_closing: packets("
config time_wait=100ms
+0 open passive
+0 shutdown
+0 > F. 1 ack 1
+10ms < F. 1 ack 1
+0 > . 2 ack 2
+10ms offer
+{d} < . 2 ack 2
+100ms event closed
");
}

/// In TIME-WAIT nothing is left that a NIC could do.
#[test]
fn no_handoff_in_time_wait() -> Result<()> {
    let text = "config time_wait=1s\n+0 open passive\n+0 shutdown\n+0 > F. 1 ack 1\n+0 < F. 1 ack 2\n+0 > . 2 ack 2\n+0 offer\n";
    let error = on_double(Setting::Firmware, text, 0).expect_err("it was offered");
    assert!(format!("{error:#}").contains("the connection's state does not allow it"), "{error:#}");
    Ok(())
}
