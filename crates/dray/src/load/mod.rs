//! **load**: batches and what became complete with them, to transactions of the destination. Its own thread.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use crate::destination::{Commit, Destination, Finished, ResourceLoad, TableBatch};
use crate::error::Result;
use crate::normalize::normalize_name;
use crate::plan::{Plan, ResourcePlan};
use crate::report::Loaded;
use crate::schema::Schema;

/// What one transaction covers: never part of a page.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    /// Rows of complete pages.
    pub(crate) batches: Vec<TableBatch>,
    /// Resources that became complete with these rows.
    pub(crate) finished: Vec<Finished>,
    /// Resources that failed.
    pub(crate) abandoned: Vec<String>,
    /// The schema, if these rows changed it.
    pub(crate) schema: Option<Schema>,
    /// The pipeline's state, if a cursor moved.
    pub(crate) state: Option<serde_json::Value>,
    /// Every resource is complete.
    pub(crate) complete: bool,
}

impl Segment {
    /// Whether there is anything to commit.
    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.finished.is_empty() && self.abandoned.is_empty() && !self.complete
    }
}

/// Commits segments until the sender is gone, or one cannot be committed.
pub(crate) fn load(
    destination: &mut dyn Destination,
    segments: &Receiver<Segment>,
    resources: &BTreeMap<String, ResourceLoad>,
    loaded: &mut Loaded,
    mut committed: impl FnMut(&Loaded),
) -> Result<()> {
    for segment in segments {
        let done = destination.commit(Commit {
            batches: segment.batches,
            finished: segment.finished,
            abandoned: segment.abandoned,
            resources: resources.clone(),
            schema: segment.schema.as_ref(),
            state: segment.state.as_ref(),
            complete: segment.complete,
        })?;
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

/// How the resources of a plan load, by name.
pub(crate) fn resource_loads(plan: &Plan) -> BTreeMap<String, ResourceLoad> {
    plan.resources.iter().map(|resource| (resource.name.clone(), resource_load(resource))).collect()
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
        key_inherited: load.key_inherited,
        fallback_key: load.fallback_key.as_deref().map(column_name),
        merge_key: load.merge_key.iter().map(|key| column_name(key)).collect(),
        dedup_sort: sorted,
        hard_delete: hint(&|hint| hint.hard_delete),
    }
}

/// The column of a key as a configuration writes it: `customer.id` is `customer__id`.
fn column_name(key: &str) -> String {
    key.split('.').map(normalize_name).collect::<Vec<_>>().join("__")
}
