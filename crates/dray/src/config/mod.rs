//! **read**: a file and the environment become a located tree, and the tree the configuration as written.
//!
//! Every format ends in the same [`node::Node`], whose places point into the file, so that each later
//! problem can be shown where it was written. [`dialect`] brings loose spellings into dlt's own, [`read()`]
//! makes a [`model::Config`] of the tree. Only [`load`] touches files and the environment.

pub mod answers;
pub mod connectors;
pub mod diagnostics;
pub mod dialect;
pub(crate) mod each;
pub mod format;
pub mod keys;
pub mod lists;
pub(crate) mod literals;
pub mod load;
pub mod model;
pub mod node;
pub mod parse;
mod read;
pub mod resolve;
pub mod secrets;
pub mod set;
pub mod steps;
pub mod template;
pub mod write;

pub use diagnostics::{Diagnostic, Diagnostics};
pub use read::{parse_duration, read};
