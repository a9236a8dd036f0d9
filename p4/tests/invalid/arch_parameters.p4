#include "../valid/include/common.p4"
#include "../valid/include/control.p4"

parser MainParser(packet_in pkt, out headers_t hdr) {
    state start { transition accept; }
}

#include "../valid/include/main.p4"
