// Headers of a byte, four of them in a word, and eight ways to go on behind each.
#define OWN_STRUCTS
#include "../valid/include/common.p4"
header byte_h { bit<8> value; }
struct headers_t { byte_h h0; byte_h h1; byte_h h2; byte_h h3; byte_h h4; byte_h h5; byte_h h6; byte_h h7; byte_h h8; byte_h h9; byte_h h10; byte_h h11; }
struct metadata_t { bit<8> b; }

parser MainParser(PARSER_PARAMS) {
    state start {
        transition s0;
    }
    state s0 {
        pkt.extract(hdr.h0);
        transition select(hdr.h0.value) {
            1: s4;
            2: s7;
            3: s10;
            4: s1;
            5: s4;
            6: s7;
            7: s10;
            8: s1;
            default: accept;
        }
    }
    state s1 {
        pkt.extract(hdr.h1);
        transition select(hdr.h1.value) {
            1: s9;
            2: s0;
            3: s3;
            4: s6;
            5: s9;
            6: s0;
            7: s3;
            8: s6;
            default: accept;
        }
    }
    state s2 {
        pkt.extract(hdr.h2);
        transition select(hdr.h2.value) {
            1: s2;
            2: s5;
            3: s8;
            4: s11;
            5: s2;
            6: s5;
            7: s8;
            8: s11;
            default: accept;
        }
    }
    state s3 {
        pkt.extract(hdr.h3);
        transition select(hdr.h3.value) {
            1: s7;
            2: s10;
            3: s1;
            4: s4;
            5: s7;
            6: s10;
            7: s1;
            8: s4;
            default: accept;
        }
    }
    state s4 {
        pkt.extract(hdr.h4);
        transition select(hdr.h4.value) {
            1: s0;
            2: s3;
            3: s6;
            4: s9;
            5: s0;
            6: s3;
            7: s6;
            8: s9;
            default: accept;
        }
    }
    state s5 {
        pkt.extract(hdr.h5);
        transition select(hdr.h5.value) {
            1: s5;
            2: s8;
            3: s11;
            4: s2;
            5: s5;
            6: s8;
            7: s11;
            8: s2;
            default: accept;
        }
    }
    state s6 {
        pkt.extract(hdr.h6);
        transition select(hdr.h6.value) {
            1: s10;
            2: s1;
            3: s4;
            4: s7;
            5: s10;
            6: s1;
            7: s4;
            8: s7;
            default: accept;
        }
    }
    state s7 {
        pkt.extract(hdr.h7);
        transition select(hdr.h7.value) {
            1: s3;
            2: s6;
            3: s9;
            4: s0;
            5: s3;
            6: s6;
            7: s9;
            8: s0;
            default: accept;
        }
    }
    state s8 {
        pkt.extract(hdr.h8);
        transition select(hdr.h8.value) {
            1: s8;
            2: s11;
            3: s2;
            4: s5;
            5: s8;
            6: s11;
            7: s2;
            8: s5;
            default: accept;
        }
    }
    state s9 {
        pkt.extract(hdr.h9);
        transition select(hdr.h9.value) {
            1: s1;
            2: s4;
            3: s7;
            4: s10;
            5: s1;
            6: s4;
            7: s7;
            8: s10;
            default: accept;
        }
    }
    state s10 {
        pkt.extract(hdr.h10);
        transition select(hdr.h10.value) {
            1: s6;
            2: s9;
            3: s0;
            4: s3;
            5: s6;
            6: s9;
            7: s0;
            8: s3;
            default: accept;
        }
    }
    state s11 {
        pkt.extract(hdr.h11);
        transition select(hdr.h11.value) {
            1: s11;
            2: s2;
            3: s5;
            4: s8;
            5: s11;
            6: s2;
            7: s5;
            8: s8;
            default: accept;
        }
    }
}
control MainControl(CONTROL_PARAMS) {
    action hit(ConnectionId_t connection) { ostd.hit = true; ostd.connection = connection; }
    action miss() { }
    apply {
    }
}
#include "../valid/include/main.p4"
