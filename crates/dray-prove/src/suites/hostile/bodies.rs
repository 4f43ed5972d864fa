//! Bodies that are no pages, and statuses.

use dray_sim::Response;
use serde_json::{Value, json};

use super::{Case, Due, PAGE, by_page, number, records, with};

/// The cases.
pub(super) const CASES: &[Case] = &[
    (
        "200 with an error in the middle, with a selector",
        PAGE,
        |n, r| {
            if n == 3 {
                Response::json(&json!({"error": "rate limited"}))
            } else {
                Response::json(&by_page(r, 95, 10))
            }
        },
        Due::Error("selector matches nothing"),
    ),
    (
        "200 with an error in the middle, no selector",
        "no data_selector, paginator: {type: page_number, base_page: 1, limit: 10}",
        |n, r| {
            if n == 3 {
                Response::json(&json!({"error": "rate limited"}))
            } else {
                Response::json(&by_page(r, 95, 10))
            }
        },
        Due::Error("the selector matches nothing"),
    ),
    (
        "200 with an error in the middle, wildcard selector",
        "data_selector: 'data[*]', paginator: {type: page_number, base_page: 1, limit: 10}",
        |n, r| {
            if n == 3 {
                Response::json(&json!({"error": "rate limited"}))
            } else {
                Response::json(&by_page(r, 95, 10))
            }
        },
        Due::Error("selector matches nothing"),
    ),
    (
        "200 with an error on the first page",
        PAGE,
        |_, _| Response::json(&json!({"error": "no"})),
        Due::Error("selector matches nothing"),
    ),
    (
        "the list is null at the end",
        PAGE,
        |_, r| {
            let body = by_page(r, 20, 10);
            if number(r, "page") > 2 { with(body, "data", Value::Null) } else { Response::json(&body) }
        },
        Due::Rows(20),
    ),
    (
        "the list has another name on the second page",
        PAGE,
        |n, r| {
            if n == 1 {
                Response::json(&json!({"items": records(10, 20, 20)}))
            } else {
                Response::json(&by_page(r, 20, 10))
            }
        },
        Due::Error("selector matches nothing"),
    ),
    (
        "an HTML page in the middle, once",
        PAGE,
        |n, r| {
            if n == 2 {
                Response::status(200).with_header("content-type", "text/html").with_body("<html>busy</html>")
            } else {
                Response::json(&by_page(r, 45, 10))
            }
        },
        Due::Rows(45),
    ),
    (
        "an HTML page in the middle, always",
        PAGE,
        |_, r| {
            if number(r, "page") == 3 {
                Response::status(200).with_header("content-type", "text/html").with_body("<html>login</html>")
            } else {
                Response::json(&by_page(r, 45, 10))
            }
        },
        Due::Error("not JSON"),
    ),
    (
        "an empty body, once",
        PAGE,
        |n, r| if n == 2 { Response::status(200) } else { Response::json(&by_page(r, 45, 10)) },
        Due::Rows(45),
    ),
    (
        "an empty body, always",
        PAGE,
        |_, r| {
            if number(r, "page") == 3 { Response::status(200) } else { Response::json(&by_page(r, 45, 10)) }
        },
        Due::Error("JSON was expected"),
    ),
    (
        "half a body, once",
        PAGE,
        |n, r| {
            let whole = by_page(r, 45, 10).to_string();
            let half = whole.get(..whole.len() / 2).unwrap_or_default().to_owned();
            if n == 2 { Response::status(200).with_body(half) } else { Response::json(&by_page(r, 45, 10)) }
        },
        Due::Rows(45),
    ),
    (
        "503 three times, then good",
        PAGE,
        |n, r| if (2..5).contains(&n) { Response::status(503) } else { Response::json(&by_page(r, 45, 10)) },
        Due::Rows(45),
    ),
    (
        "503 for ever",
        PAGE,
        |n, r| if n >= 2 { Response::status(503) } else { Response::json(&by_page(r, 45, 10)) },
        Due::Error("cannot answer"),
    ),
    (
        "429 without Retry-After, twice",
        PAGE,
        |n, r| if (1..3).contains(&n) { Response::status(429) } else { Response::json(&by_page(r, 45, 10)) },
        Due::Rows(45),
    ),
    (
        "429 with Retry-After 0",
        PAGE,
        |n, r| {
            if n == 1 {
                Response::status(429).with_header("retry-after", "0")
            } else {
                Response::json(&by_page(r, 45, 10))
            }
        },
        Due::Rows(45),
    ),
    (
        "429 with a Retry-After of hours",
        PAGE,
        |n, r| {
            if n == 1 {
                Response::status(429).with_header("retry-after", "86400")
            } else {
                Response::json(&by_page(r, 45, 10))
            }
        },
        Due::Error("429"),
    ),
    (
        "401 in the middle",
        PAGE,
        |n, r| if n >= 2 { Response::status(401) } else { Response::json(&by_page(r, 45, 10)) },
        Due::Error("401"),
    ),
    (
        "403 in the middle",
        PAGE,
        |n, r| if n >= 2 { Response::status(403) } else { Response::json(&by_page(r, 45, 10)) },
        Due::Error("403"),
    ),
    (
        "404 in the middle of full pages",
        PAGE,
        |n, r| if n >= 2 { Response::status(404) } else { Response::json(&by_page(r, 45, 10)) },
        Due::Error("404"),
    ),
    (
        "404 beyond a lone short page",
        "paginator: {type: page_number, base_page: 1, limit: 100}",
        |n, r| if n >= 1 { Response::status(404) } else { Response::json(&by_page(r, 3, 10)) },
        Due::Rows(3),
    ),
    (
        "redirects in a circle",
        PAGE,
        |_, _| Response::status(302).with_header("location", "/items"),
        Due::Error("circles"),
    ),
    (
        "a redirect to another origin",
        PAGE,
        |_, _| Response::status(302).with_header("location", "http://127.0.0.2:9/items"),
        Due::Error("another origin"),
    ),
    ("a redirect to nothing", PAGE, |_, _| Response::status(302), Due::Error("302")),
    ("status 600", PAGE, |_, _| Response::status(600), Due::Error("600")),
    (
        "a key with another type on the second page",
        PAGE,
        |n, r| {
            let mut body = by_page(r, 15, 10);
            for record in body["data"].as_array_mut().into_iter().flatten() {
                record["v"] = if n == 0 { json!(1) } else { json!({"deep": [1, 2]}) };
            }
            Response::json(&body)
        },
        Due::Rows(15),
    ),
    (
        "the same record twice on a page",
        PAGE,
        |_, r| {
            let last = number(r, "page") > 1;
            let first = json!([{"id": 0}, {"id": 1}, {"id": 1}]);
            Response::json(&json!({"data": if last { json!([]) } else { first }}))
        },
        Due::Rows(2),
    ),
];
