//! Stripe at version 2022-11-15: lists by object id, newest first; documented errors; embedded lists cut at ten; a feed
//! of events.

mod events;
mod kinds;
mod list;
mod records;
mod shape;

use serde_json::{Value, json};

use crate::draw;
use crate::message::{Request, Response};
use crate::world::World;
use kinds::{Asked, Deleted, Kind, NESTED, Nested, TOP, TRANSACTION, TRANSACTIONS};
use list::{Keep, Listing, Problem};

pub(crate) const KEY: &str = "sim-stripe-key-4242";

pub(crate) const RESOURCES: &[&str] = &[
    "charges",
    "customers",
    "invoices",
    "invoice_line_items",
    "subscriptions",
    "subscriptions_active",
    "subscription_items",
    "payouts",
    "payout_transactions",
    "balance_transactions",
    "events",
    "payment_intents",
    "setup_intents",
    "setup_attempts",
    "refunds",
    "disputes",
    "products",
    "prices",
    "plans",
    "coupons",
    "promotion_codes",
    "tax_rates",
    "shipping_rates",
    "invoice_items",
    "credit_notes",
    "credit_note_line_items",
    "checkout_sessions",
    "checkout_session_line_items",
    "subscription_schedules",
    "transfers",
    "transfer_reversals",
    "top_ups",
    "application_fees",
    "reviews",
    "payment_methods",
    "customer_balance_transactions",
];

/// Answers one request.
pub(crate) fn answer(world: &World, request: &Request) -> Response {
    let number = draw::id("req_", world.seed, u64::try_from(request.path.len()).unwrap_or(0));
    route(world, request).unwrap_or_else(Problem::into_response).with_header("request-id", number)
}

fn route(world: &World, request: &Request) -> Result<Response, Problem> {
    match request.credential("bearer") {
        None => return Err(Problem::unauthorized("You did not provide an API key.")),
        Some(KEY) => {}
        Some(_) => return Err(Problem::unauthorized("Invalid API Key provided: sim-***")),
    }
    let unrecognized = || Problem::unrecognized(request);
    let path =
        request.path.strip_prefix("/v1/").filter(|_| request.method == "GET").ok_or_else(unrecognized)?;
    if path == "events" {
        let created = list::created(request)?;
        let events = events::list(world, request, &created)?;
        return list::answer(world, request, events, &["created", "type", "types", "delivery_success"]);
    }
    if path == TRANSACTION.path {
        return transactions(world, request);
    }
    if let Some(kind) = TOP.iter().find(|kind| kind.path == path) {
        return top_list(world, request, kind);
    }
    for nested in &NESTED {
        if let Some(found) = nested_list(world, request, path, nested) {
            return found;
        }
    }
    let (path, id) = path.rsplit_once('/').ok_or_else(unrecognized)?;
    if path == "events" {
        let found = events::one(world, id).ok_or_else(|| Problem::no_such(404, "event", id, "id"))?;
        return Ok(Response::json(&found));
    }
    let kind = TOP.iter().find(|kind| kind.path == path).ok_or_else(unrecognized)?;
    object(world, kind, id)
}

/// One object by its id.
fn object(world: &World, kind: &Kind, id: &str) -> Result<Response, Problem> {
    if let Some(index) = kind.index(world, id)
        && index < world.size
        && !world.exists(kind.name, index)
        && let Deleted::Stub(_) = kind.events.deleted
    {
        return Ok(Response::json(&kind.stub(world, index)));
    }
    let index = known(world, kind, id, 404, "id")?;
    Ok(Response::json(&kind.show(world, index)))
}

fn top_list(world: &World, request: &Request, kind: &'static Kind) -> Result<Response, Problem> {
    let dated = kind.filters.contains(&"created");
    let (mut low, mut high) = (0, world.size);
    if dated {
        let created = list::created(request)?;
        (low, high) = (created.first(world, world.size), created.end(world, world.size));
    }
    let mut keep: Keep<'_> = None;
    if kind.filters.contains(&"status") {
        let status = request.param("status").unwrap_or("").to_owned();
        keep = Some(Box::new(move |index| match status.as_str() {
            "all" => true,
            "" => !records::is_canceled(index),
            wanted => records::subscription_status(index) == wanted,
        }));
    }
    if let Some(id) = request.param("customer").filter(|_| kind.filters.contains(&"customer")) {
        let wanted = parent(world, "customers", id, 400, "customer")?;
        keep = Some(Box::new(move |index| records::customer_of(world.seed, index) == wanted));
    }
    list::answer(world, request, Listing::of(world, kind, low, high, keep), kind.filters)
}

