//! Flags, tokens and links that lead nowhere, or somewhere else.

use dray_sim::Response;
use serde_json::{Value, json};

use super::{
    CURSOR, CURSOR_FLAG, Case, Due, FLAG, HEADER, LAST, LINK, PAGE, by_cursor, by_offset, by_page, number,
    records, with,
};

/// The cases.
pub(super) const CASES: &[Case] = &[
    (
        "more, and no token",
        CURSOR_FLAG,
        |_, r| with(json!({"data": records(0, 10, 10)}), "more", json!(number(r, "cursor") == 0)),
        Due::Error("no token"),
    ),
    (
        "more, and an empty token",
        CURSOR_FLAG,
        |_, _| Response::json(&json!({"data": records(0, 10, 10), "more": true, "next": ""})),
        Due::Error("no token"),
    ),
    (
        "no more, and a token",
        CURSOR_FLAG,
        |_, _| Response::json(&json!({"data": records(0, 10, 10), "more": false, "next": "x"})),
        Due::Rows(10),
    ),
    (
        "more, and nothing on the page",
        FLAG,
        |_, r| {
            let page = number(r, "page");
            Response::json(&json!({"data": records(page * 10 - 10, page * 10, 20), "more": true}))
        },
        Due::Error("more follow"),
    ),
    (
        "more for ever, and nothing on any page",
        FLAG,
        |_, _| Response::json(&json!({"data": [], "more": true})),
        Due::Error("more follow"),
    ),
    (
        "the flag is missing in the middle",
        FLAG,
        |n, r| {
            let body = by_page(r, 50, 10);
            if n == 2 { Response::json(&body) } else { with(body, "more", json!(n < 4)) }
        },
        Due::Error("has_more_path"),
    ),
    (
        "the flag is a word",
        FLAG,
        |_, r| with(by_page(r, 50, 10), "more", json!("maybe")),
        Due::Error("has_more_path"),
    ),
    (
        "the flag says no too early, the total knows better",
        "paginator: {type: offset, limit: 10, has_more_path: more}",
        |_, r| {
            let mut body = by_offset(r, 100, 10);
            body["more"] = json!(false);
            with(body, "total", json!(100))
        },
        Due::Rows(100),
    ),
    (
        "an empty page with a token in the middle",
        CURSOR,
        |_, r| {
            let page = number(r, "cursor");
            if page == 2 {
                return Response::json(&json!({"data": [], "next": "3"}));
            }
            let shift = if page > 2 { 10 } else { 0 };
            let mut body = by_cursor(r, 4);
            body["data"] = records(page * 10 - shift, page * 10 + 10 - shift, u64::MAX);
            Response::json(&body)
        },
        Due::Rows(40),
    ),
    (
        "empty pages with new tokens for ever",
        CURSOR,
        |n, _| Response::json(&json!({"data": [], "next": format!("t{n}")})),
        Due::Error("never end"),
    ),
    (
        "the token is a list",
        CURSOR,
        |_, _| Response::json(&json!({"data": records(0, 10, 10), "next": ["a"]})),
        Due::Error("neither text nor a number"),
    ),
    (
        "the token is an object",
        CURSOR,
        |_, _| Response::json(&json!({"data": records(0, 10, 10), "next": {"a": 1}})),
        Due::Error("neither text nor a number"),
    ),
    (
        "the token is a number",
        CURSOR,
        |_, r| {
            let page = number(r, "cursor");
            with(by_cursor(r, 3), "next", if page < 3 { json!(page + 1) } else { json!(0) })
        },
        Due::Rows(40),
    ),
    (
        "the token has expired",
        CURSOR,
        |n, r| if n == 3 { Response::status(410) } else { Response::json(&by_cursor(r, 5)) },
        Due::Error("may have expired"),
    ),
    (
        "the token is refused with 400",
        CURSOR,
        |n, r| {
            if n == 3 {
                Response::json(&json!({"error": "bad cursor"})).with_status(400)
            } else {
                Response::json(&by_cursor(r, 5))
            }
        },
        Due::Error("may have expired"),
    ),
    (
        "the record that the next page begins after was deleted",
        LAST,
        |n, _| {
            if n == 0 {
                Response::json(&json!({"data": records(0, 10, 10), "more": true}))
            } else {
                Response::json(&json!({"error": "no such object"})).with_status(400)
            }
        },
        Due::Error("refuses"),
    ),
    (
        "the last record lacks the field",
        LAST,
        |_, _| Response::json(&json!({"data": [{"id": 1}, {"uid": 2}], "more": true})),
        Due::Error("lacks the field"),
    ),
    (
        "the same cursor twice",
        CURSOR,
        |n, _| with(json!({"data": records(n * 10, n * 10 + 10, 1000)}), "next", json!("a")),
        Due::Error("never end"),
    ),
    (
        "the last page again and again",
        CURSOR,
        |n, _| {
            with(
                json!({"data": records(n.min(3) * 10, n.min(3) * 10 + 10, 1000)}),
                "next",
                json!(format!("t{n}")),
            )
        },
        Due::Error("never end"),
    ),
    (
        "the link leads to another host",
        LINK,
        |_, _| Response::json(&json!({"data": records(0, 10, 10), "next": "http://127.0.0.2:9/items"})),
        Due::Error("another origin"),
    ),
    (
        "the link leads to another scheme",
        LINK,
        |_, _| Response::json(&json!({"data": records(0, 10, 10), "next": "ftp://127.0.0.1/items"})),
        Due::Error("neither http nor https"),
    ),
    (
        "the link is no URL",
        LINK,
        |_, _| Response::json(&json!({"data": records(0, 10, 10), "next": "http://[x"})),
        Due::Error("not a URL"),
    ),
    (
        "the link has spaces and umlauts",
        LINK,
        |n, _| {
            let next = if n < 3 { json!(format!("/items?q=a b ä&page={}", n + 1)) } else { Value::Null };
            Response::json(&json!({"data": records(n * 10, n * 10 + 10, 40), "next": next}))
        },
        Due::Rows(40),
    ),
    (
        "the link is the page itself",
        LINK,
        |_, _| Response::json(&json!({"data": records(0, 10, 10), "next": "/items"})),
        Due::Error("never end"),
    ),
    (
        "several relations in one header",
        HEADER,
        |n, _| {
            let link = format!(
                "</items?page=0>; rel=\"first prev\", </items?page={}>; title=\"a, b\"; rel=next",
                n + 1
            );
            let answer = Response::json(&json!({"data": records(n * 10, n * 10 + 10, 40)}));
            if n < 3 { answer.with_header("link", link) } else { answer }
        },
        Due::Rows(40),
    ),
    (
        "a broken link header",
        HEADER,
        |n, _| {
            let answer = Response::json(&json!({"data": records(0, 10, 10)}));
            if n == 0 { answer.with_header("link", "<<>>; rel") } else { answer }
        },
        Due::Rows(10),
    ),
    (
        "the page number is ignored",
        PAGE,
        |_, _| Response::json(&json!({"data": records(0, 10, 10)})),
        Due::Error("never end"),
    ),
    (
        "nobody named a paginator, and there is more",
        "paginator: auto",
        |_, _| Response::json(&json!({"data": records(0, 10, 10), "has_more": true})),
        Due::Error("more pages follow"),
    ),
];
