//! FastBill: as a plain GET API (key in the query, limit and offset, no total) and, in `api`, as it is. Numbers and flags
//! are strings.

mod api;

use serde_json::{Value, json};

use crate::clock::{date, sql};
use crate::draw::Draw;
use crate::message::{Request, Response};
use crate::world::World;

pub(crate) const KEY: &str = "sim-fastbill-key-4242";

pub(crate) use api::EMAIL;

/// Three lists of the plain form, five of the other.
pub(crate) const RESOURCES: &[&str] = &[
    "products",
    "recurring_invoices",
    "revenues",
    "customers",
    "articles",
    "invoices",
    "recurrings",
    "incomes",
];

/// Answers one request.
pub(crate) fn answer(world: &World, request: &Request) -> Response {
    if request.method == "POST" && request.path == api::PATH {
        return api::answer(world, request);
    }
    let key = request.param("api_key");
    if key != Some(KEY) {
        return error(401, "api_key is missing or wrong");
    }
    let segments = request.segments();
    let ("GET", ["v1", name]) = (request.method.as_str(), segments.as_slice()) else {
        return error(404, "unknown service");
    };
    let Some(record) = record_of(name) else { return error(404, "unknown service") };
    let Some(limit) = number(request, "limit", 10).filter(|limit| (1..=100).contains(limit)) else {
        return error(400, "limit must be a number from 1 to 100");
    };
    let Some(offset) = number(request, "offset", 0) else {
        return error(400, "offset must be a number");
    };
    let (page, _) = world.offset_page(name, offset, limit);
    let data: Vec<Value> = page.into_iter().map(|index| record(world, index)).collect();
    Response::json(&json!({"data": data}))
}

fn number(request: &Request, name: &str, default: u64) -> Option<u64> {
    request.param(name).map_or(Some(default), |text| text.parse().ok())
}

/// An error body with a list of texts, as FastBill's `RESPONSE.ERRORS`.
pub(crate) fn error(status: u16, message: &str) -> Response {
    Response::json(&json!({"errors": [message]})).with_status(status)
}

/// Every record of a resource; there are no children.
pub(crate) fn expected(world: &World, resource: &str) -> Vec<(String, Value)> {
    let Some(record) = record_of(resource) else { return api::expected(world, resource).unwrap_or_default() };
    world.indexes(resource).into_iter().map(|index| (String::new(), record(world, index))).collect()
}

fn record_of(resource: &str) -> Option<fn(&World, u64) -> Value> {
    match resource {
        "products" => Some(product),
        "recurring_invoices" => Some(recurring_invoice),
        "revenues" => Some(revenue),
        _ => None,
    }
}

/// Ids are numbers in strings; the leading zeros belong to them.
fn id(base: u64, index: u64) -> String {
    format!("{:08}", base + index)
}

fn updated(world: &World, resource: &str, index: u64) -> String {
    let revision = world.revision(resource, index);
    sql(world.created(index) + 60 * crate::world::int(revision))
}

fn product(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "product", index);
    json!({
        "id": id(10_000, index),
        "article_number": format!("{index:05}"),
        "product_name": format!("{} Größe {}", draw.pick(&["Hülle", "Kabel", "Lampe"]), draw.below(50)),
        "description": if draw.one_in(3) { "" } else { "Zeile 1\nZeile 2; \"zitiert\"" },
        "unit_price": format!("{}.{:02}", draw.below(900), draw.below(100)),
        "currency_code": "EUR",
        "vat_percent": format!("{}.00", draw.pick(&["7", "19", "0"])),
        "is_gross": draw.pick(&["0", "1"]),
        "tags": if draw.one_in(2) { json!("neu,aktion") } else { Value::Null },
        "last_update": updated(world, "products", index),
    })
}

fn item(draw: &mut Draw, base: u64) -> Value {
    json!({
        "INVOICE_ITEM_ID": base.to_string(),
        "ARTICLE_NUMBER": format!("{:05}", draw.below(900)),
        "DESCRIPTION": "Monatliche Gebühr",
        "QUANTITY": format!("{}.0000", draw.between(1, 5)),
        "UNIT_PRICE": format!("{}.{:04}", draw.below(90), draw.below(10_000)),
        "VAT_PERCENT": "19.00",
        "VAT_VALUE": format!("{}.{:02}", draw.below(9), draw.below(100)),
        "COMPLETE_NET": draw.below(9_000),
        "SORT_ORDER": draw.between(1, 9),
    })
}

fn recurring_invoice(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "recurring", index);
    let created = world.created(index);
    let items: Vec<Value> = (0..draw.below(4)).map(|at| item(draw, index * 4 + at)).collect();
    json!({
        "id": id(20_000, index),
        "type": "recurring",
        "customer_id": draw.between(1, 500).to_string(),
        "customer_name": draw.company(),
        "currency_code": "EUR",
        "invoice_date": date(created),
        "start_date": date(created),
        "frequency": draw.pick(&["monthly", "quarterly", "yearly"]),
        "occurrences": draw.below(24).to_string(),
        "output_type": draw.pick(&["draft", "outgoing"]),
        "email_notify": draw.pick(&["0", "1"]),
        "sub_total": draw.below(9_000),
        "ITEMS": items,
        "last_update": updated(world, "recurring_invoices", index),
    })
}

fn revenue(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "revenue", index);
    let created = world.created(index);
    let paid = draw.one_in(2);
    let items: Vec<Value> = (0..draw.below(3)).map(|at| item(draw, index * 4 + at)).collect();
    json!({
        "id": id(30_000, index),
        "invoice_number": format!("R-{index:06}"),
        "revenue_amount": format!("{}.{:02}", draw.below(9_000), draw.below(100)),
        "customer_id": draw.between(1, 500).to_string(),
        "invoice_date": date(created),
        "due_date": date(created + 14 * 86_400),
        "paid_date": if paid { json!(date(created + 3 * 86_400)) } else { json!("0000-00-00 00:00:00") },
        "is_canceled": draw.pick(&["0", "0", "1"]),
        "comment": "",
        "payment_type": draw.between(1, 6).to_string(),
        "vat_total": if draw.one_in(4) { json!(0) } else { json!(19.5) },
        "VAT_ITEMS": [{"VAT_PERCENT": "19.00", "COMPLETE_VAT": draw.below(900)}],
        "ITEMS": items,
        "last_update": updated(world, "revenues", index),
    })
}
