//! Rows made of a list inside each record (`endpoint.expand`), and such a list read on where the record holds only its
//! beginning.

use super::{CursorSource, PaginatorPlan, ResourcePlan};
use crate::json::Path;

/// Rows made of a list inside each record.
#[derive(Debug, Clone)]
pub struct ExpandPlan {
    /// The list inside a record; its items become the rows.
    pub path: Path,
    /// Fields of the record that every such row carries: name, path in the record.
    pub include: Vec<(String, Path)>,
    /// How a list is completed of which the record says that it holds only the beginning.
    pub complete: Option<CompletePlan>,
}

/// `expand.complete`.
#[derive(Debug, Clone)]
pub struct CompletePlan {
    /// What says so, in the record.
    pub has_more: Path,
    /// Fields of the record that the list's requests are made of.
    pub fields: Vec<Path>,
    /// The one field is the list's address, absolute or relative to the page's.
    pub by_url: bool,
    /// The list as if it were a resource: its requests, pages and records.
    pub list: Box<ResourcePlan>,
}

impl CompletePlan {
    /// The field of an item that the list is asked for what follows it; none where it is read from its beginning.
    #[must_use]
    pub fn goes_on_after(&self) -> Option<&Path> {
        match &self.list.paging.paginator {
            PaginatorPlan::Cursor { from: CursorSource::LastRecord(path), .. } => Some(path),
            _ => None,
        }
    }
}
