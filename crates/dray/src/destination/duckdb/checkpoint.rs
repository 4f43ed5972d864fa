//! One commit, inside its transaction.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::RecordBatch;

use super::ddl::Catalog;
use super::family::{Family, Lineage};
use super::keys::SeenKeys;
use super::ledger::{self, Ledger, OpenPass};
use super::sql::{Param, Session, ident, literal};
use super::{meta, rejects, write};
use crate::destination::{
    Commit, Committed, Finished, RESOURCE_COLUMN, ResourceLoad, RunIdentity, TableBatch,
};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Disposition;
use crate::schema::stored::StoredSchema;
use crate::state::stored::StoredState;

/// What is known of the database between commits. A commit that fails puts it back.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pub(super) target: Catalog,
    pub(super) staging: Catalog,
    pub(super) lineage: Lineage,
    pub(super) ledger: Ledger,
    /// The resources that filled a root table in this load.
    filled: BTreeMap<String, BTreeSet<String>>,
    schema: Option<StoredSchema>,
    state: Option<StoredState>,
}

impl Book {
    pub(super) fn new(
        target: Catalog,
        staging: Catalog,
        lineage: Lineage,
        ledger: Ledger,
        schema: Option<StoredSchema>,
        state: Option<StoredState>,
    ) -> Self {
        Self { target, staging, lineage, ledger, filled: BTreeMap::new(), schema, state }
    }

    /// Columns that wait to be switched in: all may be written at once.
    pub(super) fn columns(&self) -> usize {
        self.staging.tables().map(|shape| shape.columns.len()).sum()
    }

    /// The tables of a root in the dataset.
    pub(super) fn family(&self, root: &str) -> Option<Family> {
        let find = |name: &str| self.target.table(name).map(|shape| self.target.qualified(&shape.name));
        Family::new(&self.lineage, root, find)
    }
}

/// A commit under way.
pub(super) struct Checkpoint<'d> {
    pub(super) session: &'d mut Session,
    pub(super) book: &'d mut Book,
    pub(super) run: &'d RunIdentity,
    pub(super) seen: &'d mut SeenKeys,
    pub(super) committed: Committed,
    /// `inserted_at` of its rows in dlt's tables: a microsecond later with each commit, for dlt takes the newest.
    at_micros: i64,
    /// Names the commit in the pipeline's history.
    id: String,
}

impl<'d> Checkpoint<'d> {
    pub(super) fn new(
        session: &'d mut Session,
        book: &'d mut Book,
        run: &'d RunIdentity,
        seen: &'d mut SeenKeys,
        sequence: i64,
        id: String,
    ) -> Self {
        let at_micros = run.started_micros.saturating_add(sequence);
        Self { session, book, run, seen, committed: Committed::default(), at_micros, id }
    }

    /// Everything of a commit; `before` is the ledger as the last commit left it.
    pub(super) fn apply(mut self, commit: &Commit<'_>, before: &Ledger) -> Result<Committed> {
        for resource in &commit.restarted {
            self.abandon(resource).map_err(|error| error.with("resource", resource))?;
        }
        self.rows(&commit.batches, &commit.resources, &commit.finished)?;
        for finished in &commit.finished {
            let load = load_of(&commit.resources, &finished.resource)?;
            self.finish(finished, load).map_err(|error| error.with("resource", &finished.resource))?;
        }
        self.put_positions(commit)?;
        rejects::put(self.session, &mut self.book.target, self.run, commit)?;
        for resource in &commit.spoiled {
            if let Some(pass) = self.book.ledger.passes.get_mut(resource) {
                pass.spoil();
            }
        }
        for resource in &commit.abandoned {
            self.abandon(resource).map_err(|error| error.with("resource", resource))?;
        }
        for resource in &commit.closed {
            self.close(resource).map_err(|error| error.with("resource", resource))?;
        }
        self.put_records(commit)?;
        self.put_loads(commit)?;
        if self.book.ledger != *before {
            self.book.ledger.write(self.session, &self.book.target, &self.run.pipeline)?;
        }
        Ok(self.committed)
    }

    /// Writes rows that come before the commit.
    pub(super) fn write(
        mut self,
        batches: &[TableBatch],
        resources: &BTreeMap<String, ResourceLoad>,
    ) -> Result<Committed> {
        self.rows(batches, resources, &[])?;
        Ok(self.committed)
    }

    fn rows(
        &mut self,
        batches: &[TableBatch],
        resources: &BTreeMap<String, ResourceLoad>,
        finished: &[Finished],
    ) -> Result<()> {
        // All changes of tables before any rows: what one resource's rows need, another's table may share.
        self.ensure_tables(batches)?;
        if !batches.is_empty() {
            self.open_load();
        }
        let mut by_resource: Vec<(&str, Vec<&TableBatch>)> = Vec::new();
        for batch in batches {
            match by_resource.iter_mut().find(|(resource, _)| *resource == batch.resource) {
                Some((_, batches)) => batches.push(batch),
                None => by_resource.push((&batch.resource, vec![batch])),
            }
        }
        for (resource, batches) in by_resource {
            let load = load_of(resources, resource)?;
            let finishing = finished.iter().any(|finished| finished.resource == resource);
            self.put_by_disposition(resource, load, &batches, finishing)
                .map_err(|error| error.with("resource", resource))?;
        }
        Ok(())
    }

