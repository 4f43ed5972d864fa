//! Tokens that are fetched: by OAuth 2, or by a login of the API's own.

use std::path::PathBuf;

use url::Url;

use super::auth::{secret, sent};
use super::client::check_header;
use super::{Problems, defaults};
use crate::config::model::{Header, Located, LoginConfig, OAuth2Config, Spot};
use crate::config::node::{Node, Value};
use crate::json::Path;
use crate::plan::{
    Expiry, Grant, JsonTemplate, KeyLocation, Method, RefreshToken, Template, Text, TokenBody, TokenPlan,
    TokenRequest, TokenSent, TokenSource,
};

pub(super) fn oauth2(config: &OAuth2Config, at: &Spot, problems: &mut Problems<'_>) -> Option<TokenPlan> {
    let url = endpoint(&config.access_token_url, None, problems);
    let request = &config.token_request;
    // A client that has no secret, or is not known at all, sends none.
    let known = |text: &Option<Text>| text.clone().filter(|text| !text.expose().is_empty());
    let (id, key) = (known(&config.client_id), known(&config.client_secret));
    let mut fields: Vec<(String, Text)> = Vec::new();
    let mut field = |name: &str, value: Option<Text>| {
        if let Some(value) = value {
            fields.retain(|(known, _)| known != name);
            fields.push((name.to_owned(), value));
        }
    };
    let basic = if request.basic {
        let empty = || Text::Plain(String::new());
        Some((id.unwrap_or_else(empty), secret(&key.unwrap_or_else(empty))))
    } else {
        field("client_id", id);
        field("client_secret", key);
        None
    };
    // A refresh token makes it that grant, whatever the type says, as long as nothing else is said.
    let refreshes = config.refresh_token.is_some() && config.grant != "password";
    let usual = if refreshes { "refresh_token" } else { config.grant };
    let grant = config.grant_type.clone().unwrap_or_else(|| usual.to_owned());
    field("grant_type", Some(Text::Plain(grant.clone())));
    field("username", config.username.clone());
    field("password", config.password.clone());
    for extra in config.access_token_request_data.iter().chain(&request.fields) {
        field(&extra.name, Some(extra.value.value.clone()));
    }
    let refresh = refresh(config, refreshes, at, problems);
    let headers = headers(&request.headers, problems);
    let body = if request.json {
        let fields =
            fields.into_iter().map(|(name, value)| (name, JsonTemplate::Text(Template::fixed(value))));
        TokenBody::Json(JsonTemplate::Map(fields.collect()))
    } else {
        TokenBody::Form(fields)
    };
    let scheme = config.scheme.clone().unwrap_or_else(|| defaults::AUTH_SCHEME.to_owned());
    Some(TokenPlan {
        grant: Grant::OAuth2(grant),
        request: TokenRequest { method: Method::Post, url: url?, headers: headers?, basic, body },
        refresh: refresh?,
        token: TokenSource::Body(Path::key("access_token")),
        expiry: Expiry {
            within: Some(Path::key("expires_in")),
            at: None,
            default: config.default_token_expiration.unwrap_or(defaults::TOKEN_EXPIRY),
        },
        sent: TokenSent {
            location: KeyLocation::Header,
            name: defaults::AUTH_HEADER.to_owned(),
            before: format!("{scheme} "),
            after: String::new(),
        },
    })
}

/// The refresh token; none after a complaint.
fn refresh(
    config: &OAuth2Config,
    refreshes: bool,
    at: &Spot,
    problems: &mut Problems<'_>,
) -> Option<Option<RefreshToken>> {
    match (&config.refresh_token, &config.refresh_token_file) {
        (Some(first), file) if refreshes => Some(Some(RefreshToken {
            first: secret(first),
            file: file.as_ref().map(|file| PathBuf::from(&file.value)),
        })),
        (_, Some(file)) => {
            problems.add_with_hint(
                &file.at,
                "`refresh_token_file` stands here, but no refresh token is used",
                "it belongs to `type: oauth2_refresh_token`, whose `refresh_token` is the first",
            );
            None
        }
        (Some(_), None) => {
            problems.add_with_hint(
                at,
                "a password and a refresh token: a token is asked for with one of them",
                "leave out `refresh_token`, or write `type: oauth2_refresh_token`",
            );
            None
        }
        (None, None) => Some(None),
    }
}

