//! Bytes to tape, in one pass and without recursion.

use std::fmt;

use super::{Kind, Node};

/// Deeper values are refused: no API needs them, and a hostile one must not cost a stack.
const MAX_DEPTH: usize = 128;

/// Where and why a body is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Byte in the body.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not JSON at byte {}: expected {}", self.at, self.expected)
    }
}

impl std::error::Error for ParseError {}

type Result<T> = std::result::Result<T, ParseError>;

/// What may stand at the current place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// The first item of an array, or its end.
    ItemOrEnd,
    /// The first key of an object, or its end.
    KeyOrEnd,
    Key,
    /// A comma or the end of the container.
    CommaOrEnd,
}

pub(super) fn parse(body: &[u8]) -> Result<Vec<Node>> {
    if u32::try_from(body.len()).is_err() {
        return Err(ParseError { at: 0, expected: "a body below 4 GiB" });
    }
    if let Err(error) = simdutf8::compat::from_utf8(body) {
        return Err(ParseError { at: error.valid_up_to(), expected: "UTF-8" });
    }
    let start = if body.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let mut parser =
        Parser { body, at: start, tape: Vec::with_capacity(body.len() / 12 + 8), open: Vec::new() };
    parser.run()?;
    Ok(parser.tape)
}

struct Parser<'a> {
    body: &'a [u8],
    at: usize,
    tape: Vec<Node>,
    /// Tape indexes of the containers that are open.
    open: Vec<usize>,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<()> {
        let mut expect = Expect::Value;
        loop {
            self.skip_space();
            let byte = self.peek();
            match (expect, byte) {
                (Expect::ItemOrEnd, Some(b']')) | (Expect::KeyOrEnd, Some(b'}')) => self.close(),
                (Expect::Value | Expect::ItemOrEnd, Some(byte)) => {
                    if let Some(inside) = self.value(byte)? {
                        expect = inside;
                        continue;
                    }
                }
                (Expect::Key | Expect::KeyOrEnd, Some(b'"')) => {
                    self.string()?;
                    self.skip_space();
                    if self.peek() != Some(b':') {
                        return Err(self.expected("a colon"));
                    }
                    self.at += 1;
                    expect = Expect::Value;
                    continue;
                }
                (Expect::CommaOrEnd, Some(b',')) => {
                    self.at += 1;
                    expect = if self.in_object() { Expect::Key } else { Expect::Value };
                    continue;
                }
                (Expect::CommaOrEnd, Some(b'}')) if self.in_object() => self.close(),
                (Expect::CommaOrEnd, Some(b']')) if !self.in_object() => self.close(),
                (Expect::Value, None) => return Err(self.expected("a value")),
                (Expect::ItemOrEnd, None) => return Err(self.expected("a value or a closing bracket")),
                (Expect::Key | Expect::KeyOrEnd, _) => return Err(self.expected("a key in quotes")),
                (Expect::CommaOrEnd, _) => {
                    return Err(self.expected("a comma or the end of the list or object"));
                }
            }
            // A value is complete.
            if self.open.is_empty() {
                self.skip_space();
                return if self.at == self.body.len() {
                    Ok(())
                } else {
                    Err(self.expected("the end of the body"))
                };
            }
            self.count();
            expect = Expect::CommaOrEnd;
        }
    }

    /// Reads a scalar, or opens a container and says what comes inside it.
    fn value(&mut self, byte: u8) -> Result<Option<Expect>> {
        match byte {
            b'"' => self.string()?,
            b'{' => return self.open(Kind::Object).map(Some),
            b'[' => return self.open(Kind::Array).map(Some),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word(b"true", Kind::True)?,
            b'f' => self.word(b"false", Kind::False)?,
            b'n' => self.word(b"null", Kind::Null)?,
            _ => return Err(self.expected("a value")),
        }
        Ok(None)
    }

    fn open(&mut self, kind: Kind) -> Result<Expect> {
        if self.open.len() == MAX_DEPTH {
            return Err(self.expected("at most 128 levels"));
        }
        self.open.push(self.tape.len());
        self.push(kind, self.at, self.at);
        self.at += 1;
        Ok(if kind == Kind::Object { Expect::KeyOrEnd } else { Expect::ItemOrEnd })
    }

    fn close(&mut self) {
        self.at += 1;
        let (end, next) = (offset(self.at), offset(self.tape.len()));
        if let Some(node) = self.open.pop().and_then(|index| self.tape.get_mut(index)) {
            node.end = end;
            node.next = next;
        }
    }

    /// One more item or entry in the innermost open container.
    fn count(&mut self) {
        if let Some(node) = self.open.last().and_then(|index| self.tape.get_mut(*index)) {
            node.len += 1;
        }
    }

    fn in_object(&self) -> bool {
        self.open.last().and_then(|index| self.tape.get(*index)).is_some_and(|node| node.kind == Kind::Object)
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let next = offset(self.tape.len() + 1);
        self.tape.push(Node { kind, start: offset(start), end: offset(end), next, len: 0 });
    }

    fn string(&mut self) -> Result<()> {
        let start = self.at + 1;
        let mut at = start;
        let mut kind = Kind::Plain;
        loop {
            at = self.plain_run(at);
            match self.body.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    kind = Kind::Escaped;
                    at = self.escape(at)?;
                }
                Some(_) => return Err(ParseError { at, expected: "no control character in a string" }),
                None => return Err(ParseError { at, expected: "a closing quote" }),
            }
        }
        self.push(kind, start, at);
        self.at = at + 1;
        Ok(())
    }

    /// The first byte from `at` that is a quote, a backslash or a control character. Eight bytes at a time.
    fn plain_run(&self, mut at: usize) -> usize {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        while let Some(chunk) = self.body.get(at..at + 8) {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(chunk);
            let word = u64::from_le_bytes(bytes);
            let quote = word ^ (ONES * 0x22);
            let slash = word ^ (ONES * 0x5C);
            // The lowest set bit is exact; higher ones may be carried over from it.
            let found = (quote.wrapping_sub(ONES) & !quote)
                | (slash.wrapping_sub(ONES) & !slash)
                | (word.wrapping_sub(ONES * 0x20) & !word);
            let found = found & HIGH;
            if found != 0 {
                return at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        while let Some(byte) = self.body.get(at) {
            if matches!(byte, b'"' | b'\\' | 0..0x20) {
                break;
            }
            at += 1;
        }
        at
    }

    /// Checks the escape at `at`, gives the place after it.
    fn escape(&self, at: usize) -> Result<usize> {
        match self.body.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u')
                if self.body.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) =>
            {
                Ok(at + 6)
            }
            _ => Err(ParseError { at, expected: "an escape that JSON knows" }),
        }
    }

    fn number(&mut self) -> Result<()> {
        let start = self.at;
        let mut kind = Kind::Integer;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(self.expected("no digit after a leading zero"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            kind = Kind::Decimal;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            kind = Kind::Decimal;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(kind, start, self.at);
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(()) }
    }

    fn word(&mut self, word: &'static [u8], kind: Kind) -> Result<()> {
        if !self.body.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.expected("a value"));
        }
        self.push(kind, self.at, self.at + word.len());
        self.at += word.len();
        Ok(())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn expected(&self, expected: &'static str) -> ParseError {
        ParseError { at: self.at, expected }
    }
}

