//! Databases that rows are loaded into. [`Destination`] is all that the rest of the program knows of them.

#[cfg(test)]
mod conformance;
pub mod duckdb;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;

use crate::error::Result;
use crate::plan::{Disposition, SharedTable};
use crate::schema::{Schema, SortOrder, Table};

/// A database.
///
/// # Contract
/// - [`Destination::commit`] ends one transaction: rows (also those that [`Destination::write`] gave before), tables and
///   columns, state, positions and the load's row become durable together or not at all.
/// - Every commit checks the epoch that [`Destination::claim`] took and the sequence number of the last commit, in
///   the same transaction; where they differ, another run has taken over and the commit fails.
/// - Identifiers are quoted and values bound or built by Arrow; no text from an API is pasted into SQL.
pub trait Destination: Send {
    /// Creates the dataset's own tables where they are missing, takes the next epoch of the pipeline, and gives what
    /// earlier runs have stored. Rows of passes that were left unfinished stay: a commit closes or abandons them.
    ///
    /// # Errors
    /// Where the database cannot be opened, is held by another run, or holds something of a newer version.
    fn claim(&mut self, run: &RunIdentity) -> Result<Restored>;

    /// Gives rows of the transaction that the next [`Destination::commit`] ends, so that they need not be held until
    /// then: root tables before their nested tables, as in [`Commit::batches`]. Nobody sees them before the commit.
    ///
    /// # Errors
    /// As [`Destination::commit`]; everything that was given since the last commit is gone then.
    fn write(
        &mut self,
        batches: &[TableBatch],
        resources: &BTreeMap<String, ResourceLoad>,
    ) -> Result<Committed>;

    /// Makes `commit` durable, with everything that was given since the last one, in one transaction.
    ///
    /// # Errors
    /// Where the database refuses something, or another run has taken over; nothing of the transaction is visible then.
    fn commit(&mut self, commit: Commit<'_>) -> Result<Committed>;

    /// The kind of database, as `--to` names it: `duckdb`.
    fn kind(&self) -> &'static str;

    /// Where the data is, for people: `duckdb:orb.duckdb, dataset orb_dataset`.
    fn location(&self) -> String;
}

/// Who writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunIdentity {
    /// The pipeline's name.
    pub pipeline: String,
    /// This run's load id: seconds since 1970 with a fraction, larger than all before (dlt.md §3.7).
    pub load_id: String,
    /// The name of the schema (dlt's source name).
    pub schema: String,
    /// Start of the run, microseconds since 1970: `inserted_at` and `created_at`.
    pub started_micros: i64,
}

/// What earlier runs have stored.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// The newest schema, if there is one.
    pub schema: Option<Schema>,
    /// The newest pipeline state: the JSON inside dlt's `_dlt_pipeline_state.state`.
    pub state: Option<serde_json::Value>,
    /// Passes that earlier runs left unfinished, by resource.
    pub passes: BTreeMap<String, Pass>,
    /// Where the partitions of those passes stand.
    pub positions: Vec<Position>,
}

/// One reading of a resource, from its first committed page to the commit that closes it; it may span several runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// [`ResourceLoad::fingerprint`] of when it began; empty: it cannot be carried on.
    pub fingerprint: String,
    /// All its rows are loaded; it stays open until all that depends on it is complete too.
    pub finished: bool,
}

/// Where a partition of an open pass stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The resource.
    pub resource: String,
    /// The partition; an empty text is the whole resource.
    pub partition: String,
    /// What extract needs to carry on: opaque to a destination.
    pub place: serde_json::Value,
    /// All its pages are loaded.
    pub done: bool,
}

/// One transaction, but for the rows that were given before.
#[derive(Debug, Default)]
pub struct Commit<'a> {
    /// Rows, root tables before their nested tables.
    pub batches: Vec<TableBatch>,
    /// Records of the same pages that cannot be loaded, to be kept in a table of their own.
    pub rejects: Vec<RejectedRecord>,
    /// Resources whose passes start over, before anything else of this commit: what they staged or appended since the
    /// pass began is taken back.
    pub restarted: Vec<String>,
    /// Partitions that moved, with the rows that took them there.
    pub positions: Vec<Position>,
    /// Resources all of whose rows are with this commit or before it: staged rows are switched in.
    pub finished: Vec<Finished>,
    /// Resources whose passes cannot be carried on by a later run, though this one goes on with them.
    pub spoiled: Vec<String>,
    /// Resources whose passes are given up, after everything else: what they staged or appended is taken back.
    pub abandoned: Vec<String>,
    /// Resources whose passes are over: their positions are forgotten, their rows stay.
    pub closed: Vec<String>,
    /// How the resources of this commit load; every resource named above is here.
    pub resources: BTreeMap<String, ResourceLoad>,
    /// The schema, if it changed since the last commit.
    pub schema: Option<&'a Schema>,
    /// The pipeline state (dlt's JSON), if it changed.
    pub state: Option<&'a serde_json::Value>,
    /// The load is complete: its row in `_dlt_loads` is written, and those of earlier loads that this one completed.
    pub complete: bool,
}

