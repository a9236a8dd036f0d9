//! Runs a script against an endpoint.
//!
//! Each step happens a stated time after the step before was done. Everything that the endpoint sends must be expected, in
//! its order, its time and its content, payload byte for byte; see `docs/scripts.md` for the rules of tolerance.

use std::collections::VecDeque;
use std::fmt::Write;

use anyhow::{anyhow, Error, Result};
use baton_tcp::{Flags, Options, Range, SeqNumber, State};

use crate::{
    ast::{Action, Call, Open, OptionSpec, SegmentSpec, Step, Value},
    pattern,
    report::{describe, flag_letters, replay, Bases},
    Endpoint, Event, Output, Script, Segment, Setting, Stream,
};

/// The peer's first number: its stream wraps after a thousand bytes.
const PEER_ISS: SeqNumber = SeqNumber(0xFFFF_FC18);
/// Where the peer's timestamps start, unless the script says otherwise.
const PEER_TSVAL: u32 = 1000;
/// Lines of what happened that a failure shows.
const LOG_LINES: usize = 24;

struct Runner<'a> {
    script: &'a Script,
    endpoint: &'a mut dyn Endpoint,
    tolerance_us: u64,
    bases: Bases,
    /// Window field of the peer's segments.
    window: u16,
    /// The peer's timestamp clock: a value, and when it was that. It runs at 1 ms.
    peer_clock: Option<(u32, u64)>,
    /// Both sides have offered timestamps.
    timestamps: bool,
    endpoint_offers_timestamps: bool,
    /// TSval of the endpoint's last segment.
    endpoint_tsval: Option<u32>,
    /// When the step before was done.
    anchor_us: u64,
    pending: VecDeque<(u64, Segment)>,
    events: Vec<Event>,
    log: Vec<String>,
}

/// Runs `script`.
///
/// # Errors
/// When the endpoint does anything else than the script says. The message has the line, both segments, what happened before
/// and the command that runs it again.
pub fn run(script: &Script, endpoint: &mut dyn Endpoint) -> Result<()> {
    let tolerance_us = script.tolerance_us(endpoint.setting());
    let mut runner = Runner {
        script,
        tolerance_us,
        bases: Bases { endpoint: None, peer: PEER_ISS },
        window: 60_000,
        peer_clock: None,
        timestamps: false,
        endpoint_offers_timestamps: false,
        endpoint_tsval: None,
        anchor_us: endpoint.now_us(),
        pending: VecDeque::new(),
        events: Vec::new(),
        log: Vec::new(),
        endpoint,
    };
    for step in &script.steps {
        runner.step(step).map_err(|error| runner.failure(Some(step), error))?;
    }
    runner.finish().map_err(|error| runner.failure(None, error))
}

