//! Paging, parents and items.

use std::collections::BTreeSet;

use dray_sim::{Request, Response};
use serde_json::{Value, json};

use super::{Dish, data, ids, number, texts};

#[test]
fn totals_in_headers() {
    let dish = Dish::new("Totals in headers", |request| {
        let page = number(request, "page").unwrap();
        let body = json!(ids((page - 1) * 10..(page * 10).min(30)));
        Response::json(&body).with_header("X-WP-TotalPages", "3")
    });
    dish.cooked();
    assert_eq!(dish.rows("SELECT id FROM {}.posts ORDER BY id"), texts(0..30));
    // The last page is full, and no fourth one is asked for.
    let pages: BTreeSet<_> = dish.asked().into_iter().collect();
    assert!(pages.into_iter().eq([1, 2, 3].map(|page| format!("/posts?per_page=10&page={page}"))));
}

#[test]
fn first_request_without_a_page() {
    let dish = Dish::new("First request without a page", |request| match number(request, "page") {
        Some(0 | 1) => Response::status(400),
        page => {
            let from = page.unwrap_or(1) * 2;
            Response::json(&json!({"reviews": ids(from..from + 2), "pages": 3}))
        }
    });
    dish.cooked();
    assert_eq!(dish.rows("SELECT id FROM {}.reviews ORDER BY id"), texts(2..8));
    assert_eq!(dish.asked()[0], "/reviews?");
}

#[test]
fn offset_in_a_query_text() {
    let dish = Dish::new("Offset in a query text", |request| {
        let query = request.param("query").unwrap();
        let (_, rest) = query.split_once("select * from Item startposition ").unwrap();
        let (start, size) = rest.split_once(" maxresults ").unwrap();
        let (start, size): (usize, usize) = (start.parse().unwrap(), size.parse().unwrap());
        Response::json(&json!({"Item": ids(start..(start + size).min(251))}))
    });
    dish.cooked();
    // Positions are counted from 1.
    assert_eq!(dish.rows("SELECT id FROM {}.items ORDER BY id"), texts(1..251));
}

#[test]
fn offset_in_a_text_body() {
    let dish = Dish::new("Offset in a text body", |request| {
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let offset = body.strip_prefix("fields *; limit 500; offset ").unwrap().strip_suffix(';').unwrap();
        let offset: usize = offset.parse().unwrap();
        Response::json(&json!(ids(offset..(offset + 500).min(700)))).with_header("X-Count", "700")
    });
    dish.cooked();
    assert_eq!(dish.rows("SELECT count(*), count(DISTINCT id) FROM {}.games"), ["700|700"]);
}

#[test]
fn paging_in_a_json_body() {
    let dish = Dish::new("Paging in a JSON body", |request| {
        let mut body = request.json().unwrap();
        let start = body.as_object_mut().unwrap().remove("start_cursor");
        assert_eq!(body, json!({"filter": {"object": "page"}, "page_size": 100}));
        let from: usize = start.map_or(0, |cursor| cursor.as_str().unwrap().parse().unwrap());
        let next = (from < 4).then(|| (from + 2).to_string());
        Response::json(
            &json!({"results": ids(from..from + 2), "has_more": next.is_some(), "next_cursor": next}),
        )
    });
    dish.cooked();
    assert_eq!(dish.rows("SELECT id FROM {}.pages ORDER BY id"), texts(0..6));
}

#[test]
fn cursor_of_the_last_record() {
    let dish = Dish::new("Cursor of the last record", |request| {
        let from = number(request, "starting_after").map_or(0, |last| last + 1);
        Response::json(&json!({"data": ids(from..(from + 100).min(250)), "has_more": from + 100 < 250}))
    });
    dish.cooked();
    assert_eq!(dish.rows("SELECT id FROM {}.tickets ORDER BY id"), texts(0..250));
    assert_eq!(dish.asked().len(), 3);
}

#[test]
fn links_with_an_end_mark() {
    let dish = Dish::new("Links with an end mark", |request| {
        let at = number(request, "at").unwrap_or(0);
        Response::json(&json!({
            "calls": ids(at * 2..at * 2 + 2), "next_page": format!("/calls?at={}", at + 1), "has_more": at < 2,
        }))
    });
    dish.cooked();
    assert_eq!(dish.rows("SELECT id FROM {}.calls ORDER BY id"), texts(0..6));
}

#[test]
fn only_some_parents() {
    let dish = Dish::new("Only some parents", |request| match request.path.as_str() {
        "/invoices" => data(&json!([
            {"id": 1, "status": "void", "total": 5, "customer": {"id": "a"}},
            {"id": 2, "status": "paid", "total": 0, "customer": {"id": "a"}},
            {"id": 3, "status": "paid", "total": 5, "customer": {"id": "b"}},
        ])),
        "/invoices/3/payments" => data(&json!([{"amount": 2}, {"amount": 3}])),
        _ => Response::status(500),
    });
    let ran = dish.cooked();
    assert_eq!(
        dish.rows("SELECT amount, invoice_id, customer FROM {}.payments ORDER BY 1"),
        ["2|3|b", "3|3|b"]
    );
    assert_eq!(ran.count("payments", "filtered"), 2);
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'invoices'";
    assert_eq!(dish.rows(tables), ["0"]);
}

#[test]
fn batches_of_ids() {
    let dish = Dish::new("Batches of ids", |request| match request.path.as_str() {
        "/items" => data(&json!(ids(0..120))),
        _ => {
            let wanted: Vec<usize> =
                request.param("ids").unwrap().split(',').map(|id| id.parse().unwrap()).collect();
            assert!(wanted.len() <= 50, "{wanted:?}");
            data(&wanted.iter().map(|id| json!({"item_id": id, "price": id * 3})).collect())
        }
    });
    dish.cooked();
    let expected: Vec<_> = (0..120).map(|id| format!("{id}|{}", id * 3)).collect();
    assert_eq!(dish.rows("SELECT item_id, price FROM {}.prices ORDER BY 1"), expected);
    // 120 ids are three batches of 50, 50 and 20.
    assert_eq!(dish.asked().len(), 1 + 3);
}

