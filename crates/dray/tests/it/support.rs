//! A small configuration, run against a simulated API: what extract told, or the tables that a whole run left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dray::config::load::read_text_as;
use dray::config::parse::Format;
use dray::config::secrets::Sources;
use dray::destination::duckdb::DuckDb;
use dray::env::Env;
use dray::error::{Error, ErrorKind};
use dray::extract::{CursorMove, Cursors, Event, ResourceStats, Resume, extract};
use dray::pipeline::{Checkpointing, Job, Limits, Progress, run};
use dray::plan::{Plan, prepare};
use dray::report::{Report, ResourceReport};
use dray::steps::Steps;
use dray_sim::{Api, Options, Request, Response, Sim};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

/// A chain that does not end fails its test after this time.
const LONGEST: Duration = Duration::from_secs(60);

/// What every configuration here begins with; a test's own keys may follow.
const QUICK: &str = "retry: {max_retries: 3, backoff_factor: 0.01}";

/// An API that answers as `answer` says.
pub(crate) fn script(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Sim {
    Sim::start(Options { api: Api::custom(answer), ..Options::default() }).unwrap()
}

/// One of the four APIs.
pub(crate) fn start(api: Api, size: u64) -> Sim {
    Sim::start(Options { api, size, ..Options::default() }).unwrap()
}

/// The numbers of a range as records.
pub(crate) fn records(ids: std::ops::Range<u64>) -> Value {
    ids.map(|id| serde_json::json!({ "id": id })).collect()
}

/// A plan of `resources` (a list in YAML) with `client` (further keys in YAML, or nothing) against `base`.
pub(crate) fn plan_at(base: &str, secrets: &[(String, String)], client: &str, resources: &str) -> Plan {
    let retry = if client.contains("retry:") { "" } else { QUICK };
    let more = [retry, client].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let text = format!("client: {{base_url: \"{base}\", {more}}}\nresources:\n{resources}\n");
    let loaded = read_text_as("test.yaml".to_owned(), text.clone(), Format::Yaml)
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut sources = Sources::new("2024-05-01T00:00:00Z".parse().unwrap());
    for (name, value) in secrets {
        sources.environment.insert(name.to_uppercase(), value.clone());
    }
    let prepared = prepare(loaded, &[], &sources);
    prepared.plan.unwrap_or_else(|| panic!("{}", prepared.diagnostics.render("test.yaml", &text)))
}

/// As [`plan_at`], against a simulated API and with its secrets; `${secrets.key}` is `swordfish-4242`.
pub(crate) fn plan(sim: &Sim, client: &str, resources: &str) -> Plan {
    let mut secrets = sim.secrets();
    secrets.push(("key".to_owned(), "swordfish-4242".to_owned()));
    plan_at(sim.base_url(), &secrets, client, resources)
}

/// What extract told of one resource.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Its records by partition, in the order of the pages.
    pub(crate) partitions: BTreeMap<String, Vec<Value>>,
    pub(crate) pages: u64,
    pub(crate) moves: BTreeMap<String, CursorMove>,
    /// Partitions that are complete.
    pub(crate) done: Vec<String>,
    pub(crate) outcome: Option<Result<(), Error>>,
    pub(crate) requests: u64,
    pub(crate) retries: u64,
    /// Answers that the configuration says to ignore.
    pub(crate) ignored: u64,
    /// Records outside the incremental range, or left out by `parent_filter`.
    pub(crate) filtered: u64,
    /// Lists that it says to skip.
    pub(crate) skipped: u64,
}

impl Told {
    /// Values of a field of all records, in order.
    #[track_caller]
    pub(crate) fn values(&self, field: &str) -> Vec<Value> {
        assert!(matches!(self.outcome, Some(Ok(()))), "{:?}", self.outcome);
        self.partitions.values().flatten().map(|record| record[field].clone()).collect()
    }

    /// The ids, which are numbers.
    #[track_caller]
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.values("id").iter().map(|id| id.as_u64().unwrap()).collect()
    }

    /// The error it failed with.
    #[track_caller]
    pub(crate) fn error(&self) -> &Error {
        match &self.outcome {
            Some(Err(error)) => error,
            other => panic!("no error but {other:?}"),
        }
    }

    /// The error, of this kind and with this text in its chain or its advice.
    #[track_caller]
    pub(crate) fn failed(&self, kind: ErrorKind, text: &str) {
        let error = self.error();
        let shown = format!("{}; {}", error.chain(), error.advice().unwrap_or_default());
        assert_eq!(error.kind(), kind, "{shown}");
        assert!(shown.contains(text), "no `{text}` in: {shown}");
    }
}

/// A fact of an error.
pub(crate) fn fact<'a>(error: &'a Error, key: &str) -> &'a str {
    error.fact(key).unwrap_or_else(|| panic!("no {key} in {}", error.chain()))
}

/// Runs extract to its end: what it told, by resource.
pub(crate) fn read(plan: Plan) -> BTreeMap<String, Told> {
    read_from(plan, Cursors::default())
}

