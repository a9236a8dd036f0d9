// Section 8.8: operations on arbitrary-precision integers.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

const int A = (1 << 100) - 1;
const int B = A / 3 * 3 + A % 3;
const bool SAME = static_assert(A == B);
const int C = -5 + 10;
const bool BITS = static_assert((C & 4) == 4 && (C | 2) == 7 && (C ^ 1) == 4 && C << 2 == 20 && C >> 1 == 2);
const bool ORDER = static_assert(C < 6 && C <= 5 && C > 4 && C >= 5 && C != 6);
const int PRECEDENCE = 2 + 3 * 4 << 1 & 0xFF | 1;
const bool BINDS = static_assert(PRECEDENCE == 29);
const int CHOICE = C == 5 ? 1 : 2;
const bit<4> WRAPPED = (bit<4>) 0x1F;
const bit<8> MINUS = (bit<8>) -1;
const bool CAST = static_assert(WRAPPED == 15 && MINUS == 255);

#include "include/main.p4"
