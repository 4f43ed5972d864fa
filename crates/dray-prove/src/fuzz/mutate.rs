//! What is done to a seed: nothing clever, often enough.

use fastrand::Rng;

/// No input is longer: what grows with the square of it is slow long before.
const LONGEST: usize = 256 << 10;

/// Words of every language that is read.
const WORDS: &[&str] = &[
    "null",
    "true",
    "false",
    "NaN",
    "-Infinity",
    "{}",
    "[]",
    "\"\"",
    "{\"a\":",
    "[[",
    "]]",
    "}",
    ",",
    ":",
    "\\ud800",
    "\\udc00\\ud800",
    "\\u0000",
    "\\",
    "\"",
    "'",
    "\u{feff}",
    "\u{202e}",
    "\u{10ffff}",
    "é",
    "ß",
    "İ",
    "\0",
    "\r\n",
    "\t",
    " ",
    "%2e%2e%2f",
    "../",
    "{{",
    "}}",
    "${",
    "<",
    ">",
    ";",
    "1e999",
    "-0",
    "0x7f",
    "1_000",
    "_dlt_id",
    "__",
    "2024-02-30T25:61:61.999999999+99:99",
    "2024-01-01T00:00:00Z",
];

/// Numbers at the edges of their types.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "127",
    "65536",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "170141183460469231731687303715884105728",
    "1e308",
    "1e-400",
    "-1e309",
    "0.1000000000000000055511151231257827021181583404541015625",
    "99999999999999999999999999999999999999.9999999999",
    "1e2147483648",
    "1.e5",
    "00012",
];

/// Bytes that are no UTF-8, or only half of a character.
const NO_TEXT: &[&[u8]] =
    &[b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\x80", b"\xed\xa0\x80", b"\xfe\xff", b"\x80"];

/// What opens and closes.
const NESTS: &[(&str, &str)] = &[
    ("[", "]"),
    ("{\"a\":", "}"),
    ("(", ")"),
    ("{a: ", "}"),
    ("[?", "]"),
    ("{{", "}}"),
    ("- ", ""),
    ("$..", ""),
    ("not ", ""),
    ("&a [*a, ", "]"),
    ("f\"{", "}\""),
    ("!", ""),
    ("-", ""),
    ("\\", ""),
];

/// A seed after one to eight mutations, mostly few.
pub(super) fn mutated(random: &mut Rng, seeds: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = any(random, seeds).cloned().unwrap_or_default();
    let mut left = 1 + random.u8(..).trailing_zeros();
    while left > 0 {
        once(random, &mut input, seeds, words);
        input.truncate(LONGEST);
        left -= 1;
    }
    input
}

fn any<'a, T>(random: &mut Rng, all: &'a [T]) -> Option<&'a T> {
    if all.is_empty() { None } else { all.get(random.usize(..all.len())) }
}

fn once(random: &mut Rng, input: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str]) {
    let at = place(random, input);
    match random.u8(..16) {
        0 => flip(random, input),
        1 => {
            let byte = random.u8(..);
            insert(input, at, &[byte]);
        }
        2 => input.truncate(at),
        3 => {
            input.drain(range(random, input));
        }
        4 => repeat(random, input),
        5 => splice(random, input, seeds),
        6 => nest(random, input),
        7 | 8 => number(random, input),
        9 => insert(input, at, any(random, NO_TEXT).copied().unwrap_or_default()),
        10 => {
            // One part of the input in the place of another.
            let moved = input.get(range(random, input)).unwrap_or_default().to_vec();
            let gone = range(random, input);
            input.splice(gone, moved);
        }
        11 => {
            let word = any(random, WORDS).copied().unwrap_or_default();
            let gone = range(random, input);
            input.splice(gone, word.bytes());
        }
        12 | 13 => insert(input, at, any(random, WORDS).copied().unwrap_or_default().as_bytes()),
        _ => {
            let word = any(random, words).copied().unwrap_or_default();
            let gone = if random.bool() { at..at } else { range(random, input) };
            input.splice(gone, word.bytes());
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}

/// A place in an input: half of the time where something begins or ends.
fn place(random: &mut Rng, input: &[u8]) -> usize {
    let at = random.usize(..=input.len());
    if random.bool() {
        return at;
    }
    let edge = |byte: &u8| !byte.is_ascii_alphanumeric() && byte.is_ascii();
    input.iter().skip(at).position(edge).map_or(at, |ahead| at + ahead)
}

/// A part of an input, mostly a short one.
fn range(random: &mut Rng, input: &[u8]) -> std::ops::Range<usize> {
    let from = place(random, input);
    let most = if random.u8(..4) == 0 { input.len() } else { 16 };
    let to = (from + random.usize(..=most)).min(input.len());
    if random.bool() {
        return from..to;
    }
    let end = place(random, input.get(from..).unwrap_or_default());
    from..(from + end).min(input.len())
}

fn flip(random: &mut Rng, input: &mut [u8]) {
    if input.is_empty() {
        return;
    }
    let at = random.usize(..input.len());
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << random.u8(..8);
    }
}

/// A part many times over.
fn repeat(random: &mut Rng, input: &mut Vec<u8>) {
    let part = range(random, input);
    let copied = input.get(part.clone()).unwrap_or_default();
    // Rarely as often as there is room for it.
    let most = if random.u8(..8) == 0 { 1 << random.u8(8..17) } else { 20 };
    let room = LONGEST.saturating_sub(input.len()) / copied.len().max(1);
    let copies = copied.repeat(random.usize(1..=most).min(room));
    insert(input, part.end, &copies);
}

/// The beginning of the input, and the end of another.
fn splice(random: &mut Rng, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let Some(other) = any(random, seeds) else { return };
    let end = place(random, other);
    input.truncate(place(random, input));
    input.extend_from_slice(other.get(end..).unwrap_or_default());
}

/// A part inside many brackets, which may not all be closed.
fn nest(random: &mut Rng, input: &mut Vec<u8>) {
    let Some((open, close)) = any(random, NESTS).copied() else { return };
    let part = range(random, input);
    let most = 1 << random.u8(1..15);
    let deep = random.usize(1..=most);
    let closed = if random.u8(..4) == 0 { random.usize(..=deep) } else { deep };
    insert(input, part.end, close.repeat(closed).as_bytes());
    insert(input, part.start, open.repeat(deep).as_bytes());
}

/// Another number in the place of one, or anywhere.
fn number(random: &mut Rng, input: &mut Vec<u8>) {
    let from = random.usize(..=input.len());
    let digit = |byte: &u8| byte.is_ascii_digit();
    let start = input.iter().skip(from).position(digit).map_or(from, |ahead| from + ahead);
    let end =
        input.iter().skip(start).position(|byte| !digit(byte)).map_or(input.len(), |ahead| start + ahead);
    let long = random.u8(..16) == 0;
    let number = if long {
        "9".repeat(1 << random.u8(4..14))
    } else {
        any(random, NUMBERS).copied().unwrap_or_default().to_owned()
    };
    input.splice(start..end, number.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutations_stay_within_bounds_whatever_the_seed() {
        let seeds = [Vec::new(), b"{\"id\": 12}".to_vec(), vec![b'['; LONGEST]];
        let mut random = Rng::with_seed(1);
        let mut changed = 0;
        for _ in 0..2000 {
            let input = mutated(&mut random, &seeds, &["word"]);
            assert!(input.len() <= LONGEST);
            changed += usize::from(!seeds.contains(&input));
        }
        assert!(changed > 1000, "{changed}");
    }
}
