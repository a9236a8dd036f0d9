//! From text to [`Script`], a line at a time, with nom. `docs/scripts.md` has the grammar.

use std::fmt;

use baton_tcp::{Config, CongestionAlgorithm, Flags, State};
use nom::{
    branch::alt,
    bytes::complete::{tag, take_while1},
    character::complete::{char, digit1, space0, space1},
    combinator::{cut, map, opt, recognize, value},
    error::{ErrorKind, ParseError as NomError},
    multi::{many0, many1, separated_list1},
    sequence::{delimited, pair, preceded, separated_pair, terminated, tuple},
    IResult,
};

use crate::{
    ast::{Action, Call, Open, OptionSpec, Script, ScriptConfig, SegmentSpec, Setting, Step, Value},
    Event,
};

/// Where a script is wrong, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    pub file: String,
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    pub text: String,
    pub expected: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError { file, line, column, text, expected } = self;
        let margin = line.to_string().len();
        writeln!(f, "{file}:{line}:{column}: expected {expected}")?;
        writeln!(f, "{:margin$} |", "")?;
        writeln!(f, "{line} | {text}")?;
        write!(f, "{:margin$} | {:indent$}^", "", "", indent = column - 1)
    }
}

impl std::error::Error for ParseError {}

/// nom's error: how far it came and what should have been there.
#[derive(Debug)]
struct Fault<'a> {
    at: &'a str,
    expected: String,
}

impl<'a> NomError<&'a str> for Fault<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Fault { at, expected: String::new() }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }

    /// Of several ways, the one that came furthest.
    fn or(self, other: Self) -> Self {
        if other.at.len() < self.at.len() {
            other
        } else {
            self
        }
    }
}

type Parsed<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// Says what `inner` would have been, when it fails where it starts.
fn label<'a, T>(
    expected: &'static str,
    mut inner: impl FnMut(&'a str) -> Parsed<'a, T>,
) -> impl FnMut(&'a str) -> Parsed<'a, T> {
    move |input| {
        let name = |mut fault: Fault<'a>| {
            if fault.expected.is_empty() || fault.at.len() == input.len() {
                fault.expected = expected.to_string();
            }
            fault
        };
        match inner(input) {
            Err(nom::Err::Error(fault)) => Err(nom::Err::Error(name(fault))),
            Err(nom::Err::Failure(fault)) if fault.expected.is_empty() => Err(nom::Err::Failure(name(fault))),
            other => other,
        }
    }
}

/// Stops here: what was recognised so far means that this must follow.
fn must<'a, T>(
    expected: &'static str,
    inner: impl FnMut(&'a str) -> Parsed<'a, T>,
) -> impl FnMut(&'a str) -> Parsed<'a, T> {
    cut(label(expected, inner))
}

fn refuse<'a, T>(at: &'a str, expected: &str) -> Parsed<'a, T> {
    Err(nom::Err::Failure(Fault { at, expected: expected.to_string() }))
}

/// Parses the script that is called `file` in messages.
///
/// # Errors
/// At the first line that is no line of a script.
pub fn parse(file: &str, text: &str) -> Result<Script, ParseError> {
    let mut script = Script {
        name: file.to_string(),
        text: text.to_string(),
        config: ScriptConfig::default(),
        only: None,
        tolerances: Vec::new(),
        steps: Vec::new(),
    };
    for (index, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or("").trim_end();
        if code.trim().is_empty() {
            continue;
        }
        let error = |at: &str, expected: String| ParseError {
            file: file.to_string(),
            line: index + 1,
            column: code[..code.len() - at.len()].chars().count() + 1,
            text: line.to_string(),
            expected,
        };
        match preceded(space0, parse_line)(code) {
            Ok(("", entry)) => match entry {
                Line::Step(after_us, action) => script.steps.push(Step { line: index + 1, after_us, action }),
                _ if !script.steps.is_empty() => {
                    return Err(error(code, "a step: directives come before the first step".into()));
                }
                Line::Config(settings) => settings.into_iter().for_each(|set| set(&mut script.config)),
                Line::Only(settings, reason) => script.only = Some((settings, reason)),
                Line::Tolerance(setting, us, reason) => script.tolerances.push((setting, us, reason)),
            },
            Ok((rest, _)) => return Err(error(rest, "the end of the line".into())),
            Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => {
                return Err(error(fault.at, fault.expected))
            }
            Err(nom::Err::Incomplete(_)) => return Err(error("", "more".into())),
        }
    }
    if script.steps.is_empty() {
        return Err(ParseError {
            file: file.to_string(),
            line: text.lines().count().max(1),
            column: 1,
            text: String::new(),
            expected: "a step: the script does nothing".into(),
        });
    }
    Ok(script)
}

