//! FastBill's own form: one address, POST, SERVICE in the body, errors with 200, keys in capitals, an id for each kind.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{KEY, record_of};
use crate::clock::sql;
use crate::draw::Draw;
use crate::message::{Request, Response};
use crate::world::World;

pub(crate) const PATH: &str = "/api/1.0/api.php";
pub(crate) const EMAIL: &str = "owner+4242@fastbill.example";

/// A service: what it is called, its list in the answer, the key of its records and how record `index` looks.
struct Service {
    name: &'static str,
    list: &'static str,
    /// The resource, as the oracle calls it.
    resource: &'static str,
    record: fn(&World, u64) -> Value,
}

static SERVICES: [Service; 5] = [
    Service { name: "customer.get", list: "CUSTOMERS", resource: "customers", record: customer },
    Service { name: "article.get", list: "ARTICLES", resource: "articles", record: article },
    Service { name: "invoice.get", list: "INVOICES", resource: "invoices", record: invoice },
    Service { name: "recurring.get", list: "INVOICES", resource: "recurrings", record: recurring },
    Service { name: "revenue.get", list: "REVENUES", resource: "incomes", record: revenue },
];

/// Answers a request to the one address.
pub(super) fn answer(world: &World, request: &Request) -> Response {
    let expected = STANDARD.encode(format!("{EMAIL}:{KEY}"));
    if request.credential("basic") != Some(expected.as_str()) {
        return refuse(&json!({}), "Authentication failed").with_status(401);
    }
    let Some(asked) = request.json() else { return refuse(&json!({}), "No valid JSON") };
    let Some(service) = SERVICES.iter().find(|service| asked["SERVICE"] == service.name) else {
        return refuse(&asked, "Unknown service");
    };
    let number = |name: &str, default: u64| match &asked[name] {
        Value::Null => Some(default),
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    let Some(limit) = number("LIMIT", 10).filter(|limit| (1..=100).contains(limit)) else {
        return refuse(&asked, "LIMIT must be a number from 1 to 100");
    };
    let Some(offset) = number("OFFSET", 0) else { return refuse(&asked, "OFFSET must be a number") };
    let (page, _) = world.offset_page(service.resource, offset, limit);
    let records: Vec<Value> = page.into_iter().map(|index| (service.record)(world, index)).collect();
    let mut response = Map::new();
    response.insert(service.list.to_owned(), records.into());
    Response::json(&json!({"REQUEST": asked, "RESPONSE": response}))
}

/// What is wrong is said in the body, not by the status.
fn refuse(asked: &Value, message: &str) -> Response {
    Response::json(&json!({"REQUEST": asked, "RESPONSE": {"ERRORS": [message]}}))
}

/// Every record of a resource of this form.
pub(super) fn expected(world: &World, resource: &str) -> Option<Vec<(String, Value)>> {
    let service = SERVICES.iter().find(|service| service.resource == resource)?;
    let indexes = world.indexes(resource).into_iter();
    Some(indexes.map(|index| (String::new(), (service.record)(world, index))).collect())
}

/// A record of the plain form in this one: its keys in capitals and an id named after its kind.
fn capitals(world: &World, plain: &str, index: u64, id: &str) -> Value {
    let record = record_of(plain).map(|record| record(world, index)).unwrap_or_default();
    let fields = record.as_object().into_iter().flatten().map(|(key, value)| {
        let key = match key.as_str() {
            "id" => id.to_owned(),
            "product_name" => "TITLE".to_owned(),
            "last_update" => "LASTUPDATE".to_owned(),
            other => other.to_uppercase(),
        };
        (key, value.clone())
    });
    Value::Object(fields.collect())
}

/// Its time of change is that of this form's own resource.
fn changed(world: &World, resource: &str, index: u64, mut record: Value) -> Value {
    let revision = world.revision(resource, index);
    record["LASTUPDATE"] = json!(sql(world.created(index) + 60 * crate::world::int(revision)));
    record
}

fn article(world: &World, index: u64) -> Value {
    changed(world, "articles", index, capitals(world, "products", index, "ARTICLE_ID"))
}

fn recurring(world: &World, index: u64) -> Value {
    changed(world, "recurrings", index, capitals(world, "recurring_invoices", index, "INVOICE_ID"))
}

fn revenue(world: &World, index: u64) -> Value {
    changed(world, "incomes", index, capitals(world, "revenues", index, "INVOICE_ID"))
}

fn invoice(world: &World, index: u64) -> Value {
    let mut record = capitals(world, "revenues", index, "INVOICE_ID");
    record["TYPE"] = json!("outgoing");
    record["TEMPLATE_ID"] = json!("");
    changed(world, "invoices", index, record)
}

fn customer(world: &World, index: u64) -> Value {
    let draw = &mut Draw::new(world.seed, "fastbill customer", index);
    let record = json!({
        "CUSTOMER_ID": format!("{}", 1_000 + index),
        "CUSTOMER_NUMBER": format!("{:05}", index),
        "CUSTOMER_TYPE": draw.pick(&["business", "consumer"]),
        "ORGANIZATION": draw.company(),
        "FIRST_NAME": "",
        "LAST_NAME": draw.person(),
        "ADDRESS": "Große Straße 7",
        "ZIPCODE": "04109",
        "CITY": "Leipzig",
        "COUNTRY_CODE": "DE",
        "EMAIL": format!("kunde{index}@example.com"),
        "VAT_ID": if draw.one_in(3) { json!("") } else { json!(format!("DE{:09}", draw.below(1_000_000_000))) },
        "NEWSLETTER_OPTIN": draw.pick(&["0", "1"]),
        "DAYS_FOR_PAYMENT": draw.between(7, 30).to_string(),
        "CREATED": sql(world.created(index)),
    });
    changed(world, "customers", index, record)
}
