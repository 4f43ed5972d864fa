//! JSON, strictly: serde_json checks it and words the errors, then a small reader keeps the places.

use crate::config::diagnostics::{Diagnostics, child, item};
use crate::config::node::{Map, Node, Place, Value};

use super::{MAX_DEPTH, MAX_KEY_BYTES, MAX_KEYS, Places};

/// Parses one JSON value.
pub(super) fn parse(text: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let place = Place::new(error.line().max(1), error.column().max(1));
        let message = error.to_string();
        // The place is said by the diagnostic already.
        let message = message.split(" at line ").next().unwrap_or_default();
        diagnostics.push("", place, format!("this is not JSON: {message}"));
        return None;
    }
    let problems = diagnostics.len();
    let mut reader = Reader { text, at: 0, places: Places::new(text), diagnostics };
    let root = reader.value("", 0);
    if reader.diagnostics.len() > problems { None } else { root }
}

/// Reads text that is known to be JSON, so that it need not explain errors; an answer of `None` means
/// that this knowledge was wrong or that a limit was met.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    places: Places<'a>,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.as_bytes().get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.as_bytes().get(self.at).copied()
    }

    /// Whether the next letter is this one, which is then passed.
    fn pass(&mut self, letter: u8) -> bool {
        let found = self.peek() == Some(letter);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, path: &str, depth: usize) -> Option<Node> {
        let first = self.peek()?;
        let place = self.places.at(self.at);
        if depth > MAX_DEPTH {
            self.diagnostics.push(path, place, format!("nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        let value = match first {
            b'{' => self.map(path, depth)?,
            b'[' => self.list(path, depth)?,
            b'"' => Value::Text(self.string()?),
            _ => self.scalar(path, place)?,
        };
        Some(Node::new(value, place))
    }

    fn map(&mut self, path: &str, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut map = Map::default();
        while !self.pass(b'}') {
            self.peek()?;
            let place = self.places.at(self.at);
            let key = self.string()?;
            if key.len() > MAX_KEY_BYTES || map.entries.len() >= MAX_KEYS {
                let message = format!(
                    "more than {MAX_KEYS} keys in one mapping, or one longer than {MAX_KEY_BYTES} bytes"
                );
                self.diagnostics.push(path, place, message);
                return None;
            }
            self.pass(b':');
            let key_path = child(path, &key);
            let value = self.value(&key_path, depth + 1)?;
            if let Some(first) = map.entry(&key).map(|entry| entry.place.line) {
                let message = format!("key `{key}` is here twice, first on line {first}");
                self.diagnostics.push(key_path, place, message);
            } else {
                map.insert(key, place, value);
            }
            self.pass(b',');
        }
        Some(Value::Map(map))
    }

    fn list(&mut self, path: &str, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.pass(b']') {
            let value = self.value(&item(path, items.len()), depth + 1)?;
            items.push(value);
            self.pass(b',');
        }
        Some(Value::List(items))
    }

    fn string(&mut self) -> Option<String> {
        let bytes = self.text.as_bytes();
        let mut end = self.at + 1;
        while *bytes.get(end)? != b'"' {
            end += if bytes.get(end) == Some(&b'\\') { 2 } else { 1 };
        }
        let quoted = self.text.get(self.at..=end)?;
        self.at = end + 1;
        serde_json::from_str(quoted).ok()
    }

    fn scalar(&mut self, path: &str, place: Place) -> Option<Value> {
        let rest = self.text.get(self.at..)?;
        let length = rest.find(|letter: char| ",]}".contains(letter) || letter.is_ascii_whitespace());
        let word = rest.get(..length.unwrap_or(rest.len()))?;
        self.at += word.len();
        Some(match word {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            number if number.contains(['.', 'e', 'E']) => Value::Float(number.parse().ok()?),
            number => match number.parse() {
                Ok(number) => Value::Int(number),
                Err(_) => {
                    self.diagnostics.push(path, place, format!("{number} does not fit into 64 bits"));
                    Value::Null
                }
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(text: &str) -> String {
        let mut diagnostics = Diagnostics::new();
        assert_eq!(parse(text, &mut diagnostics), None);
        diagnostics.to_string()
    }

    #[test]
    fn values_have_places() {
        let text = "{\n  \"a\": [1, -2.5, 1e2, true, null],\n  \"b/\\u00e9\": {\"c\": \"x\\ud83d\\ude00\\/\"},\n  \"d\": {}, \"e\": []\n}\n";
        let mut diagnostics = Diagnostics::new();
        let node = parse(text, &mut diagnostics).unwrap();
        let map = node.as_map().unwrap();
        assert_eq!(map.keys().collect::<Vec<_>>(), ["a", "b/é", "d", "e"]);
        let items = map.get("a").unwrap().as_list().unwrap();
        let values: Vec<Value> = items.iter().map(|item| item.value.clone()).collect();
        let expected =
            [Value::Int(1), Value::Float(-2.5), Value::Float(100.0), Value::Bool(true), Value::Null];
        assert_eq!(values, expected);
        assert_eq!(items[1].place, Place::new(2, 12));
        let inner = map.get("b/é").unwrap().as_map().unwrap();
        assert_eq!(inner.get("c").unwrap().as_text(), Some("x😀/"));
    }

    #[test]
    fn problems_have_places() {
        insta::assert_snapshot!(bad("{\"a\": 1,\n \"b\": }"), @"line 2: this is not JSON: expected value");
        insta::assert_snapshot!(bad(""), @"line 1: this is not JSON: EOF while parsing a value");
        insta::assert_snapshot!(bad("{\"a\": 1,\n\"a\": 2}"), @"line 2: a: key `a` is here twice, first on line 1");
        insta::assert_snapshot!(bad("{\"a\": 99999999999999999999}"), @"line 1: a: 99999999999999999999 does not fit into 64 bits");
        insta::assert_snapshot!(bad("{'a': 1}"), @"line 1: this is not JSON: key must be a string");
        assert!(
            bad(&format!("{}{}", "[".repeat(50_000), "]".repeat(50_000)))
                .contains("nested deeper than 64 levels")
        );
        assert!(bad(&"[".repeat(100_000)).contains("EOF"));
    }
}
