//! Rows of one table: which key belongs to which column, found without hashing where records repeat their shape.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::ArrowError;
use sha3::Shake128;
use sha3::digest::{ExtendableOutput, Update, XofReader};

use super::coerce::{Fit, Scalar};
use super::column::ColumnValues;
use super::contract::Keeper;
use super::extra::{EXTRA_COLUMN, Extra, KEYS_A_COLUMN};
use crate::destination::{PARTITION_COLUMN, RESOURCE_COLUMN};
use crate::schema::naming::{SEPARATOR, normalize};
use crate::schema::{Column, DataType, Table};

/// Between the keys of a raw path: no key of an API has it.
const PATH: char = '\u{1f}';

/// Rows times columns of a batch.
const CELLS: usize = 4 << 20;

/// Owner of the columns that dlt's layout adds.
const SYSTEM: &str = "\u{1f}dlt";

/// The column or table of a key.
pub(super) enum Room {
    At(usize),
    /// There is no room for it: the value is kept with others of its kind.
    Full,
    /// The contract does not want it.
    Refused,
}

/// A key of the records, and where its values go.
#[derive(Debug)]
pub(super) struct Slot {
    /// As in the body, between the quotes.
    key: Box<[u8]>,
    /// The slot of the key that followed last time.
    next: usize,
    /// Column of its scalars.
    pub(super) column: Option<usize>,
    /// Whether that is, or would be, a column of JSON text; none until somebody asked.
    json: Option<bool>,
    /// Shape of its objects.
    pub(super) shape: Option<usize>,
    /// Table of its lists.
    pub(super) table: Option<usize>,
}

/// The keys of one object inside the records of a table.
#[derive(Debug, Default)]
struct Shape {
    /// Name of its columns up to their last part, with the separator.
    prefix: String,
    /// The raw keys that lead here.
    path: String,
    slots: Vec<Slot>,
    by_key: HashMap<Box<[u8]>, usize>,
    /// The slot of the key that came first last time.
    first: usize,
}

#[derive(Debug)]
struct ColumnState {
    column: Column,
    values: ColumnValues,
    /// Columns for values of other types.
    variants: Vec<(DataType, usize)>,
}

/// What a name is claimed for.
#[derive(Clone, Copy, Debug)]
enum Claimed {
    Column,
    List,
}

/// A table that is being written.
#[derive(Debug)]
pub(super) struct TableWriter {
    pub(super) name: String,
    pub(super) resource: usize,
    pub(super) meta: MetaColumns,
    definition: Table,
    columns: Vec<ColumnState>,
    by_name: HashMap<String, usize>,
    /// Which raw key a column's name belongs to.
    owners: HashMap<String, String>,
    /// The same of nested tables: a key may have both, a list in one record and a scalar in another.
    list_owners: HashMap<String, String>,
    shapes: Vec<Shape>,
    rows: usize,
    /// Batches that were full before the rows are handed on.
    full: Vec<RecordBatch>,
    changed: bool,
    /// Keys that had to give way because another has their name.
    collisions: Vec<String>,
    pub(super) extra: Extra,
    /// Values that gave way to a later one under the same key of the same record.
    pub(super) doubled: u64,
    /// What may change of the table.
    pub(super) keeper: Keeper,
}

/// Indexes of the columns that dlt's layout adds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MetaColumns {
    pub(super) id: usize,
    pub(super) load_id: Option<usize>,
    pub(super) partition: Option<usize>,
    pub(super) resource: Option<usize>,
    pub(super) parent_id: Option<usize>,
    pub(super) list_idx: Option<usize>,
    pub(super) root_id: Option<usize>,
}

