//! What is open between commits: loads without their row in `_dlt_loads`, passes, and where their partitions stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use serde::{Deserialize, Serialize};

use super::ddl::Catalog;
use super::meta::{POSITIONS, WRITERS};
use super::sql::{Param, Session, Target, ident, literal};
use super::write;
use crate::destination::{Pass, Position, ResourceLoad};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Disposition;

/// Temporary table of the partitions that a commit moves.
const MOVED: &str = "dray_moved";

/// The open loads and passes of a pipeline; stored with its writer's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// Loads that have no row in `_dlt_loads` yet, oldest first.
    #[serde(default)]
    pub(super) loads: Vec<String>,
    #[serde(default)]
    pub(super) passes: BTreeMap<String, OpenPass>,
}

/// How far a resource is in its pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenPass {
    fingerprint: String,
    pub(super) table: String,
    /// Its rows are appended: giving the pass up takes them back.
    pub(super) appends: bool,
    /// They name their resource, because others fill the table too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) named: bool,
    /// The loads whose ids its rows carry.
    pub(super) loads: Vec<String>,
    /// How its rows are merged, once that is decided.
    pub(super) route: Option<Route>,
    /// Tables that have rows in staging, parents first.
    pub(super) staged: Vec<String>,
    /// Its replace is done already.
    pub(super) replaced: bool,
    pub(super) finished: bool,
}

/// How the rows of a merge reach their table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Route {
    /// With every checkpoint.
    Streaming,
    /// By way of staging, when the resource is complete.
    Staging,
}

impl OpenPass {
    fn new(load: &ResourceLoad) -> Self {
        Self {
            fingerprint: load.fingerprint.clone(),
            table: load.table.clone(),
            appends: load.disposition == Disposition::Append,
            named: load.shared.is_some(),
            loads: Vec::new(),
            route: None,
            staged: Vec::new(),
            replaced: false,
            finished: false,
        }
    }

    /// A later run cannot carry it on.
    pub(super) fn spoil(&mut self) {
        self.fingerprint.clear();
    }
}

impl Ledger {
    /// The pass of a resource, opened now if it is not; `load_id` is that of the rows to come.
    pub(super) fn open(&mut self, resource: &str, load: &ResourceLoad, load_id: &str) -> &mut OpenPass {
        let pass = self.passes.entry(resource.to_owned()).or_insert_with(|| OpenPass::new(load));
        if pass.loads.last().is_none_or(|last| last != load_id) {
            pass.loads.push(load_id.to_owned());
        }
        pass
    }

    /// Takes out the loads that no open pass has rows of: they are complete.
    pub(super) fn completed(&mut self) -> Vec<String> {
        let passes = &self.passes;
        let open = |load: &String| passes.values().any(|pass| pass.loads.contains(load));
        let (open, complete) = std::mem::take(&mut self.loads).into_iter().partition(|load| open(load));
        self.loads = open;
        complete
    }

    /// The passes, for whoever decides what becomes of them.
    pub(super) fn restored(&self) -> BTreeMap<String, Pass> {
        let pass = |pass: &OpenPass| Pass { fingerprint: pass.fingerprint.clone(), finished: pass.finished };
        self.passes.iter().map(|(resource, open)| (resource.clone(), pass(open))).collect()
    }

    /// Reads the ledger of a pipeline; empty where there is none.
    pub(super) fn read(session: &mut Session, catalog: &Catalog, pipeline: &str) -> Result<Self> {
        let sql = format!("SELECT ledger FROM {} WHERE pipeline_name = ?", catalog.qualified(WRITERS));
        let rows = session.rows(&sql, &[Param::Text(pipeline)])?;
        match rows.into_iter().flatten().flatten().next() {
            None => Ok(Self::default()),
            Some(text) => serde_json::from_str(&text).map_err(|error| {
                Error::new(ErrorKind::State, "cannot read which loads are unfinished")
                    .with("table", WRITERS)
                    .caused_by(error)
            }),
        }
    }

