//! `endpoint`.

use super::answers::{ACTIONS, FORMAT};
use super::auth::AUTH;
use super::incremental::{INCREMENTAL, PARAM_INCREMENTAL};
use super::paginator::PAGINATOR;
use super::{HEADERS, Kind, Mapping, OPTIONAL, idle, key, mapping, needed, own};

const FORM_VALUE: Kind = Kind::OneOf(&[Kind::Text, Kind::Null, Kind::List(&Kind::Text)]);

pub(super) static ENDPOINT: Mapping = mapping(
    "endpoint",
    "What is asked for, and how its answer is read.",
    &[
        key(
            "path",
            Kind::Text,
            "the resource's name",
            "appended to `base_url`, or an absolute URL; may hold placeholders",
        ),
        key("method", Kind::Word(&["GET", "POST"]), "`GET`", "the method"),
        key(
            "params",
            Kind::Named(&PARAM),
            "none",
            "query parameters; a list is repeated, `null` is left out",
        ),
        key("json", Kind::Named(&Kind::Any), "none", "a JSON body"),
        own(
            "data",
            Kind::OneOf(&[Kind::Named(&FORM_VALUE), Kind::List(&Kind::List(&FORM_VALUE)), Kind::Text]),
            "none",
            "a form body: names to values, or a list of `[name, value]`; a text is read as `text`",
        ),
        own("text", Kind::Text, "none", "a body of plain text"),
        key("headers", HEADERS, "none", "headers of these requests"),
        key(
            "data_selector",
            Kind::Plain,
            "found on the page",
            "where the records are: a JSONPath; `$` is the whole body",
        ),
        key("paginator", PAGINATOR, "the client's", "how pages follow each other"),
        own(
            "parent_filter",
            Kind::Plain,
            "all",
            "which records of the parent are asked for: a condition as in JSONPath",
        ),
        key("incremental", Kind::Map(&INCREMENTAL), "none", "only what is new is asked for"),
        key(
            "response_actions",
            ACTIONS,
            "none",
            "what is done with certain answers; the first rule that fits counts",
        ),
        own("format", FORMAT, "`json`", "what the answers are written in"),
        own("auth", AUTH, "the client's", "replaces the client's; `null` sends none"),
        own("expand", Kind::Map(&EXPAND), "none", "makes rows of a list inside each record"),
        idle("data_selector_required", Kind::Flag),
    ],
);

/// The value of a query parameter.
static PARAM: Kind = Kind::OneOf(&[
    Kind::Text,
    Kind::Null,
    Kind::List(&Kind::Text),
    Kind::Map(&RESOLVE),
    Kind::Map(&PARAM_INCREMENTAL),
    Kind::Map(&OPTIONAL),
]);

static RESOLVE: Mapping = Mapping {
    name: "params: resolve",
    types: &["resolve"],
    type_optional: false,
    meaning: "A field of the parent's record.",
    keys: &[
        needed("resource", Kind::Plain, "the parent"),
        needed("field", Kind::Plain, "its field: a JSONPath"),
        own("batch", Kind::Whole, "none", "so many records of the parent are asked for together"),
        own("separator", Kind::Plain, "`,`", "what stands between the values of a batch"),
    ],
};

static EXPAND: Mapping = mapping(
    "expand",
    "Rows of a list inside each record.",
    &[
        needed("path", Kind::Plain, "the list: a JSONPath"),
        own(
            "include",
            Kind::Named(&Kind::Plain),
            "none",
            "columns and the fields of the record that they are copied from",
        ),
        own(
            "complete",
            Kind::Map(&COMPLETE),
            "none",
            "reads lists on of which the record holds only the beginning",
        ),
    ],
);

static COMPLETE: Mapping = mapping(
    "complete",
    "How a list is read on of which the record holds only the beginning.",
    &[
        needed("has_more", Kind::Plain, "the field of the record that says whether more follows"),
        own("url", Kind::Plain, "this or `path`", "the field of the record that holds the list's address"),
        own("path", Kind::Text, "this or `url`", "the list's path, fields of the record in braces"),
        own("params", Kind::Named(&PARAM), "none", "parameters of these requests"),
        own("data_selector", Kind::Plain, "the endpoint's", "where the records are"),
        own("paginator", PAGINATOR, "the endpoint's", "how pages follow each other"),
    ],
);