impl TableWriter {
    /// A writer for `definition`, which earlier runs may have filled with columns.
    pub(super) fn new(definition: Table, resource: usize, most: usize) -> Self {
        let mut writer = Self {
            name: definition.name.clone(),
            resource,
            meta: MetaColumns::default(),
            columns: Vec::new(),
            by_name: HashMap::new(),
            owners: HashMap::new(),
            list_owners: HashMap::new(),
            shapes: vec![Shape::default()],
            rows: 0,
            full: Vec::new(),
            changed: definition.columns.is_empty(),
            collisions: Vec::new(),
            extra: Extra::new(most),
            doubled: 0,
            keeper: Keeper::default(),
            definition: Table { columns: Vec::new(), ..definition.clone() },
        };
        writer.owners.insert(EXTRA_COLUMN.to_owned(), SYSTEM.to_owned());
        for column in definition.columns {
            if let Some(raw) = &column.source_key {
                writer.owners.insert(column.name.clone(), raw.clone());
            }
            let variant = column.variant.then_some((column.name.clone(), column.data_type));
            let index = writer.add_column(column);
            // `a__v_text` belongs to `a`.
            if let Some((name, data_type)) = variant
                && let Some(base) =
                    name.rsplit_once("__v_").and_then(|(base, _)| writer.by_name.get(base).copied())
            {
                writer.columns[base].variants.push((data_type, index));
            }
        }
        writer.changed = writer.columns.is_empty();
        writer
    }

    /// The index of a column that dlt's layout adds.
    pub(super) fn system_column(&mut self, name: &str, data_type: DataType) -> usize {
        self.owners.insert(name.to_owned(), SYSTEM.to_owned());
        match self.by_name.get(name) {
            Some(index) => *index,
            // The last three are there or not as the write disposition wants it, which may change.
            None => {
                let nullable = matches!(name, "_dlt_root_id" | PARTITION_COLUMN | RESOURCE_COLUMN);
                self.add_column(Column { nullable, ..Column::new(name, data_type) })
            }
        }
    }

    /// Adds a column that a hint describes, unless it is there.
    pub(super) fn hinted_column(&mut self, column: Column) {
        if !self.by_name.contains_key(&column.name) {
            self.add_column(column);
        }
    }

