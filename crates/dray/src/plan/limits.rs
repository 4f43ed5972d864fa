//! How much of anything a run takes from an API: hostile or broken answers end, and say why.

use crate::json::Bounds;

/// Bounds of answers, values and tables (`client.limits`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body as they come over the wire.
    pub wire_bytes: u64,
    /// Bytes of a body after decompression (`max_body`).
    pub body_bytes: u64,
    /// How many times larger than on the wire a body may become, once it is large at all.
    pub ratio: u64,
    /// Redirects of one request.
    pub redirects: u32,
    /// Headers of an answer.
    pub headers: usize,
    /// Of the values in a body.
    pub json: Bounds,
    /// Columns of one table; keys beyond them are kept together in one column of JSON.
    pub columns: usize,
    /// Tables that the lists of one resource become; lists beyond them are kept as JSON too.
    pub tables: usize,
}

/// What becomes of records that cannot be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectPlan {
    /// They are kept in a table of the dataset, with the reason, beside being counted.
    pub keep: bool,
    /// So many of one resource are put up with; one more and the resource fails.
    pub most: u64,
}
