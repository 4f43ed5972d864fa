//! SQL over one ADBC connection: quoting, parameters, bulk ingest, and DuckDB's errors made ours.

use std::fmt;
use std::sync::Arc;

use adbc_core::error::Error as AdbcError;
use adbc_core::options::{OptionStatement, OptionValue};
use adbc_core::{Connection, Optionable, Statement};
use adbc_driver_manager::{ManagedConnection, ManagedStatement};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchIterator, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};

use crate::error::{Error, ErrorKind, Result};
use crate::steps::Steps;

/// How DuckDB says that its memory is at an end.
const OUT_OF_MEMORY: [&str; 3] = ["Out of Memory", "could not allocate block", "failed to pin block"];

pub(super) const COMMIT: &str = "COMMIT";
/// The step at which a commit is durable and nobody knows it yet.
pub(super) const AFTER_COMMIT: &str = "after a commit";

/// A value bound to a `?`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Param<'a> {
    Text(&'a str),
    Int(i64),
    /// An instant in microseconds.
    Micros(i64),
}

impl Param<'_> {
    fn array(self) -> ArrayRef {
        match self {
            Self::Text(text) => Arc::new(StringArray::from(vec![text])),
            Self::Int(value) => Arc::new(Int64Array::from(vec![value])),
            Self::Micros(value) => {
                Arc::new(TimestampMicrosecondArray::from(vec![value]).with_timezone("UTC"))
            }
        }
    }
}

