// Section 7.2.1: enums, plain and serializable.

#include "include/common.p4"
#include "include/parser.p4"

enum suit_t { Clubs, Diamonds, Hearts, Spades, }
enum bit<16> kind_t {
    IPV4 = 0x0800,
    VLAN = 0x8000 + 0x100
}
const bit<16> AS_NUMBER = kind_t.IPV4 + 1;

control MainControl(CONTROL_PARAMS) {
    suit_t suit = suit_t.Hearts;
    apply {
        if (suit == suit_t.Spades || suit != suit_t.Hearts) {
            suit = suit_t.Clubs;
        }
        if (hdr.ethernet.kind == kind_t.IPV4) {
            ostd.queue = 1;
        }
        bit<16> number = kind_t.VLAN;
        kind_t kind = (kind_t) number;
        if (kind == kind_t.IPV4 && suit == suit_t.Clubs) {
            ostd.queue = 2;
        }
    }
}

#include "include/main.p4"
