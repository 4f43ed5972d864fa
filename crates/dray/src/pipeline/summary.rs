//! What a run did, put together from what its stages say.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::gather::Outcome;
use super::{LoadEnded, Progress};
use crate::error::ErrorKind;
use crate::normalize::Discarded;
use crate::plan::Plan;
use crate::report::{
    Completeness, Drift, Report, ResourceReport, Resources, Status, error_text, key_in_words, seconds,
};

/// All that a report is made of.
pub(super) struct Summary<'a> {
    pub(super) plan: &'a Plan,
    pub(super) progress: &'a Progress,
    pub(super) outcomes: Vec<Outcome>,
    /// In the plan's order.
    pub(super) discarded: Vec<Discarded>,
    pub(super) loaded: LoadEnded,
    pub(super) notes: Vec<String>,
}

impl Summary<'_> {
    pub(super) fn report(self, load_id: String, duration: Duration, destination: String) -> Report {
        let mut resources = Vec::new();
        let mut worst = Status::Succeeded;
        let mut notes = self.notes;
        let load_error = self.loaded.error.as_ref().map(error_text);
        let each = self.plan.resources.iter().zip(&self.outcomes).zip(self.progress.stats.iter());
        for (((plan, outcome), stats), discarded) in each.zip(&self.discarded) {
            if !plan.selected && stats.requests.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let refused = self.loaded.loaded.failed.get(&plan.name).map(error_text);
            let (status, error) = match &outcome.ended {
                _ if refused.is_some() => (Status::Failed, refused),
                Some(Ok(())) if load_error.is_none() => (Status::Succeeded, None),
                Some(Err(error)) if error.kind() != ErrorKind::Cancelled => {
                    (Status::Failed, Some(error_text(error)))
                }
                _ if load_error.is_some() => (Status::Failed, load_error.clone()),
                _ => (Status::Interrupted, None),
            };
            if status == Status::Failed || worst == Status::Succeeded {
                worst = status;
            }
            let Discarded { rows: left_rows, values: left_values } = *discarded;
            if left_rows + left_values > 0 {
                notes.push(format!(
                    "{}: {left_values} values and {left_rows} rows were left out, as `schema_contract` says",
                    plan.name
                ));
            }
            if stats.unordered.load(Ordering::Relaxed) > 0 {
                notes.push(format!(
                    "{}: the list is not in the order that `row_order` says, so it was read to its end",
                    plan.name
                ));
            }
            if let Some(reasons) = stats.rejected_because() {
                notes.push(format!("{}: records were rejected: {reasons}", plan.name));
            }
            let remarks = stats.remarks.lock().unwrap_or_else(PoisonError::into_inner);
            notes.extend(remarks.iter().map(|remark| format!("{}: {remark}", plan.name)));
            let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            resources.push((
                plan.name.clone(),
                ResourceReport {
                    status,
                    requests: count(&stats.requests),
                    pages: count(&stats.pages),
                    records: count(&stats.records),
                    rows: self.loaded.loaded.rows.get(&plan.name).copied().unwrap_or_default(),
                    retries: count(&stats.retries),
                    rejected: count(&stats.rejected),
                    ignored: count(&stats.ignored),
                    skipped: stats.skipped_because(),
                    filtered: count(&stats.filtered),
                    unordered: count(&stats.unordered),
                    discarded_rows: left_rows,
                    discarded_values: left_values,
                    completeness: Completeness::of(&stats.completeness),
                    drift: Drift::of(&stats.completeness),
                    table: plan.selected.then(|| crate::normalize::normalize_name(&plan.load.table)),
                    key: self.loaded.loaded.readings.get(&plan.name).and_then(key_in_words),
                    error,
                },
            ));
        }
        Report {
            status: if load_error.is_some() { Status::Failed } else { worst },
            load_id,
            duration_s: seconds(duration),
            destination,
            resources: Resources(resources),
            notes,
            error: load_error,
        }
    }
}
