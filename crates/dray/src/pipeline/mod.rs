//! A run from end to end. The only module that sees every stage.
//!
//! Extract runs on an asynchronous runtime, normalize and load on a thread each. Between them stand bounded channels:
//! a slow database slows the requests down, and a failed stage closes its channel, which stops the others.

mod carry;
mod gather;
mod summary;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use self::carry::carry_on;
use self::gather::{Gatherer, Outcome};
use self::summary::Summary;
use crate::destination::{Destination, RunIdentity};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::{self, CursorMove, CursorState, Cursors, ResourceStats, Resume};
use crate::load::{Delivery, Families, Loader, Segment};
use crate::normalize::{Discarded, Normalizer};
use crate::plan::{CursorValue, Disposition, Plan};
use crate::report::{Loaded, Report};
use crate::schema::Schema;
use crate::state::{PipelineState, StateNames, StoredCursor};
use crate::steps::Steps;

/// Pages between extract and normalize.
const PAGES_WAITING: usize = 4;
/// Rows between normalize and load: none wait, some are written while the next are built.
const DELIVERIES_WAITING: usize = 0;

/// When a transaction is closed; always between two pages.
#[derive(Clone, Copy, Debug)]
pub struct Checkpointing {
    /// Once it holds this many bytes of pages...
    pub bytes: usize,
    /// ...or once its first page has waited this long.
    pub time: Duration,
    /// Rows are written into it whenever so many bytes of pages have become rows.
    pub delivery: usize,
}

impl Default for Checkpointing {
    /// 64 MiB, five seconds, 2 MiB. DuckDB writes the rows of a large transaction once; those of many small ones it first
    /// logs, and packs again and again until a block of its own is full.
    fn default() -> Self {
        Self { bytes: 64 << 20, time: Duration::from_secs(5), delivery: 2 << 20 }
    }
}

/// How far a run goes before it stops by itself, as if asked to; the next run goes on from there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// How long.
    pub time: Option<Duration>,
    /// How many requests.
    pub requests: Option<u64>,
    /// How many records to load; the page on which the number is reached is loaded whole.
    pub rows: Option<u64>,
}

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
    /// When transactions are closed.
    pub checkpointing: Checkpointing,
    /// When it stops by itself.
    pub limits: Limits,
    /// Watched by proofs of reliability; by nobody in a usual run.
    pub steps: Steps,
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
pub fn run(mut job: Job, mut destination: Box<dyn Destination>) -> Result<Report> {
    job.plan.client.max_requests = job.limits.requests;
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
    let names = StateNames {
        pipeline: &job.pipeline,
        dataset: &job.dataset,
        schema: &job.source,
        destination: destination.kind(),
    };
    let state = PipelineState::new(restored.state.clone(), &names);
    let cursors = cursors(&job.plan, &state, &job.source);
    notes.extend(extract::mend(&mut job.plan, &cursors, now)?);
    let plan = Arc::new(job.plan);
    let needed = extract::needed(&plan);
    let families = Arc::new(Families::new(&plan));
    let mut carried = carry_on(&plan, &needed, &restored, &families)?;
    notes.append(&mut carried.notes);
    let schema = restored.schema;
    let before = carried.before.iter().enumerate();
    let fresh: Vec<usize> = before.filter_map(|(at, before)| before.fresh.then_some(at)).collect();
    let mut gatherer = Gatherer {
        normalizer: Normalizer::new(
            &plan,
            schema.unwrap_or_else(|| Schema::new(&job.source)),
            &identity.load_id,
            job.env.generator(),
        ),
        plan: Arc::clone(&plan),
        env: Arc::clone(&job.env),
        progress: Arc::clone(&job.progress),
        checkpointing: job.checkpointing,
        steps: job.steps,
        rows_left: job.limits.rows,
        families: Arc::clone(&families),
        needed,
        segment: Segment::default(),
        moved: BTreeMap::new(),
        pending_bytes: 0,
        undelivered: 0,
        delivered: BTreeMap::new(),
        pending_since: None,
        outcomes: carried.before.into_iter().map(Outcome::from).collect(),
        notes: Vec::new(),
    };
    for resource in fresh {
        gatherer.normalizer.goes_on_fresh(resource);
    }
    let mut loader = Loader::new(destination.as_mut(), &plan, families, &job.source, state);
    let mut begun = Loaded::default();
    loader.begin(carried.first, &mut begun)?;
    let deadline = job.limits.time.map(|time| started + time);
    let beginning = Beginning { cursors, resume: carried.resume, deadline };
    let (ended, loaded) = stages(gatherer, &plan, beginning, &job.env, &job.progress, job.stop, loader)?;
    notes.extend(ended.notes);
    for (resource, rows) in begun.taken_back.iter().chain(&loaded.loaded.taken_back) {
        notes.push(format!("{resource}: {rows} rows of an unfinished load were taken back"));
    }
    let report = Summary {
        plan: &plan,
        progress: &job.progress,
        outcomes: ended.outcomes,
        discarded: ended.discarded,
        loaded,
        notes,
    };
    Ok(report.report(identity.load_id, job.env.instant() - started, destination.location()))
}

