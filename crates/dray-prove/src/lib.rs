//! Proofs of what dray promises: runs that are killed, APIs that misbehave, and secrets that must not be found.
//!
//! Each suite is one file of `suites/` and one function. `make prove` runs all of them in full and writes
//! `docs/reliability.md` and `reliability.json`; `make test` runs a share of each.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod child;
pub mod credentials;
pub mod deadline;
pub mod fuzz;
pub mod load;
pub mod measured;
pub mod pack;
pub mod raw;
pub mod read;
pub mod record;
pub mod scenario;
pub mod secure;
pub mod suite;
pub mod suites;
pub mod trap;
