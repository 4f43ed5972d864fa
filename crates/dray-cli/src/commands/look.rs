//! `dray schema`, `dray state`, `dray loads`: look into a dataset. Nothing is written, nobody is locked out.

use dray::destination::duckdb::DuckDb;
use dray::error::{Error, ErrorKind, Result};
use dray::state::stored::parse;

use crate::args::Look;
use crate::execute::Place;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::source::pipeline_name;
use crate::table::{Align, render};

fn place(args: &Look) -> Result<Place> {
    let pipeline = match (&args.target.pipeline, &args.config) {
        (Some(pipeline), _) => pipeline.clone(),
        (None, Some(config)) => pipeline_name(config),
        (None, None) => {
            return Err(Error::new(ErrorKind::Config, "neither a configuration nor a pipeline is given")
                .hint("name the configuration that was run, or --pipeline NAME"));
        }
    };
    Place::of(&args.target, &pipeline)
}

/// A text inside SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name inside SQL.
pub(super) fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// The rows of a query; nulls are empty.
pub(super) fn rows(database: &mut DuckDb, sql: &str) -> Result<Vec<Vec<String>>> {
    let rows = database.query(sql)?;
    Ok(rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect())
}

/// Opens the database; the dataset must be in it.
fn open(place: &Place) -> Result<DuckDb> {
    let mut database = place.open()?;
    let sql = "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name = '_dlt_version' ORDER BY 1";
    let datasets: Vec<String> = rows(&mut database, sql)?.into_iter().flatten().collect();
    if datasets.contains(&place.dataset) {
        return Ok(database);
    }
    let error = Error::new(ErrorKind::Destination, format!("there is no dataset `{}`", place.dataset))
        .with("file", place.path.display());
    Err(match datasets.as_slice() {
        [] => error.hint("nothing was loaded into this file yet"),
        _ => error.hint(format!("there is {}: name it with --dataset", datasets.join(", "))),
    })
}

/// Tables and columns with their types.
pub(crate) fn schema(args: &Look, printer: &Printer) -> Result<Exit> {
    let place = place(args)?;
    let sql = format!(
        "SELECT table_name, column_name, data_type FROM information_schema.columns \
         WHERE table_schema = {} ORDER BY table_name, ordinal_position",
        literal(&place.dataset)
    );
    let rows = rows(&mut open(&place)?, &sql)?;
    printer.out(&render(&[("table", Align::Left), ("column", Align::Left), ("type", Align::Left)], &rows))?;
    Ok(Exit::Success)
}

/// The newest state of a pipeline, as JSON.
pub(crate) fn state(args: &Look, printer: &Printer) -> Result<Exit> {
    let place = place(args)?;
    let sql = format!(
        "SELECT state FROM {}._dlt_pipeline_state WHERE pipeline_name = {} ORDER BY version DESC LIMIT 1",
        name(&place.dataset),
        literal(&place.pipeline)
    );
    let rows = rows(&mut open(&place)?, &sql)?;
    match rows.first().and_then(|row| row.first()) {
        Some(text) => printer.out(&format!("{:#}\n", parse(text)?.value))?,
        None => printer.err("nothing is stored yet"),
    }
    Ok(Exit::Success)
}

/// The complete loads of a dataset.
pub(crate) fn loads(args: &Look, printer: &Printer) -> Result<Exit> {
    let place = place(args)?;
    let sql = format!(
        "SELECT load_id, schema_name, status, inserted_at FROM {}._dlt_loads ORDER BY load_id",
        name(&place.dataset)
    );
    let rows = rows(&mut open(&place)?, &sql)?;
    let header = [
        ("load", Align::Left),
        ("schema", Align::Left),
        ("status", Align::Right),
        ("loaded at", Align::Left),
    ];
    printer.out(&render(&header, &rows))?;
    Ok(Exit::Success)
}
