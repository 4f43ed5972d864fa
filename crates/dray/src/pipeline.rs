//! A run from end to end. The only module that sees every stage.
//!
//! Extract runs on an asynchronous runtime, normalize and load on a thread each. Between them stand bounded channels:
//! a slow database slows the requests down, and a failed stage closes its channel, which stops the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::destination::{Destination, Finished, Restored, RunIdentity, TableBatch};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::{self, CursorMove, CursorState, Cursors, Event, ResourceStats};
use crate::load::{Loader, Move, Segment};
use crate::normalize::Normalizer;
use crate::plan::{CursorValue, Disposition, Plan};
use crate::report::{
    Completeness, Drift, Loaded, Report, ResourceReport, Resources, Status, error_text, key_in_words, seconds,
};
use crate::schema::Schema;
use crate::state::{PipelineState, StateNames, StoredCursor};

/// A transaction is closed once this many bytes of pages are in it...
const SEGMENT_BYTES: usize = 16 << 20;
/// ...or once its first page has waited this long.
const SEGMENT_TIME: Duration = Duration::from_secs(5);
/// Pages between extract and normalize.
const PAGES_WAITING: usize = 16;
/// Segments between normalize and load: one is loaded while the next is built.
const SEGMENTS_WAITING: usize = 1;

/// A run that is about to begin.
#[derive(Debug)]
pub struct Job {
    /// What to do.
    pub plan: Plan,
    /// The pipeline's name: its state and its writer's lock are kept under it.
    pub pipeline: String,
    /// The source's name in the state and the schema; dlt's is `rest_api`.
    pub source: String,
    /// The dataset.
    pub dataset: String,
    /// Clock and randomness.
    pub env: Arc<Env>,
    /// Filled in while the run goes on.
    pub progress: Arc<Progress>,
    /// Becomes true when the user asks the run to stop.
    pub stop: watch::Receiver<bool>,
}

/// What a run has done so far; read by whoever shows it.
#[derive(Debug)]
pub struct Progress {
    /// Names of the resources, in the plan's order.
    pub names: Vec<String>,
    /// What extract counts, in the same order.
    pub stats: Arc<Vec<ResourceStats>>,
    /// Rows committed, in the same order.
    pub rows: Vec<AtomicU64>,
    /// Whether a resource is complete (1), failed (2) or still under way (0), in the same order.
    pub ended: Vec<AtomicU64>,
}

impl Progress {
    /// Counters at zero for the resources of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Arc<Self> {
        let counters = || plan.resources.iter().map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self {
            names: plan.resources.iter().map(|resource| resource.name.clone()).collect(),
            stats: Arc::new(plan.resources.iter().map(|_| ResourceStats::default()).collect()),
            rows: counters(),
            ended: counters(),
        })
    }
}

/// Runs a job to its end. Resources that fail are in the report; the others are loaded.
///
/// # Errors
/// Where the destination cannot be written at all before anything was asked of the API.
pub fn run(job: Job, mut destination: Box<dyn Destination>) -> Result<Report> {
    let started = job.env.instant();
    let now = job.env.now();
    let identity = RunIdentity {
        pipeline: job.pipeline.clone(),
        load_id: format!("{}.{:06}", now.as_second(), now.subsec_microsecond()),
        schema: job.source.clone(),
        started_micros: now.as_microsecond(),
    };
    let restored = destination.claim(&identity)?;
    let mut notes: Vec<String> = job.plan.notes.iter().map(crate::plan::Note::shown).collect();
    for (resource, rows) in &restored.taken_back {
        notes.push(format!("{resource}: {rows} rows of an incomplete load were taken back"));
    }
    let plan = Arc::new(job.plan);
    let Restored { schema, state, .. } = restored;
    let names = StateNames {
        pipeline: &job.pipeline,
        dataset: &job.dataset,
        schema: &job.source,
        destination: destination.kind(),
    };
    let state = PipelineState::new(state, &names);
    let cursors = cursors(&plan, &state, &job.source);
    let gatherer = Gatherer {
        normalizer: Normalizer::new(
            &plan,
            schema.unwrap_or_else(|| Schema::new(&job.source)),
            &identity.load_id,
            job.env.generator(),
        ),
        plan: Arc::clone(&plan),
        env: Arc::clone(&job.env),
        progress: Arc::clone(&job.progress),
        needed: extract::needed(&plan),
        segment: Segment::default(),
        pending_bytes: 0,
        pending_since: None,
        outcomes: plan.resources.iter().map(|_| Outcome::default()).collect(),
        notes: Vec::new(),
    };
    let loader = Loader::new(destination.as_mut(), &plan, &job.source, state);
    let (ended, loaded) = stages(gatherer, &plan, cursors, &job.env, &job.progress, job.stop, loader)?;
    notes.extend(ended.notes);
    let report = Summary { plan: &plan, progress: &job.progress, outcomes: ended.outcomes, loaded, notes };
    Ok(report.report(identity.load_id, job.env.instant() - started, destination.location()))
}

