//! Tables that several resources fill.

/// What a resource must know of the others that fill its table: their rows are told apart by a column that names the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedTable {
    /// The other resources.
    pub others: Vec<String>,
    /// One of all of them merges.
    pub merges: bool,
}
