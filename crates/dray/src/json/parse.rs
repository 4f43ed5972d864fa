//! Bytes to tape, in one pass and without recursion.

use std::fmt;

use super::flaw::MOST;
use super::{Bounds, Flaw, FlawKind, Kind, Node};

/// Where and why a body is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Byte in the body.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
    /// The key of `client.limits` that says so, where the body is JSON but too much of it.
    pub limit: Option<&'static str>,
}

impl ParseError {
    fn new(at: usize, expected: &'static str) -> Self {
        Self { at, expected, limit: None }
    }

    pub(super) fn flawed(flaw: Flaw) -> Self {
        let expected = match flaw.kind {
            FlawKind::Utf8 => "UTF-8",
            FlawKind::Surrogate => "both halves of a surrogate pair",
            FlawKind::NotANumber => "a value",
            FlawKind::Depth => "fewer values inside each other",
            FlawKind::Keys => "fewer keys in an object",
            FlawKind::Fields => "as many fields as the header has",
        };
        Self::new(flaw.at, expected)
    }
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

pub(super) fn parse(body: &[u8], bounds: &Bounds) -> Result<(Vec<Node>, Vec<Flaw>)> {
    if u32::try_from(body.len()).is_err() {
        return Err(ParseError::new(0, "a body below 4 GiB"));
    }
    let start = if body.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let mut parser = Parser {
        body,
        at: start,
        tape: Vec::with_capacity((body.len() / 12 + 8).min(bounds.values)),
        open: Vec::new(),
        bounds,
        flaws: Vec::new(),
        items: 0,
    };
    if simdutf8::basic::from_utf8(body).is_err() {
        parser.find_wrong_bytes()?;
    }
    parser.run()?;
    parser.flaws.sort_by_key(|flaw| flaw.at);
    Ok((parser.tape, parser.flaws))
}

struct Parser<'a> {
    body: &'a [u8],
    at: usize,
    tape: Vec<Node>,
    /// Tape indexes of the containers that are open.
    open: Vec<usize>,
    bounds: &'a Bounds,
    flaws: Vec<Flaw>,
    /// Items of lists so far.
    items: usize,
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
        if self.tape.len() >= self.bounds.values {
            let limit = Some("values");
            return Err(ParseError { at: self.at, expected: "fewer values in one body", limit });
        }
        if self.items >= self.bounds.items {
            let limit = Some("items");
            return Err(ParseError { at: self.at, expected: "fewer items in the lists of one body", limit });
        }
        match byte {
            b'"' => self.string()?,
            b'{' | b'[' if self.open.len() >= self.bounds.depth => self.too_deep()?,
            b'{' => return Ok(Some(self.open(Kind::Object))),
            b'[' => return Ok(Some(self.open(Kind::Array))),
            b'-' if self.peek_at(1) == Some(b'I') => self.not_a_number(b"-Infinity")?,
            b'-' | b'0'..=b'9' => self.number()?,
            b'N' => self.not_a_number(b"NaN")?,
            b'I' => self.not_a_number(b"Infinity")?,
            b't' => self.word(b"true", Kind::True)?,
            b'f' => self.word(b"false", Kind::False)?,
            b'n' => self.word(b"null", Kind::Null)?,
            _ => return Err(self.expected("a value")),
        }
        Ok(None)
    }

    fn open(&mut self, kind: Kind) -> Expect {
        self.open.push(self.tape.len());
        self.push(kind, self.at, self.at);
        self.at += 1;
        if kind == Kind::Object { Expect::KeyOrEnd } else { Expect::ItemOrEnd }
    }

    fn close(&mut self) {
        self.at += 1;
        let (end, next) = (offset(self.at), offset(self.tape.len()));
        let Some(node) = self.open.pop().and_then(|index| self.tape.get_mut(index)) else { return };
        node.end = end;
        node.next = next;
        if node.len as usize > self.bounds.keys && node.kind == Kind::Object {
            let at = node.start as usize;
            self.flaws.push(Flaw { at, kind: FlawKind::Keys });
        }
    }

    /// Steps over a container that is too deep, and leaves an empty one in its place.
    ///
    /// Its record is lost, so only its end matters: brackets must match, texts must end.
    #[cold]
    fn too_deep(&mut self) -> Result<()> {
        let start = self.at;
        let kind = if self.peek() == Some(b'{') { Kind::Object } else { Kind::Array };
        self.flaw(start, FlawKind::Depth)?;
        let mut objects = Vec::new();
        loop {
            match self.peek() {
                Some(b'{') => objects.push(true),
                Some(b'[') => objects.push(false),
                Some(b'}') if objects.last() == Some(&true) => drop(objects.pop()),
                Some(b']') if objects.last() == Some(&false) => drop(objects.pop()),
                Some(b'}' | b']') => return Err(self.expected("the bracket that was opened")),
                Some(b'"') => {
                    self.skip_string()?;
                    continue;
                }
                Some(_) => {}
                None => return Err(self.expected("the end of the list or object")),
            }
            self.at += 1;
            if objects.is_empty() {
                break;
            }
        }
        self.push(kind, start, self.at);
        Ok(())
    }

    #[cold]
    fn skip_string(&mut self) -> Result<()> {
        let mut at = self.at + 1;
        loop {
            at = self.plain_run(at);
            match self.body.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at = self.escape(at)?,
                Some(_) => return Err(ParseError::new(at, "no control character in a string")),
                None => return Err(ParseError::new(at, "a closing quote")),
            }
        }
        self.at = at + 1;
        Ok(())
    }

    /// Python's and JavaScript's words for what JSON cannot say.
    #[cold]
    fn not_a_number(&mut self, word: &'static [u8]) -> Result<()> {
        let start = self.at;
        self.word(word, Kind::Null)?;
        self.flaw(start, FlawKind::NotANumber)
    }

    fn flaw(&mut self, at: usize, kind: FlawKind) -> Result<()> {
        if self.flaws.len() >= MOST {
            return Err(ParseError::new(at, kind_of_body(kind)));
        }
        self.flaws.push(Flaw { at, kind });
        Ok(())
    }

    /// Notes where the body is not UTF-8. Such bytes can only stand inside a text: elsewhere they are no JSON.
    #[cold]
    fn find_wrong_bytes(&mut self) -> Result<()> {
        let (mut from, body) = (0, self.body);
        while let Err(error) = std::str::from_utf8(body.get(from..).unwrap_or_default()) {
            let at = from + error.valid_up_to();
            self.flaw(at, FlawKind::Utf8)?;
            from = at + error.error_len().unwrap_or(body.len() - at).max(1);
        }
        Ok(())
    }

    /// One more item or entry in the innermost open container.
    fn count(&mut self) {
        if let Some(node) = self.open.last().and_then(|index| self.tape.get_mut(*index)) {
            node.len += 1;
            self.items += usize::from(node.kind == Kind::Array);
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
                    let next = self.escape(at)?;
                    at = if self.is_surrogate(at) { self.surrogate(at)? } else { next };
                }
                Some(_) => return Err(ParseError::new(at, "no control character in a string")),
                None => return Err(ParseError::new(at, "a closing quote")),
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
            _ => Err(ParseError::new(at, "an escape that JSON knows")),
        }
    }

    /// Whether the escape at `at`, which was checked, is half of a pair: `\uD8XX` to `\uDFXX`.
    fn is_surrogate(&self, at: usize) -> bool {
        matches!(
            self.body.get(at + 1..at + 4),
            Some([b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F'])
        )
    }

    /// Gives the place after a pair; half of one is a flaw.
    #[cold]
    fn surrogate(&mut self, at: usize) -> Result<usize> {
        let high = |at: usize| matches!(self.body.get(at + 3), Some(b'8' | b'9' | b'a' | b'b' | b'A' | b'B'));
        let second = at + 6;
        if high(at)
            && self.body.get(second) == Some(&b'\\')
            && self.escape(second).is_ok()
            && self.is_surrogate(second)
            && !high(second)
        {
            return Ok(second + 6);
        }
        self.flaw(at, FlawKind::Surrogate)?;
        Ok(second)
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

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.body.get(self.at + ahead).copied()
    }

    fn expected(&self, expected: &'static str) -> ParseError {
        ParseError::new(self.at, expected)
    }
}

/// What a body with flaws all over is expected to be.
fn kind_of_body(kind: FlawKind) -> &'static str {
    match kind {
        FlawKind::Utf8 => "UTF-8",
        _ => "values that are sound",
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

    use crate::json::{Bounds, Document, FlawKind, Kind};

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

    /// Kind and JSON pointer of every flaw.
    fn flaws(body: &[u8]) -> Vec<(FlawKind, String)> {
        let bounds = Bounds { depth: 4, keys: 3, values: 100, items: 50 };
        let document = Document::parse_within(body.to_vec(), &bounds).unwrap();
        document.flaws().iter().map(|flaw| (flaw.kind, document.pointer(document.root(), flaw.at))).collect()
    }

    #[test]
    fn what_is_wrong_with_single_values_is_found_where_it_is() {
        let found = |kind, pointer: &str| vec![(kind, pointer.to_owned())];
        assert_eq!(flaws(b"[{\"a\":\"x\xff\"},{\"a\":1}]"), found(FlawKind::Utf8, "/0/a"));
        assert_eq!(flaws(br#"[1,{"a":"\ud83d"}]"#), found(FlawKind::Surrogate, "/1/a"));
        assert_eq!(flaws(br#"[1,{"a":"\udE00\ud83d"}]"#).len(), 2);
        assert_eq!(flaws(br#"[1,{"a":"\ud83d\ud83d\ude00"}]"#), found(FlawKind::Surrogate, "/1/a"));
        assert_eq!(flaws(br#"[{"a":"\ud83d\uDe00\u00e9\ud7ff\ue000"}]"#), []);
        assert_eq!(flaws(br#"[{"a":[NaN]}]"#), found(FlawKind::NotANumber, "/0/a/0"));
        assert_eq!(flaws(br#"{"a":-Infinity}"#), found(FlawKind::NotANumber, "/a"));
        assert_eq!(flaws(br#"[[[[1]]]]"#), []);
        assert_eq!(flaws(br#"[[[[[{"]":"}\""}]]]],2]"#), found(FlawKind::Depth, "/0/0/0/0"));
        assert_eq!(flaws(br#"[{"a":1,"b":2,"c":3},{"a":1,"b":2,"c":3,"d":4}]"#), found(FlawKind::Keys, "/1"));
        assert_eq!(flaws(br#"{"a/b~":"\ud83d"}"#), found(FlawKind::Surrogate, "/a~1b~0"));
    }

    #[test]
    fn bodies_with_too_many_values_or_broken_depths_are_refused() {
        let bounds = Bounds { depth: 4, keys: 3, values: 100, items: 50 };
        let many = format!("[{}{{}}]", "{\"a\":{\"b\":{}}},".repeat(45));
        let error = Document::parse_within(many.into_bytes(), &bounds).unwrap_err();
        assert_eq!(error.limit, Some("values"));
        let long = format!("[{}0]", "0,".repeat(60));
        let error = Document::parse_within(long.into_bytes(), &bounds).unwrap_err();
        assert_eq!(error.limit, Some("items"));
        for bad in ["[[[[[1]}]]]", "[[[[[\"a]]]]]", "[[[[[1]]]]", "[[[[{\"a\":1]]]]]"] {
            assert!(Document::parse_within(bad.into(), &bounds).is_err(), "{bad} was read");
        }
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert_eq!(Document::parse_within(deep, &bounds).unwrap().flaws().len(), 1);
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
            // serde_json refuses numbers beyond f64, which are JSON's grammar.
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            // Where a surrogate stands alone the text is JSON, and cannot be loaded.
            if theirs && !text.contains("\\u") { prop_assert!(ours); }
        }
    }
}
