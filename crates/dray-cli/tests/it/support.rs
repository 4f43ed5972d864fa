//! The program, run as a person would, and the tables that it left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dray::destination::duckdb::DuckDb;
use dray_sim::Sim;
use tempfile::TempDir;

/// A folder of its own for one test, and the API that it asks.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) sim: Sim,
    /// What the API takes, as names and values; in the environment of every run.
    pub(crate) secrets: Vec<(String, String)>,
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) report: serde_json::Value,
}

/// The folder of documents beside the checkout, or a visible skip.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not here", path.display());
    None
}

/// The first Python block of a document.
pub(crate) fn python_block(document: &str) -> &str {
    let (_, rest) = document.split_once("```python\n").unwrap();
    rest.split_once("\n```").unwrap().0
}

impl Bench {
    pub(crate) fn new(sim: Sim) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), secrets: sim.secrets(), sim }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Runs the program in the folder with the API's secrets in the environment.
    pub(crate) fn dray(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dray"));
        command.current_dir(self.folder.path()).args(arguments).env_remove("RUST_LOG");
        for (name, value) in &self.secrets {
            command.env(name.to_uppercase(), value);
        }
        command.output().unwrap()
    }

    /// `dray run FILE` against the API, with a report.
    pub(crate) fn run(&self, file: &str, more: &[&str]) -> Ran {
        let base = format!("client.base_url={}", self.sim.base_url());
        // The seeds' spelling, and dlt's.
        let key = if file.ends_with(".py") { "token_url" } else { "access_token_url" };
        let token = format!("client.auth.{key}={}", self.sim.token_url());
        let mut arguments =
            vec!["run", file, "--to", "duckdb:out.duckdb", "--pipeline", "test", "--report", "report.json"];
        arguments.extend(["--set", &base]);
        if self.secrets.iter().any(|(name, _)| name == "refresh_token") {
            arguments.extend(["--set", &token]);
        }
        arguments.extend(more);
        let output = self.dray(&arguments);
        let report = std::fs::read_to_string(self.path("report.json")).unwrap_or_default();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            report: serde_json::from_str(&report).unwrap_or_default(),
        }
    }

    /// The rows of a query, nulls as "NULL".
    pub(crate) fn query(&self, sql: &str) -> Vec<Vec<String>> {
        rows(&mut self.database(), sql)
    }

    /// The database as the last run left it; a run cannot begin before it is dropped.
    fn database(&self) -> DuckDb {
        DuckDb::open(self.path("out.duckdb"), "test_dataset", None).unwrap()
    }

    /// The first column of a query.
    pub(crate) fn column(&self, sql: &str) -> Vec<String> {
        self.query(sql).into_iter().map(|row| row.into_iter().next().unwrap()).collect()
    }

    pub(crate) fn number(&self, sql: &str) -> u64 {
        self.column(sql).first().unwrap().parse().unwrap()
    }

    /// The sorted values of a field of the records that the API holds.
    pub(crate) fn expected(&self, resource: &str, field: &str) -> Vec<String> {
        let mut values: Vec<_> =
            self.sim.expected(resource).iter().map(|record| text(&record[field])).collect();
        values.sort();
        values
    }

    /// Every credential of the API, nowhere in what the run left or printed.
    pub(crate) fn assert_no_secret(&self, ran: &Ran) {
        for (name, secret) in &self.secrets {
            for (place, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
                assert!(!text.contains(secret), "{name} is in {place}");
            }
            for entry in std::fs::read_dir(self.folder.path()).unwrap() {
                let path = entry.unwrap().path();
                let bytes = std::fs::read(&path).unwrap();
                // Credentials are ASCII: what is no text around them does not hide them.
                assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{name} is in {}", path.display());
            }
        }
    }
}

fn rows(database: &mut DuckDb, sql: &str) -> Vec<Vec<String>> {
    let rows = database.query(sql).unwrap_or_else(|error| panic!("{sql}: {}", error.chain()));
    rows.into_iter()
        .map(|row| row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect())
        .collect()
}

/// All rows of all tables but what differs from load to load: ids and load ids.
pub(crate) fn contents(bench: &Bench) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut database = bench.database();
    let tables = rows(
        &mut database,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'test_dataset' \
         AND table_name NOT LIKE '\\_d%' ESCAPE '\\'",
    );
    let read = |table: String| {
        let columns = "CAST(COLUMNS(c -> c NOT LIKE '\\_dlt\\_%id' ESCAPE '\\') AS VARCHAR)";
        let sql = format!("SELECT {columns} FROM test_dataset.\"{table}\" ORDER BY ALL");
        let rows = rows(&mut database, &sql);
        (table, rows)
    };
    tables.into_iter().flatten().map(read).collect()
}

pub(crate) fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Ran {
    #[track_caller]
    pub(crate) fn succeeded(&self) -> &Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        assert_eq!(self.report["status"], "succeeded");
        self
    }

    pub(crate) fn count(&self, resource: &str, what: &str) -> u64 {
        self.report["resources"][resource][what]
            .as_u64()
            .unwrap_or_else(|| panic!("no {what} of {resource}: {}", self.report))
    }
}

/// What the program says of a broken file; it creates nothing.
#[track_caller]
pub(crate) fn broken(file: &str, text: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_dray"))
        .current_dir(folder.path())
        .env_clear()
        .args(["run", file, "--report", "report.json"])
        .args(more)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, [file]);
    stderr
}

/// A file in YAML with these lines for its resources.
pub(crate) fn yaml(resources: &str) -> String {
    format!("client:\n  base_url: https://api.example.com/\nresources:\n{resources}")
}
