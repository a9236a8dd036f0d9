#include "../valid/include/common.p4"
#include "../valid/include/parser.p4"

control MainControl(CONTROL_PARAMS) {
    apply {
        switch (hdr.ipv4.ttl) { default: { } }
    }
}

#include "../valid/include/main.p4"
