//! Append, replace, and the shape of tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, RecordBatch,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};

use serde_json::json;

use super::fixture::{
    Opener, begin, charges, commit, ints, last_commit, load, merge_on, nested, rows, run_identity, stored,
    texts, whole_load,
};
use crate::destination::{Commit, Finished, Pass, Position, RESOURCE_COLUMN, ResourceLoad, TableBatch};
use crate::error::ErrorKind;
use crate::plan::{Disposition, SharedTable};
use crate::schema::{Column, DataType, Table};

pub(super) fn append_adds(open: &Opener) {
    let append = load(Disposition::Append);
    let first = whole_load(open, "1", &append, vec![charges("1", &[(Some(1), "a", "r1")])]).unwrap();
    assert_eq!(first.rows, BTreeMap::from([("charges".to_owned(), 1)]));
    assert_eq!(first.created, ["charges"]);
    whole_load(open, "2", &append, vec![charges("2", &[(Some(1), "a", "r2")])]).unwrap();
    assert_eq!(stored(open), ["1 a", "1 a"]);
}

pub(super) fn a_refused_commit_leaves_nothing(open: &Opener) {
    let mut subject = begin(open, "1");
    let append = load(Disposition::Append);
    let nothing = rows("charges__items", Some("charges"), vec![("_dlt_id", texts(&[None]))]);
    let good = charges("1", &[(Some(1), "a", "r1")]);
    let error = subject.commit(commit(&append, vec![good.clone(), nothing])).unwrap_err();
    assert_eq!((error.kind(), error.fact("resource")), (ErrorKind::Schema, Some("charges")));
    // What is known of tables went back with the transaction: they are made now.
    let committed = subject.commit(commit(&append, vec![good])).unwrap();
    assert_eq!(committed.created, ["charges"]);
    assert_eq!(subject.read("charges", &["id"]), ["1"]);
}

pub(super) fn rows_given_before_a_commit_wait_for_it(open: &Opener) {
    let append = load(Disposition::Append);
    let resources = commit(&append, Vec::new()).resources;
    let first = charges("1", &[(Some(1), "a", "r1")]);
    let mut subject = begin(open, "1");
    subject.write(std::slice::from_ref(&first), &resources).unwrap();
    // Gone with the one that gave them.
    drop(subject);
    let mut subject = begin(open, "2");
    let again = subject.write(std::slice::from_ref(&first), &resources).unwrap();
    assert_eq!(again.created, ["charges"]);
    let nothing = rows("charges__items", Some("charges"), vec![("_dlt_id", texts(&[None]))]);
    // What is refused takes along what was given before.
    let error = subject.write(&[nothing], &resources).unwrap_err();
    assert_eq!((error.kind(), error.fact("table")), (ErrorKind::Schema, Some("charges__items")));
    let second = subject.write(&[charges("2", &[(Some(2), "b", "r2")])], &resources).unwrap();
    assert_eq!((second.created, second.rows.get("charges")), (vec!["charges".to_owned()], Some(&1)));
    let done =
        subject.commit(last_commit(&append, vec![charges("2", &[(Some(3), "c", "r3")])], &[""])).unwrap();
    assert_eq!(done.rows.get("charges"), Some(&1));
    assert_eq!(stored(open), ["2 b", "3 c"]);
}

pub(super) fn replace_keeps_old_rows_until_finished(open: &Opener) {
    let replace = load(Disposition::Replace);
    let item = nested("charges__items", "charges", &[("x", "n1", "r1", "r1")]);
    whole_load(open, "1", &replace, vec![charges("1", &[(Some(1), "old", "r1")]), item]).unwrap();
    let mut subject = begin(open, "2");
    subject.commit(commit(&replace, vec![charges("2", &[(Some(2), "new", "r2")])])).unwrap();
    assert_eq!(stored(open), ["1 old"]);
    let done =
        subject.commit(last_commit(&replace, vec![charges("2", &[(Some(3), "new", "r3")])], &[""])).unwrap();
    assert_eq!(done.rows.get("charges"), Some(&2));
    assert_eq!(stored(open), ["2 new", "3 new"]);
    assert!(open().read("charges__items", &["value"]).is_empty());
}

