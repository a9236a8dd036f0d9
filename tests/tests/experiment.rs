//! Experiments on the co-simulated NIC, small enough for every day: what a run measures, and that it is the same every time.

use baton::experiment::{run::Run, Capacity, Config, Options, Record};
use baton_cosim::nic::VerilatedNic;

fn play(config: &str, clients: u32, packets: u64, core_mhz: u32) -> Record {
    let config: Config = config.parse().unwrap();
    let options = Options {
        clients: Some(clients),
        warmup_packets: packets / 2,
        packets,
        capacity: Capacity::AsIs,
        core_mhz: Some(core_mhz),
        ..Options::default()
    };
    let firmware = baton_tests::firmware().unwrap();
    let run = Run::new(&config, &options, VerilatedNic::new(), &firmware).unwrap();
    let record = run.play(&mut |_, _| {}).unwrap();
    assert_eq!(record.failures, Vec::<String>::new(), "{config}, seed {}", options.seed);
    record
}

fn metric(record: &Record, name: &str) -> f64 {
    record.metric(name).unwrap_or_else(|| panic!("no {name} in {:?}", record.metrics))
}

#[test]
fn a_run_measures_and_is_the_same_every_time() {
    let once = play("W-16-P-L-FCFS-400", 32, 2000, 100);
    for name in ["request_rate", "content_rate", "response_time_mean", "host_packet_delay_receive_median"] {
        assert!(metric(&once, name) > 0.0, "{name}");
    }
    // Half of the clients find a place on the NIC.
    let on_nic = metric(&once, "packets_on_nic");
    assert!((10.0..90.0).contains(&on_nic), "{on_nic} % of the packets on the NIC");
    assert!(metric(&once, "connections_on_nic_steady") <= 16.0);
    let shares: f64 = once.profile.values().sum();
    assert!((99.9..100.1).contains(&shares), "the processor's functions make {shares} %");
    assert!(once.series.windows(2).all(|w| w[0].at_us < w[1].at_us));
    let again = Record { wall_clock_s: once.wall_clock_s, ..play("W-16-P-L-FCFS-400", 32, 2000, 100) };
    assert_eq!(once, again);
}

#[test]
fn without_handoff_nothing_is_on_the_nic() {
    let record = play("W-0-N-N-FCFS-400", 16, 1000, 100);
    assert_eq!((metric(&record, "packets_on_nic"), metric(&record, "connections_handed_off")), (0.0, 0.0));
    assert!(metric(&record, "host_packet_delay_send_median") > 0.0);
}

#[test]
fn idle_connections_are_swapped_out() {
    let record = play("W-4-P-N-SWAP-400", 32, 3000, 100);
    assert!(metric(&record, "connections_reclaimed") > 0.0, "{:?}", record.metrics);
    assert!(metric(&record, "restore_rate") > 0.0);
}

#[test]
fn events_interrupt_a_processor_that_waits_and_no_other() {
    // Every connection is the NIC's: what is new comes as events, but for handshakes.
    let interrupts = |clients| {
        let record = play("W-64-P-N-FCFS-400", clients, 3000, 400);
        assert!(metric(&record, "packets_on_nic") > 70.0, "{:?}", record.metrics);
        metric(&record, "interrupt_rate") / metric(&record, "answer_rate")
    };
    let (alone, crowd) = (interrupts(1), interrupts(64));
    assert!(alone > 1.0, "{alone} interrupts an answer with one client");
    assert!(crowd < 0.5, "{crowd} interrupts an answer with 64 clients");
}