    /// This run's load has rows: it is open until all passes that have rows of it are over.
    fn open_load(&mut self) {
        let load_id = &self.run.load_id;
        if !self.book.ledger.loads.contains(load_id) {
            self.book.ledger.loads.push(load_id.clone());
        }
    }

    /// Stores where partitions stand; a partition that moves opens the pass of its resource.
    fn put_positions(&mut self, commit: &Commit<'_>) -> Result<()> {
        for position in &commit.positions {
            let load = load_of(&commit.resources, &position.resource)?;
            self.book.ledger.open(&position.resource, load, &self.run.load_id);
        }
        ledger::put_positions(self.session, &self.book.target, &self.run.pipeline, &commit.positions)
    }

    /// Writes the rows of loads that are complete; until then they are open in the ledger.
    fn put_loads(&mut self, commit: &Commit<'_>) -> Result<()> {
        if !commit.complete {
            return Ok(());
        }
        // A complete load has its row even where it brought none.
        self.open_load();
        for load in self.book.ledger.completed() {
            let hash = self.book.schema.as_ref().map(|schema| schema.hash.as_str());
            meta::put_load(self.session, &self.book.target, &load, &self.run.schema, hash, self.at_micros)?;
        }
        Ok(())
    }

    fn ensure_tables(&mut self, batches: &[TableBatch]) -> Result<()> {
        // The last description of a table is the widest.
        let mut tables: Vec<&TableBatch> = Vec::new();
        for batch in batches {
            match tables.iter_mut().find(|known| known.table.name == batch.table.name) {
                Some(known) => *known = batch,
                None => tables.push(batch),
            }
        }
        for batch in tables {
            let table = &batch.table;
            if let Some(parent) = &table.parent {
                self.book.lineage.learn(&table.name, parent);
            }
            let created = self
                .book
                .target
                .ensure(self.session, &table.name, table, true)
                .map_err(|error| error.with("table", &table.name))?;
            self.committed.created.extend(created);
        }
        Ok(())
    }

    fn put_by_disposition(
        &mut self,
        resource: &str,
        load: &ResourceLoad,
        batches: &[&TableBatch],
        finishing: bool,
    ) -> Result<()> {
        if load.disposition == Disposition::Skip {
            return Ok(());
        }
        let pass = self.pass(resource, load);
        let waits = !finishing || !pass.staged.is_empty();
        match load.disposition {
            Disposition::Skip => {}
            Disposition::Append => self.put(resource, load, batches)?,
            Disposition::Replace if waits => self.stage(resource, load, batches)?,
            Disposition::Replace => {
                self.empty(resource, load)?;
                self.put(resource, load, batches)?;
                self.pass(resource, load).replaced = true;
            }
            Disposition::Merge => self.merge(resource, load, batches)?,
        }
        Ok(())
    }

    fn finish(&mut self, finished: &Finished, load: &ResourceLoad) -> Result<()> {
        let resource = finished.resource.as_str();
        match load.disposition {
            Disposition::Skip | Disposition::Append => {}
            Disposition::Replace if self.pass(resource, load).replaced => {}
            Disposition::Replace => {
                self.empty(resource, load)?;
                self.switch_in(resource, load)?;
            }
            Disposition::Merge => self.finish_merge(finished, load)?,
        }
        self.pass(resource, load).finished = true;
        Ok(())
    }

    /// Gives a pass up: what it staged or appended is taken back, in whichever load. Merged rows stay, they will be
    /// merged again.
    fn abandon(&mut self, resource: &str) -> Result<()> {
        let Some(pass) = self.book.ledger.passes.get(resource).cloned() else { return Ok(()) };
        self.drop_staged(resource)?;
        rejects::take_back(self.session, &self.book.target, &self.run.pipeline, resource, &pass.loads)?;
        // Rows that do not name their resource cannot be told from another's; rather some twice than some lost.
        if pass.appends
            && (pass.named || !self.shared(resource, &pass.table))
            && let Some(family) = self.book.family(&pass.table)
        {
            let rows = self.take_back(resource, &pass, &family)?;
            if rows > 0 {
                *self.committed.taken_back.entry(resource.to_owned()).or_default() += rows;
            }
        }
        self.close(resource)
    }

    /// Deletes the rows that a pass has appended.
    fn take_back(&mut self, resource: &str, pass: &OpenPass, family: &Family) -> Result<u64> {
        let loads = ledger::of_loads(&pass.loads);
        if !pass.named {
            return family.delete(self.session, &loads, &[]);
        }
        // The column comes with the first row.
        if !self.names_resources(&pass.table) {
            return Ok(0);
        }
        let own = format!("{loads} AND t.{} = ?", ident(RESOURCE_COLUMN));
        family.delete(self.session, &own, &[Param::Text(resource)])
    }

