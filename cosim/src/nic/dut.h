// The verilated NIC as the bridge sees it. `nic_pins.h` is written by the build script from `pins.rs` and from the gates
// of the emitted NIC.
#pragma once

#include "Vdut.h"
#include "Vdut___024root.h"
#include "nic_pins.h"

#include <cstring>
#include <memory>

// The function of the model in which everything happens, and the one that finds out which clocks have risen. The build
// script sees to it that there is nothing else to run (`build/regions.rs`).
void Vdut___024root___eval_nba(Vdut___024root*);
void Vdut___024root___eval_triggers_vec__act(Vdut___024root*);

namespace baton {

class Dut {
    // The model of `nic_sim`: the NIC with its reset tied low, its registers at their reset values, and its clock cut
    // into gates.
    struct Model {
        VerilatedContext context;
        Vdut top{&context, "nic_sim"};
        // Verilator's bit for the rising edge of each gate, and those of the gates of eight parts, by which of them move.
        uint64_t triggers[GATES];
        uint64_t triggers_of_eight[PARTS / 8][256] = {};
        NicIn pins{};
        // The outputs were never given.
        bool is_new = true;
        // The edge that ends the last cycle is still to come.
        bool edge_due = false;

        Model() {
            for (int gate = 0; gate < GATES; ++gate) set_gate(top, gate, false);
            top.eval();
            for (int gate = 0; gate < GATES; ++gate) {
                triggers[gate] = rising(gate, true);
                rising(gate, false);
            }
            for (int part = 0; part < PARTS; ++part) {
                for (int moves = 0; moves < 256; ++moves) {
                    if (moves >> part % 8 & 1) triggers_of_eight[part / 8][moves] |= triggers[GATE_OF_PART[part]];
                }
            }
        }
        ~Model() { top.final(); }

        uint64_t rising(int gate, bool level) {
            set_gate(*top.rootp, gate, level);
            Vdut___024root___eval_triggers_vec__act(top.rootp);
            return top.rootp->__VactTriggered[0];
        }

        // The gates of the parts that move. A part says so in a byte; eight of them at once become bits.
        uint64_t moving() const {
            uint64_t fire = triggers[TICKS];
            const auto* parts = reinterpret_cast<const uint8_t*>(&top.rootp->moves[0]);
            for (int first = 0; first < PARTS; first += 8) {
                uint64_t eight = 0;
                std::memcpy(&eight, parts + first, sizeof eight);
                fire |= triggers_of_eight[first / 8][(eight * 0x0102040810204080) >> 56];
            }
            return fire;
        }
    };
    std::unique_ptr<Model> model = std::make_unique<Model>();

public:
    // The edge that ends the cycle before and the inputs of this cycle take effect together; then the outputs are those
    // on which the next edge acts. Only gates of parts that move are raised, as the edge would change nothing in the
    // others (`hdl/src/emit/gates.rs`). The tests hold this against the plain model, cycle for cycle.
    //
    // Inputs are looked at only for the ports in `changed`. `out` is the outputs of the cycle before, and is written only
    // where they may have changed. The answer is the ports that have changed.
    //
    // While reset is high there are no edges; after a reset in mid-run the model is a new one.
    uint8_t cycle(const NicIn& pins, uint8_t changed, NicOut& out) {
        if (pins.reset && model->edge_due) model = std::make_unique<Model>();
        Model& m = *model;
        Vdut___024root& root = *m.top.rootp;
        uint64_t fire = m.edge_due ? m.moving() : 0;
        if (changed | m.is_new) fire |= take(pins, m.is_new ? ALL_PORTS : changed, m.pins, m.triggers, root);
        m.edge_due = !pins.reset;
        if (fire) {
            root.__VnbaTriggered[0] = fire;
            Vdut___024root___eval_nba(&root);
            root.__VnbaTriggered[0] = 0;
        }
        if (!m.is_new) return sample(root, fire, out);
        m.is_new = false;
        take_constants(root, out);
        sample(root, ~0ULL, out);
        return ALL_PORTS;
    }
};

inline std::unique_ptr<Dut> new_dut() { return std::make_unique<Dut>(); }

}  // namespace baton