/// What the normalize thread gives back at the end.
struct Ended {
    outcomes: Vec<Outcome>,
    notes: Vec<String>,
}

/// What the load thread gives back: what it committed, and why it stopped early, if it did.
struct LoadEnded {
    loaded: Loaded,
    error: Option<Error>,
}

fn stages(
    mut gatherer: Gatherer,
    plan: &Arc<Plan>,
    cursors: Cursors,
    env: &Arc<Env>,
    progress: &Arc<Progress>,
    mut stop: watch::Receiver<bool>,
    loader: Loader<'_>,
) -> Result<(Ended, LoadEnded)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Bug, "cannot start the runtime").caused_by(error))?;
    let (events, pages) = mpsc::channel(PAGES_WAITING);
    let (segments, waiting) = sync_channel(SEGMENTS_WAITING);
    let names: BTreeMap<&str, usize> =
        progress.names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let handle = runtime.handle().clone();
    let ended = std::thread::scope(|scope| {
        let loader = scope.spawn(move || load_thread(loader, &waiting, &names, progress));
        let normalizer = scope.spawn(move || {
            gatherer.run(&handle, pages, &segments);
            Ended { outcomes: gatherer.outcomes, notes: gatherer.notes }
        });
        runtime.block_on(async {
            tokio::select! {
                () = extract::extract(Arc::clone(plan), cursors, Arc::clone(env), events, Arc::clone(&progress.stats)) => {}
                () = asked_to_stop(&mut stop) => {}
            }
        });
        // Extract is over or was dropped, and with it every sender of events: the other stages end by themselves.
        (normalizer.join(), loader.join())
    });
    runtime.shutdown_background();
    match ended {
        (Ok(ended), Ok(loaded)) => Ok((ended, loaded)),
        _ => Err(Error::new(ErrorKind::Bug, "a stage of the run ended unexpectedly")),
    }
}

