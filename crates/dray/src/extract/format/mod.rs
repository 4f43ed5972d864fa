//! Bodies that are not JSON, written as JSON before they are parsed: from there on there is one kind of page.

mod csv;
mod lines;
mod text;
pub(super) mod unpack;
mod xml;

use crate::json::{Flaw, ParseError};
use crate::plan::{FormatKind, Limits};

/// A body as JSON.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) json: Vec<u8>,
    /// Rows that are no records, by their place in it.
    pub(super) flaws: Vec<Flaw>,
}

/// Why a body cannot be written as JSON.
#[derive(Debug)]
pub(super) enum Wrong {
    /// It is not what it should be, from this line on.
    Malformed { line: usize, why: String },
    /// It is more than the key of `client.limits` allows.
    Beyond(&'static str),
    /// The JSON in it is wrong.
    Json { line: usize, cause: ParseError },
}

/// Writes a body as JSON.
pub(super) fn written(body: &[u8], kind: &FormatKind, limits: &Limits) -> Result<Written, Wrong> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match kind {
        FormatKind::Json => Ok(Written { json: body.to_vec(), flaws: Vec::new() }),
        FormatKind::Lines => lines::written(body),
        FormatKind::Csv(plan) => csv::written(body, plan, limits),
        FormatKind::Xml(plan) => xml::written(body, plan, limits),
    }
}

/// The line that a byte is on, counted from 1.
fn line_of(body: &[u8], at: usize) -> usize {
    memchr::memchr_iter(b'\n', body.get(..at.min(body.len())).unwrap_or_default()).count() + 1
}

/// Whether so much is more than a body may have.
fn within(length: usize, limits: &Limits) -> Result<(), Wrong> {
    let fits = u64::try_from(length).is_ok_and(|length| length <= limits.body_bytes);
    if fits { Ok(()) } else { Err(Wrong::Beyond("body")) }
}
