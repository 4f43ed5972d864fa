//! Changing a mapping's keys, and saying so.

use super::super::node::{Map, Node, Place, Value};
use super::Notes;
use crate::plan::Note;

/// Takes notes on one resource, or on the whole file.
pub(super) struct Writer<'a> {
    pub(super) notes: &'a mut Notes,
    pub(super) resource: Option<String>,
}

impl Writer<'_> {
    pub(super) fn note(&mut self, text: impl Into<String>) {
        let note = Note { resource: self.resource.clone(), text: text.into() };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Gives the first of these keys that is there its right name. A key that already has it wins.
    pub(super) fn rename(&mut self, map: &mut Map, from: &[&str], to: &str) {
        for old in from {
            if map.contains(to) {
                return;
            }
            if let Some(entry) = map.entries.iter_mut().find(|entry| entry.key == *old) {
                to.clone_into(&mut entry.key);
                self.note(format!("`{old}` is read as `{to}`"));
            }
        }
    }

    /// Takes the first of these keys that is there.
    pub(super) fn take(&mut self, map: &mut Map, keys: &[&str]) -> Option<Node> {
        keys.iter().find_map(|key| map.remove(key)).map(|entry| entry.value)
    }
}

/// Sets a key that has no place in the file beside the one it was derived from.
pub(super) fn set(map: &mut Map, key: &str, place: Place, value: impl Into<String>) {
    map.insert(key, place, Node::text(value, place));
}

/// Sets a number or a flag.
pub(super) fn set_value(map: &mut Map, key: &str, place: Place, value: Value) {
    map.insert(key, place, Node::new(value, place));
}

/// The text of a key.
pub(super) fn text<'m>(map: &'m Map, key: &str) -> Option<&'m str> {
    map.get(key).and_then(Node::as_text)
}
