//! Merge by delete and insert (dlt.md §4.2): a row replaces the rows that have its key, with the nested rows of both.
//!
//! A key with a null part says nothing of identity within a load: such rows all stay, and replace those of earlier
//! loads whose key is the same null for null, so that loading again does not double them.

use arrow_array::RecordBatch;

use super::checkpoint::Checkpoint;
use super::ddl::Shape;
use super::family::Family;
use super::keys::{self, Survivors};
use super::ledger::Route;
use super::sql::{Target, ident, literal};
use super::write;
use crate::destination::{Finished, KeyReading, PARTITION_COLUMN, ResourceLoad, TableBatch};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::SortOrder;

/// Temporary table of the keys of one checkpoint.
const KEYS: &str = "dray_keys";
/// Temporary table of partitions or of row ids.
const NAMES: &str = "dray_names";
/// More pieces than this cost more to ingest than rows that are deleted again.
const MOST_SLICES: usize = 128;

impl Checkpoint<'_> {
    /// Merges rows now, or stages them where the whole load must be known first.
    pub(super) fn merge(
        &mut self,
        resource: &str,
        load: &ResourceLoad,
        batches: &[&TableBatch],
    ) -> Result<()> {
        let roots: Vec<&TableBatch> = batches
            .iter()
            .copied()
            .filter(|batch| batch.table.name == load.table && batch.rows.num_rows() > 0)
            .collect();
        let route = match self.pass(resource, load).route {
            Some(route) => route,
            None if roots.is_empty() => Route::Streaming,
            None => self.decide(resource, load, &roots),
        };
        if !load.key_inherited || route == Route::Streaming {
            for batch in &roots {
                check_key(batch, load)?;
            }
        }
        match route {
            Route::Staging => self.stage(resource, load, batches),
            Route::Streaming => self.merge_now(resource, load, batches, &roots),
        }
    }

    /// An inherited key counts if the first rows all have it.
    fn decide(&mut self, resource: &str, load: &ResourceLoad, roots: &[&TableBatch]) -> Route {
        let key = &load.primary_key;
        let present = !key.is_empty() && roots.iter().all(|batch| keys::lacking(&batch.rows, key).is_none());
        let counts = present || !load.key_inherited;
        let route = if counts && load.dedup_sort.is_none() { Route::Streaming } else { Route::Staging };
        if route == Route::Streaming {
            self.committed.readings.insert(resource.to_owned(), KeyReading::Declared);
        }
        self.pass(resource, load).route = Some(route);
        route
    }

    fn merge_now(
        &mut self,
        resource: &str,
        load: &ResourceLoad,
        batches: &[&TableBatch],
        roots: &[&TableBatch],
    ) -> Result<()> {
        let Some(first) = roots.last() else {
            return self.put_surviving(resource, load, batches, &Survivors::default());
        };
        let hard_delete = load.hard_delete.as_deref();
        let survivors = keys::survivors(roots, &first.table, &load.primary_key, hard_delete)?;
        let keyed = !load.primary_key.is_empty() || !load.merge_key.is_empty();
        if keyed
            && let Some(family) = self.book.family(&load.table)
            && !self.replaces_nothing(resource, load, roots, &survivors.digests, &family)?
            && self.has_rows(&family)?
        {
            self.fill_keys(load, roots)?;
            let keys = format!("temp.main.{}", ident(KEYS));
            self.delete_by_keys(&family, &keys, &load.primary_key, &load.merge_key, survivors.null_parts)?;
        }
        self.put_surviving(resource, load, batches, &survivors)
    }

    /// Whether no row that is there can have the key of one of these rows, so that none needs to be looked for.
    fn replaces_nothing(
        &mut self,
        resource: &str,
        load: &ResourceLoad,
        roots: &[&TableBatch],
        digests: &[u64],
        family: &Family,
    ) -> Result<bool> {
        if !load.merge_key.is_empty() || self.shared(resource, &load.table) {
            return Ok(false);
        }
        if !self.seen.knows(&load.table) {
            let empty = !self.has_rows(family)?;
            self.seen.learn(&load.table, empty);
        }
        Ok(self.seen.are_new(roots, &load.primary_key, digests))
    }

    fn put_surviving(
        &mut self,
        resource: &str,
        load: &ResourceLoad,
        batches: &[&TableBatch],
        survivors: &Survivors,
    ) -> Result<()> {
        let mut removed = survivors.removed.clone();
        let mut roots = survivors.keep.iter();
        let mut tables: Vec<(&str, Vec<RecordBatch>)> = Vec::new();
        let mut whole: Vec<(&str, Vec<RecordBatch>)> = Vec::new();
        let mut pieces = 0;
        let mut count = 0;
        for batch in batches.iter().filter(|batch| batch.rows.num_rows() > 0) {
            let root = batch.table.name == load.table;
            let kept = if survivors.keep.is_empty() {
                vec![batch.rows.clone()]
            } else if root {
                write::slices(&batch.rows, roots.next().map_or(&[], Vec::as_slice))
            } else {
                write::slices(&batch.rows, &keys::nested_survivors(&batch.rows, &mut removed))
            };
            pieces += kept.len();
            count += if root { kept.iter().map(RecordBatch::num_rows).sum() } else { 0 };
            push(&mut tables, &batch.table.name, kept);
            push(&mut whole, &batch.table.name, vec![batch.rows.clone()]);
        }
        let sliced = pieces <= batches.len() + MOST_SLICES;
        for (table, rows) in if sliced { tables } else { whole } {
            self.put_rows(table, &rows)?;
        }
        if !sliced && let Some(family) = self.book.family(&load.table) {
            self.fill_names(survivors.removed.iter().map(String::as_str))?;
            family.delete(
                self.session,
                &format!("t._dlt_id IN (SELECT name FROM temp.main.{NAMES})"),
                &[],
            )?;
        }
        self.count(resource, load, count);
        Ok(())
    }

    /// Merges what was staged; for an inherited key that the rows lack, decides what stands in its place.
    pub(super) fn finish_merge(&mut self, finished: &Finished, load: &ResourceLoad) -> Result<()> {
        let resource = finished.resource.as_str();
        let Some(staged) = self.staged_family(resource, &load.table) else {
            return self.finish_empty_merge(finished, load);
        };
        let name = self.staging_name(resource, &load.table);
        let shape = self.book.staging.table(&name).cloned().unwrap_or_default();
        let reading = self.reading(load, staged.root(), &shape)?;
        let key = match &reading {
            KeyReading::Declared => load.primary_key.clone(),
            KeyReading::Fallback(column) => vec![column.clone()],
            KeyReading::Partition => Vec::new(),
        };
        if !key.is_empty() {
            let losers = losers(staged.root(), &key, load.dedup_sort.as_ref());
            staged.delete(self.session, &losers, &[])?;
        }
        if let Some(target) = self.book.family(&load.table)
            && self.has_rows(&target)?
        {
            if reading == KeyReading::Partition {
                self.delete_partitions(&target, load, &finished.partitions)?;
            } else {
                self.delete_by_keys(&target, staged.root(), &key, &load.merge_key, key.len() > 1)?;
            }
        }
        if let Some(column) = load.hard_delete.as_deref().filter(|column| shape.has(column)) {
            let boolean = shape
                .columns
                .iter()
                .any(|(name, data_type)| name.eq_ignore_ascii_case(column) && data_type == "BOOLEAN");
            let column = ident(column);
            let deletes = if boolean { format!("t.{column}") } else { format!("t.{column} IS NOT NULL") };
            staged.delete(self.session, &deletes, &[])?;
        }
        self.committed.readings.insert(resource.to_owned(), reading);
        self.switch_in(resource, load)
    }

    /// A resource that gave nothing: where its earlier rows are held by partition, the partitions are empty now.
    fn finish_empty_merge(&mut self, finished: &Finished, load: &ResourceLoad) -> Result<()> {
        if !load.key_inherited || self.pass(&finished.resource, load).route.is_some() {
            return Ok(());
        }
        let Some(target) = self.book.family(&load.table) else { return Ok(()) };
        let shape = self.book.target.table(&load.table).cloned().unwrap_or_default();
        if self.has_rows(&target)? && self.reading(load, target.root(), &shape)? == KeyReading::Partition {
            self.delete_partitions(&target, load, &finished.partitions)?;
            self.committed.readings.insert(finished.resource.clone(), KeyReading::Partition);
        }
        Ok(())
    }

    /// How the key of the rows in `table` reads.
    fn reading(&mut self, load: &ResourceLoad, table: &str, shape: &Shape) -> Result<KeyReading> {
        let key = &load.primary_key;
        if !load.key_inherited {
            return Ok(KeyReading::Declared);
        }
        if !key.is_empty() && key.iter().all(|column| shape.has(column)) {
            let sql = format!(
                "SELECT count(*) FROM (SELECT 1 FROM {table} AS t WHERE {} LIMIT 1)",
                any_null("t", key)
            );
            if self.session.count(&sql, &[])? == 0 {
                return Ok(KeyReading::Declared);
            }
        }
        if let Some(column) = load.fallback_key.as_ref().filter(|column| shape.has(column)) {
            // A null makes the two counts differ as well.
            let sql = format!("SELECT (count(*) = count(DISTINCT {}))::BIGINT FROM {table}", ident(column));
            if self.session.count(&sql, &[])? == 1 {
                return Ok(KeyReading::Fallback(column.clone()));
            }
        }
        Ok(KeyReading::Partition)
    }

    fn has_rows(&mut self, family: &Family) -> Result<bool> {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1)", family.root());
        Ok(self.session.count(&sql, &[])? > 0)
    }

    /// Puts the keys of root rows into a temporary table whose types are the target's.
    fn fill_keys(&mut self, load: &ResourceLoad, roots: &[&TableBatch]) -> Result<()> {
        let Some(shape) = self.book.target.table(&load.table) else { return Ok(()) };
        let wanted = |name: &str| {
            load.primary_key.iter().chain(&load.merge_key).any(|column| column.eq_ignore_ascii_case(name))
        };
        let columns: Vec<(String, String)> =
            shape.columns.iter().filter(|(name, _)| wanted(name)).cloned().collect();
        let defined: Vec<String> =
            columns.iter().map(|(name, data_type)| format!("{} {data_type}", ident(name))).collect();
        let keys = format!("temp.main.{}", ident(KEYS));
        self.session.run(&format!("DROP TABLE IF EXISTS {keys}"), &[])?;
        self.session.run(&format!("CREATE TEMP TABLE {} ({})", ident(KEYS), defined.join(", ")), &[])?;
        let rows: Vec<RecordBatch> = roots.iter().map(|batch| batch.rows.clone()).collect();
        write::ingest(self.session, Target::Temporary(KEYS), &columns, &rows)
    }

    fn fill_names<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> Result<()> {
        self.session.run(&format!("DROP TABLE IF EXISTS temp.main.{NAMES}"), &[])?;
        self.session.run(&format!("CREATE TEMP TABLE {NAMES} (name VARCHAR)"), &[])?;
        write::ingest_texts(self.session, Target::Temporary(NAMES), "name", names)
    }

    /// Deletes the rows of `family` that the rows of `keys` replace.
    fn delete_by_keys(
        &mut self,
        family: &Family,
        keys: &str,
        primary: &[String],
        merge: &[String],
        null_parts: bool,
    ) -> Result<()> {
        let earlier = format!("t._dlt_load_id IS DISTINCT FROM {}", literal(&self.run.load_id));
        if !primary.is_empty() {
            family.delete(self.session, &matching(keys, primary, "=", ""), &[])?;
        }
        if null_parts {
            let nulls = format!("{} AND ", any_null("k", primary));
            let same = matching(keys, primary, "IS NOT DISTINCT FROM", &nulls);
            family.delete(self.session, &format!("{same} AND {earlier}"), &[])?;
        }
        if !merge.is_empty() {
            family.delete(self.session, &format!("{} AND {earlier}", matching(keys, merge, "=", "")), &[])?;
        }
        Ok(())
    }

    /// Deletes the rows that partitions gave before; an empty text is the whole resource.
    fn delete_partitions(
        &mut self,
        family: &Family,
        load: &ResourceLoad,
        partitions: &[String],
    ) -> Result<()> {
        if partitions.iter().any(String::is_empty) {
            return family.empty(self.session).map(drop);
        }
        if !self.book.target.table(&load.table).is_some_and(|shape| shape.has(PARTITION_COLUMN)) {
            return Ok(());
        }
        self.fill_names(partitions.iter().map(String::as_str))?;
        let read = format!("t.{} IN (SELECT name FROM temp.main.{NAMES})", ident(PARTITION_COLUMN));
        family.delete(self.session, &read, &[]).map(drop)
    }
}

