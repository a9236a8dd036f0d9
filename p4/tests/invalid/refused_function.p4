#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

bit<8> max(in bit<8> a, in bit<8> b) {
    return a > b ? a : b;
}

#include "../valid/include/main.p4"
