//! `schema_contract`: what new data may change of the tables, and what is left out or refused (dlt.md §3.8).

use std::sync::{Arc, Mutex};

use dray::plan::Plan;
use dray::report::{Report, Status};
use dray_sim::{Fault, Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, of, plan, script};

/// `/items` gives what the test puts in, two pages of it.
struct Items {
    sim: Sim,
    records: Arc<Mutex<[Value; 2]>>,
}

impl Items {
    fn new() -> Self {
        let records =
            Arc::new(Mutex::new([json!([{"id": 1, "n": 1, "tags": [{"t": "a"}]}]), json!([{"id": 2}])]));
        let own = Arc::clone(&records);
        let sim = script(move |request: &Request| {
            let second = request.param("after").is_some();
            let data = own.lock().unwrap()[usize::from(second)].clone();
            Response::json(&if second { json!({ "data": data }) } else { json!({"data": data, "next": "2"}) })
        });
        Self { sim, records }
    }

    fn plan(&self, contract: &str) -> Plan {
        plan(
            &self.sim,
            "",
            &format!(
                "  - {{name: items, primary_key: id, write_disposition: merge, schema_contract: {contract}, endpoint: {{path: items, \
                 data_selector: data, paginator: {{type: cursor, cursor_path: next, cursor_param: after}}}}}}"
            ),
        )
    }
}

/// New data: a column, a type, a table, and a column of a nested table.
fn changed() -> [Value; 2] {
    [
        json!([{"id": 1, "n": "one", "fresh": true, "tags": [{"t": "a", "u": 1}], "notes": [1, 2, 3]}]),
        json!([{"id": 2, "n": 2.5, "deep": {"er": 1}}]),
    ]
}

/// A first load under `evolve`, and one of changed data under `contract`.
fn second(contract: &str) -> (Bench, Report) {
    let (items, bench) = (Items::new(), Bench::new());
    bench.run(items.plan("evolve"));
    *items.records.lock().unwrap() = changed();
    let report = bench.run(items.plan(contract));
    (bench, report)
}

fn columns(bench: &Bench, table: &str) -> Vec<String> {
    bench.column(&format!(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'test_dataset' AND table_name = '{table}' \
         AND column_name NOT LIKE '\\_dlt%' ESCAPE '\\' ORDER BY 1"
    ))
}

#[test]
fn values_that_would_change_a_table_are_left_out_and_counted() {
    let (bench, report) = second("discard_value");
    let items = of(&report, "items");
    // `n` twice, `fresh`, `u`, `deep.er`; three rows of `notes`.
    assert_eq!((items.status, items.rows), (Status::Succeeded, 2));
    assert_eq!((items.discarded_values, items.discarded_rows), (5, 3));
    assert_eq!(columns(&bench, "items"), ["id", "n"]);
    assert_eq!(columns(&bench, "items__tags"), ["t"]);
    assert_eq!(
        bench.query("SELECT id, n FROM test_dataset.items ORDER BY 1"),
        [["1", "NULL"], ["2", "NULL"]]
    );
    let note = "items: 5 values and 3 rows were left out, as `schema_contract` says";
    assert!(report.notes.iter().any(|own| own == note), "{:?}", report.notes);
}

#[test]
fn each_part_of_a_contract_is_kept_by_itself() {
    // 2.5 makes `n` a column of doubles, as it does without a contract.
    let (bench, report) = second("{columns: discard_value}");
    let items = of(&report, "items");
    assert_eq!((items.discarded_values, items.discarded_rows), (3, 0));
    assert_eq!(columns(&bench, "items"), ["id", "n", "n__v_text"]);
    assert_eq!(bench.column("SELECT count(*) FROM test_dataset.items__notes"), ["3"]);

    let (bench, report) = second("{tables: discard_row}");
    let items = of(&report, "items");
    assert_eq!((items.discarded_values, items.discarded_rows), (0, 3));
    assert_eq!(columns(&bench, "items__tags"), ["t", "u"]);
}

#[test]
fn what_is_frozen_fails_the_resource_and_leaves_its_rows() {
    for (contract, said) in [
        ("{tables: freeze}", "a record needs a new table, and tables are frozen"),
        ("{columns: freeze}", "a record has a value without a column, and columns are frozen"),
        ("{data_type: freeze}", "a value has another type than its column, and types are frozen"),
    ] {
        let (bench, report) = second(contract);
        let error = of(&report, "items").error.clone().unwrap();
        assert!(error.contains(said) && error.contains("resource: items, page: 1"), "{error}");
        assert!(error.contains("`schema_contract: {"), "{error}");
        assert_eq!(
            bench.query("SELECT id, n FROM test_dataset.items ORDER BY 1"),
            [["1", "1"], ["2", "NULL"]]
        );
    }
}

#[test]
fn a_new_table_takes_the_columns_of_its_first_reading_whatever_interrupts_it() {
    for interrupted in [false, true] {
        let (items, bench) = (Items::new(), Bench::new());
        items.records.lock().unwrap()[1] = json!([{"id": 2, "late": true}]);
        let contract = "{columns: freeze, data_type: freeze}";
        if interrupted {
            items.sim.fault(Fault::status(403).query("after", "2"));
            assert_eq!(bench.run(items.plan(contract)).status, Status::Failed);
            assert_eq!(columns(&bench, "items"), ["id", "n"]);
        }
        assert_eq!(bench.run(items.plan(contract)).status, Status::Succeeded, "{interrupted}");
        assert_eq!(columns(&bench, "items"), ["id", "late", "n"]);
        // And then no more.
        items.records.lock().unwrap()[1] = json!([{"id": 2, "later": true}]);
        assert_eq!(bench.run(items.plan(contract)).status, Status::Failed);
    }
}

#[test]
fn without_a_table_there_is_none() {
    let (items, bench) = (Items::new(), Bench::new());
    let report = bench.run(items.plan("{tables: discard_value}"));
    let found = of(&report, "items");
    assert_eq!((found.status, found.rows, found.discarded_rows), (Status::Succeeded, 0, 2));
    let frozen = bench.run(items.plan("{tables: freeze}"));
    assert_eq!(of(&frozen, "items").status, Status::Failed);
}
