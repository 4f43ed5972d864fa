//! Which rows of one checkpoint survive a merge: the last of each key, unless it deletes.
//!
//! Done on the Arrow columns of the key alone, so that the other columns are written once and never sorted.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use xxhash_rust::xxh3::xxh3_64;

use crate::destination::TableBatch;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{DataType, Table};

/// What came of looking at the keys of root rows.
#[derive(Debug, Default)]
pub(super) struct Survivors {
    /// For each batch of root rows, which rows stay; empty where all do.
    pub(super) keep: Vec<Vec<bool>>,
    /// `_dlt_id` of root rows that do not stay.
    pub(super) removed: HashSet<String>,
    /// Some row's key has a null part.
    pub(super) null_parts: bool,
    /// Digests of the keys of the rows that stay or are removed, without those that have a null part.
    pub(super) digests: Vec<u64>,
}

/// Decides which root rows stay. `batches` are root rows in the order in which they were seen.
pub(super) fn survivors(
    batches: &[&TableBatch],
    table: &Table,
    key: &[String],
    hard_delete: Option<&str>,
) -> Result<Survivors> {
    let mut keep: Vec<Vec<bool>> = batches.iter().map(|batch| vec![true; batch.rows.num_rows()]).collect();
    let mut last: HashMap<Vec<u8>, (usize, usize)> = HashMap::new();
    let mut null_parts = false;
    let mut any_removed = false;
    let mut digests = Vec::new();
    if !key.is_empty() {
        let mut bytes = Vec::new();
        for (number, batch) in batches.iter().enumerate() {
            let parts = parts(&batch.rows, table, key)?;
            for row in 0..batch.rows.num_rows() {
                bytes.clear();
                if !parts.iter().all(|part| part.encode(row, &mut bytes)) {
                    null_parts = true;
                    continue;
                }
                if let Some(place) = last.get_mut(&bytes) {
                    let (earlier, earlier_row) = std::mem::replace(place, (number, row));
                    unset(&mut keep, earlier, earlier_row);
                    any_removed = true;
                } else {
                    digests.push(xxh3_64(&bytes));
                    last.insert(bytes.clone(), (number, row));
                }
            }
        }
    }
    if let Some(column) = hard_delete {
        for (number, batch) in batches.iter().enumerate() {
            let Some(column) = batch.rows.column_by_name(column) else { continue };
            for row in (0..batch.rows.num_rows()).filter(|row| deletes(column, *row)) {
                unset(&mut keep, number, row);
                any_removed = true;
            }
        }
    }
    if !any_removed {
        return Ok(Survivors { keep: Vec::new(), removed: HashSet::new(), null_parts, digests });
    }
    let mut removed = HashSet::new();
    for (batch, keep) in batches.iter().zip(&keep) {
        collect_removed(&batch.rows, keep, &mut removed);
    }
    Ok(Survivors { keep, removed, null_parts, digests })
}

/// The keys that this run has put into tables that were empty before: rows with other keys replace nothing, and need not
/// be looked for.
#[derive(Debug, Default)]
pub(super) struct SeenKeys {
    /// By root table.
    tables: HashMap<String, Option<Seen>>,
}

/// The keys of one table.
#[derive(Debug, Default)]
struct Seen {
    /// Types of the key's columns: keys of another type may be equal to these without having their digests.
    types: Vec<(DataType, arrow_schema::DataType)>,
    /// Two keys of one digest are taken for one key, which costs a search and nothing else.
    digests: HashSet<u64, BuildHasherDefault<Itself>>,
}

/// More keys than this (some 20 MB) are not remembered; from there on each is looked for in the table.
const MOST_KEYS: usize = 1_000_000;

