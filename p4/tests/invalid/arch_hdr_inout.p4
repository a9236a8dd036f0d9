#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(inout headers_t hdr, inout metadata_t meta, in baton_main_input_metadata_t istd,
    inout baton_main_output_metadata_t ostd) {
    apply { }
}

#include "../valid/include/main.p4"
