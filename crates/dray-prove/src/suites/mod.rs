//! The suites, in the order of their numbers.

mod auth;
mod failures;
mod injection;
mod origins;
mod secrets;

use crate::suite::Suite;

/// All of them.
pub const ALL: &[Suite] = &[auth::SUITE, origins::SUITE, injection::SUITE, secrets::SUITE];

/// The suite of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Suite> {
    ALL.iter().find(|suite| suite.id.eq_ignore_ascii_case(id))
}
