//! The normalize thread: pages into the open segment, segments to the loader.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::carry::{Before, Place};
use super::{Checkpointing, Progress, stored_cursor};
use crate::destination::{Finished, Position, RejectedRecord, TableBatch};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::{CursorMove, Event, Opened, Page, owner_of};
use crate::json::Document;
use crate::load::{Delivery, Families, Move, Segment};
use crate::normalize::Normalizer;
use crate::plan::Plan;
use crate::report::error_text;
use crate::steps::Steps;

/// How a resource ended, and what became of its partitions.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) ended: Option<Result<()>>,
    partitions: Vec<String>,
    moves: Vec<(Arc<str>, CursorMove)>,
    /// Part of it was loaded by an earlier run.
    resumed: bool,
    /// The loader knows that all its rows are with it.
    finished: bool,
    /// Pages that this run has read.
    pages: u64,
    /// What it means for the database was decided.
    settled: bool,
}

impl From<Before> for Outcome {
    fn from(before: Before) -> Self {
        let Before { resumed, finished, partitions, moves, fresh: _ } = before;
        Self { partitions, moves, resumed, finished, ..Self::default() }
    }
}

/// The normalize thread: pages into the open segment, segments to the loader.
pub(super) struct Gatherer {
    pub(super) normalizer: Normalizer,
    pub(super) plan: Arc<Plan>,
    pub(super) env: Arc<Env>,
    pub(super) progress: Arc<Progress>,
    pub(super) checkpointing: Checkpointing,
    pub(super) steps: Steps,
    /// Records that may still be loaded before the run stops by itself.
    pub(super) rows_left: Option<u64>,
    pub(super) families: Arc<Families>,
    /// The resources that run.
    pub(super) needed: BTreeSet<usize>,
    pub(super) segment: Segment,
    /// Partitions that moved since rows were last delivered.
    pub(super) moved: BTreeMap<(usize, Arc<str>), Moved>,
    /// Where partitions stand with the rows of this segment that are delivered.
    pub(super) delivered: BTreeMap<(usize, Arc<str>), Moved>,
    /// Bytes of pages in this segment.
    pub(super) pending_bytes: usize,
    /// Those of them whose rows are not delivered.
    pub(super) undelivered: usize,
    pub(super) pending_since: Option<Instant>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) notes: Vec<String>,
}

/// Where a partition stands now.
pub(super) struct Moved {
    place: Place,
    done: bool,
    /// Its parent opened it since then: nothing is delivered of it yet.
    fresh: bool,
}

