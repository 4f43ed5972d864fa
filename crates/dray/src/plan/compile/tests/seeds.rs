//! The documents that this program exists for, and the connectors for the same APIs.

use super::{explained, planned};
use crate::config::connectors;
use crate::config::parse::Format;

/// The four documents, where they are at hand.
fn seed(name: &str) -> Option<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/seeds/");
    let text = std::fs::read_to_string(format!("{path}{name}")).ok();
    if text.is_none() {
        eprintln!("skipped: {name} is not there");
    }
    text
}

#[test]
fn every_seed_compiles() {
    for name in [
        "000_b278d8943f473f6c.txt",
        "001_0f89f7dafb9817b4.txt",
        "002_0aec93431d767cb1.txt",
        "003_85429a0d41e4d7b5.txt",
    ] {
        let Some(text) = seed(name) else { continue };
        let plan = planned(&text, Format::Document);
        println!("{}", explained(&plan));
        assert!(plan.is_ok());
    }
}

#[test]
fn every_connector_compiles_without_a_note() {
    for (name, text) in connectors::shipped_all() {
        let plan = planned(text, Format::Yaml);
        println!("{}", explained(&plan));
        assert_eq!(plan.map(|plan| plan.notes), Ok(vec![]), "{name}");
    }
}