/// Where extract begins.
struct Beginning {
    cursors: Cursors,
    resume: Resume,
    /// When it stops by itself.
    deadline: Option<Instant>,
}

/// What the normalize thread gives back at the end.
struct Ended {
    outcomes: Vec<Outcome>,
    /// What contracts left out, by resource.
    discarded: Vec<Discarded>,
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
    beginning: Beginning,
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
    let (segments, waiting) = sync_channel(DELIVERIES_WAITING);
    let names: BTreeMap<&str, usize> =
        progress.names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let handle = runtime.handle().clone();
    let ended = std::thread::scope(|scope| {
        let loader = scope.spawn(move || load_thread(loader, &waiting, &names, progress));
        let normalizer = scope.spawn(move || {
            gatherer.run(&handle, pages, &segments);
            gatherer.notes.extend(gatherer.normalizer.remarks());
            let discarded = (0..gatherer.plan.resources.len()).map(|at| gatherer.normalizer.discarded(at));
            Ended { discarded: discarded.collect(), outcomes: gatherer.outcomes, notes: gatherer.notes }
        });
        let Beginning { cursors, resume, deadline } = beginning;
        let stats = Arc::clone(&progress.stats);
        runtime.block_on(async {
            tokio::select! {
                () = extract::extract(Arc::clone(plan), cursors, resume, Arc::clone(env), events, stats) => {}
                () = asked_to_stop(&mut stop) => {}
                () = passed(deadline) => tracing::info!("the time of this run is over"),
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

/// Ends at the deadline; never where there is none.
async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn load_thread(
    mut loader: Loader<'_>,
    waiting: &Receiver<Delivery>,
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
        // What is replaced begins anew, as in dlt: rows before the cursor would be gone.
        if resource.load.disposition == Disposition::Replace {
            continue;
        }
        for (partition, stored) in state.cursors(source, &resource.name, &incremental.cursor_name) {
            if let Some(last_value) = CursorValue::from_json(&stored.last_value) {
                let initial_value = CursorValue::from_json(&stored.initial_value);
                // dlt stores a cursor as the records write it.
                let last_value = match &incremental.form {
                    Some(form) => form.settled(last_value),
                    None => last_value,
                };
                let state = CursorState { initial_value, last_value, unique_hashes: stored.unique_hashes };
                cursors.insert(&resource.name, &partition, state);
            }
        }
    }
    cursors
}

fn stored_cursor(cursor: CursorMove) -> StoredCursor {
    let json = |value: Option<CursorValue>| value.as_ref().map(CursorValue::to_json).unwrap_or_default();
    StoredCursor {
        initial_value: json(cursor.state.initial_value),
        last_value: json(Some(cursor.state.last_value)),
        start_value: json(cursor.start_value),
        unique_hashes: cursor.state.unique_hashes,
    }
}
