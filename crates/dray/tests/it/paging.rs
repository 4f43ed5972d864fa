//! Every paginator against a server that it fits, and against servers that would make it lose or repeat records.

use std::sync::atomic::{AtomicU64, Ordering};

use dray::error::ErrorKind;
use dray_sim::{Api, Fault, Options, Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{endpoint, fact, params, plan, records, script, start, things};

fn number(request: &Request, name: &str, default: u64) -> u64 {
    request.param(name).map_or(default, |text| text.parse().unwrap())
}

/// `total` records by `offset` and `limit`, never more than `cap` on a page; `more` may add to the page.
fn by_offset(total: u64, cap: u64, more: impl Fn(&mut Value) + Send + Sync + 'static) -> Sim {
    script(move |request| {
        let (offset, limit) = (number(request, "offset", 0), number(request, "limit", 20).min(cap));
        let end = (offset + limit).min(total);
        let mut page = json!({ "data": records(offset.min(total)..end) });
        more(&mut page);
        Response::json(&page)
    })
}

/// `total` records by `page`, the first of which is `base`, `size` on each.
fn by_page(total: u64, base: u64, size: u64, more: impl Fn(&mut Value, u64) + Send + Sync + 'static) -> Sim {
    script(move |request| {
        let page = number(request, "page", base);
        let offset = page.saturating_sub(base) * size;
        let mut answer = json!({ "data": records(offset.min(total)..(offset + size).min(total)) });
        more(&mut answer, page);
        Response::json(&answer)
    })
}

fn all(total: u64) -> Vec<u64> {
    (0..total).collect()
}

fn texts(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect()
}

// Cursors.

#[test]
fn a_cursor_in_the_body_is_followed_to_its_end() {
    for end in [json!(null), json!(""), json!(false), json!(0)] {
        let sim = script(move |request| match request.param("after") {
            None => Response::json(&json!({"data": records(0..2), "meta": {"next": "a/b c"}})),
            Some("a/b c") => Response::json(&json!({"data": records(2..4), "meta": {"next": 17}})),
            Some("17") => Response::json(&json!({"data": records(4..5), "meta": {"next": end}})),
            _ => Response::status(404),
        });
        let paginator = "{type: cursor, cursor_path: meta.next, cursor_param: after}";
        let told = endpoint(&sim, &format!("data_selector: data, paginator: {paginator}"));
        assert_eq!(told.ids(), all(5));
        assert_eq!((told.pages, told.requests), (3, 3));
        assert_eq!(params(&sim, "after"), texts(&["", "a/b c", "17"]));
    }
}

#[test]
fn an_empty_page_in_the_middle_does_not_end_a_cursor() {
    let sim = script(|request| match request.param("cursor") {
        None => Response::json(&json!({"data": records(0..2), "cursors": {"next": "a"}})),
        Some("a") => Response::json(&json!({"data": [], "cursors": {"next": "b"}})),
        _ => Response::json(&json!({"data": records(2..3), "cursors": {}})),
    });
    assert_eq!(endpoint(&sim, "data_selector: data, paginator: cursor").ids(), all(3));
}

#[test]
fn the_last_record_asks_for_the_next_page() {
    let sim = start(Api::Stripe, 25);
    let paginator =
        "{type: cursor, cursor_field: id, cursor_param: starting_after, has_more_path: has_more, limit: 10}";
    let told = things(plan(
        &sim,
        "auth: {token: \"${secrets.api_key}\"}",
        &format!(
            "  - {{name: things, endpoint: {{path: charges, data_selector: data, paginator: {paginator}}}}}"
        ),
    ));
    let mut expected: Vec<Value> =
        sim.expected("charges").iter().map(|record| record["id"].clone()).collect();
    // Stripe lists the newest first.
    expected.reverse();
    assert_eq!(told.values("id"), expected);
    assert_eq!(told.requests, 3);
}

#[test]
fn a_last_record_without_the_field_is_an_error() {
    let sim = script(|_| Response::json(&json!([{"uid": 1}])));
    let told = endpoint(&sim, "paginator: {type: cursor, cursor_field: id}");
    told.failed(ErrorKind::Pagination, "lacks the field");
    told.failed(ErrorKind::Pagination, "uid");
}

#[test]
fn a_cursor_in_a_header_is_followed() {
    let sim = script(|request| match request.param("token") {
        None => Response::json(&records(0..2)).with_header("x-next", "t2"),
        Some("t2") => Response::json(&records(2..3)).with_header("x-next", ""),
        _ => Response::status(404),
    });
    let told = endpoint(&sim, "paginator: {type: header_cursor, cursor_key: X-Next, cursor_param: token}");
    assert_eq!(told.ids(), all(3));
}

#[test]
fn a_cursor_goes_into_the_body_of_a_post() {
    let sim = script(|request| {
        let body = request.json().unwrap();
        assert_eq!(body["query"]["kind"], "all");
        assert_eq!(body["page"]["size"], 2);
        match body["page"]["cursor"].as_str() {
            None => Response::json(&json!({"items": records(0..2), "next": "n2"})),
            Some("n2") => Response::json(&json!({"items": records(2..4), "next": null})),
            _ => Response::status(404),
        }
    });
    let told = endpoint(
        &sim,
        "method: POST, json: {query: {kind: all}}, data_selector: items, paginator: {type: cursor, \
         cursor_path: next, cursor_body_path: page.cursor, limit: 2, limit_body_path: page.size}",
    );
    assert_eq!(told.ids(), all(4));
    assert!(sim.requests().iter().all(|request| request.method == "POST" && request.query.is_empty()));
}

#[test]
fn a_cursor_that_is_an_object_is_an_error_and_no_end() {
    let sim = script(|_| Response::json(&json!({"data": records(0..2), "next": {"cursor": "a"}})));
    for paginator in ["{type: cursor, cursor_path: next}", "{type: json_link, next_url_path: next}"] {
        let told = endpoint(&sim, &format!("data_selector: data, paginator: {paginator}"));
        told.failed(ErrorKind::Pagination, "neither text nor a number");
    }
}

// Links.

#[test]
fn links_in_the_body_may_be_absolute_relative_or_a_query() {
    let sim = script(|request| match (request.path.as_str(), request.param("page")) {
        ("/v1/items", None) => {
            let host = request.header("host").unwrap();
            let next = format!("http://{host}/v1/items?page=2&kind=a%20b");
            Response::json(&json!({"data": records(0..1), "next": next}))
        }
        ("/v1/items", Some("2")) => {
            assert_eq!(request.param("kind"), Some("a b"));
            Response::json(&json!({"data": records(1..2), "next": "?page=3"}))
        }
        ("/v1/items", Some("3")) => {
            Response::json(&json!({"data": records(2..3), "next": "/v1/items?page=4"}))
        }
        ("/v1/items", Some("4")) => Response::json(&json!({"data": records(3..4), "next": "items?page=5"})),
        ("/v1/items", Some("5")) => Response::json(&json!({"data": records(4..5), "next": ""})),
        _ => Response::status(404),
    });
    let told = things(crate::support::plan_at(
        &format!("{}v1/", sim.base_url()),
        &[],
        "",
        "  - {name: things, endpoint: {path: items, data_selector: data, params: {size: 1}, paginator: json_link}}",
    ));
    assert_eq!(told.ids(), all(5));
    // A link carries its own query.
    assert_eq!(params(&sim, "size"), texts(&["1", "", "", "", ""]));
}

#[test]
fn a_link_that_a_filter_finds_is_followed() {
    let sim = script(|request| {
        let links = match request.param("page") {
            None => json!([{"rel": "self", "href": "items"}, {"rel": "next", "href": "items?page=2"}]),
            _ => json!([{"rel": "self", "href": "items"}]),
        };
        let page = number(request, "page", 1);
        Response::json(&json!({"data": records(page - 1..page), "links": links}))
    });
    let path = "\"links[?@.rel=='next'].href\"";
    let told = endpoint(
        &sim,
        &format!("data_selector: data, paginator: {{type: json_link, next_url_path: {path}}}"),
    );
    assert_eq!(told.ids(), all(2));
}

#[test]
fn links_in_the_header_are_followed() {
    let sim = script(|request| {
        let page = number(request, "page", 1);
        let more = format!("</items?page={}>; rel=\"next\", </items?page=3>; rel=\"last\"", page + 1);
        let last = "</items?page=1>; rel=\"first\", </items?page=2>; rel=prev".to_owned();
        Response::json(&records(page - 1..page)).with_header("link", if page < 3 { more } else { last })
    });
    assert_eq!(endpoint(&sim, "paginator: header_link").ids(), all(3));
}

#[test]
fn a_single_page_is_one_request() {
    let sim = script(|_| Response::json(&json!({"data": records(0..3), "next": "/items?page=2"})));
    let told = endpoint(&sim, "data_selector: data, paginator: single_page");
    assert_eq!((told.ids(), told.requests), (all(3), 1));
}

// Numbers.

#[test]
fn an_offset_counts_what_was_received() {
    let sim = by_offset(25, 100, |_| {});
    let told = endpoint(&sim, "data_selector: data, paginator: {type: offset, limit: 10}");
    assert_eq!(told.ids(), all(25));
    // 10, 9 more and a page that is shorter than those before it: without a total each page begins with the last record
    // of the one before.
    assert_eq!(params(&sim, "offset"), texts(&["0", "9", "18"]));
    assert_eq!(params(&sim, "limit"), texts(&["10", "10", "10"]));
}

#[test]
fn an_offset_ends_at_the_total_without_another_request() {
    let sim = by_offset(20, 100, |page| page["total"] = json!(20));
    let told = endpoint(&sim, "data_selector: data, paginator: {type: offset, limit: 10}");
    assert_eq!((told.ids(), told.requests), (all(20), 2));
}

#[test]
fn page_numbers_begin_at_their_base_and_end_at_the_total_of_pages() {
    for base in [0, 1] {
        let sim = by_page(25, base, 10, |page, _| page["pages"] = json!(3));
        let paginator = format!("{{type: page_number, base_page: {base}, total_path: pages}}");
        let told = endpoint(&sim, &format!("data_selector: data, paginator: {paginator}"));
        assert_eq!(told.ids(), all(25));
        let asked: Vec<_> = (base..base + 3).map(|page| Some(page.to_string())).collect();
        assert_eq!(params(&sim, "page"), asked);
    }
}

#[test]
fn page_numbers_end_at_an_empty_page_a_flag_or_a_maximum() {
    let sim = by_page(20, 1, 10, |page, number| page["more"] = json!(number < 2));
    for (keys, requests, received) in [
        ("total_path: null", 3, 20),
        ("total_path: null, has_more_path: more", 2, 20),
        ("maximum_page: 2", 1, 10),
    ] {
        let paginator = format!("{{type: page_number, base_page: 1, {keys}}}");
        let told = endpoint(&sim, &format!("data_selector: data, paginator: {paginator}"));
        assert_eq!((told.ids(), told.requests), (all(received), requests), "{keys}");
    }
}

#[test]
fn a_maximum_offset_is_not_asked_for() {
    let sim = by_offset(100, 100, |_| {});
    let told =
        endpoint(&sim, "data_selector: data, paginator: {type: offset, limit: 10, maximum_offset: 30}");
    assert_eq!((told.ids(), told.requests), (all(30), 3));
}

// A server that caps its pages.

#[test]
fn a_capped_page_does_not_end_an_offset() {
    // 40 on a page although 100 were asked for: with a total, and without.
    for total in [true, false] {
        let sim = by_offset(100, 40, move |page| {
            if total {
                page["total"] = json!(100);
            }
        });
        let told = endpoint(&sim, "data_selector: data, paginator: {type: offset, limit: 100}");
        assert_eq!(told.ids(), all(100), "total: {total}");
        let offsets = if total { ["0", "40", "80"] } else { ["0", "39", "78"] };
        assert_eq!(params(&sim, "offset"), texts(&offsets));
    }
}

#[test]
fn a_capped_page_does_not_end_page_numbers() {
    // A last page as long as the others: only an empty one can tell.
    for (total, requests) in [(100, 3), (80, 3)] {
        let sim = by_page(total, 1, 40, |_, _| {});
        let told =
            endpoint(&sim, "data_selector: data, paginator: {type: page_number, base_page: 1, limit: 100}");
        assert_eq!((told.ids(), told.requests), (all(total), requests));
    }
}

#[test]
fn a_capped_api_is_read_whole() {
    let sim = Sim::start(Options { api: Api::FastBill, size: 250, page_cap: Some(30), ..Options::default() })
        .unwrap();
    let (name, key) = sim.secrets().remove(0);
    assert_eq!(name, "api_key", "{key}");
    let told = things(plan(
        &sim,
        "auth: {type: api_key, name: api_key, api_key: \"${secrets.api_key}\", location: query}",
        "  - {name: things, endpoint: {path: v1/products, data_selector: data, \
         paginator: {type: offset, limit: 100}}}",
    ));
    assert_eq!(told.values("id").len(), 250);
    // 8 pages of 30, one of 10.
    assert_eq!(told.requests, 9);
}

#[test]
fn a_short_first_page_costs_one_request_to_be_sure_and_no_error() {
    let paginator = "{type: page_number, base_page: 1, limit: 100}";
    let keys = format!("data_selector: data, paginator: {paginator}");
    // Beyond the end one API answers with nothing, another with 404.
    let sim = by_page(3, 1, 100, |_, _| {});
    let told = endpoint(&sim, &keys);
    assert_eq!((told.ids(), told.requests), (all(3), 2));
    let sim = script(|request| match request.param("page") {
        Some("1") => Response::json(&json!({"data": records(0..3)})),
        _ => Response::status(404),
    });
    let told = endpoint(&sim, &keys);
    assert_eq!((told.ids(), told.requests), (all(3), 2));
    // A flag or a total makes it needless.
    let sim = by_page(3, 1, 100, |page, _| page["total"] = json!(1));
    assert_eq!(endpoint(&sim, &keys).requests, 1);
    // A 404 after a full page is no end.
    let sim = script(|request| match request.param("page") {
        Some("1") => Response::json(&json!({"data": records(0..100)})),
        _ => Response::status(404),
    });
    endpoint(&sim, &keys).failed(ErrorKind::Request, "404");
}

// Servers that do not mean what they say.

#[test]
fn the_same_token_twice_is_an_error() {
    let sim = script(|_| Response::json(&json!({"data": records(0..1), "next": "a"})));
    let told = endpoint(&sim, "data_selector: data, paginator: {type: cursor, cursor_path: next}");
    told.failed(ErrorKind::Pagination, "never end");
    assert_eq!(told.requests, 2);
    assert_eq!(fact(told.error(), "resource"), "things");
    assert_eq!(fact(told.error(), "page"), "2");
}

#[test]
fn tokens_in_a_circle_are_an_error() {
    let count = AtomicU64::new(0);
    let sim = script(move |request| {
        let id = count.fetch_add(1, Ordering::Relaxed);
        let next = if request.param("cursor") == Some("a") { "b" } else { "a" };
        Response::json(&json!({"data": [{"id": id}], "next": next}))
    });
    let told = endpoint(&sim, "data_selector: data, paginator: {type: cursor, cursor_path: next}");
    told.failed(ErrorKind::Pagination, "never end");
    // None, a, b; b leads back to a.
    assert_eq!(told.requests, 3);
}

#[test]
fn links_in_a_circle_are_an_error() {
    let sim = script(|request| {
        let page = number(request, "page", 1);
        let next = format!("</items?page={}>; rel=next", 3 - page);
        Response::json(&records(page..page + 1)).with_header("link", next)
    });
    endpoint(&sim, "paginator: header_link").failed(ErrorKind::Pagination, "never end");
}

#[test]
fn a_server_that_ignores_the_page_number_is_an_error() {
    // Also where a clock beside the records makes every body different, and where a total ends the chain in time.
    let count = AtomicU64::new(0);
    let sim = script(move |_| {
        let took = count.fetch_add(1, Ordering::Relaxed);
        Response::json(&json!({"data": records(0..10), "took": took, "pages": 2}))
    });
    for (keys, requests) in [
        ("type: page_number", 2),
        ("type: page_number, total_path: pages", 2),
        // The first answer could mean that offsets are rounded down to whole pages.
        ("type: offset, limit: 10", 3),
        ("type: offset, limit: 10, drift: off", 2),
    ] {
        let told = endpoint(&sim, &format!("data_selector: data, paginator: {{{keys}}}"));
        told.failed(ErrorKind::Pagination, "same page again");
        assert_eq!(told.requests, requests, "{keys}");
    }
}

#[test]
fn a_server_that_begins_again_after_its_last_page_is_an_error() {
    let sim = script(|request| {
        let page = number(request, "page", 0) % 3;
        Response::json(&json!({"data": records(page * 10..page * 10 + 10)}))
    });
    let told = endpoint(&sim, "data_selector: data, paginator: page_number");
    told.failed(ErrorKind::Pagination, "same page again");
    assert_eq!(told.requests, 4);
}

#[test]
fn a_page_or_a_cursor_that_the_api_repeats_is_an_error() {
    for fault in [Fault::repeat_page().nth(3), Fault::repeat_cursor().nth(2)] {
        let sim = start(Api::Orb, 50);
        sim.fault(fault.on("/v1/customers"));
        let told = things(plan(
            &sim,
            "auth: {token: \"${secrets.api_key}\"}",
            "  - {name: things, endpoint: {path: customers, data_selector: data, \
             paginator: {type: cursor, limit: 10, cursor_path: pagination_metadata.next_cursor}}}",
        ));
        told.failed(ErrorKind::Pagination, "never end");
    }
}

#[test]
fn more_without_a_way_to_ask_for_it_is_an_error() {
    let sim = script(|_| Response::json(&json!({"data": records(0..2), "has_more": true})));
    for paginator in [
        "{type: cursor, cursor_path: next, has_more_path: has_more}",
        // Nobody named a paginator, but the API says that one page is not all.
        "auto",
    ] {
        let told = endpoint(&sim, &format!("data_selector: data, paginator: {paginator}"));
        told.failed(ErrorKind::Pagination, "more pages follow");
    }
}

#[test]
fn a_count_of_pages_without_a_number_is_an_error_where_nobody_named_a_paginator() {
    let list = script(|_| Response::json(&json!({"data": records(0..2), "total_pages": 3})));
    endpoint(&list, "paginator: auto").failed(ErrorKind::Pagination, "does not say how they are asked for");
    let book = script(|_| Response::json(&json!({"id": 1, "pages": 300})));
    assert_eq!(endpoint(&book, "data_selector: $, paginator: auto").ids(), [1]);
}

#[test]
fn more_with_nothing_on_the_page_is_an_error() {
    let sim = script(|request| {
        let page = number(request, "page", number(request, "offset", 0));
        let data = if page == 0 { records(0..10) } else { json!([]) };
        Response::json(&json!({"data": data, "has_more": true}))
    });
    for paginator in [
        "{type: page_number, has_more_path: has_more}",
        "{type: offset, limit: 10, has_more_path: has_more}",
        "{type: cursor, cursor_field: id, cursor_param: page, has_more_path: has_more}",
    ] {
        let told = endpoint(&sim, &format!("data_selector: data, paginator: {paginator}"));
        told.failed(ErrorKind::Pagination, "more");
    }
}

#[test]
fn a_flag_that_is_missing_is_an_error_unless_it_may_be() {
    let sim = script(|_| Response::json(&json!({"data": records(0..2)})));
    let paginator = "type: cursor, cursor_path: next, has_more_path: has_more";
    let told = endpoint(&sim, &format!("data_selector: data, paginator: {{{paginator}}}"));
    told.failed(ErrorKind::Pagination, "has_more_path");
    let keys = format!("data_selector: data, paginator: {{{paginator}, has_more_optional: true}}");
    assert_eq!(endpoint(&sim, &keys).ids(), all(2));
}

#[test]
fn an_empty_page_before_the_total_is_an_error() {
    let sim = script(|request| {
        let data = if request.param("offset") == Some("0") { records(0..10) } else { json!([]) };
        Response::json(&json!({"data": data, "total": 30}))
    });
    let told = endpoint(&sim, "data_selector: data, paginator: {type: offset, limit: 10}");
    told.failed(ErrorKind::Pagination, "total says that more");
    assert_eq!(fact(told.error(), "received"), "10");
}

#[test]
fn a_named_total_that_is_missing_is_an_error() {
    let sim = by_offset(30, 100, |_| {});
    let told =
        endpoint(&sim, "data_selector: data, paginator: {type: offset, limit: 10, total_path: meta.count}");
    told.failed(ErrorKind::Pagination, "no total");
}

#[test]
fn a_selector_that_matches_nothing_is_an_error_with_the_keys_that_are_there() {
    let sim = script(|_| Response::json(&json!({"datas": records(0..2), "meta": 1})));
    let told = endpoint(&sim, "data_selector: data, paginator: single_page");
    told.failed(ErrorKind::Response, "datas, meta");
    told.failed(ErrorKind::Response, "did the selector mean `datas`?");
}

// Nobody named a paginator.

#[test]
fn page_numbers_are_found_and_no_page_is_read_twice_or_missed() {
    for base in [0, 1] {
        let sim = by_page(25, base, 10, |page, number| {
            page["meta"] = json!({"page": number, "total_pages": 3});
        });
        let told = endpoint(&sim, "data_selector: data");
        assert_eq!(told.ids(), all(25), "base {base}");
        let (second, third) = ((base + 1).to_string(), (base + 2).to_string());
        assert_eq!(params(&sim, "page"), texts(&["", &second, &third]));
    }
}

#[test]
fn page_numbers_that_begin_in_the_middle_end_at_the_last_page() {
    let sim = by_page(25, 1, 10, |page, number| page["meta"] = json!({"page": number, "total_pages": 3}));
    let told = endpoint(&sim, "data_selector: data, params: {page: 2}");
    assert_eq!(told.ids(), (10..25).collect::<Vec<_>>());
    assert_eq!(told.requests, 2);
}

#[test]
fn links_and_cursors_are_found() {
    let sim = script(|request| {
        let page = number(request, "page", number(request, "cursor", 1));
        let (data, last) = (records(page - 1..page), page == 3);
        let next = page + 1;
        Response::json(&match request.path.as_str() {
            "/link" => json!({"data": data, "next": (!last).then(|| format!("/link?page={next}"))}),
            "/relative" => json!({"data": data, "next": (!last).then(|| format!("relative?page={next}"))}),
            "/hal" => {
                let links =
                    if last { json!({}) } else { json!({"next": {"href": format!("/hal?page={next}")}}) };
                json!({"data": data, "_links": links})
            }
            _ => json!({"data": data, "meta": {"next_cursor": (!last).then(|| next.to_string())}}),
        })
    });
    for path in ["link", "relative", "hal", "cursor"] {
        let told = things(plan(&sim, "", &format!("  - {{name: things, endpoint: {{path: {path}}}}}")));
        assert_eq!(told.ids(), all(3), "{path}");
    }
    let sim = script(|request| {
        let page = number(request, "page", 1);
        let answer = Response::json(&records(page - 1..page));
        if page < 3 {
            answer.with_header("link", format!("<?page={}>; rel=\"next\"", page + 1))
        } else {
            answer
        }
    });
    assert_eq!(endpoint(&sim, "data_selector: $").ids(), all(3));
}

#[test]
fn one_page_without_signs_is_one_page() {
    let sim = script(|_| Response::json(&json!({"data": records(0..3), "next": null, "has_more": false})));
    let told = endpoint(&sim, "data_selector: data");
    assert_eq!((told.ids(), told.requests), (all(3), 1));
}

#[test]
fn where_the_first_page_has_its_records_the_others_have_theirs() {
    let sim = script(|request| {
        let page = number(request, "page", 0);
        let things = if page < 2 { records(page..page + 1) } else { json!([]) };
        Response::json(&json!({"things": things, "page": page, "included": {"others": [{"id": 99}]}}))
    });
    assert_eq!(endpoint(&sim, "paginator: page_number").ids(), [0, 1]);
    let sim = script(|request| {
        let page = number(request, "page", 0);
        Response::json(&if page == 0 { json!({"things": records(0..1)}) } else { json!({"error": "no"}) })
    });
    let told = endpoint(&sim, "paginator: page_number");
    told.failed(ErrorKind::Response, "the selector matches nothing in the page");
    assert_eq!(fact(told.error(), "path"), "things");
}
