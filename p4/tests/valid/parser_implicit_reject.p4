// Section 13.5: a state without a transition rejects.

#include "include/common.p4"

parser MainParser(PARSER_PARAMS) {
    state start {
        pkt.extract(hdr.ethernet);
    }
}

#include "include/control.p4"
#include "include/main.p4"
