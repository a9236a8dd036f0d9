// Section 6.5: a comma may follow the last element of a list.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

enum e_t { A, B, }
enum bit<8> f_t { A = 1, B = 2, }
error { X, Y, }

#include "include/main.p4"
