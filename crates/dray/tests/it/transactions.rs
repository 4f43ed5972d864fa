//! Rows that are written before their transaction ends, and a resource that spoils it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dray::pipeline::Checkpointing;
use dray::report::Status;
use dray_sim::{Response, Sim};
use serde_json::json;

use crate::support::{Bench, of, plan, script};

/// Everything in one transaction, written page by page.
fn one_transaction() -> Checkpointing {
    Checkpointing { bytes: usize::MAX, delivery: 1, ..Checkpointing::default() }
}

#[test]
fn the_rows_of_others_outlive_a_resource_that_spoils_their_transaction() {
    let sim = script(|request| {
        let page = request.param("page").and_then(|page| page.parse::<u64>().ok()).unwrap_or(1);
        // The fifth page of `bad` has a record without its key.
        let id = if request.path == "/bad" && page == 5 { json!(null) } else { json!(page) };
        let next = (page < 9).then_some(page + 1);
        Response::json(&json!({"data": [{"id": id, "of": request.path}], "next": next}))
    });
    let list = |name: &str| {
        format!(
            "  - {{name: {name}, primary_key: id, write_disposition: merge, endpoint: {{path: {name}, data_selector: data, \
             paginator: {{type: cursor, cursor_path: next, cursor_param: page}}}}}}\n"
        )
    };
    let bench = Bench::new();
    let resources = ["first", "bad", "last"].map(list).concat();
    let report = bench.run_as(plan(&sim, "concurrency: 1", &resources), None, one_transaction());
    assert_eq!(report.status, Status::Failed);
    let bad = of(&report, "bad");
    assert!(bad.error.as_deref().is_some_and(|error| error.contains("no value for the key `id`")), "{bad:?}");
    for name in ["first", "last"] {
        assert_eq!((of(&report, name).status, of(&report, name).rows), (Status::Succeeded, 9), "{name}");
        assert_eq!(bench.column(&format!("SELECT count(*) FROM test_dataset.{name}")), ["9"], "{name}");
    }
    assert_eq!(bad.rows, 0);
}

#[test]
fn a_list_is_merged_over_many_parts_of_one_transaction() {
    let sim = script(|request| {
        let page = request.param("page").and_then(|page| page.parse::<u64>().ok()).unwrap_or(1);
        // Every page gives the first record once more, newer each time.
        let data =
            json!([{"id": 0, "seen": page, "tags": [page]}, {"id": page, "seen": page, "tags": [page]}]);
        Response::json(&json!({"data": data, "next": (page < 9).then_some(page + 1)}))
    });
    let resources = "  - {name: things, primary_key: id, write_disposition: merge, endpoint: {path: items, data_selector: data, \
                     paginator: {type: cursor, cursor_path: next, cursor_param: page}}}";
    let bench = Bench::new();
    let report = bench.run_as(plan(&sim, "", resources), None, one_transaction());
    assert_eq!(report.status, Status::Succeeded);
    let found = bench.column("SELECT id || ' ' || seen FROM test_dataset.things ORDER BY id");
    let expected: Vec<String> =
        std::iter::once("0 9".to_owned()).chain((1..=9).map(|page| format!("{page} {page}"))).collect();
    assert_eq!(found, expected);
    // Nested rows went with the rows that were replaced.
    assert_eq!(bench.column("SELECT count(*) FROM test_dataset.things__tags"), ["10"]);
}

/// Nine pages of one record. The tokens of one reading of the API are refused once it is in its next one.
fn renewed(renewed: &Arc<AtomicBool>) -> Sim {
    let renewed = Arc::clone(renewed);
    script(move |request| {
        let own = if renewed.load(Ordering::SeqCst) { 'b' } else { 'a' };
        let page = match request.param("page") {
            None => 1,
            Some(token) => match token.strip_prefix(own).and_then(|page| page.parse::<u64>().ok()) {
                Some(page) => page,
                None => return Response::status(400),
            },
        };
        let next = (page < 9).then(|| format!("{own}{}", page + 1));
        Response::json(&json!({"data": [{"id": page}], "next": next}))
    })
}

#[test]
fn a_resource_that_starts_over_keeps_the_rows_of_the_same_transaction() {
    for disposition in ["append", "replace", "merge"] {
        let flag = Arc::new(AtomicBool::new(false));
        let sim = renewed(&flag);
        let resources = format!(
            "  - {{name: things, primary_key: id, write_disposition: {disposition}, endpoint: {{path: items, data_selector: data, \
             paginator: {{type: cursor, cursor_path: next, cursor_param: page}}}}}}"
        );
        let bench = Bench::new();
        let every_page = Checkpointing { bytes: 1, ..Checkpointing::default() };
        let stopped = bench.run_as(plan(&sim, "", &resources), Some(4), every_page);
        assert_eq!(stopped.status, Status::Interrupted);
        flag.store(true, Ordering::SeqCst);
        let report = bench.run_as(plan(&sim, "", &resources), None, one_transaction());
        assert_eq!(report.status, Status::Succeeded, "{disposition}");
        assert!(report.notes.iter().any(|note| note.contains("starts over")), "{:?}", report.notes);
        let found = bench.column("SELECT id || '' FROM test_dataset.things ORDER BY id");
        assert_eq!(found, (1..=9).map(|id| id.to_string()).collect::<Vec<_>>(), "{disposition}");
    }
}
