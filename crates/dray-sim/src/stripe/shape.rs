//! Objects from their written shapes: the JSON of `shapes.json` with directives in the place of what differs from
//! record to record.
//!
//! | directive | value |
//! |---|---|
//! | `$id`, `$index` | the object's own id, its number as text |
//! | `$created`, `$created 86400` | its time of creation, and so many seconds later |
//! | `$parent` | the id of the object whose list it is in |
//! | `$same charges`, `$of customers` | the id of the record with the same number; of one that was there before it |
//! | `$new pm_` | an id of an object that has no list here |
//! | `$list transfer_reversals` | the beginning of a list of its own |
//! | `$number 50 2000`, `$bool 3` | a number in the range, true once in three |
//! | `$pick usd\|eur`, `$hex`, `$person`, `$company` | a word, digits, a name |
//! | `["$maybe", 3, value]` | null once in three, else the value |

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::kinds::{Asked, Kind, NESTED, id_of, nest_of};
use super::records::{EMBEDDED, customer_of};
use crate::draw::{self, Draw};
use crate::world::{World, mark_revision};

static SHAPES: LazyLock<BTreeMap<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("shapes.json")).unwrap_or_default());

/// The record of a kind that is written in `shapes.json` under its `object`.
pub(super) fn fill(world: &World, kind: &Kind, index: u64) -> Value {
    let nested = nest_of(kind.object);
    let parent = nested.map(|nested| (nested.parents, nested.groups.parent(index)));
    let mut filler = Filler {
        world,
        kind,
        index,
        created: world.created(parent.map_or(index, |(_, parent)| parent)),
        parent: parent.map(|(parents, parent)| id_of(parents, world, parent)),
        draw: Draw::new(world.seed, kind.object, index),
    };
    let mut record = SHAPES.get(kind.object).map_or(Value::Null, |shape| filler.value(shape));
    if nested.is_none() {
        mark_revision(&mut record, world.revision(kind.name, index));
    }
    record
}

struct Filler<'a> {
    world: &'a World,
    kind: &'a Kind,
    index: u64,
    created: i64,
    parent: Option<String>,
    draw: Draw,
}

impl Filler<'_> {
    fn value(&mut self, shape: &Value) -> Value {
        match shape {
            Value::String(text) => match text.strip_prefix('$') {
                Some(directive) => self.directive(directive),
                None => shape.clone(),
            },
            Value::Array(items) => match items.as_slice() {
                [Value::String(word), n, value] if word == "$maybe" => {
                    if self.draw.one_in(n.as_u64().unwrap_or(2)) { Value::Null } else { self.value(value) }
                }
                items => Value::Array(items.iter().map(|item| self.value(item)).collect()),
            },
            Value::Object(fields) => {
                let filled: Map<String, Value> =
                    fields.iter().map(|(key, value)| (key.clone(), self.value(value))).collect();
                Value::Object(filled)
            }
            other => other.clone(),
        }
    }

    fn directive(&mut self, directive: &str) -> Value {
        let (word, rest) = directive.split_once(' ').unwrap_or((directive, ""));
        let number = |text: &str| text.parse::<u64>().unwrap_or_default();
        match word {
            "id" => json!(self.kind.id(self.world, self.index)),
            "index" => json!(self.index.to_string()),
            "created" => json!(self.created.saturating_add(rest.parse().unwrap_or_default())),
            "parent" => json!(self.parent),
            "same" => json!(id_of(rest, self.world, self.index)),
            "of" => json!(id_of(rest, self.world, customer_of(self.world.seed, self.index))),
            "new" => json!(draw::id(rest, self.world.seed, self.index)),
            "list" => self.list(rest),
            "number" => {
                let (low, high) = rest.split_once(' ').unwrap_or(("0", rest));
                json!(self.draw.between(number(low), number(high)))
            }
            "bool" => json!(self.draw.one_in(number(rest))),
            "pick" => {
                let words: Vec<&str> = rest.split('|').collect();
                let count = u64::try_from(words.len()).unwrap_or(1);
                let at = usize::try_from(self.draw.below(count)).unwrap_or(0);
                json!(words.get(at))
            }
            "hex" => json!(self.draw.hex()),
            "person" => json!(self.draw.person()),
            "company" => json!(self.draw.company()),
            _ => Value::Null,
        }
    }

    /// A list inside its parent is cut at ten.
    fn list(&self, name: &str) -> Value {
        let nested = NESTED.iter().find(|nested| nested.name == name);
        let Some((nested, tail)) = nested.and_then(|nested| match nested.asked {
            Asked::Below(tail) => Some((nested, tail)),
            Asked::By(..) => None,
        }) else {
            return Value::Null;
        };
        let children = nested.children(self.index);
        let data: Vec<Value> =
            children.clone().rev().take(EMBEDDED).map(|child| nested.kind.show(self.world, child)).collect();
        json!({
            "object": "list",
            "has_more": children.count() > data.len(),
            "data": data,
            "url": format!("/v1/{}/{}/{tail}", self.kind.path, self.kind.id(self.world, self.index)),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::SHAPES;
    use crate::stripe::kinds::{NESTED, TOP};
    use crate::world::World;

    /// A misspelt directive fills nothing: it would show as null where the shape says no null.
    fn unfilled(shape: &Value, record: &Value, path: &str, found: &mut Vec<String>) {
        match (shape, record) {
            (Value::String(text), Value::Null) if text.starts_with('$') => found.push(path.to_owned()),
            (_, Value::String(text)) if text.starts_with('$') || text.is_empty() => {
                found.push(path.to_owned());
            }
            (Value::Object(shape), Value::Object(record)) => {
                for (key, shape) in shape {
                    unfilled(shape, &record[key], &format!("{path}.{key}"), found);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn every_shape_belongs_to_a_kind_and_is_filled() {
        let world = World::new(1, 40, 1_672_531_200, 3_600);
        let kinds = TOP.iter().chain(NESTED.iter().map(|nested| &nested.kind));
        let mut used = 0;
        for kind in kinds {
            let record = kind.show(&world, 13);
            assert_eq!(record["object"], kind.object);
            assert_eq!(record["id"], kind.id(&world, 13), "{}", kind.name);
            if let Some(shape) = SHAPES.get(kind.object) {
                used += 1;
                let mut found = Vec::new();
                unfilled(shape, &record, kind.object, &mut found);
                assert_eq!(found, Vec::<String>::new());
            }
        }
        assert_eq!(used, SHAPES.len());
    }
}