impl SeenKeys {
    /// Whether it is known if the table was empty before.
    pub(super) fn knows(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// Says whether the table was empty before the first rows of this run.
    pub(super) fn learn(&mut self, table: &str, empty: bool) {
        self.tables.insert(table.to_owned(), empty.then(Seen::default));
    }

    /// Whether none of these rows can have the key of a row that is there; remembers them.
    pub(super) fn are_new(&mut self, batches: &[&TableBatch], key: &[String], digests: &[u64]) -> bool {
        let Some(first) = batches.first() else { return true };
        let Some(known) = self.tables.get_mut(&first.table.name) else { return false };
        let Some(seen) = known else { return false };
        let same_types = batches.iter().all(|batch| {
            let types: Vec<_> = key.iter().filter_map(|name| types(batch, name)).collect();
            if seen.types.is_empty() {
                seen.types.clone_from(&types);
            }
            types.len() == key.len() && types == seen.types
        });
        if key.is_empty() || !same_types || seen.digests.len() + digests.len() > MOST_KEYS {
            *known = None;
            return false;
        }
        // Every one is remembered, whatever comes out.
        let known_before = digests.iter().filter(|digest| !seen.digests.insert(**digest)).count();
        known_before == 0
    }
}

fn types(batch: &TableBatch, name: &str) -> Option<(DataType, arrow_schema::DataType)> {
    let column = batch.rows.column_by_name(name)?;
    Some((batch.table.column(name)?.data_type, column.data_type().clone()))
}

/// A digest needs no further hashing.
#[derive(Debug, Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
}

/// Which rows of a nested table stay; adds those that do not to `removed`, for the tables below it.
pub(super) fn nested_survivors(rows: &RecordBatch, removed: &mut HashSet<String>) -> Vec<bool> {
    let owners = ["_dlt_parent_id", "_dlt_root_id"];
    let owners: Vec<&StringArray> = owners.iter().filter_map(|name| texts(rows, name)).collect();
    let gone = |row: usize| owners.iter().any(|ids| ids.is_valid(row) && removed.contains(ids.value(row)));
    let keep: Vec<bool> = (0..rows.num_rows()).map(|row| !gone(row)).collect();
    collect_removed(rows, &keep, removed);
    keep
}

/// The first key column that some row lacks, if any.
pub(super) fn lacking<'k>(rows: &RecordBatch, key: &'k [String]) -> Option<&'k str> {
    let lacks =
        |name: &&String| rows.column_by_name(name).is_none_or(|column| column.logical_null_count() > 0);
    key.iter().find(lacks).map(String::as_str)
}

fn unset(keep: &mut [Vec<bool>], batch: usize, row: usize) {
    if let Some(slot) = keep.get_mut(batch).and_then(|keep| keep.get_mut(row)) {
        *slot = false;
    }
}

fn collect_removed(rows: &RecordBatch, keep: &[bool], removed: &mut HashSet<String>) {
    let Some(ids) = texts(rows, "_dlt_id") else { return };
    for (row, _) in keep.iter().enumerate().filter(|(_, keep)| !**keep) {
        if ids.is_valid(row) {
            removed.insert(ids.value(row).to_owned());
        }
    }
}

fn texts<'r>(rows: &'r RecordBatch, name: &str) -> Option<&'r StringArray> {
    rows.column_by_name(name)?.as_any().downcast_ref()
}

/// A true value deletes; of another type, any value does (dlt.md §4.7).
fn deletes(column: &ArrayRef, row: usize) -> bool {
    match column.as_any().downcast_ref::<BooleanArray>() {
        Some(flags) => flags.is_valid(row) && flags.value(row),
        None => !column.is_null(row),
    }
}

