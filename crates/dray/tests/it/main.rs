//! Tests of the library from outside, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say where"
)]

mod ahead;
mod answers;
mod auth;
mod bodies;
mod children;
mod complete;
mod contract;
mod cursor_forms;
mod drift;
mod each;
mod formats;
mod ignored;
mod incremental;
mod paging;
mod placed;
mod retention;
mod retry;
mod row_order;
mod security;
mod source;
mod steps;
mod support;
mod tables;
mod tidy;
mod tls;
mod tokens;
mod transactions;
mod windows;
