//! Rows that wait in `<dataset>_staging` until their resource is complete, and switching them in.

use xxhash_rust::xxh3::xxh3_64;

use super::checkpoint::{Checkpoint, by_table};
use super::family::Family;
use super::sql::Session;
use super::write;
use crate::destination::{ResourceLoad, TableBatch};
use crate::error::{Error, ErrorKind, Result};

/// Begins the names of a pipeline's staging tables. dlt's own tables in that schema have no colon in their names.
pub(super) fn prefix(pipeline: &str) -> String {
    format!("{pipeline}:")
}

/// The staging table of a table; each resource has its own, for two may fill one table. Where the name has capitals, a digest
/// tells it from that of a resource which differs in nothing else: to DuckDB they would be one name.
pub(super) fn name(pipeline: &str, resource: &str, table: &str) -> String {
    let prefix = prefix(pipeline);
    if resource.chars().any(char::is_uppercase) {
        format!("{prefix}{resource}:{:08x}:{table}", xxh3_64(resource.as_bytes()) >> 32)
    } else {
        format!("{prefix}{resource}:{table}")
    }
}

impl Checkpoint<'_> {
    pub(super) fn staging_name(&self, resource: &str, table: &str) -> String {
        name(&self.run.pipeline, resource, table)
    }

    /// Adds rows to the staging tables.
    pub(super) fn stage(
        &mut self,
        resource: &str,
        load: &ResourceLoad,
        batches: &[&TableBatch],
    ) -> Result<()> {
        if self.book.staging.tables().next().is_none() {
            self.book.staging.create_schema(self.session)?;
        }
        for batch in batches {
            let name = self.staging_name(resource, &batch.table.name);
            // Unconstrained: a refusal belongs to the table itself.
            self.book.staging.ensure(self.session, &name, &batch.table, false)?;
            let pass = self.pass(resource, load);
            if !pass.staged.contains(&batch.table.name) {
                pass.staged.push(batch.table.name.clone());
            }
        }
        for (table, rows) in by_table(batches) {
            let name = self.staging_name(resource, table);
            let Some(shape) = self.book.staging.table(&name) else {
                return Err(Error::new(ErrorKind::Bug, "rows for a staging table that was not made"));
            };
            write::ingest(self.session, self.book.staging.target(&shape.name), &shape.columns, &rows)
                .map_err(|error| error.with("table", table))?;
        }
        Ok(())
    }

    /// The staged tables of a root.
    pub(super) fn staged_family(&self, resource: &str, root: &str) -> Option<Family> {
        let staging = &self.book.staging;
        let find = |table: &str| {
            let shape = staging.table(&self.staging_name(resource, table))?;
            Some(staging.qualified(&shape.name))
        };
        Family::new(&self.book.lineage, root, find)
    }

    /// Moves the staged rows into their tables.
    pub(super) fn switch_in(&mut self, resource: &str, load: &ResourceLoad) -> Result<()> {
        for table in self.staged(resource) {
            let staged = self.book.staging.qualified(&self.staging_name(resource, &table));
            let target = self.book.target.qualified(&table);
            let rows = insert(self.session, &target, &staged).map_err(|error| error.with("table", &table))?;
            if table == load.table {
                self.count(resource, load, usize::try_from(rows).unwrap_or(usize::MAX));
            }
        }
        self.drop_staged(resource)
    }

    /// Drops the staging tables of a resource.
    pub(super) fn drop_staged(&mut self, resource: &str) -> Result<()> {
        for table in self.staged(resource) {
            let name = self.staging_name(resource, &table);
            self.book.staging.drop_table(self.session, &name)?;
        }
        if let Some(pass) = self.book.ledger.passes.get_mut(resource) {
            pass.staged.clear();
        }
        Ok(())
    }

    /// The tables of a resource that have rows in staging.
    fn staged(&self, resource: &str) -> Vec<String> {
        self.book.ledger.passes.get(resource).map(|pass| pass.staged.clone()).unwrap_or_default()
    }
}

fn insert(session: &mut Session, target: &str, staged: &str) -> Result<u64> {
    session.run(&format!("INSERT INTO {target} BY NAME SELECT * FROM {staged}"), &[])
}
