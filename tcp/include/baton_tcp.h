/*
 * The TCP engine of Baton as a C library.
 *
 *     cargo rustc -p baton-tcp --features capi --crate-type cdylib --release     ->  libbaton_tcp.so
 *
 * A handle is one connection with its buffers: frames go in and come out, time is passed in, there is no I/O, no thread and no
 * clock. Frames are whole Ethernet frames with IPv4 and TCP, checksums included, without the check sequence of the link. The
 * engine is the one that Baton's host stack and its NIC's firmware run: RFC 9293, 7323, 5681, 6582, 2018, 6675, 6298, 5961, 9438.
 *
 * Rules
 *   - Pointers are null or valid for the length given with them; null is refused, nothing else can be checked. Handles come from
 *     this library and are not used after baton_tcp_free.
 *   - One call at a time on a handle; different handles may be used by different threads.
 *   - Bytes may be anything. What is not acceptable is refused with an error and changes nothing.
 *   - Whatever changes a connection (feed, advance, send, recv, shutdown, abort, import) may give it something to send: call
 *     baton_tcp_take until it returns 0, after each of them.
 *   - Room that a caller gives is cleared before it is used, so all of it must be writable.
 */
#ifndef BATON_TCP_H
#define BATON_TCP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface, major << 16 | minor; and of the records that export writes. */
#define BATON_TCP_VERSION 0x00010000u
uint32_t baton_tcp_version(void);
uint32_t baton_tcp_record_version(void);

/* Results. Calls that return a length return one of these instead. */
enum {
    BATON_TCP_OK = 0,
    BATON_TCP_EINVAL = -1,  /* an argument that no valid call has: null, out of range */
    BATON_TCP_EPACKET = -2, /* not a whole frame of this connection with right checksums */
    BATON_TCP_ESPACE = -3,  /* the caller's buffer is too small */
    BATON_TCP_ESTATE = -4,  /* the connection's state does not allow it */
    BATON_TCP_ERECORD = -5, /* a record that no exporter could have written (baton_tcp_import returns null) */
    BATON_TCP_ECLOCK = -6   /* the clock would run backwards */
};

/* States: the numbers of the handoff record, and one for a handle that waits for a SYN. */
enum {
    BATON_TCP_CLOSED = 0,
    BATON_TCP_SYN_SENT = 1,
    BATON_TCP_SYN_RECEIVED = 2,
    BATON_TCP_ESTABLISHED = 3,
    BATON_TCP_FIN_WAIT_1 = 4,
    BATON_TCP_FIN_WAIT_2 = 5,
    BATON_TCP_CLOSE_WAIT = 6,
    BATON_TCP_CLOSING = 7,
    BATON_TCP_LAST_ACK = 8,
    BATON_TCP_TIME_WAIT = 9,
    BATON_TCP_LISTEN = 100
};

/* What happened since the last call of baton_tcp_events. */
enum {
    BATON_TCP_EV_ESTABLISHED = 1,
    BATON_TCP_EV_READABLE = 2,    /* bytes arrived in order */
    BATON_TCP_EV_WRITABLE = 4,    /* bytes were acknowledged, so there is room to send */
    BATON_TCP_EV_PEER_CLOSED = 8, /* nothing follows what can be read now */
    BATON_TCP_EV_CLOSED = 16,     /* ended in order */
    BATON_TCP_EV_RESET = 32,      /* the peer has reset the connection */
    BATON_TCP_EV_TIMED_OUT = 64   /* the peer did not answer */
};

enum { BATON_TCP_NEWRENO = 0, BATON_TCP_CUBIC = 1 };

/* Parameters. Start from baton_tcp_config_default; a value out of range is refused, not changed. */
struct baton_tcp_config {
    uint32_t size;           /* sizeof(struct baton_tcp_config) */
    uint16_t mss;            /* largest segment without options, 64 to 9000 */
    uint8_t window_shift;    /* scale of announced windows, 0 to 14 */
    uint8_t initial_window;  /* segments, at least 1 */
    uint8_t max_retransmits; /* timeouts in a row before giving up, 1 to 100 */
    uint8_t nagle;           /* 0 or not */
    uint8_t sack;
    uint8_t timestamps;
    uint8_t congestion; /* BATON_TCP_NEWRENO or BATON_TCP_CUBIC */
    uint8_t reserved[3]; /* zero */
    uint32_t min_rto_us; /* 1000 to max_rto_us */
    uint32_t max_rto_us;
    uint32_t delayed_ack_us; /* below half a second */
    uint32_t time_wait_us;
    uint32_t keepalive_us;  /* 0: none */
    uint32_t fin_wait_2_us; /* 0: no limit */
    uint32_t challenge_us;
};