/// A column of the key.
enum Part<'r> {
    Absent,
    Text(&'r StringArray),
    Int(&'r PrimitiveArray<Int64Type>),
    /// Whole numbers of a column that holds doubles by now.
    IntAsDouble(&'r PrimitiveArray<Int64Type>),
    Double(&'r PrimitiveArray<Float64Type>),
    Decimal(&'r PrimitiveArray<Decimal128Type>),
    Bool(&'r BooleanArray),
    Micros(&'r PrimitiveArray<TimestampMicrosecondType>),
    Date(&'r PrimitiveArray<Date32Type>),
    Time(&'r PrimitiveArray<Time64MicrosecondType>),
    Binary(&'r BinaryArray),
}

fn parts<'r>(rows: &'r RecordBatch, table: &Table, key: &[String]) -> Result<Vec<Part<'r>>> {
    key.iter()
        .map(|name| {
            let Some(column) = rows.column_by_name(name) else { return Ok(Part::Absent) };
            let double = table.column(name).is_some_and(|column| column.data_type == DataType::Double);
            part(column, double).ok_or_else(|| {
                Error::new(ErrorKind::Bug, format!("cannot compare keys of type {}", column.data_type()))
                    .with("table", &table.name)
                    .with("column", name)
            })
        })
        .collect()
}

fn part(column: &ArrayRef, double: bool) -> Option<Part<'_>> {
    let any = column.as_any();
    if let Some(values) = any.downcast_ref() {
        return Some(if double { Part::IntAsDouble(values) } else { Part::Int(values) });
    }
    None.or_else(|| any.downcast_ref().map(Part::Text))
        .or_else(|| any.downcast_ref().map(Part::Double))
        .or_else(|| any.downcast_ref().map(Part::Decimal))
        .or_else(|| any.downcast_ref().map(Part::Bool))
        .or_else(|| any.downcast_ref().map(Part::Micros))
        .or_else(|| any.downcast_ref().map(Part::Date))
        .or_else(|| any.downcast_ref().map(Part::Time))
        .or_else(|| any.downcast_ref().map(Part::Binary))
}

impl Part<'_> {
    /// Adds the value to the key's bytes, so that equal keys have equal bytes and others do not; false for a null.
    fn encode(&self, row: usize, bytes: &mut Vec<u8>) -> bool {
        match self {
            Self::Absent => false,
            Self::Text(values) => values.is_valid(row) && sized(values.value(row).as_bytes(), bytes),
            Self::Binary(values) => values.is_valid(row) && sized(values.value(row), bytes),
            Self::Int(values) => values.is_valid(row) && number(i128::from(values.value(row)), 0, bytes),
            #[expect(clippy::cast_precision_loss, reason = "the column became double because all are exact")]
            Self::IntAsDouble(values) => values.is_valid(row) && float(values.value(row) as f64, bytes),
            Self::Double(values) => values.is_valid(row) && float(values.value(row), bytes),
            Self::Decimal(values) => values.is_valid(row) && number(values.value(row), values.scale(), bytes),
            Self::Bool(values) => values.is_valid(row) && fixed(&[u8::from(values.value(row))], bytes),
            Self::Micros(values) => values.is_valid(row) && fixed(&values.value(row).to_le_bytes(), bytes),
            Self::Date(values) => values.is_valid(row) && fixed(&values.value(row).to_le_bytes(), bytes),
            Self::Time(values) => values.is_valid(row) && fixed(&values.value(row).to_le_bytes(), bytes),
        }
    }
}

fn sized(value: &[u8], bytes: &mut Vec<u8>) -> bool {
    bytes.extend_from_slice(&value.len().to_le_bytes());
    fixed(value, bytes)
}

fn fixed(value: &[u8], bytes: &mut Vec<u8>) -> bool {
    bytes.extend_from_slice(value);
    true
}

fn float(value: f64, bytes: &mut Vec<u8>) -> bool {
    // Minus zero equals zero.
    fixed(&(value + 0.0).to_bits().to_le_bytes(), bytes)
}

/// 1.50 and 1.5 are one key, whatever scale they came with.
fn number(mut value: i128, mut scale: i8, bytes: &mut Vec<u8>) -> bool {
    while scale > 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    bytes.extend_from_slice(&scale.to_le_bytes());
    fixed(&value.to_le_bytes(), bytes)
}