fn push<'t>(tables: &mut Vec<(&'t str, Vec<RecordBatch>)>, table: &'t str, rows: Vec<RecordBatch>) {
    match tables.iter_mut().find(|(name, _)| *name == table) {
        Some((_, known)) => known.extend(rows),
        None => tables.push((table, rows)),
    }
}

/// Refuses rows without their key: merged without it, they would pile up with every load.
fn check_key(batch: &TableBatch, load: &ResourceLoad) -> Result<()> {
    let key = &load.primary_key;
    let absent = key.iter().chain(&load.merge_key).find(|column| batch.table.column(column).is_none());
    let strict = key.len() == 1 || load.key_inherited;
    let lacking = || if strict { keys::lacking(&batch.rows, key) } else { None };
    match absent.map(String::as_str).or_else(lacking) {
        None => Ok(()),
        Some(column) => Err(Error::new(ErrorKind::Schema, format!("records have no value for the key `{column}`"))
            .with("table", &batch.table.name)
            .with("column", column)
            .hint("name a key that every record has in `primary_key`, or load with `write_disposition: append` or `replace`")),
    }
}

/// Root rows `t` that another row of their key in the same table outdoes.
fn losers(table: &str, key: &[String], dedup_sort: Option<&(String, SortOrder)>) -> String {
    let columns: Vec<String> = key.iter().map(|column| ident(column)).collect();
    let columns = columns.join(", ");
    let order = dedup_sort.map_or_else(String::new, |(column, order)| {
        let order = match order {
            SortOrder::Asc => "ASC",
            SortOrder::Desc => "DESC",
        };
        format!("{} {order} NULLS LAST, ", ident(column))
    });
    format!(
        "t.rowid IN (SELECT row FROM (SELECT rowid AS row, row_number() OVER (PARTITION BY {columns} \
         ORDER BY {order}rowid DESC) AS place FROM {table} AS r WHERE NOT ({})) WHERE place > 1)",
        any_null("r", key)
    )
}

fn any_null(alias: &str, key: &[String]) -> String {
    let parts: Vec<String> = key.iter().map(|column| format!("{alias}.{} IS NULL", ident(column))).collect();
    format!("({})", parts.join(" OR "))
}

/// Rows `t` for which `keys` has a row `k` of the same key.
fn matching(keys: &str, key: &[String], equal: &str, further: &str) -> String {
    let parts: Vec<String> = key
        .iter()
        .map(|column| {
            let column = ident(column);
            format!("k.{column} {equal} t.{column}")
        })
        .collect();
    format!("EXISTS (SELECT 1 FROM {keys} AS k WHERE {further}{})", parts.join(" AND "))
}
