// The verilated NIC as the bridge sees it. `nic_pins.h` is written by the build script from `pins.rs`.
#pragma once

#include "Vdut.h"
#include "Vdut___024root.h"
#include "nic_pins.h"

#include <memory>

#if BATON_PHASES
void Vdut___024root___eval_ico(Vdut___024root*);
void Vdut___024root___eval_nba(Vdut___024root*);
#endif

namespace baton {

class Dut {
    // The model of `nic_sim`: the NIC with its reset tied low and its registers at their reset values.
    struct Model {
        VerilatedContext context;
        Vdut top{&context, "nic_sim"};
        bool clocked = false;

        Model() {
            top.clock = 0;
            top.eval();
        }
        ~Model() { top.final(); }
    };
    std::unique_ptr<Model> model = std::make_unique<Model>();

public:
    // Inputs settle; what can be read then is what the rising edge acts on.
    //
    // The build script defines BATON_PHASES when the model has one trigger, the rising edge of the clock, and
    // no logic between the regions: then its two regions are all that `eval` would run, and called by
    // themselves they take no search for triggers and no lock of the runtime. The tests hold it against
    // `eval`, cycle for cycle.
    //
    // While reset is high there are no edges; after a reset in mid-run the model is a new one.
    void cycle(const NicIn& pins, NicOut& out) {
        if (pins.reset && model->clocked) model = std::make_unique<Model>();
        Vdut___024root& root = *model->top.rootp;
        apply(pins, root);
#if BATON_PHASES
        root.__VicoTriggered[0] = 1;
        Vdut___024root___eval_ico(&root);
        sample(root, out);
        if (pins.reset) return;
        root.__VnbaTriggered[0] = 1;
        Vdut___024root___eval_nba(&root);
        root.__VnbaTriggered[0] = 0;
#else
        root.clock = 0;
        model->top.eval();
        sample(root, out);
        if (pins.reset) return;
        root.clock = 1;
        model->top.eval();
#endif
        model->clocked = true;
    }
};

inline std::unique_ptr<Dut> new_dut() { return std::make_unique<Dut>(); }

}  // namespace baton
