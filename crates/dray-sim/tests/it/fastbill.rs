use dray_sim::{Api, Options, Sim};
use serde_json::Value;

use crate::client::{get, records, send, sorted};
use crate::start;

/// All pages by offset until an empty one, and how many there were.
fn walk(sim: &Sim, target: &str, limit: usize) -> (Vec<Value>, usize) {
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let offset = pages * limit;
        let page = records(&get(sim, &format!("{target}?limit={limit}&offset={offset}")).json(), "data");
        pages += 1;
        if page.is_empty() {
            return (all, pages);
        }
        all.extend(page);
    }
}

#[test]
fn every_list_is_complete_and_ends_in_an_empty_page() {
    let sim = start(Api::FastBill, 250);
    for resource in ["products", "recurring_invoices", "revenues"] {
        let (all, pages) = walk(&sim, &format!("/v1/{resource}"), 100);
        assert_eq!((all.len(), pages), (250, 4), "{resource}");
        assert_eq!(sorted(&all), sorted(&sim.expected(resource)), "{resource}");
        assert!(all.iter().all(|record| record["id"].is_string()));
    }
}

#[test]
fn refuses_a_wrong_key_and_a_wrong_limit() {
    let sim = start(Api::FastBill, 3);
    for target in ["/v1/products", "/v1/products?api_key=wrong"] {
        assert_eq!(send(&sim, "GET", target, &[], "").expect("an answer").status, 401);
    }
    assert_eq!(get(&sim, "/v1/products?limit=101").status, 400);
    assert_eq!(get(&sim, "/v1/nothing").status, 404);
}

#[test]
fn newest_first_shifts_its_pages_when_records_are_added() {
    let options = Options { api: Api::FastBill, size: 20, newest_first: true, ..Default::default() };
    let sim = Sim::start(options).expect("a server");
    sim.fault(dray_sim::Fault::grow(5).on("/v1/products").nth(2));
    let (all, _) = walk(&sim, "/v1/products", 10);
    assert_eq!(all.len(), 25, "five twice, the five new ones not at all");
    assert_eq!(sim.expected("products").len(), 25);
    let mut ids: Vec<String> = all.iter().map(|record| record["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

#[test]
fn a_page_cap_is_not_announced() {
    let options = Options { api: Api::FastBill, size: 20, page_cap: Some(7), ..Default::default() };
    let sim = Sim::start(options).expect("a server");
    assert_eq!(records(&get(&sim, "/v1/revenues?limit=10").json(), "data").len(), 7);
}
