//! The suites, in the order of their numbers.

mod auth;
mod bombs;
mod deaths;
mod failures;
mod hostile;
mod http_faults;
mod injection;
mod malformed;
mod memory;
mod origins;
mod price;
mod r06_drift;
mod r07_loops;
mod r08_cursors;
mod r17_fuzz;
mod rivals;
mod secrets;
mod side_by_side;

use crate::suite::Suite;

/// All of them.
pub const ALL: &[Suite] = &[
    deaths::KILLS,
    deaths::REFUSALS,
    rivals::SOAK,
    http_faults::SUITE,
    malformed::SUITE,
    r06_drift::SUITE,
    r07_loops::SUITE,
    r08_cursors::SUITE,
    auth::SUITE,
    origins::SUITE,
    injection::SUITE,
    secrets::SUITE,
    bombs::SUITE,
    rivals::RIVALS,
    deaths::LOST_ANSWERS,
    r17_fuzz::SUITE,
    hostile::SUITE,
    memory::SUITE,
    price::SUITE,
    side_by_side::SUITE,
];

/// The suite of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Suite> {
    ALL.iter().find(|suite| suite.id.eq_ignore_ascii_case(id))
}
