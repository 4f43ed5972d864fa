//! `for_each`: one thing for every item of a list, written once.
//!
//! Where the resource's name holds `${each.x}`, the resource is written out for every item before anything else looks at
//! it. Else it stays one resource that is asked once for every item: `${each.x}` becomes the placeholder `{each.x}`, and
//! the lists become their items, one mapping of all variables each.

use std::collections::BTreeSet;

use super::diagnostics::{Diagnostics, child, closest, item};
use super::lists::{Lists, escaped};
use super::node::{Map, Node, Place, Value};

/// Items of one `for_each`, all variables together: each is a partition with a position of its own.
const MOST_ITEMS: usize = 10_000;
/// Resources that one `for_each` is written out to.
const MOST_RESOURCES: usize = 1000;

const OPENING: &str = "${each.";
const WHERE: &str = "`${each.x}` is known in `path`, `params`, `headers`, `json` and `data`; where the `name` has it too, everywhere in the resource";
const FORM: &str =
    "write `for_each: {ticker: [AAPL, MSFT]}` and `${each.ticker}`, or `{ticker: {file: tickers.csv}}`";

/// The files that a configuration names.
pub(super) fn files(root: &Node) -> BTreeSet<&str> {
    let resources = root.as_map().and_then(|map| map.get("resources")?.as_list()).unwrap_or_default();
    let lists = resources.iter().filter_map(|resource| resource.as_map()?.get("for_each")?.as_map());
    let values = lists.flat_map(|lists| lists.entries.iter().map(|entry| &entry.value));
    values.filter_map(|value| value.as_map()?.get("file")?.as_text()).collect()
}

/// Puts the values of files in the place of their names.
pub(crate) fn read_in(root: &mut Node, lists: &Lists, diagnostics: &mut Diagnostics) {
    for (path, node) in written(root) {
        let Some(map) = node.as_map_mut() else { continue };
        for entry in &mut map.entries {
            let Some(Value::Text(name)) =
                entry.value.as_map().and_then(|map| map.get("file")).map(|node| &node.value)
            else {
                continue;
            };
            let (place, path) = (entry.value.place, child(&path, &entry.key));
            match lists.get(name) {
                Some(Ok(items)) => entry.value = Node::new(Value::List(items.clone()), place),
                Some(Err(problem)) => {
                    diagnostics.push(path, place, format!("cannot read the list `{name}`: {problem}"));
                }
                None => {
                    diagnostics
                        .push(path, place, format!("the list `{name}` was not read"))
                        .hint("lists are read with a configuration that is a file itself, and named there, not by `--set`");
                }
            }
        }
    }
}

/// All `for_each` of a tree, with their key paths.
pub(super) fn written(root: &mut Node) -> Vec<(String, &mut Node)> {
    let resources = root.as_map_mut().and_then(|map| map.get_mut("resources")).and_then(Node::as_list_mut);
    let mut found = Vec::new();
    for (index, resource) in resources.into_iter().flatten().enumerate() {
        if let Some(node) = resource.as_map_mut().and_then(|map| map.get_mut("for_each")) {
            found.push((child(&item("resources", index), "for_each"), node));
        }
    }
    found
}

/// Writes every `for_each` out, whose lists are resolved.
pub(super) fn spread(root: &mut Node, diagnostics: &mut Diagnostics) {
    let resources = root.as_map_mut().and_then(|map| map.get_mut("resources")).and_then(Node::as_list_mut);
    let Some(resources) = resources else { return };
    let before = std::mem::take(resources);
    for (index, node) in before.into_iter().enumerate() {
        Spread { diagnostics, items: Vec::new() }.resource(node, &item("resources", index), resources);
    }
}

struct Spread<'a> {
    diagnostics: &'a mut Diagnostics,
    /// Every item: a mapping of all variables.
    items: Vec<Map>,
}

