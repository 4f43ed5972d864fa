//! Tables and columns: what is known of them before and after a run.
//!
//! The stored form is dlt's own (`_dlt_version.schema`, dlt.md §3.7), so that dlt can carry on with a dataset.

pub(crate) mod naming;
pub mod stored;

use std::collections::HashMap;

/// A column's type; the names are dlt's (dlt.md §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "dlt's names")]
pub enum DataType {
    Text,
    Bigint,
    Double,
    Bool,
    /// An instant, kept in microseconds, UTC.
    Timestamp,
    Date,
    Time,
    /// 38 digits at the most, `scale` of them after the point.
    Decimal {
        scale: i8,
    },
    /// Kept as JSON text.
    Json,
    Binary,
}

impl DataType {
    /// dlt's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bigint => "bigint",
            Self::Double => "double",
            Self::Bool => "bool",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Time => "time",
            Self::Decimal { .. } => "decimal",
            Self::Json => "json",
            Self::Binary => "binary",
        }
    }

    /// dlt's names of the types.
    pub const NAMES: &[&str] = &[
        "text",
        "bigint",
        "double",
        "bool",
        "timestamp",
        "date",
        "time",
        "decimal",
        "wei",
        "json",
        "binary",
    ];

    /// The type with dlt's name (`wei` is a decimal without fraction; `decimal` has dlt's default scale 9).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "bigint" => Self::Bigint,
            "double" => Self::Double,
            "bool" => Self::Bool,
            "timestamp" => Self::Timestamp,
            "date" => Self::Date,
            "time" => Self::Time,
            "decimal" => Self::Decimal { scale: 9 },
            "wei" => Self::Decimal { scale: 0 },
            "json" => Self::Json,
            "binary" => Self::Binary,
            _ => return None,
        })
    }
}

/// What a configuration says of a column (`columns`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnHint {
    /// The key in the record, before naming rules.
    pub name: String,
    /// Its type.
    pub data_type: Option<DataType>,
    /// A null is refused.
    pub not_null: bool,
    /// A true (or not null) value deletes the row (merge only).
    pub hard_delete: bool,
    /// Which of two rows with one key stays: the first in this order (merge only).
    pub dedup_sort: Option<SortOrder>,
}

/// Ascending or descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SortOrder {
    Asc,
    Desc,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As in the database.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// It holds the values of another column that have another type (`<column>__v_<type>`).
    pub variant: bool,
    /// The raw key it belongs to, where its name has a suffix because two keys collided.
    pub source_key: Option<String>,
    /// A bigint whose values are all exact as a double, so that it may become one.
    pub exact_as_double: bool,
}

impl Column {
    /// A nullable column.
    #[must_use]
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        let exact_as_double = data_type == DataType::Bigint;
        Self {
            name: name.into(),
            data_type,
            nullable: true,
            variant: false,
            source_key: None,
            exact_as_double,
        }
    }
}

/// A table of the dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// As in the database.
    pub name: String,
    /// The table whose rows its rows belong to; none: a root table.
    pub parent: Option<String>,
    /// The resource that fills the root table; nested tables have their root's.
    pub resource: Option<String>,
    /// `append`, `replace`, `merge`: stored with root tables.
    pub write_disposition: Option<String>,
    /// In the order of their creation.
    pub columns: Vec<Column>,
}

impl Table {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// All tables of a dataset that one source fills.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// The source's name (`rest_api` unless configured): `schema_name` in dlt's tables.
    pub name: String,
    tables: Vec<Table>,
    by_name: HashMap<String, usize>,
}

impl Schema {
    /// An empty schema.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The tables in the order of their creation.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table of this name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.by_name.get(name).and_then(|index| self.tables.get(*index))
    }

    /// The table of this name, to be changed.
    pub fn table_mut(&mut self, name: &str) -> Option<&mut Table> {
        self.by_name.get(name).and_then(|index| self.tables.get_mut(*index))
    }

    /// Adds a table, or puts it in the place of the one with its name.
    pub fn put(&mut self, table: Table) {
        match self.by_name.get(&table.name) {
            Some(index) => {
                if let Some(slot) = self.tables.get_mut(*index) {
                    *slot = table;
                }
            }
            None => {
                self.by_name.insert(table.name.clone(), self.tables.len());
                self.tables.push(table);
            }
        }
    }
}
