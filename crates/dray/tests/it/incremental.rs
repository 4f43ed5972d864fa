//! Incremental reading over several runs: what is asked again, what is loaded again, and when a cursor stays.

use std::sync::{Arc, Mutex};

use dray::plan::{CursorValue, Plan};
use dray::report::Status;
use dray_sim::{Fault, Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, asked, of, params, plan, script, things};

/// An API whose records are put in by the test; `/items` gives those from `since` on, as many APIs do.
struct Growing {
    sim: Sim,
    items: Arc<Mutex<Vec<Value>>>,
}

impl Growing {
    fn new() -> Self {
        let items: Arc<Mutex<Vec<Value>>> = Arc::default();
        let own = Arc::clone(&items);
        let sim = script(move |request: &Request| {
            let since = request.param("since").map_or(0, |since| since.parse().unwrap());
            let records = own.lock().unwrap();
            let of_parent = request.path.split('/').nth(2);
            let from = |record: &&Value| {
                record["updated"].as_u64().unwrap() >= since
                    && of_parent.is_none_or(|parent| record["of"].as_str() == Some(parent))
            };
            let found: Value = records.iter().filter(from).cloned().collect();
            Response::json(&match request.path.as_str() {
                "/parents" => json!([{"id": "p", "updated": 5}, {"id": "q", "updated": 6}]),
                _ => found,
            })
        });
        Self { sim, items }
    }

    fn put(&self, id: u64, updated: u64) {
        self.items.lock().unwrap().push(json!({"id": id, "updated": updated}));
    }

    fn put_of(&self, parent: &str, id: u64, updated: u64) {
        self.items.lock().unwrap().push(json!({"id": id, "updated": updated, "of": parent}));
    }

    /// `disposition` with a cursor over `updated`.
    fn plan(&self, disposition: &str, incremental: &str) -> Plan {
        plan(
            &self.sim,
            "",
            &format!(
                "  - {{name: items, primary_key: id, write_disposition: {disposition}, endpoint: {{path: items, \
                 data_selector: $, paginator: single_page, \
                 incremental: {{cursor_path: updated, start_param: since{incremental}}}}}}}"
            ),
        )
    }
}

const IDS: &str = "SELECT id FROM test_dataset.items ORDER BY 1";

#[test]
fn the_second_run_asks_from_the_stored_cursor_and_appends_nothing_twice() {
    let api = Growing::new();
    let bench = Bench::new();
    for (id, updated) in [(1, 10), (2, 20), (3, 20)] {
        api.put(id, updated);
    }
    let first = bench.run(api.plan("append", ", initial_value: 5"));
    assert_eq!((first.status, of(&first, "items").rows), (Status::Succeeded, 3));
    // At the border a record became visible late; another is new.
    api.put(4, 20);
    api.put(5, 30);
    let second = bench.run(api.plan("append", ", initial_value: 5"));
    let items = of(&second, "items");
    // 2 and 3 come again, because the API gives the border again, and are left out.
    assert_eq!((items.records, items.filtered, items.rows), (4, 2, 2));
    let third = bench.run(api.plan("append", ", initial_value: 5"));
    assert_eq!(of(&third, "items").rows, 0);
    assert_eq!(bench.column(IDS), ["1", "2", "3", "4", "5"]);
    let since: Vec<_> = ["5", "20", "30"].map(|since| Some(since.to_owned())).into();
    assert_eq!(params(&api.sim, "since"), since);
}

#[test]
fn without_an_initial_value_the_first_run_asks_for_everything() {
    let api = Growing::new();
    let bench = Bench::new();
    api.put(1, 10);
    bench.run(api.plan("merge", ""));
    api.put(1, 11);
    bench.run(api.plan("merge", ""));
    assert_eq!(params(&api.sim, "since"), [None, Some("10".to_owned())]);
    assert_eq!(bench.query("SELECT id, updated FROM test_dataset.items"), [["1", "11"]]);
}