impl Spread<'_> {
    fn resource(mut self, mut node: Node, path: &str, resources: &mut Vec<Node>) {
        let Some(map) = node.as_map_mut() else { return resources.push(node) };
        let Some(entry) = map.entry("for_each").cloned() else {
            self.refuse(&mut node, path, "stands in a resource without `for_each`", FORM);
            return resources.push(node);
        };
        let at = child(path, "for_each");
        let whole = self.read(&entry.value, &at).is_some();
        let named = map.get("name").and_then(Node::as_text).is_some_and(|name| name.contains(OPENING));
        // What `include_from_each` names is the same for all rows of a resource that is written out.
        let carried = map.contains("include_from_each");
        map.remove("for_each");
        if !whole && named {
            return;
        }
        let list = |items: Vec<Map>| {
            let nodes = items.into_iter().map(|item| Node::new(Value::Map(item), entry.value.place));
            let mut list = Node::new(Value::List(nodes.collect()), entry.value.place);
            escape(&mut list);
            list
        };
        if !named {
            self.placeholders(&mut node, path);
            if let Some(map) = node.as_map_mut() {
                map.insert("for_each", entry.place, list(std::mem::take(&mut self.items)));
            }
            return resources.push(node);
        }
        if self.items.len() > MOST_RESOURCES {
            let message = format!("{} resources are more than {MOST_RESOURCES}", self.items.len());
            self.diagnostics
                .push(at, entry.place, message)
                .hint("without `${each...}` in its `name` it is one resource that is asked for every item");
            return;
        }
        for item in std::mem::take(&mut self.items) {
            let mut copy = node.clone();
            self.fill(&mut copy, &item, path);
            if carried && let Some(map) = copy.as_map_mut() {
                map.insert("for_each", entry.place, list(vec![item]));
            }
            resources.push(copy);
        }
    }

    /// The cross product of the lists, the first variable outermost; what stands twice counts once.
    fn read(&mut self, node: &Node, at: &str) -> Option<()> {
        let Some(lists) = node.as_map().filter(|map| !map.is_empty()) else {
            let message = format!("{}, expected a mapping of a name to a list", node.kind_name());
            self.diagnostics.push(at, node.place, message).hint(FORM);
            return None;
        };
        let mut items = vec![Map::default()];
        let mut right = true;
        for entry in &lists.entries {
            let at = child(at, &entry.key);
            let (name, list) = (entry.key.as_str(), &entry.value);
            if !is_word(name) {
                let message =
                    format!("`{name}` is no name for `${{each.x}}`, expected letters, digits and `_`");
                self.diagnostics.push(at, entry.place, message);
                right = false;
                continue;
            }
            let Some(values) = self.values(list, &at) else {
                right = false;
                continue;
            };
            let count = items.len().saturating_mul(values.len());
            if count > MOST_ITEMS {
                self.diagnostics
                    .push(at, list.place, format!("{count} items are more than {MOST_ITEMS}"))
                    .hint("make resources of its parts, or of fewer variables");
                return None;
            }
            let product = items.iter().flat_map(|item| {
                values.iter().map(|value| {
                    let mut item = item.clone();
                    item.insert(name, entry.place, value.clone());
                    item
                })
            });
            items = product.collect();
        }
        if right {
            self.items = items;
        }
        right.then_some(())
    }

    fn values(&mut self, list: &Node, at: &str) -> Option<Vec<Node>> {
        let Some(written) = list.as_list() else {
            // Of a file that could not be read it is said already.
            if !self.diagnostics.is_about(at) {
                let message = format!("{}, expected a list of values", list.kind_name());
                self.diagnostics.push(at, list.place, message).hint(FORM);
            }
            return None;
        };
        if written.is_empty() {
            self.diagnostics
                .push(
                    at,
                    list.place,
                    "an empty list: the resource would be asked for nothing and count as complete",
                )
                .hint("take the resource out of the file while there is nothing to ask for");
            return None;
        }
        let mut known = BTreeSet::new();
        let mut values = Vec::new();
        for (index, value) in written.iter().enumerate() {
            if has_secret(value) {
                self.diagnostics
                    .push(
                        item(at, index),
                        value.place,
                        "a secret cannot stand here: items are shown and stored",
                    )
                    .hint("write `${secrets.x}` where it is sent");
                return None;
            }
            if value.is_null() || value.as_list().is_some() {
                let message = format!("{}, expected a value or a mapping of values", value.kind_name());
                self.diagnostics.push(item(at, index), value.place, message);
                return None;
            }
            if known.insert(to_json(value).to_string()) {
                values.push(value.clone());
            }
        }
        Some(values)
    }

    /// Puts the item's values in the place of `${each.x}`, everywhere.
    fn fill(&mut self, node: &mut Node, item: &Map, path: &str) {
        let place = node.place;
        match &mut node.value {
            Value::Text(text) if text.contains(OPENING) => {
                node.value = self.filled(text, item, path, place);
            }
            Value::List(items) => {
                for (index, node) in items.iter_mut().enumerate() {
                    self.fill(node, item, &super::diagnostics::item(path, index));
                }
            }
            Value::Map(map) => {
                for entry in &mut map.entries {
                    let path = child(path, &entry.key);
                    if entry.key.contains(OPENING)
                        && let Value::Text(key) = self.filled(&entry.key, item, &path, entry.place)
                    {
                        entry.key = key;
                    }
                    self.fill(&mut entry.value, item, &path);
                }
            }
            _ => {}
        }
    }

    /// A text that is `${each.x}` alone takes over the value's type.
    fn filled(&mut self, text: &str, item: &Map, path: &str, place: Place) -> Value {
        let mut filled = String::new();
        for piece in pieces(text) {
            let name = match piece {
                Piece::Text(text) => {
                    filled.push_str(text);
                    continue;
                }
                Piece::Each(name) => name,
            };
            let found = lookup(item, name);
            if let Some(node) = found
                && text.len() == OPENING.len() + name.len() + 1
            {
                let mut node = node.clone();
                escape(&mut node);
                return node.value;
            }
            match found.map(|node| &node.value) {
                Some(Value::Text(text)) => filled.push_str(&escaped(text)),
                Some(Value::Int(number)) => filled.push_str(&number.to_string()),
                Some(Value::Float(number)) => filled.push_str(&number.to_string()),
                Some(Value::Bool(flag)) => filled.push_str(&flag.to_string()),
                Some(other) => {
                    let message =
                        format!("`${{each.{name}}}` is {}, expected text or a number", other.kind_name());
                    self.diagnostics.push(path, place, message);
                }
                None => {
                    let known: Vec<String> = names(item);
                    let hint = match closest(name, known.iter().map(String::as_str)) {
                        Some(near) => format!("did you mean `${{each.{near}}}`?"),
                        None => format!("known are {}", known.join(", ")),
                    };
                    let message = format!("an item of `for_each` has no `{name}`");
                    self.diagnostics.push(path, place, message).hint(hint);
                }
            }
        }
        Value::Text(filled)
    }

    /// Makes placeholders of `${each.x}` where a request has them, and refuses it elsewhere.
    fn placeholders(&mut self, resource: &mut Node, path: &str) {
        const REQUEST: [&str; 6] = ["path", "params", "headers", "json", "data", "text"];
        const WHY: &str = "cannot stand here: it is one resource for all items";
        let Some(map) = resource.as_map_mut() else { return };
        for entry in &mut map.entries {
            let path = child(path, &entry.key);
            match (entry.key.as_str(), &mut entry.value.value) {
                ("endpoint", Value::Text(text)) => *text = placeholders_of(text),
                ("endpoint", Value::Map(endpoint)) => {
                    for entry in &mut endpoint.entries {
                        let path = child(&path, &entry.key);
                        if REQUEST.contains(&entry.key.as_str()) {
                            request(&mut entry.value, entry.key == "params");
                        }
                        self.refuse(&mut entry.value, &path, WHY, WHERE);
                    }
                }
                _ => self.refuse(&mut entry.value, &path, WHY, WHERE),
            }
        }
    }

    /// Complains of every `${each.x}` in a tree, and leaves none behind that would be complained of again.
    fn refuse(&mut self, node: &mut Node, path: &str, why: &str, hint: &str) {
        let found = first(node).map(|name| format!("`${{each.{name}}}` {why}"));
        if let Some(message) = found {
            self.diagnostics.push(path, node.place, message).hint(hint);
            blank(node);
        }
    }
}

