//! Records made over, formats, and answers that are no pages.

use std::sync::atomic::{AtomicUsize, Ordering};

use dray_sim::{Request, Response};
use serde_json::json;

use super::{Dish, data};

#[test]
fn filter_and_map() {
    let dish = Dish::new("Filter and map", |_| {
        data(&json!([
            {"id": 1, "state": "open", "total": "12.5", "email": "Ada@Example.com", "first": "Ada", "last": "L"},
            {"id": 2, "state": "void", "total": "12.5", "email": "B@x", "first": "B", "last": "C"},
            {"id": 3, "state": "open", "total": "0.00", "email": "C@x", "first": "C", "last": "D"},
            {"id": 4, "state": null, "total": null, "email": "D@x", "first": "D", "last": "E"},
        ]))
    });
    let ran = dish.cooked();
    assert_eq!(
        dish.rows("SELECT id, email, name FROM {}.people ORDER BY id"),
        ["1|ada@example.com|Ada L", "4|d@x|D E"]
    );
    assert_eq!(ran.count("people", "filtered"), 2);
}

#[test]
fn explode() {
    let dish = Dish::new("Explode", |_| {
        data(&json!([
            {"id": 1, "lines": [{"line": 1, "sku": "a"}, {"line": 2, "sku": "b"}]},
            {"id": 2, "lines": []},
            {"id": 3, "lines": [{"line": 1, "sku": "c"}]},
        ]))
    });
    dish.cooked();
    assert_eq!(
        dish.rows("SELECT order_id, line, sku FROM {}.order_lines ORDER BY 1, 2"),
        ["1|1|a", "1|2|b", "3|1|c"]
    );
}

#[test]
fn a_tree_on_one_page() {
    let dish = Dish::new("A tree on one page", |_| {
        data(&json!([
            {"id": 1, "children": [{"id": 2, "children": [{"id": 3}]}, {"id": 4, "children": []}]},
            {"id": 5},
        ]))
    });
    dish.cooked();
    assert_eq!(
        dish.rows("SELECT id, parent_id FROM {}.categories ORDER BY 1"),
        ["1|NULL", "2|1", "3|2", "4|1", "5|NULL"]
    );
}

#[test]
fn keep_drop_rename_set() {
    let dish = Dish::new("Keep, drop, rename, set", |_| {
        data(&json!([{"sku": "a1", "etag": 1, "secret_note": "x", "size": {"code": "L", "etag": 2}}]))
    });
    dish.cooked();
    assert_eq!(dish.rows("SELECT * EXCLUDE (_dlt_id, _dlt_load_id) FROM {}.articles"), ["a1|L|shop|a1/L"]);
}

#[test]
fn types_of_columns() {
    let dish = Dish::new("Types of columns", |_| {
        data(&json!([
            {"id": 1, "joined": 1_704_067_200, "born": "31.12.1999", "email": " Ada@Example.com ", "balance": "12.30"},
            {"id": 2, "joined": null, "born": null, "email": "  ", "balance": 5},
        ]))
    });
    dish.cooked();
    assert_eq!(
        dish.rows("SELECT epoch(joined)::BIGINT, born, email, balance FROM {}.members ORDER BY id"),
        ["1704067200|1999-12-31|ada@example.com|12.30", "NULL|NULL|NULL|5.00"]
    );
}

#[test]
fn csv() {
    // `ü` in ISO-8859-1, a quoted delimiter, an empty field.
    let dish = Dish::new("CSV", |_| {
        let body: &[u8] = b"name;amount;day\nM\xfcller;12.50;2024-01-31\n\"a;b\";;2024-02-01\n";
        Response::status(200).with_header("content-type", "text/csv").with_body(body)
    });
    dish.cooked();
    assert_eq!(
        dish.rows("SELECT name, amount, day FROM {}.export ORDER BY day"),
        ["M\u{fc}ller|12.50|2024-01-31", "a;b|NULL|2024-02-01"]
    );
}

#[test]
fn json_lines() {
    let dish = Dish::new("JSON lines", |_| {
        Response::status(200)
            .with_header("content-type", "text/plain")
            .with_body("{\"id\": 1}\n{\"id\": 2}\n")
    });
    dish.cooked();
    assert_eq!(dish.rows("SELECT id FROM {}.log ORDER BY 1"), ["1", "2"]);
}

#[test]
fn xml() {
    // One item, and one tag in it: both are lists all the same.
    let dish = Dish::new("XML", |_| {
        let body = "<rss><channel><item id=\"7\"><title>T &amp; U</title><tag>x</tag></item></channel></rss>";
        Response::status(200).with_header("content-type", "application/xml").with_body(body)
    });
    dish.cooked();
    assert_eq!(
        dish.rows(
            "SELECT a.title, t.value FROM {}.articles AS a JOIN {}.articles__tag AS t ON t._dlt_parent_id = a._dlt_id"
        ),
        ["T & U|x"]
    );
}

#[test]
fn errors_in_an_answer_of_200() {
    let answers = [
        (json!({"code": 0, "data": [{"id": 1}]}), None),
        (json!({"code": 17, "message": "no such tenant", "data": []}), Some("no such tenant")),
        (json!({"code": 0}), Some("there is no data in the answer")),
    ];
    for (answer, error) in answers {
        let dish = Dish::new("Errors in an answer of 200", move |_| Response::json(&answer));
        let ran = dish.bench.run("recipe.yaml", &[]);
        assert_eq!(ran.code, i32::from(error.is_some()), "{}", ran.stderr);
        if let Some(error) = error {
            assert!(ran.stderr.contains(error), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_refusal_that_passes() {
    let asked = AtomicUsize::new(0);
    let dish = Dish::new("A refusal that passes", move |_: &Request| {
        if asked.fetch_add(1, Ordering::Relaxed) == 0 {
            return Response::status(403).with_body("too fast");
        }
        data(&json!([{"id": 1}]))
    });
    // The delay is not what is tested.
    let quick = "client.response_actions=[{status_code: 403, content: too fast, action: retry, delay: 1ms}]";
    let ran = dish.cooked_with(&["--set", quick]);
    assert_eq!(ran.count("products", "retries"), 1);
    assert_eq!(dish.rows("SELECT id FROM {}.products"), ["1"]);
}