#[test]
fn a_run_without_new_records_keeps_the_cursor() {
    let api = Growing::new();
    let bench = Bench::new();
    bench.run(api.plan("append", ", initial_value: 3"));
    api.put(1, 10);
    bench.run(api.plan("append", ", initial_value: 3"));
    api.items.lock().unwrap().clear();
    bench.run(api.plan("append", ", initial_value: 3"));
    bench.run(api.plan("append", ", initial_value: 3"));
    let since: Vec<_> = ["3", "3", "10", "10"].map(|since| Some(since.to_owned())).into();
    assert_eq!(params(&api.sim, "since"), since);
}

#[test]
fn a_window_loads_what_is_in_it_and_leaves_the_cursor_alone() {
    let api = Growing::new();
    let bench = Bench::new();
    for (id, updated) in [(1, 10), (2, 20), (3, 30), (4, 40)] {
        api.put(id, updated);
    }
    let window = ", end_param: until, initial_value: 20, end_value: 40";
    let report = bench.run(api.plan("append", window));
    assert_eq!(of(&report, "items").rows, 2);
    assert_eq!(bench.column(IDS), ["2", "3"]);
    assert_eq!(api.sim.requests()[0].param("until"), Some("40"));
    bench.run(api.plan("merge", ", initial_value: 1"));
    bench.run(api.plan("append", window));
    bench.run(api.plan("merge", ""));
    // The stored cursor is 40 from the second run on; windows neither read nor moved it.
    let since: Vec<_> = ["20", "1", "20", "40"].map(|since| Some(since.to_owned())).into();
    assert_eq!(params(&api.sim, "since"), since);
}

#[test]
fn the_cursor_stays_where_the_resource_failed() {
    let sim = script(|request| match request.param("page") {
        Some("0") => Response::json(&json!([{"id": 9, "updated": 90}])),
        Some("1") => Response::json(&json!([{"id": 8, "updated": 80}])),
        _ => Response::json(&json!([])),
    });
    let resource = "  - {name: items, write_disposition: append, endpoint: {path: items, data_selector: $, \
        paginator: page_number, \
        incremental: {cursor_path: updated, start_param: since, initial_value: 1}}}";
    let bench = Bench::new();
    sim.fault(Fault::status(400).query("page", "1"));
    let failed = bench.run(plan(&sim, "", resource));
    assert_eq!((failed.status, of(&failed, "items").status), (Status::Failed, Status::Failed));
    let again = bench.run(plan(&sim, "", resource));
    assert_eq!(again.status, Status::Succeeded);
    // The newest came first: had its cursor moved, the other one would be lost.
    assert_eq!(bench.column(IDS), ["8", "9"]);
    assert!(sim.requests().iter().all(|request| request.param("since") == Some("1")));
}

const CHILD: &str = "  - {name: children, primary_key: [of, id], write_disposition: append, endpoint: { \
    path: \"parents/{resources.parents.id}/children\", data_selector: $, paginator: single_page, \
    incremental: {cursor_path: updated, start_param: since}}}";

#[test]
fn each_parent_has_its_own_cursor() {
    let api = Growing::new();
    let bench = Bench::new();
    let parents = "  - {name: parents, primary_key: id, write_disposition: merge, \
        endpoint: {path: parents, data_selector: $, paginator: single_page}}\n";
    let plan = || plan(&api.sim, "", &format!("{parents}{CHILD}"));
    api.put_of("p", 1, 100);
    api.put_of("q", 1, 7);
    bench.run(plan());
    api.put_of("q", 2, 8);
    api.sim.clear_requests();
    let second = bench.run(plan());
    assert_eq!(of(&second, "children").rows, 1);
    let since = |path: &str| asked(&api.sim, path)[0].param("since").map(str::to_owned);
    assert_eq!(since("/p/children").as_deref(), Some("100"));
    assert_eq!(since("/q/children").as_deref(), Some("7"));
    let rows = bench.query("SELECT \"of\", id FROM test_dataset.children ORDER BY ALL");
    assert_eq!(rows, [["p", "1"], ["q", "1"], ["q", "2"]]);
}

