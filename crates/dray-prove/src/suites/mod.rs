//! The suites, in the order of their numbers.

mod bombs;
mod http_faults;
mod kills;
mod malformed;
mod memory;

use crate::suite::Suite;

/// All of them.
pub const ALL: &[Suite] = &[kills::SUITE, http_faults::SUITE, malformed::SUITE, bombs::SUITE, memory::SUITE];

/// The suite of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Suite> {
    ALL.iter().find(|suite| suite.id.eq_ignore_ascii_case(id))
}
