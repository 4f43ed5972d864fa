//! `auth` that fetches a token: `oauth2_...` and `login`.

use super::auth::{location, required};
use super::fields::{Fields, Reader};
use crate::config::model::{AuthConfig, LoginConfig, OAuth2Config, TokenRequestConfig};
use crate::plan::Method;

/// The types of OAuth 2, and the grant that each of them asks with.
pub(super) const OAUTH2: [(&str, &str); 3] = [
    ("oauth2_client_credentials", "client_credentials"),
    ("oauth2_refresh_token", "refresh_token"),
    ("oauth2_password", "password"),
];

pub(super) fn oauth2(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    grant: &'static str,
) -> Option<AuthConfig> {
    let access_token_url = fields.text(reader, "access_token_url");
    if access_token_url.is_none() {
        reader.problem(&fields.at, "missing key `access_token_url`");
    }
    // Who asks with a password of the user need not be a client that the API knows.
    let (client_id, client_secret) = if grant == "password" {
        let optional = |text: Option<crate::config::model::Located<_>>| Some(text.map(|text| text.value));
        (optional(fields.text(reader, "client_id")), optional(fields.text(reader, "client_secret")))
    } else {
        let mut required = |key| required(reader, fields, key).map(Some);
        (required("client_id"), required("client_secret"))
    };
    let mut of_grant = |key: &'static str, own: &str| {
        if grant == own {
            return required(reader, fields, key).map(Some);
        }
        Some(fields.text(reader, key).map(|text| text.value))
    };
    let refresh_token = of_grant("refresh_token", "refresh_token");
    let username = of_grant("username", "password");
    let password = of_grant("password", "password");
    let refresh_token_file = fields.plain(reader, "refresh_token_file");
    let grant_type = fields.plain(reader, "grant_type").map(|word| word.value);
    let access_token_request_data = fields.headers(reader, "access_token_request_data");
    let token_request = token_request(reader, fields);
    let default_token_expiration = fields.duration(reader, "default_token_expiration");
    let scheme = fields.plain(reader, "scheme").map(|scheme| scheme.value);
    fields.refuse(
        reader,
        "session",
        "exists only in Python",
        "token requests use `client.retry` and `client.timeout`",
    );
    Some(AuthConfig::OAuth2(Box::new(OAuth2Config {
        grant,
        access_token_url: access_token_url?,
        client_id: client_id?,
        client_secret: client_secret?,
        refresh_token: refresh_token?,
        refresh_token_file,
        username: username?,
        password: password?,
        grant_type,
        access_token_request_data,
        token_request,
        default_token_expiration,
        scheme,
    })))
}

/// `token_request: {auth: basic, body: json, headers: {...}, fields: {...}}`
fn token_request(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> TokenRequestConfig {
    let mut request = TokenRequestConfig::default();
    let Some((node, at)) = fields.take("token_request") else { return request };
    let Some(mut inner) = Fields::open(reader, node, &at) else { return request };
    request.basic = inner.word(reader, "auth", &["form", "basic"]) == Some("basic");
    request.json = inner.word(reader, "body", &["form", "json"]) == Some("json");
    request.headers = inner.headers(reader, "headers");
    request.fields = inner.headers(reader, "fields");
    inner.finish(reader);
    request
}

pub(super) fn login(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<AuthConfig> {
    let at = fields.at.clone();
    let method = fields.word(reader, "method", &["POST", "GET"]).map(|word| match word {
        "GET" => Method::Get,
        _ => Method::Post,
    });
    let (url, path) = (fields.text(reader, "url"), fields.text(reader, "path"));
    if let (Some(_), Some(path)) = (&url, &path) {
        reader.problem(&path.at.clone(), "`path` beside `url`: a login has one address");
    }
    let url = url.or(path);
    if url.is_none() {
        reader.problem_with_hint(
            &at,
            "missing key `path`",
            "write `path: auth/login`, or `url: https://...`",
        );
    }
    let headers = fields.headers(reader, "headers");
    let json =
        fields.take("json").map(|(node, at)| crate::config::model::Located { value: node.clone(), at });
    let data = fields.take("data").map(|(node, at)| reader.headers(node, &at));
    if json.is_some() && data.is_some() {
        reader.problem(&at, "`json` and `data`: a request has one body");
    }
    let token_path = fields.plain(reader, "token_path");
    let token_header = fields.plain(reader, "token_header");
    let token_cookie = fields.plain(reader, "token_cookie");
    let sources = [&token_path, &token_header, &token_cookie].into_iter().flatten().count();
    if sources != 1 {
        let message =
            if sources == 0 { "missing key `token_path`" } else { "the token has more than one place" };
        reader.problem_with_hint(
            &at,
            message,
            "one of `token_path: data.token`, `token_header: X-Token`, `token_cookie: session` says where the \
             token stands in the answer",
        );
    }
    let expires_in_path = fields.plain(reader, "expires_in_path");
    let expires_at_path = fields.plain(reader, "expires_at_path");
    let default_token_expiration = fields.duration(reader, "default_token_expiration");
    let location = location(reader, fields);
    let name = fields.plain(reader, "name");
    let format = fields.plain(reader, "format");
    Some(AuthConfig::Login(Box::new(LoginConfig {
        method,
        url: url?,
        headers,
        json,
        data,
        token_path,
        token_header,
        token_cookie,
        expires_in_path,
        expires_at_path,
        default_token_expiration,
        location,
        name,
        format,
        at,
    })))
}
