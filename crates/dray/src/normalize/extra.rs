//! Values for which a table has no column left: kept together, as one JSON object a row.

use std::collections::BTreeSet;

use crate::json::quote;

/// Column of the values without a column of their own, by their path in the record.
pub(super) const EXTRA_COLUMN: &str = "_dray_extra";

/// Keys that a table remembers for each column that it may have.
pub(super) const KEYS_A_COLUMN: usize = 4;

/// What one table could not give columns.
#[derive(Debug)]
pub(super) struct Extra {
    /// Columns that the table may have.
    pub(super) most: usize,
    /// Keys that the table has seen.
    pub(super) keys: usize,
    /// Names of its columns in order, once it is full.
    pub(super) names: Option<BTreeSet<String>>,
    /// The row's object without its closing brace.
    object: String,
    /// Values kept here so far.
    pub(super) values: u64,
}

impl Extra {
    pub(super) fn new(most: usize) -> Self {
        Self { most, keys: 0, names: None, object: String::new(), values: 0 }
    }

    pub(super) fn put(&mut self, path: &str, json: &str) {
        self.object.push(if self.object.is_empty() { '{' } else { ',' });
        self.object.push_str(&quote(path));
        self.object.push(':');
        self.object.push_str(json);
        self.values += 1;
    }

    /// The object of the row that ends, if it has one.
    pub(super) fn take(&mut self) -> Option<String> {
        if self.object.is_empty() {
            return None;
        }
        let mut object = std::mem::take(&mut self.object);
        object.push('}');
        Some(object)
    }
}
