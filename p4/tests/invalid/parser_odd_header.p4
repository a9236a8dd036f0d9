#define OWN_STRUCTS
#include "../valid/include/common.p4"

header odd_h { bit<12> vid; }
struct headers_t { odd_h odd; }
struct metadata_t { bit<8> b; }

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.odd);
        transition accept;
    }
}

#include "../valid/include/control.p4"
#include "../valid/include/main.p4"
