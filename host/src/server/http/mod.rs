//! The web server: an event-driven HTTP/1.1 application on the server's sockets.
//!
//! `GET /bytes/<N>?seed=<S>` answers with `N` bytes of the stream of seed `S` (0 when absent; see [`bodies`]), as a file of them;
//! `GET /made/<N>?seed=<S>` with the same bytes, as what a program has made; any other
//! target with the file of that path, where there are [`files`]. A
//! response is two spans of host memory, a head from a small buffer and the body where it lies, so the
//! body is sent without a copy; that a made one is copied on the machine that is modelled, its cost says. Requests may be pipelined; a few responses are under way at once, and the rest
//! wait in the receive ring, which closes the window on a peer that asks faster than it reads.

pub mod bodies;
pub mod files;
pub mod parser;

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use baton_cosim::port::HostMemory;

use self::bodies::Bodies;
use self::files::{File, Files};
use self::parser::{Error, Method, Request};
use super::socket::{SocketEvent, SocketId, Source};
use super::stack::Stack;
use super::Application;

/// Bytes of the buffer that a response's head is written to.
pub const HEAD_BUFFER_BYTES: u32 = 256;
/// Responses of one connection that may be under way: two spans each in a list of four.
pub const RESPONSES_MAX: u32 = 2;

/// Counts of the web server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpStats {
    pub connections: u64,
    /// Responses with status 200.
    pub responses: u64,
    /// Responses with any other status.
    pub errors: u64,
    /// Bytes of bodies given to sockets.
    pub body_bytes: u64,
}

/// What the server keeps of a connection.
#[derive(Default)]
struct Client {
    /// Ends in the sent stream of the responses under way, as far as is known.
    ends: std::collections::VecDeque<u64>,
    sent: u64,
    acknowledged: u64,
    /// A request has had its turn and waits for a response under way.
    waits: bool,
    /// No further request is answered.
    closing: bool,
    peer_closed: bool,
}

impl Client {
    /// Whether so many responses are under way that no more are begun.
    fn full(&self) -> bool {
        self.ends.len() as u32 >= RESPONSES_MAX
    }

    /// The peer acknowledged `n` bytes more. Returns whether a request need wait no longer.
    fn acknowledged(&mut self, n: u32) -> bool {
        self.acknowledged += u64::from(n);
        while self.ends.front().is_some_and(|&end| end <= self.acknowledged) {
            self.ends.pop_front();
        }
        !self.full() && std::mem::take(&mut self.waits)
    }
}

/// The web server.
pub struct HttpServer {
    bodies: Bodies,
    files: Files,
    body_limit: u32,
    clients: HashMap<SocketId, Client>,
    scratch: Vec<u8>,
    stats: HttpStats,
}

impl Application for HttpServer {
    fn handle(&mut self, sockets: &mut Stack, memory: &mut HostMemory, id: SocketId, event: SocketEvent) {
        match event {
            // A request has its turn when its own event comes, as select reports it: served with another event, it would
            // overtake all that came before it, and its own event the ones of its connection that follow.
            SocketEvent::Established => {
                self.clients.insert(id, Client::default());
                self.stats.connections += 1;
                return;
            }
            SocketEvent::Ended(_) => {
                self.clients.remove(&id);
                return;
            }
            SocketEvent::PeerClosed => {
                if let Some(client) = self.clients.get_mut(&id) {
                    client.peer_closed = true;
                }
            }
            SocketEvent::Sent(n) => {
                if !self.clients.get_mut(&id).is_some_and(|client| client.acknowledged(n)) {
                    return;
                }
            }
            SocketEvent::Readable => {}
        }
        self.serve(sockets, memory, id);
    }
}

impl HttpServer {
    /// Bodies have up to `body_limit` bytes; longer ones are not found.
    pub fn new(bodies: Bodies, body_limit: u32) -> Self {
        HttpServer {
            bodies,
            files: Files::default(),
            body_limit,
            clients: HashMap::new(),
            scratch: Vec::new(),
            stats: HttpStats::default(),
        }
    }