fn transactions(world: &World, request: &Request) -> Result<Response, Problem> {
    let created = list::created(request)?;
    let mut low = TRANSACTIONS.before(created.first(world, world.size));
    let mut high = TRANSACTIONS.before(created.end(world, world.size));
    if let Some(id) = request.param("payout") {
        let index = parent(world, "payouts", id, 400, "payout")?;
        if records::is_manual(index) {
            let message =
                "Balance transaction history can only be filtered on automatic transfers, not manual.";
            return Err(Problem::invalid(400, None, Some("payout"), message.to_owned()));
        }
        low = low.max(TRANSACTIONS.before(index));
        high = high.min(TRANSACTIONS.before(index + 1));
    }
    list::answer(world, request, Listing::of(world, &TRANSACTION, low, high, None), TRANSACTION.filters)
}

/// A nested list, if it is the one that is asked for.
fn nested_list(
    world: &World,
    request: &Request,
    path: &str,
    nested: &'static Nested,
) -> Option<Result<Response, Problem>> {
    let (id, status, param, params) = match nested.asked {
        Asked::By(list, param) => {
            if list != path {
                return None;
            }
            match request.param(param) {
                Some(id) => (id, 400, param, vec![param]),
                None => return Some(Err(Problem::missing(param))),
            }
        }
        Asked::Below(tail) => {
            let above = kinds::named(nested.parents)?.path;
            let rest = path.strip_prefix(above)?.strip_prefix('/')?;
            let (id, below) = rest.split_once('/')?;
            if below != tail {
                return None;
            }
            (id, 404, "id", Vec::new())
        }
    };
    let listed = parent(world, nested.parents, id, status, param).and_then(|index| {
        let children = nested.children(index);
        let mut listing = Listing::of(world, &nested.kind, children.start, children.end, None);
        listing.newest_first = nested.newest_first;
        list::answer(world, request, listing, &params)
    });
    Some(listed)
}

/// The index of an object of a top-level kind that a request names.
fn parent(world: &World, name: &str, id: &str, status: u16, param: &str) -> Result<u64, Problem> {
    let kind = kinds::named(name).ok_or_else(|| Problem::no_such(status, name, id, param))?;
    known(world, kind, id, status, param)
}

fn known(world: &World, kind: &Kind, id: &str, status: u16, param: &str) -> Result<u64, Problem> {
    let found = kind.index(world, id).filter(|&index| world.exists(kind.name, index));
    found.ok_or_else(|| Problem::no_such(status, kind.object, id, param))
}

/// An error ordered by a test.
pub(crate) fn simulated_error(status: u16, message: &str) -> Response {
    match status {
        401 => Problem::unauthorized(message).into_response(),
        429 => Problem::invalid(429, Some("rate_limit"), None, message.to_owned()).into_response(),
        500.. => Problem::api_error(status, message.to_owned()).into_response(),
        _ => Problem::invalid(status, None, None, message.to_owned()).into_response(),
    }
}

/// The last record's id is the next page's token here: give it the id that was just sent.
pub(crate) fn repeat_cursor(request: &Request, body: &mut Value) {
    let last = body["data"].as_array_mut().and_then(|data| data.last_mut());
    if let (Some(sent), Some(last)) = (request.param("starting_after"), last) {
        last["id"] = json!(sent);
    }
    body["has_more"] = json!(true);
}

/// Every record of a resource with its parent's id, oldest parent first.
pub(crate) fn expected(world: &World, resource: &str) -> Vec<(String, Value)> {
    let alone = |records: Vec<Value>| records.into_iter().map(|record| (String::new(), record)).collect();
    let transactions = |range: std::ops::Range<u64>| range.map(|index| TRANSACTION.show(world, index));
    match resource {
        "events" => alone(events::expected(world)),
        "payout_transactions" => {
            let automatic = world.indexes("payouts").into_iter().filter(|&index| !records::is_manual(index));
            let of = |payout: u64| {
                let id = kinds::id_of("payouts", world, payout);
                let all = transactions(TRANSACTIONS.before(payout)..TRANSACTIONS.before(payout + 1));
                all.map(move |record| (id.clone(), record))
            };
            automatic.flat_map(of).collect()
        }
        "balance_transactions" => alone(transactions(0..TRANSACTIONS.before(world.size)).collect()),
        "subscriptions_active" => {
            let active =
                world.indexes("subscriptions").into_iter().filter(|&index| !records::is_canceled(index));
            alone(active.map(|index| records::subscription(world, index)).collect())
        }
        name => {
            if let Some(nested) = NESTED.iter().find(|nested| nested.name == name) {
                let of = |parent: u64| {
                    let id = kinds::id_of(nested.parents, world, parent);
                    nested.children(parent).map(move |child| (id.clone(), nested.kind.show(world, child)))
                };
                return world.indexes(nested.parents).into_iter().flat_map(of).collect();
            }
            let Some(kind) = kinds::named(name) else { return Vec::new() };
            alone(world.indexes(name).into_iter().map(|index| kind.show(world, index)).collect())
        }
    }
}
