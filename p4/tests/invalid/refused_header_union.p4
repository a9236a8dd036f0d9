#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

header_union ip_u { ipv4_h v4; ethernet_h e; }

#include "../valid/include/main.p4"
