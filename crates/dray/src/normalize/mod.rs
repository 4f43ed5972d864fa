//! **normalize**: pages to Arrow record batches and the schema that they need. No IO.
//!
//! The layout is dlt's (dlt.md §3): objects become columns `outer__inner`, lists become nested tables that point to
//! their parent row. No JSON tree is made: each value goes from the page's bytes straight into its column.

mod coerce;
mod column;
mod contract;
mod extra;
mod ids;
mod table;

use std::collections::HashMap;

use arrow_array::RecordBatch;

pub use self::contract::Discarded;
pub use crate::schema::naming::{column_name, normalize as normalize_name};

use self::coerce::Scalar;
use self::ids::RowId;
use self::table::{Room, TableWriter};
use crate::destination::{PARTITION_COLUMN, RESOURCE_COLUMN};
use crate::error::{Error, ErrorKind, Result};
use crate::extract::Page;
use crate::json::{Document, Kind, NodeId};
use crate::plan::{Disposition, LoadPlan, Plan, ResourcePlan};
use crate::schema::{Column, DataType, Schema, Table, naming};

/// Rows of one table, and the resource that they come from.
#[derive(Debug)]
pub struct Rows {
    /// Index in [`Plan::resources`].
    pub resource: usize,
    /// The table as it is after these rows.
    pub table: Table,
    /// The rows.
    pub batch: RecordBatch,
}

/// Turns pages into rows of tables.
#[derive(Debug)]
pub struct Normalizer {
    load_id: String,
    schema: Schema,
    schema_changed: bool,
    generator: fastrand::Rng,
    tables: Vec<TableWriter>,
    by_name: HashMap<String, usize>,
    resources: Vec<ResourceRules>,
    /// Rows of tables that have passed to another resource since the last flush.
    passed: Vec<Rows>,
    /// Columns of a table, and tables of a resource, at the most.
    most: (usize, usize),
    /// A batch of nested rows could not be built.
    refused: Option<Error>,
}

fn not_built(table: &str, error: arrow_schema::ArrowError) -> Error {
    Error::new(ErrorKind::Bug, "cannot build a batch").with("table", table).caused_by(error)
}

/// What the rows of a resource need beside their values.
#[derive(Debug)]
struct ResourceRules {
    name: String,
    load: LoadPlan,
    /// Nested rows name their root row, so that a merge finds them.
    root_ids: bool,
    /// Rows name their partition, so that it can be replaced.
    partitions: bool,
    /// The root table's writer, once there is a record.
    root: Option<usize>,
    /// Its tables were made for this reading of it.
    fresh: bool,
    /// Records for a root table that may not be made.
    unplaced: u64,
}

/// The ids that a row hands down to its nested rows.
#[derive(Clone, Copy)]
struct Lineage {
    row: RowId,
    root: RowId,
}

impl ResourceRules {
    fn of(resource: &ResourcePlan) -> Self {
        Self::new(&resource.name, resource.load.clone(), resource.parent.is_some())
    }

    fn new(name: &str, load: LoadPlan, dependent: bool) -> Self {
        let merges = load.disposition == Disposition::Merge;
        let partitions = merges && load.key_inherited && dependent;
        // Where one resource merges, nested rows are found by their roots, whoever brought them.
        let root_ids = merges || load.shared.as_ref().is_some_and(|shared| shared.merges);
        Self { name: name.to_owned(), load, root_ids, partitions, root: None, fresh: false, unplaced: 0 }
    }
}

impl Normalizer {
    /// A normalizer for the rows of `load_id`, carrying on with the tables of `schema`.
    #[must_use]
    pub fn new(plan: &Plan, schema: Schema, load_id: &str, generator: fastrand::Rng) -> Self {
        let resources = plan.resources.iter().map(ResourceRules::of).collect();
        let limits = &plan.client.limits;
        Self {
            most: (limits.columns, limits.tables),
            ..Self::with_rules(resources, schema, load_id, generator)
        }
    }

