//! dray hauls data from REST APIs into databases.
//!
//! One file describes an API; the stages of a run are the modules of this crate, and data moves
//! through them in one direction.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::string_slice))]

pub mod config;
pub mod destination;
pub mod env;
pub mod error;
pub mod extract;
pub mod json;
pub mod plan;
pub mod schema;
pub mod secret;
