//! A dependent resource and its parent.

use std::fmt;

use crate::json::{Filter, Path};

/// A dependent resource's parent.
#[derive(Debug, Clone)]
pub struct ParentPlan {
    /// Index in [`super::Plan::resources`], smaller than the child's own.
    pub resource: usize,
    /// Fields that placeholders use ([`super::Part::Parent`] is an index into this list).
    /// Together they are the partition's key.
    pub fields: Vec<ParentField>,
    /// Parent fields written into each child record: column name, path in the parent record, and whether a
    /// missing one is an error (`include_from_parent`) or leaves the column null.
    pub include: Vec<IncludeField>,
    /// Only records of the parent that fulfil it are asked for.
    pub filter: Option<Filter>,
    /// It is asked for several records at once.
    pub batch: Option<BatchPlan>,
}

/// Several records of the parent in one request (`batch`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPlan {
    /// Which of [`ParentPlan::fields`] is a list of their values.
    pub field: usize,
    /// How many, at the most.
    pub size: usize,
}

/// A field that comes from above.
#[derive(Debug, Clone, PartialEq)]
pub enum ParentField {
    /// Of the parent's record.
    Own(Path),
    /// Of a record further up, which the parent's own requests were made of.
    Above {
        /// The ancestor's name.
        resource: String,
        /// The field of its record.
        path: Path,
        /// Where the parent's partition has it.
        from: usize,
    },
}

impl ParentField {
    /// Whether it is the same field, wherever it comes from.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Own(one), Self::Own(other)) => one == other,
            (
                Self::Above { resource: one, path, .. },
                Self::Above { resource: other, path: other_path, .. },
            ) => one == other && path == other_path,
            _ => false,
        }
    }
}

impl fmt::Display for ParentField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Own(path) | Self::Above { path, .. }) = self;
        path.fmt(f)
    }
}

/// One parent field that child records carry.
#[derive(Debug, Clone)]
pub struct IncludeField {
    /// The key in the child record (`_customers_id`, `customer_id`); the record's own value wins if not null.
    pub name: String,
    /// Where it is in the parent record.
    pub path: Path,
}
