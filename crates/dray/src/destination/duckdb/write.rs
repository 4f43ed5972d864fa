//! Arrow batches into tables. Batches have some of a table's columns in any order; bulk ingest wants all of them in the
//! table's order, and casts what differs in type itself.
//!
//! Ingesting straight into the table is faster than by way of a temporary one: 0.50 s against 0.60 s of CPU for
//! 1,000,000 rows of 5 columns, 0.50 s against 0.80 s for 50,000 rows of 80.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, NullArray, RecordBatch, StringArray, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::sql::{Session, Target};
use crate::error::{Error, ErrorKind, Result};

/// A batch's columns in the table's order; none where it lacks one.
type Picked = Vec<Option<ArrayRef>>;

/// Adds rows to a table that has `columns`.
pub(super) fn ingest(
    session: &mut Session,
    target: Target<'_>,
    columns: &[(String, String)],
    batches: &[RecordBatch],
) -> Result<()> {
    for (schema, batches) in align(columns, batches)? {
        session.ingest(target, schema, batches)?;
    }
    Ok(())
}

/// Adds texts to a table that has one column.
pub(super) fn ingest_texts<'t>(
    session: &mut Session,
    target: Target<'_>,
    column: &str,
    texts: impl Iterator<Item = &'t str>,
) -> Result<()> {
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    let columns = [(column.to_owned(), "VARCHAR".to_owned())];
    let batch = RecordBatch::try_from_iter([(column, texts)])
        .map_err(|error| Error::new(ErrorKind::Bug, "cannot make a column of texts").caused_by(error))?;
    ingest(session, target, &columns, &[batch])
}

/// Brings batches to one schema, and to as few schemas as there must be where their types differ.
fn align(
    columns: &[(String, String)],
    batches: &[RecordBatch],
) -> Result<Vec<(SchemaRef, Vec<RecordBatch>)>> {
    let mut groups: Vec<(Vec<Option<DataType>>, Vec<Picked>)> = Vec::new();
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let picked = pick(columns, batch);
        if let Some((types, members)) = groups.last_mut()
            && fits(types, &picked)
        {
            for (known, array) in types.iter_mut().zip(&picked) {
                if known.is_none() {
                    *known = array.as_ref().map(|array| array.data_type().clone());
                }
            }
            members.push(picked);
        } else {
            let types =
                picked.iter().map(|array| array.as_ref().map(|array| array.data_type().clone())).collect();
            groups.push((types, vec![picked]));
        }
    }
    groups.into_iter().map(|(types, members)| assemble(columns, &types, members)).collect()
}

fn pick(columns: &[(String, String)], batch: &RecordBatch) -> Picked {
    let schema = batch.schema_ref();
    columns
        .iter()
        .map(|(name, _)| {
            let index = schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(name))?;
            batch.columns().get(index).cloned()
        })
        .collect()
}

fn fits(types: &[Option<DataType>], picked: &[Option<ArrayRef>]) -> bool {
    types.iter().zip(picked).all(|(known, array)| match (known, array) {
        (Some(known), Some(array)) => known == array.data_type(),
        _ => true,
    })
}

fn assemble(
    columns: &[(String, String)],
    types: &[Option<DataType>],
    members: Vec<Picked>,
) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let fields: Vec<Field> = columns
        .iter()
        .zip(types)
        .map(|((name, _), data_type)| Field::new(name, data_type.clone().unwrap_or(DataType::Null), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let mut batches = Vec::with_capacity(members.len());
    for member in members {
        let rows = member.iter().flatten().next().map_or(0, |array| array.len());
        // One for all columns of a type: a wide table has hundreds without a value.
        let mut empty: HashMap<DataType, ArrayRef> = HashMap::new();
        let arrays = member
            .into_iter()
            .zip(types)
            .map(|(array, data_type)| match (array, data_type) {
                (Some(array), _) => array,
                (None, Some(data_type)) => Arc::clone(
                    empty.entry(data_type.clone()).or_insert_with(|| new_null_array(data_type, rows)),
                ),
                (None, None) => Arc::new(NullArray::new(rows)),
            })
            .collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(|error| {
            Error::new(ErrorKind::Bug, "cannot bring rows to the table's columns").caused_by(error)
        })?;
        batches.push(batch);
    }
    Ok((schema, batches))
}

/// The rows of `batch` that `keep` marks, as slices: nothing is copied.
pub(super) fn slices(batch: &RecordBatch, keep: &[bool]) -> Vec<RecordBatch> {
    let mut slices = Vec::new();
    let mut start = 0;
    for run in keep.chunk_by(|left, right| left == right) {
        if run.first() == Some(&true) {
            slices.push(batch.slice(start, run.len()));
        }
        start += run.len();
    }
    slices
}

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, Int64Array};

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn batches_are_brought_to_the_tables_columns_and_split_where_types_change() {
        let columns: Vec<(String, String)> =
            ["a", "b", "c"].iter().map(|name| ((*name).to_owned(), "DOUBLE".to_owned())).collect();
        let int = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
        let text = || Arc::new(StringArray::from(vec!["x"])) as ArrayRef;
        let double = || Arc::new(Float64Array::from(vec![1.5])) as ArrayRef;
        let batches = [
            batch(vec![("b", text())]),
            batch(vec![("b", text()), ("a", int())]),
            batch(vec![("a", double())]),
        ];
        let groups = align(&columns, &batches).unwrap();
        let shape: Vec<(String, usize)> = groups
            .iter()
            .map(|(schema, batches)| {
                let types: Vec<String> =
                    schema.fields().iter().map(|field| field.data_type().to_string()).collect();
                (types.join(" "), batches.len())
            })
            .collect();
        assert_eq!(shape, [("Int64 Utf8 Null".to_owned(), 2), ("Float64 Null Null".to_owned(), 1)]);
    }

    #[test]
    fn slices_are_the_runs_of_kept_rows() {
        let rows = batch(vec![("a", Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5])) as ArrayRef)]);
        let lengths: Vec<usize> =
            slices(&rows, &[true, true, false, false, true]).iter().map(RecordBatch::num_rows).collect();
        assert_eq!(lengths, [2, 1]);
    }
}