/// What a text holds.
enum Piece<'t> {
    Text(&'t str),
    /// The name in `${each.name}`.
    Each(&'t str),
}

/// A text cut at its `${each.x}`; `$${each.x}` and one that is not closed stay for the templates to read.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(at) = rest.get(from..).and_then(|later| later.find(OPENING)).map(|at| at + from) {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let name = after.strip_prefix(OPENING).and_then(|inner| inner.split_once('}'));
        let Some((name, after)) = name.filter(|_| !before.ends_with('$')) else {
            from = at + OPENING.len();
            continue;
        };
        pieces.push(Piece::Text(before));
        pieces.push(Piece::Each(name));
        (rest, from) = (after, 0);
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn placeholders_of(text: &str) -> String {
    let pieces = pieces(text).into_iter().map(|piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Each(name) => format!("{{each.{name}}}"),
    });
    pieces.collect()
}

/// The first `${each.x}` of a tree, keys included.
fn first(node: &Node) -> Option<String> {
    let of = |text: &str| {
        pieces(text).into_iter().find_map(|piece| match piece {
            Piece::Each(name) => Some(name.to_owned()),
            Piece::Text(_) => None,
        })
    };
    match &node.value {
        Value::Text(text) => of(text),
        Value::List(items) => items.iter().find_map(first),
        Value::Map(map) => {
            map.entries.iter().find_map(|entry| of(&entry.key).or_else(|| first(&entry.value)))
        }
        _ => None,
    }
}

