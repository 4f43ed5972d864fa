//! Records that cannot be loaded, kept beside the data where the configuration asks for it.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray};

use super::ddl::Catalog;
use super::sql::{Param, Session};
use super::write;
use crate::destination::{Commit, RejectedRecord, RunIdentity};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Column, DataType, Table};

/// Made with the first reject.
pub(super) const REJECTS: &str = "_dray_rejects";

/// Writes the rejects of a commit.
pub(super) fn put(
    session: &mut Session,
    catalog: &mut Catalog,
    run: &RunIdentity,
    commit: &Commit<'_>,
) -> Result<()> {
    if commit.rejects.is_empty() {
        return Ok(());
    }
    let table = definition();
    catalog.ensure(session, REJECTS, &table, true)?;
    let batch = batch(run, &commit.rejects)
        .map_err(|error| Error::new(ErrorKind::Bug, "cannot build a batch of rejects").caused_by(error))?;
    match catalog.table(REJECTS) {
        Some(shape) => write::ingest(session, catalog.target(&shape.name), &shape.columns, &[batch]),
        None => Ok(()),
    }
}

/// Takes back what a resource left here in some loads: it will be read again.
pub(super) fn take_back<'l>(
    session: &mut Session,
    catalog: &Catalog,
    pipeline: &str,
    resource: &str,
    loads: impl IntoIterator<Item = &'l String>,
) -> Result<()> {
    if catalog.table(REJECTS).is_none() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM {} WHERE pipeline_name = ? AND load_id = ? AND resource = ?",
        catalog.qualified(REJECTS)
    );
    for load in loads {
        session.run(&sql, &[Param::Text(pipeline), Param::Text(load), Param::Text(resource)])?;
    }
    Ok(())
}

fn definition() -> Table {
    let column = |name: &str, data_type| Column { nullable: false, ..Column::new(name, data_type) };
    let columns = vec![
        column("pipeline_name", DataType::Text),
        column("load_id", DataType::Text),
        column("resource", DataType::Text),
        column("partition", DataType::Text),
        column("page", DataType::Bigint),
        column("pointer", DataType::Text),
        column("reason", DataType::Text),
        column("bytes", DataType::Bigint),
        column("raw", DataType::Binary),
    ];
    Table { name: REJECTS.to_owned(), parent: None, resource: None, write_disposition: None, columns }
}

fn batch(run: &RunIdentity, rejects: &[RejectedRecord]) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let texts = |of: &dyn Fn(&RejectedRecord) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rejects.iter().map(of)))
    };
    let numbers = |of: &dyn Fn(&RejectedRecord) -> u64| -> ArrayRef {
        let number = |reject: &RejectedRecord| i64::try_from(of(reject)).unwrap_or(i64::MAX);
        Arc::new(Int64Array::from_iter_values(rejects.iter().map(number)))
    };
    RecordBatch::try_from_iter([
        ("pipeline_name", texts(&|_| run.pipeline.clone())),
        ("load_id", texts(&|_| run.load_id.clone())),
        ("resource", texts(&|reject| reject.resource.clone())),
        ("partition", texts(&|reject| reject.partition.to_string())),
        ("page", numbers(&|reject| reject.page)),
        ("pointer", texts(&|reject| reject.pointer.clone())),
        ("reason", texts(&|reject| reject.reason.clone().into_owned())),
        ("bytes", numbers(&|reject| reject.bytes)),
        ("raw", Arc::new(BinaryArray::from_iter_values(rejects.iter().map(|reject| &*reject.raw)))),
    ])
}
