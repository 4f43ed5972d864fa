//! What new data may change of the tables (`schema_contract`).

/// What happens to data that would change a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ContractMode {
    /// The table changes.
    #[default]
    Evolve,
    /// The resource fails.
    Freeze,
    /// The data is left out and counted.
    Discard,
}

/// The modes of a resource (dlt.md §3.8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contract {
    /// New tables.
    pub tables: ContractMode,
    /// New columns of tables that were there before.
    pub columns: ContractMode,
    /// Columns for values that have another type than their column.
    pub data_type: ContractMode,
}
