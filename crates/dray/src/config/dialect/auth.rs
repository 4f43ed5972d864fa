//! `auth` in the words of other tools (`oauth2`, `basic`, `format: "Bearer {token}"`).

use super::super::node::{Map, Node, Place, Value};
use super::spelling::{Writer, set, text};

/// The grants that the types of auth stand for, and those that need a person.
const GRANTS: [&str; 5] =
    ["client_credentials", "refresh_token", "password", "authorization_code", "implicit"];

/// Gives an auth dlt's type and keys; values that are not there come from secrets.
pub(super) fn respell(node: &mut Node, writer: &mut Writer<'_>) {
    let place = node.place;
    if let Value::List(items) = &mut node.value {
        items.iter_mut().for_each(|item| respell(item, writer));
        return;
    }
    if let Value::Text(word) = &node.value {
        let word = word.clone();
        let mut map = Map::default();
        set(&mut map, "type", place, word);
        node.value = Value::Map(map);
    }
    let Some(map) = node.as_map_mut() else { return };
    let Some(written) = text(map, "type").map(str::to_owned) else {
        if map.get("type").is_some_and(Node::is_null) {
            set(map, "type", place, "none");
        }
        return;
    };
    place_of_key(map, place, writer);
    let mut kind = match written.as_str() {
        "basic" | "Basic" | "http" => "http_basic",
        "oauth2" | "oauth" | "OAuth2" | "OAuth" | "oauth2_refresh" => {
            if map.contains("refresh_token") {
                "oauth2_refresh_token"
            } else if text(map, "grant_type") == Some("password") || map.contains("password") {
                "oauth2_password"
            } else {
                "oauth2_client_credentials"
            }
        }
        "apikey" | "apiKey" | "api-key" | "custom_header" | "header" | "query" => "api_key",
        "token" | "Bearer" | "bearer_token" | "http_bearer" => "bearer",
        "none" | "None" | "" | "no_auth" => "none",
        other => other,
    }
    .to_owned();
    if matches!(written.as_str(), "query" | "header") && !map.contains("location") {
        set(map, "location", place, written.as_str());
    }
    if kind == "bearer" {
        kind = bearer(map, place, writer).to_owned();
    }
    if kind != written {
        writer.note(format!("auth `{written}` is read as `{kind}`"));
        set(map, "type", place, kind.as_str());
    }
    match kind.as_str() {
        "none" => map.entries.retain(|entry| entry.key == "type"),
        "bearer" => {
            writer.rename(map, &["api_key", "access_token", "value", "key"], "token");
            from_secrets(map, "token", "token|access_token|api_key", place, writer);
        }
        "api_key" => api_key(map, place, writer),
        "http_basic" => basic(map, &written, place, writer),
        "oauth2_client_credentials" | "oauth2_refresh_token" | "oauth2_password" => {
            oauth2(map, &kind, place, writer);
        }
        _ => {}
    }
}

fn place_of_key(map: &mut Map, place: Place, writer: &mut Writer<'_>) {
    if matches!(text(map, "in"), Some("header" | "query" | "cookie" | "params" | "param")) {
        writer.rename(map, &["in"], "location");
    }
    if text(map, "location") == Some("params") {
        set(map, "location", place, "query");
        writer.note("`location: params` is read as `query`");
    }
}

/// A bearer token under another name or with another word before it is an API key.
fn bearer(map: &mut Map, place: Place, writer: &mut Writer<'_>) -> &'static str {
    let header = matches!(text(map, "location"), None | Some("header"));
    let named = matches!(text(map, "name"), None | Some("Authorization" | "authorization"));
    let usual = text(map, "format").is_none_or(|format| format.trim_start().starts_with("Bearer {"));
    if !(header && named && usual) {
        if !map.contains("format") && named && header {
            set(map, "format", place, "Bearer {token}");
        }
        writer.rename(map, &["token", "access_token"], "api_key");
        return "api_key";
    }
    let format = writer.take(map, &["format"]);
    map.remove("location");
    map.remove("name");
    if let Some(name) = format.as_ref().and_then(Node::as_text).and_then(placeholder)
        && !map.contains("token")
        && !map.contains("api_key")
    {
        let from = alternatives(&name);
        set(map, "token", place, format!("${{secrets.{from}}}"));
        writer.note(format!("the token comes from the secret {}", either(&from)));
    }
    "bearer"
}

fn api_key(map: &mut Map, place: Place, writer: &mut Writer<'_>) {
    writer.rename(map, &["header_name", "key_name", "param_name", "param", "in_name", "header"], "name");
    writer.rename(map, &["value", "token", "api_token"], "api_key");
    if map.contains("api_key") && map.contains("key") && !map.contains("name") {
        writer.rename(map, &["key"], "name");
    }
    writer.rename(map, &["key"], "api_key");
    secret_for_sample(map, "api_key", place, writer);
    if map.get("api_key").is_some_and(|node| !node.is_null()) {
        return;
    }
    let Some(format) = text(map, "format").map(str::to_owned) else {
        from_secrets(map, "api_key", "api_key|token|access_token", place, writer);
        return;
    };
    // `Bearer {token}`: the placeholders name the secrets.
    let mut value = String::new();
    let mut rest = format.as_str();
    let mut names = Vec::new();
    while let Some((before, inner)) = rest.split_once('{') {
        let Some((name, after)) = inner.split_once('}') else { break };
        value.push_str(before);
        let from = alternatives(name);
        value.push_str(&format!("${{secrets.{from}}}"));
        names.push(either(&from));
        rest = after;
    }
    value.push_str(rest);
    if names.is_empty() {
        return;
    }
    map.remove("format");
    set(map, "api_key", place, value);
    writer.note(format!("the value of `{format}` comes from the secret {}", names.join(" and ")));
}

/// The secrets that a placeholder may mean: its own name first.
fn alternatives(name: &str) -> String {
    let name = name.trim().trim_start_matches("base64_encoded_");
    let mut names = vec![name];
    if matches!(name, "token" | "api_key" | "access_token" | "api_token" | "auth_token") {
        for other in ["token", "api_key", "access_token", "client_secret"] {
            if !names.contains(&other) {
                names.push(other);
            }
        }
    }
    names.join("|")
}

fn either(names: &str) -> String {
    names.split('|').map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", else ")
}

