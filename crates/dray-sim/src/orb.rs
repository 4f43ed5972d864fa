//! Orb: bearer token, opaque cursors, newest first; ledgers, balances and usage under their parents.

mod events;
mod records;
mod usage;

use serde_json::{Value, json};

use crate::clock::parse_iso;
use crate::draw;
use crate::message::{Request, Response};
use crate::world::{Groups, World};
use records::{BLOCKS, LEDGER};
use usage::METRICS;

pub(crate) const KEY: &str = "sim-orb-key-4242";

pub(crate) const RESOURCES: &[&str] = &[
    "customers",
    "subscriptions",
    "plans",
    "invoices",
    "credits_ledger_entries",
    "credit_balances",
    "resource_events",
    "subscription_usage",
    "subscription_usage_rows",
];

/// A kind of object: its list's path, the prefix of its ids and how record `index` looks.
pub(crate) struct Kind {
    name: &'static str,
    prefix: &'static str,
    /// The field (and filter) that holds the time of creation.
    time: &'static str,
    record: fn(&World, u64) -> Value,
}

static CUSTOMER: Kind =
    Kind { name: "customers", prefix: "cus_", time: "created_at", record: records::customer };
static SUBSCRIPTION: Kind =
    Kind { name: "subscriptions", prefix: "sub_", time: "created_at", record: records::subscription };
static PLAN: Kind = Kind { name: "plans", prefix: "pln_", time: "created_at", record: records::plan };
static INVOICE: Kind =
    Kind { name: "invoices", prefix: "inv_", time: "invoice_date", record: records::invoice };
static ENTRY: Kind =
    Kind { name: "credits_ledger_entries", prefix: "led_", time: "created_at", record: records::entry };
static BALANCE: Kind =
    Kind { name: "credit_balances", prefix: "blk_", time: "effective_date", record: records::balance };

static TOP: [&Kind; 4] = [&CUSTOMER, &SUBSCRIPTION, &PLAN, &INVOICE];

impl Kind {
    fn id(&self, world: &World, index: u64) -> String {
        draw::id(self.prefix, world.seed, index)
    }
}

/// Answers one request.
pub(crate) fn answer(world: &World, request: &Request) -> Response {
    route(world, request).unwrap_or_else(|problem| *problem)
}

fn route(world: &World, request: &Request) -> Result<Response, Box<Response>> {
    if request.credential("bearer") != Some(KEY) {
        return Err(refuse(401, "The API key is missing or not valid."));
    }
    let segments = request.segments();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["v1", "customers", id, "credits", "ledger"]) => {
            let index = ledger(world, id)?;
            list(world, request, &ENTRY, LEDGER.before(index), LEDGER.before(index + 1), Some(&LEDGER))
        }
        ("GET", ["v1", "customers", id, "credits"]) => {
            let index = ledger(world, id)?;
            list(world, request, &BALANCE, BLOCKS.before(index), BLOCKS.before(index + 1), Some(&BLOCKS))
        }
        ("GET", ["v1", "resource_events"]) => events::answer(world, request),
        ("GET", ["v1", "subscriptions", id, "usage"]) => {
            usage::answer(world, request, parent(world, &SUBSCRIPTION, id)?)
        }
        ("GET", ["v1", name]) => {
            let kind = TOP.into_iter().find(|kind| kind.name == *name);
            let kind = kind.ok_or_else(|| not_found(request))?;
            list(world, request, kind, 0, world.size, None)
        }
        ("GET", ["v1", name, id]) => {
            let kind = TOP.into_iter().find(|kind| kind.name == *name);
            let kind = kind.ok_or_else(|| not_found(request))?;
            Ok(Response::json(&(kind.record)(world, parent(world, kind, id)?)))
        }
        _ => Err(not_found(request)),
    }
}

/// One page, newest first, of the records from `low` to `high`; with `groups` these are children of top-level records.
fn list(
    world: &World,
    request: &Request,
    kind: &Kind,
    mut low: u64,
    mut high: u64,
    groups: Option<&Groups>,
) -> Result<Response, Box<Response>> {
    let first = |unix| {
        let index = world.first_at_or_after(world.size, unix);
        groups.map_or(index, |groups| groups.before(index))
    };
    let (from, until) = times(request, kind.time)?;
    low = from.map_or(low, |unix| low.max(first(unix)));
    high = until.map_or(high, |unix| high.min(first(unix)));
    let limit = limit(request)?;
    if let Some(cursor) = request.param("cursor") {
        let next = draw::index_of(CURSOR, world.seed, cursor);
        high = high.min(next.ok_or_else(|| invalid("The cursor is not valid."))?);
    }
    let take = usize::try_from(world.capped(limit)).unwrap_or(usize::MAX - 1);
    let there = |index: &u64| {
        (groups.is_some() || world.exists(kind.name, *index)) && shown(world, request, kind, *index)
    };
    let mut page: Vec<u64> = (low..high).rev().filter(there).take(take + 1).collect();
    let has_more = page.len() > take;
    page.truncate(take);
    let next = page.last().filter(|_| has_more).map(|last| draw::id(CURSOR, world.seed, *last));
    let data: Vec<Value> = page.into_iter().map(|index| (kind.record)(world, index)).collect();
    Ok(Response::json(&paged(data, has_more, next)))
}

