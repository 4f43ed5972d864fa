//! Stage "read": a file and the environment become a located tree, and the tree a configuration as written.
//!
//! Every format ends in the same [`node::Node`], whose places point into the file, so that each later
//! problem can be shown where it was written. Only [`load`] touches files and the environment.
//!
//! The order: [`load::read_file`], [`dialect::restructure`], [`set::apply`] for each `--set`,
//! [`dialect::respell`], [`resolve::resolve`], [`read()`]. What was given on the command line may thus hold
//! templates, and define variables, as if it stood in the file.

pub mod connectors;
pub mod diagnostics;
pub mod dialect;
pub mod load;
pub mod model;
pub mod node;
pub mod parse;
mod read;
pub mod resolve;
pub mod secrets;
pub mod set;
pub mod template;

pub use read::read;
