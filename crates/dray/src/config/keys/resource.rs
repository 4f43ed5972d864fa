//! Resources, and what they have in common.

use super::endpoint::ENDPOINT;
use super::steps::{CONVERT, DROP, EMPTY_AS_NULL, KEEP, LOWER, RENAME, SET, STEPS, TRIM};
use super::{Key, Kind, Mapping, WHEN, WORDS, idle, key, mapping, needed, own};
use crate::schema::DataType;

const NAME: Key = needed("name", Kind::Plain, "the resource's name, and its table's");
const ENDPOINT_FORMS: Kind = Kind::OneOf(&[Kind::Text, Kind::Map(&ENDPOINT)]);
const ENDPOINT_KEY: Key =
    key("endpoint", ENDPOINT_FORMS, "path = name", "what is asked for; a text is its path");
const DISPOSITION_FORMS: Kind = Kind::OneOf(&[Kind::Word(DISPOSITIONS), Kind::Map(&DISPOSITION_FORM)]);
const DISPOSITION: Key =
    key("write_disposition", DISPOSITION_FORMS, "`append`", "what becomes of the rows that are there");
const PRIMARY_KEY: Key = key("primary_key", WORDS, "none", "the fields that tell rows apart");
const MERGE_KEY: Key = key("merge_key", WORDS, "none", "fields whose rows are replaced together in a merge");
const COLUMNS_FORMS: Kind = Kind::OneOf(&[Kind::Named(&Kind::Map(&COLUMN)), Kind::List(&Kind::Map(&COLUMN))]);
const COLUMNS: Key =
    key("columns", COLUMNS_FORMS, "none", "hints: names to hints, or a list of hints with names");
const INCLUDE: Key = key(
    "include_from_parent",
    Kind::OneOf(&[Kind::List(&Kind::Plain), Kind::Named(&Kind::Plain)]),
    "none",
    "fields of the parent's record that each row carries as `_<parent>_<field>`; a mapping names the columns",
);
const TABLE: Key = key("table_name", Kind::Plain, "`name`", "the table, if it has another name");
const NESTING: Key =
    key("max_table_nesting", Kind::Whole, "all", "levels of nested tables; deeper values are kept as JSON");
const SELECTED: Key =
    key("selected", Kind::Flag, "`true`", "`false`: read only if a child needs it, and not loaded");
const PARALLEL: Key = idle("parallelized", Kind::Flag);
const TABLE_FORMAT: Key = idle("table_format", Kind::Word(&["iceberg", "delta", "hive", "native"]));
const CONTRACT_FORMS: Kind =
    Kind::OneOf(&[Kind::Word(&["evolve", "freeze", "discard_value"]), Kind::Map(&CONTRACT_FORM)]);
const CONTRACT: Key = key(
    "schema_contract",
    CONTRACT_FORMS,
    "`evolve`",
    "what new data may change of the tables: `evolve` takes it, `freeze` fails, `discard_value` leaves it out",
);

const EACH_FORMS: Kind =
    Kind::Named(&Kind::OneOf(&[Kind::List(&Kind::Any), Kind::Text, Kind::Map(&EACH_FILE)]));
const EACH: Key = own(
    "for_each",
    EACH_FORMS,
    "none",
    "variables and their values, for which the resource is asked: `${each.x}`",
);
const INCLUDE_EACH: Key = own(
    "include_from_each",
    Kind::OneOf(&[Kind::List(&Kind::Plain), Kind::Named(&Kind::Plain)]),
    "none",
    "variables of `for_each` that each row carries; a mapping names the columns",
);
static EACH_FILE: Mapping = mapping(
    "for_each",
    "Values in a file beside the configuration.",
    &[needed("file", Kind::Plain, "the file: `.txt`, `.csv`, `.json` or `.jsonl`")],
);

const DISPOSITIONS: &[&str] = &["append", "replace", "merge", "skip"];

pub(super) static RESOURCE: Mapping = mapping(
    "resource",
    "A list of the API, and the table that it fills.",
    &[
        NAME,
        ENDPOINT_KEY,
        DISPOSITION,
        PRIMARY_KEY,
        MERGE_KEY,
        COLUMNS,
        INCLUDE,
        TABLE,
        NESTING,
        SELECTED,
        CONTRACT,
        STEPS,
        KEEP,
        DROP,
        RENAME,
        SET,
        EACH,
        INCLUDE_EACH,
        WHEN,
        PARALLEL,
        TABLE_FORMAT,
    ],
);

pub(super) static RESOURCE_DEFAULTS: Mapping = mapping(
    "resource_defaults",
    "What resources have in common.",
    &[
        ENDPOINT_KEY,
        DISPOSITION,
        PRIMARY_KEY,
        MERGE_KEY,
        COLUMNS,
        INCLUDE,
        TABLE,
        NESTING,
        SELECTED,
        CONTRACT,
        STEPS,
        KEEP,
        DROP,
        RENAME,
        SET,
        EACH,
        INCLUDE_EACH,
        PARALLEL,
        TABLE_FORMAT,
    ],
);

static DISPOSITION_FORM: Mapping = mapping(
    "write_disposition",
    "A disposition and how it is done.",
    &[
        needed("disposition", Kind::Word(DISPOSITIONS), "what becomes of the rows that are there"),
        key(
            "strategy",
            Kind::Word(&["delete-insert", "upsert"]),
            "`delete-insert`",
            "both give the same rows",
        ),
    ],
);

static CONTRACT_FORM: Mapping = mapping(
    "schema_contract",
    "A contract for each kind of change.",
    &[
        key(
            "tables",
            Kind::Word(&["evolve", "freeze", "discard_value", "discard_row"]),
            "`evolve`",
            "new tables",
        ),
        key("columns", Kind::Word(&["evolve", "freeze", "discard_value"]), "`evolve`", "new columns"),
        key(
            "data_type",
            Kind::Word(&["evolve", "freeze", "discard_value"]),
            "`evolve`",
            "values of other types",
        ),
    ],
);

static COLUMN: Mapping = mapping(
    "columns",
    "What is known of a column.",
    &[
        key("name", Kind::Plain, "the key that it stands under", "its name, where hints are a list"),
        key("data_type", Kind::Word(DataType::NAMES), "by its values", "its type"),
        own("scale", Kind::Whole, "`9`", "digits after the point of a `decimal`"),
        key("nullable", Kind::Flag, "`true`", "`false`: a record without a value is an error"),
        key("primary_key", Kind::Flag, "`false`", "the column is part of the primary key"),
        key("merge_key", Kind::Flag, "`false`", "the column is part of the merge key"),
        key("hard_delete", Kind::Flag, "`false`", "in a merge a true value deletes the row"),
        key(
            "dedup_sort",
            Kind::Word(&["asc", "desc"]),
            "none",
            "which of two rows with one key stays in a merge: the first in this order",
        ),
        CONVERT,
        TRIM,
        LOWER,
        EMPTY_AS_NULL,
        idle("precision", Kind::Whole),
        idle("timezone", Kind::Flag),
        idle("unique", Kind::Flag),
        idle("sort", Kind::Flag),
        idle("partition", Kind::Flag),
        idle("cluster", Kind::Flag),
        idle("description", Kind::Plain),
        idle("parent_key", Kind::Flag),
        idle("row_key", Kind::Flag),
    ],
);
