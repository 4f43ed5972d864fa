//! Which tables and columns are there, and making those that are not.

use std::collections::HashMap;

use super::sql::{Param, Session, Target, ident, qualified};
use super::types::{sql_type, widened};
use crate::error::Result;
use crate::schema::Table;

/// The tables of one schema of the database, as they are.
#[derive(Clone, Debug)]
pub(super) struct Catalog {
    database: String,
    schema: String,
    /// By name in lower case: DuckDB's names differ by more than case.
    tables: HashMap<String, Shape>,
}

/// A table in the database.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// As the database has its name.
    pub(super) name: String,
    /// Name and type, in the table's order.
    pub(super) columns: Vec<(String, String)>,
}

impl Shape {
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|(name, _)| name.eq_ignore_ascii_case(column))
    }
}

impl Catalog {
    pub(super) fn new(database: &str, schema: &str) -> Self {
        Self { database: database.to_owned(), schema: schema.to_owned(), tables: HashMap::new() }
    }

    /// Reads what is there.
    pub(super) fn read(session: &mut Session, database: &str, schema: &str) -> Result<Self> {
        let mut catalog = Self::new(database, schema);
        let rows = session.rows(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() \
             WHERE database_name = ? AND lower(schema_name) = lower(?) ORDER BY table_oid, column_index",
            &[Param::Text(database), Param::Text(schema)],
        )?;
        for row in rows {
            let mut cells = row.into_iter().map(Option::unwrap_or_default);
            let (Some(table), Some(column), Some(data_type)) = (cells.next(), cells.next(), cells.next())
            else {
                continue;
            };
            let shape = catalog.tables.entry(table.to_lowercase()).or_default();
            shape.name = table;
            shape.columns.push((column, data_type));
        }
        Ok(catalog)
    }

    pub(super) fn table(&self, name: &str) -> Option<&Shape> {
        self.tables.get(&name.to_lowercase())
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &Shape> {
        self.tables.values()
    }

    /// The table's name for statements.
    pub(super) fn qualified(&self, table: &str) -> String {
        qualified(&self.database, &self.schema, table)
    }

    pub(super) fn target<'a>(&'a self, table: &'a str) -> Target<'a> {
        Target::Table { catalog: &self.database, schema: &self.schema, table }
    }

    pub(super) fn create_schema(&self, session: &mut Session) -> Result<()> {
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {}.{}", ident(&self.database), ident(&self.schema));
        session.run(&sql, &[]).map(drop)
    }

    pub(super) fn drop_table(&mut self, session: &mut Session, name: &str) -> Result<()> {
        session.run(&format!("DROP TABLE IF EXISTS {}", self.qualified(name)), &[])?;
        self.tables.remove(&name.to_lowercase());
        Ok(())
    }

    /// Makes the table `name` hold what `table` describes; gives what had to be created.
    pub(super) fn ensure(
        &mut self,
        session: &mut Session,
        name: &str,
        table: &Table,
        constraints: bool,
    ) -> Result<Vec<String>> {
        let target = self.qualified(name);
        let mut created = Vec::new();
        let Some(shape) = self.tables.get_mut(&name.to_lowercase()) else {
            let columns: Vec<String> = table
                .columns
                .iter()
                .map(|column| {
                    let not_null = if column.nullable || !constraints { "" } else { " NOT NULL" };
                    format!("{} {}{not_null}", ident(&column.name), sql_type(column.data_type))
                })
                .collect();
            session.run(&format!("CREATE TABLE {target} ({})", columns.join(", ")), &[])?;
            let columns = table
                .columns
                .iter()
                .map(|column| (column.name.clone(), sql_type(column.data_type)))
                .collect();
            self.tables.insert(name.to_lowercase(), Shape { name: name.to_owned(), columns });
            return Ok(vec![name.to_owned()]);
        };
        for column in &table.columns {
            let quoted = ident(&column.name);
            match shape.columns.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(&column.name)) {
                // Rows that are there have no value, so the new column is nullable whatever the schema says.
                None => {
                    let data_type = sql_type(column.data_type);
                    session.run(&format!("ALTER TABLE {target} ADD COLUMN {quoted} {data_type}"), &[])?;
                    shape.columns.push((column.name.clone(), data_type));
                    created.push(format!("{name}.{}", column.name));
                }
                Some((_, present)) => {
                    if let Some(data_type) = widened(present, column.data_type) {
                        session.run(
                            &format!("ALTER TABLE {target} ALTER COLUMN {quoted} TYPE {data_type}"),
                            &[],
                        )?;
                        *present = data_type;
                    }
                }
            }
        }
        Ok(created)
    }
}
