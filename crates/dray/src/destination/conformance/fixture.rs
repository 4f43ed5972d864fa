//! Small tables and commits to write tests with.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use crate::destination::{Commit, Committed, Destination, Finished, ResourceLoad, RunIdentity, TableBatch};
use crate::error::Result;
use crate::plan::Disposition;
use crate::schema::{Column, DataType, Table};

/// A destination that tests can read back.
pub(crate) trait Subject: Destination {
    /// The rows of a table of the dataset as text, in the order of `columns`; nulls as `-`.
    fn read(&mut self, table: &str, columns: &[&str]) -> Vec<String>;

    /// Runs a statement of the test's own; `{}` stands for the dataset's prefix.
    fn run(&mut self, sql: &str);
}

/// Opens one and the same database, each time anew.
pub(crate) type Opener = dyn Fn() -> Box<dyn Subject>;

pub(super) fn run_identity(load_id: &str) -> RunIdentity {
    RunIdentity {
        pipeline: "orb".to_owned(),
        load_id: load_id.to_owned(),
        schema: "rest_api".to_owned(),
        started_micros: load_id.parse::<i64>().unwrap() * 1_000_000,
    }
}

/// Opens and claims.
pub(super) fn begin(open: &Opener, load_id: &str) -> Box<dyn Subject> {
    let mut subject = open();
    subject.claim(&run_identity(load_id)).unwrap();
    subject
}

/// A load by merge on `id`.
pub(super) fn merge_on(key: &[&str]) -> ResourceLoad {
    ResourceLoad {
        primary_key: key.iter().map(|key| (*key).to_owned()).collect(),
        ..load(Disposition::Merge)
    }
}

pub(super) fn load(disposition: Disposition) -> ResourceLoad {
    ResourceLoad {
        fingerprint: "f1".to_owned(),
        table: "charges".to_owned(),
        disposition,
        primary_key: Vec::new(),
        key_inherited: false,
        fallback_key: None,
        merge_key: Vec::new(),
        dedup_sort: None,
        hard_delete: None,
        shared: None,
    }
}

pub(super) fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub(super) fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// Rows of a table, with columns of type text or bigint after their Arrow type.
pub(super) fn rows(table: &str, parent: Option<&str>, columns: Vec<(&str, ArrayRef)>) -> TableBatch {
    let described = columns.iter().map(|(name, array)| {
        let data_type = if array.as_any().is::<Int64Array>() { DataType::Bigint } else { DataType::Text };
        Column { nullable: !name.starts_with("_dlt"), ..Column::new(*name, data_type) }
    });
    TableBatch {
        resource: "charges".to_owned(),
        table: Table {
            name: table.to_owned(),
            parent: parent.map(str::to_owned),
            resource: parent.is_none().then(|| "charges".to_owned()),
            write_disposition: None,
            columns: described.collect(),
        },
        rows: RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap(),
    }
}

/// Rows of `charges`: id, amount, `_dlt_id`.
pub(super) fn charges(load_id: &str, charges: &[(Option<i64>, &str, &str)]) -> TableBatch {
    let column = |values: Vec<Option<&str>>| texts(&values);
    rows(
        "charges",
        None,
        vec![
            ("id", ints(&charges.iter().map(|charge| charge.0).collect::<Vec<_>>())),
            ("amount", column(charges.iter().map(|charge| Some(charge.1)).collect())),
            ("_dlt_load_id", column(vec![Some(load_id); charges.len()])),
            ("_dlt_id", column(charges.iter().map(|charge| Some(charge.2)).collect())),
        ],
    )
}

/// Rows of a nested table: value, `_dlt_id`, `_dlt_parent_id`, `_dlt_root_id`.
pub(super) fn nested(table: &str, parent: &str, items: &[(&str, &str, &str, &str)]) -> TableBatch {
    let texts = |values: Vec<&str>| texts(&values.into_iter().map(Some).collect::<Vec<_>>());
    rows(
        table,
        Some(parent),
        vec![
            ("value", texts(items.iter().map(|item| item.0).collect())),
            ("_dlt_id", texts(items.iter().map(|item| item.1).collect())),
            ("_dlt_parent_id", texts(items.iter().map(|item| item.2).collect())),
            ("_dlt_root_id", texts(items.iter().map(|item| item.3).collect())),
        ],
    )
}

/// A commit of the resource `charges`.
pub(super) fn commit(load: &ResourceLoad, batches: Vec<TableBatch>) -> Commit<'static> {
    Commit { batches, resources: BTreeMap::from([("charges".to_owned(), load.clone())]), ..Commit::default() }
}

/// The same with the resource complete.
pub(super) fn last_commit(
    load: &ResourceLoad,
    batches: Vec<TableBatch>,
    partitions: &[&str],
) -> Commit<'static> {
    let partitions = partitions.iter().map(|partition| (*partition).to_owned()).collect();
    Commit {
        finished: vec![Finished { resource: "charges".to_owned(), partitions }],
        closed: vec!["charges".to_owned()],
        ..commit(load, batches)
    }
}

/// A whole load in one commit.
pub(super) fn whole_load(
    open: &Opener,
    load_id: &str,
    load: &ResourceLoad,
    batches: Vec<TableBatch>,
) -> Result<Committed> {
    let mut subject = begin(open, load_id);
    subject.commit(Commit { complete: true, ..last_commit(load, batches, &[""]) })
}

/// Id and amount of all charges, sorted.
pub(super) fn stored(open: &Opener) -> Vec<String> {
    let mut rows = open().read("charges", &["id", "amount"]);
    rows.sort();
    rows
}
