//! **load**: batches and what became complete with them, to transactions of the destination. Its own thread.

mod family;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

pub(crate) use self::family::Families;

use crate::destination::{
    Commit, Committed, Destination, Finished, Position, RejectedRecord, ResourceLoad, TableBatch, add_up,
};
use crate::error::{Error, ErrorKind, Result};
use crate::normalize::{column_name, normalize_name};
use crate::plan::{Disposition, Plan, ResourcePlan};
use crate::report::{Loaded, error_text};
use crate::schema::Schema;
use crate::state::{PipelineState, StoredCursor};

/// What the loader is given.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// Rows of the segment that is still open: they need not wait for its end.
    Rows(Vec<TableBatch>),
    /// A segment, without the rows that were delivered before.
    Segment(Box<Segment>),
}

/// What one transaction covers: never part of a page.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    /// Resources that start over with this segment.
    pub(crate) restarted: Vec<String>,
    /// Rows of complete pages.
    pub(crate) batches: Vec<TableBatch>,
    /// Records of the same pages that cannot be loaded.
    pub(crate) rejects: Vec<RejectedRecord>,
    /// Where partitions stand with these rows.
    pub(crate) positions: Vec<Position>,
    /// Resources that became complete with these rows.
    pub(crate) finished: Vec<Finished>,
    /// Resources whose passes no later run can carry on.
    pub(crate) spoiled: Vec<String>,
    /// Resources whose passes are given up.
    pub(crate) abandoned: Vec<String>,
    /// Resources whose passes are over.
    pub(crate) closed: Vec<String>,
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
        let Self { restarted, batches, positions, finished, abandoned, closed, .. } = self;
        let passes = restarted.is_empty() && finished.is_empty() && abandoned.is_empty() && closed.is_empty();
        passes && batches.is_empty() && positions.is_empty() && !self.complete
    }
}

/// Commits segments to a destination.
pub(crate) struct Loader<'d> {
    destination: &'d mut dyn Destination,
    resources: BTreeMap<String, ResourceLoad>,
    families: Arc<Families>,
    /// Resources all of whose rows are committed.
    finished: BTreeSet<String>,
    source: String,
    state: PipelineState,
    /// Rows that are written and not committed, for a transaction without the resource that spoils it. With one resource
    /// there is nothing to save then, and none are kept.
    written: Vec<TableBatch>,
    /// What writing them did.
    uncommitted: Committed,
    /// Resources that failed since the last commit.
    to_abandon: Vec<String>,
}

impl<'d> Loader<'d> {
    pub(crate) fn new(
        destination: &'d mut dyn Destination,
        plan: &Plan,
        families: Arc<Families>,
        source: &str,
        state: PipelineState,
    ) -> Self {
        Self {
            destination,
            resources: plan.resources.iter().map(|plan| (plan.name.clone(), resource_load(plan))).collect(),
            families,
            finished: BTreeSet::new(),
            source: source.to_owned(),
            state,
            written: Vec::new(),
            uncommitted: Committed::default(),
            to_abandon: Vec::new(),
        }
    }

    /// Commits what must be put right before anything is read.
    pub(crate) fn begin(&mut self, first: Segment, loaded: &mut Loaded) -> Result<()> {
        if !first.is_empty() {
            let done = self.commit(&first)?;
            add_up(&mut loaded.taken_back, done.taken_back);
        }
        Ok(())
    }

    /// Takes out what belongs to resources whose rows were refused; a load without them is not complete.
    ///
    /// Their families' cursors stay, and no later run carries the families on: a parent that was read further than its
    /// lost child would never ask for it again.
    fn leave_out(&self, segment: &mut Segment, failed: &BTreeMap<String, Error>) {
        if failed.is_empty() {
            return;
        }
        let roots: BTreeSet<&str> = failed.keys().map(|name| self.families.root(name)).collect();
        let lost = |name: &str| roots.contains(self.families.root(name));
        segment.complete = false;
        segment.batches.retain(|batch| !failed.contains_key(&batch.resource));
        segment.rejects.retain(|reject| !failed.contains_key(&reject.resource));
        segment.finished.retain(|finished| !failed.contains_key(&finished.resource));
        segment.positions.retain(|position| !lost(&position.resource));
        segment.moves.retain(|moved| !lost(&moved.resource));
        let ended = segment.closed.iter().chain(&segment.abandoned);
        let ended: BTreeSet<String> = ended
            .map(|name| self.families.root(name))
            .filter(|root| roots.contains(root))
            .map(str::to_owned)
            .collect();
        segment.closed.retain(|name| !lost(name));
        segment.abandoned.retain(|name| !lost(name) || failed.contains_key(name));
        for root in ended {
            let complete = |name: &str| {
                !failed.contains_key(name)
                    && (self.finished.contains(name)
                        || segment.finished.iter().any(|finished| finished.resource == name))
            };
            let given_up = self.families.give_up(&root, complete);
            segment.closed.extend(given_up.closed);
            segment.abandoned.extend(given_up.abandoned);
        }
        segment.spoiled = roots.iter().flat_map(|root| self.families.members(root)).cloned().collect();
    }

