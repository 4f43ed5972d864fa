//! The one table of keys: what each takes, what it is without being set, what it means.
//!
//! `docs/dray.schema.json` and `docs/reference.md` are written from it, and a test holds it against what the reader asks
//! for, so that neither can say what is not so.

mod answers;
mod auth;
mod client;
mod endpoint;
mod incremental;
mod json_schema;
mod paginator;
mod reference;
mod resource;
mod steps;
#[cfg(test)]
mod tests;

pub use json_schema::json_schema;
pub use reference::reference;

use client::CLIENT;
use resource::{RESOURCE, RESOURCE_DEFAULTS};

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Text that is shown: no secret.
    Plain,
    /// Text, or a number or flag that is sent as text; templates and secrets may stand in it.
    Text,
    /// A whole number, from 0.
    Whole,
    /// Any number.
    Number,
    /// `true` or `false`.
    Flag,
    /// `30s`, `5m`, or seconds.
    Duration,
    /// `256MB`, or a number of bytes.
    Bytes,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Nothing at all, which then means something.
    Null,
    /// Anything.
    Any,
    /// A list of these.
    List(&'static Self),
    /// A mapping of names of one's own to these.
    Named(&'static Self),
    /// A mapping of keys that are known.
    Map(&'static Mapping),
    /// Any of these.
    OneOf(&'static [Self]),
}

/// One key of a mapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// What it is if it is not set, in words; none: it has to be set.
    pub(super) default: Option<&'static str>,
    pub(super) meaning: &'static str,
    /// dlt does not have it.
    pub(super) own: bool,
}

/// A mapping with keys that are known.
#[derive(Debug)]
pub(super) struct Mapping {
    /// What it is called: `client`, `paginator: offset`.
    pub(super) name: &'static str,
    /// The values of its `type`, if it has one.
    pub(super) types: &'static [&'static str],
    /// Whether it may be left out: an `auth` without `type` is `bearer`.
    pub(super) type_optional: bool,
    pub(super) meaning: &'static str,
    pub(super) keys: &'static [Key],
}

/// A key of dlt's.
const fn key(name: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Key {
    Key { name, kind, default: Some(default), meaning, own: false }
}

/// A key that dlt does not have.
const fn own(name: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Key {
    Key { name, kind, default: Some(default), meaning, own: true }
}

/// A key of dlt's that has to be set.
const fn needed(name: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key { name, kind, default: None, meaning, own: false }
}

/// A key that is accepted and changes nothing.
const fn idle(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, default: Some("none"), meaning: "accepted, and changes nothing", own: false }
}

/// A mapping without `type`.
const fn mapping(name: &'static str, meaning: &'static str, keys: &'static [Key]) -> Mapping {
    Mapping { name, types: &[], type_optional: false, meaning, keys }
}

/// One text, or a list of texts.
const WORDS: Kind = Kind::OneOf(&[Kind::Plain, Kind::List(&Kind::Plain)]);
/// Names to texts, in headers.
const HEADERS: Kind = Kind::Named(&Kind::OneOf(&[Kind::Text, Kind::Null, Kind::Map(&OPTIONAL)]));
/// Whether a part is there at all.
const WHEN: Key = own("when", Kind::OneOf(&[Kind::Flag, Kind::Text]), "`true`", "whether it is there at all");

/// A header or parameter that is not always sent.
static OPTIONAL: Mapping = mapping(
    "optional value",
    "A header or parameter that is only sent where a condition holds.",
    &[
        Key { name: "value", kind: Kind::Any, default: None, meaning: "its value", own: true },
        Key {
            name: "when",
            kind: Kind::OneOf(&[Kind::Flag, Kind::Text]),
            default: None,
            meaning: "whether it is sent",
            own: true,
        },
    ],
);

/// The whole file.
pub(super) static ROOT: Mapping = mapping(
    "top level",
    "The whole file.",
    &[
        own(
            "name",
            Kind::Plain,
            "`rest_api`",
            "the source's name: the schema name in dlt's tables, and the section of its state",
        ),
        own("vars", Kind::Named(&Kind::Any), "none", "values for `${vars.NAME}`"),
        needed("client", Kind::Map(&CLIENT), "how the API is reached"),
        key(
            "resource_defaults",
            Kind::Map(&RESOURCE_DEFAULTS),
            "none",
            "a resource without `name`, whose keys stand under those of every resource",
        ),
        needed(
            "resources",
            Kind::List(&Kind::OneOf(&[Kind::Plain, Kind::Map(&RESOURCE)])),
            "what is loaded; a text is short for a resource whose name and path it is",
        ),
    ],
);

/// Every mapping once, in the order in which they are met.
fn mappings() -> Vec<&'static Mapping> {
    fn of_kind(kind: &Kind, found: &mut Vec<&'static Mapping>) {
        match kind {
            Kind::Map(mapping) => of(mapping, found),
            Kind::List(kind) | Kind::Named(kind) => of_kind(kind, found),
            Kind::OneOf(kinds) => kinds.iter().for_each(|kind| of_kind(kind, found)),
            _ => {}
        }
    }
    fn of(mapping: &'static Mapping, found: &mut Vec<&'static Mapping>) {
        if found.iter().any(|known| known.name == mapping.name) {
            return;
        }
        found.push(mapping);
        mapping.keys.iter().for_each(|key| of_kind(&key.kind, found));
    }
    let mut found = Vec::new();
    of(&ROOT, &mut found);
    found
}
