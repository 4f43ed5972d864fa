//! The typed reading of a tree: all problems at once, each with its key path and its place.

mod actions;
mod auth;
mod client;
mod contract;
mod each;
mod endpoint;
mod expand;
mod fields;
mod format;
mod incremental;
mod paginator;
mod resource;
mod steps;
mod token;
#[cfg(test)]
pub(super) use self::fields::asked;
pub use self::fields::parse_duration;

use super::diagnostics::Diagnostics;
use super::dialect::PROSE;
use super::model::{Config, Spot};
use super::node::{Node, Value};
use crate::plan::Note;
use fields::{Fields, Reader, listed};

/// Reads a tree whose dialect is settled and whose templates are resolved. Unless a problem was added to
/// `diagnostics`, the configuration is complete. `notes` are the dialect's readings; the reader's own follow.
pub fn read(root: &Node, mut notes: Vec<Note>, diagnostics: &mut Diagnostics) -> Config {
    let mut config = Config::default();
    let mut reader = Reader { diagnostics, notes: &mut notes, resource: None };
    let at = Spot { place: root.place, path: String::new() };
    if let Some(mut fields) = Fields::open(&mut reader, root, &at) {
        if is_prose(&mut reader, root, &at) {
            return config;
        }
        config.name = fields.plain(&mut reader, "name");
        match fields.take("client") {
            Some((node, at)) => config.client = client::read(&mut reader, node, &at),
            None => reader.problem(&at, "missing key `client`"),
        }
        if let Some((node, at)) = fields.take("resource_defaults") {
            config.resource_defaults = resource::read_defaults(&mut reader, node, &at);
        }
        match fields.take("resources") {
            Some((node, at)) => match &node.value {
                Value::List(items) => {
                    for (index, item) in items.iter().enumerate() {
                        if resource::is_left_out(item) {
                            config.left_out.extend(resource::name_of(item));
                            continue;
                        }
                        config.resources.extend(resource::read(&mut reader, item, &at.item(index, item)));
                    }
                }
                _ => reader.expected(&at, "a list of resources", node),
            },
            None => reader.problem(&at, "missing key `resources`"),
        }
        fields.finish(&mut reader);
    }
    config.notes = notes;
    config
}

/// Complains once of a file that tells of an API and configures nothing.
fn is_prose(reader: &mut Reader<'_>, root: &Node, at: &Spot) -> bool {
    let Some(map) = root.as_map() else { return false };
    if map.contains("client") && map.contains("resources") {
        return false;
    }
    let told: Vec<&str> = PROSE.into_iter().filter(|key| map.contains(key)).collect();
    let Some(first) = told.first().and_then(|key| map.entry(key)) else { return false };
    let spot = Spot { place: first.place, ..at.clone() };
    reader.problem_with_hint(
        &spot,
        format!("this file tells of an API ({}) and configures nothing", listed(&told)),
        "write `client: {base_url: ...}` and `resources: [...]` from what it says",
    );
    true
}
