// Section 6.2, and beyond it: macros with parameters.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

#define FIELD(name, width) bit<width> name;
#define BOTH(prefix) FIELD(prefix, 8) \
    FIELD(other, 8)
header macro_h {
    BOTH(first)
}
#define MAX(a, b) ((a) > (b) ? (a) : (b))
const int LARGER = MAX(MAX(3, 9), MAX(4, 5));
const bool OK = static_assert(LARGER == 9);

#include "include/main.p4"