type Set = Box<dyn Fn(&mut ScriptConfig)>;

enum Line {
    Config(Vec<Set>),
    Only(Vec<Setting>, String),
    Tolerance(Setting, u64, String),
    Step(u64, Action),
}

fn parse_line(input: &str) -> Parsed<'_, Line> {
    label(
        "`config`, `settings`, `tolerance`, or a time such as `+10ms`",
        alt((
            map(
                preceded(pair(tag("config"), space1), separated_list1(space1, setting_of_config)),
                Line::Config,
            ),
            map(
                preceded(
                    pair(tag("settings"), space1),
                    pair(
                        terminated(
                            separated_list1(space1, must_setting),
                            must("the reason, in quotation marks", space1),
                        ),
                        must("the reason, in quotation marks", quoted),
                    ),
                ),
                |(settings, reason)| Line::Only(settings, reason),
            ),
            map(
                preceded(
                    pair(tag("tolerance"), space1),
                    tuple((
                        must("a setting", terminated(setting, space1)),
                        must("a duration such as `30ms`", terminated(duration, space1)),
                        must("the reason, in quotation marks", quoted),
                    )),
                ),
                |(setting, us, reason)| Line::Tolerance(setting, us, reason),
            ),
            map(
                pair(
                    preceded(char('+'), must("a duration such as `10ms`", duration)),
                    preceded(must("a blank", space1), must("an action", action)),
                ),
                |(after_us, action)| Line::Step(after_us, action),
            ),
        )),
    )(input)
}

fn quoted(input: &str) -> Parsed<'_, String> {
    map(delimited(char('"'), take_while1(|c| c != '"'), char('"')), str::to_string)(input)
}

fn setting(input: &str) -> Parsed<'_, Setting> {
    alt((
        value(Setting::Engine, tag("engine")),
        value(Setting::Moving, tag("moving")),
        value(Setting::Host, tag("host")),
        value(Setting::Firmware, tag("firmware")),
        value(Setting::Nic, tag("nic")),
    ))(input)
}

fn must_setting(input: &str) -> Parsed<'_, Setting> {
    label("`engine`, `moving`, `host`, `firmware` or `nic`", setting)(input)
}

// --- Numbers and times.

fn number<N: std::str::FromStr>(input: &str) -> Parsed<'_, N> {
    let (rest, digits) = label("a number", digit1)(input)?;
    match digits.parse() {
        Ok(number) => Ok((rest, number)),
        Err(_) => refuse(input, "a smaller number"),
    }
}

/// A number relative to a stream, which may lie before it.
fn relative(input: &str) -> Parsed<'_, i64> {
    let (rest, digits) = label("a number", recognize(pair(opt(char('-')), digit1)))(input)?;
    match digits.parse::<i64>() {
        Ok(number) if number.unsigned_abs() < 1 << 32 => Ok((rest, number)),
        _ => refuse(input, "a number of 32 bits"),
    }
}

