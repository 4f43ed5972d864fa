//! `auth` from the security schemes of a description.

use serde_json::Value;

use super::schema::Spec;
use crate::config::node::Node;
use crate::plan::propose::{map, text};

/// The `auth` of a client, and what is not certain of it.
pub(super) fn auth(spec: &Spec<'_>) -> Option<(Node, Option<String>)> {
    let place = if spec.old { "/securityDefinitions" } else { "/components/securitySchemes" };
    let schemes = spec.root.pointer(place)?.as_object()?;
    let asked = spec.root.get("security").and_then(Value::as_array).into_iter().flatten();
    let named = asked.filter_map(Value::as_object).flat_map(|one| one.keys());
    // What the description asks for first, then what it only defines.
    let names = named.chain(schemes.keys());
    let known = names.filter_map(|name| Some((name, spec.resolved(schemes.get(name)?))));
    let mut spoken: Vec<(&String, (Node, Option<String>))> = Vec::new();
    for (name, scheme) in known {
        if !spoken.iter().any(|(other, _)| *other == name)
            && let Some(auth) = of_scheme(scheme)
        {
            spoken.push((name, auth));
        }
    }
    let others: Vec<&str> = spoken.iter().skip(1).map(|(name, _)| name.as_str()).collect();
    let others = (!others.is_empty()).then(|| format!("The API also knows {}.", others.join(", ")));
    let (_, (auth, comment)) = spoken.into_iter().next()?;
    let comment = match (comment, others) {
        (Some(comment), Some(others)) => Some(format!("{comment} {others}")),
        (comment, others) => comment.or(others),
    };
    Some((auth, comment))
}

fn of_scheme(scheme: &Value) -> Option<(Node, Option<String>)> {
    let word = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let bearer = || map(vec![("type", text("bearer")), ("token", text("${secrets.token}"))]);
    match word("type") {
        "http" if word("scheme").eq_ignore_ascii_case("bearer") => Some((bearer(), None)),
        "http" if word("scheme").eq_ignore_ascii_case("basic") => Some((basic(), None)),
        "basic" => Some((basic(), None)),
        "apiKey" => {
            let location = match word("in") {
                place @ ("query" | "cookie") => place,
                _ => "header",
            };
            let mut keys = vec![("type", text("api_key")), ("name", text(word("name")))];
            if location != "header" {
                keys.push(("location", text(location)));
            }
            keys.push(("api_key", text("${secrets.api_key}")));
            Some((map(keys), None))
        }
        "oauth2" => {
            let flow = scheme
                .pointer("/flows/clientCredentials")
                .or_else(|| matches!(word("flow"), "application").then_some(scheme));
            let url = flow.and_then(|flow| flow.get("tokenUrl")).and_then(Value::as_str);
            Some(match url {
                Some(url) => (
                    map(vec![
                        ("type", text("oauth2_client_credentials")),
                        ("access_token_url", text(url)),
                        ("client_id", text("${secrets.client_id}")),
                        ("client_secret", text("${secrets.client_secret}")),
                    ]),
                    None,
                ),
                None => (
                    bearer(),
                    Some(
                        "OAuth 2 that a person has to agree to: a token, or `oauth2_refresh_token`."
                            .to_owned(),
                    ),
                ),
            })
        }
        "openIdConnect" => {
            Some((bearer(), Some("OpenID Connect: a token that was got elsewhere.".to_owned())))
        }
        _ => None,
    }
}

fn basic() -> Node {
    map(vec![
        ("type", text("http_basic")),
        ("username", text("${secrets.username}")),
        ("password", text("${secrets.password}")),
    ])
}
