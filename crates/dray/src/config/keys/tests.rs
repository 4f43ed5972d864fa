use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::config::diagnostics::{Diagnostics, item};
use crate::config::node::{Entry, Map, Node, Place, Value};
use crate::config::read::{asked, read};

/// What is taken away before the reader comes: a key at a path, a key everywhere, a mapping.
fn is_taken_before(path: &str, mapping: &str, key: &str) -> bool {
    (path, key) == ("", "vars") || key == "when" || matches!(mapping, "optional value" | "for_each")
}

fn map(entries: Vec<(&str, Node)>) -> Node {
    let place = Place::new(1, 1);
    let entries = entries.into_iter().map(|(key, value)| Entry { key: key.to_owned(), place, value });
    Node::new(Value::Map(Map { entries: entries.collect() }), place)
}

/// A value that a kind takes, whose mappings are empty.
fn sample(kind: &Kind) -> Node {
    let value = match kind {
        Kind::Plain | Kind::Text => Value::Text("x".to_owned()),
        Kind::Whole | Kind::Number | Kind::Duration | Kind::Bytes => Value::Int(5),
        Kind::Flag => Value::Bool(true),
        Kind::Word(words) => Value::Text(words[0].to_owned()),
        Kind::Null | Kind::Any => Value::Text("x".to_owned()),
        Kind::List(kind) => Value::List(vec![sample(kind)]),
        Kind::Named(kind) => return map(vec![("name", sample(kind))]),
        Kind::Map(_) => return map(vec![]),
        Kind::OneOf(kinds) => return sample(&kinds[0]),
    };
    Node::new(value, Place::new(1, 1))
}

/// All keys of a mapping with samples.
fn filled(mapping: &Mapping, kind: Option<&str>) -> Node {
    let mut entries: Vec<(&str, Node)> =
        kind.iter().map(|kind| ("type", Node::text(*kind, Place::new(1, 1)))).collect();
    entries.extend(mapping.keys.iter().map(|key| (key.name, sample(&key.kind))));
    map(entries)
}

/// Every way to every mapping: the path as the reader spells it, and a file with that mapping in it.
fn places(
    kind: &Kind,
    path: &str,
    wrap: &dyn Fn(Node) -> Node,
    seen: &mut Vec<(String, &'static Mapping)>,
    found: &mut Vec<(String, &'static Mapping, Node)>,
) {
    match kind {
        Kind::Map(mapping) => {
            if seen.iter().any(|(known, other)| known == path && std::ptr::eq(*other, *mapping)) {
                return;
            }
            seen.push((path.to_owned(), mapping));
            let kinds: Vec<Option<&str>> = match mapping.types {
                [] => vec![None],
                types => types.iter().map(|kind| Some(*kind)).collect(),
            };
            for kind in kinds {
                found.push((path.to_owned(), mapping, wrap(filled(mapping, kind))));
                for key in mapping.keys {
                    let below =
                        if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
                    let wrap = |inner: Node| {
                        let mut whole = filled(mapping, kind);
                        let place = Place::new(1, 1);
                        whole.as_map_mut().unwrap().insert(key.name, place, inner);
                        wrap(whole)
                    };
                    places(&key.kind, &below, &wrap, seen, found);
                }
            }
        }
        Kind::List(kind) => {
            let wrap = |inner: Node| wrap(Node::new(Value::List(vec![inner]), Place::new(1, 1)));
            places(kind, &item(path, 0), &wrap, seen, found);
        }
        Kind::Named(kind) => {
            places(kind, &format!("{path}.name"), &|inner| wrap(map(vec![("name", inner)])), seen, found);
        }
        Kind::OneOf(kinds) => kinds.iter().for_each(|kind| places(kind, path, wrap, seen, found)),
        _ => {}
    }
}

/// Whether a key is only read to say that it belongs to another type of the mapping.
fn is_of_another_type(file: &Node, path: &str, key: &str) -> bool {
    let mut file = file.clone();
    let mut node = &mut file;
    for step in path.split(['.', '[', ']']).filter(|step| !step.is_empty()) {
        node = match step.parse::<usize>() {
            Ok(index) => &mut node.as_list_mut().unwrap()[index],
            Err(_) => node.as_map_mut().unwrap().get_mut(step).unwrap(),
        };
    }
    let place = Place::new(1, 1);
    node.as_map_mut().unwrap().insert(key, place, Node::text("x", place));
    let mut diagnostics = Diagnostics::new();
    drop(read(&file, Vec::new(), &mut diagnostics));
    let refused = |message: &str| message.contains("is a key of") || message.contains("names itself");
    diagnostics.iter().any(|one| one.path == format!("{path}.{key}") && refused(&one.message))
}

/// The table has exactly the keys that the reader asks for: a key that is read and not in the table is in nobody's
/// reference, one that is only in the table would be refused.
#[test]
fn the_reader_asks_for_the_keys_of_the_table_and_no_others() {
    let mut found = Vec::new();
    places(&Kind::Map(&ROOT), "", &|node| node, &mut Vec::new(), &mut found);
    assert!(found.len() > 60, "{}", found.len());
    let mut wrong: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, mapping, file) in &found {
        let asked: BTreeSet<&str> = asked(|| drop(read(file, Vec::new(), &mut Diagnostics::new())))
            .into_iter()
            .filter(|(at, _)| at == path)
            .map(|(_, key)| key)
            .collect();
        let known: BTreeSet<&str> = mapping.keys.iter().map(|key| key.name).collect();
        for key in asked.difference(&known) {
            if *key != "type" && !is_of_another_type(file, path, key) {
                let missing = format!("`{key}` is read: add it to this mapping in config/keys/");
                wrong.entry(mapping.name.to_owned()).or_default().insert(missing);
            }
        }
        for key in &known {
            if !asked.contains(key) && !is_taken_before(path, mapping.name, key) {
                let extra = format!("`{key}` is not read at `{path}`: take it out of config/keys/");
                wrong.entry(mapping.name.to_owned()).or_default().insert(extra);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_of_mappings_are_their_own() {
    let all = mappings();
    let names: BTreeSet<&str> = all.iter().map(|mapping| mapping.name).collect();
    assert_eq!(names.len(), all.len());
    for mapping in all {
        let keys: BTreeSet<&str> = mapping.keys.iter().map(|key| key.name).collect();
        assert_eq!(keys.len(), mapping.keys.len(), "{}", mapping.name);
        for key in mapping.keys {
            assert!(!key.meaning.is_empty() && !key.meaning.contains('|'), "{}.{}", mapping.name, key.name);
        }
    }
}
