//! The HTTP side of a client connection: writes requests, parses responses, checks every byte of every
//! body.
//!
//! It sees the byte stream as it comes, in pieces of any size, and holds no body.

use std::fmt;

use crate::server::http::bodies;

/// One request and what its response must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expect {
    pub seed: u64,
    /// Bytes of the body.
    pub len: u32,
    /// A program makes it; otherwise it is a file's.
    pub made: bool,
}

impl Expect {
    /// A file of `len` bytes.
    pub fn file(seed: u64, len: u32) -> Self {
        Expect { seed, len, made: false }
    }

    /// The request; the last of a connection asks the server to close it.
    pub fn request(&self, last: bool) -> String {
        let connection = if last { "Connection: close\r\n" } else { "" };
        let folder = if self.made { "made" } else { "bytes" };
        format!("GET /{folder}/{}?seed={} HTTP/1.1\r\nHost: server\r\n{connection}\r\n", self.len, self.seed)
    }
}

/// How a response differed from what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// Bytes arrived when no response was due.
    Unsolicited,
    /// The head is not an HTTP/1.1 response with a length.
    Head(String),
    Status(u16),
    Length {
        expected: u32,
        declared: u64,
    },
    /// The body differs from its stream at this offset.
    Body {
        offset: u64,
        seed: u64,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Unsolicited => write!(f, "bytes arrived when no response was due"),
            Mismatch::Head(head) => write!(f, "not a response head: {head:?}"),
            Mismatch::Status(status) => write!(f, "status {status}"),
            Mismatch::Length { expected, declared } => {
                write!(f, "Content-Length {declared} instead of {expected}")
            }
            Mismatch::Body { offset, seed } => write!(f, "body of seed {seed} differs at byte {offset}"),
        }
    }
}

/// Parser of one connection's responses.
#[derive(Debug, Default)]
pub struct Responses {
    head: Vec<u8>,
    /// Bytes of the body that have been checked; `None` while in a head.
    body: Option<u64>,
}

/// Longest head of a response.
const HEAD_BYTES_MAX: usize = 1024;

impl Responses {
    /// Takes bytes of the response to `expect`. Returns how many of them belong to it, and whether they end it.
    pub fn take(&mut self, expect: Expect, bytes: &[u8]) -> Result<(usize, bool), Mismatch> {
        let mut used = 0;
        if self.body.is_none() {
            // The head is collected byte by byte: it is short and ends somewhere in `bytes`.
            while !self.head.ends_with(b"\r\n\r\n") {
                if used == bytes.len() {
                    return Ok((used, false));
                }
                if self.head.len() == HEAD_BYTES_MAX {
                    return Err(Mismatch::Head(String::from_utf8_lossy(&self.head).into_owned()));
                }
                self.head.push(bytes[used]);
                used += 1;
            }
            let (status, declared) = parse_head(&self.head)
                .ok_or_else(|| Mismatch::Head(String::from_utf8_lossy(&self.head).into_owned()))?;
            if status != 200 {
                return Err(Mismatch::Status(status));
            }
            if declared != u64::from(expect.len) {
                return Err(Mismatch::Length { expected: expect.len, declared });
            }
            self.head.clear();
            self.body = Some(0);
        }
        let done = self.body.unwrap_or(0);
        let left = u64::from(expect.len) - done;
        let take = left.min((bytes.len() - used) as u64) as usize;
        if let Some(at) = bodies::first_difference(expect.seed, done, &bytes[used..used + take]) {
            return Err(Mismatch::Body { offset: done + at as u64, seed: expect.seed });
        }
        used += take;
        let complete = take as u64 == left;
        self.body = if complete { None } else { Some(done + take as u64) };
        Ok((used, complete))
    }

    /// Bytes of the body in progress that have been checked.
    pub fn checked(&self) -> u64 {
        self.body.unwrap_or(0)
    }

    /// Whether a response has begun and not ended.
    pub fn in_progress(&self) -> bool {
        self.body.is_some() || !self.head.is_empty()
    }
}

/// Status and Content-Length.
fn parse_head(head: &[u8]) -> Option<(u16, u64)> {
    let text = std::str::from_utf8(head).ok()?;
    let mut lines = text.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    Some((status, length.1.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(expect: Expect) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", expect.len).into_bytes();
        let head = bytes.len();
        bytes.resize(head + expect.len as usize, 0);
        bodies::fill(expect.seed, 0, &mut bytes[head..]);
        bytes
    }

    #[test]
    fn a_response_is_recognised_in_pieces_of_any_size() {
        let expect = Expect::file(5, 300);
        let bytes = response(expect);
        for piece in [1, 3, 7, 64, 1000] {
            let mut responses = Responses::default();
            let mut complete = false;
            for part in bytes.chunks(piece) {
                let (used, end) = responses.take(expect, part).unwrap();
                assert_eq!(used, part.len());
                complete = end;
            }
            assert!(complete && !responses.in_progress());
        }
    }

    #[test]
    fn any_wrong_byte_is_found() {
        let expect = Expect::file(5, 300);
        let bytes = response(expect);
        let head = bytes.len() - 300;
        for offset in [0, 1, 150, 299] {
            let mut wrong = bytes.clone();
            wrong[head + offset] ^= 0x10;
            let result = Responses::default().take(expect, &wrong);
            assert_eq!(result, Err(Mismatch::Body { offset: offset as u64, seed: 5 }));
        }
        let result = Responses::default().take(Expect::file(5, 301), &bytes);
        assert_eq!(result, Err(Mismatch::Length { expected: 301, declared: 300 }));
        let result =
            Responses::default().take(expect, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(result, Err(Mismatch::Status(404)));
    }
}
