//! The constants of the cost model, in one table: what each operation of the server executes, and how large the
//! structures are that it touches.
//!
//! The cost of a memory access is none of them: it follows from the caches. Sources: *paper* is Kim & Rixner, Table 2
//! and Section 2; *FreeBSD 4.7* the size of a structure or of a table in that system, which the paper's server
//! runs, rounded to lines; *estimate* an order of magnitude for a path of that length in such a kernel, which no result of the
//! paper was used for; *calibrated* means fitted to the anchors of the machine without offload, which docs/model.md
//! lists. No constant is fitted to a result with offload.

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    pub name: &'static str,
    pub value: u32,
    pub unit: &'static str,
    pub source: &'static str,
    pub what: &'static str,
}

macro_rules! constants {
    ($($name:ident = $value:literal $unit:literal, $source:literal, $what:literal;)*) => {
        $(#[doc = $what] pub const $name: u32 = $value;)*
        /// Every constant, in the order of the documentation.
        pub const TABLE: &[Constant] = &[
            $(Constant { name: stringify!($name), value: $value, unit: $unit, source: $source, what: $what },)*
        ];
    };
}

constants! {
    SOCKET_BYTES = 256 "bytes", "FreeBSD 4.7", "struct socket, with both socket buffers";
    INPCB_BYTES = 192 "bytes", "FreeBSD 4.7", "struct inpcb";
    TCPCB_BYTES = 832 "bytes", "calibrated", "struct tcpcb, its callouts and whatever else TCP keeps of a connection (uncached TCP packet)";
    TEMPLATE_BYTES = 128 "bytes", "FreeBSD 4.7", "header template of a connection, in an mbuf of its own";
    FILE_BYTES = 64 "bytes", "FreeBSD 4.7", "struct file and its descriptor";
    MBUF_BYTES = 256 "bytes", "FreeBSD 4.7", "an mbuf, of which the first line is touched";
    CLUSTER_BYTES = 2048 "bytes", "FreeBSD 4.7", "an mbuf cluster, which copied bytes lie in";
    PAGE_BYTES = 4096 "bytes", "FreeBSD 4.7", "a page: the unit in which sendfile appends to a socket";
    TCP_HASH_BUCKETS = 512 "buckets", "FreeBSD 4.7", "of the table of TCP connections (TCBHASHSIZE)";
    CLIENT_BYTES = 320 "bytes", "estimate", "what the web server keeps of a connection, in user memory";
    CACHED_FILE_BYTES = 256 "bytes", "estimate", "what the web server keeps of a file: name, head, times";

    LAYER_PERCENT = 424 "%", "calibrated", "length of the paths of sockets, IP, driver, interrupt and bypass, over the estimates below";

    INTERRUPT = 900 "instructions", "estimate", "an interrupt: entry, dispatch, handler, software interrupt, exit";
    DOORBELL_CYCLES = 60 "cycles", "estimate", "an uncached write to a register of the NIC";
    DRIVER_RX = 380 "instructions", "estimate", "receive one frame: completion, buffer, new descriptor, link header";
    DRIVER_TX = 330 "instructions", "estimate", "transmit one frame: link header, queue, descriptor";
    DRIVER_TX_DONE = 110 "instructions", "estimate", "take one transmitted frame back and free its mbufs";
    IP_IN = 320 "instructions", "estimate", "input of one packet";
    IP_OUT = 340 "instructions", "estimate", "output of one packet, with the route looked up";
    TCP_IN = 1305 "instructions", "calibrated", "input of one segment (cached TCP packet)";
    TCP_OUT = 1305 "instructions", "calibrated", "output of one segment (cached TCP packet)";
    TCP_OPEN = 2600 "instructions", "estimate", "a SYN to a new connection: allocation, initialisation, options";
    TCP_CLOSE = 1800 "instructions", "estimate", "the end of a connection: timers, tables, freeing";
    TCP_TIMER = 400 "instructions", "estimate", "a timer of a connection fires";
    SOCKET_WAKEUP = 260 "instructions", "estimate", "wake whoever selects on a socket";
    SOCKET_APPEND = 160 "instructions", "estimate", "append one mbuf to a send buffer";
    SOCKET_DROP = 110 "instructions", "estimate", "drop one acknowledged mbuf from a send buffer";
    SOCKET_SEND = 420 "instructions", "estimate", "a send operation on a socket, without its mbufs";
    SOCKET_RECEIVE = 520 "instructions", "estimate", "a receive operation on a socket";
    COPY_LINE = 16 "instructions", "estimate", "copy 64 bytes between user and kernel memory";
    CHECKSUM_LINE = 24 "instructions", "estimate", "sum 64 bytes, where hardware does not";

    SYSCALL = 450 "instructions", "estimate", "entry, dispatch and exit of a system call";
    SELECT_SHARE = 5000 "instructions", "calibrated", "share of an event in the select call that reported it";
    ACCEPT = 2600 "instructions", "estimate", "accept: descriptor, file, socket, address";
    CLOSE = 1600 "instructions", "estimate", "close and shutdown of a connection's descriptor";
    SENDFILE = 4200 "instructions", "calibrated", "sendfile, without its pages";
    SENDFILE_PAGE = 700 "instructions", "estimate", "one page of sendfile: look up, wire, map";
    SENDFILE_CHUNK_BYTES = 32768 "bytes", "FreeBSD 4.7", "send buffer of a socket: what one sendfile call queues";
    APPLICATION_REQUEST = 20800 "instructions", "calibrated", "one request in the web server: parse, find, head, log";
    APPLICATION_DYNAMIC = 20000 "instructions", "estimate", "what a made response takes beyond a file's: cookie, profile, choice";
    MAKE_LINE = 24 "instructions", "estimate", "make 64 bytes of a response";
    APPLICATION_CONNECTION = 4000 "instructions", "estimate", "a new connection in the web server";
    APPLICATION_CALLS = 5 "calls", "estimate", "minor system calls of a request: time, log, read until empty";

    BYPASS_COMMAND = 420 "instructions", "estimate", "a socket operation of a handed-off connection, as a command";
    BYPASS_EVENT = 420 "instructions", "estimate", "an event of the NIC for a handed-off connection";
    BYPASS_RECORD = 1500 "instructions", "estimate", "a connection's state packed for a handoff, or taken back";
}

/// The table as a Markdown table.
pub fn markdown() -> String {
    let mut text = String::from("| constant | value | source | what it is |\n| --- | --- | --- | --- |\n");
    for constant in TABLE {
        let Constant { name, value, unit, source, what } = constant;
        text += &format!("| `{name}` | {value} {unit} | {source} | {what} |\n");
    }
    text
}