/// Places fit 32 bits: the body's length was checked.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the body is below 4 GiB and has at least a byte per node"
)]
fn offset(at: usize) -> u32 {
    at as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::json::{Document, Kind};

    #[test]
    fn walks_objects_and_lists() {
        let document =
            Document::parse(br#" {"a": [1, -2.5e3, "x"], "b": {"c": null}, "d": []} "#.to_vec()).unwrap();
        let a = document.get(document.root(), "a").unwrap();
        let kinds: Vec<_> = document.items(a).map(|item| document.kind(item)).collect();
        assert_eq!(kinds, [Kind::Integer, Kind::Decimal, Kind::Plain]);
        let b = document.get(document.root(), "b").unwrap();
        assert_eq!(document.json(b), r#"{"c": null}"#);
        assert_eq!(document.len(document.get(document.root(), "d").unwrap()), 0);
    }

    #[test]
    fn numbers_keep_their_digits() {
        let document = Document::parse(b"[18446744073709551616,0.10000000000000000001]".to_vec()).unwrap();
        let digits: Vec<_> = document.items(document.root()).map(|id| document.json(id).to_owned()).collect();
        assert_eq!(digits, ["18446744073709551616", "0.10000000000000000001"]);
    }

    #[test]
    fn refuses_what_is_not_json() {
        for bad in [
            "",
            "[",
            "[1,]",
            "{\"a\"}",
            "{\"a\":1,}",
            "01",
            "1.",
            "-",
            "tru",
            "\"a",
            "\"\\x\"",
            "[1] 2",
            "{1:2}",
            "[}",
            "\"\u{1}\"",
            "NaN",
            "<html>",
            "{\"a\":1]",
        ] {
            assert!(Document::parse(bad.as_bytes().to_vec()).is_err(), "{bad:?} was read");
        }
        assert_eq!(Document::parse(b"\"\xff\"".to_vec()).unwrap_err().expected, "UTF-8");
        assert!(Document::parse(vec![b'['; 10_000]).is_err());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<i32>().prop_map(|number| (f64::from(number) / 8.0).into()),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json_on_values(value in json()) {
            for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
                let document = Document::parse(text.into_bytes()).unwrap();
                prop_assert_eq!(document.value(document.root()), value.clone());
            }
        }

        #[test]
        fn agrees_with_serde_json_on_what_is_json(text in r#"[\[\]{}:,"\\u0-9eE.truefalsn \n-]{0,24}"#) {
            let ours = Document::parse(text.clone().into_bytes()).is_ok();
            // serde_json refuses numbers beyond f64 and lone surrogates; both are JSON's grammar.
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            if theirs { prop_assert!(ours); }
        }
    }
}
