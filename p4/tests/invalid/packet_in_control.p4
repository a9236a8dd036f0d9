#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

control Other(packet_in p) { apply { p.advance(8); } }

#include "../valid/include/main.p4"
