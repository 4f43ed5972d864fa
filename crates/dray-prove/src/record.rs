//! What `make prove` leaves: a table for people and a file for programs.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::suite::{Outcome, Scale, Suite};
use crate::suites;

/// A suite that was run.
#[derive(Debug)]
pub struct Ran {
    /// Which.
    pub suite: &'static Suite,
    /// What it found.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// One line for a terminal.
#[must_use]
pub fn line(ran: &Ran) -> String {
    let verdict = if ran.outcome.passed() { "passed" } else { "FAILED" };
    let Ran { suite, outcome, took } = ran;
    format!(
        "{:<4} {verdict}  {:>5} cases  {:>6.1} s  {}",
        suite.id,
        outcome.cases,
        took.as_secs_f64(),
        suite.name
    )
}

/// `docs/reliability.md`, from what `reliability.json` holds.
#[must_use]
pub fn markdown(record: &Value) -> String {
    let size = match record["all_cases"].as_bool() {
        Some(true) => "These are all cases.",
        _ => "These are the share of the cases that `make test` runs; `make prove` runs all.",
    };
    let mut text = format!(
        "# Reliability\n\nWritten by `make prove`: every promise below is a suite of cases that was run, not a claim. The column\n\
         \"dlt 1.31\" says what dlt did in such cases where that was measured, its wins included. The machine-readable form\n\
         is [reliability.json](../reliability.json).\n\n\
         {size}\n\n\
         | suite | what must hold | cases | failed | seconds | dlt 1.31 |\n|---|---|---|---|---|---|\n"
    );
    let suites = || record["suites"].as_array().into_iter().flatten();
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for suite in suites() {
        let dlt = words(&suite["dlt_1_31"]);
        let dlt = if dlt.is_empty() { "not measured".to_owned() } else { dlt };
        let failed = suite["failures"].as_array().map_or(0, Vec::len);
        text.push_str(&format!(
            "| **{}** {} | {} | {} | {failed} | {} | {dlt} |\n",
            words(&suite["id"]),
            words(&suite["name"]),
            words(&suite["criterion"]),
            suite["cases"],
            suite["seconds"],
        ));
    }
    text.push_str("\n## Figures\n");
    for suite in suites() {
        let Some(figures) = suite["figures"].as_object().filter(|figures| !figures.is_empty()) else {
            continue;
        };
        text.push_str(&format!(
            "\n### {} {}\n\n| | |\n|---|---|\n",
            words(&suite["id"]),
            words(&suite["name"])
        ));
        for (name, value) in figures {
            text.push_str(&format!("| {name} | {} |\n", words(value)));
        }
    }
    text
}

/// `reliability.json`. Suites that were not run stand as in `before`, the file as it is, if it is of the same scale and of
/// the suites of today.
#[must_use]
pub fn json(all: &[Ran], scale: Scale, before: Option<&Value>) -> Value {
    let all_cases = scale == Scale::Full;
    let before = before.filter(|before| before["all_cases"] == all_cases);
    let known = |suite: &Suite| {
        let suites = before?["suites"].as_array()?;
        suites.iter().find(|known| known["id"] == suite.id && known["criterion"] == suite.criterion).cloned()
    };
    let one =
        |suite: &Suite| all.iter().find(|ran| ran.suite.id == suite.id).map(result).or_else(|| known(suite));
    let suites: Vec<Value> = suites::ALL.iter().filter_map(one).collect();
    json!({"version": env!("CARGO_PKG_VERSION"), "all_cases": all_cases, "suites": suites})
}

fn result(ran: &Ran) -> Value {
    let Ran { suite, outcome, took } = ran;
    let figures: Map<String, Value> =
        outcome.figures.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    json!({
        "id": suite.id,
        "name": suite.name,
        "criterion": suite.criterion,
        "cases": outcome.cases,
        "failures": outcome.failures,
        "seconds": (took.as_secs_f64() * 10.0).round() / 10.0,
        "dlt_1_31": suite.dlt,
        "figures": figures,
    })
}
