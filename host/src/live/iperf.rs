//! A server for `iperf3`: its TCP tests, in both directions (`-R`), over one or several streams (`-P`).
//!
//! iperf3 has no specification but its source (github.com/esnet/iperf, `src/iperf_api.h` has the states). A test is one control
//! connection and its streams, to the same port. Each begins with a cookie of 37 bytes that names the test. Over the
//! control connection go states, a byte each, and two exchanges of JSON, each with its length in four bytes before it:
//! parameters from the client, results from both. Bytes of streams are counted and thrown away, or sent from one place in memory.
//!
//! Times in the results are the client's own: this application has no clock.

use std::collections::HashMap;

use baton_cosim::port::HostMemory;
use serde_json::{json, Value};

use crate::server::http::HEAD_BUFFER_BYTES;
use crate::server::{SocketEvent, SocketId, Source, Stack};

const COOKIE_BYTES: usize = 37;
type Cookie = [u8; COOKIE_BYTES];

/// States that this side sends or understands.
mod state {
    pub const TEST_START: u8 = 1;
    pub const TEST_RUNNING: u8 = 2;
    pub const TEST_END: u8 = 4;
    pub const PARAM_EXCHANGE: u8 = 9;
    pub const CREATE_STREAMS: u8 = 10;
    pub const EXCHANGE_RESULTS: u8 = 13;
    pub const DISPLAY_RESULTS: u8 = 14;
}

/// Longest JSON text that is taken from a client.
const TEXT_MAX: usize = 32 << 10;
/// Most streams of a test.
const STREAMS_MAX: u64 = 64;
/// What a stream of `-R` sends at a time, and keeps on its way.
const CHUNK_BYTES: u32 = 64 << 10;
const UNDER_WAY_MAX: u64 = 4 * CHUNK_BYTES as u64;

#[derive(Clone, Copy, Debug)]
enum Role {
    /// It has not said what it belongs to.
    New,
    Control(Cookie),
    Stream(Cookie, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Parameters,
    Streams,
    Running,
    Results,
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    id: SocketId,
    /// Bytes received, or acknowledged by the peer.
    bytes: u64,
    under_way: u64,
}

#[derive(Debug)]
struct Test {
    control: SocketId,
    phase: Phase,
    reverse: bool,
    parallel: usize,
    streams: Vec<Stream>,
}

/// The server.
#[derive(Debug, Default)]
pub struct Iperf {
    tests: HashMap<Cookie, Test>,
    roles: HashMap<SocketId, Role>,
    /// Where streams of `-R` send from, once there is such a place.
    source: Option<u32>,
    bytes: u64,
}

impl Iperf {
    /// Bytes of all streams so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of memory that [`Iperf::set_source`] wants.
    pub const SOURCE_BYTES: u32 = CHUNK_BYTES;

    /// Gives streams of `-R` something to send. Without, they send nothing.
    pub fn set_source(&mut self, addr: u32) {
        self.source = Some(addr);
    }

    /// Handles an event of a connection to the port.
    pub fn handle(&mut self, sockets: &mut Stack, memory: &mut HostMemory, id: SocketId, event: SocketEvent) {
        match event {
            SocketEvent::Established => drop(self.roles.insert(id, Role::New)),
            SocketEvent::Readable => while self.read(sockets, memory, id) {},
            SocketEvent::Sent(n) => {
                if let Some(Role::Stream(cookie, index)) = self.roles.get(&id).copied() {
                    if let Some(stream) =
                        self.tests.get_mut(&cookie).and_then(|test| test.streams.get_mut(index))
                    {
                        stream.under_way = stream.under_way.saturating_sub(u64::from(n));
                        stream.bytes += u64::from(n);
                        self.bytes += u64::from(n);
                    }
                    self.send_streams(sockets, &cookie);
                }
            }
            SocketEvent::PeerClosed => sockets.shutdown(id),
            SocketEvent::Ended(_) => {
                if let Some(Role::Control(cookie)) = self.roles.remove(&id) {
                    self.tests.remove(&cookie);
                }
            }
        }
    }

    /// Takes the next thing that a connection says. False: it is not complete.
    fn read(&mut self, sockets: &mut Stack, memory: &mut HostMemory, id: SocketId) -> bool {
        match self.roles.get(&id).copied() {
            None => false,
            Some(Role::New) => {
                let Some(bytes) = take(sockets, memory, id, COOKIE_BYTES) else { return false };
                let mut cookie = [0; COOKIE_BYTES];
                cookie.copy_from_slice(&bytes);
                self.introduce(sockets, memory, id, cookie);
                true
            }
            Some(Role::Stream(cookie, index)) => {
                let n = sockets.unread(id);
                sockets.consume(id, n);
                if let Some(stream) = self.tests.get_mut(&cookie).and_then(|test| test.streams.get_mut(index))
                {
                    stream.bytes += u64::from(n);
                    self.bytes += u64::from(n);
                }
                false
            }
            Some(Role::Control(cookie)) => self.control(sockets, memory, id, &cookie),
        }
    }

    /// A connection has named its test: the first is the control connection, the others are streams.
    fn introduce(&mut self, sockets: &mut Stack, memory: &mut HostMemory, id: SocketId, cookie: Cookie) {
        let Some(test) = self.tests.get_mut(&cookie) else {
            let test = Test {
                control: id,
                phase: Phase::Parameters,
                reverse: false,
                parallel: 1,
                streams: Vec::new(),
            };
            self.tests.insert(cookie, test);
            self.roles.insert(id, Role::Control(cookie));
            say(sockets, memory, id, &[state::PARAM_EXCHANGE]);
            return;
        };
        if test.phase != Phase::Streams {
            sockets.abort(id);
            return;
        }
        self.roles.insert(id, Role::Stream(cookie, test.streams.len()));
        test.streams.push(Stream { id, bytes: 0, under_way: 0 });
        if test.streams.len() == test.parallel {
            test.phase = Phase::Running;
            say(sockets, memory, test.control, &[state::TEST_START, state::TEST_RUNNING]);
            self.send_streams(sockets, &cookie);
        }
    }

