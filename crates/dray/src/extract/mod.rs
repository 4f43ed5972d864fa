//! **extract**: `Plan` and `State` to pages of records. The only stage that speaks HTTP.

use std::sync::Arc;

use crate::json::{Document, NodeId};

/// One page of one partition of a resource: parsed, its records found.
#[derive(Debug, Clone)]
pub struct Page {
    /// Index in [`crate::plan::Plan::resources`].
    pub resource: usize,
    /// The chain of pages it belongs to: the JSON list of the parent fields that the request was made of; empty for
    /// a resource without a parent.
    pub partition: Arc<str>,
    /// Counted from 1 in its chain.
    pub number: u64,
    /// The body.
    pub document: Arc<Document>,
    /// The records to load, on the document's tape.
    pub records: Vec<NodeId>,
    /// Fields that every record carries beside its own (parent fields): a JSON object. A record's own value wins if it is not null.
    pub overlay: Option<Arc<Document>>,
}
