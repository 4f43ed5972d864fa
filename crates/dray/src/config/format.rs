//! `endpoint.format` as written.

use super::model::{Located, Spot};
use crate::plan::Encoding;

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FormatType {
    Json,
    Jsonl,
    Csv,
    Xml,
}

/// `format`: all keys of all types, of which the reader lets through what fits the type.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct FormatConfig {
    pub at: Spot,
    pub kind: FormatType,
    pub encoding: Option<Encoding>,
    pub lossy: Option<bool>,
    /// `unpack: never`.
    pub packed: bool,
    pub delimiter: Option<u8>,
    pub quote: Option<u8>,
    pub header: Option<bool>,
    pub columns: Option<Located<Vec<String>>>,
    pub infer: Option<bool>,
    pub lists: Vec<String>,
}