impl Gatherer {
    pub(super) fn run(
        &mut self,
        handle: &tokio::runtime::Handle,
        mut pages: mpsc::Receiver<Event>,
        segments: &SyncSender<Delivery>,
    ) {
        loop {
            let next = match self.pending_since {
                // The timer must be made where the runtime is.
                Some(since) => handle.block_on(async {
                    tokio::time::timeout_at(since + self.checkpointing.time, pages.recv()).await
                }),
                None => Ok(pages.blocking_recv()),
            };
            let event = match next {
                Ok(Some(event)) => Some(event),
                Ok(None) => break,
                Err(_elapsed) => None,
            };
            // What was told before a restart must be taken back with all the rest, what comes after it must not: the restart
            // is a segment of its own.
            let restarts = matches!(event, Some(Event::Restarted { .. }));
            let due = event.is_none() || restarts || self.pending_bytes >= self.checkpointing.bytes;
            if let Some(event) = event {
                if restarts && !self.send(segments) {
                    return;
                }
                self.take(event);
            }
            if self.rows_left == Some(0) {
                tracing::info!("this run has loaded as many records as it may");
                break;
            }
            let due = due || self.pending_bytes >= self.checkpointing.bytes;
            let going = if due {
                self.send(segments)
            } else {
                self.undelivered < self.checkpointing.delivery || self.deliver(segments)
            };
            if !going {
                // The loader has failed: closing the channel stops extract.
                return;
            }
        }
        self.close();
        // The loader may be gone already; its error is in the report.
        self.send(segments);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Page(page) => self.page(page),
            Event::PartitionDone { resource, partition, overlay, cursor } => {
                // What a page of it held may be lost: only the next run can say that it is done.
                if self.has_failed(resource) {
                    return;
                }
                let place = Place {
                    overlay: overlay.as_deref().map(text),
                    at: None,
                    cursor: cursor.clone(),
                    fresh: self.normalizer.is_fresh(resource),
                };
                self.moved(resource, Arc::clone(&partition), place, true);
                self.pending_since.get_or_insert_with(|| self.env.instant());
                if let Some(outcome) = self.outcomes.get_mut(resource) {
                    outcome.partitions.push(partition.to_string());
                    outcome.moves.extend(cursor.map(|cursor| (owner_of(&partition), cursor)));
                }
            }
            Event::Opened(partitions) => {
                self.pending_since.get_or_insert_with(|| self.env.instant());
                self.opened(partitions);
            }
            Event::Restarted { resource, why, partitions } => self.restart(resource, &why, partitions),
            Event::ResourceDone { resource, outcome } => {
                if self.outcomes.get(resource).is_some_and(|known| known.ended.is_none()) {
                    self.end(resource, outcome);
                }
            }
        }
    }

    /// A page: its rows, where its partition stands, and the partitions that it opens go together.
    fn page(&mut self, page: Page) {
        let Some(plan) = self.plan.resources.get(page.resource) else { return };
        if self.has_failed(page.resource) {
            return;
        }
        let Some(outcome) = self.outcomes.get_mut(page.resource) else { return };
        outcome.pages += 1;
        if let Err(error) = self.steps.next("a page arrived") {
            self.end(page.resource, Err(error));
            return;
        }
        let mut held = 0;
        for reject in page.rejects.iter().filter(|_| plan.selected) {
            held += reject.raw.len();
            self.segment.rejects.push(RejectedRecord {
                resource: plan.name.clone(),
                partition: Arc::clone(&page.partition),
                page: page.number,
                reason: reject.reason.clone(),
                pointer: reject.pointer.clone(),
                bytes: reject.bytes,
                raw: reject.raw.clone(),
            });
        }
        if plan.selected && !page.records.is_empty() {
            // Parent fields are written once a record.
            let carried =
                page.overlay.as_ref().map_or(0, |overlay| overlay.body().len() * page.records.len());
            held += page.document.body().len() + carried;
            let count = u64::try_from(page.records.len()).unwrap_or(u64::MAX);
            self.rows_left = self.rows_left.map(|left| left.saturating_sub(count));
            if let Err(error) = self.normalizer.page(&page) {
                self.take_back(page.resource);
                self.end(page.resource, Err(error));
                return;
            }
        }
        self.pending_bytes += held;
        self.undelivered += held;
        self.pending_since.get_or_insert_with(|| self.env.instant());
        let place = Place {
            overlay: page.overlay.as_deref().map(text),
            at: Some(page.position),
            cursor: None,
            fresh: self.normalizer.is_fresh(page.resource),
        };
        self.moved(page.resource, page.partition, place, false);
        self.opened(page.opened);
    }

    /// Partitions that are still to be read from their beginnings.
    fn opened(&mut self, partitions: Vec<Opened>) {
        for Opened { resource, key, overlay } in partitions {
            let place = Place { overlay: overlay.as_deref().map(text), ..Place::default() };
            self.moved.insert((resource, key), Moved { place, done: false, fresh: true });
        }
    }

    fn moved(&mut self, resource: usize, partition: Arc<str>, place: Place, done: bool) {
        let key = (resource, partition);
        let fresh = self.moved.get(&key).is_some_and(|moved| moved.fresh);
        self.moved.insert(key, Moved { place, done, fresh });
    }

    /// The rows of a resource that are not with the loader yet will not get there: its partitions stand where they stood.
    fn take_back(&mut self, resource: usize) {
        self.moved.retain(|(own, _), moved| *own != resource || moved.fresh);
        for ((_, _), moved) in self.moved.iter_mut().filter(|((own, _), _)| *own == resource) {
            (moved.place.at, moved.place.cursor, moved.done) = (None, None, false);
        }
    }

    fn has_failed(&self, resource: usize) -> bool {
        self.outcomes.get(resource).is_some_and(|outcome| matches!(outcome.ended, Some(Err(_))))
    }

    /// A resource starts over.
    fn restart(&mut self, resource: usize, why: &Error, partitions: Vec<Opened>) {
        let Some(plan) = self.plan.resources.get(resource) else { return };
        self.notes.push(format!("{}: starts over, because it could not go on: {}", plan.name, why.chain()));
        tracing::warn!(resource = plan.name, reason = why.chain(), "starting over");
        self.segment.restarted.push(plan.name.clone());
        self.pending_since.get_or_insert_with(|| self.env.instant());
        if let Some(outcome) = self.outcomes.get_mut(resource) {
            outcome.partitions.clear();
            outcome.moves.clear();
        }
        self.opened(partitions);
    }

    /// A resource is complete or has failed.
    fn end(&mut self, resource: usize, result: Result<()>) {
        let (Some(plan), Some(outcome)) =
            (self.plan.resources.get(resource), self.outcomes.get_mut(resource))
        else {
            return;
        };
        if let Some(flag) = self.progress.ended.get(resource) {
            flag.store(if result.is_ok() { 1 } else { 2 }, Ordering::Relaxed);
        }
        if let Err(error) = &result
            && error.kind() != ErrorKind::Cancelled
        {
            tracing::error!(resource = plan.name, error = error_text(error), "resource failed");
        }
        outcome.ended = Some(result);
        self.pending_since.get_or_insert_with(|| self.env.instant());
    }

    /// Extract is over: resources that never ended were interrupted.
    fn close(&mut self) {
        for resource in self.needed.clone() {
            if self.outcomes.get(resource).is_some_and(|outcome| outcome.ended.is_none()) {
                self.end(
                    resource,
                    Err(Error::new(ErrorKind::Cancelled, "stopped before the resource was complete")),
                );
            }
        }
    }

    fn is_complete(&self, resource: usize) -> bool {
        self.outcomes.get(resource).is_some_and(|outcome| matches!(outcome.ended, Some(Ok(()))))
    }

    /// Whether all that it is asked for came: of a parent that failed here, extract does not know, and other records of it may
    /// come in the next run.
    fn has_all_parents(&self, at: usize) -> bool {
        let parent = self.plan.resources.get(at).and_then(|plan| plan.parent.as_ref());
        parent.is_none_or(|parent| self.is_complete(parent.resource) && self.has_all_parents(parent.resource))
    }

    /// Tells the loader which resources are complete, and decides about the families that have ended.
    fn settle(&mut self) {
        for at in self.needed.clone() {
            let complete = self.is_complete(at) && self.has_all_parents(at);
            let (Some(plan), Some(outcome)) = (self.plan.resources.get(at), self.outcomes.get_mut(at)) else {
                continue;
            };
            if complete && !outcome.finished {
                outcome.finished = true;
                let partitions = std::mem::take(&mut outcome.partitions);
                self.segment.finished.push(Finished { resource: plan.name.clone(), partitions });
            }
        }
        let mut families: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for at in &self.needed {
            if let Some(plan) = self.plan.resources.get(*at) {
                families.entry(self.families.root(&plan.name).to_owned()).or_default().push(*at);
            }
        }
        for (root, members) in families {
            let outcomes = || members.iter().filter_map(|at| self.outcomes.get(*at));
            if outcomes().all(|outcome| outcome.ended.is_some()) && outcomes().any(|outcome| !outcome.settled)
            {
                self.settle_family(&root, &members);
            }
        }
    }

    fn settle_family(&mut self, root: &str, members: &[usize]) {
        let outcomes = || members.iter().filter_map(|at| self.outcomes.get(*at));
        let complete = outcomes().all(|outcome| matches!(outcome.ended, Some(Ok(()))));
        let stopped = outcomes().any(
            |outcome| matches!(&outcome.ended, Some(Err(error)) if error.kind() == ErrorKind::Cancelled),
        );
        // Going on where nothing moves would never end: the next run begins again. Not so where the API was out of order, or
        // did not know the credentials: that is no fault of the place where an earlier run stopped.
        let failures =
            || outcomes().filter_map(|outcome| outcome.ended.as_ref().and_then(|ended| ended.as_ref().err()));
        let stuck = outcomes().any(|outcome| outcome.resumed)
            && outcomes().all(|outcome| outcome.pages == 0)
            && !failures().all(is_outage);
        if complete {
            self.segment.closed.extend(self.families.members(root).iter().cloned());
            for at in members {
                self.move_cursors(*at);
            }
        } else if stuck && !stopped {
            let finished = |name: &str| {
                let at = self.plan.resources.iter().position(|resource| resource.name == name);
                at.and_then(|at| self.outcomes.get(at)).is_some_and(|outcome| outcome.finished)
            };
            let given_up = self.families.give_up(root, finished);
            self.segment.abandoned.extend(given_up.abandoned);
            self.segment.closed.extend(given_up.closed);
            self.notes.push(format!(
                "{root}: could not go on where an earlier run stopped; the next run begins again"
            ));
        }
        for at in members {
            if let Some(outcome) = self.outcomes.get_mut(*at) {
                outcome.settled = true;
            }
        }
    }

    fn move_cursors(&mut self, at: usize) {
        let (Some(plan), Some(outcome)) = (self.plan.resources.get(at), self.outcomes.get_mut(at)) else {
            return;
        };
        let Some(incremental) = plan.incremental.as_ref().filter(|_| plan.selected) else { return };
        // Windows of one partition move one cursor.
        let mut moves: BTreeMap<Arc<str>, CursorMove> = BTreeMap::new();
        for (partition, cursor) in std::mem::take(&mut outcome.moves) {
            let joined = match moves.remove(&partition) {
                Some(known) => known.joined(cursor),
                None => cursor,
            };
            moves.insert(partition, joined);
        }
        for (partition, cursor) in moves {
            self.segment.moves.push(Move {
                resource: plan.name.clone(),
                cursor: incremental.cursor_name.clone(),
                partition,
                stored: stored_cursor(cursor),
            });
        }
    }

    /// Where partitions stand with the rows of this segment.
    fn positions(&mut self) -> Vec<Position> {
        let mut positions = Vec::with_capacity(self.moved.len());
        self.delivered.append(&mut self.moved);
        for ((resource, partition), Moved { place, done, .. }) in std::mem::take(&mut self.delivered) {
            let Some(plan) = self.plan.resources.get(resource) else { continue };
            match serde_json::to_value(place) {
                Ok(place) => positions.push(Position {
                    resource: plan.name.clone(),
                    partition: partition.to_string(),
                    place,
                    done,
                }),
                // Without it the next run reads the resource again.
                Err(error) => tracing::warn!(resource = plan.name, %error, "cannot store a position"),
            }
        }
        positions
    }

    /// Takes the rows built so far into the segment.
    fn flush(&mut self) -> Result<()> {
        for rows in self.normalizer.flush()? {
            let Some(plan) = self.plan.resources.get(rows.resource) else { continue };
            // A record that could not be written may have left nested rows behind.
            let ended = self.outcomes.get(rows.resource).and_then(|outcome| outcome.ended.as_ref());
            if ended.is_some_and(|ended| matches!(ended, Err(error) if error.kind() == ErrorKind::Schema)) {
                continue;
            }
            let resource = plan.name.clone();
            self.segment.batches.push(TableBatch { resource, table: rows.table, rows: rows.batch });
        }
        Ok(())
    }

    /// Hands rows of the open segment to the loader; false if nothing can be loaded any more.
    fn deliver(&mut self, deliveries: &SyncSender<Delivery>) -> bool {
        let closed = self.flush().and_then(|()| self.steps.next("rows are delivered"));
        if let Err(error) = closed {
            self.fail_all(&error);
            return false;
        }
        self.delivered.append(&mut self.moved);
        self.undelivered = 0;
        deliveries.send(Delivery::Rows(std::mem::take(&mut self.segment.batches))).is_ok()
    }

    /// Rows of every resource are lost, and with them where its partitions stand: none is complete.
    fn fail_all(&mut self, error: &Error) {
        let message = error_text(error);
        for resource in self.needed.clone() {
            self.end(resource, Err(Error::new(ErrorKind::Bug, message.clone())));
        }
    }

    /// Hands the open segment to the loader; false if nothing can be loaded any more.
    fn send(&mut self, segments: &SyncSender<Delivery>) -> bool {
        let closed = self.flush().and_then(|()| self.steps.next("a segment is closed"));
        if let Err(error) = closed {
            self.fail_all(&error);
            return false;
        }
        for collision in self.normalizer.take_collisions() {
            self.notes.push(format!(
                "`{collision}`: another key has this name; its values are in a column with a suffix"
            ));
        }
        self.segment.schema = self.normalizer.take_schema();
        self.segment.positions = self.positions();
        self.settle();
        let over = self.needed.iter().all(|at| self.outcomes[*at].settled);
        self.segment.complete = over && self.needed.iter().all(|at| self.is_complete(*at));
        (self.pending_bytes, self.undelivered) = (0, 0);
        self.pending_since = None;
        let segment = std::mem::take(&mut self.segment);
        segment.is_empty() || segments.send(Delivery::Segment(Box::new(segment))).is_ok()
    }
}

/// No answer, or one that says nothing of what was asked for.
fn is_outage(error: &Error) -> bool {
    let status = error.fact("status").and_then(|status| status.parse::<u16>().ok());
    match error.kind() {
        ErrorKind::Auth => true,
        ErrorKind::Request => status.is_none_or(|status| status == 429 || status >= 500),
        _ => false,
    }
}

fn text(document: &Document) -> String {
    document.json(document.root()).to_owned()
}
