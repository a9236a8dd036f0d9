//! Request traces: the World Cup 98 logs' binary format and the Common Log Format, read and replayed.
//!
//! Connections are made of a trace as the paper's replayer makes them: requests of one client that arrive within fifteen seconds of the
//! one before share a persistent connection. Sessions are handed out in the order of their first request, and from
//! the start again after the last. A trace that begins or ends in mid-session cuts sessions short.

use super::{Request, Session, Workload};
use anyhow::{bail, ensure, Context, Result};
use nom::bytes::complete::{tag, take_till, take_until, take_while1};
use nom::character::complete::{char as byte, digit1, space1};
use nom::combinator::{map_res, opt, recognize};
use nom::number::complete::{be_u32, u8 as one_byte};
use nom::sequence::{delimited, preceded, terminated, tuple};
use nom::IResult;
use std::collections::HashMap;
use std::path::Path;

/// Seconds within which a client's next request shares its connection.
pub const SAME_CONNECTION_S: u64 = 15;
/// Bytes of a record of the binary format.
const RECORD_BYTES: usize = 20;
/// The size that stands for "not known".
const SIZE_UNKNOWN: u32 = u32::MAX;
/// Largest body that is replayed; longer ones are cut to it.
const BODY_MAX: u32 = 16 << 20;

/// A line of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Seconds since some start.
    pub time_s: u64,
    pub client: u64,
    pub file: u64,
    pub bytes: u32,
    /// Code of the method; 0 is GET.
    pub method: u8,
}

/// One record of the binary format: big-endian timestamp, client, object, size; method, status, type, server.
fn binary_record(input: &[u8]) -> IResult<&[u8], Record> {
    let (rest, (time, client, object, size, method, ..)) =
        tuple((be_u32, be_u32, be_u32, be_u32, one_byte, one_byte, one_byte, one_byte))(input)?;
    let bytes = if size == SIZE_UNKNOWN { 0 } else { size.min(BODY_MAX) };
    Ok((
        rest,
        Record { time_s: u64::from(time), client: u64::from(client), file: u64::from(object), bytes, method },
    ))
}

/// Reads the World Cup 98 logs' binary format.
///
/// # Errors
/// When the length is no multiple of a record's.
pub fn read_binary(bytes: &[u8]) -> Result<Vec<Record>> {
    ensure!(
        bytes.len().is_multiple_of(RECORD_BYTES) && !bytes.is_empty(),
        "{} bytes are no whole number of {RECORD_BYTES}-byte records",
        bytes.len()
    );
    let mut records = Vec::with_capacity(bytes.len() / RECORD_BYTES);
    let mut rest = bytes;
    while !rest.is_empty() {
        let Ok((next, record)) = binary_record(rest) else { bail!("record {} is cut short", records.len()) };
        records.push(record);
        rest = next;
    }
    Ok(records)
}

fn number(input: &str) -> IResult<&str, u64> {
    map_res(digit1, str::parse)(input)
}

/// `10/Oct/2000:13:55:36 -0700`, in seconds since year 0 of a calendar of equal years: differences within a log are all that
/// is used, and they are right within a month.
fn clock(input: &str) -> IResult<&str, u64> {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = map_res(take_while1(|c: char| c.is_ascii_alphabetic()), |name: &str| {
        months.iter().position(|m| *m == name).ok_or(())
    });
    let (rest, (day, month, year, hour, minute, second)) = tuple((
        terminated(number, byte('/')),
        terminated(month, byte('/')),
        terminated(number, byte(':')),
        terminated(number, byte(':')),
        terminated(number, byte(':')),
        number,
    ))(input)?;
    let (rest, _) =
        opt(preceded(space1, take_while1(|c: char| c.is_ascii_digit() || c == '+' || c == '-')))(rest)?;
    let days = year.saturating_mul(372) + 31 * month as u64 + day;
    Ok((rest, days.saturating_mul(86_400) + hour * 3600 + minute * 60 + second))
}

/// Client, time, request line and size of a line of the Common Log Format; what follows (the combined format) is ignored.
fn common_line(line: &str) -> IResult<&str, (&str, u64, &str, Option<u64>)> {
    let word = || take_till::<_, &str, nom::error::Error<&str>>(|c: char| c.is_whitespace());
    let (rest, (client, _, _, _, _, _)) =
        tuple((take_while1(|c: char| !c.is_whitespace()), space1, word(), space1, word(), space1))(line)?;
    let (rest, time) = delimited(byte('['), clock, byte(']'))(rest)?;
    let (rest, request) =
        preceded(space1, delimited(byte('"'), recognize(take_until("\"")), byte('"')))(rest)?;
    let (rest, _status) = preceded(space1, digit1)(rest)?;
    let (rest, _) = space1(rest)?;
    let (rest, bytes) = match tag::<_, _, nom::error::Error<&str>>("-")(rest) {
        Ok((rest, _)) => (rest, None),
        Err(_) => number(rest).map(|(rest, n)| (rest, Some(n)))?,
    };
    Ok((rest, (client, time, request, bytes)))
}

/// Numbers names in order of appearance.
#[derive(Default)]
struct Names(HashMap<String, u64>);

impl Names {
    fn number(&mut self, name: &str) -> u64 {
        let next = self.0.len() as u64 + 1;
        *self.0.entry(name.to_string()).or_insert(next)
    }
}