pub(super) fn login(
    config: &LoginConfig,
    base: Option<&Url>,
    problems: &mut Problems<'_>,
) -> Option<TokenPlan> {
    // Of a base URL that cannot be used it is said already.
    let url = endpoint(&config.url, Some(base?), problems);
    let headers = headers(&config.headers, problems);
    let body = match (&config.json, &config.data) {
        (Some(json), _) => TokenBody::Json(json_body(&json.value)),
        (None, Some(data)) => TokenBody::Form(
            data.iter().map(|field| (field.name.clone(), field.value.value.clone())).collect(),
        ),
        (None, None) => TokenBody::Empty,
    };
    let mut path = |written: &Option<Located<String>>| match written {
        Some(written) => problems.path(&written.value, &written.at).map(Some),
        None => Some(None),
    };
    let (token, within, moment) =
        (path(&config.token_path), path(&config.expires_in_path), path(&config.expires_at_path));
    let sent = sent(config.location, config.name.as_ref(), config.format.as_ref(), &config.at, problems);
    // That it has exactly one place was checked when the file was read.
    let token = match (token?, &config.token_header, &config.token_cookie) {
        (Some(path), _, _) => TokenSource::Body(path),
        (None, Some(header), _) => TokenSource::Header(header.value.clone()),
        (None, None, Some(cookie)) => TokenSource::Cookie(cookie.value.clone()),
        (None, None, None) => return None,
    };
    Some(TokenPlan {
        grant: Grant::Login,
        request: TokenRequest {
            method: config.method.unwrap_or(Method::Post),
            url: url?,
            headers: headers?,
            basic: None,
            body,
        },
        refresh: None,
        token,
        expiry: Expiry {
            within: within?,
            at: moment?,
            default: config.default_token_expiration.unwrap_or(defaults::TOKEN_EXPIRY),
        },
        sent: sent?,
    })
}

/// Where a token is asked for; what is no URL is a path below the base, if one is given.
fn endpoint(written: &Located<Text>, base: Option<&Url>, problems: &mut Problems<'_>) -> Option<Url> {
    let text = written.value.expose().trim();
    let url = match base {
        Some(base) => base.join(text.trim_start_matches('/')),
        None => Url::parse(text),
    };
    match url {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        _ => {
            problems.add_with_hint(
                &written.at,
                "the token endpoint is not a URL",
                "expected one such as `https://accounts.example.com/oauth/v2/token`",
            );
            None
        }
    }
}

fn headers(written: &[Header], problems: &mut Problems<'_>) -> Option<Vec<(String, Text)>> {
    let fits: Vec<bool> = written.iter().map(|header| check_header(header, problems)).collect();
    let headers = written.iter().map(|header| (header.name.clone(), header.value.value.clone()));
    fits.into_iter().all(|fits| fits).then(|| headers.collect())
}

/// A body without placeholders: braces are what they are.
fn json_body(node: &Node) -> JsonTemplate {
    match &node.value {
        Value::Null => JsonTemplate::Literal(serde_json::Value::Null),
        Value::Bool(flag) => JsonTemplate::Literal((*flag).into()),
        Value::Int(number) => JsonTemplate::Literal((*number).into()),
        Value::Float(number) => JsonTemplate::Literal((*number).into()),
        Value::Text(text) => JsonTemplate::Text(Template::fixed(Text::Plain(text.clone()))),
        Value::Secret(secret) => JsonTemplate::Text(Template::fixed(Text::Secret(secret.clone()))),
        Value::List(items) => JsonTemplate::List(items.iter().map(json_body).collect()),
        Value::Map(map) => JsonTemplate::Map(
            map.entries.iter().map(|entry| (entry.key.clone(), json_body(&entry.value))).collect(),
        ),
    }
}
