// Section 7.1.6.2: widths that are expressions.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

const int BYTES = 4;
const bit<(BYTES * 8)> A = 0xFFFFFFFF;
const bit<(8 + 8)> B = A[15:0];
const bit C = 1;
header wide_h {
    bit<(BYTES * 8 - 1)> most;
    bit rest;
}

#include "include/main.p4"