pub(super) fn a_replace_without_rows_empties(open: &Opener) {
    let replace = load(Disposition::Replace);
    let item = nested("charges__items", "charges", &[("x", "n1", "r1", "r1")]);
    whole_load(open, "1", &replace, vec![charges("1", &[(Some(1), "old", "r1")]), item]).unwrap();
    whole_load(open, "2", &replace, vec![]).unwrap();
    assert!(stored(open).is_empty());
    assert!(open().read("charges__items", &["value"]).is_empty());
}

pub(super) fn an_incomplete_append_is_taken_back(open: &Opener) {
    let append = load(Disposition::Append);
    let items = [("x", "n1", "r1", "r1")];
    let tags = [("t", "m1", "n1", "r1")];
    let batches = || {
        vec![
            charges("1", &[(Some(1), "a", "r1")]),
            nested("charges__items", "charges", &items),
            nested("charges__items__tags", "charges__items", &tags),
        ]
    };
    whole_load(open, "1", &append, batches()).unwrap();
    let mut killed = begin(open, "2");
    let mut second = vec![charges("2", &[(Some(2), "b", "r2")])];
    second.push(nested("charges__items", "charges", &[("y", "n2", "r2", "r2")]));
    second.push(nested("charges__items__tags", "charges__items", &[("u", "m2", "n2", "r2")]));
    killed.commit(commit(&append, second)).unwrap();
    drop(killed);
    let mut next = open();
    let restored = next.claim(&run_identity("3")).unwrap();
    // It stays until somebody decides that it is not carried on.
    assert_eq!(restored.passes["charges"], Pass { fingerprint: "f1".to_owned(), finished: false });
    assert_eq!(stored(open), ["1 a", "2 b"]);
    let given_up = Commit { restarted: vec!["charges".to_owned()], ..commit(&append, vec![]) };
    assert_eq!(next.commit(given_up).unwrap().taken_back, BTreeMap::from([("charges".to_owned(), 1)]));
    assert_eq!(stored(open), ["1 a"]);
    assert_eq!(next.read("charges__items", &["value"]), ["x"]);
    assert_eq!(next.read("charges__items__tags", &["value"]), ["t"]);
    drop(next);
    assert_eq!(open().claim(&run_identity("4")).unwrap().passes, BTreeMap::new());
}

pub(super) fn a_pass_may_span_several_loads(open: &Opener) {
    let place = |partition: &str, place: serde_json::Value, done: bool| Position {
        resource: "charges".to_owned(),
        partition: partition.to_owned(),
        place,
        done,
    };
    for disposition in [Disposition::Append, Disposition::Replace] {
        let load = load(disposition);
        let mut killed = begin(open, "1");
        let first = Commit {
            positions: vec![place("a", json!({"at": 1}), false), place("b", json!(null), true)],
            ..commit(&load, vec![charges("1", &[(Some(1), "a", "r1")])])
        };
        killed.commit(first).unwrap();
        drop(killed);
        let mut next = open();
        let restored = next.claim(&run_identity("2")).unwrap();
        assert_eq!(restored.positions, [place("a", json!({"at": 1}), false), place("b", json!(null), true)]);
        let moved = Commit {
            positions: vec![place("a", json!({"at": 2}), false)],
            ..commit(&load, vec![charges("2", &[(Some(2), "b", "r2")])])
        };
        next.commit(moved).unwrap();
        drop(next);
        let mut last = open();
        let restored = last.claim(&run_identity("3")).unwrap();
        assert_eq!(restored.positions, [place("b", json!(null), true), place("a", json!({"at": 2}), false)]);
        assert!(last.read("_dlt_loads", &["load_id"]).is_empty());
        last.commit(Commit { complete: true, ..last_commit(&load, vec![], &["a", "b"]) }).unwrap();
        assert_eq!(stored(open), ["1 a", "2 b"]);
        // The loads that it has rows of are complete with it.
        assert_eq!(last.read("_dlt_loads", &["load_id"]), ["1", "2", "3"]);
        let restored = open().claim(&run_identity("4")).unwrap();
        assert!(restored.passes.is_empty() && restored.positions.is_empty());
        last = open();
        last.run("DELETE FROM {}.charges");
        last.run("DELETE FROM {}._dlt_loads");
    }
}

