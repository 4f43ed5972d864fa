//! What a run carries on of what earlier runs left unfinished.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::destination::Restored;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::{self, CursorMove, Resume};
use crate::load::{Families, Segment, fingerprint};
use crate::plan::Plan;

/// What is stored of a partition of an open pass.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Place {
    /// The parent fields that its records carry, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) overlay: Option<String>,
    /// Its last loaded page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<extract::Position>,
    /// How far its cursor came, once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<CursorMove>,
    /// The resource's tables were made for this reading, and its contract asks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) fresh: bool,
}

/// What is known of a resource from earlier runs.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Part of its pass is loaded already.
    pub(super) resumed: bool,
    /// Its rows are all loaded.
    pub(super) finished: bool,
    /// Partitions that are done.
    pub(super) partitions: Vec<String>,
    pub(super) moves: Vec<(Arc<str>, CursorMove)>,
    /// As in [`Place::fresh`].
    pub(super) fresh: bool,
}

/// What to carry on.
#[derive(Debug, Default)]
pub(super) struct Carried {
    pub(super) resume: Resume,
    /// By resource, in the plan's order.
    pub(super) before: Vec<Before>,
    /// To be committed before anything is asked: passes that cannot be carried on.
    pub(super) first: Segment,
    pub(super) notes: Vec<String>,
}

/// Decides which families go on where earlier runs stopped, and which begin again.
pub(super) fn carry_on(
    plan: &Plan,
    needed: &BTreeSet<usize>,
    restored: &Restored,
    families: &Families,
) -> Result<Carried> {
    let mut carried = Carried::default();
    carried.before.resize_with(plan.resources.len(), Before::default);
    let index = |name: &str| plan.resources.iter().position(|resource| resource.name == name);
    let mut roots: BTreeSet<&str> = BTreeSet::new();
    for resource in restored.passes.keys() {
        if index(resource).is_some() {
            roots.insert(families.root(resource));
        } else {
            carried.notes.push(format!(
                "{resource}: no longer in the configuration; its unfinished rows are taken back"
            ));
            carried.first.abandoned.push(resource.clone());
        }
    }
    let mut going_on: BTreeSet<usize> = BTreeSet::new();
    for root in roots {
        let members = families.members(root);
        // Another choice of resources leaves the family as it is.
        if !members.iter().filter_map(|name| index(name)).any(|index| needed.contains(&index)) {
            continue;
        }
        let changed = members.iter().find(|name| {
            let known = index(name).and_then(|index| plan.resources.get(index));
            let pass = restored.passes.get(*name);
            pass.is_some_and(|pass| known.is_none_or(|known| fingerprint(known) != pass.fingerprint))
        });
        let begun = restored.positions.iter().any(|position| members.contains(&position.resource));
        if changed.is_none() && begun {
            going_on.extend(members.iter().filter_map(|name| index(name)));
            carried.notes.push(format!("{root}: goes on where an earlier run stopped"));
            continue;
        }
        let why = match changed {
            Some(name) => format!("`{name}` reads differently in the configuration now"),
            None => "where it stopped was not stored".to_owned(),
        };
        carried
            .notes
            .push(format!("{root}: an earlier run left it unfinished; it begins again, because {why}"));
        let finished = |name: &str| restored.passes.get(name).is_some_and(|pass| pass.finished);
        let given_up = families.give_up(root, finished);
        carried.first.abandoned.extend(given_up.abandoned);
        carried.first.closed.extend(given_up.closed);
    }
    for (name, pass) in &restored.passes {
        let Some(at) = index(name).filter(|index| going_on.contains(index)) else { continue };
        if let Some(before) = carried.before.get_mut(at) {
            (before.resumed, before.finished) = (true, pass.finished);
        }
        if pass.finished {
            carried.resume.complete(at);
        }
    }
    for position in &restored.positions {
        let Some(at) = index(&position.resource).filter(|index| going_on.contains(index)) else { continue };
        let place: Place = serde_json::from_value(position.place.clone()).map_err(|error| {
            Error::new(ErrorKind::State, "cannot read where an earlier run stopped")
                .with("resource", &position.resource)
                .caused_by(error)
        })?;
        let key = position.partition.as_str();
        carried.resume.partition(at, key, place.overlay.as_deref(), place.at, position.done)?;
        if let Some(before) = carried.before.get_mut(at) {
            before.fresh |= place.fresh;
        }
        if let Some(before) = carried.before.get_mut(at).filter(|_| position.done) {
            before.partitions.push(key.to_owned());
            before.moves.extend(place.cursor.map(|cursor| (extract::owner_of(key), cursor)));
        }
    }
    Ok(carried)
}