/// Ends when the user asks the run to stop; never where nobody can ask any more.
async fn asked_to_stop(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn load_thread(
    mut loader: Loader<'_>,
    waiting: &Receiver<Segment>,
    names: &BTreeMap<&str, usize>,
    progress: &Progress,
) -> LoadEnded {
    let mut loaded = Loaded::default();
    let result = loader.load(waiting, &mut loaded, |loaded| {
        for (resource, rows) in &loaded.rows {
            if let Some(counter) = names.get(resource.as_str()).and_then(|at| progress.rows.get(*at)) {
                counter.store(*rows, Ordering::Relaxed);
            }
        }
    });
    LoadEnded { loaded, error: result.err() }
}

/// The cursors that the plan's resources begin with.
fn cursors(plan: &Plan, state: &PipelineState, source: &str) -> Cursors {
    let mut cursors = Cursors::default();
    for resource in &plan.resources {
        let Some(incremental) = &resource.incremental else { continue };
        for (partition, stored) in state.cursors(source, &resource.name, &incremental.cursor_name) {
            if let Some(last_value) = cursor_value(&stored.last_value) {
                let initial_value = cursor_value(&stored.initial_value);
                let state = CursorState { initial_value, last_value, unique_hashes: stored.unique_hashes };
                cursors.insert(&resource.name, &partition, state);
            }
        }
    }
    cursors
}

fn cursor_value(stored: &serde_json::Value) -> Option<CursorValue> {
    match stored {
        serde_json::Value::String(text) => Some(CursorValue::Text(text.clone())),
        serde_json::Value::Number(number) => {
            number.as_i64().map(CursorValue::Int).or_else(|| number.as_f64().map(CursorValue::Float))
        }
        _ => None,
    }
}

fn stored_cursor(cursor: CursorMove) -> StoredCursor {
    let json = |value: Option<CursorValue>| match value {
        Some(CursorValue::Int(number)) => number.into(),
        Some(CursorValue::Float(number)) => number.into(),
        Some(CursorValue::Text(text)) => text.into(),
        None => serde_json::Value::Null,
    };
    StoredCursor {
        initial_value: json(cursor.state.initial_value),
        last_value: json(Some(cursor.state.last_value)),
        start_value: json(cursor.start_value),
        unique_hashes: cursor.state.unique_hashes,
    }
}

/// How a resource ended, and what became of its partitions.
#[derive(Debug, Default)]
struct Outcome {
    ended: Option<Result<()>>,
    partitions: Vec<String>,
    moves: Vec<(Arc<str>, CursorMove)>,
    /// What it means for the database was decided.
    settled: bool,
}

/// The normalize thread: pages into the open segment, segments to the loader.
struct Gatherer {
    normalizer: Normalizer,
    plan: Arc<Plan>,
    env: Arc<Env>,
    progress: Arc<Progress>,
    /// The resources that run.
    needed: BTreeSet<usize>,
    segment: Segment,
    pending_bytes: usize,
    pending_since: Option<Instant>,
    outcomes: Vec<Outcome>,
    notes: Vec<String>,
}

impl Gatherer {
    fn run(
        &mut self,
        handle: &tokio::runtime::Handle,
        mut pages: mpsc::Receiver<Event>,
        segments: &SyncSender<Segment>,
    ) {
        loop {
            let next = match self.pending_since {
                // The timer must be made where the runtime is.
                Some(since) => handle
                    .block_on(async { tokio::time::timeout_at(since + SEGMENT_TIME, pages.recv()).await }),
                None => Ok(pages.blocking_recv()),
            };
            let event = match next {
                Ok(Some(event)) => Some(event),
                Ok(None) => break,
                Err(_elapsed) => None,
            };
            let due = event.is_none() || self.pending_bytes >= SEGMENT_BYTES;
            if let Some(event) = event {
                self.take(event);
            }
            if (due || self.pending_bytes >= SEGMENT_BYTES) && !self.send(segments) {
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
            Event::Page(page) => {
                let Some(outcome) = self.outcomes.get_mut(page.resource) else { return };
                if matches!(outcome.ended, Some(Err(_))) {
                    return;
                }
                // Parent fields are written once a record.
                let carried =
                    page.overlay.as_ref().map_or(0, |overlay| overlay.body().len() * page.records.len());
                self.pending_bytes += page.document.body().len() + carried;
                self.pending_since.get_or_insert_with(|| self.env.instant());
                if let Err(error) = self.normalizer.page(&page) {
                    self.end(page.resource, Err(error));
                }
            }
            Event::PartitionDone { resource, partition, cursor } => {
                if let Some(outcome) = self.outcomes.get_mut(resource) {
                    outcome.partitions.push(partition.to_string());
                    outcome.moves.extend(cursor.map(|cursor| (partition, cursor)));
                }
            }
            Event::ResourceDone { resource, outcome } => {
                if self.outcomes.get(resource).is_some_and(|known| known.ended.is_none()) {
                    self.end(resource, outcome);
                }
            }
        }
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

    /// The resource and all above it, up to the one without a parent.
    fn line(&self, resource: usize) -> Vec<usize> {
        let mut line = vec![resource];
        let parent = |at: usize| self.plan.resources.get(at)?.parent.as_ref().map(|parent| parent.resource);
        while let Some(above) = line.last().and_then(|at| parent(*at)) {
            line.push(above);
        }
        line
    }

    /// Decides about the families (a resource without a parent and all below it) that have ended.
    ///
    /// A cursor moves only if its resource and all that depend on it are complete: a parent that moved on alone would
    /// never ask for the lost children again. What was appended under a cursor that stays is taken back, because the next
    /// run reads it again.
    fn settle(&mut self) {
        let lines: BTreeMap<usize, Vec<usize>> = self.needed.iter().map(|at| (*at, self.line(*at))).collect();
        let top = |at: &usize| lines.get(at).and_then(|line| line.last()).copied();
        let open: BTreeSet<Option<usize>> =
            self.needed.iter().filter(|at| self.outcomes[**at].ended.is_none()).map(top).collect();
        let settled: Vec<usize> = self
            .needed
            .iter()
            .filter(|at| !self.outcomes[**at].settled && !open.contains(&top(at)))
            .copied()
            .collect();
        let mut movable: BTreeSet<usize> = settled.iter().copied().collect();
        for at in settled.iter().filter(|at| !self.is_complete(**at)) {
            for above in lines.get(at).into_iter().flatten() {
                movable.remove(above);
            }
        }
        for at in settled {
            let held = lines.get(&at).into_iter().flatten().any(|above| {
                let incremental =
                    self.plan.resources.get(*above).is_some_and(|plan| plan.incremental.is_some());
                incremental && !movable.contains(above)
            });
            self.settle_one(at, held, movable.contains(&at));
        }
    }

    fn settle_one(&mut self, resource: usize, held: bool, movable: bool) {
        let complete = self.is_complete(resource);
        let (Some(plan), Some(outcome)) =
            (self.plan.resources.get(resource), self.outcomes.get_mut(resource))
        else {
            return;
        };
        outcome.settled = true;
        if !plan.selected || plan.load.disposition == Disposition::Skip {
            return;
        }
        let again = held && plan.load.disposition == Disposition::Append;
        if complete && !again {
            let partitions = std::mem::take(&mut outcome.partitions);
            self.segment.finished.push(Finished { resource: plan.name.clone(), partitions });
        } else {
            self.segment.abandoned.push(plan.name.clone());
        }
        if complete && again {
            let message = "a resource that it belongs with failed; what was appended is taken back and read again by the next run";
            outcome.ended = Some(Err(Error::new(ErrorKind::Request, message).with("resource", &plan.name)));
        }
        let Some(incremental) = plan.incremental.as_ref().filter(|_| movable) else { return };
        for (partition, cursor) in std::mem::take(&mut outcome.moves) {
            self.segment.moves.push(Move {
                resource: plan.name.clone(),
                cursor: incremental.cursor_name.clone(),
                partition,
                stored: stored_cursor(cursor),
            });
        }
    }

    /// Takes the rows built so far into the segment; where that fails, nothing of this run is complete.
    fn flush(&mut self) {
        match self.normalizer.flush() {
            Ok(rows) => {
                for rows in rows {
                    let Some(plan) = self.plan.resources.get(rows.resource) else { continue };
                    // A record that could not be written may have left nested rows behind.
                    let ended = self.outcomes.get(rows.resource).and_then(|outcome| outcome.ended.as_ref());
                    if ended
                        .is_some_and(|ended| matches!(ended, Err(error) if error.kind() == ErrorKind::Schema))
                    {
                        continue;
                    }
                    let resource = plan.name.clone();
                    self.segment.batches.push(TableBatch { resource, table: rows.table, rows: rows.batch });
                }
            }
            Err(error) => {
                let message = error_text(&error);
                for resource in self.needed.clone() {
                    self.end(resource, Err(Error::new(ErrorKind::Bug, message.clone())));
                }
            }
        }
    }

    /// Hands the open segment to the loader; false if the loader is gone.
    fn send(&mut self, segments: &SyncSender<Segment>) -> bool {
        self.flush();
        for collision in self.normalizer.take_collisions() {
            self.notes.push(format!(
                "`{collision}`: another key has this name; its values are in a column with a suffix"
            ));
        }
        self.segment.schema = self.normalizer.take_schema();
        self.settle();
        let over = self.needed.iter().all(|at| self.outcomes[*at].settled);
        self.segment.complete = over && self.needed.iter().all(|at| self.is_complete(*at));
        self.pending_bytes = 0;
        self.pending_since = None;
        let segment = std::mem::take(&mut self.segment);
        segment.is_empty() || segments.send(segment).is_ok()
    }
}

/// All that a report is made of.
struct Summary<'a> {
    plan: &'a Plan,
    progress: &'a Progress,
    outcomes: Vec<Outcome>,
    loaded: LoadEnded,
    notes: Vec<String>,
}

impl Summary<'_> {
    fn report(self, load_id: String, duration: Duration, destination: String) -> Report {
        let mut resources = Vec::new();
        let mut worst = Status::Succeeded;
        let load_error = self.loaded.error.as_ref().map(error_text);
        for ((plan, outcome), stats) in
            self.plan.resources.iter().zip(&self.outcomes).zip(self.progress.stats.iter())
        {
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
                    rejected: 0,
                    ignored: count(&stats.ignored),
                    filtered: count(&stats.filtered),
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
            notes: self.notes,
            error: load_error,
        }
    }
}
