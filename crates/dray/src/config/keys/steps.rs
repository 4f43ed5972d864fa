//! What a resource does to its records, and to the values of a column.

use super::{Key, Kind, Mapping, WORDS, key, mapping, own};

const LIST: Kind = Kind::List(&Kind::Map(&STEP));
const PROGRAM: Kind = Kind::OneOf(&[Kind::Plain, Kind::Flag, Kind::Whole]);
const NEW_NAMES: Kind = Kind::Named(&Kind::Plain);
const VALUES: Kind = Kind::Named(&Kind::Any);

pub(super) const STEPS: Key = key(
    "processing_steps",
    LIST,
    "none",
    "what is done to each record before anything else sees it, step by step",
);
pub(super) const KEEP: Key = own("keep", WORDS, "all", "the fields that a record keeps: `a`, `a.b`, `a.*.b`");
pub(super) const DROP: Key =
    own("drop", WORDS, "none", "fields that a record loses: `a`, `a.b`, `a.*.b`, `..b`");
pub(super) const RENAME: Key = own("rename", NEW_NAMES, "none", "old names of fields to new ones");
pub(super) const SET: Key =
    own("set", VALUES, "none", "fields to values: constants, or texts with `{field}` in them");

static STEP: Mapping = mapping(
    "processing_steps",
    "A step, or several that follow each other in this order.",
    &[
        key(
            "filter",
            PROGRAM,
            "none",
            "a program in jq: the record stays if it gives neither `false` nor `null`",
        ),
        key("map", PROGRAM, "none", "a program in jq: what it gives takes the record's place"),
        key("yield_map", PROGRAM, "none", "as `explode`"),
        own("explode", PROGRAM, "none", "a program in jq: everything it gives is a record"),
        KEEP,
        DROP,
        RENAME,
        SET,
    ],
);

pub(super) const CONVERT: Key = own(
    "convert",
    Kind::Plain,
    "none",
    "the value is a moment: `unix`, `unix_ms`, `iso`, `date`, or a pattern such as `%d.%m.%Y`",
);
pub(super) const TRIM: Key = own("trim", Kind::Flag, "`false`", "a text loses the white space around it");
pub(super) const LOWER: Key = own("lower", Kind::Flag, "`false`", "a text in lower case");
pub(super) const EMPTY_AS_NULL: Key = own("empty_as_null", Kind::Flag, "`false`", "an empty text is null");
