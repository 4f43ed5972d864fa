//! The tables that are about loads, not data: dlt's three, and two of our own.

use serde_json::Value;

use super::ddl::Catalog;
use super::sql::{Param, Session};
use crate::destination::RunIdentity;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::stored::{self, StoredSchema};
use crate::schema::{Column, DataType, Schema, Table};
use crate::state::stored::{self as stored_state, StoredState};

/// One row a pipeline: who writes, how often it has committed, and which passes and loads are open.
pub(super) const WRITERS: &str = "_dray_writers";
/// One row a partition of an open pass.
pub(super) const POSITIONS: &str = "_dray_positions";

/// Begins `_dlt_id` of the state rows written here. dlt's states count only with their load, since dlt commits them
/// apart from the rows that they cover; ours are committed with those rows and count at once.
const OWN_STATE: &str = "dray_";

/// Makes the tables that are missing.
pub(super) fn create(session: &mut Session, catalog: &mut Catalog) -> Result<()> {
    let own = [
        table(
            WRITERS,
            &[
                ("pipeline_name", DataType::Text),
                ("epoch", DataType::Bigint),
                ("sequence", DataType::Bigint),
                ("ledger", DataType::Json),
            ],
        ),
        table(
            POSITIONS,
            &[
                ("pipeline_name", DataType::Text),
                ("resource", DataType::Text),
                ("partition", DataType::Text),
                ("place", DataType::Json),
                ("done", DataType::Bool),
            ],
        ),
    ];
    for table in stored::system_tables().iter().chain(&own) {
        catalog.ensure(session, &table.name, table, true)?;
    }
    Ok(())
}

fn table(name: &str, columns: &[(&str, DataType)]) -> Table {
    let columns = columns
        .iter()
        .map(|(name, data_type)| Column {
            nullable: *data_type == DataType::Json,
            ..Column::new(*name, *data_type)
        })
        .collect();
    Table { name: name.to_owned(), parent: None, resource: None, write_disposition: None, columns }
}

/// Takes the pipeline's next epoch.
pub(super) fn next_epoch(session: &mut Session, catalog: &Catalog, pipeline: &str) -> Result<i64> {
    let table = catalog.qualified(WRITERS);
    let name = Param::Text(pipeline);
    let changed = session.run(
        &format!("UPDATE {table} SET epoch = epoch + 1, sequence = 0 WHERE pipeline_name = ?"),
        &[name],
    )?;
    if changed == 0 {
        session.run(
            &format!("INSERT INTO {table} (pipeline_name, epoch, sequence) VALUES (?, 1, 0)"),
            &[name],
        )?;
    }
    let epoch = session.count(&format!("SELECT max(epoch) FROM {table} WHERE pipeline_name = ?"), &[name])?;
    i64::try_from(epoch).map_err(|error| {
        Error::new(ErrorKind::State, "the pipeline's epoch is out of range").caused_by(error)
    })
}

/// Checks that this run still is the pipeline's writer, and counts the commit.
pub(super) fn check_writer(
    session: &mut Session,
    catalog: &Catalog,
    pipeline: &str,
    epoch: i64,
    sequence: i64,
) -> Result<()> {
    let sql = format!(
        "UPDATE {} SET sequence = sequence + 1 WHERE pipeline_name = ? AND epoch = ? AND sequence = ?",
        catalog.qualified(WRITERS)
    );
    match session.run(&sql, &[Param::Text(pipeline), Param::Int(epoch), Param::Int(sequence)])? {
        1 => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Destination,
            format!("another run has taken over pipeline `{pipeline}`"),
        )
        .hint("let one run of a pipeline write at a time")),
    }
}

/// How often the writer of this epoch has committed; none where another has taken over.
pub(super) fn sequence(
    session: &mut Session,
    catalog: &Catalog,
    pipeline: &str,
    epoch: i64,
) -> Result<Option<i64>> {
    let table = catalog.qualified(WRITERS);
    let sql = format!("SELECT sequence FROM {table} WHERE pipeline_name = ? AND epoch = ?");
    let rows = session.rows(&sql, &[Param::Text(pipeline), Param::Int(epoch)])?;
    Ok(rows.into_iter().flatten().flatten().next().and_then(|text| text.parse().ok()))
}

