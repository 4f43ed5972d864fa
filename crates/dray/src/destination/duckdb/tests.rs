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
