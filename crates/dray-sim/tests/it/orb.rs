use dray_sim::{Api, Sim};
use serde_json::{Value, json};

use crate::client::{get, records, send, sorted};
use crate::start;

/// All pages of a list by cursor, and how many there were.
fn walk(sim: &Sim, target: &str) -> (Vec<Value>, usize) {
    let mark = if target.contains('?') { '&' } else { '?' };
    let (mut all, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let answer = get(sim, &format!("{target}{mark}limit=50{cursor}"));
        assert_eq!(answer.status, 200, "{target}: {}", answer.json());
        let body = answer.json();
        all.extend(records(&body, "data"));
        pages += 1;
        assert!(pages < 1_000, "{target} does not end");
        let meta = &body["pagination_metadata"];
        assert_eq!(meta["has_more"], !meta["next_cursor"].is_null());
        match meta["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (all, pages),
        }
    }
}

#[test]
fn every_top_level_list_is_complete_in_the_pages_arithmetic_says() {
    let sim = start(Api::Orb, 101);
    for resource in ["customers", "subscriptions", "plans", "invoices"] {
        let (all, pages) = walk(&sim, &format!("/v1/{resource}"));
        assert_eq!((all.len(), pages), (101, 3), "{resource}");
        assert_eq!(sorted(&all), sorted(&sim.expected(resource)), "{resource}");
    }
}

#[test]
fn ledgers_and_usage_of_all_parents_are_complete() {
    let sim = start(Api::Orb, 20);
    let (mut entries, mut usage, mut empty) = (Vec::new(), Vec::new(), 0);
    for customer in sim.expected("customers") {
        let id = customer["id"].as_str().expect("an id");
        let (all, pages) = walk(&sim, &format!("/v1/customers/{id}/credits/ledger"));
        assert_eq!(pages, all.len().div_ceil(50).max(1));
        empty += usize::from(all.is_empty());
        entries.extend(all);
    }
    assert_eq!((entries.len(), empty), (200, 8));
    assert_eq!(sorted(&entries), sorted(&sim.expected("credits_ledger_entries")));
    for subscription in sim.expected("subscriptions") {
        let id = subscription["id"].as_str().expect("an id");
        let body = get(&sim, &format!("/v1/subscriptions/{id}/usage")).json();
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "only data");
        usage.extend(records(&body, "data"));
    }
    assert_eq!(usage.len(), 30);
    assert_eq!(sorted(&usage), sorted(&sim.expected("subscription_usage")));
    let rows: usize = usage.iter().map(|item| records(item, "usage").len()).sum();
    assert_eq!((rows, sim.expected("subscription_usage_rows").len()), (130, 130));
    assert!(usage.iter().all(|item| item.get("id").is_none() && item["billable_metric"]["id"].is_string()));
}

#[test]
fn usage_has_another_shape_when_grouped() {
    let sim = start(Api::Orb, 3);
    let id = sim.expected("subscriptions")[1]["id"].as_str().expect("an id").to_owned();
    let target = format!("/v1/subscriptions/{id}/usage");
    let metric = get(&sim, &target).json()["data"][0]["billable_metric"]["id"].clone();
    let metric = metric.as_str().expect("an id");
    assert_eq!(get(&sim, &format!("{target}?group_by=region")).status, 400);
    assert_eq!(get(&sim, &format!("{target}?timeframe_start=2023-01-01")).status, 400);

    let grouped = format!(
        "{target}?group_by=region&billable_metric_id={metric}&timeframe_start=2023-01-01T12:00:00Z&timeframe_end=2023-01-03"
    );
    let body = get(&sim, &format!("{grouped}&limit=3")).json();
    assert_eq!(body["pagination_metadata"]["has_more"], true);
    assert_eq!(
        body["data"][0]["metric_group"],
        json!({"property_key": "region", "property_value": "eu-west"})
    );
    let usage = records(&body["data"][0], "usage");
    assert_eq!(usage.len(), 2, "a partial day and a whole one");
    assert_eq!(usage[0]["timeframe_end"], "2023-01-02T00:00:00+00:00");
    assert_eq!(walk(&sim, &grouped).0.len(), 5);
}

