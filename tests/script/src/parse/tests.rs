//! What the language says to good and to bad lines.

use super::*;

#[test]
fn segments_parse() {
    let spec = whole_segment("S. 0 ack 1 win 500 [mss 1460, ws 7, sackok, ts 5 *]").unwrap();
    assert_eq!(
        (spec.flags, spec.start, spec.ack, spec.window),
        (Flags::SYN | Flags::ACK, 0, Some(1), Some(500))
    );
    let options = spec.options.unwrap();
    assert_eq!((options.mss, options.window_scale, options.sack_permitted), (Some(1460), Some(7), true));
    assert_eq!(options.timestamps, Some((Value::Is(5), Value::Any)));
    let train = whole_segment("P. 1:3001/1000 ack -5 [sack 10:20 30:40]").unwrap();
    assert_eq!((train.start, train.end, train.each, train.ack), (1, 3001, Some(1000), Some(-5)));
    assert_eq!(train.options.unwrap().sack, [(10, 20), (30, 40)]);
    for bad in ["1:2", "S", "S 1:0", ". 1:2501/1000", ". 1:20000", ". 1 ack", "S 0 [mss 70000]", "S 0 [mss 5"]
    {
        assert_eq!(whole_segment(bad), None, "{bad}");
    }
}

#[test]
fn times_parse() {
    let us = |text| duration(text).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, us)| us);
    assert_eq!(us("0"), Some(0));
    assert_eq!(
        (us("250us"), us("10ms"), us("1.5s"), us("0.25ms")),
        (Some(250), Some(10_000), Some(1_500_000), Some(250))
    );
    assert_eq!((us("5"), us("1m"), us("1.0000001s"), us("9999999999s")), (None, None, None, None));
}

/// Errors point at the place and say what would be right there.
#[test]
fn errors_point_at_their_place() {
    let message = |text: &str| parse("a.script", text).unwrap_err().to_string();
    assert_eq!(
        message("# nothing\n+0 open passive\n+1m < . 1 ack 1\n"),
        "a.script:3:3: expected `us`, `ms` or `s`\n  |\n3 | +1m < . 1 ack 1\n  |   ^"
    );
    let cases = [
        ("+0 < . 1", 9, "`ack` and a number with the flag `.`, and only then"),
        ("+0 > X 1", 6, "flags such as `S.`, `.` or `F.`"),
        ("+0 send", 8, "a blank and an argument"),
        ("+0 send x", 9, "a number"),
        ("+0 state OPEN", 10, "a state of RFC 9293, such as CLOSE-WAIT"),
        ("config mss=1 foo=2", 14, "mss, wscale, iw,"),
        ("config rcvbuf=1000", 15, "a multiple of 64"),
        ("settings engine", 16, "the reason"),
        ("+0 < S 0 [mss 5, foo]", 18, "mss, ws, sackok, ts, nots, sack or `...`"),
        ("+0 quiet 5ms trailing", 13, "the end of the line"),
        ("hello", 1, "`config`, `settings`, `tolerance`, or a time"),
        ("# only a comment", 1, "a step"),
        ("+0 listen\nconfig mss=5", 1, "a step: directives come before"),
    ];
    for (text, column, expected) in cases {
        let error = parse("a.script", text).unwrap_err();
        assert!(error.expected.starts_with(expected), "{text}: {error}");
        assert_eq!(error.column, column, "{error}");
    }
}

/// Nothing that a file may hold makes the parser panic: every prefix and many damaged forms of a real script.
#[test]
fn damaged_scripts_are_refused_in_order() {
    let good = "config mss=1000 sack=on cc=cubic\nsettings engine host \"a reason\"\ntolerance nic 30ms \"slow\"\n\
                +0 open passive win 500 rtt 5ms [mss 1000, sackok]\n+0.5ms < P. 1:11 ack 1 win 5 [sack 1:2 3:4]\n\
                +1s > . 1 ack 11 [ts * 5, ...]\n+0 lower_mss 500 1\n";
    assert!(parse("good", good).is_ok());
    for end in 0..good.len() {
        let _ = parse("cut", &good[..end]);
        for damage in ['\u{e9}', '[', ':', '-', '9', '\t', '"'] {
            let damaged = format!("{}{damage}{}", &good[..end], &good[end + 1..]);
            if let Err(error) = parse("damaged", &damaged) {
                let _ = error.to_string();
            }
        }
    }
}
