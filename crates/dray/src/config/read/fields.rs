//! Reading a mapping key by key; what nobody asked for is unknown.

use std::time::Duration;

use super::super::diagnostics::{Diagnostics, closest};
use super::super::model::{Header, Located, Spot};
use super::super::node::{Map, Node, Value};
use crate::plan::{Note, Text};

/// What every reader adds to.
pub(super) struct Reader<'a> {
    pub(super) diagnostics: &'a mut Diagnostics,
    pub(super) notes: &'a mut Vec<Note>,
    /// The resource that is being read.
    pub(super) resource: Option<String>,
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, at: &Spot, message: impl Into<String>) {
        self.diagnostics.push(at.path.clone(), at.place, message.into());
    }

    pub(super) fn problem_with_hint(
        &mut self,
        at: &Spot,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.diagnostics.push(at.path.clone(), at.place, message.into()).hint(hint.into());
    }

    pub(super) fn expected(&mut self, at: &Spot, what: &str, found: &Node) {
        self.problem(at, format!("expected {what}, found {}", found.kind_name()));
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(Note { resource: self.resource.clone(), text: text.into() });
    }

    /// Complains of a word that is not among the known ones.
    pub(super) fn unknown_word(&mut self, at: &Spot, what: &str, word: &str, known: &[&str]) {
        let list = format!("expected one of {}", listed(known));
        let hint = match closest(word, known.iter().copied()) {
            Some(near) => format!("nearest is `{near}`; {list}"),
            None => list,
        };
        self.problem_with_hint(at, format!("unknown {what} `{word}`"), hint);
    }

    /// A scalar as text: `true` and numbers are written out.
    pub(super) fn scalar(&mut self, node: &Node, at: &Spot) -> Option<Text> {
        match &node.value {
            Value::Text(text) => Some(Text::Plain(text.clone())),
            Value::Secret(secret) => Some(Text::Secret(secret.clone())),
            Value::Int(number) => Some(Text::Plain(number.to_string())),
            // As Python writes it: 100.0 keeps its point.
            Value::Float(number) => Some(Text::Plain(format!("{number:?}"))),
            Value::Bool(flag) => Some(Text::Plain(flag.to_string())),
            Value::Null | Value::List(_) | Value::Map(_) => {
                self.expected(at, "text or a number", node);
                None
            }
        }
    }

    pub(super) fn plain(&mut self, node: &Node, at: &Spot) -> Option<Located<String>> {
        match &node.value {
            Value::Text(text) => Some(Located { value: text.clone(), at: at.clone() }),
            Value::Secret(_) => {
                self.problem(at, "a secret cannot stand here: this text is shown");
                None
            }
            _ => {
                self.expected(at, "text", node);
                None
            }
        }
    }

    pub(super) fn whole(&mut self, node: &Node, at: &Spot) -> Option<u64> {
        let number = match &node.value {
            Value::Int(number) => Some(*number),
            // Templates (`${vars.limit}`) leave text.
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => {
                let number = u64::try_from(number).ok();
                if number.is_none() {
                    self.problem(at, "expected a number that is not negative");
                }
                number
            }
            None => {
                self.expected(at, "a whole number", node);
                None
            }
        }
    }

    pub(super) fn number(&mut self, node: &Node, at: &Spot) -> Option<f64> {
        let number = match &node.value {
            Value::Int(number) => number.to_string().parse().ok(),
            Value::Float(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.expected(at, "a number", node);
        }
        number
    }

    pub(super) fn duration(&mut self, node: &Node, at: &Spot) -> Option<Duration> {
        let found = match &node.value {
            Value::Int(_) | Value::Float(_) => seconds(self.number(node, at)?),
            Value::Text(text) => parse_duration(text),
            _ => {
                self.expected(at, "a duration such as `30s`, or seconds", node);
                return None;
            }
        };
        if found.is_none() {
            self.problem_with_hint(
                at,
                "not a duration",
                "written as `500ms`, `30s`, `5m`, `1h`, or as seconds",
            );
        }
        found
    }

    /// One text or a list of texts.
    pub(super) fn words(&mut self, node: &Node, at: &Spot) -> Option<Vec<String>> {
        match &node.value {
            Value::Text(text) => Some(vec![text.clone()]),
            Value::List(items) => {
                let mut words = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    words.extend(self.plain(item, &at.item(index, item)).map(|word| word.value));
                }
                Some(words)
            }
            _ => {
                self.expected(at, "text or a list of texts", node);
                None
            }
        }
    }

    /// A mapping of names to texts; nulls are left out.
    pub(super) fn headers(&mut self, node: &Node, at: &Spot) -> Vec<Header> {
        let Some(map) = node.as_map() else {
            self.expected(at, "a mapping of names to texts", node);
            return Vec::new();
        };
        let mut headers = Vec::new();
        for entry in &map.entries {
            if entry.value.is_null() {
                continue;
            }
            let spot = at.key(&entry.key, &entry.value);
            if let Some(value) = self.scalar(&entry.value, &spot) {
                headers.push(Header { name: entry.key.clone(), value: Located { value, at: spot } });
            }
        }
        headers
    }
}

impl Spot {
    pub(crate) fn key(&self, key: &str, node: &Node) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { place: node.place, path }
    }

    pub(crate) fn item(&self, index: usize, node: &Node) -> Self {
        Self { place: node.place, path: format!("{}[{index}]", self.path) }
    }
}

