//! A configuration read without a database: what the API was asked and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use dray::env::Env;
use dray::extract::{Cursors, Event, ResourceStats, Resume, extract};
use tokio::sync::mpsc;

use crate::load::plan;

/// What reading gave.
#[derive(Debug, Default)]
pub struct Read {
    /// Records by resource.
    pub records: BTreeMap<String, u64>,
    /// Errors by resource, with their causes and what they advise.
    pub errors: BTreeMap<String, String>,
}

impl Read {
    /// The records of all resources.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.records.values().sum()
    }

    /// The error of one of the resources that failed.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.errors.values().next().map(String::as_str)
    }
}

/// Reads all resources of a configuration (YAML) to their ends; `secrets` are variables of its environment.
///
/// # Errors
/// Problems of the configuration, and a machine without threads.
pub fn read(config: &str, secrets: &[(&str, &str)]) -> Result<Read, String> {
    let plan = plan(config, secrets).map_err(|error| error.chain())?;
    let names: Vec<String> = plan.resources.iter().map(|resource| resource.name.clone()).collect();
    let stats = Arc::new(names.iter().map(|_| ResourceStats::default()).collect());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let mut read = Read::default();
    runtime.block_on(async {
        let (sender, mut events) = mpsc::channel(4);
        let extracting = extract(
            Arc::new(plan),
            Cursors::default(),
            Resume::default(),
            Arc::new(Env::system()),
            sender,
            stats,
        );
        let collecting = async {
            while let Some(event) = events.recv().await {
                match event {
                    Event::Page(page) => {
                        let name = names.get(page.resource).cloned().unwrap_or_default();
                        *read.records.entry(name).or_default() +=
                            u64::try_from(page.records.len()).unwrap_or(u64::MAX);
                    }
                    Event::ResourceDone { resource, outcome: Err(error) } => {
                        let advice = error.advice().map(|advice| format!("; {advice}")).unwrap_or_default();
                        let name = names.get(resource).cloned().unwrap_or_default();
                        read.errors.insert(name, format!("{}{advice}", error.chain()));
                    }
                    _ => {}
                }
            }
        };
        tokio::join!(extracting, collecting)
    });
    Ok(read)
}
