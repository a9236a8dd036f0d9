// Section 14.1: actions at top level.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

const bit<8> STEP = 3;
action global_action(inout bit<8> x) {
    x = x + STEP;
}

#include "include/main.p4"