/// A mapping that is being read.
pub(super) struct Fields<'n> {
    map: &'n Map,
    pub(super) at: Spot,
    known: Vec<&'static str>,
    refused: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The mapping, or a complaint.
    pub(super) fn open(reader: &mut Reader<'_>, node: &'n Node, at: &Spot) -> Option<Self> {
        let Some(map) = node.as_map() else {
            reader.expected(at, "a mapping", node);
            return None;
        };
        Some(Self { map, at: at.clone(), known: Vec::new(), refused: Vec::new() })
    }

    /// The value of a key, null too.
    pub(super) fn written(&mut self, key: &'static str) -> Option<(&'n Node, Spot)> {
        self.known.push(key);
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| asked.push((self.at.path.clone(), key)));
        let node = self.map.get(key)?;
        Some((node, self.at.key(key, node)))
    }

    /// The value of a key; null is like absent.
    pub(super) fn take(&mut self, key: &'static str) -> Option<(&'n Node, Spot)> {
        self.written(key).filter(|(node, _)| !node.is_null())
    }

    pub(super) fn text(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Located<Text>> {
        let (node, at) = self.take(key)?;
        reader.scalar(node, &at).map(|value| Located { value, at })
    }

    pub(super) fn plain(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Located<String>> {
        let (node, at) = self.take(key)?;
        reader.plain(node, &at)
    }

    pub(super) fn whole(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<u64> {
        let (node, at) = self.take(key)?;
        reader.whole(node, &at)
    }

    /// A whole number of 32 bits.
    pub(super) fn count(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<u32> {
        let (node, at) = self.take(key)?;
        let number = reader.whole(node, &at)?;
        let count = u32::try_from(number).ok();
        if count.is_none() {
            reader.problem(&at, format!("{number} is too large"));
        }
        count
    }

    pub(super) fn number(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<f64> {
        let (node, at) = self.take(key)?;
        reader.number(node, &at)
    }

    pub(super) fn flag(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<bool> {
        let (node, at) = self.take(key)?;
        let flag = match &node.value {
            Value::Bool(flag) => Some(*flag),
            Value::Text(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        };
        if flag.is_none() {
            reader.expected(&at, "true or false", node);
        }
        flag
    }

    pub(super) fn duration(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Duration> {
        let (node, at) = self.take(key)?;
        reader.duration(node, &at)
    }

    pub(super) fn words(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
    ) -> Option<Located<Vec<String>>> {
        let (node, at) = self.take(key)?;
        reader.words(node, &at).map(|value| Located { value, at })
    }

    pub(super) fn headers(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<Header> {
        let Some((node, at)) = self.take(key) else { return Vec::new() };
        let mut headers = reader.headers(node, &at);
        if key == "headers" {
            for header in &mut headers {
                let name = header.name.trim();
                if name != header.name {
                    reader.note(format!("white space around the header `{name}` is left out"));
                    header.name = name.to_owned();
                }
            }
        }
        headers
    }

    /// One of these words.
    pub(super) fn word(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        known: &[&'static str],
    ) -> Option<&'static str> {
        let written = self.plain(reader, key)?;
        known_word(reader, &written, key, known)
    }

    /// A key that dlt knows and this program does not take.
    pub(super) fn refuse(&mut self, reader: &mut Reader<'_>, key: &'static str, message: &str, hint: &str) {
        self.refused.push(key);
        if let Some(entry) = self.map.entry(key).filter(|entry| !entry.value.is_null()) {
            let at = Spot { place: entry.place, ..self.at.key(key, &entry.value) };
            reader.problem_with_hint(&at, format!("`{key}` {message}"), hint);
        }
    }

    /// The keys asked for so far that are written as null.
    pub(super) fn nulls(&self) -> Vec<&'static str> {
        let null = |key: &&str| self.map.get(key).is_some_and(Node::is_null);
        self.known.iter().copied().filter(null).collect()
    }

    /// Complains of every key that nobody asked for.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        for entry in &self.map.entries {
            let key = entry.key.as_str();
            if self.known.contains(&key) || self.refused.contains(&key) {
                continue;
            }
            let at = Spot { place: entry.place, ..self.at.key(key, &entry.value) };
            reader.unknown_word(&at, "key", key, &self.known);
        }
    }
}

#[cfg(test)]
thread_local! {
    /// What was asked for, and where: the table of keys is held against it.
    static ASKED: std::cell::RefCell<Vec<(String, &'static str)>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// The keys that are asked for while something is read, each with the path of its mapping.
#[cfg(test)]
pub(in crate::config) fn asked(read: impl FnOnce()) -> Vec<(String, &'static str)> {
    ASKED.take();
    read();
    ASKED.take()
}

/// The known word that was written, or a complaint.
pub(super) fn known_word(
    reader: &mut Reader<'_>,
    written: &Located<String>,
    what: &str,
    known: &[&'static str],
) -> Option<&'static str> {
    let found = known.iter().find(|word| **word == written.value).copied();
    if found.is_none() {
        reader.unknown_word(&written.at, what, &written.value, known);
    }
    found
}

/// Names as a list for people.
pub(super) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

/// A time as people write it: `500ms`, `30s`, `1.5 m`, `2h`, `2d`, `1w`; a number alone is seconds.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|character: char| character.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: f64 = number.trim().parse().ok()?;
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86400.0,
        "w" | "week" | "weeks" => 604_800.0,
        _ => return None,
    };
    seconds(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        assert_eq!(parse_duration("30s"), Some(Duration::from_secs(30)));
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("1.5 m"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("7"), Some(Duration::from_secs(7)));
        assert_eq!(parse_duration("soon"), None);
        assert_eq!(parse_duration("-1s"), None);
    }
}
