//! dray hauls data from REST APIs into databases.
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
pub mod state;
