#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

typedef tuple<bit<8>, bit<8>> pair_t;

#include "../valid/include/main.p4"
