//! Names become the values that the file gives them, changes included.

use crate::config::node::{Map, Node, Place, Value};

use super::advice::advice;
use super::eval::Evaluator;
use super::scope::{Change, ChangeKind, Found, Meaning, dotted};

impl<'a> Evaluator<'a, '_> {
    /// The last value of a variable of a scope.
    pub(super) fn variable(&mut self, name: &str, scope: usize, path: &str) -> Option<Node> {
        let found = self.program.last_binding(name, scope)?;
        let place = self.place(found.binding.from);
        self.found(&found, place, path)
    }

    /// Where a variable of a scope is assigned.
    pub(super) fn place_of_variable(&self, name: &str, scope: usize) -> Option<Place> {
        match self.program.last_binding(name, scope)?.binding.meaning {
            Meaning::Value { value, .. } => Some(self.place_of(value)),
            _ => Some(Place::new(1, 1)),
        }
    }

    /// The value that a lookup found, with all changes that the name has seen.
    pub(super) fn found(&mut self, found: &Found<'_, 'a>, place: Place, path: &str) -> Option<Node> {
        let name = found.binding.name;
        let mut node = match &found.binding.meaning {
            Meaning::Value { value, .. } => self.eval(value, found.scope, path)?,
            Meaning::Parameter { default: Some(default) } => match dotted(default).as_deref() {
                Some("dlt.secrets.value") => {
                    Node::text(format!("${{secrets.{name}}}"), self.place_of(default))
                }
                Some("dlt.config.value") => Node::text(format!("${{config.{name}}}"), self.place_of(default)),
                _ => self.eval(default, found.scope, path)?,
            },
            Meaning::Parameter { default: None } => {
                let message = format!("the parameter `{name}` has no value");
                let hint = format!("give it a default: {name}=dlt.secrets.value or {name}=\"...\"");
                return self.problem(path, place, message, &hint);
            }
            Meaning::Function { .. } | Meaning::Unknown(_) => {
                let why = match found.binding.meaning {
                    Meaning::Unknown(why) => why,
                    _ => "is a function",
                };
                let hint = advice(path).unwrap_or("write the value itself where it is used");
                return self.problem(path, place, format!("`{name}` {why}"), hint);
            }
        };
        for change in &found.changes {
            self.change(&mut node, change, found.scope, path)?;
        }
        Some(node)
    }

    /// Follows `config["client"]["auth"] = ...` and the like.
    fn change(&mut self, node: &mut Node, change: &Change<'a>, scope: usize, path: &str) -> Option<()> {
        let place = self.place(change.at);
        if let (ChangeKind::Loop(looped), Value::List(items)) = (&change.kind, &mut node.value) {
            return self.appended_in_loop(looped, items, scope, path);
        }
        let mut keys = Vec::new();
        for key in &change.keys {
            keys.push(self.eval(key, scope, path)?);
        }
        let last = if matches!(change.kind, ChangeKind::Set(_)) { keys.pop() } else { None };
        let mut target = Some(node);
        for key in &keys {
            target = target.and_then(|target| step(target, key));
        }
        let value = match change.kind {
            ChangeKind::Set(value)
            | ChangeKind::Append(value)
            | ChangeKind::Extend(value)
            | ChangeKind::Update(value) => Some(self.eval(value, scope, path)?),
            ChangeKind::Loop(_) | ChangeKind::Unknown => None,
        };
        let done = match (&change.kind, target, value) {
            (ChangeKind::Set(_), Some(target), Some(value)) => match (&mut target.value, last) {
                (Value::Map(map), Some(Node { value: Value::Text(key), place })) => {
                    map.insert(key, place, value);
                    true
                }
                (Value::List(_), Some(index)) => match step(target, &index) {
                    Some(item) => {
                        *item = value;
                        true
                    }
                    None => false,
                },
                _ => false,
            },
            (ChangeKind::Append(_), Some(Node { value: Value::List(items), .. }), Some(value)) => {
                items.push(value);
                true
            }
            (kind, Some(target), Some(value)) => match (&mut target.value, value.value, kind) {
                (Value::List(items), Value::List(more), ChangeKind::Extend(_)) => {
                    items.extend(more);
                    true
                }
                (Value::Text(text), Value::Text(more), ChangeKind::Extend(_)) => {
                    text.push_str(&more);
                    true
                }
                (Value::Map(map), Value::Map(more), ChangeKind::Update(_)) => {
                    merge(map, more);
                    true
                }
                _ => false,
            },
            _ => false,
        };
        if done {
            return Some(());
        }
        let message = format!("`{}` is changed here in a way that cannot be followed", change.name);
        self.problem(path, place, message, "write the value into the literal")
    }
}

/// The part of a value that a key names.
pub(super) fn step<'n>(node: &'n mut Node, key: &Node) -> Option<&'n mut Node> {
    match (&mut node.value, &key.value) {
        (Value::Map(map), Value::Text(key)) => map.get_mut(key),
        (Value::List(items), Value::Int(index)) => {
            let index = if *index < 0 {
                items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
            } else {
                usize::try_from(*index).ok()?
            };
            items.get_mut(index)
        }
        _ => None,
    }
}

pub(super) fn merge(map: &mut Map, more: Map) {
    for entry in more.entries {
        map.insert(entry.key, entry.place, entry.value);
    }
}