    /// Writes rows and commits segments until the sender is gone, or the database refuses.
    ///
    /// Where the rows of one resource are the reason, that resource is taken out and has failed; the others go on.
    pub(crate) fn load(
        &mut self,
        deliveries: &Receiver<Delivery>,
        loaded: &mut Loaded,
        mut committed: impl FnMut(&Loaded),
    ) -> Result<()> {
        for delivery in deliveries {
            match delivery {
                Delivery::Rows(batches) => self.write(batches, loaded)?,
                Delivery::Segment(segment) => {
                    self.segment(*segment, loaded)?;
                    committed(loaded);
                }
            }
        }
        Ok(())
    }

    /// Writes rows into the open transaction.
    fn write(&mut self, mut batches: Vec<TableBatch>, loaded: &mut Loaded) -> Result<()> {
        loop {
            batches.retain(|batch| !loaded.failed.contains_key(&batch.resource));
            match self.destination.write(&batches, &self.resources) {
                Ok(done) => {
                    self.uncommitted.add(done);
                    if self.resources.len() > 1 {
                        self.written.append(&mut batches);
                    }
                    return Ok(());
                }
                Err(error) => self.leave_out_culprit(error, loaded)?,
            }
        }
    }

    fn segment(&mut self, mut segment: Segment, loaded: &mut Loaded) -> Result<()> {
        let done = loop {
            segment.abandoned.append(&mut self.to_abandon);
            self.leave_out(&mut segment, &loaded.failed);
            match self.commit(&segment) {
                Ok(done) => break done,
                Err(error) => self.leave_out_culprit(error, loaded)?,
            }
        };
        self.written.clear();
        let mut all = std::mem::take(&mut self.uncommitted);
        all.add(done);
        add_up(&mut loaded.rows, all.rows);
        self.finished.extend(segment.finished.iter().map(|finished| finished.resource.clone()));
        loaded.readings.extend(all.readings);
        add_up(&mut loaded.taken_back, all.taken_back);
        for created in all.created {
            tracing::debug!(created, "created");
        }
        Ok(())
    }

    /// The transaction is gone: where one resource is to blame, the rows of the others are written again.
    fn leave_out_culprit(&mut self, error: Error, loaded: &mut Loaded) -> Result<()> {
        self.uncommitted = Committed::default();
        let culprit = culprit(&error).filter(|name| !loaded.failed.contains_key(name));
        let Some(culprit) = culprit else { return Err(error) };
        tracing::error!(resource = culprit, error = error_text(&error), "resource failed");
        self.to_abandon.push(culprit.clone());
        loaded.failed.insert(culprit, error);
        let written = std::mem::take(&mut self.written);
        if written.is_empty() { Ok(()) } else { self.write(written, loaded) }
    }

    fn commit(&mut self, segment: &Segment) -> Result<Committed> {
        let mut state = self.state.clone();
        for moved in &segment.moves {
            let partition = (!moved.partition.is_empty()).then_some(&*moved.partition);
            state.set_cursor(&self.source, &moved.resource, &moved.cursor, partition, moved.stored.clone());
        }
        let done = self.destination.commit(Commit {
            restarted: segment.restarted.clone(),
            batches: segment.batches.clone(),
            rejects: segment.rejects.clone(),
            positions: segment.positions.clone(),
            finished: segment.finished.clone(),
            spoiled: segment.spoiled.clone(),
            abandoned: segment.abandoned.clone(),
            closed: segment.closed.clone(),
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

/// What a pass of this resource must have been begun with to be carried on.
pub(crate) fn fingerprint(resource: &ResourcePlan) -> String {
    // A parent that is only read for its children leaves no rows.
    let loaded = if resource.selected { "" } else { " unselected" };
    format!("{}{loaded}", resource.fingerprint)
}

/// The resource whose rows a commit failed for; none where the database itself is the reason.
fn culprit(error: &Error) -> Option<String> {
    error.fact("resource").filter(|_| error.kind() == ErrorKind::Schema).map(str::to_owned)
}

fn resource_load(resource: &ResourcePlan) -> ResourceLoad {
    let load = &resource.load;
    let hint = |wanted: &dyn Fn(&crate::schema::ColumnHint) -> bool| {
        load.columns.iter().find(|hint| wanted(hint)).map(|hint| column_name(&hint.name))
    };
    let sorted = load.columns.iter().find_map(|hint| Some((column_name(&hint.name), hint.dedup_sort?)));
    ResourceLoad {
        fingerprint: fingerprint(resource),
        table: normalize_name(&load.table),
        disposition: if resource.selected { load.disposition } else { Disposition::Skip },
        primary_key: load.primary_key.iter().map(|key| column_name(key)).collect(),
        // An incremental run does not read a partition completely: it can replace nothing by it.
        key_inherited: load.key_inherited && resource.incremental.is_none(),
        fallback_key: load.fallback_key.as_deref().map(column_name),
        merge_key: load.merge_key.iter().map(|key| column_name(key)).collect(),
        dedup_sort: sorted,
        hard_delete: hint(&|hint| hint.hard_delete),
        shared: load.shared.clone(),
    }
}
