//! Tests of the library from outside, in one binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod source;
mod tidy;
