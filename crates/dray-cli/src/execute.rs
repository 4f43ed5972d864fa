//! A plan into a database, shown while it goes on. What `run` and `demo` share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dray::destination::duckdb::DuckDb;
use dray::env::Env;
use dray::error::{Error, ErrorKind, Result};
use dray::pipeline::{Checkpointing, Job, Limits, Progress, run};
use dray::report::Report;
use dray::steps::Steps;
use tokio::sync::watch;

use crate::args::{Global, Go, Target};
use crate::exit::Exit;
use crate::printer::Printer;
use crate::progress::Shown;
use crate::source::Ready;
use crate::summary::summary;

/// A database and a dataset in it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) dataset: String,
    pub(crate) pipeline: String,
}

impl Place {
    /// What the command line says, with the defaults for a pipeline.
    pub(crate) fn of(target: &Target, pipeline: &str) -> Result<Self> {
        let pipeline = target.pipeline.clone().unwrap_or_else(|| pipeline.to_owned());
        let to = target.to.clone().unwrap_or_else(|| format!("duckdb:{pipeline}.duckdb"));
        let path = match to.split_once(':') {
            Some(("duckdb", path)) if !path.is_empty() => PathBuf::from(path),
            _ => {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("`{to}` is not a destination that is known"),
                )
                .hint("write duckdb:PATH, as in --to duckdb:data.duckdb"));
            }
        };
        let dataset = target.dataset.clone().unwrap_or_else(|| format!("{pipeline}_dataset"));
        Ok(Self { path, dataset, pipeline })
    }

    /// Where the data is, for people.
    pub(crate) fn location(&self) -> String {
        format!("duckdb:{}, dataset {}", self.path.display(), self.dataset)
    }

    /// A command that shows the first rows of a table.
    pub(crate) fn look(&self, table: &str) -> String {
        format!("duckdb {} 'SELECT * FROM \"{}\".\"{table}\" LIMIT 10'", self.path.display(), self.dataset)
    }

    /// Opens the database for reading; it must be there.
    pub(crate) fn open(&self) -> Result<DuckDb> {
        if !self.path.exists() {
            return Err(Error::new(ErrorKind::Destination, "there is no such database")
                .with("file", self.path.display())
                .hint("name the database that was loaded into with --to duckdb:PATH"));
        }
        DuckDb::open(&self.path, &self.dataset, None)
    }
}

/// Runs a plan, shows its progress and its summary.
pub(crate) fn execute(
    ready: Ready,
    place: &Place,
    env: Arc<Env>,
    (global, go): (&Global, Go),
    printer: &Printer,
) -> Result<Report> {
    let destination = DuckDb::open_when_free(&place.path, &place.dataset, go.wait, &env, |error| {
        printer.talk(&format!("waiting: {error}"));
    })?;
    let progress = Progress::new(&ready.plan);
    let (stop, stopped) = watch::channel(false);
    listen(stop, printer.clone());
    let shown = Shown::start(Arc::clone(&progress), printer.clone(), global.quiet);
    let job = Job {
        plan: ready.plan,
        pipeline: place.pipeline.clone(),
        source: ready.source,
        dataset: place.dataset.clone(),
        env,
        checkpointing: Checkpointing::default(),
        limits: Limits { time: go.max_time, requests: go.max_requests, rows: go.max_rows },
        steps: Steps::default(),
        progress,
        stop: stopped,
    };
    let report = run(job, Box::new(destination));
    drop(shown);
    let report = report?;
    printer.ended(&summary(&report, place), &report);
    Ok(report)
}

/// Writes the report where the user asked for it, without secrets.
pub(crate) fn write_report(report: &Report, to: &Path, printer: &Printer) -> Result<()> {
    let json = report
        .to_json()
        .map_err(|error| Error::new(ErrorKind::Bug, "cannot write the report").caused_by(error))?;
    let json = format!("{}\n", printer.scrubber().scrub(&json));
    if to == Path::new("-") {
        return printer.out(&json);
    }
    std::fs::write(to, json).map_err(|error| {
        Error::new(ErrorKind::Destination, "cannot write the report")
            .with("file", to.display())
            .caused_by(error)
    })
}

/// The first Ctrl-C or SIGTERM stops the run after what is complete, the second at once.
fn listen(stop: watch::Sender<bool>, printer: Printer) {
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            for asked in 1.. {
                if !signal().await {
                    return;
                }
                if asked == 1 {
                    printer.err("stopping: what is complete is committed; once more to stop at once");
                    if stop.send(true).is_err() {
                        return;
                    }
                } else {
                    #[expect(
                        clippy::exit,
                        reason = "the user asked twice; the database takes back the open transaction"
                    )]
                    std::process::exit(i32::from(Exit::Interrupted.code()));
                }
            }
        });
    });
}

/// Waits for Ctrl-C or SIGTERM; false where signals cannot be heard.
async fn signal() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
            asked = terminate.recv() => asked.is_some(),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.is_ok()
}
