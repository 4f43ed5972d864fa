//! JSON without a tree: a page's bytes are read once into a flat tape of nodes that point back into them.
//!
//! Numbers stay as their digits and strings as their bytes, so nothing is rounded and nothing is copied until a
//! value reaches its column. The tape owns its bytes and can be sent to another thread.

mod filter;
mod flaw;
mod parse;
mod path;
mod spelling;
mod text;

pub use filter::Filter;
pub use flaw::{Bounds, Flaw, FlawKind};
pub use parse::ParseError;
pub use path::{Path, PathError};
pub use text::quote;

use std::borrow::Cow;
use std::ops::Range;

/// What a node of the tape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "JSON's own words")]
pub enum Kind {
    Null,
    True,
    False,
    /// A number without fraction or exponent.
    Integer,
    /// Any other number.
    Decimal,
    /// A string without escapes: its bytes are its text.
    Plain,
    /// A string with escapes.
    Escaped,
    Array,
    Object,
}

/// One value of the document.
///
/// A container is followed on the tape by its content: an array by its items, an object by key and value in turn.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// First byte in the body; of a string the byte after the quote.
    start: u32,
    /// Byte after the last; of a string the closing quote.
    end: u32,
    /// Index on the tape of the first node after this value.
    next: u32,
    /// Items of an array, entries of an object.
    len: u32,
}

/// Index of a node on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// One parsed body: its bytes and the tape over them.
#[derive(Clone, Debug)]
pub struct Document {
    body: Vec<u8>,
    tape: Vec<Node>,
    flaws: Vec<Flaw>,
}

impl Document {
    /// Reads a body of this program's own, or one in which nothing may be wrong.
    ///
    /// # Errors
    /// Where the body is not one JSON value in UTF-8, is deeper than 128 levels or larger than 4 GiB.
    pub fn parse(body: Vec<u8>) -> Result<Self, ParseError> {
        let document = Self::parse_within(body, &Bounds::default())?;
        match document.flaws.first() {
            Some(flaw) => Err(ParseError::flawed(*flaw)),
            None => Ok(document),
        }
    }

    /// Reads a body in which single values may be wrong: [`Document::flaws`] says which.
    ///
    /// # Errors
    /// Where the body is not one JSON value, has more values than `bounds` allows or is larger than 4 GiB.
    pub fn parse_within(body: Vec<u8>, bounds: &Bounds) -> Result<Self, ParseError> {
        let (tape, flaws) = parse::parse(&body, bounds)?;
        Ok(Self { body, tape, flaws })
    }

    /// Adds flaws that were there before the body became JSON.
    #[must_use]
    pub fn with_flaws(mut self, flaws: Vec<Flaw>) -> Self {
        if !flaws.is_empty() {
            self.flaws.extend(flaws);
            self.flaws.sort_by_key(|flaw| flaw.at);
        }
        self
    }

