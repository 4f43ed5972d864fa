//! Who depends on whom, before anything is compiled: of several resources that the placeholders of one name, the lowest is
//! its parent, and the others must stand above that.

use std::collections::{BTreeMap, BTreeSet};

use super::bind::{Peer, owner, placeholders};
use super::defaults::Merged;
use super::holes::known_pieces;
use super::request::is_batch;
use super::resource::Draft;
use super::{Problems, holes::Piece};
use crate::config::model::{EndpointConfig, ParamConfig, Spot};
use crate::config::node::{Node, Value};
use crate::json::Path;
use crate::plan::{ParentField, Text};

/// The parent of each resource.
pub(super) struct Lineage {
    parents: BTreeMap<String, String>,
}

impl Lineage {
    pub(super) fn new(merged: &[Merged], peers: &[Peer]) -> Self {
        let mut open = Vec::new();
        for merged in merged {
            let Some(name) = &merged.resource.name else { continue };
            let endpoint = &merged.resource.endpoint;
            let mut named = BTreeSet::new();
            texts(endpoint, &mut named);
            if let Some(peer) = peers.iter().find(|peer| peer.name == name.value) {
                let bare = placeholders(&peer.path).into_iter();
                let bare = bare.filter(|hole| !endpoint.params.iter().any(|param| param.name == *hole));
                named.extend(bare.filter_map(|hole| Some(owner(peers, &peer.name, &peer.path, &hole)?.0)));
            }
            named.remove(&name.value);
            open.push((name.value.clone(), named));
        }
        let mut lineage = Self { parents: BTreeMap::new() };
        // From the top down: who stands above a resource is known once its own parent is.
        loop {
            let before = open.len();
            open.retain(|(name, named)| match lineage.lowest(named) {
                Some(parent) => {
                    let parent = parent.to_owned();
                    lineage.parents.insert(name.clone(), parent);
                    false
                }
                None => true,
            });
            if open.len() == before {
                return lineage;
            }
        }
    }

    /// The one that all others stand above.
    fn lowest<'n>(&self, named: &'n BTreeSet<String>) -> Option<&'n str> {
        let lowest = |candidate: &&String| {
            named.iter().all(|other| other == *candidate || self.is_above(other, candidate))
        };
        named.iter().find(lowest).map(String::as_str)
    }

    /// The parent of a resource: of those that it names the one that all others stand above. None where there is none, or
    /// more than one way to choose.
    pub(super) fn parent(&self, of: &str) -> Option<&str> {
        self.parents.get(of).map(String::as_str)
    }

    /// Whether a resource is an ancestor of another.
    pub(super) fn is_above(&self, ancestor: &str, of: &str) -> bool {
        let mut here = of;
        // Resources may need each other in a circle, which is complained of elsewhere.
        for _ in 0..self.parents.len() {
            match self.parent(here) {
                Some(parent) if parent == ancestor => return true,
                Some(parent) => here = parent,
                None => return false,
            }
        }
        false
    }
}

/// Lets every resource between an ancestor and a descendant that uses one of its fields hand the field down.
pub(super) fn hand_down(drafts: &mut [Draft], problems: &mut Problems<'_>) {
    for at in 0..drafts.len() {
        let wanted: Vec<(usize, String, Path)> = fields(drafts, at)
            .iter()
            .enumerate()
            .filter_map(|(place, field)| match field {
                ParentField::Above { resource, path, .. } => Some((place, resource.clone(), path.clone())),
                ParentField::Own(_) => None,
            })
            .collect();
        for (place, ancestor, path) in wanted {
            let Some((parent, spot)) = drafts.get(at).and_then(|draft| draft.parent.clone()) else {
                continue;
            };
            problems.resource = drafts.get(at).map(|draft| draft.plan.name.clone());
            let found = carried(drafts, &parent, &ancestor, &path, &spot, problems);
            let plan = drafts.get_mut(at).and_then(|draft| draft.plan.parent.as_mut());
            if let (Some(found), Some(ParentField::Above { from, .. })) =
                (found, plan.and_then(|plan| plan.fields.get_mut(place)))
            {
                *from = found;
            }
        }
    }
    problems.resource = None;
}

fn fields(drafts: &[Draft], at: usize) -> &[ParentField] {
    let parent = drafts.get(at).and_then(|draft| draft.plan.parent.as_ref());
    parent.map_or(&[], |parent| parent.fields.as_slice())
}

/// Where the partitions of a resource have a field of one of its ancestors: it is added where they lack it.
fn carried(
    drafts: &mut [Draft],
    name: &str,
    ancestor: &str,
    path: &Path,
    spot: &Spot,
    problems: &mut Problems<'_>,
) -> Option<usize> {
    let at = drafts.iter().position(|draft| draft.plan.name == name)?;
    let (parent, _) = drafts.get(at)?.parent.clone()?;
    let wanted = if parent == ancestor {
        ParentField::Own(path.clone())
    } else {
        let from = carried(drafts, &parent, ancestor, path, spot, problems)?;
        ParentField::Above { resource: ancestor.to_owned(), path: path.clone(), from }
    };
    if let Some(known) = fields(drafts, at).iter().position(|field| field.is_same(&wanted)) {
        return Some(known);
    }
    let draft = drafts.get_mut(at)?;
    if draft.plan.incremental.is_some() {
        // Its cursors are kept under the parent fields that it uses: with one more they would all begin again.
        problems.add_with_hint(
            spot,
            format!("`{name}` cannot hand down `{path}` of `{ancestor}`: it is incremental, and its requests do not use that field"),
            format!("carry it as a column: `include_from_parent: [{path}]` in `{name}`, and `{{resources.{name}._{parent}_{path}}}` here"),
        );
        return None;
    }
    let fields = &mut draft.plan.parent.as_mut()?.fields;
    fields.push(wanted);
    Some(fields.len() - 1)
}

/// The names in `{resources.<name>.<field>}`, wherever a request may have them.
fn texts(endpoint: &EndpointConfig, found: &mut BTreeSet<String>) {
    for text in endpoint.path.iter().map(|path| &path.value) {
        names(text.expose(), found);
    }
    for param in &endpoint.params {
        names(&param.name, found);
        match &param.value {
            ParamConfig::One(text) => names(text.expose(), found),
            ParamConfig::Many(texts) => texts.iter().for_each(|text| names(text.expose(), found)),
            ParamConfig::Resolve { resource, .. } => drop(found.insert(resource.value.clone())),
            ParamConfig::Null | ParamConfig::Incremental(_) => {}
        }
    }
    let data = endpoint.data.iter().flat_map(|data| &data.value);
    for header in endpoint.headers.iter().chain(data) {
        names(Text::expose(&header.value.value), found);
    }
    if let Some(json) = &endpoint.json {
        json_names(&json.value, found);
    }
}

fn json_names(node: &Node, found: &mut BTreeSet<String>) {
    match &node.value {
        Value::Text(text) => names(text, found),
        Value::Secret(secret) => names(secret.expose(), found),
        Value::List(items) => items.iter().for_each(|item| json_names(item, found)),
        Value::Map(map) if is_batch(map) => {
            found.extend(map.get("resource").and_then(Node::as_text).map(str::to_owned));
        }
        Value::Map(map) => map.entries.iter().for_each(|entry| json_names(&entry.value, found)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
    }
}

fn names(text: &str, found: &mut BTreeSet<String>) {
    for piece in known_pieces(text) {
        let Piece::Hole(hole) = piece else { continue };
        let name = hole.strip_prefix("resources.").and_then(|rest| rest.split_once('.'));
        found.extend(name.map(|(name, _)| name.to_owned()));
    }
}
