//! The module around the gated NIC, and the gates of its parts and pins.

use crate::pins::{NicIn, NicOut, Pin, Port, Ports};
use anyhow::{ensure, Result};
use baton_hdl::emit::{clock_name, Gated, TICKS};

/// The softcore has no devices but the NIC's own.
const NO_DEVICES: &str = ", .device_addr(), .device_write(), .device_wdata(), .device_rdata(32'd0)";

/// The module around the gated NIC.
pub const WRAPPER: &str = "nic_sim";

/// Gates of the NIC, and behind them those of its pins: one for each entry of [`Port::PREFIXES`].
pub struct Gates<'a> {
    nic: &'a Gated,
}

impl<'a> Gates<'a> {
    /// Verilator's triggers of one model stand in a word of 64 bits.
    const COUNT_MAX: usize = 64;

    pub fn new(nic: &'a Gated) -> Result<Self> {
        let gates = Gates { nic };
        ensure!(gates.count() <= Self::COUNT_MAX, "{} gates, at most {}", gates.count(), Self::COUNT_MAX);
        Ok(gates)
    }

    fn count(&self) -> usize {
        self.nic.gates + Port::PREFIXES.len()
    }

    /// Places for what the parts say, in whole words of eight, so that a word at a time can be looked at.
    fn places(&self) -> usize {
        self.nic.parts.len().next_multiple_of(8)
    }

    fn of_pin(&self, pin: &str) -> usize {
        let group = Port::PREFIXES.iter().position(|(prefix, _)| pin.starts_with(prefix));
        self.nic.gates + group.expect("every input is in a group")
    }

    /// A module around `nic_top` whose clock is cut into gates and whose reset is never active. Registers start at
    /// their reset values, so the NIC is as after a reset; Verilator then leaves every reset multiplexer out. The
    /// inputs are taken at gates too, so that what follows a pin that did not change is not evaluated.
    ///
    /// Pins that `nic_top` does not have, has besides, or has in another width are errors of Verilator's here.
    pub fn wrapper(&self) -> String {
        let port =
            |direction: &str, (name, width): &Pin| format!("{direction} wire [{}:0] {name}", width - 1);
        let inputs: Vec<&Pin> = NicIn::PINS.iter().filter(|(name, _)| *name != "reset").collect();
        let clocks = (0..self.count()).map(|gate| format!("input wire {}", clock_name(gate)));
        let moves = format!("output wire moves [0:{}]", self.places() - 1);
        let ports: Vec<String> = clocks
            .chain([moves])
            .chain(inputs.iter().map(|pin| port("input", pin)))
            .chain(NicOut::PINS.iter().map(|pin| port("output", pin)))
            .collect();
        let registers: String = inputs
            .iter()
            .map(|(name, width)| {
                let clock = clock_name(self.of_pin(name));
                let register = format!("reg [{}:0] {name}$q = 0;", width - 1);
                format!("{register} always_ff @(posedge {clock}) {name}$q <= {name};\n")
            })
            .collect();
        let parts = self.nic.parts.iter().map(|(path, _)| format!("{path}.moves$"));
        let moves: String = parts
            .chain(std::iter::repeat("1'b0".to_string()))
            .take(self.places())
            .enumerate()
            .map(|(at, moves)| format!("assign moves[{at}] = {moves};\n"))
            .collect();
        let taken = inputs.iter().map(|(name, _)| format!(", .{name}({name}$q)"));
        let given = NicOut::PINS.iter().map(|(name, _)| format!(", .{name}({name})"));
        let wires: String = taken.chain(given).collect();
        format!(
            "\nmodule {WRAPPER}({});\n{registers}nic_top nic_top(.clock(1'b0), .reset(1'b0){wires}{NO_DEVICES});\n{moves}endmodule\n",
            ports.join(", ")
        )
    }

    /// The gates for `dut.h`: how many, the gate of each moving part, how to raise one, and which of the pins' gates
    /// a change of the pins raises.
    pub fn header(&self) -> String {
        let of_parts: Vec<String> = self
            .nic
            .parts
            .iter()
            .map(|(_, gate)| gate.to_string())
            .chain(std::iter::repeat(TICKS.to_string()))
            .take(self.places())
            .collect();
        let clocks: String = (0..self.count())
            .map(|gate| format!("    case {gate}: top.{} = level; break;\n", clock_name(gate)))
            .collect();
        let taken: String = (self.nic.gates..self.count()).map(|gate| self.taken(gate)).collect();
        format!(
            "constexpr int GATES = {};\nconstexpr int TICKS = {TICKS};\nconstexpr int PARTS = {};\n\
             constexpr uint8_t GATE_OF_PART[PARTS] = {{{}}};\n\n\
             template <class Top> inline void set_gate(Top& top, int gate, bool level) {{\n    switch (gate) {{\n{clocks}    }}\n}}\n\n\
             // Brings the inputs of `ports` to `now`; the gates at which they are taken.\n\
             template <class Top> inline uint64_t take(const NicIn& now, unsigned ports, NicIn& before, \
             const uint64_t* triggers, Top& top) {{\n    uint64_t fire = 0;\n{taken}    return fire;\n}}\n\n",
            self.count(),
            self.places(),
            of_parts.join(", ")
        )
    }

    /// Takes the pins of one gate, if any of them has changed.
    fn taken(&self, gate: usize) -> String {
        let pins: Vec<&str> = NicIn::PINS
            .iter()
            .map(|(pin, _)| *pin)
            .filter(|pin| *pin != "reset" && self.of_pin(pin) == gate)
            .collect();
        let (_, port) = Port::PREFIXES[gate - self.nic.gates];
        let differ: Vec<String> = pins.iter().map(|pin| format!("(now.{pin} != before.{pin})")).collect();
        let copies: String =
            pins.iter().map(|pin| format!(" top.{pin} = before.{pin} = now.{pin};")).collect();
        format!(
            "    if ((ports & {}) && ({})) {{ fire |= triggers[{gate}];{copies} }}\n",
            Ports::one(port).0,
            differ.join(" | ")
        )
    }
}
