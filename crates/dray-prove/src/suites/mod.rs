//! The suites, in the order of their numbers.

mod auth;
mod bombs;
mod deaths;
mod failures;
mod http_faults;
mod injection;
mod malformed;
mod memory;
mod origins;
mod rivals;
mod secrets;

use crate::suite::Suite;

/// All of them.
pub const ALL: &[Suite] = &[
    deaths::KILLS,
    deaths::REFUSALS,
    rivals::SOAK,
    http_faults::SUITE,
    malformed::SUITE,
    auth::SUITE,
    origins::SUITE,
    injection::SUITE,
    secrets::SUITE,
    bombs::SUITE,
    rivals::RIVALS,
    deaths::LOST_ANSWERS,
    memory::SUITE,
];

/// The suite of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Suite> {
    ALL.iter().find(|suite| suite.id.eq_ignore_ascii_case(id))
}
