//! `auth`: one mapping for each type.

use super::{HEADERS, Key, Kind, Mapping, WHEN, key, mapping, needed, own};

/// Wherever an `auth` may stand.
pub(super) const AUTH: Kind = Kind::OneOf(&[Kind::Null, Kind::Word(&["none"]), ONE, Kind::List(&ONE)]);

const ONE: Kind = Kind::OneOf(&[
    Kind::Map(&BEARER),
    Kind::Map(&API_KEY),
    Kind::Map(&BASIC),
    Kind::Map(&CLIENT_CREDENTIALS),
    Kind::Map(&REFRESH_TOKEN),
    Kind::Map(&PASSWORD),
    Kind::Map(&LOGIN),
    Kind::Map(&NONE),
]);

const LOCATIONS: &[&str] = &["header", "query", "param", "cookie"];
const SCHEME: Key = own("scheme", Kind::Plain, "`Bearer`", "what stands before the token");
const URL: Key = needed("access_token_url", Kind::Text, "where the token is asked for");
const CLIENT_ID: Key = needed("client_id", Kind::Text, "the client");
const CLIENT_SECRET: Key = needed("client_secret", Kind::Text, "its secret");
const DATA: Key = key("access_token_request_data", HEADERS, "none", "further fields of that request");
const EXPIRATION: Key =
    key("default_token_expiration", Kind::Duration, "`3600`", "how long a token holds that does not say it");
const REFRESH: Key = own("refresh_token", Kind::Text, "none", "a token to ask with");
const REFRESH_FILE: Key =
    own("refresh_token_file", Kind::Plain, "nowhere", "where the newest refresh token is kept between runs");
const GRANT: Key =
    own("grant_type", Kind::Plain, "that of the type", "the grant, where the API has one of its own");
const USERNAME: Key = own("username", Kind::Text, "none", "the user");
const PASSWORD_KEY: Key = own("password", Kind::Text, "none", "the user's password");
const REQUEST_FORM: Kind = Kind::Map(&TOKEN_REQUEST);
const REQUEST: Key = own("token_request", REQUEST_FORM, "a form", "how the token is asked for");

static BEARER: Mapping = Mapping {
    name: "auth: bearer",
    types: &["bearer"],
    type_optional: true,
    meaning: "A token in the header `Authorization`. An `auth` without `type` is this one.",
    keys: &[
        needed("token", Kind::Text, "the token"),
        own("scheme", Kind::Plain, "`Bearer`", "what stands before it"),
        WHEN,
    ],
};

static API_KEY: Mapping = Mapping {
    name: "auth: api_key",
    types: &["api_key"],
    type_optional: false,
    meaning: "A key under a name.",
    keys: &[
        needed("api_key", Kind::Text, "the key"),
        key("name", Kind::Plain, "`Authorization`", "the header, parameter or cookie"),
        key("location", Kind::Word(LOCATIONS), "`header`", "where it is sent"),
        own("format", Kind::Plain, "`{token}`", "a text around it: `Bearer {token}`"),
        WHEN,
    ],
};

static BASIC: Mapping = Mapping {
    name: "auth: http_basic",
    types: &["http_basic"],
    type_optional: false,
    meaning: "User and password, as in RFC 7617.",
    keys: &[needed("username", Kind::Text, "the user"), needed("password", Kind::Text, "the password"), WHEN],
};

static CLIENT_CREDENTIALS: Mapping = Mapping {
    name: "auth: oauth2_client_credentials",
    types: &["oauth2_client_credentials"],
    type_optional: false,
    meaning: "A token that the API gives for the client's credentials, renewed before it ends.",
    keys: &[
        URL,
        CLIENT_ID,
        CLIENT_SECRET,
        DATA,
        EXPIRATION,
        SCHEME,
        GRANT,
        REQUEST,
        REFRESH,
        REFRESH_FILE,
        USERNAME,
        PASSWORD_KEY,
        WHEN,
    ],
};

static REFRESH_TOKEN: Mapping = Mapping {
    name: "auth: oauth2_refresh_token",
    types: &["oauth2_refresh_token"],
    type_optional: false,
    meaning: "A token that the API gives for a refresh token, renewed before it ends.",
    keys: &[
        URL,
        CLIENT_ID,
        CLIENT_SECRET,
        needed("refresh_token", Kind::Text, "the token to ask with"),
        REFRESH_FILE,
        DATA,
        EXPIRATION,
        SCHEME,
        GRANT,
        REQUEST,
        USERNAME,
        PASSWORD_KEY,
        WHEN,
    ],
};

static PASSWORD: Mapping = Mapping {
    name: "auth: oauth2_password",
    types: &["oauth2_password"],
    type_optional: false,
    meaning: "A token that the API gives for the user's password.",
    keys: &[
        URL,
        needed("username", Kind::Text, "the user"),
        needed("password", Kind::Text, "the user's password"),
        own("client_id", Kind::Text, "none", "the client, if the API wants one"),
        own("client_secret", Kind::Text, "none", "its secret"),
        DATA,
        EXPIRATION,
        SCHEME,
        GRANT,
        REQUEST,
        REFRESH,
        REFRESH_FILE,
        WHEN,
    ],
};

static TOKEN_REQUEST: Mapping = mapping(
    "token_request",
    "How a token is asked for.",
    &[
        own(
            "auth",
            Kind::Word(&["form", "basic"]),
            "`form`",
            "`basic` sends id and secret of the client by basic auth",
        ),
        own("body", Kind::Word(&["form", "json"]), "`form`", "what the body is"),
        own("headers", HEADERS, "none", "headers of the request"),
        own("fields", HEADERS, "none", "further fields of the body"),
    ],
);

static LOGIN: Mapping = Mapping {
    name: "auth: login",
    types: &["login"],
    type_optional: false,
    meaning: "A token that the API's own login gives. It needs `path` or `url`, and one place of the token.",
    keys: &[
        own("path", Kind::Text, "this or `url`", "the login, below `base_url`"),
        own("url", Kind::Text, "this or `path`", "the login, in full"),
        own("method", Kind::Word(&["POST", "GET"]), "`POST`", "the method"),
        own("headers", HEADERS, "none", "headers of the login"),
        own("json", Kind::Any, "none", "a JSON body"),
        own("data", HEADERS, "none", "a form body"),
        own("token_path", Kind::Plain, "one of these three", "where the token is in the answer: a JSONPath"),
        own("token_header", Kind::Plain, "one of these three", "the header of the answer that is the token"),
        own("token_cookie", Kind::Plain, "one of these three", "the cookie that the answer sets"),
        own("expires_in_path", Kind::Plain, "none", "where its life in seconds is: a JSONPath"),
        own("expires_at_path", Kind::Plain, "none", "where its end is: a JSONPath"),
        EXPIRATION,
        own("location", Kind::Word(LOCATIONS), "`header`", "where the token is sent"),
        own("name", Kind::Plain, "`Authorization`", "the header, parameter or cookie"),
        own("format", Kind::Plain, "`Bearer {token}`", "a text around it; under another name `{token}`"),
        WHEN,
    ],
};

static NONE: Mapping = Mapping {
    name: "auth: none",
    types: &["none"],
    type_optional: false,
    meaning: "Requests are sent without credentials, also where the client has some.",
    keys: &[WHEN],
};
