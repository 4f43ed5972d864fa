//! `auth`: type string, mapping, or null.

use super::super::model::{AuthConfig, Located, OAuth2Config, Spot};
use super::super::node::{Node, Value};
use super::fields::{Fields, Reader, known_word};
use crate::plan::{KeyLocation, Text};

const TYPES: [&str; 6] =
    ["bearer", "api_key", "http_basic", "oauth2_client_credentials", "oauth2_refresh_token", "none"];

pub(super) fn read(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<AuthConfig> {
    if node.is_null() {
        return Some(AuthConfig::None);
    }
    if let Value::Text(word) = &node.value {
        let word = Located { value: word.clone(), at: at.clone() };
        let kind = known_word(reader, &word, "auth type", &TYPES)?;
        if kind == "none" {
            return Some(AuthConfig::None);
        }
        reader.problem_with_hint(
            at,
            format!("`{kind}` stands alone, without its values"),
            "write a mapping: `{type: bearer, token: \"${secrets.token}\"}`",
        );
        return None;
    }
    let mut fields = Fields::open(reader, node, at)?;
    // Without a type it is a bearer token, as in dlt.
    let kind = match fields.plain(reader, "type") {
        Some(written) => known_type(reader, &written)?,
        None => "bearer",
    };
    let auth = match kind {
        "none" => Some(AuthConfig::None),
        "bearer" => {
            let token = required(reader, &mut fields, "token");
            let scheme = fields.plain(reader, "scheme").map(|scheme| scheme.value);
            token.map(|token| AuthConfig::Bearer { token, scheme })
        }
        "api_key" => api_key(reader, &mut fields),
        "http_basic" => {
            let username = required(reader, &mut fields, "username");
            let password = required(reader, &mut fields, "password");
            username.zip(password).map(|(username, password)| AuthConfig::Basic { username, password })
        }
        _ => oauth2(reader, &mut fields, kind == "oauth2_refresh_token"),
    };
    fields.finish(reader);
    auth
}

/// The type; of types that other tools know, what comes nearest.
fn known_type(reader: &mut Reader<'_>, written: &Located<String>) -> Option<&'static str> {
    let hint = match written.value.as_str() {
        "cookie" | "session_token" | "session" => {
            "a cookie that you have is `{type: api_key, location: cookie, name: ..., api_key: ...}`"
        }
        "oauth1" | "oauth1.0" | "hmac" | "jwt" | "digest" | "aws4" | "aws_signature" | "aws_signature_v4"
        | "aws_sigv4" | "aws_credentials" => {
            "requests are not signed: use a token of the API, if it has some"
        }
        "custom" | "custom_headers" => {
            "a value that the API takes in a header is `{type: api_key, name: X-Token, api_key: ...}`; several \
             stand in `client.headers`"
        }
        _ => return known_word(reader, written, "auth type", &TYPES),
    };
    reader.problem_with_hint(&written.at, format!("auth of type `{}` is not supported", written.value), hint);
    None
}

fn required(reader: &mut Reader<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<Text> {
    match fields.take(key) {
        Some((node, at)) => reader.scalar(node, &at),
        None => {
            reader.problem_with_hint(
                &fields.at,
                format!("missing key `{key}`"),
                format!("write `{key}: \"${{secrets.{key}}}\"`"),
            );
            None
        }
    }
}

fn api_key(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<AuthConfig> {
    let name = fields.plain(reader, "name").map(|name| name.value);
    let api_key = required(reader, fields, "api_key");
    let format = fields.plain(reader, "format").map(|format| format.value);
    let location = fields.word(reader, "location", &["header", "query", "param", "cookie"]);
    let location = location.map(|location| match location {
        "header" => KeyLocation::Header,
        "cookie" => KeyLocation::Cookie,
        _ => KeyLocation::Query,
    });
    api_key.map(|api_key| AuthConfig::ApiKey { name, api_key, location, format })
}

fn oauth2(reader: &mut Reader<'_>, fields: &mut Fields<'_>, refresh: bool) -> Option<AuthConfig> {
    let access_token_url = fields.text(reader, "access_token_url");
    if access_token_url.is_none() {
        reader.problem(&fields.at, "missing key `access_token_url`");
    }
    let client_id = required(reader, fields, "client_id");
    let client_secret = required(reader, fields, "client_secret");
    let refresh_token = if refresh {
        Some(required(reader, fields, "refresh_token")?)
    } else {
        fields.text(reader, "refresh_token").map(|token| token.value)
    };
    let access_token_request_data = fields.headers(reader, "access_token_request_data");
    let default_token_expiration = fields.duration(reader, "default_token_expiration");
    let scheme = fields.plain(reader, "scheme").map(|scheme| scheme.value);
    fields.refuse(
        reader,
        "session",
        "exists only in Python",
        "token requests use `client.retry` and `client.timeout`",
    );
    Some(AuthConfig::OAuth2(Box::new(OAuth2Config {
        access_token_url: access_token_url?,
        client_id: client_id?,
        client_secret: client_secret?,
        refresh_token,
        access_token_request_data,
        default_token_expiration,
        scheme,
    })))
}