/// Reads the Common Log Format.
///
/// # Errors
/// Names the first line that is not of that format.
pub fn read_common(text: &str) -> Result<Vec<Record>> {
    let (mut clients, mut files) = (Names::default(), Names::default());
    let mut records = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let Ok((_, (client, time_s, request, bytes))) = common_line(line) else {
            bail!(
                "line {} is not of the Common Log Format: {:?}",
                index + 1,
                line.chars().take(80).collect::<String>()
            );
        };
        let target = request.split_whitespace().nth(1).unwrap_or(request);
        records.push(Record {
            time_s,
            client: clients.number(client),
            file: files.number(target),
            bytes: bytes.unwrap_or(0).min(u64::from(BODY_MAX)) as u32,
            method: 0,
        });
    }
    ensure!(!records.is_empty(), "there is no line in it");
    Ok(records)
}

/// Sessions of a trace by the fifteen-second rule.
pub fn sessions(records: &[Record]) -> Vec<Session> {
    let mut last: HashMap<u64, (u64, usize)> = HashMap::new();
    let mut sessions: Vec<Session> = Vec::new();
    for record in records {
        let request = Request { file: record.file, bytes: record.bytes, dynamic: false };
        match last.get_mut(&record.client) {
            Some((time, index)) if record.time_s.saturating_sub(*time) <= SAME_CONNECTION_S => {
                *time = record.time_s;
                sessions[*index].push(request);
            }
            _ => {
                last.insert(record.client, (record.time_s, sessions.len()));
                sessions.push(vec![request]);
            }
        }
    }
    sessions
}

/// A trace, replayed without end.
pub struct Replay {
    name: String,
    sessions: Vec<Session>,
    next: usize,
}

impl Replay {
    /// Reads a trace in either format; text is taken for the Common Log Format.
    ///
    /// # Errors
    /// When the file cannot be read or is of neither format.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read the trace {}", path.display()))?;
        let text = std::str::from_utf8(&bytes).ok().filter(|text| !text.contains('\0'));
        let records = match text {
            Some(text) => read_common(text),
            None => read_binary(&bytes),
        }
        .with_context(|| format!("{} is no trace", path.display()))?;
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Ok(Replay { name, sessions: sessions(&records), next: 0 })
    }

    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }
}

impl Workload for Replay {
    fn describe(&self) -> String {
        format!("replay of {}: {} connections by the 15-second rule", self.name, self.sessions.len())
    }

    fn next_session(&mut self) -> Session {
        let session = self.sessions[self.next].clone();
        self.next = (self.next + 1) % self.sessions.len();
        session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(time: u32, client: u32, object: u32, size: u32) -> Vec<u8> {
        let mut bytes: Vec<u8> = [time, client, object, size].iter().flat_map(|w| w.to_be_bytes()).collect();
        bytes.extend([0, 2, 1, 70]);
        bytes
    }

    #[test]
    fn binary_records_are_big_endian() {
        let mut bytes = binary(897_861_223, 79_727, 13_719, 1295);
        bytes.extend(binary(897_861_224, 5, 6, u32::MAX));
        let records = read_binary(&bytes).unwrap();
        assert_eq!(
            records[0],
            Record { time_s: 897_861_223, client: 79_727, file: 13_719, bytes: 1295, method: 0 }
        );
        assert_eq!(records[1].bytes, 0, "an unknown size");
        for cut in 1..bytes.len() {
            assert_eq!(read_binary(&bytes[..cut]).is_ok(), cut.is_multiple_of(20), "{cut}");
        }
        assert!(read_binary(&[]).is_err());
    }

    #[test]
    fn common_log_lines() {
        let text = "a.example - - [10/Oct/2000:13:55:36 -0700] \"GET /x.gif HTTP/1.0\" 200 2326\n\
                    b.example - frank [10/Oct/2000:13:55:40 +0000] \"GET /y HTTP/1.0\" 304 - \"-\" \"agent\"\n\n\
                    a.example - - [10/Oct/2000:13:55:51 -0700] \"GET /x.gif HTTP/1.0\" 200 2326\n\
                    a.example - - [10/Oct/2000:13:56:07 -0700] \"GET /x.gif HTTP/1.0\" 200 1\n";
        let records = read_common(text).unwrap();
        assert_eq!(records.len(), 4);
        assert_eq!((records[0].bytes, records[1].bytes, records[2].file), (2326, 0, records[0].file));
        // 15 s after the one before: the same connection. 16 s: another.
        let lens: Vec<usize> = sessions(&records).iter().map(Vec::len).collect();
        assert_eq!(lens, [2, 1, 1]);
        for bad in ["nonsense", "a - - [10/Foo/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1", "a - - [1"] {
            let error = read_common(&format!("{}\n{bad}", text.lines().next().unwrap())).unwrap_err();
            assert!(error.to_string().contains("line 2"), "{error}");
        }
    }

    #[test]
    fn a_replay_starts_again() {
        let path = std::env::temp_dir().join(format!("baton-trace-{}", std::process::id()));
        std::fs::write(&path, [binary(1, 1, 1, 10), binary(2, 2, 2, 20), binary(3, 1, 3, 30)].concat())
            .unwrap();
        let mut replay = Replay::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let files = |s: Session| s.iter().map(|r| r.file).collect::<Vec<_>>();
        assert_eq!(files(replay.next_session()), [1, 3]);
        assert_eq!(files(replay.next_session()), [2]);
        assert_eq!(files(replay.next_session()), [1, 3]);
        assert!(Replay::open(Path::new("/nowhere")).is_err());
    }
}
