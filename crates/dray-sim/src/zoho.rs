//! Zoho Billing: access tokens from a refresh token, page numbers, an envelope with a code, keys other than `id`.

mod records;
mod token;

use std::time::Duration;

use serde_json::{Value, json};

use crate::message::{Request, Response};
use crate::world::World;
use token::{CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, Tokens};

pub(crate) const SECRETS: &[(&str, &str)] =
    &[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET), ("refresh_token", REFRESH_TOKEN)];

pub(crate) const RESOURCES: &[&str] = &[
    "products",
    "plans",
    "addons",
    "coupons",
    "customers",
    "quotes",
    "invoices",
    "expenses",
    "subscriptions",
    "taxes",
    "transactions",
    "recurring_expenses",
];

/// A list: the resource's name as configurations have it, its path below `/billing/v1`, the key of its records in
/// the answer, and whether the answer says if more pages follow.
struct List {
    resource: &'static str,
    path: &'static str,
    key: &'static str,
    paged: bool,
    record: fn(&World, u64) -> Value,
}

const fn list(resource: &'static str, record: fn(&World, u64) -> Value) -> List {
    List { resource, path: resource, key: resource, paged: true, record }
}

static LISTS: [List; 12] = [
    list("products", records::product),
    list("plans", records::plan),
    list("addons", records::addon),
    List { paged: false, ..list("coupons", records::coupon) },
    list("customers", records::customer),
    List { path: "estimates", key: "estimates", ..list("quotes", records::estimate) },
    list("invoices", records::invoice),
    list("expenses", records::expense),
    list("subscriptions", records::subscription),
    List { path: "settings/taxes", paged: false, ..list("taxes", records::tax) },
    list("transactions", records::transaction),
    List { path: "recurringexpenses", ..list("recurring_expenses", records::recurring_expense) },
];

/// Zoho Billing's state: the tokens it has issued.
pub(crate) struct Zoho {
    tokens: Tokens,
}

impl Zoho {
    pub(crate) fn new(lifetime: Duration, uses: Option<u64>, origin: &str) -> Self {
        Self { tokens: Tokens::new(lifetime, uses, origin) }
    }

    pub(crate) fn answer(&self, world: &World, request: &Request) -> Response {
        if request.path == "/oauth/v2/token" {
            return self.tokens.issue(request);
        }
        let token = request.credential("zoho-oauthtoken").or_else(|| request.credential("bearer"));
        if !token.is_some_and(|token| self.tokens.accept(token, request.at)) {
            return unauthorized();
        }
        if request.method != "GET" {
            return error(405, 37, "The HTTP method is not allowed for the requested resource");
        }
        match LISTS.iter().find(|list| request.path.strip_prefix("/billing/v1/") == Some(list.path)) {
            Some(list) => page(world, request, list),
            None => error(404, 5, "Invalid URL Passed"),
        }
    }

    /// Forgets every issued token and gives the answer that an expired one gets.
    pub(crate) fn expire(&self) -> Response {
        self.tokens.forget();
        unauthorized()
    }
}

fn unauthorized() -> Response {
    error(401, 57, "You are not authorized to perform this operation")
}

fn page(world: &World, request: &Request, list: &List) -> Response {
    let number = |name, default| request.param(name).map_or(Some(default), |text| text.parse::<u64>().ok());
    let Some(page @ 1..) = number("page", 1) else {
        return error(400, 2, "Invalid value passed for page");
    };
    let Some(per_page @ 1..=200) = number("per_page", 200) else {
        return error(400, 2, "Invalid value passed for per_page");
    };
    let size = world.capped(per_page);
    let (indexes, more) = world.offset_page(list.resource, (page - 1).saturating_mul(size), size);
    let records: Vec<Value> = indexes.into_iter().map(|index| (list.record)(world, index)).collect();
    let mut body = json!({"code": 0, "message": "success"});
    body[list.key] = json!(records);
    if list.paged {
        body["page_context"] = json!({
            "page": page,
            "per_page": per_page,
            "has_more_page": more,
            "report_name": list.resource,
            "applied_filter": "Status.All",
            "sort_column": "created_time",
            "sort_order": if world.newest_first { "D" } else { "A" },
        });
    }
    Response::json(&body)
}

/// An error body with Zoho's own code.
pub(crate) fn error(status: u16, code: i64, message: &str) -> Response {
    Response::json(&json!({"code": code, "message": message})).with_status(status)
}

/// A page number has no token to repeat: say that more follow.
pub(crate) fn repeat_cursor(body: &mut Value) {
    if body["page_context"].is_object() {
        body["page_context"]["has_more_page"] = json!(true);
    }
}

/// Every record of a resource; there are no children.
pub(crate) fn expected(world: &World, resource: &str) -> Vec<(String, Value)> {
    let Some(list) = LISTS.iter().find(|list| list.resource == resource) else { return Vec::new() };
    world.indexes(resource).into_iter().map(|index| (String::new(), (list.record)(world, index))).collect()
}
