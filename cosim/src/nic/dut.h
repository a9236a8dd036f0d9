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
    VerilatedContext context;
    Vdut top{&context, "nic_top"};

public:
    Dut() {
        top.clock = 0;
        top.eval();
    }
    ~Dut() { top.final(); }

    // Inputs settle; what can be read then is what the rising edge acts on.
    //
    // The build script defines BATON_PHASES when the model has one trigger, the rising edge of the clock, and
    // no logic between the regions: then its two regions are all that `eval` would run, and called by
    // themselves they take no search for triggers and no lock of the runtime, for a quarter of the time
    // of a cycle. The tests hold it against `eval`, cycle for cycle.
    void cycle(const NicIn& pins, NicOut& out) {
        apply(pins, *top.rootp);
#if BATON_PHASES
        top.rootp->__VicoTriggered[0] = 1;
        Vdut___024root___eval_ico(top.rootp);
        sample(*top.rootp, out);
        top.rootp->__VnbaTriggered[0] = 1;
        Vdut___024root___eval_nba(top.rootp);
        top.rootp->__VnbaTriggered[0] = 0;
#else
        top.clock = 0;
        top.eval();
        sample(*top.rootp, out);
        top.clock = 1;
        top.eval();
#endif
    }
};

inline std::unique_ptr<Dut> new_dut() { return std::make_unique<Dut>(); }

}  // namespace baton
