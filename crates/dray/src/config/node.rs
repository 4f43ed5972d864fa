//! The located tree that every format becomes.

use crate::secret::Secret;

/// Where something stands in the file, counted from 1; line 0 means that it is not from the file
/// (`--set`, the environment).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// A place from counts that start at 1; counts beyond 32 bits stay at the largest.
    #[must_use]
    pub fn new(line: usize, column: usize) -> Self {
        Self {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }

    /// Whether this points into the file.
    #[must_use]
    pub fn is_in_file(self) -> bool {
        self.line > 0
    }
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What was written.
    pub value: Value,
    /// Where it starts.
    pub place: Place,
}

/// What a file can hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~`, `None`, or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text whose templates may still be unresolved.
    Text(String),
    /// Text that contains a resolved secret.
    Secret(Secret),
    /// A list.
    List(Vec<Node>),
    /// A mapping.
    Map(Map),
}

/// A mapping in document order; the parsers refuse duplicate keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    /// The entries in document order.
    pub entries: Vec<Entry>,
}

/// One key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key as text.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// The value.
    pub value: Node,
}

impl Value {
    /// What this is, in the words of a diagnostic.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) | Self::Secret(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl Node {
    /// A value at a place.
    #[must_use]
    pub fn new(value: Value, place: Place) -> Self {
        Self { value, place }
    }

    /// What stands in a list for an item that could not be read.
    #[must_use]
    pub fn gap() -> Self {
        Self::new(Value::Null, Place::default())
    }

    /// Whether this stands for an item that could not be read.
    #[must_use]
    pub fn is_gap(&self) -> bool {
        self.is_null() && !self.place.is_in_file()
    }

    /// A text at a place.
    #[must_use]
    pub fn text(text: impl Into<String>, place: Place) -> Self {
        Self::new(Value::Text(text.into()), place)
    }

    /// What this is, in the words of a diagnostic.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        self.value.kind_name()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The mapping, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Value::Map(map) = &self.value { Some(map) } else { None }
    }

    /// The mapping, if it is one, to change it.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Value::Map(map) = &mut self.value { Some(map) } else { None }
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Value::List(items) = &self.value { Some(items) } else { None }
    }

    /// The items, if it is a list, to change them.
    pub fn as_list_mut(&mut self) -> Option<&mut Vec<Self>> {
        if let Value::List(items) = &mut self.value { Some(items) } else { None }
    }

    /// The text, if it is one that holds no secret.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The text, secret or not. What comes out must not be printed.
    #[must_use]
    pub fn as_exposed_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Secret(secret) => Some(secret.expose()),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(number) = self.value { Some(number) } else { None }
    }

    /// True or false, if it is either.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(flag) = self.value { Some(flag) } else { None }
    }

    /// The tree as JSON. A secret is null.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null | Value::Secret(_) => Json::Null,
            Value::Bool(flag) => Json::from(*flag),
            Value::Int(number) => Json::from(*number),
            Value::Float(number) => Json::from(*number),
            Value::Text(text) => Json::from(text.as_str()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(map) => {
                let entries = map.entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Json::Object(entries.collect())
            }
        }
    }

    /// How many nodes hang here, this one included. Recursion is bounded by the depth limit of the
    /// parsers.
    #[must_use]
    pub fn count(&self) -> usize {
        match &self.value {
            Value::List(items) => items.iter().map(Self::count).sum::<usize>() + 1,
            Value::Map(map) => map.entries.iter().map(|entry| entry.value.count()).sum::<usize>() + 1,
            _ => 1,
        }
    }
}

impl Map {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
    }

    /// The entry of a key, for its place.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Whether the key is there, even with nothing as its value.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Takes the entry of a key out.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let position = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(position))
    }

    /// Sets the value of a key: an existing entry keeps its position, and its old value comes back.
    pub fn insert(&mut self, key: impl Into<String>, place: Place, value: Node) -> Option<Node> {
        let key = key.into();
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            entry.place = place;
            return Some(std::mem::replace(&mut entry.value, value));
        }
        self.entries.push(Entry { key, place, value });
        None
    }

    /// The keys in document order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.key.as_str())
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(number: i64) -> Node {
        Node::new(Value::Int(number), Place::default())
    }

    #[test]
    fn a_map_keeps_the_order_of_the_document() {
        let mut map = Map::default();
        map.insert("b", Place::new(1, 1), int(1));
        map.insert("a", Place::new(2, 1), int(2));
        assert_eq!(map.insert("b", Place::new(3, 1), int(3)), Some(int(1)));
        assert_eq!(map.keys().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(map.get("b"), Some(&int(3)));
        assert_eq!(map.entry("b").map(|entry| entry.place), Some(Place::new(3, 1)));
        assert!(map.contains("a"));
        assert_eq!(map.remove("b").map(|entry| entry.value), Some(int(3)));
        assert_eq!(map.remove("b"), None);
        assert_eq!(map.len(), 1);
    }

    #[test]
    fn counting_includes_every_level() {
        let list = Node::new(Value::List(vec![int(1), int(2)]), Place::default());
        let mut map = Map::default();
        map.insert("x", Place::default(), list);
        assert_eq!(Node::new(Value::Map(map), Place::default()).count(), 4);
    }

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        let node = Node::new(Value::Secret(Secret::new("sk_live_123")), Place::default());
        assert!(!format!("{node:?}").contains("sk_live"));
        assert_eq!(node.as_text(), None);
        assert_eq!(node.as_exposed_text(), Some("sk_live_123"));
        assert_eq!(node.kind_name(), "text");
    }
}