/// `0`, `250us`, `10ms`, `1.5s`.
fn duration(input: &str) -> Parsed<'_, u64> {
    let (rest, (whole, part)) = pair(digit1, opt(preceded(char('.'), digit1)))(input)?;
    let (rest, unit) = match alt((tag("us"), tag("ms"), tag("s")))(rest) {
        Ok((rest, "us")) => (rest, 1),
        Ok((rest, "ms")) => (rest, 1_000),
        Ok((rest, _)) => (rest, 1_000_000),
        Err(nom::Err::Error(Fault { .. })) if whole == "0" && part.is_none() => (rest, 0),
        Err(_) => return refuse(rest, "`us`, `ms` or `s`"),
    };
    let Some(us) = whole.parse::<u64>().ok().filter(|n| *n < 1_000_000_000) else {
        return refuse(input, "a shorter time");
    };
    let part = part.unwrap_or("");
    if part.len() > 6 {
        return refuse(input, "at most six digits behind the point");
    }
    let fraction = part.parse::<u64>().unwrap_or(0) * unit / 10u64.pow(part.len() as u32);
    Ok((rest, us * unit + fraction))
}

fn switch(input: &str) -> Parsed<'_, bool> {
    label("`on` or `off`", alt((value(true, tag("on")), value(false, tag("off")))))(input)
}

// --- Configuration.

fn setting_of_config(input: &str) -> Parsed<'_, Set> {
    let (rest, key) = label(
        "a parameter",
        take_while1(|c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()),
    )(input)?;
    let (rest, _) = must("`=` and a value", char('='))(rest)?;
    fn boxed<'a, T: Copy + 'static>(parsed: Parsed<'a, T>, set: fn(&mut Config, T)) -> Parsed<'a, Set> {
        parsed
            .map(|(rest, value)| (rest, Box::new(move |c: &mut ScriptConfig| set(&mut c.tcp, value)) as Set))
    }
    /// Durations of the engine fit in 32 bits.
    fn time(input: &str) -> Parsed<'_, u32> {
        match must("a duration", duration)(input)? {
            (rest, us) if us <= u64::from(Config::DURATION_MAX_US) => Ok((rest, us as u32)),
            _ => refuse(input, "at most half an hour"),
        }
    }
    match key {
        "mss" => boxed(must("bytes", number)(rest), |c, v| c.mss = v),
        "wscale" => boxed(must("a shift", number)(rest), |c, v| c.window_shift = v),
        "iw" => boxed(must("segments", number)(rest), |c, v| c.initial_window = v),
        "retries" => boxed(must("a count", number)(rest), |c, v| c.max_retransmits = v),
        "nagle" => boxed(cut(switch)(rest), |c, v| c.nagle = v),
        "sack" => boxed(cut(switch)(rest), |c, v| c.sack = v),
        "ts" => boxed(cut(switch)(rest), |c, v| c.timestamps = v),
        "cc" => boxed(
            must(
                "`newreno` or `cubic`",
                alt((
                    value(CongestionAlgorithm::NewReno, tag("newreno")),
                    value(CongestionAlgorithm::Cubic, tag("cubic")),
                )),
            )(rest),
            |c, v| c.congestion = v,
        ),
        "min_rto" => boxed(time(rest), |c, v| c.min_rto_us = v),
        "max_rto" => boxed(time(rest), |c, v| c.max_rto_us = v),
        "delayed_ack" => boxed(time(rest), |c, v| c.delayed_ack_us = v),
        "time_wait" => boxed(time(rest), |c, v| c.time_wait_us = v),
        "keepalive" => boxed(time(rest), |c, v| c.keepalive_us = v),
        "fin_wait_2" => boxed(time(rest), |c, v| c.fin_wait_2_us = v),
        "challenge" => boxed(time(rest), |c, v| c.challenge_us = v),
        "rcvbuf" => match must("bytes", number::<u32>)(rest)? {
            (end, bytes) if bytes >= 1024 && bytes.is_multiple_of(64) => {
                Ok((end, Box::new(move |c: &mut ScriptConfig| c.receive_bytes = bytes)))
            }
            _ => refuse(rest, "a multiple of 64 that is at least 1024"),
        },
        _ => refuse(
            input,
            "mss, wscale, iw, retries, nagle, sack, ts, cc, min_rto, max_rto, delayed_ack, time_wait, keepalive, \
             fin_wait_2, challenge or rcvbuf",
        ),
    }
}

// --- Actions.