    /// Whether there is a column of this name.
    pub(super) fn has_column(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn add_column(&mut self, column: Column) -> usize {
        let index = self.columns.len();
        self.by_name.insert(column.name.clone(), index);
        let values = ColumnValues::new(column.data_type);
        self.columns.push(ColumnState { column, values, variants: Vec::new() });
        self.changed = true;
        index
    }

    /// Ends the row being written.
    ///
    /// # Errors
    /// Where Arrow refuses what was built.
    pub(super) fn end_row(&mut self) -> Result<(), ArrowError> {
        if let Some(object) = self.extra.take() {
            let column = match self.by_name.get(EXTRA_COLUMN) {
                Some(column) => *column,
                None => self.add_column(Column::new(EXTRA_COLUMN, DataType::Json)),
            };
            self.set_text(column, object.as_bytes());
        }
        self.rows += 1;
        // A column costs its place in every row of a batch, empty or not; in a batch without a value in it, nothing.
        if self.rows.saturating_mul(self.columns.len()) >= CELLS {
            let batch = self.batch()?;
            self.full.extend(batch);
        }
        Ok(())
    }

    /// Whether the table has all the columns that it may have.
    pub(super) fn is_full(&self) -> bool {
        self.columns.len() >= self.extra.most
    }

    /// Whether a key that was not seen in this run may have a column, a table or keys of its own.
    ///
    /// A full table takes those that earlier runs made room for; so does one that has seen very many keys without ever
    /// a value, which cost memory too.
    #[cold]
    fn admits(&mut self, shape: usize, key: &str) -> bool {
        if !self.is_full() && self.extra.keys < self.extra.most.saturating_mul(KEYS_A_COLUMN) {
            return true;
        }
        let name = format!("{}{}", self.shapes[shape].prefix, normalize(key));
        let names = self.extra.names.get_or_insert_with(|| self.by_name.keys().cloned().collect());
        let inner = format!("{name}{SEPARATOR}");
        names.contains(&name)
            || names.range(inner.clone()..).next().is_some_and(|next| next.starts_with(&inner))
    }

    /// Keeps a value that has no column of its own.
    pub(super) fn write_extra(&mut self, shape: usize, key: &str, json: &str) {
        let path = format!("{}{key}", self.shapes[shape].path).replace(PATH, ".");
        self.extra.put(&path, json);
    }

    /// Whether the row being written has a value in this column.
    pub(super) fn written(&self, column: usize) -> bool {
        self.columns[column].values.len() > self.rows
    }

    pub(super) fn set_text(&mut self, column: usize, text: &[u8]) {
        let row = self.rows;
        self.columns[column].values.push_bytes(row, text);
    }

    pub(super) fn set_int(&mut self, column: usize, value: i64) {
        let row = self.rows;
        self.columns[column].values.push_int(row, value);
    }

    /// The slot of a key: the one that followed `after` last time, or found by the key's hash. None where the table has
    /// no room for it.
    #[inline]
    pub(super) fn slot(
        &mut self,
        shape: usize,
        after: Option<usize>,
        key: &[u8],
        name: impl Fn() -> String,
    ) -> Option<usize> {
        let known = &self.shapes[shape];
        let guess = after.map_or(known.first, |slot| known.slots[slot].next);
        if known.slots.get(guess).is_some_and(|slot| *slot.key == *key) {
            return Some(guess);
        }
        if !known.by_key.contains_key(key) && !self.admits(shape, &name()) {
            return None;
        }
        Some(self.find_slot(shape, after, key))
    }

    #[cold]
    pub(super) fn find_slot(&mut self, shape: usize, after: Option<usize>, key: &[u8]) -> usize {
        let shape = &mut self.shapes[shape];
        let found = match shape.by_key.get(key) {
            Some(slot) => *slot,
            None => {
                self.extra.keys += 1;
                let slot = shape.slots.len();
                shape.by_key.insert(key.into(), slot);
                shape.slots.push(Slot {
                    key: key.into(),
                    next: slot + 1,
                    column: None,
                    json: None,
                    shape: None,
                    table: None,
                });
                slot
            }
        };
        match after {
            Some(slot) => shape.slots[slot].next = found,
            None => shape.first = found,
        }
        found
    }

    pub(super) fn slot_at(&self, shape: usize, slot: usize) -> &Slot {
        &self.shapes[shape].slots[slot]
    }

    pub(super) fn slot_at_mut(&mut self, shape: usize, slot: usize) -> &mut Slot {
        &mut self.shapes[shape].slots[slot]
    }

    /// The shape of the objects under a key.
    pub(super) fn nested_shape(&mut self, shape: usize, slot: usize, key: &str) -> usize {
        if let Some(nested) = self.shapes[shape].slots[slot].shape {
            return nested;
        }
        let outer = &self.shapes[shape];
        let nested = Shape {
            prefix: format!("{}{}{SEPARATOR}", outer.prefix, normalize(key)),
            path: format!("{}{key}{PATH}", outer.path),
            ..Shape::default()
        };
        self.shapes.push(nested);
        let index = self.shapes.len() - 1;
        self.shapes[shape].slots[slot].shape = Some(index);
        index
    }

    /// The name that the table of the lists under a key has where no other key claims it.
    pub(super) fn list_name(&self, shape: usize, key: &str) -> String {
        format!("{}{SEPARATOR}{}{}", self.name, self.shapes[shape].prefix, normalize(key))
    }

    /// The table of the lists under a key.
    pub(super) fn nested_name(&mut self, shape: usize, key: &str) -> String {
        let outer = &self.shapes[shape];
        let (name, path) = (format!("{}{}", outer.prefix, normalize(key)), format!("{}{key}[]", outer.path));
        let name = self.claim(name, &path, Claimed::List);
        format!("{}{SEPARATOR}{name}", self.name)
    }

    /// The column of the scalars under a key.
    fn column_for(&mut self, shape: usize, slot: usize, key: &str, make: DataType) -> Room {
        if let Some(column) = self.shapes[shape].slots[slot].column {
            return Room::At(column);
        }
        let outer = &self.shapes[shape];
        let (name, path) = (format!("{}{}", outer.prefix, normalize(key)), format!("{}{key}", outer.path));
        let claimed = self.claim(name.clone(), &path, Claimed::Column);
        let column = match self.by_name.get(&claimed) {
            Some(column) => *column,
            None if self.is_full() => return Room::Full,
            None if !self.keeper.column(&claimed) => return Room::Refused,
            None => {
                let source_key = (claimed != name).then_some(path);
                self.add_column(Column { source_key, ..Column::new(claimed, make) })
            }
        };
        self.shapes[shape].slots[slot].column = Some(column);
        Room::At(column)
    }

    /// Whether the configuration or an earlier run made the column under a key one of JSON text.
    pub(super) fn is_json(&mut self, shape: usize, slot: usize, key: &str) -> bool {
        if let Some(known) = self.shapes[shape].slots[slot].json {
            return known;
        }
        let column = match self.shapes[shape].slots[slot].column {
            Some(column) => Some(column),
            None => self.by_name.get(&format!("{}{}", self.shapes[shape].prefix, normalize(key))).copied(),
        };
        let json = column.is_some_and(|column| self.columns[column].column.data_type == DataType::Json);
        // A column keeps that; one that is not there yet becomes one of JSON where the nesting ends, and its slot has it then.
        self.shapes[shape].slots[slot].json = Some(json);
        json
    }

    /// The name for a raw path: `name`, or with a suffix made of the path where another key has that name.
    fn claim(&mut self, name: String, path: &str, what: Claimed) -> String {
        let owners = match what {
            Claimed::Column => &mut self.owners,
            Claimed::List => &mut self.list_owners,
        };
        let suffixed = format!("{name}_x{}", suffix(path));
        if owners.get(&suffixed).is_some_and(|owner| owner == path) {
            return suffixed;
        }
        match owners.get(&name) {
            Some(owner) if owner != path => {
                self.collisions.push(format!("{}.{}", self.name, path.replace(PATH, ".")));
                owners.insert(suffixed.clone(), path.to_owned());
                suffixed
            }
            Some(_) => name,
            None => {
                owners.insert(name.clone(), path.to_owned());
                name
            }
        }
    }

    /// Writes a scalar under a key into the row being written.
    #[inline]
    pub(super) fn write(
        &mut self,
        shape: usize,
        slot: usize,
        key: impl Fn() -> String,
        scalar: Scalar<'_>,
        only_missing: bool,
    ) {
        let column = match self.shapes[shape].slots[slot].column {
            Some(column) => column,
            None => match self.column_for(shape, slot, &key(), scalar.inferred()) {
                Room::At(column) => column,
                Room::Full => return self.write_extra(shape, &key(), scalar.document.json(scalar.node)),
                Room::Refused => return,
            },
        };
        if self.written(column) {
            if only_missing {
                return;
            }
            self.doubled += 1;
        }
        let row = self.rows;
        let state = &mut self.columns[column];
        match scalar.write(state.column.data_type, row, &mut state.values) {
            Fit::Fits => {}
            Fit::FitsInexact => {
                if state.column.exact_as_double {
                    state.column.exact_as_double = false;
                    self.changed = true;
                }
            }
            Fit::NeedsDouble if state.column.exact_as_double && !state.column.variant => {
                if !self.keeper.data_type(&state.column.name) {
                    return;
                }
                state.column.data_type = DataType::Double;
                state.column.exact_as_double = false;
                state.values.widen_to_double();
                self.changed = true;
                scalar.write(DataType::Double, row, &mut self.columns[column].values);
            }
            Fit::NeedsDouble => self.write_variant(column, DataType::Double, scalar),
            Fit::Variant(data_type) => self.write_variant(column, data_type, scalar),
        }
    }

    /// Writes a value that its column cannot hold into `<column>__v_<type>` (dlt.md §3.4).
    fn write_variant(&mut self, column: usize, data_type: DataType, scalar: Scalar<'_>) {
        let known = self.columns[column]
            .variants
            .iter()
            .find(|(known, _)| *known == data_type)
            .map(|(_, index)| *index);
        let variant = match known {
            Some(known) => known,
            None => {
                let name = format!("{}__v_{}", self.columns[column].column.name, data_type.name());
                let index = match self.by_name.get(&name) {
                    Some(index) => *index,
                    None if !self.keeper.data_type(&self.columns[column].column.name) => return,
                    // A variant has room in a full table: its column was let in.
                    None => self.add_column(Column { variant: true, ..Column::new(name, data_type) }),
                };
                self.columns[column].variants.push((data_type, index));
                index
            }
        };
        let row = self.rows;
        let state = &mut self.columns[variant];
        let fit = scalar.write(state.column.data_type, row, &mut state.values);
        // An earlier run may have given the variant other digits after the point; text holds everything.
        if matches!(fit, Fit::Variant(_) | Fit::NeedsDouble) && data_type != DataType::Text {
            self.write_variant(column, DataType::Text, scalar);
        }
    }

    /// Writes a value of any kind as JSON text.
    pub(super) fn write_json(&mut self, shape: usize, slot: usize, key: &str, scalar: Scalar<'_>) {
        let json = scalar.document.json(scalar.node).as_bytes();
        let column = match self.column_for(shape, slot, key, DataType::Json) {
            Room::At(column) => column,
            Room::Full => return self.write_extra(shape, key, scalar.document.json(scalar.node)),
            Room::Refused => return,
        };
        let row = self.rows;
        match self.columns[column].column.data_type {
            DataType::Json | DataType::Text => self.columns[column].values.push_bytes(row, json),
            _ => {
                let data_type = DataType::Json;
                self.write_variant(column, data_type, scalar);
            }
        }
    }

    /// Whether the table's definition changed since it was last asked, and its definition.
    pub(super) fn take_change(&mut self) -> Option<Table> {
        std::mem::take(&mut self.changed).then(|| self.definition())
    }

    /// The table as it is now.
    pub(super) fn definition(&self) -> Table {
        let columns = self.columns.iter().map(|state| state.column.clone()).collect();
        Table { columns, ..self.definition.clone() }
    }

    /// The collisions found since it was last asked.
    pub(super) fn take_collisions(&mut self) -> Vec<String> {
        std::mem::take(&mut self.collisions)
    }

    /// Names of columns declared not null that the last row left empty.
    pub(super) fn missing(&self) -> Option<&str> {
        let empty = |state: &&ColumnState| !state.column.nullable && state.values.len() <= self.rows;
        self.columns.iter().find(empty).map(|state| state.column.name.as_str())
    }

    /// Hands on the rows written so far.
    ///
    /// # Errors
    /// Where Arrow refuses what was built.
    pub(super) fn finish(&mut self) -> Result<Vec<RecordBatch>, ArrowError> {
        let last = self.batch()?;
        let mut batches = std::mem::take(&mut self.full);
        batches.extend(last);
        Ok(batches)
    }

    /// The rows since the last batch; columns without a value in them are left out.
    fn batch(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        if rows == 0 {
            return Ok(None);
        }
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for state in self.columns.iter_mut().filter(|state| state.values.any()) {
            let (field, array) = state.values.finish(rows, &state.column)?;
            fields.push(field);
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::new(arrow_schema::Schema::new(fields));
        RecordBatch::try_new_with_options(schema, arrays, &options).map(Some)
    }
}

/// Eight characters made of a raw path: the same in every run.
fn suffix(path: &str) -> String {
    let mut hasher = Shake128::default();
    hasher.update(path.as_bytes());
    let mut bytes = [0; 4];
    hasher.finalize_xof().read(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
