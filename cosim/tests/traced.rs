//! The run-time built NIC with and without waveforms, on a small module that has the pins of `nic_top`.

use baton_cosim::{
    nic::{Nic, TracedNic, Window},
    pins::{NicIn, NicOut, Ports},
};
use std::path::Path;

/// All the pins; `tx` repeats `rx` a cycle later, `core_pc` counts cycles, the rest is zero.
fn stand_in() -> String {
    let range = |width| if width == 1 { String::new() } else { format!("[{}:0] ", width - 1) };
    let mut ports = vec!["input wire clock".to_string()];
    ports.extend(NicIn::PINS.iter().map(|(name, width)| format!("input wire {}{name}", range(*width))));
    ports.extend(NicOut::PINS.iter().map(|(name, width)| format!("output wire {}{name}", range(*width))));
    let live = ["core_pc", "tx_tdata", "tx_tvalid", "rx_tready"];
    let zeros: String = NicOut::PINS
        .iter()
        .filter(|(name, _)| !live.contains(name))
        .map(|(name, _)| format!("assign {name} = 0;\n"))
        .collect();
    format!(
        "module nic_top({});\n{zeros}reg [31:0] count; reg [31:0] data; reg valid;\n\
         assign core_pc = count; assign tx_tdata = data; assign tx_tvalid = valid;\n\
         assign rx_tready = rx_tvalid & ~reset;\n\
         always @(posedge clock) begin\n  count <= reset ? 0 : count + 1;\n  data <= rx_tdata;\n  \
         valid <= rx_tvalid & ~reset;\nend\nendmodule\n",
        ports.join(", ")
    )
}

fn run(nic: &mut TracedNic, cycles: u32) -> Vec<NicOut> {
    let pins = |cycle: u32| NicIn {
        reset: cycle < 2,
        rx_tvalid: cycle.is_multiple_of(3),
        rx_tdata: cycle.wrapping_mul(0x0101_0101),
        ..NicIn::default()
    };
    let mut out = NicOut::default();
    let mut cycle = |cycle| {
        nic.cycle(&pins(cycle), Ports::ALL, &mut out);
        out
    };
    (0..cycles).map(&mut cycle).collect()
}

#[test]
fn outputs_are_those_before_the_edge() {
    let outs = run(&mut TracedNic::new(&stand_in(), None).unwrap(), 10);
    // Combinational: in the cycle of the input. Registered: a cycle later.
    let ready: Vec<usize> = (0..10).filter(|&cycle| outs[cycle].rx_tready).collect();
    let valid: Vec<usize> = (0..10).filter(|&cycle| outs[cycle].tx_tvalid).collect();
    assert_eq!((ready, valid), (vec![3, 6, 9], vec![4, 7]));
    assert_eq!(outs[4].tx_tdata, 0x0303_0303);
    assert_eq!(outs[9].core_pc, 7);
}

#[test]
fn a_window_is_recorded_and_changes_nothing() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("window.fst");
    let window = Window { cycles: 100..200, file: file.clone(), period_ps: 2500 };
    let mut traced = TracedNic::new(&stand_in(), Some(window)).unwrap();
    assert_eq!(traced.file(), Some(file.as_path()));
    let outs = run(&mut traced, 300);
    assert_eq!(outs, run(&mut TracedNic::new(&stand_in(), None).unwrap(), 300));
    assert!(std::fs::metadata(file).unwrap().len() > 500);
}

#[test]
fn a_waveform_that_cannot_be_written_is_refused_at_once() {
    let window = Window { cycles: 0..1, file: "/nonexistent/x.fst".into(), period_ps: 2500 };
    let error = TracedNic::new(&stand_in(), Some(window)).err().expect("it was accepted");
    assert!(format!("{error:#}").contains("/nonexistent/x.fst"), "{error:#}");
}
