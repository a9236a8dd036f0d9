// The verilated NIC as the bridge sees it. `nic_pins.h` is written by the build script from `pins.rs`.
#pragma once

#include "Vdut.h"
#include "nic_pins.h"

#include <memory>

namespace baton {

class Dut {
    VerilatedContext context;
    Vdut top{&context, "nic_top"};

public:
    ~Dut() { top.final(); }

    // Inputs settle while the clock is low; what is read then is what the rising edge acts on.
    void cycle(const NicIn& pins, NicOut& out) {
        apply(pins, top);
        top.clock = 0;
        top.eval();
        sample(top, out);
        top.clock = 1;
        top.eval();
    }
};

inline std::unique_ptr<Dut> new_dut() { return std::make_unique<Dut>(); }

}  // namespace baton