fn word<'a, T>(
    name: &'static str,
    argument: impl FnMut(&'a str) -> Parsed<'a, T>,
) -> impl FnMut(&'a str) -> Parsed<'a, T> {
    preceded(pair(tag(name), must("a blank and an argument", space1)), cut(argument))
}

fn action(input: &str) -> Parsed<'_, Action> {
    alt((
        map(
            preceded(pair(char('<'), space0), must("flags such as `S`, `.` or `F.`", injected)),
            Action::Inject,
        ),
        map(
            preceded(pair(char('>'), space0), must("flags such as `S.`, `.` or `F.`", segment)),
            Action::Expect,
        ),
        map(word("open", open), Action::Open),
        map(word("quiet", must("a duration", duration)), |us| Action::Quiet { us }),
        map(word("event", must("established, peer_closed, closed, reset or aborted", event)), Action::Event),
        map(word("state", must("a state of RFC 9293, such as CLOSE-WAIT", state)), Action::State),
        value(Action::Handoff, tag("handoff")),
        value(Action::Restore, tag("restore")),
        value(Action::Offer, tag("offer")),
        value(Action::Recall, tag("recall")),
        map(call, Action::Call),
    ))(input)
}

fn call(input: &str) -> Parsed<'_, Call> {
    alt((
        value(Call::Listen, tag("listen")),
        value(Call::Connect, tag("connect")),
        map(word("send", number), Call::Send),
        map(word("recv", number), Call::Recv),
        value(Call::Shutdown, tag("shutdown")),
        value(Call::Close, tag("close")),
        value(Call::Abort, tag("abort")),
        map(word("set", preceded(pair(must("`nagle`", tag("nagle")), space1), switch)), Call::Nagle),
        map(
            word(
                "lower_mss",
                separated_pair(number, must("a blank and the number quoted", space1), relative),
            ),
            |(mss, quoted)| Call::LowerMss { mss, quoted },
        ),
    ))(input)
}

fn open(input: &str) -> Parsed<'_, Open> {
    let (rest, passive) = must(
        "`passive` or `active`",
        alt((value(true, tag("passive")), value(false, tag("active")))),
    )(input)?;
    let (rest, window) = opt(preceded(space1, word("win", number)))(rest)?;
    let (rest, rtt_us) = opt(preceded(space1, word("rtt", must("a duration", duration))))(rest)?;
    let (rest, options) = opt(preceded(space1, options))(rest)?;
    let options = options.unwrap_or(OptionSpec { mss: Some(1000), ..OptionSpec::default() });
    Ok((rest, Open { passive, window: window.unwrap_or(60_000), rtt_us: rtt_us.unwrap_or(10_000), options }))
}

fn event(input: &str) -> Parsed<'_, Event> {
    alt((
        value(Event::Established, tag("established")),
        value(Event::PeerClosed, tag("peer_closed")),
        value(Event::Closed, tag("closed")),
        value(Event::Reset, tag("reset")),
        value(Event::Aborted, tag("aborted")),
    ))(input)
}

fn state(input: &str) -> Parsed<'_, State> {
    alt((
        value(State::Closed, tag("CLOSED")),
        value(State::SynSent, tag("SYN-SENT")),
        value(State::SynReceived, tag("SYN-RECEIVED")),
        value(State::Established, tag("ESTABLISHED")),
        value(State::FinWait1, tag("FIN-WAIT-1")),
        value(State::FinWait2, tag("FIN-WAIT-2")),
        value(State::CloseWait, tag("CLOSE-WAIT")),
        value(State::Closing, tag("CLOSING")),
        value(State::LastAck, tag("LAST-ACK")),
        value(State::TimeWait, tag("TIME-WAIT")),
    ))(input)
}

// --- Segments.

fn flags(input: &str) -> Parsed<'_, Flags> {
    let letter = alt((
        value(Flags::SYN, char('S')),
        value(Flags::FIN, char('F')),
        value(Flags::RST, char('R')),
        value(Flags::PSH, char('P')),
        value(Flags::ACK, char('.')),
        value(Flags::URG, char('U')),
    ));
    map(many1(letter), |all| all.into_iter().fold(Flags::default(), |a, b| a | b))(input)
}

