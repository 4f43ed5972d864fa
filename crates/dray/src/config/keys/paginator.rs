//! `paginator`: one mapping for each type.

use super::{Key, Kind, Mapping, key, needed, own};

/// The types, as `type` or alone.
const TYPES: &[&str] = &[
    "auto",
    "single_page",
    "page_number",
    "offset",
    "cursor",
    "json_link",
    "json_response",
    "header_link",
    "header_cursor",
];

/// Wherever a paginator may stand.
pub(super) const PAGINATOR: Kind = Kind::OneOf(&[
    Kind::Word(TYPES),
    Kind::Map(&AUTO),
    Kind::Map(&SINGLE_PAGE),
    Kind::Map(&PAGE_NUMBER),
    Kind::Map(&OFFSET),
    Kind::Map(&CURSOR),
    Kind::Map(&JSON_LINK),
    Kind::Map(&HEADER_LINK),
    Kind::Map(&HEADER_CURSOR),
]);

const LIMIT: Key = own("limit", Kind::Whole, "the API's", "records of a page");
const LIMIT_PARAM: Key =
    own("limit_param", Kind::Plain, "`limit`, if there is a `limit`", "the parameter that it is sent as");
const LIMIT_BODY: Key =
    own("limit_body_path", Kind::Plain, "none", "the place in a JSON body that it is sent in");
const TOTAL: Key = key(
    "total_path",
    Kind::OneOf(&[Kind::Plain, Kind::Null]),
    "`total`",
    "where the page says how many there are in all; `null`: nowhere",
);
const STOP_EMPTY: Key = key("stop_after_empty_page", Kind::Flag, "`true`", "an empty page is the last");
const HAS_MORE: Key =
    key("has_more_path", Kind::Plain, "none", "where the page says whether another follows");
const HAS_MORE_OPTIONAL: Key =
    own("has_more_optional", Kind::Flag, "`false`", "a page without that flag says nothing");
const DRIFT: Key = own(
    "drift",
    Kind::Word(&["watch", "verify", "off"]),
    "`watch`",
    "what is done about a list that changes while it is read",
);

const STOP_EMPTY_CURSOR: Key =
    key("stop_after_empty_page", Kind::Flag, "`false`", "an empty page is the last, whatever its token says");
const TOTAL_HEADER: Key =
    own("total_header", Kind::Plain, "none", "a header of the answer with the number of records");
const OMIT_FIRST: Key = own("omit_first", Kind::Flag, "`false`", "the first request goes without the number");
const INITIAL: Key = own("initial_cursor", Kind::Text, "none", "a token that the first request is sent with");

const fn paginator(
    name: &'static str,
    types: &'static [&'static str],
    meaning: &'static str,
    keys: &'static [Key],
) -> Mapping {
    Mapping { name, types, type_optional: false, meaning, keys }
}

static AUTO: Mapping = paginator(
    "paginator: auto",
    &["auto"],
    "The first page shows how the others follow.",
    &[LIMIT, LIMIT_PARAM, LIMIT_BODY, DRIFT],
);

static SINGLE_PAGE: Mapping = paginator(
    "paginator: single_page",
    &["single_page"],
    "One page is all there is.",
    &[LIMIT, LIMIT_PARAM, LIMIT_BODY],
);

static PAGE_NUMBER: Mapping = paginator(
    "paginator: page_number",
    &["page_number"],
    "Pages are numbered.",
    &[
        key("base_page", Kind::Whole, "`0`", "the number of the first page"),
        key("page", Kind::Whole, "`base_page`", "the page that is read first"),
        key("page_param", Kind::Plain, "`page`", "the parameter for the number"),
        key("page_body_path", Kind::Plain, "none", "the place in a JSON body that it is sent in"),
        TOTAL,
        TOTAL_HEADER,
        own("total_pages_header", Kind::Plain, "none", "a header of the answer with the number of pages"),
        OMIT_FIRST,
        key("maximum_page", Kind::Whole, "none", "the last page to read"),
        STOP_EMPTY,
        HAS_MORE,
        HAS_MORE_OPTIONAL,
        LIMIT,
        LIMIT_PARAM,
        LIMIT_BODY,
        DRIFT,
    ],
);

static OFFSET: Mapping = paginator(
    "paginator: offset",
    &["offset"],
    "Records are counted off.",
    &[
        needed("limit", Kind::Whole, "records of a page"),
        key("offset", Kind::Whole, "`0`", "the first record"),
        key("offset_param", Kind::Plain, "`offset`", "the parameter for it"),
        key("offset_body_path", Kind::Plain, "none", "the place in a JSON body that it is sent in"),
        key("limit_param", Kind::Plain, "`limit`", "the parameter for `limit`"),
        LIMIT_BODY,
        TOTAL,
        TOTAL_HEADER,
        OMIT_FIRST,
        key("maximum_offset", Kind::Whole, "none", "where reading ends"),
        STOP_EMPTY,
        HAS_MORE,
        HAS_MORE_OPTIONAL,
        DRIFT,
    ],
);

static CURSOR: Mapping = paginator(
    "paginator: cursor",
    &["cursor"],
    "Each page holds the token of the next.",
    &[
        key("cursor_path", Kind::Plain, "`cursors.next`", "where the token is"),
        own("cursor_field", Kind::Plain, "none", "a field of the page's last record that is the token"),
        key("cursor_param", Kind::Plain, "`cursor`", "the parameter for it"),
        key("cursor_body_path", Kind::Plain, "none", "the place in a JSON body that it is sent in"),
        STOP_EMPTY_CURSOR,
        INITIAL,
        HAS_MORE,
        HAS_MORE_OPTIONAL,
        LIMIT,
        LIMIT_PARAM,
        LIMIT_BODY,
    ],
);

static JSON_LINK: Mapping = paginator(
    "paginator: json_link",
    &["json_link", "json_response"],
    "Each page holds a link to the next.",
    &[
        key("next_url_path", Kind::Plain, "`next`", "where the link is"),
        HAS_MORE,
        HAS_MORE_OPTIONAL,
        LIMIT,
        LIMIT_PARAM,
        LIMIT_BODY,
    ],
);

static HEADER_LINK: Mapping = paginator(
    "paginator: header_link",
    &["header_link"],
    "The header `Link` holds a link to the next page.",
    &[
        key("links_next_key", Kind::Plain, "`next`", "its relation"),
        HAS_MORE,
        HAS_MORE_OPTIONAL,
        LIMIT,
        LIMIT_PARAM,
        LIMIT_BODY,
    ],
);

static HEADER_CURSOR: Mapping = paginator(
    "paginator: header_cursor",
    &["header_cursor"],
    "A header holds the token of the next page.",
    &[
        key("cursor_key", Kind::Plain, "`next`", "the header"),
        key("cursor_param", Kind::Plain, "`cursor`", "the parameter for the token"),
        HAS_MORE,
        HAS_MORE_OPTIONAL,
        INITIAL,
        LIMIT,
        LIMIT_PARAM,
        LIMIT_BODY,
    ],
);
