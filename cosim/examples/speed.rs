//! Core cycles a second of the co-simulation, idle and with frames on the wire.

use baton_cosim::{
    nic::VerilatedNic,
    system::{System, SystemConfig},
};
use std::time::Instant;

fn main() {
    let mut system = System::new(VerilatedNic::new(), SystemConfig::default());
    let cycles = 5_000_000;
    for load in [false, true] {
        let start = Instant::now();
        for cycle in 0..cycles {
            if load && cycle % 600 == 0 {
                system.wire_send(vec![cycle as u8; 1514]);
            }
            system.step();
            if cycle % 1000 == 0 {
                while system.wire_recv().is_some() {}
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let name = if load { "frames back to back" } else { "idle" };
        println!("{name}: {:.2} M cycles/s", cycles as f64 / seconds / 1e6);
    }
}
