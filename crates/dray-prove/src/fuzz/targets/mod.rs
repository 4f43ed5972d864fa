//! What is fuzzed, a file each.

mod config;
mod dataset;
mod formats;
mod headers;
mod jsonpath;
mod packed;
mod pages;
mod stored;

use super::{Check, Target};

/// All of them.
pub(super) const ALL: [&Target; 8] = [
    &pages::TARGET,
    &config::TARGET,
    &jsonpath::TARGET,
    &headers::TARGET,
    &packed::TARGET,
    &formats::TARGET,
    &stored::TARGET,
    &dataset::TARGET,
];

/// An input that is left as it was mutated.
fn as_it_is(_: &mut fastrand::Rng, input: Vec<u8>) -> Vec<u8> {
    input
}

/// Text of an input: what is no UTF-8 is replaced, as where text is asked for none else can come.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
