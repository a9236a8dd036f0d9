// Section 13.7: verify.

#include "include/common.p4"

error { Strange }

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet);
        verify(hdr.ethernet.kind != 0, error.Strange);
        verify(true, error.NoError);
        transition accept;
    }
}

#include "include/control.p4"
#include "include/main.p4"
