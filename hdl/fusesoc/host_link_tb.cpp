// Clocks the host link through a reset and a thousand cycles: without a session it sends nothing and takes no burst.
#include "Vhost_link.h"
#include <cstdio>

int main() {
    Vhost_link link;
    for (int cycle = 0; cycle < 1000; cycle++) {
        link.reset = cycle < 16;
        link.s_axi_awvalid = 1;
        link.s_axi_arvalid = 1;
        link.clock = 0;
        link.eval();
        if (cycle >= 16 && (link.tx_tvalid || link.s_axi_awready || link.s_axi_arready || link.linked)) {
            std::fprintf(stderr, "host_link: not silent in cycle %d\n", cycle);
            return 1;
        }
        link.clock = 1;
        link.eval();
    }
    std::puts("host_link: silent without a session");
    return 0;
}