#[test]
fn ancestors() {
    let dish = Dish::new("Ancestors", |request| match request.path.as_str() {
        "/orgs" => data(&json!([{"id": 1, "slug": "red"}, {"id": 2, "slug": "blue"}])),
        "/orgs/1/repos" => data(&json!([{"name": "x"}, {"name": "y"}])),
        "/orgs/2/repos" => data(&json!([{"name": "x"}])),
        "/repos/red/x/issues" => data(&json!([{"title": "one"}])),
        "/repos/red/y/issues" => data(&json!([])),
        "/repos/blue/x/issues" => data(&json!([{"title": "two"}, {"title": "three"}])),
        _ => Response::status(500),
    });
    dish.cooked();
    assert_eq!(
        dish.rows("SELECT title, _repos_name FROM {}.issues ORDER BY 1"),
        ["one|x", "three|x", "two|x"]
    );
}

/// Invoices of 1, 3 and 5 lines, of which a record holds two at the most.
fn invoices(request: &Request) -> Response {
    let line = |invoice: usize, at: usize| json!({"id": format!("{invoice}-{at}")});
    let count = |invoice: usize| invoice * 2 - 1;
    if request.path == "/invoices" {
        let invoices: Vec<Value> = (1..=3)
            .map(|id| {
                let held: Vec<_> = (0..count(id).min(2)).map(|at| line(id, at)).collect();
                let more = held.len() < count(id);
                json!({"id": id, "lines": {"data": held, "has_more": more, "url": format!("/invoices/{id}/lines")}})
            })
            .collect();
        return Response::json(&json!({"data": invoices, "has_more": false}));
    }
    let invoice: usize = request.path.split('/').nth(2).unwrap().parse().unwrap();
    let (_, last) = request.param("starting_after").unwrap().split_once('-').unwrap();
    let rest: Vec<_> =
        (last.parse::<usize>().unwrap() + 1..count(invoice)).map(|at| line(invoice, at)).collect();
    Response::json(&json!({"data": rest, "has_more": false}))
}

#[test]
fn lists_completed() {
    let dish = Dish::new("Lists completed", invoices);
    dish.cooked();
    assert_eq!(
        dish.rows("SELECT id, invoice FROM {}.lines ORDER BY 1"),
        ["1-0|1", "2-0|2", "2-1|2", "2-2|2", "3-0|3", "3-1|3", "3-2|3", "3-3|3", "3-4|3"]
    );
}

#[test]
fn one_resource_for_each_item() {
    let dish = Dish::new("One resource for each item", |request| match request.path.as_str() {
        "/areas/10/load" => data(&json!([{"mw": 1}])),
        "/areas/20/load" => data(&json!([{"mw": 2}, {"mw": 3}])),
        _ => Response::status(500),
    });
    dish.cooked();
    let both = "SELECT 'de', mw FROM {}.de_load UNION ALL SELECT 'fr', mw FROM {}.fr_load ORDER BY ALL";
    assert_eq!(dish.rows(both), ["de|1", "fr|2", "fr|3"]);
}

#[test]
fn one_table_for_all_items() {
    let dish = Dish::new("One table for all items", |request| {
        let close = if request.path == "/prices/AAPL" { 10 } else { 20 };
        Response::json(&json!({"prices": [{"day": "2024-01-01", "close": close}]}))
    });
    dish.cooked();
    // The second run replaces: the key holds the item.
    dish.cooked();
    assert_eq!(
        dish.rows("SELECT ticker, day, close FROM {}.prices ORDER BY 1"),
        ["AAPL|2024-01-01|10", "MSFT|2024-01-01|20"]
    );
}

#[test]
fn items_from_a_file() {
    let dish = Dish::new("Items from a file", |request| {
        Response::json(&json!([{"value": request.param("metric").unwrap().len()}]))
    });
    dish.bench.write("metrics.txt", "visits\nbounces\n");
    dish.cooked();
    assert_eq!(dish.rows("SELECT metric, value FROM {}.stats ORDER BY 1"), ["bounces|7", "visits|6"]);
}

#[test]
fn several_resources_in_one_table() {
    let dish = Dish::new("Several resources in one table", |request| match request.path.as_str() {
        "/customers" => data(&json!([{"id": 1}, {"id": 2}])),
        _ => data(&json!([{"id": 1}])),
    });
    dish.cooked();
    // Only its own rows are replaced by what a resource brings anew.
    dish.cooked_with(&["suppliers"]);
    assert_eq!(
        dish.rows("SELECT id, _dray_resource FROM {}.contacts ORDER BY 2, 1"),
        ["1|customers", "2|customers", "1|suppliers"]
    );
}

#[test]
fn parents_without_a_list() {
    let dish = Dish::new("Parents without a list", |request| match request.path.as_str() {
        "/customers" => data(&json!(ids(1..4))),
        "/customers/1/ledger" => data(&json!([{"entry": 7}])),
        "/customers/2/ledger" => Response::status(404),
        _ => Response::status(403).with_json(&json!({"error": "ledgers are not enabled"})),
    });
    let ran = dish.cooked();
    assert_eq!(dish.rows("SELECT entry, _customers_id FROM {}.ledgers"), ["7|1"]);
    assert_eq!(ran.count("ledgers", "ignored"), 1);
    assert_eq!(ran.report["resources"]["ledgers"]["skipped"]["module is off"], 1);
}
