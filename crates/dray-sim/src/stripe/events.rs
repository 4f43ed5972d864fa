//! The feed of events: one for every charge when it was made (in the place of each tenth one for an invoice that will
//! be), one for everything that a test does to an object. As Stripe does, the feed keeps thirty days and shows objects
//! as they were at the time of the event.

use serde_json::{Value, json};

use super::kinds::{Deleted, Kind, named};
use super::list::{Created, Listing, Problem};
use crate::draw;
use crate::message::Request;
use crate::world::{What, World, mark_revision};

/// The invoice of this event is not there yet, so it has no id.
const UPCOMING: &str = "invoice.upcoming";
const PREFIX: &str = "evt_";
const KEPT: i64 = 30 * 86_400;
/// As many exact types can be asked for at once.
const MOST_TYPES: usize = 20;

/// An event, before it is written.
struct Event {
    /// No other event has this number: what a test did has the odd ones.
    number: u64,
    at: i64,
    kind: &'static Kind,
    index: u64,
    revision: u64,
    /// Its type.
    name: &'static str,
}

/// The events that the feed still has, oldest first.
fn kept(world: &World) -> Vec<Event> {
    let oldest = world.now() - KEPT;
    let mut events = Vec::new();
    for index in world.first_at_or_after(world.size, oldest)..world.size {
        let (kind, name) =
            if index % 10 == 9 { ("invoices", UPCOMING) } else { ("charges", "charge.succeeded") };
        let Some(kind) = named(kind) else { continue };
        events.push(Event { number: index * 2, at: world.created(index), kind, index, revision: 0, name });
    }
    for (number, change) in (0u64..).zip(world.changes()) {
        let Some(kind) = named(&change.resource) else { continue };
        let name = match (change.what, kind.events.deleted) {
            (What::Revised, _) => kind.events.changed,
            (What::Removed, Deleted::Stub(name) | Deleted::Gone(name)) => name,
            (What::Removed, Deleted::Never) => "",
        };
        if !name.is_empty() && change.at >= oldest {
            let (index, revision) = (change.index, change.revision);
            events.push(Event { number: number * 2 + 1, at: change.at, kind, index, revision, name });
        }
    }
    events.sort_by_key(|event| (event.at, event.number));
    events
}

impl Event {
    fn show(&self, world: &World) -> Value {
        let mut object = self.kind.show(world, self.index);
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("revision");
        }
        mark_revision(&mut object, self.revision);
        if self.name == UPCOMING
            && let Some(invoice) = object.as_object_mut()
        {
            invoice.shift_remove("id");
        }
        let mut data = json!({"object": object});
        if self.name == self.kind.events.changed {
            let before = self.revision.checked_sub(1).filter(|before| *before > 0);
            let before = before.map(|before| before.to_string());
            data["previous_attributes"] = json!({"metadata": {"revision": before}});
        }
        json!({
            "id": draw::id(PREFIX, world.seed, self.number),
            "object": "event",
            "api_version": "2022-11-15",
            "created": self.at,
            "data": data,
            "livemode": false,
            "pending_webhooks": 0,
            "request": {"id": null, "idempotency_key": null},
            "type": self.name,
        })
    }
}

/// The list as it is asked for.
pub(super) fn list<'a>(
    world: &'a World,
    request: &Request,
    created: &Created,
) -> Result<Listing<'a>, Problem> {
    let wanted = Wanted::of(request)?;
    let mut events = kept(world);
    events.retain(|event| created.holds(event.at) && wanted.holds(event.name));
    let numbers: Vec<u64> = events.iter().map(|event| event.number).collect();
    Ok(Listing {
        low: 0,
        high: u64::try_from(events.len()).unwrap_or(u64::MAX),
        newest_first: true,
        noun: "event",
        find: Box::new(move |id| {
            let number = draw::index_of(PREFIX, world.seed, id)?;
            let at = numbers.iter().position(|known| *known == number)?;
            u64::try_from(at).ok()
        }),
        keep: None,
        show: Box::new(move |at| {
            let event = usize::try_from(at).ok().and_then(|at| events.get(at));
            event.map_or(Value::Null, |event| event.show(world))
        }),
    })
}

/// The event with this id.
pub(super) fn one(world: &World, id: &str) -> Option<Value> {
    let number = draw::index_of(PREFIX, world.seed, id)?;
    kept(world).iter().find(|event| event.number == number).map(|event| event.show(world))
}

/// Every event, oldest first.
pub(super) fn expected(world: &World) -> Vec<Value> {
    kept(world).iter().map(|event| event.show(world)).collect()
}

/// Which types are asked for: `type`, whose `*` is any text, or `types[]`, which are exact.
struct Wanted {
    pattern: Option<String>,
    types: Vec<String>,
}

impl Wanted {
    fn of(request: &Request) -> Result<Self, Problem> {
        let pattern = request.param("type").map(str::to_owned);
        let named = request.query.iter().filter(|(name, _)| name == "types[]");
        let types: Vec<String> = named.map(|(_, value)| value.clone()).collect();
        if pattern.is_some() && !types.is_empty() {
            let message = "You may only specify one of these parameters: type, types.".to_owned();
            return Err(Problem::invalid(400, None, Some("type"), message));
        }
        if types.len() > MOST_TYPES {
            let message = format!("Array types exceeded maximum {MOST_TYPES} allowed elements.");
            return Err(Problem::invalid(400, None, Some("types"), message));
        }
        Ok(Self { pattern, types })
    }

    fn holds(&self, name: &str) -> bool {
        let fits = match self.pattern.as_deref().map(|pattern| pattern.split_once('*')) {
            None => true,
            Some(None) => self.pattern.as_deref() == Some(name),
            Some(Some((before, after))) => name.starts_with(before) && name.ends_with(after),
        };
        fits && (self.types.is_empty() || self.types.iter().any(|wanted| wanted == name))
    }
}
