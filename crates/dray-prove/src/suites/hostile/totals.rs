//! Pages that are not as long as they should be, and totals that are not true.

use dray_sim::Response;
use serde_json::{Value, json};

use super::{Case, Due, NAMED, OFFSET, PAGE, PAGES, by_offset, by_page, number, records, with};

/// The cases.
pub(super) const CASES: &[Case] = &[
    (
        "the server caps its pages, with a total",
        OFFSET,
        |_, r| with(by_offset(r, 100, 7), "total", json!(100)),
        Due::Rows(100),
    ),
    (
        "the server caps its pages, without a total",
        OFFSET,
        |_, r| Response::json(&by_offset(r, 100, 7)),
        Due::Rows(100),
    ),
    ("page numbers of capped pages", PAGE, |_, r| Response::json(&by_page(r, 70, 7)), Due::Rows(70)),
    ("one record on every page", OFFSET, |_, r| Response::json(&by_offset(r, 5, 1)), Due::Rows(5)),
    (
        "pages of changing size",
        OFFSET,
        |n, r| with(by_offset(r, 60, 4 + n % 5), "total", json!(60)),
        Due::Rows(60),
    ),
    (
        "more records than asked for",
        OFFSET,
        |_, r| {
            let from = number(r, "offset");
            with(json!({ "data": records(from, from + 25, 100) }), "total", json!(100))
        },
        Due::Rows(100),
    ),
    (
        "the total goes up and down",
        OFFSET,
        |n, r| with(by_offset(r, 100, 10), "total", json!(if n % 3 == 1 { 130 } else { 100 })),
        Due::Rows(100),
    ),
    (
        "the total flaps to less than was read",
        OFFSET,
        |n, r| with(by_offset(r, 100, 10), "total", json!(if n % 2 == 0 { 100 } else { 30 })),
        Due::Rows(100),
    ),
    (
        "one page has a total of its own",
        OFFSET,
        |_, r| {
            let total = if number(r, "offset") == 40 { 30 } else { 100 };
            with(by_offset(r, 100, 10), "total", json!(total))
        },
        Due::Rows(100),
    ),
    (
        "the total is null now and then",
        OFFSET,
        |n, r| with(by_offset(r, 100, 10), "total", if n % 2 == 0 { json!(100) } else { Value::Null }),
        Due::Rows(100),
    ),
    (
        "a named total is null",
        NAMED,
        |_, r| with(by_offset(r, 100, 10), "total", Value::Null),
        Due::Error("no total"),
    ),
    (
        "a named total is missing in the middle",
        NAMED,
        |n, r| {
            if n == 2 {
                Response::json(&by_offset(r, 100, 10))
            } else {
                with(by_offset(r, 100, 10), "total", json!(100))
            }
        },
        Due::Error("no total"),
    ),
    (
        "a named total is a word",
        NAMED,
        |_, r| with(by_offset(r, 100, 10), "total", json!("many")),
        Due::Error("no total"),
    ),
    ("a total in text", NAMED, |_, r| with(by_offset(r, 100, 10), "total", json!("100")), Due::Rows(100)),
    (
        "a total that counts the page",
        OFFSET,
        |_, r| with(by_offset(r, 47, 10), "total", json!(3)),
        Due::Rows(47),
    ),
    (
        "the total is too high",
        OFFSET,
        |_, r| with(by_offset(r, 100, 10), "total", json!(150)),
        Due::Error("total says that more"),
    ),
    (
        "the total of pages is too high",
        PAGES,
        |_, r| with(by_page(r, 100, 10), "pages", json!(15)),
        Due::Error("total says that more"),
    ),
    (
        "page numbers, and the total counts records",
        "paginator: {type: page_number, base_page: 1, limit: 10, total_path: total}",
        |_, r| with(by_page(r, 95, 10), "total", json!(95)),
        Due::Rows(95),
    ),
    (
        "a total of records that page numbers do not reach",
        PAGE,
        |_, r| with(by_page(r, 30, 10), "total", json!(100)),
        Due::Error("fewer records than its total"),
    ),
    (
        "an empty page in the middle, once",
        OFFSET,
        |n, r| {
            if n == 3 {
                with(json!({"data": []}), "total", json!(100))
            } else {
                with(by_offset(r, 100, 10), "total", json!(100))
            }
        },
        Due::Rows(100),
    ),
    (
        "an empty page in the middle, always",
        OFFSET,
        |_, r| {
            let empty = number(r, "offset") == 30;
            with(if empty { json!({"data": []}) } else { by_offset(r, 100, 10) }, "total", json!(100))
        },
        Due::Error("total says that more"),
    ),
    (
        "an empty page of numbers in the middle, once",
        PAGES,
        |n, r| with(if n == 3 { json!({"data": []}) } else { by_page(r, 100, 10) }, "pages", json!(10)),
        Due::Rows(100),
    ),
    (
        "an empty first page with a total",
        OFFSET,
        |_, _| Response::json(&json!({"data": [], "total": 5})),
        Due::Error("total says that more"),
    ),
    (
        "204 in the middle, with a total",
        OFFSET,
        |_, r| {
            if number(r, "offset") == 30 {
                Response::status(204)
            } else {
                with(by_offset(r, 100, 10), "total", json!(100))
            }
        },
        Due::Error("nothing where it announced"),
    ),
    (
        "204 beyond the end",
        PAGE,
        |_, r| {
            if number(r, "page") > 3 { Response::status(204) } else { Response::json(&by_page(r, 30, 10)) }
        },
        Due::Rows(30),
    ),
    (
        "offsets are rounded down to whole pages",
        OFFSET,
        |_, r| {
            let from = number(r, "offset") / 10 * 10;
            Response::json(&json!({ "data": records(from, from + 10, 95) }))
        },
        Due::Rows(95),
    ),
    (
        "offsets are rounded up to whole pages",
        OFFSET,
        |_, r| {
            let from = number(r, "offset").div_ceil(10) * 10;
            Response::json(&json!({ "data": records(from, from + 10, 95) }))
        },
        Due::Rows(95),
    ),
    (
        "records overlap at every border",
        PAGE,
        |_, r| {
            let from = number(r, "page").saturating_sub(1) * 9;
            Response::json(&json!({ "data": records(from, from + 10, 50) }))
        },
        Due::Rows(50),
    ),
    (
        "a record was deleted after the first page",
        OFFSET,
        |n, r| {
            // The ids from 1 on, or all of them with one more at the front that goes.
            let from = number(r, "offset");
            let list: Vec<Value> = (if n == 0 { 0 } else { 1 }..40).map(|id| json!({ "id": id })).collect();
            let page: Vec<&Value> = list.iter().skip(usize::try_from(from).unwrap_or(0)).take(10).collect();
            Response::json(&json!({"data": page, "total": list.len()}))
        },
        Due::Rows(40),
    ),
    (
        "a record was deleted, and there is no total",
        OFFSET,
        |n, r| {
            let from = number(r, "offset");
            let list: Vec<Value> = (if n == 0 { 0 } else { 1 }..40).map(|id| json!({ "id": id })).collect();
            let page: Vec<&Value> = list.iter().skip(usize::try_from(from).unwrap_or(0)).take(10).collect();
            Response::json(&json!({ "data": page }))
        },
        Due::Rows(40),
    ),
    (
        "a record was inserted before each page",
        PAGE,
        |_, r| {
            // The newest first: before each page there is one more, whoever is asked for it when.
            let newest = 31 + number(r, "page").clamp(1, 8);
            let from = number(r, "page").saturating_sub(1) * 10;
            let data: Value = (from..from + 10)
                .filter_map(|place| newest.checked_sub(place))
                .map(|id| json!({ "id": id }))
                .collect();
            Response::json(&json!({ "data": data }))
        },
        Due::Rows(33),
    ),
];
