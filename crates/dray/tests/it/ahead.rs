//! Pages ahead of the one that is read, over HTTP: what is asked for, and that only time depends on it.

use std::collections::BTreeSet;

use dray::error::ErrorKind;
use dray_sim::{Fault, Options, Request, Response, Sim};
use serde_json::json;

use crate::support::{endpoint, endpoint_at_once, params, plan, records, script, things};

const OFFSET: &str = "data_selector: data, paginator: {type: offset, limit: 10}";

fn number(request: &Request, name: &str) -> u64 {
    request.param(name).map_or(0, |text| text.parse().unwrap())
}

/// `count` records by offset, ten on a page.
fn list(count: u64, total: bool) -> impl Fn(&Request) -> Response + Send + Sync + 'static {
    move |request| {
        let from = number(request, "offset").min(count);
        let data = records(from..(from + 10).min(count));
        Response::json(&if total { json!({"data": data, "total": count}) } else { json!({ "data": data }) })
    }
}

fn asked(sim: &Sim) -> BTreeSet<u64> {
    params(sim, "offset").into_iter().map(|text| text.unwrap().parse().unwrap()).collect()
}

#[test]
fn a_known_total_is_asked_for_at_once_and_nothing_beyond_it() {
    let api = dray_sim::Api::custom(list(300, true));
    let latency = std::time::Duration::from_millis(20);
    let sim = Sim::start(Options { api, latency, ..Options::default() }).unwrap();
    let told = endpoint_at_once(&sim, 12, OFFSET);
    assert_eq!(told.ids(), (0..300).collect::<Vec<_>>());
    assert_eq!((told.pages, told.requests), (30, 30));
    assert_eq!(sim.peak_in_flight(), 12);
}

#[test]
fn without_a_total_short_lists_cost_nothing_and_long_ones_little() {
    for count in [0, 5, 19] {
        let (alone, beside) = (script(list(count, false)), script(list(count, false)));
        let (expected, told) = (endpoint(&alone, OFFSET), endpoint_at_once(&beside, 16, OFFSET));
        assert_eq!(told.ids(), (0..count).collect::<Vec<_>>());
        assert_eq!((told.pages, told.requests), (expected.pages, expected.requests), "{count}");
    }
    let sim = script(list(1000, false));
    let told = endpoint_at_once(&sim, 64, OFFSET);
    assert_eq!(told.ids(), (0..1000).collect::<Vec<_>>());
    assert!(told.requests <= told.pages + 16, "{} for {}", told.requests, told.pages);
}

#[test]
fn pages_that_follow_each_other_unevenly_are_read_one_by_one() {
    // A filter leaves another number of records on every page.
    let uneven = |request: &Request| {
        let from = number(request, "offset");
        let size = [7, 10, 4, 9, 10, 3][usize::try_from(from % 6).unwrap()];
        Response::json(&json!({ "data": records(from.min(400)..(from + size).min(400)) }))
    };
    let keys = "data_selector: data, paginator: {type: offset, limit: 10, total_path: null, drift: off}";
    let (alone, beside) = (script(uneven), script(uneven));
    let (expected, told) = (endpoint(&alone, keys), endpoint_at_once(&beside, 16, keys));
    assert_eq!((told.ids(), told.pages), (expected.ids(), expected.pages));
    assert!(told.requests <= expected.requests + 16, "{} for {}", told.requests, expected.requests);
}

#[test]
fn an_end_that_is_not_found_is_asked_for_in_its_turn() {
    // Beyond the end is 404, which is the end only where the page before was short.
    for end in [204, 404] {
        let sim = script(move |request| {
            let from = number(request, "offset");
            if from >= 95 {
                return Response::status(end);
            }
            Response::json(&json!({ "data": records(from..(from + 10).min(95)) }))
        });
        let told = endpoint_at_once(&sim, 16, OFFSET);
        assert_eq!(told.ids(), (0..95).collect::<Vec<_>>());
        assert!(told.requests <= told.pages + 16);
    }
}

#[test]
fn a_maximum_and_the_budget_of_requests_hold_for_pages_ahead() {
    let sim = script(list(1000, true));
    let keys = "data_selector: data, paginator: {type: offset, limit: 10, maximum_offset: 100}";
    assert_eq!(endpoint_at_once(&sim, 16, keys).ids(), (0..100).collect::<Vec<_>>());
    assert!(asked(&sim).iter().all(|offset| *offset < 100));
    // The last page is looked at again; that the list goes on behind the maximum is no reason to read it twice.
    assert_eq!(sim.requests().len(), 11);

    let sim = script(list(1000, true));
    let resource = format!("  - {{name: things, endpoint: {{path: items, {OFFSET}}}}}");
    let mut plan = plan(&sim, "concurrency: 16", &resource);
    plan.client.max_requests = Some(20);
    let told = things(plan);
    assert_eq!(told.error().kind(), ErrorKind::Cancelled);
    assert_eq!((told.pages, sim.requests().len()), (20, 20));
}

#[test]
fn a_failed_page_ends_the_list_where_it_stands() {
    let sim = script(list(1000, true));
    sim.fault(Fault::status(400).query("offset", "50").always());
    let told = endpoint_at_once(&sim, 16, OFFSET);
    assert_eq!(told.error().fact("page"), Some("6"));
    assert_eq!(told.pages, 5);
}

#[test]
fn answers_in_any_order_are_taken_in_that_of_the_list() {
    let sim = script(list(500, false));
    for page in (0..50).step_by(3) {
        let late = Fault::delay(std::time::Duration::from_millis(15));
        sim.fault(late.query("offset", (page * 9).to_string()));
    }
    assert_eq!(endpoint_at_once(&sim, 16, OFFSET).ids(), (0..500).collect::<Vec<_>>());
}
