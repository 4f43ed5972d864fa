//! Feeds that the API keeps only for a time (`incremental.retention`).

/// How long the API keeps the records of a resource, and what mends the gap where a run comes later than that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionPlan {
    /// Seconds that it keeps them.
    pub seconds: i64,
    /// The resource that is read in full then; none: the resource itself.
    pub fallback: Option<String>,
    /// This run comes too late: known once the stored cursors are.
    pub passed: bool,
}

/// Where an incremental run starts.
#[derive(Debug, Clone, PartialEq)]
pub enum StartPlan<V> {
    /// Where the stored cursor stands, else at `initial_value`.
    Stored,
    /// Here, whatever is stored (`--since`).
    At(V),
    /// At `initial_value`, whatever is stored: everything is read again.
    Initial,
}