    /// What is wrong with single values, in the order of their places. Nothing of a value that holds a flaw can be
    /// relied on: a deeper one is empty, a text may not be one.
    #[must_use]
    pub fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }

    /// The bytes of the body that a value takes, quotes included.
    #[must_use]
    pub fn span(&self, id: NodeId) -> Range<usize> {
        let node = self.node(id);
        let quotes = u32::from(matches!(node.kind, Kind::Plain | Kind::Escaped));
        (node.start - quotes) as usize..(node.end + quotes) as usize
    }

    /// The way from a value to the innermost one around a byte inside it, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self, from: NodeId, at: usize) -> String {
        let mut pointer = String::new();
        let mut id = from;
        while let Some(step) = self.step(id, at) {
            id = step.1;
            pointer.push_str(&step.0);
        }
        pointer
    }

    /// The way from the root to a value, as a JSON pointer.
    #[must_use]
    pub fn pointer_to(&self, id: NodeId) -> String {
        let (mut pointer, mut inner) = (String::new(), self.root());
        while inner != id
            && let Some(step) = self.step(inner, self.span(id).start)
        {
            inner = step.1;
            pointer.push_str(&step.0);
        }
        pointer
    }

    /// The value of a container around a byte, and its part of a pointer.
    fn step(&self, id: NodeId, at: usize) -> Option<(String, NodeId)> {
        for (index, item) in self.items(id).enumerate() {
            if self.span(item).contains(&at) {
                return Some((format!("/{index}"), item));
            }
        }
        let mut entries = self.entries(id);
        let (key, value) =
            entries.find(|(key, value)| (self.span(*key).start..self.span(*value).end).contains(&at))?;
        let key = String::from_utf8_lossy(self.raw(key)).replace('~', "~0").replace('/', "~1");
        Some((format!("/{key}"), value))
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// The bytes as they came.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// What a node is.
    #[must_use]
    pub fn kind(&self, id: NodeId) -> Kind {
        self.node(id).kind
    }

    /// Items of an array, entries of an object, else 0.
    #[must_use]
    pub fn len(&self, id: NodeId) -> usize {
        self.node(id).len as usize
    }

    /// The value's bytes: digits of a number, content of a string without its quotes, a container with its brackets.
    #[must_use]
    pub fn raw(&self, id: NodeId) -> &[u8] {
        let node = self.node(id);
        self.body.get(node.start as usize..node.end as usize).unwrap_or_default()
    }

    /// The value as JSON text, strings with their quotes.
    #[must_use]
    pub fn json(&self, id: NodeId) -> &str {
        std::str::from_utf8(self.body.get(self.span(id)).unwrap_or_default()).unwrap_or_default()
    }

    /// The text of a string, unescaped where it must be; none for other kinds.
    #[must_use]
    pub fn text(&self, id: NodeId) -> Option<Cow<'_, str>> {
        let raw = std::str::from_utf8(self.raw(id)).unwrap_or_default();
        match self.kind(id) {
            Kind::Plain => Some(Cow::Borrowed(raw)),
            Kind::Escaped => Some(Cow::Owned(text::unescape(raw))),
            _ => None,
        }
    }

    /// A scalar as text for a URL or a message: strings unescaped, numbers as their digits; none for null and containers.
    #[must_use]
    pub fn scalar(&self, id: NodeId) -> Option<Cow<'_, str>> {
        match self.kind(id) {
            Kind::Plain | Kind::Escaped => self.text(id),
            Kind::Integer | Kind::Decimal | Kind::True | Kind::False => Some(Cow::Borrowed(self.json(id))),
            Kind::Null | Kind::Array | Kind::Object => None,
        }
    }

    /// The items of an array; nothing for other kinds.
    #[must_use]
    pub fn items(&self, id: NodeId) -> Items<'_> {
        let left = if self.kind(id) == Kind::Array { self.node(id).len } else { 0 };
        Items { document: self, at: id.0 + 1, left }
    }

    /// The entries of an object, key and value; nothing for other kinds.
    #[must_use]
    pub fn entries(&self, id: NodeId) -> Entries<'_> {
        let left = if self.kind(id) == Kind::Object { self.node(id).len } else { 0 };
        Entries { document: self, at: id.0 + 1, left }
    }

    /// The value under a key of an object; of a doubled key the last.
    #[must_use]
    pub fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        let mut found = None;
        for (name, value) in self.entries(id) {
            if self.is_text(name, key) {
                found = Some(value);
            }
        }
        found
    }

    /// Whether a string node holds exactly this text.
    #[must_use]
    pub fn is_text(&self, id: NodeId, text: &str) -> bool {
        match self.kind(id) {
            Kind::Plain => self.raw(id) == text.as_bytes(),
            Kind::Escaped => self.text(id).is_some_and(|own| own == text),
            _ => false,
        }
    }

    /// A copy as a `serde_json` value: for state and reports, never on the way to a column. Texts are as
    /// [`Document::text`] gives them, for `serde_json` refuses what this parser lets through.
    #[must_use]
    pub fn value(&self, id: NodeId) -> serde_json::Value {
        match self.kind(id) {
            Kind::Plain | Kind::Escaped => self.text(id).map(Cow::into_owned).into(),
            Kind::Array => self.items(id).map(|item| self.value(item)).collect(),
            Kind::Object => {
                let entries = self.entries(id);
                let owned = |key| self.text(key).map(Cow::into_owned).unwrap_or_default();
                entries.map(|(key, value)| (owned(key), self.value(value))).collect()
            }
            Kind::Null | Kind::True | Kind::False | Kind::Integer | Kind::Decimal => {
                serde_json::from_str(self.json(id)).unwrap_or_default()
            }
        }
    }

    fn node(&self, id: NodeId) -> Node {
        const MISSING: Node = Node { kind: Kind::Null, start: 0, end: 0, next: u32::MAX, len: 0 };
        self.tape.get(id.0 as usize).copied().unwrap_or(MISSING)
    }
}

/// The items of an array.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    document: &'a Document,
    at: u32,
    left: u32,
}

impl Iterator for Items<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        self.left = self.left.checked_sub(1)?;
        let id = NodeId(self.at);
        self.at = self.document.node(id).next;
        Some(id)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

/// The entries of an object.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    document: &'a Document,
    at: u32,
    left: u32,
}

impl Iterator for Entries<'_> {
    type Item = (NodeId, NodeId);

    fn next(&mut self) -> Option<(NodeId, NodeId)> {
        self.left = self.left.checked_sub(1)?;
        let (key, value) = (NodeId(self.at), NodeId(self.at + 1));
        self.at = self.document.node(value).next;
        Some((key, value))
    }
}