#[test]
fn time_filters_cut_exactly() {
    let sim = start(Api::Orb, 30);
    // Records 8 and 9 share 2023-01-01T08:00:00Z.
    let count = |target: &str| walk(&sim, target).0.len();
    assert_eq!(count("/v1/customers?created_at[gte]=2023-01-01T08:00:00Z"), 22);
    assert_eq!(count("/v1/customers?created_at[gt]=2023-01-01T08:00:00%2B00:00"), 20);
    assert_eq!(count("/v1/plans?created_at[lt]=2023-01-01T08:00:00Z"), 8);
    assert_eq!(count("/v1/invoices?invoice_date[lte]=2023-01-01T08:00:00Z"), 10);
    assert_eq!(get(&sim, "/v1/customers?created_at[gte]=yesterday").status, 400);
}

#[test]
fn refuses_with_a_problem_document() {
    let sim = start(Api::Orb, 3);
    for (target, status) in [
        ("/v1/customers?limit=101", 400),
        ("/v1/customers?limit=0", 400),
        ("/v1/customers?cursor=c1_abc", 400),
        ("/v1/customers/cus_gone/credits/ledger", 404),
        ("/v1/nothing", 404),
    ] {
        let answer = get(&sim, target);
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(answer.json()["status"], status);
        assert!(answer.json()["detail"].is_string());
    }
    assert_eq!(send(&sim, "GET", "/v1/plans", &[], "").expect("an answer").status, 401);
}

#[test]
fn a_customer_without_a_ledger_is_404_until_it_has_one() {
    let sim = start(Api::Orb, 10);
    let balances = || sim.expected("credit_balances").len();
    assert_eq!(balances(), 8);
    let customer = sim.expected("customers")[4]["id"].as_str().expect("an id").to_owned();
    let blocks = format!("/v1/customers/{customer}/credits");
    // Block 3, the second of its three, is used up.
    assert_eq!(walk(&sim, &blocks).0.len(), 2);
    assert_eq!(walk(&sim, &format!("{blocks}?include_all_blocks=true")).0.len(), 3);
    sim.remove("credits_ledger_entries", [4]);
    assert_eq!(get(&sim, &blocks).status, 404);
    assert_eq!(get(&sim, &format!("{blocks}/ledger")).status, 404);
    assert_eq!((balances(), sim.expected("credits_ledger_entries").len()), (5, 38));
    sim.restore("credits_ledger_entries", [4]);
    assert_eq!(walk(&sim, &format!("{blocks}/ledger")).0.len(), 62);
}

#[test]
fn changed_invoices_are_listed_only_by_their_status() {
    let sim = start(Api::Orb, 10);
    sim.mutate("invoices", [2, 3, 3]);
    assert_eq!(walk(&sim, "/v1/invoices").0.len(), 8);
    assert_eq!(walk(&sim, "/v1/invoices?status[]=void").0.len(), 1);
    assert_eq!(walk(&sim, "/v1/invoices?status[]=void&status[]=draft").0.len(), 2);
}

#[test]
fn events_tell_of_what_was_made_and_changed() {
    let sim = start(Api::Orb, 60);
    sim.mutate("plans", [7]);
    let (events, pages) = walk(&sim, "/v1/resource_events?resource_type=plan");
    assert_eq!((events.len(), pages), (61, 2));
    assert_eq!(events[0]["type"], "plan.edited");
    assert_eq!(sim.expected("resource_events").len(), 4 * 60 + 1);
    let since = events[0]["created_at"].as_str().expect("a time").replace('+', "%2B");
    let newer = walk(&sim, &format!("/v1/resource_events?resource_type=plan&created_at[gte]={since}")).0;
    assert_eq!(newer, events[..1]);
    assert_eq!(get(&sim, "/v1/resource_events?resource_type=nothing").status, 400);
}

#[test]
fn usage_is_corrected_to_nothing_first() {
    let sim = start(Api::Orb, 10);
    let quantities = || -> Vec<f64> {
        let rows = sim.expected_with_parent("subscription_usage_rows").into_iter();
        let id = sim.expected("subscriptions")[3]["id"].clone();
        rows.filter(|(parent, _)| id == **parent).filter_map(|(_, row)| row["quantity"].as_f64()).collect()
    };
    // Three metrics of seven days.
    sim.mutate("subscription_usage", [3]);
    assert_eq!(quantities(), [0.0; 21]);
    sim.mutate("subscription_usage", [3]);
    assert_eq!(quantities(), [100.0; 21]);
}
