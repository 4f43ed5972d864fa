//! What extract counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one resource, readable while the run goes on.
#[derive(Debug, Default)]
pub struct ResourceStats {
    /// Requests sent, retries included.
    pub requests: AtomicU64,
    /// Pages read.
    pub pages: AtomicU64,
    /// Records in them.
    pub records: AtomicU64,
    /// Requests sent again.
    pub retries: AtomicU64,
    /// Answers ignored as `response_actions` says.
    pub ignored: AtomicU64,
    /// Records outside the incremental range.
    pub filtered: AtomicU64,
}

/// Counts up.
pub(super) fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}
