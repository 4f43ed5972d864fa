//! Each case of `compat/cases`, of which `compat/goldens` holds what dlt did, done by dray: the same requests in the same
//! order, the same tables, and the differences that are meant and said to be.

mod api;
mod case;
mod document;
mod outcome;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use api::ScriptedApi;
use case::Case;
use outcome::{Outcome, Run};

/// The folder of cases and goldens.
fn compat() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../compat")
}

/// Runs a case and holds it against what dlt did: all that is unlike, in words.
fn unlike(case: &Case) -> Vec<String> {
    let api = ScriptedApi::start(case.api());
    let folder = tempfile::tempdir().unwrap();
    let mut outcome = Outcome::default();
    for run in 1..=case.runs() {
        api.begin(run);
        outcome.runs.push(run_once(case, &api, folder.path()));
    }
    let loads: Vec<String> = outcome.runs.iter().map(|run| run.load.clone()).collect();
    let tables = tables::read(&folder.path().join("out.duckdb"), &loads);
    outcome.tables = api.unplaced_json(&tables);
    outcome.unlike(case)
}

fn run_once(case: &Case, api: &ScriptedApi, folder: &Path) -> Run {
    let config = api.placed_json(case.config());
    std::fs::write(folder.join("case.json"), config.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dray"));
    command.current_dir(folder).env_remove("RUST_LOG").args([
        "run",
        "case.json",
        "--to",
        "duckdb:out.duckdb",
    ]);
    command.args(["--pipeline", "test", "--report", "report.json"]);
    if config.get("client").is_some() {
        // As dlt was told: one request at a time, one retry, no pauses.
        command.args(["--set", "client.concurrency=1"]);
        command.args(["--set", "client.retry={max_retries: 1, backoff_factor: 0.001}"]);
    }
    for (name, value) in case.switches() {
        command.args(["--set", &format!("{name}={value}")]);
    }
    let output = command.output().unwrap();
    let report = std::fs::read_to_string(folder.join("report.json")).unwrap_or_default();
    let report: Value = serde_json::from_str(&report).unwrap_or_default();
    Run {
        requests: api.requests(),
        code: output.status.code(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
        load: report["load_id"].as_str().unwrap_or_default().to_owned(),
    }
}

/// All cases of a group do what dlt did, or what they say.
#[track_caller]
fn group(name: &str) {
    let cases = Case::all(&compat());
    let found: Vec<String> = cases
        .iter()
        .filter(|case| case.group() == name)
        .flat_map(|case| {
            let unlike = unlike(case);
            unlike.into_iter().map(move |what| format!("== {}: {what}", case.name))
        })
        .collect();
    assert!(found.is_empty(), "{} differences that are not meant:\n{}", found.len(), found.join("\n"));
}

/// A test for each group, and none without a test.
macro_rules! groups {
    ($($name:ident),* $(,)?) => {
        const GROUPS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                group(stringify!($name));
            }
        )*
    };
}

groups!(
    auth,
    defaults,
    dispositions,
    incremental,
    names,
    paginators,
    parents,
    placeholders,
    refused,
    requests,
    responses,
    selectors,
    tables,
    types
);

#[test]
fn every_group_is_tested_and_every_golden_has_its_case() {
    let cases = Case::all(&compat());
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &cases {
        *counted.entry(case.group()).or_default() += 1;
    }
    assert_eq!(counted.keys().copied().collect::<Vec<_>>(), GROUPS);
    let recorded = case::files(&compat().join("goldens"), "json");
    let written: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
    assert_eq!(recorded, written);
}

#[test]
fn the_list_of_differences_is_current() {
    document::is_current(&compat(), &Case::all(&compat()));
}