/// Where rows are ingested.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    /// A table of a schema of the database.
    Table { catalog: &'a str, schema: &'a str, table: &'a str },
    /// A temporary table of this connection.
    Temporary(&'a str),
}

/// A connection.
pub(super) struct Session {
    connection: ManagedConnection,
    steps: Steps,
}

impl Session {
    pub(super) fn new(connection: ManagedConnection) -> Self {
        Self { connection, steps: Steps::default() }
    }

    /// Lets somebody watch each statement, before and after it.
    pub(super) fn watch(&mut self, steps: Steps) {
        self.steps = steps;
    }

    /// Runs a statement; gives the rows that it changed.
    pub(super) fn run(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        self.steps.next("before a statement")?;
        let mut statement = self.prepare(sql, params)?;
        let changed = statement.execute_update().map_err(|error| failed(&error))?;
        self.steps.next(if sql == COMMIT { AFTER_COMMIT } else { "after a statement" })?;
        Ok(changed.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    /// Runs a query whose columns may be of any type; gives its rows as text, as DuckDB writes it.
    pub(super) fn texts(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        let sql = sql.trim_end().trim_end_matches(';');
        // On a line of its own: a query may end in a comment.
        self.rows(&format!("SELECT COLUMNS(*)::VARCHAR FROM ({sql}\n)"), &[])
    }

    /// Runs a query of texts, 64-bit integers and booleans; gives its rows as text.
    pub(super) fn rows(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Vec<Option<String>>>> {
        let mut statement = self.prepare(sql, params)?;
        let reader = statement.execute().map_err(|error| failed(&error))?;
        let mut rows = Vec::new();
        for batch in reader {
            let batch = batch.map_err(|error| failed_with(&error.to_string()))?;
            for row in 0..batch.num_rows() {
                rows.push(batch.columns().iter().map(|column| cell(column, row)).collect::<Result<_>>()?);
            }
        }
        Ok(rows)
    }

    /// The first column of a query's first row as a number; zero where there is none.
    pub(super) fn count(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        let rows = self.rows(sql, params)?;
        let first = rows.first().and_then(|row| row.first()).and_then(Option::as_deref);
        Ok(first.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// Adds `batches` (all of one schema: the table's columns in their order) to a table.
    pub(super) fn ingest(
        &mut self,
        target: Target<'_>,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        let mut statement = self.connection.new_statement().map_err(|error| failed(&error))?;
        let mut options = vec![(OptionStatement::IngestMode, "adbc.ingest.mode.append")];
        match target {
            Target::Table { catalog, schema, table } => options.extend([
                (OptionStatement::TargetCatalog, catalog),
                (OptionStatement::TargetDbSchema, schema),
                (OptionStatement::TargetTable, table),
            ]),
            Target::Temporary(table) => {
                options.extend([(OptionStatement::TargetTable, table), (OptionStatement::Temporary, "true")]);
            }
        }
        for (option, value) in options {
            statement.set_option(option, OptionValue::from(value)).map_err(|error| failed(&error))?;
        }
        let reader = RecordBatchIterator::new(batches.into_iter().map(Ok::<_, ArrowError>), schema);
        statement.bind_stream(Box::new(reader)).map_err(|error| failed(&error))?;
        self.steps.next("before rows are written")?;
        statement.execute_update().map_err(|error| failed(&error))?;
        self.are_taken()?;
        self.steps.next("after rows are written")
    }

    /// What DuckDB finds wrong with the last rows of an ingest (a constraint, say) it does not tell: it only refuses
    /// whatever comes next in the transaction.
    fn are_taken(&mut self) -> Result<()> {
        let mut statement = self.prepare("SELECT 1", &[])?;
        let Err(error) = statement.execute().map(drop) else { return Ok(()) };
        let error = Error::new(ErrorKind::Schema, "the database refused rows and does not say why")
            .hint(format!(
                "see whether they violate a constraint of the table (NOT NULL, UNIQUE, CHECK), and whether memory (`{}=2GB` gives more) and disk suffice",
                super::memory::VARIABLE
            ))
            .caused_by(DuckDbMessage::new(&error.message));
        Err(error)
    }

    fn prepare(&mut self, sql: &str, params: &[Param<'_>]) -> Result<ManagedStatement> {
        let mut statement = self.connection.new_statement().map_err(|error| failed(&error))?;
        statement.set_sql_query(sql).map_err(|error| failed(&error))?;
        if !params.is_empty() {
            let columns: Vec<ArrayRef> = params.iter().map(|param| param.array()).collect();
            let fields: Vec<Field> = columns
                .iter()
                .enumerate()
                .map(|(index, column)| Field::new(index.to_string(), column.data_type().clone(), true))
                .collect();
            let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
                .map_err(|error| Error::new(ErrorKind::Bug, "cannot bind parameters").caused_by(error))?;
            statement.prepare().map_err(|error| failed(&error))?;
            statement.bind(batch).map_err(|error| failed(&error))?;
        }
        Ok(statement)
    }
}

/// The text of one cell.
fn cell(column: &ArrayRef, row: usize) -> Result<Option<String>> {
    if column.is_null(row) {
        return Ok(None);
    }
    let any = column.as_any();
    let text = if let Some(column) = any.downcast_ref::<StringArray>() {
        column.value(row).to_owned()
    } else if let Some(column) = any.downcast_ref::<Int64Array>() {
        column.value(row).to_string()
    } else if let Some(column) = any.downcast_ref::<BooleanArray>() {
        column.value(row).to_string()
    } else {
        return Err(Error::new(ErrorKind::Bug, "a query gives a type that is not read")
            .with("type", column.data_type()));
    };
    Ok(Some(text))
}

/// The one place where identifiers are quoted.
pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `"catalog"."schema"."table"`: in full, for a schema may have the name of the database.
pub(super) fn qualified(catalog: &str, schema: &str, table: &str) -> String {
    format!("{}.{}.{}", ident(catalog), ident(schema), ident(table))
}

/// The one place where a text becomes a literal, for where nothing can be bound.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub(super) fn failed(error: &AdbcError) -> Error {
    failed_with(&error.message)
}

fn failed_with(message: &str) -> Error {
    let error = Error::new(ErrorKind::Destination, "the database refused a statement");
    let error = if message.contains("No space left") {
        error.hint("free disk space and run again; nothing of this checkpoint was written")
    } else if OUT_OF_MEMORY.iter().any(|words| message.contains(words)) {
        error.hint(format!("give DuckDB more memory, as `{}=2GB`, and run again", super::memory::VARIABLE))
    } else {
        error
    };
    error.caused_by(DuckDbMessage::new(message))
}

/// What DuckDB said, without the statement and without the values that conversion and constraint errors quote.
#[derive(Debug)]
pub(super) struct DuckDbMessage(String);

impl DuckDbMessage {
    pub(super) fn new(message: &str) -> Self {
        let message = message.split("\n\nLINE ").next().unwrap_or_default();
        // Settings that nobody who runs dray can make.
        let message = message.split("\n\nPossible solutions").next().unwrap_or_default();
        let quotes_values =
            ["Conversion Error", "Constraint Error", "Invalid Input Error", "Out of Range Error"]
                .iter()
                .any(|kind| message.starts_with(kind));
        // Constraint errors on nulls name the column only, and people need that name.
        if !quotes_values || message.contains("NOT NULL constraint failed") {
            return Self(message.to_owned());
        }
        let kept = message.find(['"', '\'']).and_then(|end| message.get(..end));
        Self(kept.map_or_else(|| message.to_owned(), |kept| format!("{}…", kept.trim_end())))
    }
}

impl fmt::Display for DuckDbMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DuckDbMessage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_leave_their_quotes() {
        assert_eq!(ident(r#"a"; drop table b"#), r#""a""; drop table b""#);
        assert_eq!(literal("it's"), "'it''s'");
    }

    #[test]
    fn values_do_not_reach_messages() {
        let message =
            DuckDbMessage::new("Conversion Error: Could not convert string 'ann@example.com' to INT64");
        assert_eq!(message.to_string(), "Conversion Error: Could not convert string…");
        let message =
            DuckDbMessage::new("Catalog Error: Table with name z does not exist!\n\nLINE 1: select 'secret'");
        assert_eq!(message.to_string(), "Catalog Error: Table with name z does not exist!");
        let message =
            DuckDbMessage::new("failed to pin block (19.0 MiB used)\n\nPossible solutions:\n* SET x");
        assert_eq!(message.to_string(), "failed to pin block (19.0 MiB used)");
    }
}
