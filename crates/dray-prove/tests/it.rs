//! A share of every suite, one test each, so that they run side by side.
#![allow(clippy::panic, reason = "a suite that fails is a test that fails")]

use dray_prove::suite::{Bench, Scale};
use dray_prove::suites;

#[track_caller]
fn holds(id: &str) {
    let Some(suite) = suites::find(id) else { panic!("no suite {id}") };
    let program = env!("CARGO_BIN_EXE_dray-prove").into();
    let bench = Bench { scale: Scale::Share, program, time: None, from: 0 };
    let outcome = (suite.run)(&bench);
    assert!(
        outcome.passed(),
        "{} cases, {} failed:\n{}",
        outcome.cases,
        outcome.failures.len(),
        outcome.failures.join("\n")
    );
}

#[test]
fn r01_kills() {
    holds("R1");
}

#[test]
fn r02_refusals() {
    holds("R2");
}

#[test]
fn r03_soak() {
    holds("R3");
}

#[test]
fn r14_rivals() {
    holds("R14");
}

#[test]
fn r15_lost_answers() {
    holds("R15");
}

#[test]
fn r9_tokens() {
    holds("R9");
}

#[test]
fn r10_credentials_and_origins() {
    holds("R10");
}

#[test]
fn r11_hostile_values_in_requests() {
    holds("R11");
}

#[test]
fn r12_secrets_in_what_is_left() {
    holds("R12");
}

#[test]
fn r04_http_faults() {
    holds("R4");
}

#[test]
fn r05_malformed_bodies() {
    holds("R5");
}

#[test]
fn r13_resource_bombs() {
    holds("R13");
}

#[test]
fn r17_fuzz() {
    holds("R17");
}

#[test]
fn r20_memory() {
    holds("R20");
}

#[test]
fn r21_price_of_checkpoints() {
    holds("R21");
}

/// A suite without a test here would be run by nobody but `make prove`.
#[test]
fn every_suite_has_a_test() {
    let own = include_str!("it.rs");
    for suite in suites::ALL {
        assert!(own.contains(&format!("holds(\"{}\")", suite.id)), "{} has no test", suite.id);
    }
}

#[test]
fn r06_lists_that_change_while_they_are_read() {
    holds("R6");
}

#[test]
fn r07_servers_that_lead_in_circles() {
    holds("R7");
}

#[test]
fn r08_the_order_of_cursors() {
    holds("R8");
}

#[test]
fn r22_side_by_side() {
    holds("R22");
}

#[test]
fn hostile_answers() {
    holds("H");
}
