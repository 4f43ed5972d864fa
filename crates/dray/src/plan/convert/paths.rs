//! Key paths of problems, and where they lead in a tree that has changed since.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::diagnostics::{child, item};
use crate::config::node::{Node, Value};

/// Where the paths of the file as it was parsed lead.
pub(super) struct Paths {
    now: BTreeMap<String, String>,
}

impl Paths {
    /// Takes the gaps out of all lists; what stood behind one has another path from then on.
    pub(super) fn closing_gaps(root: &mut Node) -> Self {
        let mut now = BTreeMap::new();
        close(root, "", "", &mut now);
        Self { now }
    }

    /// Where a path of the parsed file leads in dlt's form.
    pub(super) fn now(&self, path: &str) -> String {
        let found = ancestors(path)
            .find_map(|above| Some(format!("{}{}", self.now.get(above)?, path.strip_prefix(above)?)));
        // The dialect gives these another name; the order of their items stays.
        let found = found.unwrap_or_else(|| path.to_owned());
        found.replacen("ENDPOINTS", "resources", 1).replacen("BASE_CONFIG", "client", 1)
    }
}

/// The nearest path that is there, at or above this one.
pub(super) fn above(path: &str, root: &Node) -> String {
    let mut there = BTreeMap::new();
    collect(root, "", "", &mut there);
    ancestors(path).find_map(|path| there.get(path)).cloned().unwrap_or_default()
}

fn close(node: &mut Node, old: &str, new: &str, now: &mut BTreeMap<String, String>) {
    now.insert(old.to_owned(), new.to_owned());
    match &mut node.value {
        Value::List(items) => {
            let mut kept = Vec::with_capacity(items.len());
            for (index, mut one) in std::mem::take(items).into_iter().enumerate() {
                if one.is_gap() {
                    now.insert(item(old, index), new.to_owned());
                } else {
                    close(&mut one, &item(old, index), &item(new, kept.len()), now);
                    kept.push(one);
                }
            }
            *items = kept;
        }
        Value::Map(map) => {
            for entry in &mut map.entries {
                close(&mut entry.value, &child(old, &entry.key), &child(new, &entry.key), now);
            }
        }
        _ => {}
    }
}

/// A path and all above it, the root last.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| {
        if path.is_empty() {
            return None;
        }
        let cut = if path.ends_with("\"]") { path.rfind("[\"") } else { path.rfind(['.', '[']) };
        Some(cut.and_then(|cut| path.get(..cut)).unwrap_or_default())
    })
}

/// All paths of a tree, in the spelling of the reader (`a.b[c]`) and in that of parsers (`a["b[c]"]`): each with the latter.
fn collect(node: &Node, spoken: &str, path: &str, found: &mut BTreeMap<String, String>) {
    found.insert(spoken.to_owned(), path.to_owned());
    found.insert(path.to_owned(), path.to_owned());
    match &node.value {
        Value::List(items) => {
            for (index, one) in items.iter().enumerate() {
                collect(one, &item(spoken, index), &item(path, index), found);
            }
        }
        Value::Map(map) => {
            for entry in &map.entries {
                let below =
                    if spoken.is_empty() { entry.key.clone() } else { format!("{spoken}.{}", entry.key) };
                collect(&entry.value, &below, &child(path, &entry.key), found);
            }
        }
        _ => {}
    }
}

/// Takes the entry that a problem is about out of a tree. What a configuration cannot do without stays.
pub(super) fn remove(root: &mut Node, path: &str) -> bool {
    let mut there = BTreeMap::new();
    collect(root, "", "", &mut there);
    let Some(mut target) = there.get(path).map(String::as_str) else { return false };
    // A wrong item spoils its list.
    while target.ends_with(']') && !target.ends_with("\"]") {
        if is_needed(target) {
            return false;
        }
        target = ancestors(target).nth(1).unwrap_or_default();
    }
    !is_needed(target) && remove_at(root, "", target)
}

pub(super) fn is_needed(path: &str) -> bool {
    if matches!(path, "" | "client" | "client.base_url" | "resources" | "resource_defaults" | "vars") {
        return true;
    }
    let of_resource = path.strip_prefix("resources[").and_then(|rest| rest.split_once(']'));
    of_resource.is_some_and(|(_, rest)| matches!(rest, "" | ".name" | ".endpoint" | ".endpoint.path"))
}

fn remove_at(node: &mut Node, path: &str, target: &str) -> bool {
    match &mut node.value {
        Value::List(items) => {
            items.iter_mut().enumerate().any(|(index, one)| remove_at(one, &item(path, index), target))
        }
        Value::Map(map) => {
            if let Some(at) = map.entries.iter().position(|entry| child(path, &entry.key) == target) {
                map.entries.remove(at);
                return true;
            }
            map.entries.iter_mut().any(|entry| remove_at(&mut entry.value, &child(path, &entry.key), target))
        }
        _ => false,
    }
}

/// The paths, as the reader spells them, of texts whose templates could not be resolved.
pub(super) fn with_templates(root: &Node) -> BTreeSet<String> {
    fn walk(node: &Node, path: &str, found: &mut BTreeSet<String>) {
        match &node.value {
            Value::Text(text) if text.contains("${") => {
                found.insert(path.to_owned());
            }
            Value::List(items) => {
                items.iter().enumerate().for_each(|(index, one)| walk(one, &item(path, index), found));
            }
            Value::Map(map) => {
                for entry in &map.entries {
                    let below =
                        if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                    walk(&entry.value, &below, found);
                }
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(root, "", &mut found);
    found
}

/// Whether resources are written out for every item of a list (`name: x_${each.y}`).
pub(super) fn are_written_out(root: &Node) -> bool {
    let resources = root.as_map().and_then(|map| map.get("resources")?.as_list()).unwrap_or_default();
    let name = |node: &Node| node.as_map()?.get("name")?.as_text().map(|name| name.contains("${each."));
    resources.iter().any(|resource| name(resource) == Some(true))
}

/// Where a resource stands.
pub(super) fn resource(root: &Node, name: &str) -> Option<String> {
    let resources = root.as_map()?.get("resources")?.as_list()?;
    let index = resources.iter().position(|node| {
        node.as_text() == Some(name) || node.as_map().and_then(|map| map.get("name")?.as_text()) == Some(name)
    })?;
    Some(item("resources", index))
}
