//! `auth`: type string, mapping, list of them, or null.

use super::super::model::{AuthConfig, Located, Spot};
use super::super::node::{Node, Value};
use super::fields::{Fields, Reader, known_word};
use super::token;
use crate::plan::{KeyLocation, Text};

const TYPES: [&str; 8] = [
    "bearer",
    "api_key",
    "http_basic",
    "oauth2_client_credentials",
    "oauth2_refresh_token",
    "oauth2_password",
    "login",
    "none",
];

pub(super) fn read(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<AuthConfig> {
    if node.is_null() {
        return Some(AuthConfig::None);
    }
    if let Value::List(items) = &node.value {
        return several(reader, items, at);
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
        "login" => token::login(reader, &mut fields),
        _ => {
            let grant = token::OAUTH2.into_iter().find(|(name, _)| *name == kind).map(|(_, grant)| grant);
            grant.and_then(|grant| token::oauth2(reader, &mut fields, grant))
        }
    };
    fields.finish(reader);
    auth
}

/// A list: all of them authenticate each request.
fn several(reader: &mut Reader<'_>, items: &[Node], at: &Spot) -> Option<AuthConfig> {
    let mut auths = Vec::new();
    let mut whole = true;
    for (index, item) in items.iter().enumerate() {
        let at = at.item(index, item);
        match &item.value {
            // Left out by its `when`.
            Value::Null => continue,
            Value::List(_) => {
                reader.expected(&at, "a mapping", item);
                whole = false;
            }
            _ => match read(reader, item, &at) {
                Some(value) => auths.push(Located { value, at }),
                None => whole = false,
            },
        }
    }
    whole.then_some(AuthConfig::Several(auths))
}

/// The type; of types that other tools know, what comes nearest.
fn known_type(reader: &mut Reader<'_>, written: &Located<String>) -> Option<&'static str> {
    let hint = match written.value.as_str() {
        "cookie" | "session_token" | "session" => {
            "a cookie that you have is `{type: api_key, location: cookie, name: ..., api_key: ...}`; one that a \
             login gives is `{type: login, ...}`"
        }
        "oauth1" | "oauth1.0" | "hmac" | "jwt" | "digest" | "aws4" | "aws_signature" | "aws_signature_v4"
        | "aws_sigv4" | "aws_credentials" => {
            "requests are not signed: use a token of the API, if it has some"
        }
        "custom" | "custom_headers" => {
            "a value that the API takes in a header is `{type: api_key, name: X-Token, api_key: ...}`; several are a \
             list: `auth: [{...}, {...}]`"
        }
        _ => return known_word(reader, written, "auth type", &TYPES),
    };
    reader.problem_with_hint(&written.at, format!("auth of type `{}` is not supported", written.value), hint);
    None
}

pub(super) fn required(reader: &mut Reader<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<Text> {
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
    let location = location(reader, fields);
    api_key.map(|api_key| AuthConfig::ApiKey { name, api_key, location, format })
}

/// Where a key or token goes.
pub(super) fn location(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<KeyLocation> {
    fields.word(reader, "location", &["header", "query", "param", "cookie"]).map(|location| match location {
        "header" => KeyLocation::Header,
        "cookie" => KeyLocation::Cookie,
        _ => KeyLocation::Query,
    })
}
