//! Tables that several resources fill: their rows are told apart, so each is read, given up and read again by itself.

use dray::plan::Plan;
use dray::report::Status;
use dray_sim::{Fault, Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, of, plan, script};

/// Two lists of 30 by cursor, ten a page: `/cats` from 0, `/dogs` from 100.
fn lists() -> Sim {
    script(|request: &Request| {
        let first = if request.path == "/dogs" { 100 } else { 0 };
        let from: u64 = request.param("after").map_or(0, |text| text.parse().unwrap());
        let data: Vec<Value> = (from..from + 10)
            .map(|place| json!({"id": first + place, "updated": place, "tags": ["t"]}))
            .collect();
        let next = (from + 10 < 30).then(|| (from + 10).to_string());
        Response::json(&json!({"data": data, "next": next}))
    })
}

fn pets(sim: &Sim, cats: &str, dogs: &str) -> Plan {
    let resource = |name: &str, keys: &str| {
        format!(
            "  - {{name: {name}, table_name: pets, {keys}, endpoint: {{path: {name}, data_selector: data, \
             paginator: {{type: cursor, cursor_path: next, cursor_param: after}}, incremental: {{cursor_path: updated}}}}}}\n"
        )
    };
    plan(sim, "", &format!("{}{}", resource("cats", cats), resource("dogs", dogs)))
}

const COUNTS: &str =
    "SELECT _dray_resource, count(*), count(DISTINCT id) FROM test_dataset.pets GROUP BY 1 ORDER BY 1";
const APPEND: &str = "write_disposition: append";

#[test]
fn two_resources_append_to_one_table() {
    let (sim, bench) = (lists(), Bench::new());
    for _ in 0..2 {
        let report = bench.run(pets(&sim, APPEND, APPEND));
        assert_eq!(report.status, Status::Succeeded);
        assert_eq!(bench.query(COUNTS), [["cats", "30", "30"], ["dogs", "30", "30"]]);
    }
    assert_eq!(bench.column("SELECT count(*) FROM test_dataset.pets__tags"), ["60"]);
}

#[test]
fn one_of_them_fails_and_the_next_run_reads_only_what_it_lacks() {
    let (sim, bench) = (lists(), Bench::new());
    sim.fault(Fault::status(403).on("/dogs").query("after", "20"));
    let first = bench.run(pets(&sim, APPEND, APPEND));
    assert_eq!((of(&first, "cats").status, of(&first, "dogs").status), (Status::Succeeded, Status::Failed));
    let second = bench.run(pets(&sim, APPEND, APPEND));
    assert_eq!((second.status, of(&second, "dogs").rows), (Status::Succeeded, 10));
    assert_eq!(bench.query(COUNTS), [["cats", "30", "30"], ["dogs", "30", "30"]]);
    // One alone, with the other as it is.
    let report = bench.run(pets(&sim, APPEND, &format!("{APPEND}, selected: false")));
    assert_eq!(report.status, Status::Succeeded);
    assert_eq!(bench.query(COUNTS), [["cats", "30", "30"], ["dogs", "30", "30"]]);
}

#[test]
fn what_reads_differently_now_is_taken_back_alone() {
    let (sim, bench) = (lists(), Bench::new());
    sim.fault(Fault::status(403).on("/dogs").query("after", "20"));
    sim.fault(Fault::status(403).on("/cats").query("after", "20"));
    bench.run(pets(&sim, APPEND, APPEND));
    assert_eq!(bench.query(COUNTS), [["cats", "20", "20"], ["dogs", "20", "20"]]);
    // Another key: the rows of this one resource are not those of the pass that is to come.
    let report = bench.run(pets(&sim, APPEND, &format!("{APPEND}, primary_key: id")));
    assert!(
        report.notes.iter().any(|note| note == "dogs: 20 rows of an unfinished load were taken back"),
        "{:?}",
        report.notes
    );
    assert_eq!(bench.query(COUNTS), [["cats", "30", "30"], ["dogs", "30", "30"]]);
}

#[test]
fn one_merges_and_one_appends() {
    let (sim, bench) = (lists(), Bench::new());
    let merge = "write_disposition: merge, primary_key: id";
    for _ in 0..2 {
        assert_eq!(bench.run(pets(&sim, merge, APPEND)).status, Status::Succeeded);
        assert_eq!(bench.query(COUNTS), [["cats", "30", "30"], ["dogs", "30", "30"]]);
    }
}
