// Section 6.2: the preprocessor's directives.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

#define WIDTH 16
#if WIDTH > 8 && defined(WIDTH) && !defined(NARROW)
const bit<WIDTH> A = 1;
#elif WIDTH == 8
this is not P4
#else
neither is this: "
#endif
#undef WIDTH
#ifndef WIDTH
#define WIDTH 8
#endif
const bit<WIDTH> B = (bit<WIDTH>) A;

#include "include/main.p4"
