//! How much memory DuckDB takes.
//!
//! By itself it takes what it gets, up to four fifths of the machine: it keeps what it has written to the file in memory
//! too, for it cannot know that a load never reads that again. So it gets a limit, and what could be read from the file is
//! dropped after every commit. Each column that is written holds memory of its own, so the limit grows with the columns:
//! 110 of them were refused 75 MB and content with 96.

use super::sql::{Session, literal};
use crate::error::{Error, Result};

/// Says how much DuckDB may take (`1GB`), in place of what is reckoned here.
pub(super) const VARIABLE: &str = "DRAY_DUCKDB_MEMORY_LIMIT";

/// Bytes for everything that is not a column.
const BASE: u64 = 128 << 20;
/// Bytes a column.
const COLUMN: u64 = 1 << 20;
/// Bytes of the file that may stay in memory.
const KEPT: u64 = 4 << 20;

/// The limit, and keeping below it.
pub(super) struct Memory {
    /// A connection of its own: what is refused here ends no transaction.
    session: Session,
    /// The limit in bytes; none where the user has set one.
    limit: Option<u64>,
    /// As DuckDB would have it.
    most: u64,
}

impl Memory {
    /// Sets the limit that the user wants, or the least.
    pub(super) fn new(mut session: Session, wanted: Option<&str>) -> Result<Self> {
        if let Some(wanted) = wanted {
            session.run(&format!("SET memory_limit = {}", literal(wanted)), &[]).map_err(|error| {
                Error::new(error.kind(), format!("`{VARIABLE}` is not an amount of memory"))
                    .hint("write it as `512MB` or `2GB`")
                    .caused_by(error)
            })?;
        }
        let rows = session.rows("SELECT current_setting('memory_limit')", &[])?;
        let most = rows.into_iter().flatten().flatten().next().and_then(|text| bytes(&text));
        let mut memory = Self { session, limit: wanted.is_none().then_some(0), most: most.unwrap_or(BASE) };
        memory.allow(0)?;
        Ok(memory)
    }

    /// Makes room for writing so many columns.
    pub(super) fn allow(&mut self, columns: usize) -> Result<()> {
        let columns = u64::try_from(columns).unwrap_or(u64::MAX);
        let needed = BASE.saturating_add(columns.saturating_mul(COLUMN)).min(self.most);
        if self.limit.is_some_and(|limit| limit < needed) {
            self.limit = Some(needed);
            self.set(needed)?;
        }
        Ok(())
    }

    /// Drops what the file holds too. Where that is not possible, nothing is lost but memory.
    pub(super) fn trim(&mut self) {
        if let Err(error) = self.lower_for_a_moment() {
            tracing::debug!(error = error.chain(), "memory is not given back");
        }
    }

    fn lower_for_a_moment(&mut self) -> Result<()> {
        let used = "SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory() WHERE tag";
        let limit = self.limit.unwrap_or(self.most);
        if self.session.count(&format!("{used} = 'BASE_TABLE'"), &[])? <= KEPT {
            return Ok(());
        }
        let needed = self.session.count(&format!("{used} <> 'BASE_TABLE'"), &[])?;
        let lowered = self.set(needed.saturating_add(KEPT).min(limit));
        self.set(limit)?;
        lowered
    }

    fn set(&mut self, bytes: u64) -> Result<()> {
        self.session.run(&format!("SET memory_limit = '{bytes}B'"), &[]).map(drop)
    }
}

/// Reads an amount as DuckDB writes it: `18.8 GiB`.
fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ')?;
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    let factor: u64 = match unit {
        "bytes" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    let tenths = tenths.get(..1)?.parse::<u64>().ok()?;
    Some(whole.parse::<u64>().ok()?.saturating_mul(factor).saturating_add(tenths * factor / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        assert_eq!(bytes("18.8 GiB"), Some((18 << 30) + 8 * (1 << 30) / 10));
        assert_eq!(bytes("512 bytes"), Some(512));
        assert_eq!(bytes("61.0 MiB"), Some(61 << 20));
        assert_eq!(bytes("much"), None);
    }
}
