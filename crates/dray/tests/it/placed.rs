//! Numbers and tokens of pages inside other texts, in the first request, and totals in headers.

use dray::error::ErrorKind;
use dray_sim::{Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{endpoint, params, plan_at, records, script, things};

/// The records from `from` on, of ten, with their number in a header.
fn part(from: u64, limit: u64) -> Response {
    Response::json(&records(from.min(10)..(from + limit).min(10))).with_header("X-Total-Count", "10")
}

fn number(text: &str, after: &str) -> u64 {
    let rest = text.split_once(after).unwrap().1.trim();
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

fn bodies(sim: &Sim) -> Vec<String> {
    sim.requests().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect()
}

#[test]
fn a_body_of_plain_text_says_which_page_it_asks_for() {
    let sim = script(|request| {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        part(number(&text, "offset"), number(&text, "limit"))
    });
    let told = endpoint(
        &sim,
        "method: POST, text: 'fields *; limit {paginator.limit}; offset {paginator.offset};', \
         paginator: {type: offset, limit: 4, total_header: X-Total-Count}",
    );
    assert_eq!(told.ids(), (0..10).collect::<Vec<_>>());
    let asked = [0, 4, 8].map(|offset| format!("fields *; limit 4; offset {offset};"));
    assert_eq!(bodies(&sim), asked);
    let kind = |request: &Request| request.header("content-type").map(str::to_owned);
    assert_eq!(kind(&sim.requests()[0]).as_deref(), Some("text/plain; charset=utf-8"));
    assert_eq!(params(&sim, "offset"), [None, None, None]);
    assert_eq!(params(&sim, "limit"), [None, None, None]);
}

#[test]
fn a_query_in_a_parameter_says_which_page_it_asks_for() {
    let sim = script(|request| {
        let query = request.param("query").unwrap();
        part(number(query, "startposition") - 1, number(query, "maxresults"))
    });
    let told = endpoint(
        &sim,
        "params: {query: 'select * from Item startposition {paginator.offset} maxresults {paginator.limit}'}, \
         paginator: {type: offset, offset: 1, limit: 5, drift: off, total_path: null}",
    );
    assert_eq!(told.ids(), (0..10).collect::<Vec<_>>());
    assert_eq!(params(&sim, "offset"), vec![None; sim.requests().len()]);
}

#[test]
fn a_number_in_json_is_text_where_the_template_says_so() {
    let sim = script(|request| {
        let body = request.json().unwrap();
        let page: u64 = body["page"].as_str().unwrap().parse().unwrap();
        part(page * 5, body["size"].as_u64().unwrap())
    });
    let told = endpoint(
        &sim,
        "method: POST, json: {page: '{paginator.page!s}', size: '{paginator.limit}'}, \
         paginator: {type: page_number, base_page: 0, limit: 5, total_header: x-total-count}",
    );
    assert_eq!((told.ids(), told.requests), ((0..10).collect(), 2));
    let first: Value = serde_json::from_str(&bodies(&sim)[0]).unwrap();
    assert_eq!(first, json!({"page": "0", "size": 5}));
}

#[test]
fn a_page_may_be_a_part_of_the_path() {
    let sim = script(|request| {
        let page: u64 = request.path.rsplit('/').next().unwrap().parse().unwrap();
        part((page - 1) * 5, 5)
    });
    let resource = "  - {name: things, endpoint: {path: 'items/page/{paginator.page}', \
        paginator: {type: page_number, base_page: 1, total_header: X-Total-Count}}}";
    let told = things(plan_at(sim.base_url(), &[], "", resource));
    assert_eq!((told.ids(), told.requests), ((0..10).collect(), 2));
}

#[test]
fn totals_may_be_in_headers() {
    // WordPress: pages.
    let sim = script(|request| {
        let page: u64 = request.param("page").unwrap().parse().unwrap();
        part((page - 1) * 4, 4).with_header("X-WP-TotalPages", "3")
    });
    let pages = "paginator: {type: page_number, base_page: 1, total_pages_header: X-WP-TotalPages}";
    let told = endpoint(&sim, pages);
    assert_eq!((told.ids(), told.requests), ((0..10).collect(), 3));
    let told = endpoint(&sim, "paginator: {type: page_number, base_page: 1, total_header: X-Total-Count}");
    assert_eq!((told.ids(), told.requests), ((0..10).collect(), 3));
    let without = script(|_| Response::json(&records(0..4)));
    endpoint(&without, pages).failed(ErrorKind::Pagination, "no total where the configuration says");
    // It says ten and has six.
    let short = script(|request| {
        let page: u64 = request.param("page").unwrap().parse().unwrap();
        let ids = (page - 1) * 4..(page * 4).min(6);
        Response::json(&records(ids.start.min(6)..ids.end)).with_header("X-Total-Count", "10")
    });
    let keys = "paginator: {type: page_number, base_page: 1, total_header: X-Total-Count}";
    endpoint(&short, keys).failed(ErrorKind::Pagination, "empty although the API's total says");
}

#[test]
fn the_first_request_may_go_without_a_number_or_with_a_token() {
    let sim = script(|request| {
        let page: u64 = request.param("page").unwrap_or("1").parse().unwrap();
        part((page - 1) * 5, 5)
    });
    let told = endpoint(
        &sim,
        "paginator: {type: page_number, base_page: 1, omit_first: true, total_header: X-Total-Count}",
    );
    assert_eq!(told.ids(), (0..10).collect::<Vec<_>>());
    assert_eq!(params(&sim, "page"), [None, Some("2".to_owned())]);
    let sim = script(|request| match request.param("cursor") {
        Some("*") => Response::json(&json!({"rows": records(0..2), "next": "b"})),
        Some("b") => Response::json(&json!({"rows": records(2..3), "next": null})),
        _ => Response::status(400),
    });
    let told = endpoint(
        &sim,
        "data_selector: rows, paginator: {type: cursor, cursor_path: next, initial_cursor: '*'}",
    );
    assert_eq!(told.ids(), [0, 1, 2]);
    let sim = script(|request| {
        let body = request.json().unwrap();
        assert_eq!(body["query"], "{ items(after: \"\") }");
        Response::json(&json!({"rows": records(0..2)}))
    });
    let keys = "method: POST, json: {query: '{{ items(after: \"{paginator.cursor}\") }}'}, data_selector: rows, \
        paginator: {type: cursor, cursor_path: next, initial_cursor: ''}";
    assert_eq!(endpoint(&sim, keys).ids(), [0, 1]);
}

#[test]
fn links_may_come_with_a_flag_that_ends_them() {
    let sim = script(|request| {
        let page: u64 = request.param("page").unwrap_or("0").parse().unwrap();
        let next = format!("/items?page={}", page + 1);
        let link = format!("<{next}>; rel=\"next\"");
        let body = json!({"rows": records(page..page + 1), "next": next, "more": page < 2, "end": page == 2});
        Response::json(&body).with_header("link", link)
    });
    for keys in [
        "paginator: {type: json_link, next_url_path: next, has_more_path: more}",
        "paginator: {type: header_link, has_more_path: more}",
        "paginator: {type: json_link}, response_actions: [{body: {path: end, equals: true}, action: end}]",
    ] {
        let told = endpoint(&sim, &format!("data_selector: rows, {keys}"));
        assert_eq!((told.ids(), told.requests), (vec![0, 1, 2], 3), "{keys}");
    }
}
