#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

type metadata_t m_t;

#include "../valid/include/main.p4"
