//! Merge.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch};

use super::fixture::{
    Opener, begin, charges, commit, ints, last_commit, merge_on, nested, rows, stored, texts, whole_load,
};
use crate::destination::{KeyReading, PARTITION_COLUMN, ResourceLoad, TableBatch};
use crate::error::ErrorKind;
use crate::schema::{Column, DataType, SortOrder};

pub(super) fn merge_is_idempotent(open: &Opener) {
    let merge = merge_on(&["id"]);
    for load_id in ["1", "2"] {
        let batch = charges(load_id, &[(Some(1), "a", "r1"), (Some(2), "b", "r2")]);
        let committed = whole_load(open, load_id, &merge, vec![batch]).unwrap();
        assert_eq!(committed.rows.get("charges"), Some(&2));
        assert_eq!(committed.readings.get("charges"), Some(&KeyReading::Declared));
    }
    assert_eq!(stored(open), ["1 a", "2 b"]);
}

pub(super) fn a_key_of_an_earlier_checkpoint_is_replaced(open: &Opener) {
    let merge = merge_on(&["id"]);
    let mut subject = begin(open, "1");
    subject
        .commit(commit(&merge, vec![charges("1", &[(Some(1), "a", "r1"), (Some(2), "b", "r2")])]))
        .unwrap();
    subject.commit(last_commit(&merge, vec![charges("1", &[(Some(1), "c", "r3")])], &[""])).unwrap();
    assert_eq!(stored(open), ["1 c", "2 b"]);
}

pub(super) fn a_key_is_replaced_in_its_own_transaction(open: &Opener) {
    let merge = merge_on(&["id"]);
    let resources = commit(&merge, Vec::new()).resources;
    let mut subject = begin(open, "1");
    subject.write(&[charges("1", &[(Some(1), "a", "r1"), (Some(2), "b", "r2")])], &resources).unwrap();
    subject.write(&[charges("1", &[(Some(3), "c", "r3")])], &resources).unwrap();
    subject.write(&[charges("1", &[(Some(1), "d", "r4")])], &resources).unwrap();
    subject.commit(last_commit(&merge, vec![charges("1", &[(Some(3), "e", "r5")])], &[""])).unwrap();
    drop(subject);
    assert_eq!(stored(open), ["1 d", "2 b", "3 e"]);
    // Rows that were there before this run are replaced as well.
    let mut subject = begin(open, "2");
    subject.write(&[charges("2", &[(Some(4), "f", "r6")])], &resources).unwrap();
    subject.commit(last_commit(&merge, vec![charges("2", &[(Some(2), "g", "r7")])], &[""])).unwrap();
    assert_eq!(stored(open), ["1 d", "2 g", "3 e", "4 f"]);
}

