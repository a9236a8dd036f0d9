#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"
#include "../valid/include/control.p4"

enum e_t { A }
header h_t { e_t e; }

#include "../valid/include/main.p4"
