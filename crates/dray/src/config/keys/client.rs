//! `client` and what stands in it.

use super::answers::ACTIONS;
use super::auth::AUTH;
use super::paginator::PAGINATOR;
use super::{HEADERS, Kind, Mapping, WORDS, key, mapping, needed, own};

pub(super) static CLIENT: Mapping = mapping(
    "client",
    "How the API is reached.",
    &[
        needed("base_url", Kind::Text, "all relative paths are appended to it"),
        key("headers", HEADERS, "none", "headers of every request; an endpoint's own win by name"),
        key("auth", AUTH, "none", "how requests are authenticated"),
        key("paginator", PAGINATOR, "`auto`", "how pages follow each other, where an endpoint does not say"),
        own("retry", Kind::Map(&RETRY), "3 retries", "when a request is sent again"),
        own("rate_limit", Kind::Map(&RATE_LIMIT), "none", "how many requests there may be in a time"),
        own("concurrency", Kind::Whole, "`8`", "requests under way at once, over all resources"),
        own(
            "timeout",
            Kind::OneOf(&[Kind::Duration, Kind::Map(&TIMEOUT)]),
            "see there",
            "how long is waited; one value alone is `read`",
        ),
        own("allowed_origins", WORDS, "none", "further origins that may be asked, with credentials"),
        own("max_body", Kind::Bytes, "`256MiB`", "another place for `limits.body`"),
        own("limits", Kind::Map(&LIMITS), "see there", "how much of anything is taken"),
        own(
            "rejects",
            Kind::Word(&["count", "keep"]),
            "`count`",
            "`keep`: records that cannot be loaded go into `_dray_rejects`",
        ),
        own("max_rejects", Kind::Whole, "`1000`", "so many of one resource are put up with in a run"),
        own(
            "response_actions",
            ACTIONS,
            "none",
            "rules for the answers to all endpoints, after those of the endpoint",
        ),
        own("tls", Kind::Map(&TLS), "the system's", "certificates"),
    ],
);

static RETRY: Mapping = mapping(
    "client.retry",
    "When a request is sent again.",
    &[
        own("max_retries", Kind::Whole, "`3`", "retries after the first attempt"),
        own("backoff_factor", Kind::Number, "`2`", "the n-th retry waits `backoff_factor * 2^(n-1)` seconds"),
        own(
            "statuses",
            Kind::List(&Kind::Whole),
            "`[429, 500, 502, 503, 504]`",
            "answers that are asked for again",
        ),
        own("max_wait", Kind::Duration, "`5m`", "the longest wait that the API may ask for"),
    ],
);

static RATE_LIMIT: Mapping = mapping(
    "client.rate_limit",
    "How many requests there may be in a time.",
    &[
        own("requests", Kind::Whole, "none", "so many requests"),
        own("per", Kind::Duration, "`1s`", "in this time"),
        own("routes", Kind::Named(&Kind::Map(&ROUTE)), "none", "limits of paths that begin like this"),
    ],
);

static ROUTE: Mapping = mapping(
    "client.rate_limit.routes",
    "The limit of a route, beside the one of all requests.",
    &[
        needed("requests", Kind::Whole, "so many requests"),
        own("per", Kind::Duration, "`1s`", "in this time"),
    ],
);

static TIMEOUT: Mapping = mapping(
    "client.timeout",
    "How long is waited.",
    &[
        own("connect", Kind::Duration, "`10s`", "to connect"),
        own("first_byte", Kind::Duration, "`60s`", "until an answer begins"),
        own("read", Kind::Duration, "`60s`", "between two pieces of an answer"),
        own("total", Kind::Duration, "`5m`", "for a whole attempt"),
    ],
);

static LIMITS: Mapping = mapping(
    "client.limits",
    "How much of anything is taken.",
    &[
        own("wire", Kind::Bytes, "`256MiB`", "a body as it comes"),
        own("body", Kind::Bytes, "`256MiB`", "a body after decompression"),
        own("ratio", Kind::Whole, "`200`", "how many times larger it may become, from 8 MiB on"),
        own("redirects", Kind::Whole, "`10`", "redirects of a request"),
        own("headers", Kind::Whole, "`256`", "headers of an answer"),
        own("depth", Kind::Whole, "`128`", "lists and objects inside each other, up to 512"),
        own("keys", Kind::Whole, "`10000`", "keys of one object"),
        own("values", Kind::Whole, "`16000000`", "values and keys of a body"),
        own("items", Kind::Whole, "`1000000`", "items of all lists of a body"),
        own("columns", Kind::Whole, "`1000`", "columns of a table"),
        own("tables", Kind::Whole, "`200`", "tables of a resource"),
    ],
);

static TLS: Mapping = mapping(
    "client.tls",
    "Certificates, as PEM files.",
    &[
        own("ca_file", Kind::Plain, "none", "authorities that are trusted beside the system's"),
        own("client_cert_file", Kind::Plain, "none", "what the client shows of itself"),
        own("client_key_file", Kind::Plain, "none", "its private key, not encrypted"),
    ],
);