impl Runner<'_> {
    /// What a failed step has to say.
    fn failure(&self, step: Option<&Step>, error: Error) -> Error {
        let setting = self.endpoint.setting();
        let mut text = String::new();
        match step {
            Some(step) => {
                let line = self.script.text.lines().nth(step.line - 1).unwrap_or("");
                let _ = writeln!(text, "{}:{}: {error:#}", self.script.name, step.line);
                let _ = writeln!(text, "  {} | {line}", step.line);
            }
            None => {
                let _ = writeln!(text, "{}: after the last step: {error:#}", self.script.name);
            }
        }
        let _ = writeln!(
            text,
            "  in setting {} with a tolerance of {} us; what happened before:",
            setting.name(),
            self.tolerance_us
        );
        for line in &self.log[self.log.len().saturating_sub(LOG_LINES)..] {
            let _ = writeln!(text, "    {line}");
        }
        let _ = write!(text, "  replay: {}", replay(&self.script.name, setting));
        Error::msg(text)
    }

    fn note(&mut self, what: &str) {
        let us = self.endpoint.now_us();
        self.log.push(format!("{:>6}.{:03} ms  {what}", us / 1000, us % 1000));
    }

    fn step(&mut self, step: &Step) -> Result<()> {
        let due = self.anchor_us + step.after_us;
        match &step.action {
            Action::Expect(spec) => self.expect(spec, due)?,
            Action::Event(event) => self.expect_event(*event, due)?,
            Action::Inject(spec) => {
                self.silent_until(due)?;
                for segment in self.segments(spec)? {
                    self.inject(&segment)?;
                }
            }
            Action::Call(Call::Recv(bytes)) => {
                self.wait_for_bytes(*bytes, due)?;
                self.call(Call::Recv(*bytes))?;
            }
            Action::Call(call) => {
                self.silent_until(due)?;
                self.call(*call)?;
            }
            Action::State(state) => self.expect_state(*state, due)?,
            Action::Quiet { us } => self.silent_until(due + us)?,
            Action::Open(open) => {
                self.silent_until(due)?;
                self.open(open)?;
            }
            Action::Handoff => {
                self.silent_until(due)?;
                self.note("handoff");
                self.endpoint.handoff()?;
            }
            Action::Restore => {
                self.silent_until(due)?;
                self.note("restore");
                self.endpoint.restore()?;
            }
            Action::Offer => {
                self.silent_until(due)?;
                self.note("offer");
                self.endpoint.offer()?;
            }
            Action::Recall => {
                self.silent_until(due)?;
                self.note("recall");
                self.endpoint.recall()?;
            }
        }
        self.anchor_us = self.endpoint.now_us().max(match step.action {
            Action::Expect(_) | Action::Event(_) | Action::State(_) => 0,
            _ => due,
        });
        let established = matches!(step.action, Action::Open(_) | Action::Event(Event::Established));
        match self.endpoint.setting() {
            setting if setting.hands_off() && established && !self.script.marks_handoff() => {
                self.endpoint.handoff()?;
                self.note("handoff");
                self.anchor_us = self.endpoint.now_us();
            }
            Setting::Moving => self.endpoint.handoff()?,
            _ => {}
        }
        Ok(())
    }

    /// Nothing may come after the last step, as long as a late segment could.
    fn finish(&mut self) -> Result<()> {
        self.silent_until(self.endpoint.now_us() + self.tolerance_us)
    }

    // --- Time.

    /// Runs to the next segment, at most until `until`. Events are kept.
    fn next_segment(&mut self, until: u64) -> Result<Option<(u64, Segment)>> {
        if let Some(pending) = self.pending.pop_front() {
            return Ok(Some(pending));
        }
        while let Some(output) = self.endpoint.run(until)? {
            match output {
                Output::Event(event) => {
                    self.note(&format!("event {event:?}"));
                    self.events.push(event);
                }
                Output::Segment(segment) => {
                    if segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::RST) {
                        self.bases.endpoint.get_or_insert(segment.seq);
                    }
                    let text = self.describe(&segment);
                    self.note(&format!("> {text}"));
                    self.watch(&segment)?;
                    return Ok(Some((self.endpoint.now_us(), segment)));
                }
            }
        }
        Ok(None)
    }

    fn describe(&self, segment: &Segment) -> String {
        describe(segment, self.bases.endpoint.unwrap_or(SeqNumber(0)), self.bases.peer)
    }

    fn silent_until(&mut self, until: u64) -> Result<()> {
        match self.next_segment(until)? {
            None => Ok(()),
            Some((_, segment)) => {
                Err(anyhow!("nothing was expected\n  actual:   > {}", self.describe(&segment)))
            }
        }
    }

    /// What holds for every segment of an endpoint, whatever the script expects.
    fn watch(&mut self, segment: &Segment) -> Result<()> {
        let syn = segment.flags.has(Flags::SYN);
        if segment.flags.has(Flags::RST) {
            return Ok(());
        }
        if syn {
            self.endpoint_offers_timestamps = segment.options.timestamps.is_some();
            self.timestamps = self.endpoint_offers_timestamps && self.peer_clock.is_some();
        }
        let Some((value, _)) = segment.options.timestamps else {
            // RFC 7323 Section 3.2: once agreed on, in every segment.
            return if self.timestamps { Err(anyhow!("a segment without timestamps")) } else { Ok(()) };
        };
        if !syn && !self.timestamps {
            return Err(anyhow!("timestamps were not agreed on"));
        }
        if self.endpoint_tsval.is_some_and(|last| (value.wrapping_sub(last) as i32) < 0) {
            return Err(anyhow!("the endpoint's timestamp clock runs backwards"));
        }
        self.endpoint_tsval = Some(value);
        Ok(())
    }

    // --- Expectations.

    fn expect(&mut self, spec: &SegmentSpec, due: u64) -> Result<()> {
        let each = spec.each.map_or(spec.end - spec.start, i64::from);
        let mut start = spec.start;
        loop {
            let one = SegmentSpec { start, end: start + each, each: None, ..spec.clone() };
            self.expect_one(&one, due)?;
            start += each;
            if start >= spec.end {
                return Ok(());
            }
        }
    }

    fn expect_one(&mut self, spec: &SegmentSpec, due: u64) -> Result<()> {
        let tolerance = self.tolerance_us;
        let Some((at_us, segment)) = self.next_segment(due + tolerance)? else {
            return Err(anyhow!("the endpoint sent nothing\n  expected: {}", self.expected(spec)));
        };
        let wrong = match self.differences(spec, &segment) {
            wrong if !wrong.is_empty() => wrong.join("; "),
            _ if at_us + tolerance < due => format!("it is {} us early", due - at_us),
            _ if at_us > due + tolerance => format!("it is {} us late", at_us - due),
            _ => return Ok(()),
        };
        let actual = self.describe(&segment);
        Err(anyhow!("{wrong}\n  expected: {}\n  actual:   > {actual}", self.expected(spec)))
    }

    /// The step's segment in its own words, one of a train.
    fn expected(&self, spec: &SegmentSpec) -> String {
        let mut text = format!("> {} {}", flag_letters(spec.flags), spec.start);
        if spec.end > spec.start {
            let _ = write!(text, ":{}", spec.end);
        }
        for (name, value) in [("ack", spec.ack), ("win", spec.window.map(i64::from))] {
            if let Some(value) = value {
                let _ = write!(text, " {name} {value}");
            }
        }
        if let Some(options) = &spec.options {
            let _ = write!(text, " with {options:?}");
        }
        text
    }

    /// Everything in which a segment differs from what is expected.
    fn differences(&self, spec: &SegmentSpec, segment: &Segment) -> Vec<String> {
        let mut wrong = Vec::new();
        // PSH only where it is asked for.
        let mask = if spec.flags.has(Flags::PSH) { 0xFF } else { !Flags::PSH.0 };
        if (segment.flags.0 ^ spec.flags.0) & mask != 0 {
            wrong.push("the flags differ".to_string());
        }
        let own = self.bases.endpoint.unwrap_or(SeqNumber(0));
        // A reset of a segment without ACK has no number of its own (RFC 9293 Section 3.10.7.1).
        let based = !(spec.flags.has(Flags::RST) && self.bases.endpoint.is_none());
        if based && segment.seq != offset(own, spec.start) {
            wrong.push("the sequence number differs".to_string());
        }
        if segment.payload.len() as i64 != spec.end - spec.start {
            wrong.push(format!("it has {} bytes", segment.payload.len()));
        }
        let first = segment.seq.since(own).wrapping_sub(1);
        let bad = (0..segment.payload.len() as u32)
            .find(|i| segment.payload[*i as usize] != pattern(Stream::Endpoint, first.wrapping_add(*i)));
        if let Some(index) = bad {
            wrong.push(format!("byte {index} of its payload is not what was written"));
        }
        if spec.ack.is_some_and(|ack| segment.ack != offset(self.bases.peer, ack)) {
            wrong.push("the acknowledgement differs".to_string());
        }
        if spec.window.is_some_and(|window| window != segment.window) {
            wrong.push("the window differs".to_string());
        }
        if let Some(options) = &spec.options {
            self.option_differences(options, &segment.options, &mut wrong);
        }
        wrong
    }

    fn option_differences(&self, spec: &OptionSpec, actual: &Options, wrong: &mut Vec<String>) {
        let mut check = |name: &str, asked: bool, same: bool| {
            if !same && (asked || !spec.more) {
                wrong.push(format!("option {name} differs"));
            }
        };
        check("mss", spec.mss.is_some(), spec.mss == actual.mss);
        check("ws", spec.window_scale.is_some(), spec.window_scale == actual.window_scale);
        check("sackok", spec.sack_permitted, spec.sack_permitted == actual.sack_permitted);
        let blocks: Vec<Range> = spec.sack.iter().map(|b| range(self.bases.peer, *b)).collect();
        check("sack", !blocks.is_empty(), blocks == actual.sack_blocks());
        let is = |value: Value, actual: u32| value == Value::Any || value == Value::Is(actual);
        match (spec.timestamps, actual.timestamps) {
            (Some((value, echo)), Some((v, e))) => check("ts", true, is(value, v) && is(echo, e)),
            (Some(_), None) => check("ts", true, false),
            (None, Some(_)) if spec.no_timestamps => check("ts", true, false),
            // Whether they are there at all is checked for every segment.
            (None, _) => {}
        }
    }

    fn expect_event(&mut self, event: Event, due: u64) -> Result<()> {
        let until = due + self.tolerance_us;
        self.gather(until, |runner| runner.events.contains(&event))?;
        match self.events.iter().position(|e| *e == event) {
            Some(index) => {
                self.events.remove(index);
                Ok(())
            }
            None => Err(anyhow!("the user did not hear of it; heard and not asked for: {:?}", self.events)),
        }
    }

    fn expect_state(&mut self, state: State, due: u64) -> Result<()> {
        self.gather(due, |_| false)?;
        let until = due + self.tolerance_us;
        self.gather(until, |runner| runner.endpoint.state().is_none_or(|actual| actual == state))?;
        match self.endpoint.state() {
            Some(actual) if actual != state => Err(anyhow!("the state is {actual:?}")),
            _ => Ok(()),
        }
    }

    fn wait_for_bytes(&mut self, bytes: u32, due: u64) -> Result<()> {
        self.silent_until(due)?;
        self.gather(due + self.tolerance_us, |runner| runner.endpoint.readable() >= bytes)?;
        match self.endpoint.readable() {
            ready if ready >= bytes => Ok(()),
            ready => Err(anyhow!("only {ready} bytes are there to be read")),
        }
    }

    /// Runs until `done`, at most until `until`. Segments wait for the steps that expect them.
    fn gather(&mut self, until: u64, done: impl Fn(&Self) -> bool) -> Result<()> {
        let mut seen = VecDeque::new();
        std::mem::swap(&mut seen, &mut self.pending);
        while !done(self) {
            let next = (self.endpoint.now_us() + 200).min(until);
            if let Some(segment) = self.next_segment(next)? {
                seen.push_back(segment);
            } else if self.endpoint.now_us() >= until {
                break;
            }
        }
        self.pending = seen;
        Ok(())
    }

    // --- What the script does.

    fn call(&mut self, call: Call) -> Result<()> {
        self.note(&format!("{call:?}"));
        self.endpoint.call(&call)
    }

    fn inject(&mut self, segment: &Segment) -> Result<()> {
        let text = describe(segment, self.bases.peer, self.bases.endpoint.unwrap_or(SeqNumber(0)));
        self.note(&format!("< {text}"));
        self.endpoint.inject(segment)
    }

    /// The segments of a spec, with what the script left open.
    fn segments(&mut self, spec: &SegmentSpec) -> Result<Vec<Segment>> {
        let iss = self.bases.endpoint;
        let ack = match (spec.ack, iss) {
            (None, _) => SeqNumber(0),
            (Some(ack), Some(iss)) => offset(iss, ack),
            (Some(ack), None) => SeqNumber(ack as u32),
        };
        self.window = spec.window.unwrap_or(self.window);
        let syn = spec.flags.has(Flags::SYN);
        let mut options = Options::NONE;
        let default = OptionSpec::default();
        let asked = spec.options.as_ref().unwrap_or(&default);
        options.mss = asked.mss;
        options.window_scale = asked.window_scale;
        options.sack_permitted = asked.sack_permitted;
        for (slot, block) in options.sack.iter_mut().zip(&asked.sack) {
            *slot = range(iss.unwrap_or(SeqNumber(0)), *block);
            options.sack_count += 1;
        }
        options.timestamps = self.peer_timestamps(asked, syn);
        let each = spec.each.map_or(spec.end - spec.start, i64::from);
        let mut segments = Vec::new();
        let mut start = spec.start;
        loop {
            let first = (start as u32).wrapping_sub(u32::from(!syn));
            let payload =
                (0..each as u32).map(|i| pattern(Stream::Peer, first.wrapping_add(i))).collect::<Vec<u8>>();
            let seq = offset(self.bases.peer, start);
            segments.push(Segment { seq, ack, flags: spec.flags, window: self.window, options, payload });
            start += each;
            if start >= spec.end {
                return Ok(segments);
            }
        }
    }

    fn peer_timestamps(&mut self, asked: &OptionSpec, syn: bool) -> Option<(u32, u32)> {
        let now_us = self.endpoint.now_us();
        let wanted = asked.timestamps.is_some() || (self.timestamps && !syn);
        if asked.no_timestamps || !wanted {
            return None;
        }
        let (value, echo) = asked.timestamps.unwrap_or((Value::Any, Value::Any));
        if syn {
            let start = if let Value::Is(value) = value { value } else { PEER_TSVAL };
            self.peer_clock = Some((start, now_us));
            self.timestamps = self.endpoint_offers_timestamps;
        }
        let clock = self
            .peer_clock
            .map_or(PEER_TSVAL, |(value, at_us)| value.wrapping_add(((now_us - at_us) / 1000) as u32));
        let value = if let Value::Is(value) = value { value } else { clock };
        let echo = if let Value::Is(echo) = echo { echo } else { self.endpoint_tsval.unwrap_or(0) };
        Some((value, echo))
    }

    /// The three-way handshake (RFC 9293 Section 3.5, Figure 6).
    fn open(&mut self, open: &Open) -> Result<()> {
        let segment = |flags, start, ack, options: Option<&OptionSpec>| SegmentSpec {
            flags,
            start,
            end: start,
            each: None,
            ack,
            window: Some(open.window),
            options: options.cloned(),
        };
        let (syn, ack) = (Flags::SYN, Flags::ACK);
        let expected = |flags, start, ack| SegmentSpec { window: None, ..segment(flags, start, ack, None) };
        let options = Some(&open.options);
        if open.passive {
            self.call(Call::Listen)?;
            self.send(&segment(syn, 0, None, options))?;
            self.expect_one(&expected(syn | ack, 0, Some(1)), self.endpoint.now_us())?;
            self.silent_until(self.endpoint.now_us() + open.rtt_us)?;
            self.send(&segment(ack, 1, Some(1), None))?;
        } else {
            self.call(Call::Connect)?;
            self.expect_one(&expected(syn, 0, None), self.endpoint.now_us())?;
            self.silent_until(self.endpoint.now_us() + open.rtt_us)?;
            self.send(&segment(syn | ack, 0, Some(1), options))?;
            self.expect_one(&expected(ack, 1, Some(1)), self.endpoint.now_us())?;
        }
        self.expect_event(Event::Established, self.endpoint.now_us())
    }

    fn send(&mut self, spec: &SegmentSpec) -> Result<()> {
        for segment in self.segments(spec)? {
            self.inject(&segment)?;
        }
        Ok(())
    }
}

fn offset(base: SeqNumber, relative: i64) -> SeqNumber {
    base + relative as u32
}

fn range(base: SeqNumber, (start, end): (i64, i64)) -> Range {
    Range { start: offset(base, start), end: offset(base, end) }
}