    /// Whether the rows of a table name their resources.
    fn names_resources(&self, table: &str) -> bool {
        self.book.target.table(table).is_some_and(|shape| shape.has(RESOURCE_COLUMN))
    }

    /// Forgets a pass; its rows stay.
    fn close(&mut self, resource: &str) -> Result<()> {
        self.drop_staged(resource)?;
        self.book.ledger.passes.remove(resource);
        ledger::drop_positions(self.session, &self.book.target, &self.run.pipeline, resource)
    }

    fn put_records(&mut self, commit: &Commit<'_>) -> Result<()> {
        let (session, book, run) = (&mut *self.session, &mut *self.book, self.run);
        if let Some(schema) = commit.schema {
            let stored =
                meta::put_schema(session, &book.target, schema, book.schema.as_ref(), self.at_micros)?;
            book.schema = stored.or_else(|| book.schema.take());
        }
        if let Some(state) = commit.state {
            let newest = book.state.as_ref();
            let stored =
                meta::put_state(session, &book.target, run, state, newest, self.at_micros, &self.id)?;
            book.state = stored.or_else(|| book.state.take());
        }
        Ok(())
    }

    /// The pass of a resource, which opens with its first rows.
    pub(super) fn pass(&mut self, resource: &str, load: &ResourceLoad) -> &mut OpenPass {
        self.book.ledger.open(resource, load, &self.run.load_id)
    }

    /// Whether another resource of this load fills the same table.
    pub(super) fn shared(&self, resource: &str, table: &str) -> bool {
        self.book.filled.get(table).is_some_and(|filled| filled.iter().any(|other| other != resource))
    }

    /// Deletes the rows that a replace replaces: not those that another resource has just put there.
    fn empty(&mut self, resource: &str, load: &ResourceLoad) -> Result<()> {
        let Some(family) = self.book.family(&load.table) else { return Ok(()) };
        if let Some(shared) = load.shared.as_ref().filter(|_| self.names_resources(&load.table)) {
            // What nobody names is of before it was shared, or of a resource that is no more.
            let others: Vec<String> = shared.others.iter().map(|other| literal(other)).collect();
            let (column, others) = (ident(RESOURCE_COLUMN), others.join(", "));
            let own = format!("(t.{column} IS NULL OR t.{column} NOT IN ({others}))");
            family.delete(self.session, &own, &[])?;
        } else if self.shared(resource, &load.table) {
            let earlier = "t._dlt_load_id IS DISTINCT FROM ?";
            family.delete(self.session, earlier, &[Param::Text(&self.run.load_id)])?;
        } else {
            family.empty(self.session)?;
        }
        Ok(())
    }

    /// Adds rows as they are.
    fn put(&mut self, resource: &str, load: &ResourceLoad, batches: &[&TableBatch]) -> Result<()> {
        let rows = batches.iter().filter(|batch| batch.table.name == load.table);
        let count = rows.map(|batch| batch.rows.num_rows()).sum();
        for (table, rows) in by_table(batches) {
            self.put_rows(table, &rows)?;
        }
        self.count(resource, load, count);
        Ok(())
    }

    /// Adds rows to one table of the dataset.
    pub(super) fn put_rows(&mut self, table: &str, rows: &[RecordBatch]) -> Result<()> {
        let Some(shape) = self.book.target.table(table) else {
            return Err(Error::new(ErrorKind::Bug, "rows for a table that was not made").with("table", table));
        };
        write::ingest(self.session, self.book.target.target(&shape.name), &shape.columns, rows)
            .map_err(|error| error.with("table", table))
    }

    /// Notes rows that reached the root table.
    pub(super) fn count(&mut self, resource: &str, load: &ResourceLoad, rows: usize) {
        self.book.filled.entry(load.table.clone()).or_default().insert(resource.to_owned());
        *self.committed.rows.entry(resource.to_owned()).or_default() +=
            u64::try_from(rows).unwrap_or(u64::MAX);
    }
}

fn load_of<'c>(resources: &'c BTreeMap<String, ResourceLoad>, resource: &str) -> Result<&'c ResourceLoad> {
    resources.get(resource).ok_or_else(|| {
        Error::new(ErrorKind::Bug, "a commit does not say how a resource loads").with("resource", resource)
    })
}

/// The rows of each table, in the order in which the tables come.
pub(super) fn by_table<'b>(batches: &[&'b TableBatch]) -> Vec<(&'b str, Vec<RecordBatch>)> {
    let mut tables: Vec<(&str, Vec<RecordBatch>)> = Vec::new();
    for batch in batches {
        match tables.iter_mut().find(|(table, _)| *table == batch.table.name) {
            Some((_, rows)) => rows.push(batch.rows.clone()),
            None => tables.push((&batch.table.name, vec![batch.rows.clone()])),
        }
    }
    tables
}
