#include "../valid/include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ipv4);
        pkt.advance((bit<32>) hdr.ipv4.ihl << 2);
        transition accept;
    }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
