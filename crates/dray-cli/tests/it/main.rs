//! The program as people run it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod broken;
mod commands;
mod compat;
mod connectors;
mod convert;
mod cookbook;
mod corpus;
mod documents;
mod init;
mod keys;
mod orb;
mod plans;
mod ranges;
mod runs;
mod secrets;
mod seeds;
mod stripe;
mod support;
mod unreadable;
