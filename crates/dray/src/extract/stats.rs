//! What extract counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

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
    /// Records that cannot be loaded.
    pub rejected: AtomicU64,
    /// The same by what is wrong with them.
    pub reasons: Mutex<BTreeMap<&'static str, u64>>,
}

impl ResourceStats {
    /// Counts a record that cannot be loaded: how many there are now, and whether it is the first of its kind.
    pub(super) fn reject(&self, reason: &'static str) -> (u64, bool) {
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        let count = reasons.entry(reason).or_default();
        *count += 1;
        (self.rejected.fetch_add(1, Ordering::Relaxed) + 1, *count == 1)
    }

    /// What was wrong with rejected records, and how often, in one line; none where there are none.
    #[must_use]
    pub fn rejected_because(&self) -> Option<String> {
        let reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        let each: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} ({count})")).collect();
        (!each.is_empty()).then(|| each.join(", "))
    }
}

/// Counts up.
pub(super) fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}
