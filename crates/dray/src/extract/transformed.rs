//! The records of a page as their processing steps leave them: between the selector and incremental loading.
//!
//! The paginator, the watch for drift and positions look at the page as the API gave it.

use std::sync::Arc;

use super::Reject;
use super::chain::Reader;
use super::children::Partition;
use super::select::Selected;
use super::sift::KEPT;
use super::stats::add;
use crate::error::Result;
use crate::json::{Document, NodeId};
use crate::plan::{ClientPlan, ResourcePlan};
use crate::transform::{After, Before, Facts, Most, clean};

impl Reader {
    /// Takes the page's records through the resource's steps. True if the records carry their parent's fields from now on.
    pub(super) fn transformed(
        &self,
        plan: &ResourcePlan,
        partition: &Partition,
        selected: &mut Selected,
        rejects: &mut Vec<Reject>,
    ) -> Result<bool> {
        if plan.transform.steps.is_empty() || selected.records.is_empty() {
            return Ok(false);
        }
        let facts = Facts { now: self.slicer.now };
        let overlay = partition.overlay.as_deref();
        let (carries, left_out) =
            rewrite(plan, &self.session.plan.client, overlay, &facts, selected, rejects)?;
        add(&self.stats()?.filtered, left_out);
        Ok(carries)
    }
}

impl Reader {
    /// The records with the values of their columns as the table gets them.
    pub(super) fn cleaned(
        &self,
        document: Arc<Document>,
        records: Vec<NodeId>,
    ) -> Result<(Arc<Document>, Vec<NodeId>)> {
        let rules = &self.plan()?.transform.columns;
        if rules.is_empty() || records.is_empty() {
            return Ok((document, records));
        }
        let (document, records) = clean(rules, &document, &records, &self.session.plan.client.limits.json)?;
        Ok((Arc::new(document), records))
    }
}

/// As [`Reader::transformed`]; also how many records gave none.
pub(super) fn rewrite(
    plan: &ResourcePlan,
    client: &ClientPlan,
    overlay: Option<&Document>,
    facts: &Facts,
    selected: &mut Selected,
    rejects: &mut Vec<Reject>,
) -> Result<(bool, usize)> {
    let before = Before { document: &selected.document, records: &selected.records, overlay };
    let most = Most { bytes: client.limits.body_bytes, json: client.limits.json };
    let After { document, records, left_out, failed } = plan.transform.apply(before, facts, most)?;
    rejects.extend(failed.into_iter().map(|(record, reason)| {
        let raw = selected.document.json(record).as_bytes();
        Reject {
            reason: reason.into(),
            pointer: selected.document.pointer_to(record),
            bytes: u64::try_from(raw.len()).unwrap_or(u64::MAX),
            raw: if client.rejects.keep { raw.iter().take(KEPT).copied().collect() } else { Vec::new() },
        }
    }));
    selected.records = records;
    let rewritten = document.is_some();
    if let Some(document) = document {
        selected.document = document;
    }
    Ok((rewritten, left_out))
}