pub(super) fn a_key_of_another_type_is_the_same_key(open: &Opener) {
    let merge = merge_on(&["id"]);
    let resources = commit(&merge, Vec::new()).resources;
    let mut subject = begin(open, "1");
    subject.write(&[charges("1", &[(Some(1), "a", "r1")])], &resources).unwrap();
    // From here on the column holds doubles.
    let mut wider = charges("1", &[(None, "b", "r2")]);
    let ids: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let mut columns = wider.rows.columns().to_vec();
    columns[0] = ids;
    let names = wider.rows.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    wider.rows = RecordBatch::try_from_iter_with_nullable(
        names.into_iter().zip(columns).map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    wider.table.columns[0].data_type = DataType::Double;
    subject.commit(last_commit(&merge, vec![wider], &[""])).unwrap();
    drop(subject);
    let amounts = open().read("charges", &["amount"]);
    assert_eq!(amounts, ["b"]);
}

pub(super) fn the_last_row_of_a_key_wins(open: &Opener) {
    let batches = vec![
        charges("1", &[(Some(1), "a", "r1"), (Some(1), "b", "r2")]),
        nested(
            "charges__items",
            "charges",
            &[("x", "n1", "r1", "r1"), ("y", "n2", "r2", "r2"), ("z", "n3", "r3", "r3")],
        ),
        charges("1", &[(Some(1), "c", "r3"), (Some(2), "d", "r4")]),
    ];
    let committed = whole_load(open, "1", &merge_on(&["id"]), batches).unwrap();
    assert_eq!(committed.rows.get("charges"), Some(&2));
    assert_eq!(stored(open), ["1 c", "2 d"]);
    assert_eq!(open().read("charges__items", &["value"]), ["z"]);
}

pub(super) fn many_duplicates_in_one_checkpoint(open: &Opener) {
    let ids: Vec<String> = (0..2_000).map(|n| format!("r{n}")).collect();
    let all: Vec<(Option<i64>, &str, &str)> =
        ids.iter().zip(0_i64..).map(|(id, n)| (Some(n / 3), id.as_str(), id.as_str())).collect();
    let items: Vec<(&str, &str, &str, &str)> =
        ids.iter().map(|id| (id.as_str(), id.as_str(), id.as_str(), id.as_str())).collect();
    let batches = vec![charges("1", &all), nested("charges__items", "charges", &items)];
    let committed = whole_load(open, "1", &merge_on(&["id"]), batches).unwrap();
    assert_eq!(committed.rows.get("charges"), Some(&667));
    let kept = stored(open);
    assert_eq!(kept.len(), 667);
    assert!(kept.contains(&"0 r2".to_owned()), "the last of three stays");
    let mut items = open().read("charges__items", &["value"]);
    items.sort();
    let mut amounts = open().read("charges", &["amount"]);
    amounts.sort();
    assert_eq!(items, amounts);
}

pub(super) fn dedup_sort_picks_over_the_whole_load(open: &Opener) {
    let merge =
        ResourceLoad { dedup_sort: Some(("amount".to_owned(), SortOrder::Desc)), ..merge_on(&["id"]) };
    whole_load(open, "1", &merge, vec![charges("1", &[(Some(1), "z", "r0")])]).unwrap();
    let mut subject = begin(open, "2");
    let item = nested("charges__items", "charges", &[("x", "n1", "r1", "r1"), ("y", "n2", "r2", "r2")]);
    subject
        .commit(commit(&merge, vec![charges("2", &[(Some(1), "c", "r1"), (Some(1), "a", "r2")]), item]))
        .unwrap();
    assert_eq!(stored(open), ["1 z"]);
    let done =
        subject.commit(last_commit(&merge, vec![charges("2", &[(Some(1), "b", "r3")])], &[""])).unwrap();
    assert_eq!(done.rows.get("charges"), Some(&1));
    assert_eq!(stored(open), ["1 c"]);
    assert_eq!(open().read("charges__items", &["value"]), ["x"]);
}

pub(super) fn hard_delete_deletes(open: &Opener) {
    for (load_id, dedup_sort) in [("1", None), ("2", Some(("amount".to_owned(), SortOrder::Desc)))] {
        let merge = ResourceLoad { hard_delete: Some("gone".to_owned()), dedup_sort, ..merge_on(&["id"]) };
        let marked = |rows: &[(Option<i64>, &str, &str)], gone: Vec<Option<bool>>| {
            let mut batch = charges(load_id, rows);
            batch.table.columns.push(Column::new("gone", DataType::Bool));
            let mut columns: Vec<(String, ArrayRef)> = batch
                .rows
                .schema()
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .zip(batch.rows.columns().to_vec())
                .collect();
            columns.push(("gone".to_owned(), Arc::new(BooleanArray::from(gone))));
            batch.rows = RecordBatch::try_from_iter_with_nullable(
                columns.into_iter().map(|(name, array)| (name, array, true)),
            )
            .unwrap();
            batch
        };
        let first = marked(&[(Some(1), "a", "r1"), (Some(2), "b", "r2")], vec![None, Some(false)]);
        whole_load(open, load_id, &merge, vec![first]).unwrap();
        let item = nested("charges__items", "charges", &[("x", "n1", "r3", "r3")]);
        let second = marked(&[(Some(1), "z", "r3"), (Some(3), "c", "r4")], vec![Some(true), None]);
        whole_load(open, load_id, &merge, vec![second, item]).unwrap();
        assert_eq!(stored(open), ["2 b", "3 c"]);
        assert!(open().read("charges__items", &["value"]).is_empty());
    }
}

pub(super) fn nested_rows_follow_their_root(open: &Opener) {
    let merge = merge_on(&["id"]);
    let items = nested("charges__items", "charges", &[("x", "n1", "r1", "r1"), ("y", "n2", "r2", "r2")]);
    let tags =
        nested("charges__items__tags", "charges__items", &[("t", "m1", "n1", "r1"), ("u", "m2", "n2", "r2")]);
    let first = charges("1", &[(Some(1), "a", "r1"), (Some(2), "b", "r2")]);
    whole_load(open, "1", &merge, vec![first, items, tags]).unwrap();
    let items = nested("charges__items", "charges", &[("z", "n3", "r3", "r3")]);
    whole_load(open, "2", &merge, vec![charges("2", &[(Some(1), "c", "r3")]), items]).unwrap();
    let mut subject = open();
    let mut items = subject.read("charges__items", &["value"]);
    items.sort();
    assert_eq!(items, ["y", "z"]);
    assert_eq!(subject.read("charges__items__tags", &["value"]), ["u"]);
}

/// Rows with a key of two columns.
fn pairs(load_id: &str, pairs: &[(Option<i64>, Option<&str>, &str)]) -> TableBatch {
    let column = |values: Vec<Option<&str>>| texts(&values);
    rows(
        "charges",
        None,
        vec![
            ("id", ints(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())),
            ("region", column(pairs.iter().map(|pair| pair.1).collect())),
            ("amount", column(pairs.iter().map(|pair| Some(pair.2)).collect())),
            ("_dlt_load_id", column(vec![Some(load_id); pairs.len()])),
            ("_dlt_id", column(pairs.iter().map(|pair| Some(pair.2)).collect())),
        ],
    )
}

pub(super) fn null_key_parts_replace_earlier_loads_only(open: &Opener) {
    let merge = merge_on(&["id", "region"]);
    for load_id in ["1", "2"] {
        let mut subject = begin(open, load_id);
        let first = pairs(load_id, &[(Some(1), None, "a"), (Some(1), None, "b"), (Some(1), Some("eu"), "c")]);
        subject.commit(commit(&merge, vec![first])).unwrap();
        let second = pairs(load_id, &[(Some(1), None, "d"), (Some(1), Some("eu"), "e"), (None, None, "f")]);
        subject.commit(last_commit(&merge, vec![second], &[""])).unwrap();
        assert_eq!(stored(open), ["- f", "1 a", "1 b", "1 d", "1 e"], "load {load_id}");
    }
}

pub(super) fn a_merge_key_replaces_earlier_loads(open: &Opener) {
    let merge = ResourceLoad { merge_key: vec!["region".to_owned()], ..merge_on(&[]) };
    whole_load(
        open,
        "1",
        &merge,
        vec![pairs("1", &[(Some(1), Some("eu"), "a"), (Some(2), Some("us"), "b")])],
    )
    .unwrap();
    let mut subject = begin(open, "2");
    subject.commit(commit(&merge, vec![pairs("2", &[(Some(3), Some("eu"), "c")])])).unwrap();
    subject.commit(last_commit(&merge, vec![pairs("2", &[(Some(4), Some("eu"), "d")])], &[""])).unwrap();
    assert_eq!(stored(open), ["2 b", "3 c", "4 d"]);
}

pub(super) fn a_declared_key_must_be_there(open: &Opener) {
    let null =
        whole_load(open, "1", &merge_on(&["id"]), vec![charges("1", &[(None, "a", "r1")])]).unwrap_err();
    assert_eq!(null.kind(), ErrorKind::Schema);
    assert_eq!(
        null.to_string(),
        "records have no value for the key `id` (table: charges, column: id, resource: charges)"
    );
    assert!(null.advice().is_some());
    let absent =
        whole_load(open, "2", &merge_on(&["uuid", "id"]), vec![charges("2", &[(Some(1), "a", "r1")])])
            .unwrap_err();
    assert!(absent.to_string().contains("`uuid`"), "{absent}");
}

fn inherited(fallback: Option<&str>) -> ResourceLoad {
    ResourceLoad { key_inherited: true, fallback_key: fallback.map(str::to_owned), ..merge_on(&["id"]) }
}

pub(super) fn an_inherited_key_that_is_there_streams(open: &Opener) {
    let mut subject = begin(open, "1");
    let first =
        subject.commit(commit(&inherited(None), vec![charges("1", &[(Some(1), "a", "r1")])])).unwrap();
    assert_eq!(first.readings.get("charges"), Some(&KeyReading::Declared));
    assert_eq!(stored(open), ["1 a"]);
    let error =
        subject.commit(commit(&inherited(None), vec![charges("1", &[(None, "b", "r2")])])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
}

/// Rows without `id`: code, amount, partition.
fn keyless(load_id: &str, keyless: &[(&str, &str, &str)]) -> TableBatch {
    let column = |values: Vec<&str>| texts(&values.into_iter().map(Some).collect::<Vec<_>>());
    rows(
        "charges",
        None,
        vec![
            ("code", column(keyless.iter().map(|row| row.0).collect())),
            ("amount", column(keyless.iter().map(|row| row.1).collect())),
            (PARTITION_COLUMN, column(keyless.iter().map(|row| row.2).collect())),
            ("_dlt_load_id", column(vec![load_id; keyless.len()])),
            ("_dlt_id", column(keyless.iter().map(|row| row.1).collect())),
        ],
    )
}

fn amounts(open: &Opener) -> Vec<String> {
    let mut rows = open().read("charges", &["code", "amount"]);
    rows.sort();
    rows
}

pub(super) fn the_fallback_key_stands_in(open: &Opener) {
    let load = inherited(Some("code"));
    whole_load(open, "1", &load, vec![keyless("1", &[("x", "a", ""), ("y", "b", "")])]).unwrap();
    let mut subject = begin(open, "2");
    subject.commit(commit(&load, vec![keyless("2", &[("x", "c", "")])])).unwrap();
    let done = subject.commit(last_commit(&load, vec![keyless("2", &[("z", "d", "")])], &[""])).unwrap();
    assert_eq!(done.readings.get("charges"), Some(&KeyReading::Fallback("code".to_owned())));
    assert_eq!(amounts(open), ["x c", "y b", "z d"]);
}

pub(super) fn without_a_key_partitions_replace(open: &Opener) {
    let load = inherited(Some("code"));
    let first = [("x", "a", "[1]"), ("x", "b", "[1]"), ("x", "c", "[2]"), ("x", "d", "[3]")];
    let item = nested("charges__items", "charges", &[("i", "n1", "a", "a"), ("j", "n2", "c", "c")]);
    let mut subject = begin(open, "1");
    let done =
        subject.commit(last_commit(&load, vec![keyless("1", &first), item], &["[1]", "[2]", "[3]"])).unwrap();
    assert_eq!(done.readings.get("charges"), Some(&KeyReading::Partition));
    drop(subject);
    let mut subject = begin(open, "2");
    let second = [("x", "e", "[1]"), ("x", "f", "[1]")];
    // Partition 3 was read and gave nothing.
    subject.commit(last_commit(&load, vec![keyless("2", &second)], &["[1]", "[3]"])).unwrap();
    assert_eq!(amounts(open), ["x c", "x e", "x f"]);
    assert_eq!(subject.read("charges__items", &["value"]), ["j"]);
    drop(subject);
    let mut subject = begin(open, "3");
    let done = subject.commit(last_commit(&load, vec![], &["[2]"])).unwrap();
    assert_eq!(done.readings.get("charges"), Some(&KeyReading::Partition));
    assert_eq!(amounts(open), ["x e", "x f"]);
}