/* Both ends. Addresses and ports are numbers: 10.0.0.1 is 0x0A000001. */
struct baton_tcp_endpoints {
    uint32_t local_ip;
    uint32_t remote_ip;
    uint16_t local_port;
    uint16_t remote_port;
    uint8_t local_mac[6];
    uint8_t remote_mac[6];
};

typedef struct baton_tcp baton_tcp;

int baton_tcp_config_default(struct baton_tcp_config *config);

/*
 * An active open, or a handle that waits for a SYN from the remote end. `iss` is the first sequence number, which should be hard to
 * guess. Buffers are at most 2^30 bytes. `now_us` starts the connection's clock. Null when an argument is not valid.
 */
baton_tcp *baton_tcp_connect(const struct baton_tcp_config *config, const struct baton_tcp_endpoints *endpoints,
                             uint32_t iss, uint32_t send_bytes, uint32_t receive_bytes, uint64_t now_us);
baton_tcp *baton_tcp_listen(const struct baton_tcp_config *config, const struct baton_tcp_endpoints *endpoints,
                            uint32_t iss, uint32_t send_bytes, uint32_t receive_bytes, uint64_t now_us);
void baton_tcp_free(baton_tcp *tcp);

/* A frame arrives. */
int baton_tcp_feed(baton_tcp *tcp, const uint8_t *frame, size_t len);
/* Writes the next frame to send and returns its length; 0: none. `capacity` is at least BATON_TCP_FRAME_MAX. */
#define BATON_TCP_FRAME_MAX 9094
ptrdiff_t baton_tcp_take(baton_tcp *tcp, uint8_t *frame, size_t capacity);

/* Moves the clock to `now_us`, never backwards, and acts on timers that are due. */
int baton_tcp_advance(baton_tcp *tcp, uint64_t now_us);
/* When the next timer is due; UINT64_MAX: none runs. */
uint64_t baton_tcp_deadline(baton_tcp *tcp);

uint32_t baton_tcp_events(baton_tcp *tcp);
int baton_tcp_state(baton_tcp *tcp);

/* Takes what there is room for and returns how much, 0 when the buffer is full; BATON_TCP_ESTATE once closed for sending. */
ptrdiff_t baton_tcp_send(baton_tcp *tcp, const uint8_t *data, size_t len);
/* Reads what has arrived and returns how much. */
ptrdiff_t baton_tcp_recv(baton_tcp *tcp, uint8_t *data, size_t capacity);
/* No more will be sent: FIN follows what was. Receiving goes on. */
int baton_tcp_shutdown(baton_tcp *tcp);
/* Gives the connection up; the next take gives the RST where one is due. */
int baton_tcp_abort(baton_tcp *tcp);
int baton_tcp_set_nagle(baton_tcp *tcp, int on);
/*
 * A router said that segments of `mss` bytes (its MTU less 40) would pass, quoting the segment at `quoted_seq`. BATON_TCP_EINVAL when that is
 * not outstanding, or nothing new.
 */
int baton_tcp_lower_mss(baton_tcp *tcp, uint16_t mss, uint32_t quoted_seq);

/*
 * Writes the connection, its buffers included, and returns the length; with a null `record` and no capacity, only the length. Not
 * during the handshake, and not once it is over. The exporter is then freed: one owner of a connection at a time.
 */
ptrdiff_t baton_tcp_export(baton_tcp *tcp, uint8_t *record, size_t capacity);
/*
 * Continues a connection where it was exported. Times, and only those, are taken from `config`; what the handshake agreed on and the
 * algorithm of congestion control are in the record. Null when it is refused: nothing in it is trusted.
 */
baton_tcp *baton_tcp_import(const struct baton_tcp_config *config, const uint8_t *record, size_t len, uint64_t now_us);

#ifdef __cplusplus
}
#endif
#endif
