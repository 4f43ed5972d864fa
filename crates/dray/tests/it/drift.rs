//! Lists that change while they are read, over HTTP: what is asked for, and what the report says.

use std::sync::atomic::{AtomicU64, Ordering};

use dray::report::{CompletenessVerdict, Status};
use dray_sim::{Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, endpoint, of, params, plan, script};

/// 40 records by offset; the first is gone from the `gone`-th request on.
fn shrinking(gone: u64, total: bool) -> Sim {
    let count = AtomicU64::new(0);
    script(move |request: &Request| {
        let first = u64::from(count.fetch_add(1, Ordering::Relaxed) >= gone);
        let list: Vec<u64> = (first..40).collect();
        let from = request.param("offset").map_or(0, |text| text.parse::<usize>().unwrap());
        let data: Vec<Value> = list.iter().skip(from).take(10).map(|id| json!({ "id": id })).collect();
        Response::json(&if total {
            json!({"data": data, "total": list.len()})
        } else {
            json!({ "data": data })
        })
    })
}

fn offsets(sim: &Sim) -> Vec<u64> {
    params(sim, "offset").into_iter().map(|text| text.unwrap().parse().unwrap()).collect()
}

#[test]
fn a_falling_total_leads_back_to_a_known_record() {
    let sim = shrinking(2, true);
    let told = endpoint(&sim, "data_selector: data, paginator: {type: offset, limit: 10}");
    let mut ids = told.ids();
    ids.sort_unstable();
    assert_eq!(ids, (0..40).collect::<Vec<_>>());
    // The third page falls short of one: back to the second, and on from there. The largest total asks for one more page.
    assert_eq!(offsets(&sim), [0, 10, 20, 10, 20, 30, 39]);
}

#[test]
fn an_overlap_that_does_not_fit_leads_back_too() {
    let sim = shrinking(2, false);
    let told = endpoint(&sim, "data_selector: data, paginator: {type: offset, limit: 10}");
    let mut ids = told.ids();
    ids.sort_unstable();
    assert_eq!(ids, (0..40).collect::<Vec<_>>());
    assert_eq!(offsets(&sim), [0, 9, 18, 9, 18, 27, 36]);
}

#[test]
fn watched_by_nobody_the_record_is_lost_as_in_dlt() {
    let sim = shrinking(2, true);
    let told = endpoint(&sim, "data_selector: data, paginator: {type: offset, limit: 10, drift: off}");
    assert_eq!(told.ids().len(), 39);
    assert!(!told.ids().contains(&20));
}

#[test]
fn page_numbers_without_a_total_are_looked_at_again_at_the_end() {
    let count = AtomicU64::new(0);
    let sim = script(move |request: &Request| {
        let first = u64::from(count.fetch_add(1, Ordering::Relaxed) >= 12);
        let list: Vec<u64> = (first..200).collect();
        let page = request.param("page").map_or(1, |text| text.parse::<usize>().unwrap());
        let data: Vec<Value> =
            list.iter().skip((page - 1) * 10).take(10).map(|id| json!({ "id": id })).collect();
        Response::json(&json!({ "data": data }))
    });
    let told = endpoint(&sim, "data_selector: data, paginator: {type: page_number, base_page: 1, limit: 10}");
    let mut ids = told.ids();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids, (0..200).collect::<Vec<_>>());
    let asked: Vec<u64> =
        params(&sim, "page").into_iter().map(|text| text.unwrap().parse().unwrap()).collect();
    // 20 pages, the last one short; two looks of which one shows the change; 20 again and two more looks.
    assert_eq!(asked[20..23], [7, 14, 1]);
    assert_eq!(asked.len(), 44);
}

#[test]
fn the_report_says_how_complete_a_resource_is() {
    for (sim, verdict, gaps) in [
        (shrinking(2, true), CompletenessVerdict::Complete, Some(1)),
        (shrinking(2, false), CompletenessVerdict::Unknown, Some(1)),
        (shrinking(100, true), CompletenessVerdict::Complete, None),
    ] {
        let bench = Bench::new();
        let report = bench.run(plan(
            &sim,
            "",
            "  - {name: things, primary_key: id, endpoint: {path: items, data_selector: data, \
             paginator: {type: offset, limit: 10}}}",
        ));
        let things = of(&report, "things");
        assert_eq!(things.rows, 40);
        assert_eq!(things.completeness.unwrap().verdict, verdict);
        assert_eq!(things.drift.map(|drift| drift.gaps), gaps);
        assert_eq!(bench.column("SELECT count(DISTINCT id)::VARCHAR FROM test_dataset.things"), ["40"]);
    }
}

#[test]
fn verified_lists_are_read_twice_and_not_more_where_nothing_changes() {
    let sim = shrinking(100, true);
    let told = endpoint(&sim, "data_selector: data, paginator: {type: offset, limit: 10, drift: verify}");
    assert_eq!(told.ids(), (0..40).collect::<Vec<_>>());
    // Four pages and one beyond the total, twice.
    assert_eq!(told.requests, 10);
}

#[test]
fn a_run_that_stops_while_it_reads_again_is_carried_on_without_loss() {
    for total in [true, false] {
        for gone in [1, 3] {
            for stop in 1..9 {
                let sim = shrinking(gone, total);
                let things = || {
                    plan(
                        &sim,
                        "",
                        "  - {name: things, primary_key: id, endpoint: {path: items, data_selector: data, \
                         paginator: {type: offset, limit: 10}}}",
                    )
                };
                let bench = Bench::new();
                if bench.run_for(things(), Some(stop)).status == Status::Interrupted {
                    bench.run(things());
                }
                let ids =
                    bench.column("SELECT id::VARCHAR FROM test_dataset.things WHERE id > 0 ORDER BY id");
                let expected: Vec<String> = (1..40).map(|id| id.to_string()).collect();
                assert_eq!(ids, expected, "total: {total}, gone: {gone}, stop: {stop}");
            }
        }
    }
}
