//! **load**: batches and what became complete with them, to transactions of the destination. Its own thread.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use crate::destination::{
    Commit, Committed, Destination, Finished, RejectedRecord, ResourceLoad, TableBatch,
};
use crate::error::{Error, ErrorKind, Result};
use crate::normalize::{column_name, normalize_name};
use crate::plan::{Disposition, Plan, ResourcePlan};
use crate::report::Loaded;
use crate::schema::Schema;
use crate::state::{PipelineState, StoredCursor};

/// What one transaction covers: never part of a page.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    /// Rows of complete pages.
    pub(crate) batches: Vec<TableBatch>,
    /// Records of the same pages that cannot be loaded.
    pub(crate) rejects: Vec<RejectedRecord>,
    /// Resources that became complete with these rows.
    pub(crate) finished: Vec<Finished>,
    /// Resources that failed.
    pub(crate) abandoned: Vec<String>,
    /// The schema, if these rows changed it.
    pub(crate) schema: Option<Schema>,
    /// Cursors that may move with these rows.
    pub(crate) moves: Vec<Move>,
    /// Every resource is complete.
    pub(crate) complete: bool,
}

/// How far the cursor of a partition has come.
#[derive(Debug)]
pub(crate) struct Move {
    pub(crate) resource: String,
    /// `cursor_path`, as the configuration writes it.
    pub(crate) cursor: String,
    /// Empty: the whole resource.
    pub(crate) partition: Arc<str>,
    pub(crate) stored: StoredCursor,
}

impl Segment {
    /// Whether there is anything to commit.
    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty()
            && self.rejects.is_empty()
            && self.finished.is_empty()
            && self.abandoned.is_empty()
            && !self.complete
    }

    /// Takes out what belongs to resources that have failed; a load without them is not complete.
    fn leave_out(
        &mut self,
        failed: &BTreeMap<String, Error>,
        parents: &BTreeMap<String, String>,
        resources: &BTreeMap<String, ResourceLoad>,
    ) {
        if failed.is_empty() {
            return;
        }
        self.batches.retain(|batch| !failed.contains_key(&batch.resource));
        self.rejects.retain(|reject| !failed.contains_key(&reject.resource));
        self.complete = false;
        // A parent that moved on alone would never ask for the lost children again.
        let mut held: BTreeSet<&str> = BTreeSet::new();
        for name in failed.keys() {
            let mut next = Some(name);
            while let Some(name) = next.filter(|name| held.insert(name.as_str())) {
                next = parents.get(name);
            }
        }
        self.moves.retain(|moved| !held.contains(moved.resource.as_str()));
        // What was appended under a cursor that stays is left incomplete: the next run takes it back and reads it again.
        let appended =
            |name: &str| resources.get(name).is_some_and(|load| load.disposition == Disposition::Append);
        self.finished.retain(|finished| {
            let name = finished.resource.as_str();
            !(failed.contains_key(name) || held.contains(name) && appended(name))
        });
    }
}

/// Commits segments to a destination.
pub(crate) struct Loader<'d> {
    destination: &'d mut dyn Destination,
    resources: BTreeMap<String, ResourceLoad>,
    /// The parent of each dependent resource.
    parents: BTreeMap<String, String>,
    source: String,
    state: PipelineState,
}

impl<'d> Loader<'d> {
    pub(crate) fn new(
        destination: &'d mut dyn Destination,
        plan: &Plan,
        source: &str,
        state: PipelineState,
    ) -> Self {
        let parent = |resource: &ResourcePlan| {
            let parent = plan.resources.get(resource.parent.as_ref()?.resource)?;
            Some((resource.name.clone(), parent.name.clone()))
        };
        Self {
            destination,
            resources: plan.resources.iter().map(|plan| (plan.name.clone(), resource_load(plan))).collect(),
            parents: plan.resources.iter().filter_map(parent).collect(),
            source: source.to_owned(),
            state,
        }
    }

    /// Commits segments until the sender is gone, or one cannot be committed.
    ///
    /// Where the rows of one resource are the reason, that resource is taken out and has failed; the others go on.
    pub(crate) fn load(
        &mut self,
        segments: &Receiver<Segment>,
        loaded: &mut Loaded,
        mut committed: impl FnMut(&Loaded),
    ) -> Result<()> {
        for mut segment in segments {
            let done = loop {
                segment.leave_out(&loaded.failed, &self.parents, &self.resources);
                match self.commit(&segment) {
                    Ok(done) => break done,
                    Err(error) => {
                        let culprit = culprit(&error).filter(|name| !loaded.failed.contains_key(name));
                        let Some(culprit) = culprit else { return Err(error) };
                        segment.abandoned.push(culprit.clone());
                        loaded.failed.insert(culprit, error);
                    }
                }
            };
            for (resource, rows) in done.rows {
                *loaded.rows.entry(resource).or_default() += rows;
            }
            loaded.readings.extend(done.readings);
            for created in done.created {
                tracing::debug!(created, "created");
            }
            committed(loaded);
        }
        Ok(())
    }

    fn commit(&mut self, segment: &Segment) -> Result<Committed> {
        let mut state = self.state.clone();
        for moved in &segment.moves {
            let partition = (!moved.partition.is_empty()).then_some(&*moved.partition);
            state.set_cursor(&self.source, &moved.resource, &moved.cursor, partition, moved.stored.clone());
        }
        let done = self.destination.commit(Commit {
            batches: segment.batches.clone(),
            rejects: segment.rejects.clone(),
            finished: segment.finished.clone(),
            abandoned: segment.abandoned.clone(),
            resources: self.resources.clone(),
            schema: segment.schema.as_ref(),
            state: (state.changed() || segment.complete).then_some(state.value()),
            complete: segment.complete,
        })?;
        state.saved();
        self.state = state;
        Ok(done)
    }
}

/// The resource whose rows a commit failed for; none where the database itself is the reason.
fn culprit(error: &Error) -> Option<String> {
    let resource = error.context().iter().find(|(key, _)| *key == "resource");
    resource.filter(|_| error.kind() == ErrorKind::Schema).map(|(_, name)| name.clone())
}

fn resource_load(resource: &ResourcePlan) -> ResourceLoad {
    let load = &resource.load;
    let hint = |wanted: &dyn Fn(&crate::schema::ColumnHint) -> bool| {
        load.columns.iter().find(|hint| wanted(hint)).map(|hint| column_name(&hint.name))
    };
    let sorted = load.columns.iter().find_map(|hint| Some((column_name(&hint.name), hint.dedup_sort?)));
    ResourceLoad {
        table: normalize_name(&load.table),
        disposition: load.disposition,
        primary_key: load.primary_key.iter().map(|key| column_name(key)).collect(),
        // An incremental run does not read a partition completely: it can replace nothing by it.
        key_inherited: load.key_inherited && resource.incremental.is_none(),
        fallback_key: load.fallback_key.as_deref().map(column_name),
        merge_key: load.merge_key.iter().map(|key| column_name(key)).collect(),
        dedup_sort: sorted,
        hard_delete: hint(&|hint| hint.hard_delete),
    }
}