    pub fn stats(&self) -> HttpStats {
        self.stats
    }

    /// Serves the files of a folder, as they are now.
    ///
    /// # Errors
    /// As [`Files::load`].
    pub fn serve_folder(&mut self, folder: &Path, memory: &mut HostMemory) -> Result<()> {
        self.files = Files::load(folder, &mut self.bodies, memory)?;
        Ok(())
    }

    /// Answers what can be answered.
    fn serve(&mut self, sockets: &mut Stack, memory: &mut HostMemory, id: SocketId) {
        loop {
            let Some(client) = self.clients.get_mut(&id) else { return };
            if client.closing {
                // Whatever else the peer says is read and ignored, so that its FIN arrives.
                let unread = sockets.unread(id);
                sockets.consume(id, unread);
                return;
            }
            if client.full() {
                client.waits = sockets.unread(id) > 0;
                return;
            }
            self.scratch.clear();
            sockets.peek(memory, id, parser::HEAD_BYTES_MAX, &mut self.scratch);
            match parser::parse(&self.scratch) {
                Ok(Some((request, len))) => {
                    sockets.consume(id, len as u32);
                    self.respond(sockets, memory, id, &request);
                }
                Ok(None) => {
                    if client.peer_closed {
                        // A request that was cut short gets no answer.
                        self.close(sockets, id);
                    }
                    return;
                }
                Err((error, len)) => {
                    sockets.consume(id, len as u32);
                    let status = match error {
                        Error::Malformed => "400 Bad Request",
                        Error::Method => "405 Method Not Allowed",
                        Error::Body => "413 Content Too Large",
                        Error::TooLong => "431 Request Header Fields Too Large",
                        Error::Version => "505 HTTP Version Not Supported",
                    };
                    let keep_alive = error == Error::Method;
                    self.refuse(sockets, memory, id, status, keep_alive, false);
                    if !keep_alive {
                        self.close(sockets, id);
                    }
                }
            }
        }
    }

    fn respond(&mut self, sockets: &mut Stack, memory: &mut HostMemory, id: SocketId, request: &Request) {
        let head_only = request.method == Method::Head;
        match self.requested(memory, &request.target) {
            Err(status) => self.refuse(sockets, memory, id, status, request.keep_alive, head_only),
            Ok((File { addr, len, kind }, made)) => {
                self.stats.responses += 1;
                sockets.requested(id, Some(addr));
                if made {
                    sockets.made(id, addr, len);
                }
                let sent = if head_only { 0 } else { len };
                self.stats.body_bytes += u64::from(sent);
                let head = head("200 OK", kind, len, request.keep_alive);
                self.send(sockets, memory, id, &head, Some(Body { addr, len: sent, made }));
            }
        }
        if !request.keep_alive {
            self.close(sockets, id);
        }
    }

    /// Address of so many bytes that may be sent, if there is memory for them.
    pub fn body(&mut self, memory: &mut HostMemory, len: u32) -> Option<u32> {
        self.bodies.get(memory, 0, len)
    }

