//! Orb's feed of changes: an event for each record that was made and for each change of one.

use serde_json::{Value, json};

use super::{CURSOR, Kind, TOP, invalid, limit, paged, times};
use crate::clock::iso;
use crate::draw;
use crate::message::{Request, Response};
use crate::world::{Change, What, World};

/// The kind that `resource_type` names: one of `customers` is a `customer`.
fn kind_of(name: &str) -> Option<&'static Kind> {
    TOP.into_iter().find(|kind| kind.name.strip_suffix('s') == Some(name))
}

/// One page of the events of one type of resource, newest first.
pub(super) fn answer(world: &World, request: &Request) -> Result<Response, Box<Response>> {
    let kind = request.param("resource_type").and_then(kind_of);
    let kind = kind.ok_or_else(|| invalid("resource_type must be a type of resource"))?;
    let (from, until) = times(request, "created_at")?;
    let events = of_kind(world, kind);
    let limit = usize::try_from(limit(request)?).unwrap_or(100);
    let end = match request.param("cursor") {
        None => events.len(),
        Some(cursor) => {
            let at = draw::index_of(CURSOR, world.seed, cursor).and_then(|at| usize::try_from(at).ok());
            at.ok_or_else(|| invalid("The cursor is not valid."))?
        }
    };
    let wanted = |at: i64| from.is_none_or(|from| at >= from) && until.is_none_or(|until| at < until);
    let below = events.iter().enumerate().take(end).rev();
    let mut page: Vec<(usize, &Value)> = below
        .filter(|(_, (at, _))| wanted(*at))
        .map(|(index, (_, event))| (index, event))
        .take(limit + 1)
        .collect();
    let has_more = page.len() > limit;
    page.truncate(limit);
    let last = page.last().filter(|_| has_more).and_then(|(index, _)| u64::try_from(*index).ok());
    let next = last.map(|index| draw::id(CURSOR, world.seed, index));
    let data = page.into_iter().map(|(_, event)| event.clone()).collect();
    Ok(Response::json(&paged(data, has_more, next)))
}

/// The events of all types.
pub(super) fn expected(world: &World) -> impl Iterator<Item = Value> {
    TOP.into_iter().flat_map(|kind| of_kind(world, kind)).map(|(_, event)| event)
}

/// Oldest first, each with its time.
fn of_kind(world: &World, kind: &'static Kind) -> Vec<(i64, Value)> {
    let made = (0..world.size).map(|index| (world.created(index), index, 0));
    let ours = |change: &&Change| change.resource == kind.name && change.what == What::Revised;
    let changed =
        world.changes().iter().filter(ours).map(|change| (change.at, change.index, change.revision));
    let mut all: Vec<_> = made.chain(changed).collect();
    all.sort_unstable();
    all.into_iter().map(|(at, index, revision)| (at, event(world, kind, at, index, revision))).collect()
}

fn event(world: &World, kind: &Kind, at: i64, index: u64, revision: u64) -> Value {
    let name = kind.name.trim_end_matches('s');
    let what = if revision == 0 { "created" } else { "edited" };
    json!({
        "id": draw::id(&format!("evt_{name}_{revision}_"), world.seed, index),
        "type": format!("{name}.{what}"),
        "created_at": iso(at),
        "resource_type": name,
        "resource_id": kind.id(world, index),
    })
}
