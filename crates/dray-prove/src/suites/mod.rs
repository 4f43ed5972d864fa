//! The suites, in the order of their numbers.

mod deaths;
mod rivals;

use crate::suite::Suite;

/// All of them.
pub const ALL: &[Suite] =
    &[deaths::KILLS, deaths::REFUSALS, rivals::SOAK, rivals::RIVALS, deaths::LOST_ANSWERS];

/// The suite of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Suite> {
    ALL.iter().find(|suite| suite.id.eq_ignore_ascii_case(id))
}