pub(super) fn an_abandoned_resource_leaves_nothing(open: &Opener) {
    for (load_id, disposition, kept) in
        [("1", Disposition::Append, 0), ("2", Disposition::Replace, 0), ("3", Disposition::Merge, 1)]
    {
        let load = if disposition == Disposition::Merge { merge_on(&["id"]) } else { load(disposition) };
        let mut subject = begin(open, load_id);
        let item = nested("charges__items", "charges", &[("x", "n1", "r1", "r1")]);
        subject.commit(commit(&load, vec![charges(load_id, &[(Some(1), "a", "r1")]), item])).unwrap();
        let abandoned =
            Commit { abandoned: vec!["charges".to_owned()], complete: true, ..commit(&load, vec![]) };
        subject.commit(abandoned).unwrap();
        assert_eq!(stored(open).len(), kept, "{disposition:?}");
        assert_eq!(subject.read("charges__items", &["value"]).len(), kept, "{disposition:?}");
    }
}

pub(super) fn new_columns_are_added(open: &Opener) {
    let append = load(Disposition::Append);
    let ids = |n: i64| ("id", ints(&[Some(n)]));
    let loaded = ("_dlt_load_id", texts(&[Some("1")]));
    let mut subject = begin(open, "1");
    subject.commit(commit(&append, vec![rows("charges", None, vec![ids(1), loaded.clone()])])).unwrap();
    let wider = vec![loaded.clone(), ("note", texts(&[Some("hello")])), ids(2)];
    let committed = subject.commit(commit(&append, vec![rows("charges", None, wider)])).unwrap();
    assert_eq!(committed.created, ["charges.note"]);
    // A whole number's column becomes double, and takes whole and broken numbers in one commit.
    let mut broken = rows("charges", None, vec![ids(0), loaded.clone()]);
    broken.table.columns[0].data_type = DataType::Double;
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
    broken.rows = RecordBatch::try_from_iter([("id", values), loaded.clone()]).unwrap();
    let mut whole = rows("charges", None, vec![ids(4), loaded]);
    whole.table = broken.table.clone();
    subject.commit(commit(&append, vec![broken, whole])).unwrap();
    let mut read = subject.read("charges", &["id", "note"]);
    read.sort();
    assert_eq!(read, ["1.0 -", "1.5 -", "2.0 hello", "4.0 -"]);
}

