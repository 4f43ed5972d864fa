//! The suites, in the order of their numbers.

mod hostile;
mod r06_drift;
mod r07_loops;
mod r08_cursors;

use crate::suite::Suite;

/// All of them.
pub const ALL: &[Suite] = &[r06_drift::SUITE, r07_loops::SUITE, r08_cursors::SUITE, hostile::SUITE];

/// The suite of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Suite> {
    ALL.iter().find(|suite| suite.id.eq_ignore_ascii_case(id))
}
