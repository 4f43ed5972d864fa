//! What is remembered of loads.

use serde_json::json;

use super::fixture::{Opener, begin, charges, commit, last_commit, load, run_identity, stored};
use crate::destination::Commit;
use crate::error::ErrorKind;
use crate::plan::Disposition;
use crate::schema::{Column, DataType, Schema, Table};

pub(super) fn a_second_claim_fences_the_first(open: &Opener) {
    let append = load(Disposition::Append);
    let mut first = begin(open, "1");
    first.commit(commit(&append, vec![charges("1", &[(Some(1), "a", "r1")])])).unwrap();
    let mut second = begin(open, "2");
    let error = first.commit(commit(&append, vec![charges("1", &[(Some(2), "b", "r2")])])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Destination);
    assert!(error.to_string().contains("another run has taken over"), "{error}");
    second.commit(last_commit(&append, vec![charges("2", &[(Some(3), "c", "r3")])], &[""])).unwrap();
    // What the first one had committed is its pass, which the second did not give up.
    assert_eq!(stored(open), ["1 a", "3 c"]);
}

pub(super) fn state_and_schema_come_back_equal(open: &Opener) {
    let mut schema = Schema::new("rest_api");
    let mut columns = vec![
        Column::new("id", DataType::Bigint),
        Column { variant: true, ..Column::new("id__v_text", DataType::Text) },
        Column { source_key: Some("A-b".to_owned()), ..Column::new("a_b_2", DataType::Json) },
        Column { exact_as_double: false, ..Column::new("big", DataType::Bigint) },
        Column { nullable: false, ..Column::new("_dlt_id", DataType::Text) },
    ];
    for scale in [0, 2, 9] {
        columns.push(Column::new(format!("decimal_{scale}"), DataType::Decimal { scale }));
    }
    let table = |name: &str, parent: Option<&str>, columns| Table {
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
        resource: parent.is_none().then(|| "charges".to_owned()),
        write_disposition: parent.is_none().then(|| "merge".to_owned()),
        columns,
    };
    schema.put(table("charges", None, columns));
    schema.put(table("charges__items", Some("charges"), vec![Column::new("value", DataType::Text)]));
    let state = json!({"_state_version": 0, "_state_engine_version": 4, "pipeline_name": "orb", "sources": {"rest_api": {"x": [1.5, null, "ü"]}}});

    let mut subject = open();
    let restored = subject.claim(&run_identity("1")).unwrap();
    assert!(restored.schema.is_none() && restored.state.is_none());
    for _ in 0..2 {
        subject.commit(Commit { schema: Some(&schema), state: Some(&state), ..Commit::default() }).unwrap();
    }
    assert_eq!(subject.read("_dlt_version", &["version"]), ["1"]);
    assert_eq!(subject.read("_dlt_pipeline_state", &["version"]), ["1"]);
    if let Some(table) = schema.table_mut("charges__items") {
        table.columns.push(Column::new("note", DataType::Text));
    }
    subject.commit(Commit { schema: Some(&schema), ..Commit::default() }).unwrap();
    assert_eq!(subject.read("_dlt_version", &["version"]), ["1", "2"]);

    let restored = open().claim(&run_identity("2")).unwrap();
    assert_eq!(restored.schema.as_ref(), Some(&schema));
    let sources = |state: &serde_json::Value| state.get("sources").cloned();
    assert_eq!(restored.state.as_ref().and_then(sources), sources(&state));
}

pub(super) fn a_state_of_dlt_counts_with_its_load_only(open: &Opener) {
    let mut subject = begin(open, "1");
    subject.run(
        "INSERT INTO {}._dlt_pipeline_state VALUES \
         (1, 4, 'orb', '{\"cursor\": 1}', now(), NULL, '5.5', 'a'), (2, 4, 'orb', '{\"cursor\": 2}', now(), NULL, '10.5', 'b')",
    );
    subject.run("INSERT INTO {}._dlt_loads VALUES ('5.5', 'rest_api', 0, now(), NULL)");
    let restored = open().claim(&run_identity("2")).unwrap();
    assert_eq!(restored.state, Some(json!({"cursor": 1})));
    subject.run("INSERT INTO {}._dlt_loads VALUES ('10.5', 'rest_api', 0, now(), NULL)");
    let restored = open().claim(&run_identity("3")).unwrap();
    assert_eq!(restored.state, Some(json!({"cursor": 2})));
}

pub(super) fn a_clock_that_goes_back_brings_no_old_state_back(open: &Opener) {
    let state = |cursor: i64| json!({"pipeline_name": "orb", "sources": {"rest_api": {"cursor": cursor}}});
    let schema = |columns: &[&str]| {
        let columns = columns.iter().map(|name| Column::new(*name, DataType::Text)).collect();
        let mut schema = Schema::new("rest_api");
        schema.put(Table {
            name: "charges".to_owned(),
            parent: None,
            resource: Some("charges".to_owned()),
            write_disposition: Some("append".to_owned()),
            columns,
        });
        schema
    };
    let (before, after) = (schema(&["a"]), schema(&["a", "b"]));
    for (load_id, cursor, schema) in [("1700000000", 1, &before), ("1600000000", 2, &after)] {
        let mut subject = begin(open, load_id);
        let state = state(cursor);
        subject
            .commit(Commit { state: Some(&state), schema: Some(schema), complete: true, ..Commit::default() })
            .unwrap();
    }
    let restored = open().claim(&run_identity("1500000000")).unwrap();
    assert_eq!(restored.state.unwrap()["sources"], state(2)["sources"]);
    assert_eq!(restored.schema, Some(after));
}

pub(super) fn the_loads_row_is_written_at_its_end(open: &Opener) {
    let append = load(Disposition::Append);
    let mut subject = begin(open, "1");
    subject.commit(commit(&append, vec![charges("1", &[(Some(1), "a", "r1")])])).unwrap();
    assert!(subject.read("_dlt_loads", &["load_id"]).is_empty());
    subject.commit(Commit { complete: true, ..last_commit(&append, vec![], &[""]) }).unwrap();
    assert_eq!(subject.read("_dlt_loads", &["load_id", "schema_name", "status"]), ["1 rest_api 0"]);
}