    /// The next message of the control connection. False: it is not complete.
    fn control(
        &mut self,
        sockets: &mut Stack,
        memory: &mut HostMemory,
        id: SocketId,
        cookie: &Cookie,
    ) -> bool {
        let Some(test) = self.tests.get_mut(cookie) else { return false };
        match test.phase {
            Phase::Parameters => {
                let Some(parameters) = take_json(sockets, memory, id) else { return false };
                let number = |name: &str| parameters.get(name).and_then(Value::as_u64);
                let parallel = number("parallel").unwrap_or(1);
                let tcp = parameters.get("tcp").and_then(Value::as_bool).unwrap_or(false);
                if !tcp || !(1..=STREAMS_MAX).contains(&parallel) {
                    // UDP, or more than there is room for.
                    sockets.abort(id);
                    return false;
                }
                test.parallel = parallel as usize;
                test.reverse = parameters.get("reverse").and_then(Value::as_bool).unwrap_or(false);
                test.phase = Phase::Streams;
                say(sockets, memory, id, &[state::CREATE_STREAMS]);
            }
            Phase::Results => {
                let Some(results) = take_json(sockets, memory, id) else { return false };
                let text = test.results(&results).to_string();
                let mut message = (text.len() as u32).to_be_bytes().to_vec();
                message.extend(text.bytes());
                message.push(state::DISPLAY_RESULTS);
                test.phase = Phase::Over;
                say(sockets, memory, id, &message);
            }
            Phase::Streams | Phase::Running | Phase::Over => {
                let Some(byte) = take(sockets, memory, id, 1) else { return false };
                if test.phase == Phase::Running && byte[0] == state::TEST_END {
                    test.phase = Phase::Results;
                    say(sockets, memory, id, &[state::EXCHANGE_RESULTS]);
                } else {
                    // It is done, or gives up.
                    sockets.shutdown(id);
                }
            }
        }
        true
    }

    /// Keeps the streams of a test that sends busy.
    fn send_streams(&mut self, sockets: &mut Stack, cookie: &Cookie) {
        let (Some(source), Some(test)) = (self.source, self.tests.get_mut(cookie)) else { return };
        if !test.reverse || test.phase != Phase::Running {
            return;
        }
        for stream in &mut test.streams {
            while stream.under_way + u64::from(CHUNK_BYTES) <= UNDER_WAY_MAX {
                sockets.send(stream.id, source, CHUNK_BYTES, Source::User);
                stream.under_way += u64::from(CHUNK_BYTES);
            }
        }
    }
}

impl Test {
    /// What this side has counted, with the times that the client has measured.
    fn results(&self, of_client: &Value) -> Value {
        let time = |index: usize, name: &str| {
            of_client.pointer(&format!("/streams/{index}/{name}")).and_then(Value::as_f64).unwrap_or(0.0)
        };
        let streams: Vec<Value> = self
            .streams
            .iter()
            .enumerate()
            .map(|(index, stream)| {
                json!({
                    // iperf3 numbers its streams 1, 3, 4, 5 and so on.
                    "id": if index == 0 { 1 } else { index + 2 },
                    "bytes": stream.bytes, "retransmits": -1, "jitter": 0, "errors": 0, "omitted_errors": 0,
                    "packets": 0, "omitted_packets": 0,
                    "start_time": time(index, "start_time"), "end_time": time(index, "end_time"),
                })
            })
            .collect();
        json!({
            "cpu_util_total": 0.0, "cpu_util_user": 0.0, "cpu_util_system": 0.0, "sender_has_retransmits": 0,
            "streams": streams,
        })
    }
}

/// Takes `len` bytes, if so many are there.
fn take(sockets: &mut Stack, memory: &HostMemory, id: SocketId, len: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    sockets.peek(memory, id, len, &mut bytes);
    if bytes.len() < len {
        return None;
    }
    sockets.consume(id, len as u32);
    Some(bytes)
}

/// Takes a JSON text with its length before it. A connection that sends something else is reset.
fn take_json(sockets: &mut Stack, memory: &HostMemory, id: SocketId) -> Option<Value> {
    let mut bytes = Vec::new();
    sockets.peek(memory, id, 4 + TEXT_MAX, &mut bytes);
    let len = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let text = match bytes.get(4..4 + len) {
        Some(text) => text,
        None if len <= TEXT_MAX => return None,
        None => {
            sockets.abort(id);
            return None;
        }
    };
    let value = serde_json::from_slice(text);
    sockets.consume(id, (4 + len) as u32);
    match value {
        Ok(value) => Some(value),
        Err(_) => {
            sockets.abort(id);
            None
        }
    }
}

/// Sends bytes from small buffers.
fn say(sockets: &mut Stack, memory: &mut HostMemory, id: SocketId, bytes: &[u8]) {
    for part in bytes.chunks(HEAD_BUFFER_BYTES as usize) {
        let Some(buffer) = sockets.take_buffer() else {
            // Half a message is worse than none.
            sockets.abort(id);
            return;
        };
        memory.write(buffer, part);
        sockets.send(id, buffer, part.len() as u32, Source::Buffer(buffer));
    }
}
