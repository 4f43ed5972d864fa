//! Loose spellings brought into dlt's own, each reading noted.
//!
//! Two families of documents write almost what dlt reads (BASE_CONFIG / ENDPOINTS / DEPENDENCIES, and dlt's own
//! form with other words). [`restructure()`] gives a file dlt's shape, before anything is overridden from outside;
//! [`respell()`] gives its keys dlt's names, before templates are resolved.

mod auth;
mod described;
mod incremental;
mod jinja;
mod paginator;
mod respell;
mod restructure;
mod selector;
mod spelling;

pub(crate) use described::PROSE;
pub use respell::respell;
pub use restructure::restructure;

use crate::plan::Note;

/// How loose spellings were read.
pub type Notes = Vec<Note>;
