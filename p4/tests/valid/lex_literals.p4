// Section 6.4.3: integer literals of every form, and strings.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

const bit<32> A1 = 32w255;          // a 32-bit unsigned number with value 255
const bit<32> A2 = 32w0d255;        // same
const bit<32> A3 = 32w0xFF;         // same
const bit<8> B1 = 8w0b10101010;     // an 8-bit unsigned number with value 0xAA
const bit<8> B2 = 8w0b_1010_1010;   // same
const bit<8> B3 = 8w170;            // same
const bit<16> C1 = 16w0377;         // 16-bit unsigned number with value 377 (not 255!)
const bit<16> C2 = 16w0o377;        // 16-bit unsigned number with value 255 (base 8)
const int D1 = 1_000_000;
const int D2 = 0XFF;
const int D3 = 0B11;
const int D4 = 0O17;
const bit<128> E1 = 0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF;
const bool AGREE = static_assert(A1 == A2 && A2 == A3 && B1 == B2 && B2 == B3 && C1 == 377 && C2 == 255);
const bool ALSO = static_assert(D1 == 1000000 && D2 == 255 && D3 == 3 && D4 == 15, "other \"bases\" \\ \n");

#include "include/main.p4"
