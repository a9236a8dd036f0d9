// Section 7.2.8 and 7.2.9: typedef and type.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

typedef bit<32> u32;
typedef u32 ipv4_t;
type bit<9> port_t;
type u32 host_t;
const port_t PORT = (port_t) 9w17;
const bit<9> NUMBER = (bit<9>) PORT;
const host_t HOST = (host_t) 0x0A000001;
const ipv4_t ADDRESS = (ipv4_t) HOST;
const bool OK = static_assert(NUMBER == 17 && ADDRESS == 0x0A000001 && PORT == (port_t) 17);

#include "include/main.p4"
