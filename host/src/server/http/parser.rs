//! The head of an HTTP/1.1 request: RFC 9112, the part that a server of static bodies needs, and strict
//! where the RFC lets a server be lenient (line endings, white space, folding).

/// Longest head that is accepted, in bytes.
pub const HEAD_BYTES_MAX: usize = 2048;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    /// Path and query as they were sent.
    pub target: String,
    /// Whether the connection stays open after the response (RFC 9112, Section 9.3).
    pub keep_alive: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
}

/// Why a request is answered with an error. After any of them but [`Error::Method`] the connection is
/// closed: the end of the request is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Not a request in the sense of RFC 9112: 400.
    Malformed,
    /// A method that the server does not offer: 405.
    Method,
    /// A body, which no method here has: 413.
    Body,
    /// The head is longer than [`HEAD_BYTES_MAX`]: 431.
    TooLong,
    /// Not HTTP/1: 505.
    Version,
}

/// Parses the request at the front of `input`. Returns it with the length of its head, or `None` when the head
/// is not complete yet.
pub fn parse(input: &[u8]) -> Result<Option<(Request, usize)>, (Error, usize)> {
    let window = &input[..input.len().min(HEAD_BYTES_MAX)];
    let Some(end) = window.windows(4).position(|w| w == b"\r\n\r\n") else {
        // A byte that can never be part of a head is refused at once instead of being waited out.
        if window.iter().any(|&b| !(b == b'\r' || b == b'\n' || b == b'\t' || b >= b' ')) {
            return Err((Error::Malformed, 0));
        }
        return if input.len() >= HEAD_BYTES_MAX { Err((Error::TooLong, 0)) } else { Ok(None) };
    };
    let head_len = end + 4;
    parse_head(&input[..end]).map(|request| Some((request, head_len))).map_err(|e| (e, head_len))
}

fn parse_head(head: &[u8]) -> Result<Request, Error> {
    let text = std::str::from_utf8(head).map_err(|_| Error::Malformed)?;
    if text.bytes().any(|b| b == 0x7f || (b < b' ' && !matches!(b, b'\r' | b'\n' | b'\t'))) {
        return Err(Error::Malformed);
    }
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or("").split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Error::Malformed);
    };
    if !is_token(method) || !target.starts_with('/') || target.contains(['\r', '\n', '\t', '#']) {
        return Err(Error::Malformed);
    }
    let minor = match version {
        "HTTP/1.1" => 1,
        "HTTP/1.0" => 0,
        _ if is_version(version) => return Err(Error::Version),
        _ => return Err(Error::Malformed),
    };

    let (mut hosts, mut close, mut keep_alive, mut has_body) = (0, false, false, false);
    for line in lines {
        // Folded lines begin with white space and fail here, as RFC 9112, Section 5.2 asks.
        let (name, value) = line.split_once(':').ok_or(Error::Malformed)?;
        let value = value.trim_matches([' ', '\t']);
        if !is_token(name) || value.contains(['\r', '\n']) {
            return Err(Error::Malformed);
        }
        if name.eq_ignore_ascii_case("host") {
            hosts += 1;
        } else if name.eq_ignore_ascii_case("connection") {
            for option in value.split(',').map(|o| o.trim_matches([' ', '\t'])) {
                close |= option.eq_ignore_ascii_case("close");
                keep_alive |= option.eq_ignore_ascii_case("keep-alive");
            }
        } else if name.eq_ignore_ascii_case("content-length") {
            if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) {
                return Err(Error::Malformed);
            }
            has_body |= value.bytes().any(|b| b != b'0');
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            has_body = true;
        }
    }
    // RFC 9112, Section 3.2: exactly one Host field in an HTTP/1.1 request.
    if hosts > 1 || (minor == 1 && hosts == 0) {
        return Err(Error::Malformed);
    }
    if has_body {
        return Err(Error::Body);
    }
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        _ => return Err(Error::Method),
    };
    let keep_alive = !close && (minor == 1 || keep_alive);
    Ok(Request { method, target: target.to_string(), keep_alive })
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn is_version(text: &str) -> bool {
    matches!(text.as_bytes(), [b'H', b'T', b'T', b'P', b'/', a, b'.', b] if a.is_ascii_digit() && b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Error {
        parse(text.as_bytes()).expect_err(text).0
    }

    #[test]
    fn a_request_ends_at_its_empty_line() {
        let text = "GET /bytes/10?seed=3 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";
        let request = Request { method: Method::Get, target: "/bytes/10?seed=3".into(), keep_alive: true };
        for cut in 0..text.len() {
            assert_eq!(parse(&text.as_bytes()[..cut]), Ok(None), "after {cut} bytes");
        }
        let two = format!("{text}{text}");
        assert_eq!(parse(two.as_bytes()), Ok(Some((request, text.len()))));
    }

    #[test]
    fn persistence_follows_version_and_connection_field() {
        let keeps = |version: &str, field: &str| {
            let text = format!("HEAD / HTTP/{version}\r\nhost: a\r\n{field}\r\n");
            parse(text.as_bytes()).unwrap().unwrap().0.keep_alive
        };
        assert!(keeps("1.1", ""));
        assert!(!keeps("1.1", "Connection: Close\r\n"));
        assert!(!keeps("1.1", "Connection: foo, close\r\n"));
        assert!(!keeps("1.0", ""));
        assert!(keeps("1.0", "connection:keep-alive \r\n"));
    }

    #[test]
    fn malformed_requests_have_their_status() {
        assert_eq!(error("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), Error::Version);
        assert_eq!(error("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), Error::Method);
        assert_eq!(error("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"), Error::Body);
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            "GET / http/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "\r\n\r\n",
            "\u{1}",
        ] {
            assert_eq!(error(bad), Error::Malformed, "{bad:?}");
        }
        assert_eq!(error(&"x".repeat(HEAD_BYTES_MAX)), Error::TooLong);
    }
}