    /// A normalizer for resources without parents, known by name and how they load.
    #[must_use]
    pub fn for_resources<'a>(
        resources: impl IntoIterator<Item = (&'a str, LoadPlan)>,
        schema: Schema,
        load_id: &str,
        generator: fastrand::Rng,
    ) -> Self {
        let resources =
            resources.into_iter().map(|(name, load)| ResourceRules::new(name, load, false)).collect();
        Self::with_rules(resources, schema, load_id, generator)
    }

    fn with_rules(
        resources: Vec<ResourceRules>,
        schema: Schema,
        load_id: &str,
        generator: fastrand::Rng,
    ) -> Self {
        Self {
            load_id: load_id.to_owned(),
            schema,
            schema_changed: false,
            generator,
            tables: Vec::new(),
            by_name: HashMap::new(),
            resources,
            passed: Vec::new(),
            most: (usize::MAX, usize::MAX),
            refused: None,
        }
    }

    /// Writes the records of a page into the columns of their tables.
    ///
    /// # Errors
    /// Where a record lacks a value in a column declared not null.
    pub fn page(&mut self, page: &Page) -> Result<()> {
        if page.records.is_empty() {
            return Ok(());
        }
        if self.has_no_place(page)? {
            return Ok(());
        }
        let root = self.root_table(page.resource);
        if self.tables[root].resource != page.resource {
            self.pass_on(root, page.resource)?;
        }
        let strict = self.resources[page.resource].load.columns.iter().any(|hint| hint.not_null);
        for record in &page.records {
            self.record(root, page, *record);
            if strict && let Some(column) = self.tables[root].missing() {
                return Err(Error::new(
                    ErrorKind::Schema,
                    "a record has no value in a column that must not be null",
                )
                .with("resource", &self.resources[page.resource].name)
                .with("column", column)
                .with("page", page.number));
            }
            self.tables[root].end_row().map_err(|error| not_built(&self.tables[root].name, error))?;
        }
        match self.refused.take().or_else(|| self.breach(page)) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Hands on all rows written since the last time, root tables before their nested tables.
    ///
    /// # Errors
    /// Where Arrow refuses what was built, which is a defect of this program.
    pub fn flush(&mut self) -> Result<Vec<Rows>> {
        self.complete_keys();
        let mut rows = std::mem::take(&mut self.passed);
        for table in 0..self.tables.len() {
            rows.extend(self.finish(table)?);
        }
        Ok(rows)
    }

    /// The rows of one table written since the last time.
    fn finish(&mut self, table: usize) -> Result<Vec<Rows>> {
        let writer = &mut self.tables[table];
        let batches = writer.finish().map_err(|error| not_built(&writer.name, error))?;
        if let Some(table) = writer.take_change() {
            self.schema.put(table);
            self.schema_changed = true;
        }
        let rows = |batch| Rows { resource: writer.resource, table: writer.definition(), batch };
        Ok(batches.into_iter().map(rows).collect())
    }

    /// Several resources may fill one table. What was written so far belongs to the one that had it until now.
    fn pass_on(&mut self, root: usize, resource: usize) -> Result<()> {
        let before = self.tables[root].resource;
        for table in 0..self.tables.len() {
            if self.tables[table].resource == before {
                let rows = self.finish(table)?;
                self.passed.extend(rows);
                self.tables[table].resource = resource;
                self.tables[table].keeper.contract = self.resources[resource].load.contract;
            }
        }
        Ok(())
    }

    /// A part of a composite key that no record has is a column of nulls: a merge can then compare it.
    fn complete_keys(&mut self) {
        for rules in &self.resources {
            let Some(writer) = rules.root.and_then(|root| self.tables.get_mut(root)) else { continue };
            if rules.load.disposition != Disposition::Merge || rules.load.primary_key.len() < 2 {
                continue;
            }
            let columns: Vec<String> = rules.load.primary_key.iter().map(|key| column_name(key)).collect();
            if columns.iter().any(|column| writer.has_column(column)) {
                for column in columns {
                    writer.hinted_column(Column::new(column, DataType::Text));
                }
            }
        }
    }

    /// The schema after the last flush, if it changed since it was last asked for.
    pub fn take_schema(&mut self) -> Option<Schema> {
        std::mem::take(&mut self.schema_changed).then(|| self.schema.clone())
    }

    /// Keys that gave way because another key has their column name, as `table.key`; each is told once.
    pub fn take_collisions(&mut self) -> Vec<String> {
        self.tables.iter_mut().flat_map(TableWriter::take_collisions).collect()
    }

    /// What was done to values that have no place of their own, once for each table.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        for table in &self.tables {
            let name = &table.name;
            if table.extra.values > 0 {
                let (values, column) = (table.extra.values, extra::EXTRA_COLUMN);
                remarks.push(format!(
                    "`{name}`: {values} values for which it has no column or table left (`client.limits`) are in `{column}`"
                ));
            }
            if table.doubled > 0 {
                let doubled = table.doubled;
                remarks.push(format!(
                    "`{name}`: {doubled} times a record had a key twice; the last value was loaded"
                ));
            }
        }
        remarks
    }

    fn root_table(&mut self, resource: usize) -> usize {
        let rules = &self.resources[resource];
        if let Some(root) = rules.root {
            return root;
        }
        let name = naming::normalize(&rules.load.table);
        let disposition = match rules.load.disposition {
            Disposition::Append => "append",
            Disposition::Replace => "replace",
            Disposition::Merge => "merge",
            Disposition::Skip => "skip",
        };
        let fresh = Table {
            name: name.clone(),
            parent: None,
            resource: None,
            write_disposition: None,
            columns: Vec::new(),
        };
        let known = self.schema.table(&name).cloned().unwrap_or(fresh);
        let definition = Table {
            resource: Some(rules.name.clone()),
            write_disposition: Some(disposition.to_owned()),
            ..known
        };
        let keeper = self.keeper(resource, self.schema.table(&name).is_some());
        let rules = &self.resources[resource];
        let mut writer = TableWriter::new(definition, resource, self.most.0);
        writer.keeper = keeper;
        writer.meta.load_id = Some(writer.system_column("_dlt_load_id", DataType::Text));
        writer.meta.id = writer.system_column("_dlt_id", DataType::Text);
        if rules.partitions {
            writer.meta.partition = Some(writer.system_column(PARTITION_COLUMN, DataType::Text));
        }
        if rules.load.shared.is_some() {
            writer.meta.resource = Some(writer.system_column(RESOURCE_COLUMN, DataType::Text));
        }
        for hint in &rules.load.columns {
            if let Some(data_type) = hint.data_type {
                let name = naming::normalize(&hint.name);
                writer.hinted_column(Column { nullable: !hint.not_null, ..Column::new(name, data_type) });
            }
        }
        let root = self.add_table(writer);
        self.resources[resource].root = Some(root);
        root
    }

    fn add_table(&mut self, writer: TableWriter) -> usize {
        // Two resources may fill one table.
        if let Some(index) = self.by_name.get(&writer.name) {
            return *index;
        }
        let index = self.tables.len();
        self.by_name.insert(writer.name.clone(), index);
        self.tables.push(writer);
        index
    }

    /// The table of the lists under a key, of which one has so many items; full where its resource has all the tables that
    /// it may have.
    fn nested_table(&mut self, parent: usize, shape: usize, slot: usize, key: &str, items: usize) -> Room {
        if let Some(table) = self.tables[parent].slot_at(shape, slot).table {
            return Room::At(table);
        }
        let name = self.tables[parent].nested_name(shape, key);
        let resource = self.tables[parent].resource;
        let known = self.by_name.contains_key(&name) || self.schema.table(&name).is_some();
        if !known && self.tables.iter().filter(|table| table.resource == resource).count() >= self.most.1 {
            return Room::Full;
        }
        if !known && !self.tables[parent].keeper.table(&name, items) {
            return Room::Refused;
        }
        let keeper = self.keeper(resource, self.schema.table(&name).is_some());
        let definition = self.schema.table(&name).cloned().unwrap_or(Table {
            name,
            parent: Some(self.tables[parent].name.clone()),
            resource: None,
            write_disposition: None,
            columns: Vec::new(),
        });
        let mut writer = TableWriter::new(definition, resource, self.most.0);
        writer.keeper = keeper;
        writer.meta.parent_id = Some(writer.system_column("_dlt_parent_id", DataType::Text));
        writer.meta.list_idx = Some(writer.system_column("_dlt_list_idx", DataType::Bigint));
        writer.meta.id = writer.system_column("_dlt_id", DataType::Text);
        if self.resources[resource].root_ids {
            writer.meta.root_id = Some(writer.system_column("_dlt_root_id", DataType::Text));
        }
        let table = self.add_table(writer);
        self.tables[parent].slot_at_mut(shape, slot).table = Some(table);
        Room::At(table)
    }

    /// Writes one record as the next row of its root table, without ending the row.
    fn record(&mut self, root: usize, page: &Page, record: NodeId) {
        let id = ids::random(&mut self.generator);
        let writer = &mut self.tables[root];
        let meta = writer.meta;
        if let Some(column) = meta.load_id {
            writer.set_text(column, self.load_id.as_bytes());
        }
        writer.set_text(meta.id, &id);
        if let Some(column) = meta.partition {
            writer.set_text(column, page.partition.as_bytes());
        }
        if let Some(column) = meta.resource {
            writer.set_text(column, self.resources[page.resource].name.as_bytes());
        }
        let lineage = Lineage { row: id, root: id };
        let levels = self.resources[page.resource].load.max_nesting.unwrap_or(u32::MAX);
        self.row(root, &page.document, record, lineage, levels);
        if let Some(overlay) = page.overlay.as_ref().filter(|_| !page.carries) {
            self.carried(root, page, record, overlay, lineage, levels);
        }
    }

    /// Writes the fields that every record of a page carries, where the record has no value of its own. Of a list or an
    /// object the record's own one wins whole: two lists would be the rows of one.
    fn carried(
        &mut self,
        root: usize,
        page: &Page,
        record: NodeId,
        overlay: &Document,
        lineage: Lineage,
        levels: u32,
    ) {
        let mut after = None;
        for (key, value) in overlay.entries(overlay.root()) {
            let name = overlay.text(key).unwrap_or_default();
            // Parent fields are few, and named by the configuration: they have their columns whatever the limit.
            let slot = self.tables[root].find_slot(0, after, overlay.raw(key));
            after = Some(slot);
            let own = || page.document.get(record, &name).map(|own| page.document.kind(own));
            if matches!(overlay.kind(value), Kind::Array | Kind::Object)
                && own().is_some_and(|own| own != Kind::Null)
            {
                continue;
            }
            self.value(root, 0, slot, &name, overlay, value, lineage, levels, true);
        }
    }

    /// Writes the values of a row: those of an object, or the one value of a list's item.
    fn row(&mut self, table: usize, document: &Document, node: NodeId, lineage: Lineage, levels: u32) {
        if document.kind(node) == Kind::Object {
            self.object(table, 0, document, node, lineage, levels, false);
        } else {
            // A list inside a list is a table of its own, any other item is the column `value`, and so is a record that
            // is a list (dlt.md §3.6).
            let nested = self.tables[table].meta.parent_id.is_some();
            let key = if nested && document.kind(node) == Kind::Array { "list" } else { "value" };
            let Some(slot) = self.tables[table].slot(0, None, key.as_bytes(), || key.to_owned()) else {
                return self.tables[table].write_extra(0, key, document.json(node));
            };
            self.value(table, 0, slot, key, document, node, lineage, levels, false);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the place in the table and the place in the document")]
    fn object(
        &mut self,
        table: usize,
        shape: usize,
        document: &Document,
        node: NodeId,
        lineage: Lineage,
        levels: u32,
        only_missing: bool,
    ) {
        let mut after = None;
        for (key, value) in document.entries(node) {
            let name = || document.text(key).unwrap_or_default().into_owned();
            let slot = self.tables[table].slot(shape, after, document.raw(key), name);
            let Some(slot) = slot.or_else(|| self.known_list(table, shape, after, document, key, value))
            else {
                if document.kind(value) != Kind::Null {
                    self.tables[table].write_extra(shape, &name(), document.json(value));
                }
                continue;
            };
            after = Some(slot);
            match document.kind(value) {
                Kind::Null => {}
                Kind::Array | Kind::Object => {
                    let name = document.text(key).unwrap_or_default();
                    self.value(table, shape, slot, &name, document, value, lineage, levels, only_missing);
                }
                kind => {
                    let scalar = Scalar { document, node: value, kind };
                    self.tables[table].write(shape, slot, name, scalar, only_missing);
                }
            }
        }
    }

    /// The slot of a key for which its table has no room, where lists under it have a table all the same.
    #[cold]
    fn known_list(
        &mut self,
        table: usize,
        shape: usize,
        after: Option<usize>,
        document: &Document,
        key: NodeId,
        value: NodeId,
    ) -> Option<usize> {
        let name = self.tables[table].list_name(shape, &document.text(key)?);
        let known = self.by_name.contains_key(&name) || self.schema.table(&name).is_some();
        let is_list = document.kind(value) == Kind::Array;
        (is_list && known).then(|| self.tables[table].find_slot(shape, after, document.raw(key)))
    }

    #[expect(clippy::too_many_arguments, reason = "the place in the table and the place in the document")]
    fn value(
        &mut self,
        table: usize,
        shape: usize,
        slot: usize,
        key: &str,
        document: &Document,
        node: NodeId,
        lineage: Lineage,
        levels: u32,
        only_missing: bool,
    ) {
        let kind = document.kind(node);
        let scalar = Scalar { document, node, kind };
        match kind {
            Kind::Null => {}
            Kind::Array | Kind::Object if levels == 0 || self.tables[table].is_json(shape, slot, key) => {
                self.tables[table].write_json(shape, slot, key, scalar);
            }
            Kind::Object => {
                let nested = self.tables[table].nested_shape(shape, slot, key);
                self.object(table, nested, document, node, lineage, levels - 1, only_missing);
            }
            Kind::Array => {
                let items = document.len(node);
                if items > 0 {
                    match self.nested_table(table, shape, slot, key, items) {
                        Room::At(nested) => self.list(nested, document, node, lineage, levels - 1),
                        Room::Full => self.tables[table].write_extra(shape, key, document.json(node)),
                        Room::Refused => {}
                    }
                }
            }
            _ => self.tables[table].write(shape, slot, || key.to_owned(), scalar, only_missing),
        }
    }

    /// Writes the items of a list as rows of a nested table.
    fn list(&mut self, table: usize, document: &Document, node: NodeId, parent: Lineage, levels: u32) {
        for (index, item) in document.items(node).enumerate() {
            let writer = &mut self.tables[table];
            let id = ids::nested(&parent.row, &writer.name, index);
            let meta = writer.meta;
            if let Some(column) = meta.parent_id {
                writer.set_text(column, &parent.row);
            }
            if let Some(column) = meta.list_idx {
                writer.set_int(column, i64::try_from(index).unwrap_or(i64::MAX));
            }
            writer.set_text(meta.id, &id);
            if let Some(column) = meta.root_id {
                writer.set_text(column, &parent.root);
            }
            self.row(table, document, item, Lineage { row: id, root: parent.root }, levels);
            if let Err(error) = self.tables[table].end_row() {
                self.refused = Some(not_built(&self.tables[table].name, error));
            }
        }
    }
}

#[cfg(test)]
mod tests;