/// As [`read`], from these cursors.
pub(crate) fn read_from(plan: Plan, cursors: Cursors) -> BTreeMap<String, Told> {
    let names: Vec<String> = plan.resources.iter().map(|resource| resource.name.clone()).collect();
    let stats: Arc<Vec<ResourceStats>> = Arc::new(names.iter().map(|_| ResourceStats::default()).collect());
    let mut told: BTreeMap<String, Told> = names.iter().map(|name| (name.clone(), Told::default())).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (sender, mut events) = mpsc::channel(4);
        let extracting = extract(
            Arc::new(plan),
            cursors,
            Resume::default(),
            Arc::new(Env::system()),
            sender,
            Arc::clone(&stats),
        );
        let collecting = async {
            while let Some(event) = events.recv().await {
                take(event, &names, &mut told);
            }
        };
        let both = async { tokio::join!(extracting, collecting) };
        tokio::time::timeout(LONGEST, both).await.expect("extract ends");
    });
    for (name, stats) in names.iter().zip(stats.iter()) {
        let own = told.get_mut(name).unwrap();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (own.requests, own.retries) = (count(&stats.requests), count(&stats.retries));
        (own.ignored, own.filtered) = (count(&stats.ignored), count(&stats.filtered));
        own.skipped = stats.skipped_because().values().sum();
    }
    told
}

fn take(event: Event, names: &[String], told: &mut BTreeMap<String, Told>) {
    let resource = match &event {
        Event::Opened(opened) => opened.first().map_or(0, |opened| opened.resource),
        Event::Page(page) => page.resource,
        Event::PartitionDone { resource, .. }
        | Event::Restarted { resource, .. }
        | Event::ResourceDone { resource, .. } => *resource,
    };
    let own = told.get_mut(&names[resource]).unwrap();
    match event {
        Event::Page(page) => {
            // A page without records only moves its partition.
            if page.records.is_empty() {
                return;
            }
            own.pages += 1;
            let overlay = page.overlay.as_ref().map(|overlay| overlay.value(overlay.root()));
            let records = own.partitions.entry(page.partition.to_string()).or_default();
            for record in &page.records {
                let mut record = page.document.value(*record);
                if let (Some(Value::Object(overlay)), Value::Object(fields)) = (&overlay, &mut record) {
                    for (name, value) in overlay {
                        fields.entry(name).or_insert_with(|| value.clone());
                    }
                }
                records.push(record);
            }
        }
        Event::PartitionDone { partition, cursor, .. } => {
            own.moves.extend(cursor.map(|cursor| (partition.to_string(), cursor)));
            own.done.push(partition.to_string());
        }
        Event::Opened(_) => {}
        Event::Restarted { why, .. } => panic!("nothing to go on with: {}", why.chain()),
        Event::ResourceDone { outcome, .. } => {
            let before = own.outcome.replace(outcome);
            assert!(before.is_none(), "told twice how {} ended", names[resource]);
        }
    }
}

/// Reads a plan of one resource `things`.
pub(crate) fn things(plan: Plan) -> Told {
    read(plan).remove("things").unwrap()
}

/// `things` at `items`, whose endpoint has these further keys; one request after the other.
pub(crate) fn endpoint(sim: &Sim, keys: &str) -> Told {
    endpoint_at_once(sim, 1, keys)
}

/// As [`endpoint`], with so many requests at once.
pub(crate) fn endpoint_at_once(sim: &Sim, concurrency: usize, keys: &str) -> Told {
    things(plan(
        sim,
        &format!("concurrency: {concurrency}"),
        &format!("  - {{name: things, endpoint: {{path: items, {keys}}}}}"),
    ))
}

/// A folder with a database, for whole runs.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn open(&self) -> DuckDb {
        DuckDb::open(self.folder.path().join("out.duckdb"), "test_dataset", None)
            .unwrap_or_else(|error| panic!("{}", error.chain()))
    }

    pub(crate) fn run(&self, plan: Plan) -> Report {
        self.run_for(plan, None)
    }

    /// A run that stops after so many requests.
    pub(crate) fn run_for(&self, plan: Plan, requests: Option<u64>) -> Report {
        self.run_as(plan, requests, Checkpointing::default())
    }

    /// A run whose transactions end as `checkpointing` says.
    pub(crate) fn run_as(&self, plan: Plan, requests: Option<u64>, checkpointing: Checkpointing) -> Report {
        let progress = Progress::new(&plan);
        let (_stop, stop) = watch::channel(false);
        let job = Job {
            plan,
            pipeline: "test".to_owned(),
            source: "rest_api".to_owned(),
            dataset: "test_dataset".to_owned(),
            env: Arc::new(Env::system()),
            checkpointing,
            limits: Limits { requests, ..Limits::default() },
            steps: Steps::default(),
            progress,
            stop,
        };
        run(job, Box::new(self.open())).unwrap_or_else(|error| panic!("{}", error.chain()))
    }

    /// The rows of a query, nulls as "NULL".
    pub(crate) fn query(&self, sql: &str) -> Vec<Vec<String>> {
        let rows = self.open().query(sql).unwrap_or_else(|error| panic!("{sql}: {}", error.chain()));
        let shown = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
        rows.into_iter().map(|row| row.into_iter().map(shown).collect()).collect()
    }

    /// The first column of a query.
    pub(crate) fn column(&self, sql: &str) -> Vec<String> {
        self.query(sql).into_iter().map(|row| row[0].clone()).collect()
    }
}

/// What a report says of a resource.
pub(crate) fn of<'a>(report: &'a Report, name: &str) -> &'a ResourceReport {
    let found = report.resources.0.iter().find(|(own, _)| own == name);
    found.map_or_else(|| panic!("no {name} in the report"), |(_, resource)| resource)
}

/// The requests for a path, in order.
pub(crate) fn asked(sim: &Sim, path: &str) -> Vec<Request> {
    sim.requests().into_iter().filter(|request| request.path.ends_with(path)).collect()
}

/// The values that a parameter had, request by request.
pub(crate) fn params(sim: &Sim, name: &str) -> Vec<Option<String>> {
    sim.requests().iter().map(|request| request.param(name).map(str::to_owned)).collect()
}
