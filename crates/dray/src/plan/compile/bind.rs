//! Placeholders of a path that name neither parent nor parameter: the path itself says whose they are.
//!
//! `/customers/{customer_id}/credits/ledger` asks for the customers' ids, and the file has a resource
//! `customers`. The reading is noted, and the rows carry the placeholder's name as a column.

use super::Problems;
use super::holes::{Bare, Holes, LEFT_OUT_HINT, Piece, few, pieces};
use crate::config::model::{Param, ParamConfig, Spot};
use crate::json::Path;
use crate::plan::singular::singular;
use crate::plan::{IncludeField, Part, Text};

/// What binding needs to know of every resource.
pub(super) struct Peer {
    pub(super) name: String,
    /// The path as written, without slashes at its ends.
    pub(super) path: String,
    /// The one key that the resource itself declares.
    pub(super) key: Option<String>,
}

impl Peer {
    /// A resource of which the name alone is known.
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), path: name.to_owned(), key: None }
    }
}

/// The placeholders of one path.
pub(super) struct PathHoles<'a> {
    peers: &'a [Peer],
    own_path: &'a str,
    params: &'a [Param],
    /// Parameters that went into the path: they are not sent as parameters too.
    pub(super) used: Vec<String>,
}

impl<'a> PathHoles<'a> {
    pub(super) fn new(peers: &'a [Peer], own_path: &'a str, params: &'a [Param]) -> Self {
        Self { peers, own_path, params, used: Vec::new() }
    }

    fn param_part(
        &mut self,
        param: &Param,
        holes: &mut Holes<'_>,
        problems: &mut Problems<'_>,
    ) -> Option<Part> {
        self.used.push(param.name.clone());
        match &param.value {
            ParamConfig::Resolve { resource, field, batch: Some(batch) } => {
                holes.batched(&resource.value, field, batch, problems)
            }
            ParamConfig::Resolve { resource, field, batch: None } => {
                holes.parent_field(&resource.value, &field.value, &resource.at, problems)
            }
            ParamConfig::One(Text::Plain(text)) => {
                // `params: {id: "{resources.posts.id}"}` with `{id}` in the path.
                match pieces(text).ok()?.as_slice() {
                    [Piece::Hole(hole)] => {
                        let (name, field) = hole.strip_prefix("resources.")?.split_once('.')?;
                        holes.parent_field(name, field, &param.at, problems)
                    }
                    _ => Some(Part::Text(Text::Plain(text.clone()))),
                }
            }
            ParamConfig::One(secret) => Some(Part::Text(secret.clone())),
            ParamConfig::Null | ParamConfig::Many(_) | ParamConfig::Incremental(_) => {
                problems.add(&param.at, format!("`{{{}}}` in the path needs one fixed value", param.name));
                None
            }
        }
    }
}

impl Bare for PathHoles<'_> {
    fn part(
        &mut self,
        name: &str,
        at: &Spot,
        holes: &mut Holes<'_>,
        problems: &mut Problems<'_>,
    ) -> Option<Part> {
        if let Some(param) = self.params.iter().find(|param| param.name == name) {
            return self.param_part(param, holes, problems);
        }
        let Some((parent, field)) = owner(self.peers, holes.own, self.own_path, name) else {
            let left_out: Vec<Peer> = holes.left_out.iter().map(|name| Peer::named(name)).collect();
            if let Some((parent, _)) = owner(&left_out, holes.own, self.own_path, name) {
                problems.add_with_hint(
                    at,
                    format!("`{parent}` would give `{{{name}}}` its value, and is left out by its `when`"),
                    LEFT_OUT_HINT,
                );
                return None;
            }
            let names: Vec<&str> = holes.names.iter().copied().filter(|peer| *peer != holes.own).collect();
            let segment = segment_before(self.own_path, name);
            let tried = match segment {
                Some(segment) => {
                    format!("no resource's path ends in `{segment}`, and none is named after `{name}`")
                }
                None => format!("no resource is named after `{name}`"),
            };
            let known =
                if names.is_empty() { String::new() } else { format!("; the file has {}", few(&names)) };
            problems.add_with_hint(
                at,
                format!("nothing gives `{{{name}}}` its value: {tried}{known}"),
                format!(
                    "write `{{resources.<name>.<field>}}` in its place, or give `params: {{{name}: ...}}`"
                ),
            );
            return None;
        };
        let first = holes.parent.is_none();
        let path = Path::parse(&field).ok()?;
        let part = holes.parent_path(&parent, path.clone(), at, problems)?;
        holes.include.push(IncludeField { name: name.to_owned(), path });
        if first {
            problems.note(format!(
                "`{{{name}}}` in the path is `{field}` of each record of `{parent}`, which every row carries as `{name}`"
            ));
        }
        Some(part)
    }
}