/// The times that filters on `field` leave: the first, and the first that is too late.
fn times(request: &Request, field: &str) -> Result<(Option<i64>, Option<i64>), Box<Response>> {
    let (mut from, mut until) = (None::<i64>, None::<i64>);
    for (name, value) in &request.query {
        let Some(operator) = name.strip_prefix(field) else { continue };
        let unix =
            parse_iso(value).ok_or_else(|| invalid(&format!("{name}: not an ISO 8601 time: {value}")))?;
        match operator {
            "[gt]" => from = from.max(Some(unix + 1)),
            "[gte]" => from = from.max(Some(unix)),
            "[lt]" => until = Some(until.map_or(unix, |end| end.min(unix))),
            "[lte]" => until = Some(until.map_or(unix + 1, |end| end.min(unix + 1))),
            _ => return Err(invalid(&format!("unknown parameter {name}"))),
        }
    }
    Ok((from, until))
}

/// Invoices are listed by status: without `status[]` no drafts and no void ones. A list of balances holds the blocks
/// that are used up only if it is asked for them.
fn shown(world: &World, request: &Request, kind: &Kind, index: u64) -> bool {
    match kind.name {
        "invoices" => {
            let status = records::invoice_status(world, index);
            let mut asked = request
                .query
                .iter()
                .filter(|(name, _)| name == "status[]")
                .map(|(_, value)| value)
                .peekable();
            match asked.peek() {
                Some(_) => asked.any(|value| value == status),
                None => !matches!(status, "draft" | "void"),
            }
        }
        "credit_balances" => request.param("include_all_blocks") == Some("true") || !records::used_up(index),
        _ => true,
    }
}

/// The customer of a ledger; `credits_ledger_entries` counts as removed for one that has none.
fn ledger(world: &World, customer: &str) -> Result<u64, Box<Response>> {
    let index = parent(world, &CUSTOMER, customer)?;
    if world.exists(ENTRY.name, index) {
        return Ok(index);
    }
    Err(refuse(404, &format!("{customer} has no credits ledger.")))
}

/// A cursor says below which index the next page begins.
const CURSOR: &str = "c1_";

fn paged(data: Vec<Value>, has_more: bool, next: Option<String>) -> Value {
    json!({"data": data, "pagination_metadata": {"has_more": has_more, "next_cursor": next}})
}

fn limit(request: &Request) -> Result<u64, Box<Response>> {
    let Some(text) = request.param("limit") else { return Ok(20) };
    match text.parse::<u64>() {
        Ok(limit @ 1..=100) => Ok(limit),
        _ => Err(invalid("limit must be a number from 1 to 100")),
    }
}

fn parent(world: &World, kind: &Kind, id: &str) -> Result<u64, Box<Response>> {
    let found = draw::index_of(kind.prefix, world.seed, id).filter(|&index| world.exists(kind.name, index));
    found.ok_or_else(|| refuse(404, &format!("{id} was not found in {}.", kind.name)))
}

fn not_found(request: &Request) -> Box<Response> {
    refuse(404, &format!("There is no {} {}.", request.method, request.path))
}

fn invalid(detail: &str) -> Box<Response> {
    refuse(400, detail)
}

fn refuse(status: u16, detail: &str) -> Box<Response> {
    Box::new(error(status, detail))
}

/// An error body after RFC 7807, as Orb writes it.
pub(crate) fn error(status: u16, detail: &str) -> Response {
    let (kind, title) = match status {
        400 => ("request-validation-errors", "Request validation failed"),
        401 => ("authentication-error", "Authentication failed"),
        404 => ("url-not-found", "Not found"),
        429 => ("too-many-requests", "Too many requests"),
        _ => ("server-error", "Something went wrong"),
    };
    let mut body = json!({
        "type": format!("https://docs.withorb.com/reference/error-responses#{kind}"),
        "status": status,
        "title": title,
        "detail": detail,
    });
    if status == 400 {
        body["validation_errors"] = json!([detail]);
    }
    Response::json(&body).with_status(status)
}

/// Names the cursor that was just sent as the next one; without a sent one, a cursor to the first page.
pub(crate) fn repeat_cursor(request: &Request, body: &mut Value) {
    let sent = request.param("cursor").unwrap_or("c1_first");
    body["pagination_metadata"] = json!({"has_more": true, "next_cursor": sent});
}

/// Every record of a resource with its parent's id, oldest parent first.
pub(crate) fn expected(world: &World, resource: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    match resource {
        "credits_ledger_entries" | "credit_balances" => {
            let (kind, groups) = if resource == ENTRY.name { (&ENTRY, &LEDGER) } else { (&BALANCE, &BLOCKS) };
            for index in world.indexes("customers").into_iter().filter(|&at| world.exists(ENTRY.name, at)) {
                let children = groups.before(index)..groups.before(index + 1);
                all.extend(children.map(|child| (CUSTOMER.id(world, index), (kind.record)(world, child))));
            }
        }
        "resource_events" => {
            all.extend(events::expected(world).map(|event| (String::new(), event)));
        }
        "subscription_usage" | "subscription_usage_rows" => {
            for index in world.indexes("subscriptions") {
                let id = SUBSCRIPTION.id(world, index);
                for metric in 0..METRICS.count(index) {
                    let item = usage::metric_usage(world, index, metric, usage::billing_period(world, index));
                    if resource == "subscription_usage" {
                        all.push((id.clone(), item));
                    } else {
                        all.extend(usage::rows(&item).map(|row| (id.clone(), row)));
                    }
                }
            }
        }
        name => {
            if let Some(kind) = TOP.into_iter().find(|kind| kind.name == name) {
                let indexes = world.indexes(name).into_iter();
                all.extend(indexes.map(|index| (String::new(), (kind.record)(world, index))));
            }
        }
    }
    all
}
