//! Keeping a table as it is, where the configuration says so (`schema_contract`): values that would change it are left out
//! and counted, or fail their resource.

use super::Normalizer;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::Page;
use crate::plan::{Contract, ContractMode};
use crate::schema::naming;

/// What was left out of a resource's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discarded {
    /// Rows for tables that may not be made.
    pub rows: u64,
    /// Values for columns that may not be made.
    pub values: u64,
}

/// Keeps the contract of one table.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    pub(super) contract: Contract,
    /// The table was made for this reading of its resource: it takes the columns that come.
    pub(super) new: bool,
    /// What was left out so far.
    pub(super) discarded: Discarded,
    /// What would have changed it although it is frozen: the column, and the contract that forbids it.
    breach: Option<(String, &'static str)>,
}

impl Keeper {
    pub(super) fn new(contract: Contract, new: bool) -> Self {
        Self { contract, new, ..Self::default() }
    }

    /// Whether a value may have a new column.
    pub(super) fn column(&mut self, name: &str) -> bool {
        let mode = if self.new { ContractMode::Evolve } else { self.contract.columns };
        self.allows(mode, "columns", name, Discarded { rows: 0, values: 1 })
    }

    /// Whether a value may change the type of its column, or have another column for its own type.
    pub(super) fn data_type(&mut self, name: &str) -> bool {
        self.allows(self.contract.data_type, "data_type", name, Discarded { rows: 0, values: 1 })
    }

    /// Whether a list of so many items may have a new table.
    pub(super) fn table(&mut self, name: &str, items: usize) -> bool {
        let rows = u64::try_from(items).unwrap_or(u64::MAX);
        self.allows(self.contract.tables, "tables", name, Discarded { rows, values: 0 })
    }

    fn allows(&mut self, mode: ContractMode, key: &'static str, name: &str, data: Discarded) -> bool {
        match mode {
            ContractMode::Evolve => return true,
            ContractMode::Discard => {
                self.discarded.rows += data.rows;
                self.discarded.values += data.values;
            }
            ContractMode::Freeze => {
                self.breach.get_or_insert_with(|| (name.to_owned(), key));
            }
        }
        false
    }

    /// Why the resource fails, if it does.
    pub(super) fn take_breach(&mut self, table: &str) -> Option<Error> {
        let (name, key) = self.breach.take()?;
        Some(frozen(key, table, &name))
    }
}

impl Normalizer {
    /// Whether the records of a page have no root table and may have none.
    pub(super) fn has_no_place(&mut self, page: &Page) -> Result<bool> {
        let rules = &mut self.resources[page.resource];
        if rules.root.is_some() || rules.load.contract.tables == ContractMode::Evolve {
            return Ok(false);
        }
        let name = naming::normalize(&rules.load.table);
        if self.by_name.contains_key(&name) || self.schema.table(&name).is_some() {
            return Ok(false);
        }
        if rules.load.contract.tables == ContractMode::Freeze {
            let error = frozen("tables", &name, &name);
            return Err(error.with("resource", &rules.name).with("page", page.number));
        }
        rules.unplaced += u64::try_from(page.records.len()).unwrap_or(u64::MAX);
        Ok(true)
    }

    /// What would have changed a frozen table of the page's resource.
    pub(super) fn breach(&mut self, page: &Page) -> Option<Error> {
        let rules = &self.resources[page.resource];
        if rules.load.contract == Contract::default() {
            return None;
        }
        let own = self.tables.iter_mut().filter(|table| table.resource == page.resource);
        let error = own.filter_map(|table| table.keeper.take_breach(&table.name)).next()?;
        Some(error.with("resource", &rules.name).with("page", page.number))
    }

    /// The tables of a resource were made for the reading that goes on: they still take the columns that come.
    pub fn goes_on_fresh(&mut self, resource: usize) {
        if let Some(rules) = self.resources.get_mut(resource) {
            rules.fresh = true;
        }
    }

    /// Whether they were, and the contract of the resource asks.
    #[must_use]
    pub fn is_fresh(&self, resource: usize) -> bool {
        self.resources.get(resource).is_some_and(|rules| {
            rules.load.contract.columns != ContractMode::Evolve
                && (rules.fresh || rules.root.is_some_and(|root| self.tables[root].keeper.new))
        })
    }

    /// What was left out of a resource's data, as its contract says.
    #[must_use]
    pub fn discarded(&self, resource: usize) -> Discarded {
        let unplaced = self.resources.get(resource).map_or(0, |rules| rules.unplaced);
        let own = self.tables.iter().filter(|table| table.resource == resource);
        own.fold(Discarded { rows: unplaced, values: 0 }, |sum, table| Discarded {
            rows: sum.rows + table.keeper.discarded.rows,
            values: sum.values + table.keeper.discarded.values,
        })
    }

    /// What keeps the contract of a table of a resource; `known`: it was there before this run.
    pub(super) fn keeper(&self, resource: usize, known: bool) -> Keeper {
        let rules = &self.resources[resource];
        Keeper::new(rules.load.contract, !known || rules.fresh)
    }
}

/// The error of data that would change what is frozen.
fn frozen(key: &'static str, table: &str, name: &str) -> Error {
    let message = match key {
        "tables" => "a record needs a new table, and tables are frozen",
        "columns" => "a record has a value without a column, and columns are frozen",
        _ => "a value has another type than its column, and types are frozen",
    };
    Error::new(ErrorKind::Schema, message).with("table", table).with("column", name).hint(format!(
        "`schema_contract: {{{key}: evolve}}` lets the table change, `discard_value` leaves such data out"
    ))
}
