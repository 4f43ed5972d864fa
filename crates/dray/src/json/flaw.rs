//! What is wrong inside a body that is JSON all the same: it spoils the record that holds it, and no other.

use std::fmt;

/// How large the values of a body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Containers inside each other. A deeper value is a flaw of its record.
    pub depth: usize,
    /// Keys of one object. An object with more is a flaw of its record.
    pub keys: usize,
    /// Values and keys of the whole body: what the tape costs. A body with more is refused.
    pub values: usize,
    /// Items of all lists of the body: each may become a row. A body with more is refused.
    pub items: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 128, keys: 10_000, values: 16_000_000, items: 1_000_000 }
    }
}

/// Why a value cannot be loaded as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlawKind {
    /// Bytes that are not UTF-8, in a text.
    Utf8,
    /// Half of a surrogate pair (`\ud83d` alone), which no text can hold.
    Surrogate,
    /// `NaN` or `Infinity`, which JSON does not have.
    NotANumber,
    /// More containers inside each other than allowed.
    Depth,
    /// An object with more keys than allowed.
    Keys,
    /// A row with more or fewer fields than the others; no JSON has it.
    Fields,
}

impl FlawKind {
    /// What is wrong, in a few words: the same for every record of the kind.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Utf8 => "bytes that are not UTF-8",
            Self::Surrogate => "half of a surrogate pair",
            Self::NotANumber => "NaN or Infinity, which JSON does not have",
            Self::Depth => "values inside each other beyond `client.limits.depth`",
            Self::Keys => "an object with more keys than `client.limits.keys`",
            Self::Fields => "a row with more or fewer fields than its header",
        }
    }
}

impl fmt::Display for FlawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Something wrong at a place of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Byte in the body.
    pub at: usize,
    /// What it is.
    pub kind: FlawKind,
}

/// So many flaws of one body are noted; a body with more is not what it says it is.
pub(super) const MOST: usize = 100_000;
