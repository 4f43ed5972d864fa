//! `response_actions` and `format`: what answers mean, and what they are written in.

use super::{Key, Kind, Mapping, WORDS, key, mapping, needed, own};

pub(super) const ACTIONS: Kind = Kind::List(&Kind::Map(&ACTION));
const STATUS: Kind = Kind::OneOf(&[Kind::Whole, Kind::Plain]);
const TESTS: Kind = Kind::OneOf(&[Kind::Map(&BODY), Kind::List(&Kind::Map(&BODY))]);

static ACTION: Mapping = mapping(
    "response_actions",
    "A rule for answers; one of `status_code`, `content`, `header` and `body` is needed, and all that are given have to fit.",
    &[
        key(
            "status_code",
            Kind::OneOf(&[Kind::Whole, Kind::Plain, Kind::List(&STATUS)]),
            "any",
            "a status, a class (`5xx`), a range (`500-599`), or a list of those",
        ),
        key("content", Kind::Plain, "any", "a piece of the body"),
        own("header", Kind::Named(&Kind::Text), "any", "headers and their values"),
        own("body", TESTS, "any", "what has to be so in the body"),
        needed(
            "action",
            Kind::Word(&["ignore", "retry", "skip", "end", "refresh_auth", "fail"]),
            "what is done; `ignore` is dlt's, the others are not",
        ),
        own("delay", Kind::Duration, "as `client.retry` says", "how long `retry` waits"),
        own("message", Kind::Plain, "none", "what `fail` and `skip` say"),
        own("message_path", Kind::Plain, "none", "where `fail` finds what the API says: a JSONPath"),
    ],
);

static BODY: Mapping = mapping(
    "response_actions.body",
    "A condition on the body: a path and one test.",
    &[
        needed("path", Kind::Plain, "what is looked at: a JSONPath"),
        own("equals", Kind::Any, "none", "it is this"),
        own("not_equals", Kind::Any, "none", "it is something else"),
        own("in", Kind::List(&Kind::Any), "none", "it is one of these"),
        own("contains", Kind::Text, "none", "it is a text with this piece"),
        own("exists", Kind::Flag, "none", "it is there, or is not"),
    ],
);

/// Wherever a format may stand.
pub(super) const FORMAT: Kind = Kind::OneOf(&[
    Kind::Word(&["json", "jsonl", "ndjson", "csv", "xml"]),
    Kind::Map(&JSON),
    Kind::Map(&CSV),
    Kind::Map(&XML),
]);

const ENCODING: Key = own(
    "encoding",
    Kind::Word(&["utf-8", "utf8", "latin1", "iso-8859-1", "windows-1252", "cp1252"]),
    "as the answer says",
    "whatever the answer declares",
);
const LOSSY: Key = own("lossy", Kind::Flag, "`false`", "bytes that are not UTF-8 are replaced");
const UNPACK: Key =
    own("unpack", Kind::Word(&["auto", "never"]), "`auto`", "`never`: packed files are not unpacked");
const INFER: Key =
    own("infer", Kind::Flag, "`false`", "what is surely a number, `true` or `false` becomes one");

static JSON: Mapping = Mapping {
    name: "format: json, jsonl",
    types: &["json", "jsonl", "ndjson"],
    type_optional: false,
    meaning: "JSON, or one JSON document a line.",
    keys: &[ENCODING, LOSSY, UNPACK],
};

static CSV: Mapping = Mapping {
    name: "format: csv",
    types: &["csv"],
    type_optional: false,
    meaning: "A record for each row; an empty field is null.",
    keys: &[
        own("delimiter", Kind::Plain, "`,`", "what stands between fields"),
        own("quote", Kind::Plain, "a double quote", "what stands around them"),
        own("header", Kind::Flag, "`true`", "whether the first row holds the names"),
        own("columns", WORDS, "`column_1`, ...", "the names where there is no header"),
        INFER,
        ENCODING,
        LOSSY,
        UNPACK,
    ],
};

static XML: Mapping = Mapping {
    name: "format: xml",
    types: &["xml"],
    type_optional: false,
    meaning: "Elements become keys, attributes `@name`, text beside other things `#text`.",
    keys: &[
        own("lists", WORDS, "none", "elements that are lists, however often they stand"),
        INFER,
        ENCODING,
        LOSSY,
        UNPACK,
    ],
};
