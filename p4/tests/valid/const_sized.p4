// Section 8.6: constants with a width wrap around.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

const bit<8> A = 8w255 + 1;
const bit<8> B = 8w0 - 1;
const bit<8> C = 8w250 |+| 10;
const bit<8> D = 8w5 |-| 10;
const bit<8> E = 8w16 * 8w17;
const bit<8> F = 8w17 / 8w5;
const bit<8> G = 8w17 % 8w5;
const bit<16> H = 8w0xAB ++ 8w0xCD;
const bit<4> I = H[11:8];
const bit<8> J = ~8w0x0F;
const bit<8> K = -8w1;
const bit<8> L = 8w1 << 7;
const bit<8> N = 8w1 << 8;
const bool OK = static_assert(A == 0 && B == 255 && C == 255 && D == 0 && E == 16 && F == 3 && G == 2);
const bool TOO = static_assert(H == 0xABCD && I == 0xB && J == 0xF0 && K == 255 && L == 128 && N == 0);

#include "include/main.p4"
