//! What extract counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::answers::Ruling;
use super::paginate::{Ended, Verdict};

/// Counters of one resource, readable while the run goes on.
#[derive(Debug, Default)]
pub struct ResourceStats {
    /// Requests sent, retries included.
    pub requests: AtomicU64,
    /// Pages read.
    pub pages: AtomicU64,
    /// Records in them; those that came again not counted.
    pub records: AtomicU64,
    /// Requests sent again.
    pub retries: AtomicU64,
    /// Answers ignored as `response_actions` says.
    pub ignored: AtomicU64,
    /// Lists that were skipped as `response_actions` says, by reason.
    pub skipped: Mutex<BTreeMap<String, u64>>,
    /// Records outside the incremental range, left out by a step, and those of the parent that `parent_filter` leaves out.
    pub filtered: AtomicU64,
    /// Records that break the declared order of their list.
    pub unordered: AtomicU64,
    /// Records that cannot be loaded.
    pub rejected: AtomicU64,
    /// The same by what is wrong with them.
    pub reasons: Mutex<BTreeMap<String, u64>>,
    /// What the report has to say beside that, in words.
    pub remarks: Mutex<Vec<&'static str>>,
    /// How complete the chains are that ended, and what was seen of drift.
    pub completeness: CompletenessStats,
}

/// How the chains of a resource compare with the API's totals.
#[derive(Debug, Default)]
pub struct CompletenessStats {
    /// Chains with as many records as the total says.
    pub complete: AtomicU64,
    /// Chains without a total to compare with.
    pub unknown: AtomicU64,
    /// Chains with fewer.
    pub short: AtomicU64,
    /// Chains with more.
    pub over: AtomicU64,
    /// The totals of the chains that have one, added up.
    pub total: AtomicU64,
    /// The records of those chains, each counted once.
    pub counted: AtomicU64,
    /// Records that came again because others were inserted before them.
    pub doubled: AtomicU64,
    /// Places where records may have been passed over, read again.
    pub gaps: AtomicU64,
    /// Records that reading again brought.
    pub recovered: AtomicU64,
    /// Readings of a whole list after the first.
    pub readings: AtomicU64,
}

impl ResourceStats {
    /// Counts a record that cannot be loaded: how many there are now, and whether it is the first of its kind.
    pub(super) fn reject(&self, reason: &str) -> (u64, bool) {
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        let count = reasons.entry(reason.to_owned()).or_default();
        *count += 1;
        (self.rejected.fetch_add(1, Ordering::Relaxed) + 1, *count == 1)
    }

    /// Leaves a word for the report.
    pub(super) fn remark(&self, words: &'static str) {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).push(words);
    }

    /// Counts a list that a rule left without records; one that merely ended is like any other.
    pub(super) fn ruled(&self, ruling: &Ruling) {
        match ruling {
            Ruling::Ignored => add(&self.ignored, 1),
            Ruling::Skipped(reason) => {
                let mut skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
                *skipped.entry(reason.clone()).or_default() += 1;
            }
            Ruling::Ended => {}
        }
    }

    /// Lists that were skipped, by reason.
    #[must_use]
    pub fn skipped_because(&self) -> BTreeMap<String, u64> {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was wrong with rejected records, and how often, in one line; none where there are none.
    #[must_use]
    pub fn rejected_because(&self) -> Option<String> {
        let reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        let each: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} ({count})")).collect();
        (!each.is_empty()).then(|| each.join(", "))
    }

    /// Counts a chain that ended.
    pub(super) fn ended(&self, ended: &Ended) {
        let stats = &self.completeness;
        let (verdict, compared) = match ended.verdict {
            Verdict::Complete => (&stats.complete, true),
            Verdict::Unknown => (&stats.unknown, false),
            Verdict::Short => (&stats.short, true),
            Verdict::Over => (&stats.over, true),
        };
        let events = &ended.events;
        for (counter, more) in [
            (verdict, 1),
            (&stats.total, if compared { ended.total } else { 0 }),
            (&stats.counted, if compared { ended.counted } else { 0 }),
            (&stats.doubled, events.doubled),
            (&stats.gaps, events.gaps),
            (&stats.recovered, events.recovered),
            (&stats.readings, events.readings),
        ] {
            counter.fetch_add(more, Ordering::Relaxed);
        }
    }
}

/// Counts up.
pub(super) fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}
