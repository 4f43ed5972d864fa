//! `incremental`, and the same as the value of a parameter.

use super::{Key, Kind, Mapping, idle, key, mapping, needed, own};

const VALUE: Kind = Kind::OneOf(&[Kind::Number, Kind::Plain]);
const CURSOR_PATH: Key = needed("cursor_path", Kind::Plain, "the cursor inside a record");
const INITIAL: Key = key("initial_value", VALUE, "everything", "where the first run starts");
const END: Key =
    key("end_value", VALUE, "none", "with it a run reads to here, and leaves the stored cursor alone");
const FORMAT: Key = own(
    "format",
    Kind::Plain,
    "as the API gave them",
    "how values are written into requests: `unix`, `unix_milliseconds`, `iso`, `date`, or a pattern such as `%Y-%m-%d`",
);
const CURSOR_FORMAT: Key = own(
    "cursor_format",
    Kind::Plain,
    "understood as it is",
    "how records write their cursors, where it is neither ISO 8601, RFC 2822 nor a number: `%d.%m.%Y`",
);
const LAG: Key = key(
    "lag",
    Kind::Number,
    "none",
    "how far the start moves back: seconds for dates, else the cursor's own unit",
);
const MISSING: Key = key(
    "on_cursor_value_missing",
    Kind::Word(&["raise", "include", "exclude"]),
    "`raise`",
    "what becomes of a record without cursor",
);
const LAST: Key =
    key("last_value_func", Kind::Word(&["max", "min"]), "`max`", "`min`: lists are read backwards");
const START_OPEN: Key = key(
    "range_start",
    Kind::Word(&["closed", "open"]),
    "`closed`",
    "`open` drops records equal to the start",
);
const END_CLOSED: Key = key(
    "range_end",
    Kind::Word(&["open", "closed"]),
    "`open`",
    "`closed` keeps records equal to `end_value`",
);
const ORDER: Key = key(
    "row_order",
    Kind::Word(&["asc", "desc"]),
    "every page is read",
    "the order of the list, which is left where all that follows is known already",
);
const WINDOW_FORMS: Kind = Kind::OneOf(&[Kind::Duration, Kind::Map(&WINDOW_FORM)]);
const WINDOW: Key = own("window", WINDOW_FORMS, "one", "read in windows of this length: `30d`, `1 month`");

pub(super) static INCREMENTAL: Mapping = mapping(
    "incremental",
    "Only what is new is asked for.",
    &[
        CURSOR_PATH,
        INITIAL,
        END,
        key("start_param", Kind::Plain, "none", "the query parameter for the start"),
        key("end_param", Kind::Plain, "none", "the query parameter for the end"),
        FORMAT,
        CURSOR_FORMAT,
        LAG,
        MISSING,
        LAST,
        START_OPEN,
        END_CLOSED,
        ORDER,
        WINDOW,
        idle("primary_key", Kind::Any),
        idle("allow_external_schedulers", Kind::Flag),
    ],
);

pub(super) static PARAM_INCREMENTAL: Mapping = Mapping {
    name: "params: incremental",
    types: &["incremental"],
    type_optional: false,
    meaning: "The parameter is where this run starts.",
    keys: &[
        CURSOR_PATH,
        INITIAL,
        END,
        FORMAT,
        CURSOR_FORMAT,
        LAG,
        MISSING,
        LAST,
        START_OPEN,
        END_CLOSED,
        ORDER,
        WINDOW,
        idle("primary_key", Kind::Any),
        idle("allow_external_schedulers", Kind::Flag),
    ],
};

static WINDOW_FORM: Mapping =
    mapping("window", "Windows of time.", &[needed("size", Kind::Duration, "their length")]);
