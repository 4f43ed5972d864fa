//! What `make prove` leaves: a table for people and a file for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::suite::{Outcome, Scale, Suite};

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

/// `docs/reliability.md`.
#[must_use]
pub fn markdown(all: &[Ran], scale: Scale) -> String {
    let size = match scale {
        Scale::Full => "These are all cases.",
        Scale::Share => "These are the share of the cases that `make test` runs; `make prove` runs all.",
    };
    let mut text = String::from(
        "# Reliability\n\nWritten by `make prove`: every promise below is a suite of cases that was run, not a claim. The column\n\
         \"dlt 1.31\" says what dlt did in such cases where that was measured, its wins included. The machine-readable form\n\
         is [reliability.json](../reliability.json).\n\n\
         SIZE\n\n\
         | suite | what must hold | cases | failed | seconds | dlt 1.31 |\n|---|---|---|---|---|---|\n",
    );
    text = text.replace("SIZE", size);
    for Ran { suite, outcome, took } in all {
        let dlt = if suite.dlt.is_empty() { "not measured" } else { suite.dlt };
        let row = format!(
            "| **{}** {} | {} | {} | {} | {:.1} | {dlt} |\n",
            suite.id,
            suite.name,
            suite.criterion,
            outcome.cases,
            outcome.failures.len(),
            took.as_secs_f64()
        );
        text.push_str(&row);
    }
    text.push_str("\n## Figures\n");
    for Ran { suite, outcome, .. } in all.iter().filter(|ran| !ran.outcome.figures.is_empty()) {
        if write!(text, "\n### {} {}\n\n| | |\n|---|---|\n", suite.id, suite.name).is_err() {
            break;
        }
        for (name, value) in &outcome.figures {
            text.push_str(&format!("| {name} | {value} |\n"));
        }
    }
    text
}

/// `reliability.json`.
#[must_use]
pub fn json(all: &[Ran], scale: Scale) -> Value {
    let suites = all.iter().map(|Ran { suite, outcome, took }| {
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
    });
    let all_cases = scale == Scale::Full;
    json!({"version": env!("CARGO_PKG_VERSION"), "all_cases": all_cases, "suites": suites.collect::<Vec<_>>()})
}
