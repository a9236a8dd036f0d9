// Section 6.4: keywords that are names elsewhere.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

struct names_t {
    bit<8> key;
    bit<8> actions;
    bit<8> state;
    bit<8> entries;
    bit<8> type;
    bit<8> priority;
    bit<8> list;
    bit<8> apply;
}
const bit<8> type = 1;
const bit<8> state = type + 1;
const bit<8> list = state + 1;
const bool priority = static_assert(list == 3);

#include "include/main.p4"