    /// What a request asks for and whether it is made, or the status that refuses it.
    fn requested(&mut self, memory: &mut HostMemory, target: &str) -> Result<(File, bool), &'static str> {
        if let Some(file) = self.files.find(target) {
            return Ok((file, false));
        }
        let Target { len, seed, made } =
            parse_target(target).filter(|target| target.len <= self.body_limit).ok_or("404 Not Found")?;
        let addr = self.bodies.get(memory, seed, len).ok_or("503 Service Unavailable")?;
        Ok((File { addr, len, kind: "application/octet-stream" }, made))
    }

    /// Answers with an error, whose body is its status.
    fn refuse(
        &mut self,
        sockets: &mut Stack,
        memory: &mut HostMemory,
        id: SocketId,
        status: &str,
        keep_alive: bool,
        head_only: bool,
    ) {
        self.stats.errors += 1;
        sockets.requested(id, None);
        let mut text = head(status, "text/plain", status.len() as u32 + 1, keep_alive);
        if !head_only {
            text.push_str(status);
            text.push('\n');
        }
        self.send(sockets, memory, id, &text, None);
    }

    fn send(
        &mut self,
        sockets: &mut Stack,
        memory: &mut HostMemory,
        id: SocketId,
        head: &str,
        body: Option<Body>,
    ) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let Some(buffer) = sockets.take_buffer() else {
            // There are as many buffers as responses under way, so this does not happen; if it did, an
            // ended connection is better than a wrong one.
            sockets.abort(id);
            return;
        };
        assert!(head.len() <= HEAD_BUFFER_BYTES as usize, "a response head of {} bytes", head.len());
        memory.write(buffer, head.as_bytes());
        sockets.send(id, buffer, head.len() as u32, Source::Buffer(buffer));
        client.sent += head.len() as u64;
        if let Some(Body { addr, len, made }) = body {
            sockets.send(id, addr, len, if made { Source::User } else { Source::File });
            client.sent += u64::from(len);
        }
        client.ends.push_back(client.sent);
    }

    /// Sends no more after what was sent.
    fn close(&mut self, sockets: &mut Stack, id: SocketId) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.closing = true;
            sockets.shutdown(id);
        }
    }
}

fn head(status: &str, kind: &str, len: u32, keep_alive: bool) -> String {
    let mut text = String::with_capacity(HEAD_BUFFER_BYTES as usize);
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "HTTP/1.1 {status}\r\nServer: baton\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\n\
         {allow}Connection: {connection}\r\n\r\n"
    );
    text
}

/// A body to be sent.
struct Body {
    addr: u32,
    len: u32,
    made: bool,
}

/// What a target names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Target {
    len: u32,
    seed: u64,
    made: bool,
}

/// A target `/bytes/<N>`, `/bytes/<N>?seed=<S>` or the same under `/made`.
fn parse_target(target: &str) -> Option<Target> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let (len, made) = match path.strip_prefix("/made/") {
        Some(len) => (len, true),
        None => (path.strip_prefix("/bytes/")?, false),
    };
    let len = number(len)?;
    let seed = match query {
        Some(query) => number(query.strip_prefix("seed=")?)?,
        None => 0,
    };
    Some(Target { len: u32::try_from(len).ok()?, seed, made })
}

/// A number of decimal digits alone: `from_str` would take a sign too.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let file = |len, seed| Some(Target { len, seed, made: false });
        assert_eq!(parse_target("/bytes/10"), file(10, 0));
        assert_eq!(parse_target("/bytes/0?seed=18446744073709551615"), file(0, u64::MAX));
        assert_eq!(parse_target("/made/7?seed=2"), Some(Target { len: 7, seed: 2, made: true }));
        for bad in
            ["/", "/bytes/", "/bytes/+1", "/bytes/1?seed=", "/bytes/1?x=1", "/bytes/4294967296", "/bytes/1/"]
        {
            assert_eq!(parse_target(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_acknowledgement_serves_only_a_request_that_waits() {
        // The second response began before the acknowledgement of the first was heard of; nothing waits.
        let mut client = Client { ends: [10, 20].into(), sent: 20, ..Client::default() };
        assert!(client.full() && !client.acknowledged(10));
        client = Client { ends: [10, 20].into(), sent: 20, waits: true, ..Client::default() };
        assert!(!client.acknowledged(9), "the first is not acknowledged yet");
        assert!(client.acknowledged(1));
        assert!(!client.acknowledged(10), "it has been told");
    }

    #[test]
    fn heads_fit_their_buffer() {
        let long = head("431 Request Header Fields Too Large", "application/octet-stream", u32::MAX, true);
        assert!(long.len() as u32 <= HEAD_BUFFER_BYTES - 64);
    }
}
