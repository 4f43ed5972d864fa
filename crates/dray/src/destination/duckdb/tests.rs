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

#[test]
fn a_query_gives_every_type_as_text_in_its_order() {
    let directory = TempDir::new().unwrap();
    let mut database = DuckDb::open(directory.path().join("orb.duckdb"), "orb", None).unwrap();
    let rows = database
        .query(
            "SELECT 1::TINYINT, 1.50::DECIMAL(9, 2), 0.5::DOUBLE, DATE '2024-02-29', \
             TIMESTAMPTZ '2024-01-01 12:00:00.5+02', [1, NULL], {'a': 'x'}, 170141183460469231731687303715884105727::HUGEINT, \
             NULL::INTEGER, true, 'ü', TIME '01:02:03', '\\xAB'::BLOB -- and so on",
        )
        .unwrap();
    let texts: Vec<&str> = rows[0].iter().map(|cell| cell.as_deref().unwrap_or("null")).collect();
    assert_eq!(
        texts,
        [
            "1",
            "1.50",
            "0.5",
            "2024-02-29",
            "2024-01-01 10:00:00.5+00",
            "[1, NULL]",
            "{'a': x}",
            "170141183460469231731687303715884105727",
            "null",
            "true",
            "ü",
            "01:02:03",
            "\\xAB",
        ]
    );
    let numbers = database.query("SELECT i FROM range(300000) AS t(i) ORDER BY -i;").unwrap();
    assert!(numbers.iter().zip((0..300_000).rev()).all(|(row, i)| row[0] == Some(i.to_string())));
    assert_eq!(database.query("SELECT 1 AS a, 2 AS a").unwrap()[0].len(), 2);
    assert!(
        database.query("DESCRIBE SELECT 1::UTINYINT AS a").unwrap()[0].contains(&Some("UTINYINT".to_owned()))
    );
}