/// Rows of one table.
#[derive(Debug, Clone)]
pub struct TableBatch {
    /// The resource they come from.
    pub resource: String,
    /// The table as it is after these rows: columns that the database lacks are added.
    pub table: Table,
    /// The rows; its columns are a subset of the table's.
    pub rows: RecordBatch,
}

/// A record that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRecord {
    /// The resource it comes from.
    pub resource: String,
    /// The chain of pages it comes from; empty for a resource without a parent.
    pub partition: Arc<str>,
    /// The page, counted from 1.
    pub page: u64,
    /// What is wrong with it.
    pub reason: Cow<'static, str>,
    /// Where in the page, as a JSON pointer.
    pub pointer: String,
    /// Its size.
    pub bytes: u64,
    /// The record as it came, its beginning if it is huge.
    pub raw: Vec<u8>,
}

/// How a resource's rows reach their tables.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceLoad {
    /// Digest of what the configuration says of the resource: a pass is carried on only under the same one.
    pub fingerprint: String,
    /// The root table, as in the database.
    pub table: String,
    /// How rows meet those that are there.
    pub disposition: Disposition,
    /// Columns of the primary key, as in the database.
    pub primary_key: Vec<String>,
    /// The key is inherited: where rows lack it, `fallback_key` or whole partitions decide (see [`KeyReading`]).
    pub key_inherited: bool,
    /// Column to try in place of an inherited key.
    pub fallback_key: Option<String>,
    /// Columns of the merge key.
    pub merge_key: Vec<String>,
    /// Which of two rows with one key stays; none: the one seen last.
    pub dedup_sort: Option<(String, SortOrder)>,
    /// Column whose true (or not null, if not boolean) value deletes the row.
    pub hard_delete: Option<String>,
    /// Other resources fill the root table too: rows name theirs in [`RESOURCE_COLUMN`].
    pub shared: Option<SharedTable>,
}

/// A resource that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its name.
    pub resource: String,
    /// The partitions that were read completely, for loads that replace by partition. An empty text is the whole resource.
    pub partitions: Vec<String>,
}

/// How the key of a merge was read, for plan and report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyReading {
    /// As declared or inherited.
    Declared,
    /// The records lack the inherited key; every one has this column.
    Fallback(String),
    /// The records have no key: each completely read partition replaces the rows that it gave before.
    Partition,
}

/// What a commit, or rows given before it, did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// Rows written to root tables, by resource (staged rows count when they are switched in).
    pub rows: BTreeMap<String, u64>,
    /// How keys were read, by resource, where that was decided now.
    pub readings: BTreeMap<String, KeyReading>,
    /// Tables and columns that were created, for the log: `charges`, `charges.amount`.
    pub created: Vec<String>,
    /// Root rows that were taken back, by resource.
    pub taken_back: BTreeMap<String, u64>,
}

/// Adds rows by resource.
pub(crate) fn add_up(sum: &mut BTreeMap<String, u64>, rows: BTreeMap<String, u64>) {
    for (resource, rows) in rows {
        *sum.entry(resource).or_default() += rows;
    }
}

impl Committed {
    /// Adds what happened after it in the same transaction.
    pub(crate) fn add(&mut self, later: Self) {
        add_up(&mut self.rows, later.rows);
        add_up(&mut self.taken_back, later.taken_back);
        self.readings.extend(later.readings);
        self.created.extend(later.created);
    }
}

/// Column that holds a row's partition in tables that may be replaced by partition.
pub const PARTITION_COLUMN: &str = "_dray_partition";

/// Column that names the resource of a row in tables that several fill.
pub const RESOURCE_COLUMN: &str = "_dray_resource";