#[test]
fn a_parent_stays_where_a_child_failed() {
    // Its rows stay, however they were loaded, and the next run reads only the children that are missing.
    for disposition in ["merge", "append"] {
        let api = Growing::new();
        let bench = Bench::new();
        let parents = format!(
            "  - {{name: parents, primary_key: id, write_disposition: {disposition}, \
             endpoint: {{path: parents, data_selector: $, paginator: single_page, \
             incremental: {{cursor_path: updated, start_param: since, initial_value: 1}}}}}}\n"
        );
        let plan = || plan(&api.sim, "", &format!("{parents}{CHILD}"));
        api.put_of("p", 1, 100);
        api.put_of("q", 1, 7);
        api.sim.fault(Fault::status(403).on("/q/children"));
        let first = bench.run(plan());
        assert_eq!(of(&first, "parents").status, Status::Succeeded);
        assert_eq!(of(&first, "children").status, Status::Failed);
        assert_eq!(bench.column("SELECT id FROM test_dataset.parents ORDER BY 1"), ["p", "q"]);
        bench.run(plan());
        let third = bench.run(plan());
        assert_eq!(third.status, Status::Succeeded);
        let since: Vec<_> = asked(&api.sim, "/parents")
            .iter()
            .map(|request| request.param("since").map(str::to_owned))
            .collect();
        let expected: Vec<_> = ["1", "6"].map(|since| Some(since.to_owned())).into();
        assert_eq!(since, expected, "{disposition}");
        assert_eq!(bench.column("SELECT id FROM test_dataset.parents ORDER BY 1"), ["p", "q"]);
        let rows = bench.query("SELECT \"of\", id FROM test_dataset.children ORDER BY ALL");
        assert_eq!(rows, [["p", "1"], ["q", "1"]]);
    }
}

#[test]
fn what_is_not_selected_keeps_no_cursor_and_no_load_open() {
    let api = Growing::new();
    let bench = Bench::new();
    let unselected = CHILD.replace("{name: children,", "{name: children, selected: false,");
    let parents = "  - {name: parents, primary_key: id, write_disposition: append, \
        endpoint: {path: parents, data_selector: $, paginator: single_page, \
        incremental: {cursor_path: updated, start_param: since, initial_value: 1}}}\n";
    let plan = || plan(&api.sim, "", &format!("{parents}{unselected}"));
    let first = bench.run(plan());
    assert_eq!(first.status, Status::Succeeded);
    assert_eq!(bench.column("SELECT count(*) FROM test_dataset._dlt_loads WHERE status = 0"), ["1"]);
    let second = bench.run(plan());
    assert_eq!(second.status, Status::Succeeded);
    let expected: Vec<_> = ["1", "6"].map(|since| Some(since.to_owned())).into();
    assert_eq!(params(&api.sim, "since"), expected);
    assert_eq!(bench.column("SELECT id FROM test_dataset.parents ORDER BY 1"), ["p", "q"]);
}

#[test]
fn cursors_are_compared_as_instants_whatever_their_zone() {
    // The largest as text is not the latest.
    let sim = script(|_| {
        Response::json(&json!([
            {"id": 1, "at": "2024-03-01T23:30:00-05:00"},
            {"id": 2, "at": "2024-03-02T03:00:00Z"},
            {"id": 3, "at": "2024-03-02T00:00:00+02:00"},
        ]))
    });
    let told = things(plan(
        &sim,
        "",
        "  - {name: things, write_disposition: append, endpoint: {path: items, data_selector: $, \
         paginator: single_page, incremental: {cursor_path: at, start_param: since, format: unix, \
         initial_value: \"2024-03-01T22:30:00Z\"}}}",
    ));
    // 22:00Z of the first of March is before the start.
    assert_eq!(told.ids(), [1, 2]);
    assert_eq!(sim.requests()[0].param("since"), Some("1709332200"));
    let last = CursorValue::Text("2024-03-01T23:30:00-05:00".to_owned());
    assert_eq!(told.moves[""].state.last_value, last);
}
