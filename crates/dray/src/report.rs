//! What a run did: for people, and as JSON for programs (`--report`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::destination::KeyReading;
use crate::error::Error;
use crate::extract::CompletenessStats;

/// How a run or a resource ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything was loaded.
    Succeeded,
    /// Something was not.
    Failed,
    /// The user stopped it; what was complete is loaded.
    Interrupted,
}

/// What a run did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How it ended: succeeded only if every resource did.
    pub status: Status,
    /// The load's id, as in `_dlt_loads` and in the rows.
    pub load_id: String,
    /// Seconds from the first request to the last commit.
    pub duration_s: f64,
    /// Where the data is.
    pub destination: String,
    /// Resources in the order of the file.
    pub resources: Resources,
    /// How loose spellings were read, and what had to be put right before the run.
    pub notes: Vec<String>,
    /// What went wrong outside a resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Resource reports by name; written as one JSON object in the order of the file.
#[derive(Debug, Default)]
pub struct Resources(pub Vec<(String, ResourceReport)>);

impl Serialize for Resources {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, report)| (name, report)))
    }
}

/// What became of one resource.
#[derive(Debug, Serialize)]
pub struct ResourceReport {
    /// How it ended.
    pub status: Status,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Pages read.
    pub pages: u64,
    /// Records in them.
    pub records: u64,
    /// Rows written to its root table; a merge counts a key once per load.
    pub rows: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Records not loaded, with a reason in the log.
    pub rejected: u64,
    /// Answers ignored as `response_actions` says.
    #[serde(skip_serializing_if = "is_zero")]
    pub ignored: u64,
    /// Lists skipped as `response_actions` says, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, u64>,
    /// Records outside the incremental range, or left out by a step.
    #[serde(skip_serializing_if = "is_zero")]
    pub filtered: u64,
    /// Records that break the order that `row_order` declares; their lists were read to the end.
    #[serde(skip_serializing_if = "is_zero")]
    pub unordered: u64,
    /// Rows left out as `schema_contract` says: for tables that may not be made.
    #[serde(skip_serializing_if = "is_zero")]
    pub discarded_rows: u64,
    /// Values left out as `schema_contract` says: for columns that may not be made.
    #[serde(skip_serializing_if = "is_zero")]
    pub discarded_values: u64,
    /// How the records compare with the API's totals; none where no list was read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completeness: Option<Completeness>,
    /// What was seen of the list changing while it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// The table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// How the key was read, if not as declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How the records of a resource compare with what the API says of their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Completeness {
    /// The verdict; of many lists the worst.
    pub verdict: CompletenessVerdict,
    /// The API's totals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Records that came of those lists, each counted once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
}

/// See [`Completeness`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CompletenessVerdict {
    /// As many as the API says.
    Complete,
    /// The API gives no total, at least of some lists.
    Unknown,
    /// More than the API says.
    Over,
    /// Fewer: the API repeated records in place of others.
    Short,
}

/// A list that changed while it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Records that came again because others were inserted before them; each is loaded once.
    pub doubled: u64,
    /// Places where deletions may have hidden records, read again.
    pub gaps: u64,
    /// Records that reading again brought.
    pub recovered: u64,
    /// Readings of the whole list after the first.
    pub readings: u64,
}

impl Completeness {
    pub(crate) fn of(stats: &CompletenessStats) -> Option<Self> {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let compared = count(&stats.complete) + count(&stats.short) + count(&stats.over);
        let verdict = if count(&stats.short) > 0 {
            CompletenessVerdict::Short
        } else if count(&stats.over) > 0 {
            CompletenessVerdict::Over
        } else if count(&stats.unknown) > 0 {
            CompletenessVerdict::Unknown
        } else if compared > 0 {
            CompletenessVerdict::Complete
        } else {
            return None;
        };
        let number = |counter| (compared > 0).then(|| count(counter));
        Some(Self { verdict, total: number(&stats.total), counted: number(&stats.counted) })
    }
}

impl Drift {
    pub(crate) fn of(stats: &CompletenessStats) -> Option<Self> {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let drift = Self {
            doubled: count(&stats.doubled),
            gaps: count(&stats.gaps),
            recovered: count(&stats.recovered),
            readings: count(&stats.readings),
        };
        (drift.doubled + drift.gaps + drift.recovered + drift.readings > 0).then_some(drift)
    }

    /// In words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut parts = Vec::new();
        for (number, one, many) in [
            (
                self.doubled,
                "1 record came twice and is loaded once",
                "records came twice and are loaded once",
            ),
            (self.gaps, "1 place was read again", "places were read again"),
            (self.recovered, "1 record was found that way", "records were found that way"),
            (self.readings, "the list was read once more", "times the list was read once more"),
        ] {
            match number {
                0 => {}
                1 => parts.push(one.to_owned()),
                number => parts.push(format!("{number} {many}")),
            }
        }
        format!("the list changed while it was read: {}", parts.join(", "))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A key's reading in words; none where it was read as declared.
#[must_use]
pub(crate) fn key_in_words(reading: &KeyReading) -> Option<String> {
    match reading {
        KeyReading::Declared => None,
        KeyReading::Fallback(column) => {
            Some(format!("`{column}`: the records lack the inherited primary key, and every one has this"))
        }
        KeyReading::Partition => Some(
            "none: the records lack the inherited primary key, so what was read completely replaces what it gave before"
                .to_owned(),
        ),
    }
}

/// The parts of a report that come from the loader.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) rows: BTreeMap<String, u64>,
    pub(crate) readings: BTreeMap<String, KeyReading>,
    /// Rows of unfinished passes that were taken back.
    pub(crate) taken_back: BTreeMap<String, u64>,
    /// Resources whose rows the destination could not take.
    pub(crate) failed: BTreeMap<String, Error>,
}

impl Report {
    /// The report of a run that failed before anything was asked of the API.
    #[must_use]
    pub fn not_begun(destination: String, error: &Error) -> Self {
        Self {
            status: Status::Failed,
            load_id: String::new(),
            duration_s: 0.0,
            destination,
            resources: Resources::default(),
            notes: Vec::new(),
            error: Some(error_text(error)),
        }
    }

    /// The report as JSON.
    ///
    /// # Errors
    /// Never in practice: the report holds only what JSON can hold.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

/// A run's duration as the report writes it: seconds, to the millisecond.
#[must_use]
pub(crate) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// An error for the report: its chain and what to do about it.
#[must_use]
pub(crate) fn error_text(error: &Error) -> String {
    match error.advice() {
        Some(advice) => format!("{}; {advice}", error.chain()),
        None => error.chain(),
    }
}