fn basic(map: &mut Map, written: &str, place: Place, writer: &mut Writer<'_>) {
    for key in ["format", "location", "name"] {
        map.remove(key);
    }
    writer.rename(map, &["email", "user", "account", "client_id"], "username");
    writer.rename(map, &["api_token", "token", "client_secret"], "password");
    if map.contains("username") {
        writer.rename(map, &["api_key"], "password");
    } else {
        writer.rename(map, &["api_key"], "username");
    }
    if written != "http_basic" && map.contains("username") && !map.contains("password") {
        set(map, "password", place, "");
        writer.note("`basic` without `password` sends an empty one");
    }
    for key in ["username", "password"] {
        secret_for_sample(map, key, place, writer);
        from_secrets(map, key, key, place, writer);
    }
}

fn oauth2(map: &mut Map, kind: &str, place: Place, writer: &mut Writer<'_>) {
    writer.rename(map, &["token_url", "token_endpoint", "token_refresh_endpoint"], "access_token_url");
    writer.rename(map, &["token_prefix", "header_prefix"], "scheme");
    // A grant of the API's own stays; of the usual ones the other keys say which it is.
    if let Some(grant) = text(map, "grant_type").map(str::to_owned)
        && GRANTS.contains(&grant.as_str())
    {
        map.remove("grant_type");
        if kind != format!("oauth2_{grant}") {
            writer.note(format!("`grant_type: {grant}` is ignored: `{kind}` is what the other keys allow"));
        }
    }
    // Where the token goes is the same for all.
    let usual = |text: Option<&str>, word: &str| text.is_none_or(|text| text.eq_ignore_ascii_case(word));
    if usual(text(map, "location"), "header") && usual(text(map, "header_name"), "authorization") {
        for key in ["flow", "location", "header_name"] {
            map.remove(key);
        }
    }
    let mut extra = Map::default();
    if let Some(scopes) = writer.take(map, &["scope", "scopes"]) {
        let joined = match &scopes.value {
            Value::List(items) => items.iter().filter_map(Node::as_text).collect::<Vec<_>>().join(" "),
            _ => scopes.as_text().unwrap_or_default().to_owned(),
        };
        set(&mut extra, "scope", place, joined);
        writer.note("`scope` is sent with the request for the token");
    }
    for key in ["redirect_uri", "audience", "resource"] {
        if let Some(entry) = map.remove(key) {
            extra.insert(key, entry.place, entry.value);
        }
    }
    if !extra.is_empty() {
        match map.get_mut("access_token_request_data").and_then(Node::as_map_mut) {
            Some(data) => data.entries.extend(extra.entries),
            None => {
                map.insert("access_token_request_data", place, Node::new(Value::Map(extra), place));
            }
        }
    }
    let keys: &[&str] = match kind {
        "oauth2_refresh_token" => &["client_id", "client_secret", "refresh_token"],
        "oauth2_password" => &["username", "password"],
        _ => &["client_id", "client_secret"],
    };
    for key in keys {
        secret_for_sample(map, key, place, writer);
        from_secrets(map, key, key, place, writer);
    }
}

/// `{client_id}`, `<your_client_id>`, `YOUR_CLIENT_ID` stand for a secret.
fn secret_for_sample(map: &mut Map, key: &str, place: Place, writer: &mut Writer<'_>) {
    let Some(written) = text(map, key) else { return };
    if written.contains("${") {
        return;
    }
    let name = placeholder(written)
        .filter(|_| written.starts_with('{') && written.ends_with('}'))
        .or_else(|| written.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).map(str::to_owned))
        .or_else(|| written.to_ascii_lowercase().starts_with("your_").then(|| written.to_owned()));
    let Some(name) = name else { return };
    let name = name.to_ascii_lowercase().replace([' ', '-'], "_");
    let name = name.trim_start_matches("your_").to_owned();
    writer.note(format!("`{key}` comes from the secret `{name}`"));
    set(map, key, place, format!("${{secrets.{name}}}"));
}

fn placeholder(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('{')?;
    let (name, _) = rest.split_once('}')?;
    Some(name.trim().to_owned())
}

/// A value that is not there comes from secrets, as in dlt.
fn from_secrets(map: &mut Map, key: &str, names: &str, place: Place, writer: &mut Writer<'_>) {
    if map.get(key).is_some_and(|node| !node.is_null()) {
        return;
    }
    set(map, key, place, format!("${{secrets.{names}}}"));
    writer.note(format!("`{key}` of the auth comes from the secret {}", either(names)));
}
