//! Stripe at version 2022-11-15: lists by object id, newest first; documented errors; embedded lists cut at ten.

mod list;
mod records;

use serde_json::{Value, json};

use crate::draw;
use crate::message::{Request, Response};
use crate::world::World;
use list::{Problem, Span};
use records::{ITEMS, LINES, TRANSACTIONS};

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
];

/// A kind of object: its list's path, the prefix of its ids and how record `index` looks.
pub(crate) struct Kind {
    name: &'static str,
    prefix: &'static str,
    record: fn(&World, u64) -> Value,
}

impl Kind {
    fn id(&self, world: &World, index: u64) -> String {
        draw::id(self.prefix, world.seed, index)
    }

    fn index(&self, world: &World, id: &str) -> Option<u64> {
        draw::index_of(self.prefix, world.seed, id)
    }
}

static CHARGE: Kind = Kind { name: "charges", prefix: "ch_", record: records::charge };
static CUSTOMER: Kind = Kind { name: "customers", prefix: "cus_", record: records::customer };
static INVOICE: Kind = Kind { name: "invoices", prefix: "in_", record: records::invoice };
static LINE: Kind = Kind { name: "lines", prefix: "il_", record: records::line };
static SUBSCRIPTION: Kind = Kind { name: "subscriptions", prefix: "sub_", record: records::subscription };
static ITEM: Kind = Kind { name: "subscription_items", prefix: "si_", record: records::item };
static PAYOUT: Kind = Kind { name: "payouts", prefix: "po_", record: records::payout };
static TRANSACTION: Kind =
    Kind { name: "balance_transactions", prefix: "txn_", record: records::transaction };

/// The kinds whose records are the world's top-level ones.
static TOP: [&Kind; 5] = [&CHARGE, &CUSTOMER, &INVOICE, &SUBSCRIPTION, &PAYOUT];

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
    let segments = request.segments();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["v1", "invoices", id, "lines"]) => {
            let index = parent(world, &INVOICE, id)?;
            let first = LINES.before(index);
            let span = Span::ascending(first, first + LINES.count(index));
            list::answer(world, request, &LINE, span, &[], None)
        }
        ("GET", ["v1", "subscription_items"]) => {
            let id = request.param("subscription").ok_or_else(|| Problem::missing("subscription"))?;
            let index = filter(world, &SUBSCRIPTION, "subscription", id)?;
            let first = ITEMS.before(index);
            let span = Span::ascending(first, first + ITEMS.count(index));
            list::answer(world, request, &ITEM, span, &["subscription"], None)
        }
        ("GET", ["v1", "balance_transactions"]) => transactions(world, request),
        ("GET", ["v1", name]) => {
            let kind = top(name).ok_or_else(|| Problem::unrecognized(request))?;
            top_list(world, request, kind)
        }
        ("GET", ["v1", name, id]) => {
            let kind = top(name).ok_or_else(|| Problem::unrecognized(request))?;
            let index = parent(world, kind, id)?;
            Ok(Response::json(&(kind.record)(world, index)))
        }
        _ => Err(Problem::unrecognized(request)),
    }
}

fn top(name: &str) -> Option<&'static Kind> {
    TOP.into_iter().find(|kind| kind.name == name)
}

fn top_list(world: &World, request: &Request, kind: &'static Kind) -> Result<Response, Problem> {
    let created = list::created(request)?;
    let low = created.first(world, world.size);
    let high = created.end(world, world.size);
    let (params, keep): (&[&str], list::Keep) = match kind.name {
        "subscriptions" => {
            let status = request.param("status").unwrap_or("").to_owned();
            let keep = move |index| match status.as_str() {
                "all" => true,
                "" => !records::is_canceled(index),
                wanted => records::subscription_status(index) == wanted,
            };
            (&["created", "status"], Some(Box::new(keep)))
        }
        "charges" | "invoices" => {
            let customer =
                request.param("customer").map(|id| filter(world, &CUSTOMER, "customer", id)).transpose()?;
            let seed = world.seed;
            let keep = move |index| customer.is_none_or(|wanted| records::customer_of(seed, index) == wanted);
            (&["created", "customer"], Some(Box::new(keep)))
        }
        _ => (&["created"], None),
    };
    list::answer(world, request, kind, Span::descending(low, high), params, keep)
}

fn transactions(world: &World, request: &Request) -> Result<Response, Problem> {
    let params = &["created", "payout"];
    let created = list::created(request)?;
    let mut low = TRANSACTIONS.before(created.first(world, world.size));
    let mut high = TRANSACTIONS.before(created.end(world, world.size));
    if let Some(id) = request.param("payout") {
        let index = filter(world, &PAYOUT, "payout", id)?;
        if records::is_manual(index) {
            let message =
                "Balance transaction history can only be filtered on automatic transfers, not manual.";
            return Err(Problem::invalid(400, None, Some("payout"), message.to_owned()));
        }
        low = low.max(TRANSACTIONS.before(index));
        high = high.min(TRANSACTIONS.before(index + 1));
    }
    list::answer(world, request, &TRANSACTION, Span::descending(low, high), params, None)
}

/// The index of an object named in the path.
fn parent(world: &World, kind: &Kind, id: &str) -> Result<u64, Problem> {
    let found = kind.index(world, id).filter(|&index| world.exists(kind.name, index));
    found.ok_or_else(|| Problem::no_such(404, kind, id, "id"))
}

/// The index of an object named in a parameter.
fn filter(world: &World, kind: &Kind, param: &str, id: &str) -> Result<u64, Problem> {
    let found = kind.index(world, id).filter(|&index| world.exists(kind.name, index));
    found.ok_or_else(|| Problem::no_such(400, kind, id, param))
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
    let children = |parents: &Kind, kind: &Kind, groups: &crate::world::Groups, keep: fn(u64) -> bool| {
        let mut all = Vec::new();
        for index in world.indexes(parents.name).into_iter().filter(|&index| keep(index)) {
            for child in groups.before(index)..groups.before(index + 1) {
                all.push((parents.id(world, index), (kind.record)(world, child)));
            }
        }
        all
    };
    match resource {
        "invoice_line_items" => children(&INVOICE, &LINE, &LINES, |_| true),
        "subscription_items" => children(&SUBSCRIPTION, &ITEM, &ITEMS, |_| true),
        "payout_transactions" => {
            children(&PAYOUT, &TRANSACTION, &TRANSACTIONS, |index| !records::is_manual(index))
        }
        "balance_transactions" => {
            let all = 0..TRANSACTIONS.before(world.size);
            all.map(|index| (String::new(), records::transaction(world, index))).collect()
        }
        "subscriptions_active" => {
            let active =
                world.indexes("subscriptions").into_iter().filter(|&index| !records::is_canceled(index));
            active.map(|index| (String::new(), records::subscription(world, index))).collect()
        }
        name => top(name).map_or_else(Vec::new, |kind| {
            let all = world.indexes(kind.name).into_iter();
            all.map(|index| (String::new(), (kind.record)(world, index))).collect()
        }),
    }
}
