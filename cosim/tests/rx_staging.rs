//! The staging memory by itself: what it takes back when it has no room, which the whole path never lets
//! happen.

use baton_cosim::block::Model;
use baton_hdl::{emit, rx};

/// A staging memory of 512 words.
struct Staging {
    dut: Model,
}

impl Staging {
    fn new() -> Staging {
        let text = emit::verilog("rx_staging", rx::Staging::<9, 10>::default());
        let mut dut = Model::build("rx_staging", &text).unwrap();
        dut.reset(2);
        dut.poke("room", 1);
        Staging { dut }
    }

    /// Writes a frame of so many words, each `first` and its place; the pulses commit, check sequence,
    /// length, filter, overflow.
    fn frame(&mut self, words: u64, first: u64, bad_fcs: bool) -> [u64; 5] {
        for place in 0..words {
            self.dut.poke("valid", 1);
            self.dut.poke("word", first + place);
            self.dut.poke("len", (4 * (place + 1)).min(16388));
            self.dut.poke("last", u64::from(place + 1 == words));
            self.dut.poke("bad_fcs", bad_fcs.into());
            self.dut.cycle();
        }
        self.dut.poke("valid", 0);
        self.dut.eval();
        ["commit", "drop_fcs", "drop_length", "drop_filter", "drop_overflow"].map(|name| self.dut.peek(name))
    }

    fn read(&mut self, address: u64) -> u64 {
        self.dut.poke("read_addr", address);
        self.dut.cycle();
        self.dut.peek("read_data")
    }

    fn free(&mut self, words: u64) {
        self.dut.poke("free", 1);
        self.dut.poke("free_words", words);
        self.dut.cycle();
        self.dut.poke("free", 0);
    }
}

const COMMIT: [u64; 5] = [1, 0, 0, 0, 0];
const FCS: [u64; 5] = [0, 1, 0, 0, 0];
const LENGTH: [u64; 5] = [0, 0, 1, 0, 0];
const FILTER: [u64; 5] = [0, 0, 0, 1, 0];
const OVERFLOW: [u64; 5] = [0, 0, 0, 0, 1];

#[test]
fn a_frame_without_room_leaves_no_trace() {
    let mut staging = Staging::new();
    assert_eq!(staging.frame(300, 1000, false), COMMIT);
    assert_eq!(staging.frame(213, 2000, false), OVERFLOW);
    assert_eq!(staging.frame(212, 3000, false), COMMIT, "exactly full");
    assert_eq!(staging.frame(16, 4000, false), OVERFLOW);
    assert_eq!(staging.read(299), 1299);
    assert_eq!(staging.read(300), 3000);
    staging.free(300);
    assert_eq!(staging.read(211), 3211);
    assert_eq!(staging.frame(300, 5000, false), COMMIT);
    assert_eq!(staging.read(212), 5000);
}

#[test]
fn the_first_reason_counts() {
    let mut staging = Staging::new();
    for (vlan, jumbo, most) in [(0, 0, 379), (1, 0, 380), (0, 1, 2254), (1, 1, 2254)] {
        staging.dut.poke("vlan", vlan);
        staging.dut.poke("jumbo", jumbo);
        let fits = if most <= 512 { COMMIT } else { OVERFLOW };
        assert_eq!(staging.frame(most, 0, false), fits, "{} stored bytes are the most", 4 * most);
        if most <= 512 {
            staging.free(most);
        }
        for _ in 0..3 {
            assert_eq!(staging.frame(most + 1, 0, false), LENGTH);
            assert_eq!(staging.frame(3, 0, false), LENGTH);
            assert_eq!(staging.frame(6000, 0, false), LENGTH, "an endless frame");
            assert_eq!(staging.frame(most + 1, 0, true), FCS);
            assert_eq!(staging.frame(20, 0, true), FCS);
        }
    }
    for refuse in [1, 0] {
        staging.dut.poke("refuse", refuse);
        let sound = if refuse == 1 { FILTER } else { COMMIT };
        assert_eq!(staging.frame(20, 0, false), sound);
        assert_eq!(staging.frame(3, 0, false), LENGTH);
        assert_eq!(staging.frame(20, 0, true), FCS);
        staging.dut.poke("room", 0);
        let no_room = if refuse == 1 { FILTER } else { OVERFLOW };
        assert_eq!(staging.frame(20, 0, false), no_room);
        staging.dut.poke("room", 1);
    }
    staging.free(20);
    staging.dut.poke("jumbo", 0);
    staging.dut.poke("room", 0);
    assert_eq!(staging.frame(4, 0, false), OVERFLOW, "no room for what is known of the frame");
    assert_eq!(staging.frame(3, 0, false), LENGTH);
    staging.dut.poke("room", 1);
    assert_eq!(staging.frame(4, 77, false), COMMIT);
    assert_eq!(staging.read(3), 80);
}
