//! The conformance suite on the real DuckDB (`make setup`), and what is DuckDB's alone.

use std::sync::Arc;

use tempfile::TempDir;

use super::DuckDb;
use super::sql::{ident, qualified};
use crate::destination::conformance::{self, Opener, Subject};
use crate::error::ErrorKind;

impl Subject for DuckDb {
    fn read(&mut self, table: &str, columns: &[&str]) -> Vec<String> {
        let columns: Vec<String> =
            columns.iter().map(|column| format!("coalesce({}::VARCHAR, '-')", ident(column))).collect();
        let table = qualified(&self.catalog, &self.dataset, table);
        let sql = format!("SELECT concat_ws(' ', {}) FROM {table} ORDER BY rowid", columns.join(", "));
        self.query(&sql).unwrap().into_iter().flatten().map(Option::unwrap).collect()
    }

    fn run(&mut self, sql: &str) {
        let dataset = format!("{}.{}", ident(&self.catalog), ident(&self.dataset));
        self.session.run(&sql.replace("{}", &dataset), &[]).unwrap();
    }
}

#[test]
fn duckdb_conforms() {
    conformance::all(&|| {
        let directory = Arc::new(TempDir::new().unwrap());
        let open: Box<Opener> = Box::new(move || {
            // The dataset has the database's own name, as happens.
            Box::new(DuckDb::open(directory.path().join("orb.duckdb"), "orb", None).unwrap())
        });
        open
    });
}

#[test]
fn what_is_no_database_is_refused_by_name() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notes.txt");
    std::fs::write(&path, "not a database, but long enough to be looked at as if it were one").unwrap();
    let message = |path: &std::path::Path| {
        let error = DuckDb::open(path, "orb", None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Destination);
        assert!(error.advice().is_some());
        error.to_string()
    };
    assert!(message(&path).starts_with("the file is not a DuckDB database (path:"));
    assert!(message(directory.path()).starts_with("the database path is a directory (path:"));
    let nowhere = directory.path().join("no").join("orb.duckdb");
    assert!(message(&nowhere).starts_with("the directory of the database file does not exist (path:"));
}

/// `cargo test --release -p dray --lib -- --ignored --nocapture ingest_and_merge` prints what a checkpoint costs.
#[test]
#[ignore = "a measurement"]
fn ingest_and_merge_of_wide_rows() {
    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

    use crate::destination::{Commit, Destination as _, Finished, ResourceLoad, RunIdentity, TableBatch};
    use crate::plan::Disposition;
    use crate::schema::{Column, DataType, Table};

    let cpu = || {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<f64> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .map(|field| field.parse().unwrap_or(0.0))
            .collect();
        (fields[11] + fields[12]) / 100.0
    };
    for (columns, rows, checkpoints) in [(80_i64, 50_000_i64, 1_i64), (80, 50_000, 5), (5, 1_000_000, 4)] {
        let directory = TempDir::new().unwrap();
        let load = ResourceLoad {
            table: "charges".to_owned(),
            disposition: Disposition::Merge,
            primary_key: vec!["id".to_owned()],
            key_inherited: false,
            fallback_key: None,
            merge_key: Vec::new(),
            dedup_sort: None,
            hard_delete: None,
        };
        for load_id in ["1", "2"] {
            let batches: Vec<TableBatch> = (0..checkpoints)
                .map(|part| {
                    let range = || part * rows / checkpoints..(part + 1) * rows / checkpoints;
                    let texts = |text: &dyn Fn(i64) -> String| -> ArrayRef {
                        Arc::new(StringArray::from_iter_values(range().map(text)))
                    };
                    let mut arrays: Vec<(String, DataType, ArrayRef)> = vec![
                        ("id".to_owned(), DataType::Text, texts(&|n| format!("ch_{n:024}"))),
                        ("_dlt_load_id".to_owned(), DataType::Text, texts(&|_| load_id.to_owned())),
                        ("_dlt_id".to_owned(), DataType::Text, texts(&|n| format!("{load_id}abcdefghij{n}"))),
                    ];
                    for column in 3..columns {
                        let name = format!("c{column}");
                        arrays.push(match column % 3 {
                            0 => (name, DataType::Bigint, Arc::new(Int64Array::from_iter_values(range()))),
                            1 => (
                                name,
                                DataType::Double,
                                Arc::new(Float64Array::from_iter_values(
                                    range().map(|n| f64::from(n as i32) * 0.3),
                                )),
                            ),
                            _ => (name, DataType::Text, texts(&|n| format!("value {n} of {column}"))),
                        });
                    }
                    let table = Table {
                        name: "charges".to_owned(),
                        parent: None,
                        resource: None,
                        write_disposition: None,
                        columns: arrays
                            .iter()
                            .map(|(name, data_type, _)| Column::new(name, *data_type))
                            .collect(),
                    };
                    let rows =
                        RecordBatch::try_from_iter(arrays.into_iter().map(|(name, _, array)| (name, array)))
                            .unwrap();
                    TableBatch { resource: "charges".to_owned(), table, rows }
                })
                .collect();
            let (wall, before) = (std::time::Instant::now(), cpu());
            let mut duckdb = DuckDb::open(directory.path().join("orb.duckdb"), "orb", None).unwrap();
            duckdb
                .claim(&RunIdentity {
                    pipeline: "orb".to_owned(),
                    load_id: load_id.to_owned(),
                    schema: "rest_api".to_owned(),
                    started_micros: 0,
                })
                .unwrap();
            let (opened, opened_cpu) = (wall.elapsed(), cpu());
            let last = batches.len() - 1;
            for (index, batch) in batches.into_iter().enumerate() {
                let finished = Finished { resource: "charges".to_owned(), partitions: vec![String::new()] };
                duckdb
                    .commit(Commit {
                        batches: vec![batch],
                        finished: if index == last { vec![finished] } else { Vec::new() },
                        resources: [("charges".to_owned(), load.clone())].into(),
                        complete: index == last,
                        ..Commit::default()
                    })
                    .unwrap();
            }
            let (committed, committed_cpu) = (wall.elapsed(), cpu());
            drop(duckdb);
            eprintln!(
                "{rows} x {columns} in {checkpoints}, load {load_id}: open and claim {opened:.2?} ({:.2} cpu), \
                 commits {:.2?} ({:.2} cpu), close {:.2?} ({:.2} cpu)",
                opened_cpu - before,
                committed - opened,
                committed_cpu - opened_cpu,
                wall.elapsed() - committed,
                cpu() - committed_cpu
            );
        }
    }
}
