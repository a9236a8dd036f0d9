// Section 7.1.2: errors.

#include "include/common.p4"
#include "include/parser.p4"

error { Strange, Stranger }

control MainControl(CONTROL_PARAMS) {
    apply {
        meta.e = error.Strange;
        if (istd.parser_error == error.NoError && meta.e != error.PacketTooShort) {
            ostd.queue = 1;
        }
    }
}

#include "include/main.p4"