/// Makes placeholders of a part of a request; names of parameters may hold them too.
fn request(node: &mut Node, keys: bool) {
    match &mut node.value {
        Value::Text(text) if text.contains(OPENING) => *text = placeholders_of(text),
        Value::List(items) => items.iter_mut().for_each(|item| request(item, keys)),
        Value::Map(map) => {
            for entry in &mut map.entries {
                if keys {
                    entry.key = placeholders_of(&entry.key);
                }
                request(&mut entry.value, keys);
            }
        }
        _ => {}
    }
}

/// Leaves the names alone of what was complained of.
fn blank(node: &mut Node) {
    let named = |text: &str| -> String {
        let pieces = pieces(text).into_iter().map(|piece| match piece {
            Piece::Text(text) | Piece::Each(text) => text,
        });
        pieces.collect()
    };
    match &mut node.value {
        Value::Text(text) if text.contains(OPENING) => *text = named(text),
        Value::List(items) => items.iter_mut().for_each(blank),
        Value::Map(map) => {
            for entry in &mut map.entries {
                entry.key = named(&entry.key);
                blank(&mut entry.value);
            }
        }
        _ => {}
    }
}

/// `market.id` of an item.
fn lookup<'m>(item: &'m Map, name: &str) -> Option<&'m Node> {
    let mut parts = name.split('.');
    let first = item.get(parts.next()?)?;
    parts.try_fold(first, |node, part| node.as_map()?.get(part))
}

/// The names that an item knows, one level into its values.
fn names(item: &Map) -> Vec<String> {
    let mut names = Vec::new();
    for entry in &item.entries {
        match entry.value.as_map() {
            Some(map) => names.extend(map.keys().map(|key| format!("{}.{key}", entry.key))),
            None => names.push(entry.key.clone()),
        }
    }
    names
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

fn has_secret(node: &Node) -> bool {
    match &node.value {
        Value::Secret(_) => true,
        Value::List(items) => items.iter().any(has_secret),
        Value::Map(map) => map.entries.iter().any(|entry| has_secret(&entry.value)),
        _ => false,
    }
}

/// Values are resolved already; what looks like a template in them is none.
fn escape(node: &mut Node) {
    match &mut node.value {
        Value::Text(text) if text.contains("${") => *text = escaped(text),
        Value::List(items) => items.iter_mut().for_each(escape),
        Value::Map(map) => map.entries.iter_mut().for_each(|entry| escape(&mut entry.value)),
        _ => {}
    }
}

/// A tree without secrets as JSON.
pub(super) fn to_json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null | Value::Secret(_) => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => {
            map.entries.iter().map(|entry| (entry.key.clone(), to_json(&entry.value))).collect()
        }
    }
}