fn segment(input: &str) -> Parsed<'_, SegmentSpec> {
    let (rest, flags) = flags(input)?;
    let (after, _) = must("a blank and sequence numbers such as `1:1001`", space1)(rest)?;
    let (rest, start) = must("a sequence number, or a range such as `1:1001`", relative)(after)?;
    let (rest, end) = opt(preceded(char(':'), cut(relative)))(rest)?;
    let (rest, each) = opt(preceded(char('/'), cut(number::<u32>)))(rest)?;
    let end = end.unwrap_or(start);
    let len = end - start;
    let whole = each.is_none_or(|each| each > 0 && len > 0 && len % i64::from(each) == 0);
    if !(0..=1 << 20).contains(&len) || !whole || (each.is_none() && len > 9000) {
        return refuse(
            after,
            "a range of at most 9000 bytes, or a train of whole segments such as `1:5001/1000`",
        );
    }
    let (rest, ack) = opt(preceded(space1, word("ack", relative)))(rest)?;
    let (rest, window) = opt(preceded(space1, word("win", number)))(rest)?;
    let (rest, options) = opt(preceded(space1, options))(rest)?;
    Ok((rest, SegmentSpec { flags, start, end, each, ack, window, options }))
}

/// A segment of the peer, which needs an acknowledgement number if it carries one.
fn injected(input: &str) -> Parsed<'_, SegmentSpec> {
    let (rest, segment) = segment(input)?;
    if segment.flags.has(Flags::ACK) != segment.ack.is_some() {
        return refuse(rest, "`ack` and a number with the flag `.`, and only then");
    }
    if segment.options.as_ref().is_some_and(|options| options.more) {
        return refuse(rest, "options of an injected segment without `...`");
    }
    Ok((rest, segment))
}

fn options(input: &str) -> Parsed<'_, OptionSpec> {
    let change = |input| {
        label(
            "mss, ws, sackok, ts, nots, sack or `...`",
            alt((
                map(word("mss", number), Change::Mss),
                map(word("ws", number), Change::WindowScale),
                value(Change::SackPermitted, tag("sackok")),
                map(word("sack", separated_list1(space1, block)), Change::Sack),
                map(
                    word("ts", separated_pair(any_value, must("a blank and TSecr", space1), any_value)),
                    |(value, echo)| Change::Timestamps(value, echo),
                ),
                value(Change::NoTimestamps, tag("nots")),
                value(Change::More, tag("...")),
            )),
        )(input)
    };
    let comma = delimited(space0, char(','), space0);
    let list = opt(pair(change, many0(preceded(comma, cut(change)))));
    let list = terminated(list, pair(space0, must("`,` or `]`", char(']'))));
    map(preceded(pair(char('['), space0), cut(list)), |changes| {
        let mut options = OptionSpec::default();
        for change in changes.into_iter().flat_map(|(first, rest)| std::iter::once(first).chain(rest)) {
            match change {
                Change::Mss(mss) => options.mss = Some(mss),
                Change::WindowScale(shift) => options.window_scale = Some(shift),
                Change::SackPermitted => options.sack_permitted = true,
                Change::Sack(blocks) => options.sack = blocks,
                Change::Timestamps(value, echo) => options.timestamps = Some((value, echo)),
                Change::NoTimestamps => options.no_timestamps = true,
                Change::More => options.more = true,
            }
        }
        options
    })(input)
}

#[derive(Clone)]
enum Change {
    Mss(u16),
    WindowScale(u8),
    SackPermitted,
    Sack(Vec<(i64, i64)>),
    Timestamps(Value, Value),
    NoTimestamps,
    More,
}

fn any_value(input: &str) -> Parsed<'_, Value> {
    label("a number or `*`", alt((value(Value::Any, char('*')), map(number, Value::Is))))(input)
}

fn block(input: &str) -> Parsed<'_, (i64, i64)> {
    separated_pair(relative, must("`:`", char(':')), relative)(input)
}

/// Kept so that a grammar rule can be tried alone in tests.
#[cfg(test)]
pub(crate) fn whole_segment(text: &str) -> Option<SegmentSpec> {
    segment(text).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, segment)| segment)
}

#[cfg(test)]
mod tests;
