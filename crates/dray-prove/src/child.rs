//! A run in a process of its own, which may be killed.

use std::ffi::OsString;

/// `dray-prove dray …`: the command line of dray as it is.
#[must_use]
pub fn dray(arguments: Vec<OsString>) -> u8 {
    dray_cli::run(std::iter::once(OsString::from("dray")).chain(arguments))
}