    /// Stores the ledger of a pipeline.
    pub(super) fn write(&self, session: &mut Session, catalog: &Catalog, pipeline: &str) -> Result<()> {
        let text = serde_json::to_string(self).map_err(|error| {
            Error::new(ErrorKind::Bug, "cannot write which loads are unfinished").caused_by(error)
        })?;
        let sql = format!("UPDATE {} SET ledger = ? WHERE pipeline_name = ?", catalog.qualified(WRITERS));
        session.run(&sql, &[Param::Text(&text), Param::Text(pipeline)]).map(drop)
    }
}

/// Where the partitions of a pipeline's open passes stand.
pub(super) fn positions(session: &mut Session, catalog: &Catalog, pipeline: &str) -> Result<Vec<Position>> {
    let sql = format!(
        "SELECT resource, partition, place, done FROM {} WHERE pipeline_name = ? ORDER BY rowid",
        catalog.qualified(POSITIONS)
    );
    let rows = session.rows(&sql, &[Param::Text(pipeline)])?;
    let mut positions = Vec::with_capacity(rows.len());
    for row in rows {
        let Ok([Some(resource), Some(partition), place, Some(done)]) = <[Option<String>; 4]>::try_from(row)
        else {
            return Err(
                Error::new(ErrorKind::State, "a stored position is incomplete").with("table", POSITIONS)
            );
        };
        let place = place.as_deref().map_or(Ok(serde_json::Value::Null), serde_json::from_str);
        let place = place.map_err(|error| {
            Error::new(ErrorKind::State, "cannot read a stored position")
                .with("resource", &resource)
                .with("table", POSITIONS)
                .caused_by(error)
        })?;
        positions.push(Position { resource, partition, place, done: done == "true" });
    }
    Ok(positions)
}

/// Stores where partitions stand now.
pub(super) fn put_positions(
    session: &mut Session,
    catalog: &Catalog,
    pipeline: &str,
    moved: &[Position],
) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let Some(shape) = catalog.table(POSITIONS) else {
        return Err(Error::new(ErrorKind::Bug, "the positions have no table"));
    };
    let texts = |value: &dyn Fn(&Position) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(moved.iter().map(value)))
    };
    let columns: [(&str, ArrayRef); 5] = [
        ("pipeline_name", texts(&|_| pipeline.to_owned())),
        ("resource", texts(&|position| position.resource.clone())),
        ("partition", texts(&|position| position.partition.clone())),
        ("place", texts(&|position| position.place.to_string())),
        ("done", Arc::new(BooleanArray::from_iter(moved.iter().map(|position| Some(position.done))))),
    ];
    let rows = RecordBatch::try_from_iter(columns)
        .map_err(|error| Error::new(ErrorKind::Bug, "cannot make a batch of positions").caused_by(error))?;
    let keys: Vec<(String, String)> =
        ["resource", "partition"].map(|name| (name.to_owned(), "VARCHAR".to_owned())).into();
    let temporary = format!("temp.main.{}", ident(MOVED));
    session.run(&format!("DROP TABLE IF EXISTS {temporary}"), &[])?;
    session.run(&format!("CREATE TEMP TABLE {} (resource VARCHAR, partition VARCHAR)", ident(MOVED)), &[])?;
    write::ingest(session, Target::Temporary(MOVED), &keys, std::slice::from_ref(&rows))?;
    let table = catalog.qualified(POSITIONS);
    session.run(
        &format!(
            "DELETE FROM {table} AS t WHERE t.pipeline_name = ? AND EXISTS (SELECT 1 FROM {temporary} AS m \
             WHERE m.resource = t.resource AND m.partition = t.partition)"
        ),
        &[Param::Text(pipeline)],
    )?;
    write::ingest(session, catalog.target(&shape.name), &shape.columns, &[rows])
}

/// Forgets where the partitions of a resource stand.
pub(super) fn drop_positions(
    session: &mut Session,
    catalog: &Catalog,
    pipeline: &str,
    resource: &str,
) -> Result<()> {
    let sql =
        format!("DELETE FROM {} WHERE pipeline_name = ? AND resource = ?", catalog.qualified(POSITIONS));
    session.run(&sql, &[Param::Text(pipeline), Param::Text(resource)]).map(drop)
}

/// The rows of these loads, as a condition on `t`.
pub(super) fn of_loads(loads: &[String]) -> String {
    let loads: Vec<String> = loads.iter().map(|load| literal(load)).collect();
    format!("t._dlt_load_id IN ({})", loads.join(", "))
}