/// The newest schema of this name. Versions grow with every change; a clock may go back.
pub(super) fn newest_schema(
    session: &mut Session,
    catalog: &Catalog,
    name: &str,
) -> Result<Option<StoredSchema>> {
    let sql = format!(
        "SELECT schema FROM {} WHERE schema_name = ? ORDER BY version DESC, inserted_at DESC LIMIT 1",
        catalog.qualified("_dlt_version")
    );
    first_cell(session, &sql, name)?.map(|text| StoredSchema::parse(&text)).transpose()
}

/// The newest state of the pipeline that counts. dlt too gives each change the next version; load ids come from a clock,
/// which may go back.
pub(super) fn newest_state(
    session: &mut Session,
    catalog: &Catalog,
    pipeline: &str,
) -> Result<Option<StoredState>> {
    let (states, loads) = (catalog.qualified("_dlt_pipeline_state"), catalog.qualified("_dlt_loads"));
    let sql = format!(
        "SELECT s.state FROM {states} AS s WHERE s.pipeline_name = ? AND (starts_with(s._dlt_id, '{OWN_STATE}') \
         OR EXISTS (SELECT 1 FROM {loads} AS l WHERE l.load_id = s._dlt_load_id AND l.status = 0)) \
         ORDER BY s.version DESC, TRY_CAST(s._dlt_load_id AS DOUBLE) DESC, s.created_at DESC LIMIT 1"
    );
    first_cell(session, &sql, pipeline)?.map(|text| stored_state::parse(&text)).transpose()
}

fn first_cell(session: &mut Session, sql: &str, name: &str) -> Result<Option<String>> {
    let rows = session.rows(sql, &[Param::Text(name)])?;
    Ok(rows.into_iter().flatten().flatten().next())
}

/// Stores the schema if it differs from the newest stored one; gives what is the newest then.
pub(super) fn put_schema(
    session: &mut Session,
    catalog: &Catalog,
    schema: &Schema,
    newest: Option<&StoredSchema>,
    at_micros: i64,
) -> Result<Option<StoredSchema>> {
    let stored = StoredSchema::render(schema, newest);
    if newest.is_some_and(|newest| newest.hash == stored.hash) {
        return Ok(None);
    }
    session.run(
        &format!(
            "INSERT INTO {} (version, engine_version, inserted_at, schema_name, version_hash, schema) \
             VALUES (?, ?, ?, ?, ?, ?)",
            catalog.qualified("_dlt_version")
        ),
        &[
            Param::Int(stored.version),
            Param::Int(stored::ENGINE_VERSION),
            Param::Micros(at_micros),
            Param::Text(&schema.name),
            Param::Text(&stored.hash),
            Param::Text(&stored.text()),
        ],
    )?;
    Ok(Some(stored))
}

/// Stores the state if it differs from the newest stored one; gives what is the newest then.
pub(super) fn put_state(
    session: &mut Session,
    catalog: &Catalog,
    run: &RunIdentity,
    state: &Value,
    newest: Option<&StoredState>,
    at_micros: i64,
    id: &str,
) -> Result<Option<StoredState>> {
    let stored = stored_state::seal(state, newest);
    if newest.is_some_and(|newest| newest.hash == stored.hash) {
        return Ok(None);
    }
    let text = stored_state::text(&stored)?;
    session.run(
        &format!(
            "INSERT INTO {} (version, engine_version, pipeline_name, state, created_at, version_hash, _dlt_load_id, _dlt_id) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            catalog.qualified("_dlt_pipeline_state")
        ),
        &[
            Param::Int(stored.version),
            Param::Int(stored_state::ENGINE_VERSION),
            Param::Text(&run.pipeline),
            Param::Text(&text),
            Param::Micros(at_micros),
            Param::Text(&stored.hash),
            Param::Text(&run.load_id),
            Param::Text(&format!("{OWN_STATE}{id}")),
        ],
    )?;
    Ok(Some(stored))
}

/// Notes that a load is complete.
pub(super) fn put_load(
    session: &mut Session,
    catalog: &Catalog,
    load_id: &str,
    schema: &str,
    schema_hash: Option<&str>,
    at_micros: i64,
) -> Result<()> {
    let table = catalog.qualified("_dlt_loads");
    let mut params = vec![Param::Text(load_id), Param::Text(schema), Param::Micros(at_micros)];
    let hash = match schema_hash {
        Some(hash) => {
            params.push(Param::Text(hash));
            "?"
        }
        None => "NULL",
    };
    let sql = format!(
        "INSERT INTO {table} (load_id, schema_name, status, inserted_at, schema_version_hash) VALUES (?, ?, 0, ?, {hash})"
    );
    session.run(&sql, &params).map(drop)
}
