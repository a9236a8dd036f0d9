//! Values as entries files write them.
//!
//! | text | is |
//! | --- | --- |
//! | `80`, `0x50`, `0b1010000`, `0o120`, each with `_` between digits | a number of any width |
//! | `192.0.2.1` | an IPv4 address: 32 bits |
//! | `2001:db8::1` | an IPv6 address: 128 bits |
//! | `02:00:00:00:00:01`, also with `-` | a MAC address: 48 bits |
//! | `value &&& mask` | a value and a mask, each one of the above |
//! | `_` | any value |

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while1, take_while_m_n};
use nom::character::complete::{char, one_of, space0};
use nom::combinator::{all_consuming, map, map_opt, recognize, value};
use nom::multi::fold_many_m_n;
use nom::sequence::{delimited, preceded, separated_pair};
use nom::IResult;
use num_bigint::BigUint;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A value with the width that its notation has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    pub number: BigUint,
    /// What it is, with its width; `None` for a plain number.
    pub notation: Option<(&'static str, u32)>,
}

/// What a key is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Any,
    Value(Literal),
    Mask(Literal, Literal),
}

/// Reads a pattern, which is the whole text.
pub(super) fn pattern(text: &str) -> Option<Pattern> {
    let masked = separated_pair(literal, delimited(space0, tag("&&&"), space0), literal);
    let any = alt((
        value(Pattern::Any, char('_')),
        map(masked, |(value, mask)| Pattern::Mask(value, mask)),
        map(literal, Pattern::Value),
    ));
    let mut whole = all_consuming(delimited(space0, any, space0));
    let result: IResult<&str, Pattern> = whole(text);
    result.ok().map(|(_, pattern)| pattern)
}

fn literal(text: &str) -> IResult<&str, Literal> {
    alt((mac, address, number))(text)
}

fn number(text: &str) -> IResult<&str, Literal> {
    let digits = |radix: u32| {
        move |text| {
            let digits = take_while1(move |c: char| c.is_digit(radix) || c == '_');
            map_opt(digits, move |digits: &str| {
                let digits: String = digits.chars().filter(|c| *c != '_').collect();
                BigUint::parse_bytes(digits.as_bytes(), radix)
            })(text)
        }
    };
    let any = alt((
        preceded(tag_no_case("0x"), digits(16)),
        preceded(tag_no_case("0b"), digits(2)),
        preceded(tag_no_case("0o"), digits(8)),
        digits(10),
    ));
    map(any, |number| Literal { number, notation: None })(text)
}

/// Six octets of two digits.
fn mac(text: &str) -> IResult<&str, Literal> {
    let octet = |text| {
        let digits = take_while_m_n(2, 2, |c: char| c.is_ascii_hexdigit());
        map_opt(digits, |digits: &str| u8::from_str_radix(digits, 16).ok())(text)
    };
    let (rest, first) = octet(text)?;
    let (_, separator) = one_of(":-")(rest)?;
    let more = fold_many_m_n(
        5,
        5,
        preceded(char(separator), octet),
        move || BigUint::from(first),
        |number, octet| (number << 8) | BigUint::from(octet),
    );
    // Not the beginning of an IPv6 address.
    let (rest, number) = { more }(rest)?;
    nom::combinator::not(one_of(":-0123456789abcdefABCDEF"))(rest)?;
    Ok((rest, Literal { number, notation: Some(("a MAC address", 48)) }))
}

fn address(text: &str) -> IResult<&str, Literal> {
    let word = recognize(take_while1(|c: char| c.is_ascii_hexdigit() || c == '.' || c == ':'));
    map_opt(word, |word: &str| {
        if let Ok(address) = word.parse::<Ipv4Addr>() {
            return Some(Literal {
                number: address.to_bits().into(),
                notation: Some(("an IPv4 address", 32)),
            });
        }
        let address: Ipv6Addr = word.parse().ok()?;
        Some(Literal { number: address.to_bits().into(), notation: Some(("an IPv6 address", 128)) })
    })(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> (BigUint, Option<u32>) {
        match pattern(text) {
            Some(Pattern::Value(literal)) => (literal.number, literal.notation.map(|(_, width)| width)),
            other => panic!("{text:?} is {other:?}"),
        }
    }

    #[test]
    fn every_notation() {
        for (text, number, width) in [
            ("0", 0u128, None),
            (" 65_535 ", 65_535, None),
            ("0xFF_ff", 0xFFFF, None),
            ("0B101", 5, None),
            ("0o17", 15, None),
            ("192.0.2.1", 0xC000_0201, Some(32)),
            ("2001:db8::1", 0x2001_0db8 << 96 | 1, Some(128)),
            ("::ffff:192.0.2.1", 0xFFFF_C000_0201, Some(128)),
            ("::", 0, Some(128)),
            ("02:00:5e:00:00:01", 0x0200_5e00_0001, Some(48)),
            ("02-00-5E-00-00-01", 0x0200_5e00_0001, Some(48)),
            // Eight groups of two digits are no MAC address.
            ("11:22:33:44:55:66:77:88", 0x0011_0022_0033_0044_0055_0066_0077_0088, Some(128)),
        ] {
            assert_eq!(plain(text), (number.into(), width), "{text}");
        }
    }

    #[test]
    fn patterns() {
        assert_eq!(pattern("_"), Some(Pattern::Any));
        let Some(Pattern::Mask(value, mask)) = pattern("10.0.0.0 &&& 0xFF000000") else { panic!() };
        assert_eq!((value.number, mask.number), (0x0A00_0000u32.into(), 0xFF00_0000u32.into()));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            " ",
            "-1",
            "1.5",
            "1e3",
            "0x",
            "0xG",
            "0b2",
            "_1x",
            "1 2",
            "256.0.0.1",
            "1.2.3",
            "1.2.3.4.5",
            "02:00:00:00:00",
            "02:00:00:00:00:0",
            "02:00:00-00:00:01",
            ":::",
            "1 &&&",
            "&&& 1",
            "1 &&& 2 &&& 3",
            "_ &&& 1",
            "eins",
            "\u{663}",
            "80\0",
        ] {
            assert_eq!(pattern(text), None, "{text:?}");
        }
    }
}
