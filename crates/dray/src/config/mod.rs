//! Stage "read": a file and the environment become a located tree.
//!
//! Every format ends in the same [`node::Node`], whose places point into the file, so that each later
//! problem can be shown where it was written. Only [`load`] touches files and the environment.
//!
//! The order: [`load::read_file`], [`set::apply`] for each `--set`, [`resolve::resolve`]. What was given on
//! the command line may thus hold templates, and define variables, as if it stood in the file.

pub mod diagnostics;
pub mod load;
pub mod node;
pub mod parse;
pub mod resolve;
pub mod secrets;
pub mod set;
pub mod template;