pub(super) fn every_type_and_null_comes_back(open: &Opener) {
    let mut columns: Vec<(&str, DataType, ArrayRef)> = vec![
        ("text", DataType::Text, texts(&[Some("é'\"\n日本"), None])),
        ("bigint", DataType::Bigint, ints(&[Some(i64::MIN), None])),
        ("double", DataType::Double, Arc::new(Float64Array::from(vec![Some(0.1), None]))),
        ("bool", DataType::Bool, Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("date", DataType::Date, Arc::new(Date32Array::from(vec![Some(19_782), None]))),
        ("time", DataType::Time, Arc::new(Time64MicrosecondArray::from(vec![Some(3_723_000_001), None]))),
        ("json", DataType::Json, texts(&[Some(r#"{"a": [1, 1e400]}"#), None])),
        ("binary", DataType::Binary, Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), None]))),
    ];
    let instants =
        TimestampMicrosecondArray::from(vec![Some(1_709_210_096_123_456), None]).with_timezone("UTC");
    columns.push(("timestamp", DataType::Timestamp, Arc::new(instants)));
    let largest = 10_i128.pow(38) - 1;
    for (name, scale, value) in [("decimal", 9, largest), ("wei", 0, -largest)] {
        let values =
            Decimal128Array::from(vec![Some(value), None]).with_precision_and_scale(38, scale).unwrap();
        columns.push((name, DataType::Decimal { scale }, Arc::new(values)));
    }
    let names: Vec<&str> = columns.iter().map(|(name, _, _)| *name).collect();
    let table = Table {
        name: "charges".to_owned(),
        parent: None,
        resource: None,
        write_disposition: None,
        columns: columns.iter().map(|(name, data_type, _)| Column::new(*name, *data_type)).collect(),
    };
    let arrays = columns.iter().map(|(name, _, array)| (*name, Arc::clone(array), true));
    let rows = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
    let batch = TableBatch { resource: "charges".to_owned(), table, rows };
    // Straight into the table, and by way of staging.
    for disposition in [Disposition::Append, Disposition::Replace] {
        let load = load(disposition);
        let mut subject = begin(open, "1");
        subject.commit(commit(&load, vec![batch.clone()])).unwrap();
        subject.commit(last_commit(&load, vec![], &[""])).unwrap();
        let read: Vec<Vec<String>> = names.iter().map(|name| subject.read("charges", &[name])).collect();
        let read: Vec<&str> = read.iter().map(|values| values[0].as_str()).collect();
        let expected = [
            "é'\"\n日本",
            "-9223372036854775808",
            "0.1",
            "true",
            "2024-02-29",
            "01:02:03.000001",
            r#"{"a": [1, 1e400]}"#,
            r"\x00\xFF",
            "2024-02-29 12:34:56.123456+00",
            "99999999999999999999999999999.999999999",
            "-99999999999999999999999999999999999999",
        ];
        assert_eq!(read, expected);
        for name in &names {
            assert_eq!(subject.read("charges", &[name])[1], "-", "{name}");
        }
    }
}

pub(super) fn odd_names_work(open: &Opener) {
    for (load_id, table) in [("1", "select"), ("2", "o'brien \"x\"; drop"), ("3", "日本"), ("4", "orb")] {
        let load = ResourceLoad { table: table.to_owned(), ..merge_on(&["order"]) };
        let below = format!("{table}__group by");
        let odd = |id: &str, value: &str| {
            vec![
                rows(
                    table,
                    None,
                    vec![
                        ("order", ints(&[Some(1)])),
                        ("a\"b'c", texts(&[Some(value)])),
                        ("ümlaut 😀", texts(&[Some(value)])),
                        ("_dlt_load_id", texts(&[Some(load_id)])),
                        ("_dlt_id", texts(&[Some(id)])),
                    ],
                ),
                nested(&below, table, &[("v", "n", id, id)]),
            ]
        };
        whole_load(open, load_id, &load, odd("r1", "old")).unwrap();
        whole_load(open, load_id, &load, odd("r2", "new")).unwrap();
        let mut subject = open();
        assert_eq!(subject.read(table, &["order", "a\"b'c", "ümlaut 😀"]), ["1 new new"]);
        assert_eq!(subject.read(&below, &["_dlt_parent_id"]).len(), 1);
    }
}

pub(super) fn two_resources_may_fill_one_table(open: &Opener) {
    let replace = load(Disposition::Replace);
    whole_load(open, "1", &replace, vec![charges("1", &[(Some(9), "old", "r9")])]).unwrap();
    let mut other = charges("2", &[(Some(2), "b", "r2")]);
    other.resource = "refunds".to_owned();
    let commit = Commit {
        batches: vec![charges("2", &[(Some(1), "a", "r1")]), other],
        finished: ["charges", "refunds"]
            .map(|resource| Finished { resource: resource.to_owned(), partitions: vec![String::new()] })
            .into(),
        resources: ["charges", "refunds"].map(|resource| (resource.to_owned(), replace.clone())).into(),
        ..Commit::default()
    };
    begin(open, "2").commit(commit).unwrap();
    assert_eq!(stored(open), ["1 a", "2 b"]);
}

/// Rows of a resource in the table `charges`, which name it.
fn named(resource: &str, load_id: &str, rows: &[(Option<i64>, &str, &str)]) -> TableBatch {
    let mut batch = charges(load_id, rows);
    let mut columns: Vec<(String, ArrayRef)> = batch
        .rows
        .schema()
        .fields()
        .iter()
        .zip(batch.rows.columns())
        .map(|(field, column)| (field.name().clone(), Arc::clone(column)))
        .collect();
    columns.push((RESOURCE_COLUMN.to_owned(), texts(&vec![Some(resource); rows.len()])));
    batch.rows = RecordBatch::try_from_iter(columns).unwrap();
    batch.table.columns.push(Column::new(RESOURCE_COLUMN, DataType::Text));
    batch.resource = resource.to_owned();
    batch
}

/// How `charges` and `refunds` load into the table `charges`.
fn sharing(disposition: Disposition) -> BTreeMap<String, ResourceLoad> {
    let load = |other: &str| ResourceLoad {
        shared: Some(SharedTable { others: vec![other.to_owned()], merges: false }),
        ..load(disposition)
    };
    [("charges", load("refunds")), ("refunds", load("charges"))]
        .map(|(resource, load)| (resource.to_owned(), load))
        .into()
}

pub(super) fn who_shares_a_table_gives_up_its_own_rows_only(open: &Opener) {
    let resources = || sharing(Disposition::Append);
    let moved = |resource: &str| Position {
        resource: resource.to_owned(),
        partition: String::new(),
        place: json!(1),
        done: false,
    };
    let mut subject = begin(open, "1");
    let first = Commit {
        batches: vec![
            named("charges", "1", &[(Some(1), "a", "r1")]),
            named("refunds", "1", &[(Some(2), "b", "r2")]),
        ],
        positions: vec![moved("charges"), moved("refunds")],
        resources: resources(),
        ..Commit::default()
    };
    subject.commit(first).unwrap();
    drop(subject);
    // The next run carries on, and one of the two starts over.
    let mut subject = begin(open, "2");
    let again = Commit {
        restarted: vec!["refunds".to_owned()],
        batches: vec![
            named("charges", "2", &[(Some(3), "c", "r3")]),
            named("refunds", "2", &[(Some(2), "b", "r4")]),
        ],
        positions: vec![moved("charges"), moved("refunds")],
        resources: resources(),
        ..Commit::default()
    };
    let done = subject.commit(again).unwrap();
    assert_eq!(done.taken_back, BTreeMap::from([("refunds".to_owned(), 1)]));
    assert_eq!(stored(open), ["1 a", "2 b", "3 c"]);
    // Given up, the other leaves nothing of its two loads.
    let last = Commit { abandoned: vec!["charges".to_owned()], resources: resources(), ..Commit::default() };
    assert_eq!(subject.commit(last).unwrap().taken_back, BTreeMap::from([("charges".to_owned(), 2)]));
    assert_eq!(stored(open), ["2 b"]);
}

pub(super) fn a_replace_in_a_shared_table_replaces_its_own_rows(open: &Opener) {
    // Before the table was shared.
    whole_load(open, "1", &load(Disposition::Replace), vec![charges("1", &[(Some(9), "old", "r9")])])
        .unwrap();
    for (load_id, resource, id) in [("2", "charges", 1), ("3", "refunds", 2), ("4", "charges", 3)] {
        let finished = Finished { resource: resource.to_owned(), partitions: vec![String::new()] };
        let commit = Commit {
            batches: vec![named(resource, load_id, &[(Some(id), "new", load_id)])],
            finished: vec![finished],
            closed: vec![resource.to_owned()],
            resources: sharing(Disposition::Replace),
            ..Commit::default()
        };
        begin(open, load_id).commit(commit).unwrap();
    }
    assert_eq!(stored(open), ["2 new", "3 new"]);
}
