/* Two engines over a wire that loses, duplicates and damages frames, handed over again and again: every byte arrives. */
#include "baton_tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

enum { TOTAL = 300000, DELAY_US = 5000, FLYING = 512 };

static uint64_t seed = 1;

static uint32_t dice(uint32_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

struct frame {
    uint64_t at;
    int to;
    ptrdiff_t len;
    uint8_t bytes[BATON_TCP_FRAME_MAX];
};

static struct frame flying[FLYING];
static uint64_t now = 1000;

static void put(int to, const uint8_t *bytes, ptrdiff_t len) {
    for (int i = 0; i < FLYING; i++) {
        if (flying[i].len == 0) {
            flying[i].at = now + DELAY_US + dice(2000);
            flying[i].to = to;
            flying[i].len = len;
            memcpy(flying[i].bytes, bytes, (size_t)len);
            if (dice(100) < 2) {
                flying[i].bytes[14 + dice((uint32_t)len - 14)] ^= 1 << dice(8);
            }
            return;
        }
    }
}

static void drain(baton_tcp **ends, int from) {
    uint8_t bytes[BATON_TCP_FRAME_MAX];
    ptrdiff_t len;
    while ((len = baton_tcp_take(ends[from], bytes, sizeof bytes)) != 0) {
        CHECK(len > 0);
        if (dice(100) >= 3) {
            put(1 - from, bytes, len);
        }
        if (dice(100) < 2) {
            put(1 - from, bytes, len);
        }
    }
}

static uint8_t pattern(uint32_t index) {
    return (uint8_t)((index * 2654435761u) >> 24);
}

/* Hands an end over, by way of a record, and shows on the way that a damaged one is refused or harmless. */
static baton_tcp *move(baton_tcp *tcp, const struct baton_tcp_config *config) {
    ptrdiff_t len = baton_tcp_export(tcp, NULL, 0);
    if (len == BATON_TCP_ESTATE) {
        return tcp;
    }
    CHECK(len > 0);
    uint8_t *record = malloc((size_t)len);
    CHECK(record && baton_tcp_export(tcp, record, (size_t)len - 1) == BATON_TCP_ESPACE);
    CHECK(baton_tcp_export(tcp, record, (size_t)len) == len);
    CHECK(baton_tcp_import(config, record, (size_t)len - 1, now) == NULL);
    record[16] ^= 1;
    CHECK(baton_tcp_import(config, record, (size_t)len, now) == NULL);
    record[16] ^= 1;
    baton_tcp *copy = baton_tcp_import(config, record, (size_t)len, now);
    CHECK(copy);
    uint8_t *again = malloc((size_t)len);
    CHECK(again && baton_tcp_export(copy, again, (size_t)len) == len && memcmp(record, again, (size_t)len) == 0);
    free(again);
    free(record);
    baton_tcp_free(tcp);
    return copy;
}

int main(int argc, char **argv) {
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) * 2 + 1 : 1;
    CHECK(baton_tcp_version() == BATON_TCP_VERSION);
    CHECK(baton_tcp_record_version() >= 2);

    struct baton_tcp_config config;
    CHECK(baton_tcp_config_default(&config) == 0 && config.size == sizeof config);
    struct baton_tcp_endpoints a = {0x0A000001, 0x0A000002, 40000, 80, {2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
    struct baton_tcp_endpoints b = {0x0A000002, 0x0A000001, 80, 40000, {2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1}};

    /* What no valid call has is refused. */
    uint8_t small[64] = {0};
    CHECK(baton_tcp_config_default(NULL) == BATON_TCP_EINVAL);
    CHECK(!baton_tcp_connect(NULL, &a, 1, 1, 1, 0) && !baton_tcp_connect(&config, NULL, 1, 1, 1, 0));
    CHECK(baton_tcp_feed(NULL, small, 1) == BATON_TCP_EINVAL && baton_tcp_take(NULL, small, 1) == BATON_TCP_EINVAL);
    struct baton_tcp_config wrong = config;
    wrong.congestion = 9;
    CHECK(!baton_tcp_connect(&wrong, &a, 1, 1, 1, 0));
    wrong = config;
    wrong.size = 4;
    CHECK(!baton_tcp_connect(&wrong, &a, 1, 1, 1, 0));
    wrong = config;
    wrong.mss = 1;
    CHECK(!baton_tcp_connect(&wrong, &a, 1, 1, 1, 0));

    config.min_rto_us = 200000;
    config.max_retransmits = 50;
    config.time_wait_us = 20000000;
    config.window_shift = 2;
    config.congestion = BATON_TCP_CUBIC;
    baton_tcp *ends[2];
    ends[0] = baton_tcp_connect(&config, &a, 0xFFFFF000u, 50000, 50000, now);
    ends[1] = baton_tcp_listen(&config, &b, 0x80000000u, 50000, 50000, now);
    CHECK(ends[0] && ends[1] && baton_tcp_state(ends[1]) == BATON_TCP_LISTEN);
    CHECK(baton_tcp_feed(ends[0], small, sizeof small) == BATON_TCP_EPACKET);
    CHECK(baton_tcp_feed(ends[0], NULL, 5) == BATON_TCP_EINVAL);
    CHECK(baton_tcp_take(ends[0], small, sizeof small) == BATON_TCP_ESPACE);
    CHECK(baton_tcp_advance(ends[0], now - 1) == BATON_TCP_ECLOCK);
    CHECK(baton_tcp_export(ends[1], NULL, 0) == BATON_TCP_ESTATE);
    CHECK(baton_tcp_send(ends[1], small, 1) == BATON_TCP_ESTATE);

    uint32_t sent = 0, received = 0, moves = 0;
    uint32_t seen[2] = {0, 0};
    int shut[2] = {0, 0};
    for (int turn = 0; turn < 2000000; turn++) {
        /* The application: one side sends, the other reads and closes when the first has. */
        while (sent < TOTAL && baton_tcp_state(ends[0]) == BATON_TCP_ESTABLISHED) {
            uint8_t data[1000];
            uint32_t count = TOTAL - sent < sizeof data ? TOTAL - sent : (uint32_t)sizeof data;
            for (uint32_t i = 0; i < count; i++) {
                data[i] = pattern(sent + i);
            }
            ptrdiff_t taken = baton_tcp_send(ends[0], data, count);
            CHECK(taken >= 0);
            sent += (uint32_t)taken;
            if (taken < (ptrdiff_t)count) {
                break;
            }
        }
        if (sent == TOTAL && !shut[0]) {
            CHECK(baton_tcp_shutdown(ends[0]) == 0);
            shut[0] = 1;
        }
        uint8_t data[3000];
        ptrdiff_t count;
        while ((count = baton_tcp_recv(ends[1], data, sizeof data)) > 0) {
            for (ptrdiff_t i = 0; i < count; i++) {
                CHECK(data[i] == pattern(received + (uint32_t)i));
            }
            received += (uint32_t)count;
        }
        CHECK(count == 0);
        for (int i = 0; i < 2; i++) {
            drain(ends, i);
            seen[i] |= baton_tcp_events(ends[i]);
        }
        if ((seen[1] & BATON_TCP_EV_PEER_CLOSED) && !shut[1]) {
            CHECK(received == TOTAL);
            CHECK(baton_tcp_shutdown(ends[1]) == 0);
            shut[1] = 1;
            drain(ends, 1);
        }
        if ((seen[0] & BATON_TCP_EV_CLOSED) && (seen[1] & BATON_TCP_EV_CLOSED)) {
            CHECK(received == TOTAL && moves > 10);
            printf("%u bytes in %llu us, %u handoffs\n", received, (unsigned long long)now, moves);
            baton_tcp_free(ends[0]);
            baton_tcp_free(ends[1]);
            return 0;
        }
        if (dice(20) == 0) {
            int which = (int)dice(2);
            baton_tcp *before = ends[which];
            ends[which] = move(before, &config);
            moves += before != ends[which];
        }
        /* The next thing that happens. */
        uint64_t next = UINT64_MAX;
        int arrives = -1;
        for (int i = 0; i < FLYING; i++) {
            if (flying[i].len && flying[i].at < next) {
                next = flying[i].at;
                arrives = i;
            }
        }
        for (int i = 0; i < 2; i++) {
            uint64_t due = baton_tcp_deadline(ends[i]);
            if (due < next) {
                next = due;
                arrives = -1;
            }
        }
        CHECK(next != UINT64_MAX);
        now = next > now ? next : now;
        for (int i = 0; i < 2; i++) {
            CHECK(baton_tcp_advance(ends[i], now) == 0);
        }
        if (arrives >= 0) {
            int result = baton_tcp_feed(ends[flying[arrives].to], flying[arrives].bytes, (size_t)flying[arrives].len);
            CHECK(result == BATON_TCP_OK || result == BATON_TCP_EPACKET);
            flying[arrives].len = 0;
        }
    }
    fprintf(stderr, "no end: %u of %u bytes arrived\n", received, TOTAL);
    return 1;
}
