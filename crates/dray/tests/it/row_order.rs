//! Lists in a declared order (`row_order`): how far they are read, and what is done where the order does not hold.

use dray::report::{CompletenessVerdict, Report, Status};
use dray_sim::{Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, of, params, plan, script};

/// `/items` by offset, ten a page, with these values of `updated`; a record's id is its value.
fn list(updated: impl Fn() -> Vec<u64> + Send + Sync + 'static) -> Sim {
    script(move |request: &Request| {
        let from = request.param("offset").map_or(0, |text| text.parse::<usize>().unwrap());
        let all = updated();
        let data: Vec<Value> =
            all.iter().skip(from).take(10).map(|at| json!({"id": at, "updated": at})).collect();
        Response::json(&json!({"data": data, "total": all.len()}))
    })
}

fn newest_first(values: std::ops::Range<u64>) -> Vec<u64> {
    values.rev().collect()
}

/// A run of `items` with these keys of `incremental`.
fn run(bench: &Bench, sim: &Sim, disposition: &str, incremental: &str) -> Report {
    let resource = format!(
        "  - {{name: items, primary_key: id, write_disposition: {disposition}, endpoint: {{path: items, \
         data_selector: data, paginator: {{type: offset, limit: 10}}, \
         incremental: {{cursor_path: updated, {incremental}}}}}}}"
    );
    bench.run(plan(sim, "concurrency: 4", &resource))
}

fn offsets(sim: &Sim) -> Vec<u64> {
    params(sim, "offset").into_iter().map(|text| text.unwrap().parse().unwrap()).collect()
}

const COUNT: &str = "SELECT count(*) || ' ' || count(DISTINCT id) FROM test_dataset.items";

#[test]
fn newest_first_the_second_run_stops_with_the_page_that_reaches_below_the_stored_cursor() {
    for disposition in ["append", "merge"] {
        let grown = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(100));
        let own = std::sync::Arc::clone(&grown);
        let sim = list(move || newest_first(0..own.load(std::sync::atomic::Ordering::Relaxed)));
        let bench = Bench::new();
        let first = run(&bench, &sim, disposition, "row_order: desc");
        assert_eq!((first.status, of(&first, "items").rows), (Status::Succeeded, 100));
        assert_eq!(offsets(&sim).len(), 10);
        // 15 more: the stored cursor is 99, and 98 is the sixth record of the second page.
        grown.store(115, std::sync::atomic::Ordering::Relaxed);
        sim.clear_requests();
        let second = run(&bench, &sim, disposition, "row_order: desc");
        let items = of(&second, "items");
        assert_eq!(offsets(&sim), [0, 10]);
        assert_eq!((items.records, items.unordered), (20, 0));
        assert_eq!(items.completeness.unwrap().verdict, CompletenessVerdict::Unknown);
        assert_eq!(bench.column(COUNT), ["115 115"]);
    }
}

#[test]
fn a_lag_moves_the_stop_too() {
    let sim = list(|| newest_first(0..100));
    let bench = Bench::new();
    run(&bench, &sim, "merge", "row_order: desc, lag: 30");
    sim.clear_requests();
    run(&bench, &sim, "merge", "row_order: desc, lag: 30");
    // 99 - 30 = 69 is the first record of the fourth page: those below it come after it.
    assert_eq!(offsets(&sim), [0, 10, 20, 30]);
}

#[test]
fn a_page_that_ends_on_the_start_is_not_the_last_one() {
    let sim = list(|| newest_first(0..100));
    let bench = Bench::new();
    // Record 80 is the last of the second page; more of that very cursor could follow.
    let report = run(&bench, &sim, "merge", "row_order: desc, initial_value: 80");
    assert_eq!((offsets(&sim), of(&report, "items").rows), (vec![0, 10, 20], 20));
    let sim = list(|| newest_first(0..100));
    run(&Bench::new(), &sim, "merge", "row_order: desc, range_start: open, initial_value: 80");
    assert_eq!(offsets(&sim), [0, 10]);
}

#[test]
fn out_of_order_the_list_is_read_to_its_end_and_the_report_says_so() {
    // 95 was touched late and stands where it was made.
    let sim = list(|| {
        let mut values = newest_first(0..60);
        values[45] = 95;
        values.swap(3, 4);
        values
    });
    let bench = Bench::new();
    let report = run(&bench, &sim, "merge", "row_order: desc, initial_value: 50");
    let items = of(&report, "items");
    // 50 to 59, and 95.
    assert_eq!((items.rows, items.unordered), (11, 1));
    assert_eq!(offsets(&sim), [0, 10, 20, 30, 40, 50]);
    assert!(report.notes.iter().any(|note| note.contains("`row_order`")), "{:?}", report.notes);
}

#[test]
fn oldest_first_a_range_is_read_up_to_its_end() {
    let sim = list(|| (0..100).collect());
    let bench = Bench::new();
    let report = run(&bench, &sim, "append", "row_order: asc, initial_value: 5, end_value: 25");
    assert_eq!((of(&report, "items").rows, offsets(&sim)), (20, vec![0, 10, 20]));
}

#[test]
fn without_an_order_every_page_is_read_and_what_is_old_is_filtered() {
    // As of Zoho, whose lists know no filter by time.
    let sim = list(|| newest_first(0..100));
    let bench = Bench::new();
    run(&bench, &sim, "append", "initial_value: 40");
    sim.clear_requests();
    let second = run(&bench, &sim, "append", "initial_value: 40");
    let items = of(&second, "items");
    assert_eq!((items.records, items.filtered, items.rows), (100, 100, 0));
    assert_eq!(bench.column(COUNT), ["60 60"]);
    assert_eq!(offsets(&sim).len(), 10);
}

#[test]
fn who_includes_records_without_a_cursor_reads_every_page() {
    let sim = script(|request: &Request| {
        Response::json(&match request.param("after") {
            None => json!({"data": [{"id": 9, "updated": 9}, {"id": 2, "updated": 2}], "next": "2"}),
            Some(_) => json!({"data": [{"id": 1}]}),
        })
    });
    let plan = plan(
        &sim,
        "",
        "  - {name: items, primary_key: id, write_disposition: merge, endpoint: {path: items, data_selector: data, \
         paginator: {type: cursor, cursor_path: next, cursor_param: after}, incremental: {cursor_path: updated, \
         initial_value: 5, row_order: desc, on_cursor_value_missing: include}}}",
    );
    assert!(plan.notes.iter().any(|note| note.text.contains("does not stop early")), "{:?}", plan.notes);
    let bench = Bench::new();
    bench.run(plan);
    assert_eq!(bench.column("SELECT id FROM test_dataset.items ORDER BY 1"), ["1", "9"]);
}
