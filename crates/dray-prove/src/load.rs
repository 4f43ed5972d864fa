//! A configuration loaded into a database of its own, in this process, and what came of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dray::config::load::read_text_as;
use dray::config::parse::Format;
use dray::config::secrets::Sources;
use dray::destination::duckdb::DuckDb;
use dray::env::Env;
use dray::error::{Error, ErrorKind, Result};
use dray::pipeline::{Checkpointing, Job, Limits, Progress, run};
use dray::plan::{Plan, prepare};
use dray::report::{Report, ResourceReport, Status};
use dray::steps::Steps;
use tempfile::TempDir;
use tokio::sync::watch;

/// The dataset of every load.
pub const DATASET: &str = "data";

/// A folder with a database.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
}

impl Folder {
    /// A new one, gone when dropped.
    ///
    /// # Errors
    /// Where the machine has no room for it.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("out.duckdb")
    }

    /// Loads `config` (YAML); `secrets` are variables of its environment.
    ///
    /// # Errors
    /// What [`run`] says, and problems of the configuration.
    pub fn load(&self, config: &str, secrets: &[(&str, &str)]) -> Result<Report> {
        load_into(&self.database(), plan(config, secrets)?, Checkpointing::default(), Steps::default())
    }

    /// The rows of a query; every column must be text, a 64-bit integer or a boolean.
    ///
    /// # Errors
    /// Where the database refuses it.
    pub fn query(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        DuckDb::open(self.database(), DATASET, None)?.query(sql)
    }

    /// The first column of a query, nulls left out.
    ///
    /// # Errors
    /// Where the database refuses it.
    pub fn column(&self, sql: &str) -> Result<Vec<String>> {
        Ok(self.query(sql)?.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }
}

/// Commits after every page: the most places to die at.
#[must_use]
pub fn every_page() -> Checkpointing {
    Checkpointing { bytes: 1, ..Checkpointing::default() }
}

/// Writes after every page and commits after every second: the places to die at that the ends of transactions are not.
#[must_use]
pub fn every_second_page() -> Checkpointing {
    Checkpointing { bytes: SECOND_PAGE, delivery: 1, ..Checkpointing::default() }
}

/// More than one page of a scenario has, and less than two.
const SECOND_PAGE: usize = 1000;

/// Loads a plan into a database file.
///
/// # Errors
/// What [`run`] says.
pub fn load_into(database: &Path, plan: Plan, checkpointing: Checkpointing, steps: Steps) -> Result<Report> {
    let progress = Progress::new(&plan);
    let (_stop, stop) = watch::channel(false);
    let job = Job {
        plan,
        pipeline: "proof".to_owned(),
        source: "rest_api".to_owned(),
        dataset: DATASET.to_owned(),
        env: Arc::new(Env::system()),
        checkpointing,
        limits: Limits::default(),
        steps: steps.clone(),
        progress,
        stop,
    };
    run(job, Box::new(DuckDb::open(database, DATASET, None)?.watched(steps)))
}

/// The plan of a configuration in YAML.
///
/// # Errors
/// Where it has problems.
pub fn plan(config: &str, secrets: &[(&str, &str)]) -> Result<Plan> {
    let wrong = |text: String| Error::new(ErrorKind::Config, text);
    let loaded = read_text_as("proof.yaml".to_owned(), config.to_owned(), Format::Yaml)
        .map_err(|error| wrong(error.to_string()))?;
    let mut sources = Sources::new(Env::system().now());
    let given = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    sources.environment = given.collect::<BTreeMap<_, _>>();
    let prepared = prepare(loaded, &[], &sources);
    prepared.plan.ok_or_else(|| wrong(prepared.diagnostics.render("proof.yaml", config)))
}

/// What a report says of a resource.
#[must_use]
pub fn of<'r>(report: &'r Report, name: &str) -> Option<&'r ResourceReport> {
    report.resources.0.iter().find(|(own, _)| own == name).map(|(_, resource)| resource)
}

/// The error of a run that failed, wherever it is told: the run's own or that of its first failed resource.
#[must_use]
pub fn failure(result: &Result<Report>) -> Option<String> {
    match result {
        Err(error) => Some(error.chain()),
        Ok(report) if report.status == Status::Succeeded => None,
        Ok(report) => {
            let resources = report.resources.0.iter().find_map(|(_, resource)| resource.error.clone());
            Some(
                resources
                    .or_else(|| report.error.clone())
                    .unwrap_or_else(|| "failed without a word".to_owned()),
            )
        }
    }
}
