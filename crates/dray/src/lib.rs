//! dray hauls data from REST APIs into databases.
#![doc = include_str!("../../../ARCHITECTURE.md")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::string_slice))]

mod address;
pub mod config;
pub mod destination;
pub mod env;
pub mod error;
pub mod extract;
pub mod json;
mod load;
pub mod normalize;
pub mod pipeline;
pub mod plan;
pub mod report;
pub mod schema;
pub mod secret;
pub mod state;
pub mod steps;
mod timestamp;
pub mod transform;