/// The resource whose records give a placeholder its value, and their field.
pub(super) fn owner(peers: &[Peer], own: &str, own_path: &str, name: &str) -> Option<(String, String)> {
    let all = placeholders(own_path);
    let last = all.last()?;
    // The last placeholder decides on the parent; those before it reach this resource through the parent's rows.
    let (parent, field) = direct_owner(peers, own, own_path, last)?;
    if last == name {
        return Some((parent.name.clone(), field));
    }
    placeholders(&parent.path)
        .iter()
        .any(|known| known == name)
        .then(|| (parent.name.clone(), name.to_owned()))
}

fn direct_owner<'a>(peers: &'a [Peer], own: &str, own_path: &str, name: &str) -> Option<(&'a Peer, String)> {
    // The path up to the placeholder: `customers` of `customers/{customer_id}/credits`.
    let before =
        own_path.split_once(&format!("{{{name}}}")).map_or("", |(before, _)| before).trim_end_matches('/');
    let segment = segment_before(own_path, name);
    let others = || {
        peers
            .iter()
            .filter(|peer| peer.name != own && !placeholders(&peer.path).iter().any(|hole| hole == name))
    };
    let by_name = |peer: &&Peer| {
        let one = singular(&peer.name);
        [format!("{one}_id"), format!("{one}Id"), format!("{one}id"), one.clone(), format!("{one}_uuid")]
            .iter()
            .any(|known| known == name)
    };
    let parent = others()
        .find(|peer| !before.is_empty() && peer.path == before)
        .or_else(|| others().find(|peer| segment.is_some() && last_segment(&peer.path) == segment))
        .or_else(|| others().find(|peer| segment == Some(peer.name.as_str())))
        .or_else(|| others().find(by_name))?;
    Some((parent, parent.key.clone().unwrap_or_else(|| "id".to_owned())))
}

/// The segment before a placeholder that has a segment to itself.
fn segment_before<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let hole = format!("{{{name}}}");
    let mut before = None;
    for segment in path.split('/') {
        if segment == hole {
            return before;
        }
        before = Some(segment).filter(|segment| !segment.is_empty() && !segment.contains('{'));
    }
    None
}

fn last_segment(path: &str) -> Option<&str> {
    path.rsplit('/').find(|segment| !segment.is_empty())
}

/// The placeholders without a dot.
pub(super) fn placeholders(path: &str) -> Vec<String> {
    let Ok(pieces) = pieces(path) else { return Vec::new() };
    pieces
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Hole(hole) if !hole.contains('.') => Some(hole),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(list: &[(&str, &str)]) -> Vec<Peer> {
        list.iter()
            .map(|(name, path)| Peer { name: (*name).to_owned(), path: (*path).to_owned(), key: None })
            .collect()
    }

    fn bound(list: &[(&str, &str)], path: &str, name: &str) -> Option<(String, String)> {
        owner(&peers(list), "child", path, name)
    }

    fn to(parent: &str, field: &str) -> Option<(String, String)> {
        Some((parent.to_owned(), field.to_owned()))
    }

    #[test]
    fn the_segment_before_names_the_parent() {
        let list = [("clients", "v2/customers"), ("customer", "customers/{customer_id}")];
        assert_eq!(bound(&list, "customers/{customer_id}/ledger", "customer_id"), to("clients", "id"));
        assert_eq!(
            bound(&[("subscriptions", "subs")], "subscriptions/{id}/usage", "id"),
            to("subscriptions", "id")
        );
    }

    #[test]
    fn the_placeholder_names_the_parent() {
        let list = [("companies", "list/all"), ("taxes", "settings/taxes")];
        assert_eq!(bound(&list, "x/{company_id}/y", "company_id"), to("companies", "id"));
        assert_eq!(bound(&list, "x/{taxId}/y", "taxId"), to("taxes", "id"));
        assert_eq!(bound(&list, "x/{other_id}/y", "other_id"), None);
    }

    #[test]
    fn grandparents_come_through_the_parent() {
        let list = [("orgs", "orgs"), ("repos", "orgs/{org_id}/repos")];
        let path = "orgs/{org_id}/repos/{repo_id}/issues";
        assert_eq!(bound(&list, path, "repo_id"), to("repos", "id"));
        assert_eq!(bound(&list, path, "org_id"), to("repos", "org_id"));
    }
}
