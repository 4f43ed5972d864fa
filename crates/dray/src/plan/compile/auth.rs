//! `auth`: what authenticates requests.

use url::Url;

use super::client::{check_header, check_header_value};
use super::{Problems, defaults, token};
use crate::config::model::{AuthConfig, Header, Located, Spot};
use crate::plan::{AuthPlan, KeyLocation, Text, TokenSent};
use crate::secret::Secret;

/// How requests are authenticated. `base` is the base URL, unless there was a complaint about it.
pub(super) fn auth(
    written: Option<&Located<AuthConfig>>,
    base: Option<&Url>,
    problems: &mut Problems<'_>,
) -> Option<AuthPlan> {
    let Some(written) = written else { return Some(AuthPlan::None) };
    match &written.value {
        AuthConfig::None => Some(AuthPlan::None),
        AuthConfig::Bearer { token, scheme } => {
            check_header_value(token.expose(), &written.at, problems).then_some(())?;
            Some(match scheme.as_deref() {
                None | Some(defaults::AUTH_SCHEME) => AuthPlan::Bearer { token: secret(token) },
                Some(scheme) => AuthPlan::ApiKey {
                    name: defaults::AUTH_HEADER.to_owned(),
                    value: Secret::new(format!("{scheme} {}", token.expose())),
                    location: KeyLocation::Header,
                },
            })
        }
        AuthConfig::ApiKey { name, api_key, location, format } => {
            let name = name.clone().unwrap_or_else(|| defaults::AUTH_HEADER.to_owned());
            let location = location.unwrap_or(KeyLocation::Header);
            let value = match format {
                Some(format) => {
                    let (head, tail) = around(format, &written.at, problems)?;
                    format!("{head}{}{tail}", api_key.expose())
                }
                None => api_key.expose().to_owned(),
            };
            if location != KeyLocation::Query {
                let text =
                    Located { value: Text::Secret(Secret::new(value.clone())), at: written.at.clone() };
                check_header(&Header { name: name.clone(), value: text }, problems).then_some(())?;
            }
            Some(AuthPlan::ApiKey { name, value: Secret::new(value), location })
        }
        AuthConfig::Basic { username, password } => {
            Some(AuthPlan::Basic { username: username.clone(), password: secret(password) })
        }
        AuthConfig::OAuth2(config) => {
            token::oauth2(config, &written.at, problems).map(|plan| AuthPlan::Token(Box::new(plan)))
        }
        AuthConfig::Login(config) => {
            token::login(config, base, problems).map(|plan| AuthPlan::Token(Box::new(plan)))
        }
        AuthConfig::Several(auths) => several(auths, base, problems),
    }
}

/// A list: each has a place of its own in a request, and one of them at the most fetches a token.
fn several(
    auths: &[Located<AuthConfig>],
    base: Option<&Url>,
    problems: &mut Problems<'_>,
) -> Option<AuthPlan> {
    let mut plans: Vec<AuthPlan> = Vec::new();
    let mut whole = true;
    for written in auths {
        let Some(plan) = auth(Some(written), base, problems) else {
            whole = false;
            continue;
        };
        if plan == AuthPlan::None {
            continue;
        }
        if let Some(taken) =
            place(&plan).filter(|own| plans.iter().any(|other| place(other).as_ref() == Some(own)))
        {
            problems.add_with_hint(
                &written.at,
                format!("a second auth in the {}", in_words(&taken)),
                "each auth of a list needs a header, parameter or cookie of its own: give it another `name`",
            );
            whole = false;
        } else if matches!(plan, AuthPlan::Token(_)) && plans.iter().any(|other| other.token().is_some()) {
            problems.add(&written.at, "a second auth that fetches a token: a request has one of them");
            whole = false;
        } else {
            plans.push(plan);
        }
    }
    whole.then_some(())?;
    Some(match plans.len() {
        0 => AuthPlan::None,
        1 => plans.remove(0),
        _ => AuthPlan::Several(plans),
    })
}

type Place = (KeyLocation, String);

/// Where a credential goes.
fn place(plan: &AuthPlan) -> Option<Place> {
    let header = || (KeyLocation::Header, defaults::AUTH_HEADER.to_lowercase());
    match plan {
        AuthPlan::None | AuthPlan::Several(_) => None,
        AuthPlan::Bearer { .. } | AuthPlan::Basic { .. } => Some(header()),
        AuthPlan::ApiKey { name, location, .. } => Some(own_place(*location, name)),
        AuthPlan::Token(token) => Some(own_place(token.sent.location, &token.sent.name)),
    }
}

/// Names of headers are the same in any case, those of parameters and cookies are not.
fn own_place(location: KeyLocation, name: &str) -> Place {
    match location {
        KeyLocation::Header => (location, name.to_lowercase()),
        KeyLocation::Query | KeyLocation::Cookie => (location, name.to_owned()),
    }
}

fn in_words((location, name): &Place) -> String {
    let what = match location {
        KeyLocation::Header => "header",
        KeyLocation::Query => "parameter",
        KeyLocation::Cookie => "cookie",
    };
    format!("{what} `{name}`")
}

/// What stands around the key in `Bearer {token}`.
fn around<'f>(format: &'f str, at: &Spot, problems: &mut Problems<'_>) -> Option<(&'f str, &'f str)> {
    let pieces = format.split_once('{').and_then(|(head, rest)| {
        let (_, tail) = rest.split_once('}')?;
        (!tail.contains('{')).then_some((head, tail))
    });
    if pieces.is_none() {
        problems.add_with_hint(
            at,
            format!("`format: {format}` needs one placeholder"),
            "write `format: \"Bearer {token}\"`",
        );
    }
    pieces
}

/// How a token is sent: in the `Authorization` header after `Bearer`, if nothing else is said.
pub(super) fn sent(
    location: Option<KeyLocation>,
    name: Option<&Located<String>>,
    format: Option<&Located<String>>,
    at: &Spot,
    problems: &mut Problems<'_>,
) -> Option<TokenSent> {
    let location = location.unwrap_or(KeyLocation::Header);
    let written = name.map(|name| name.value.clone());
    let usual = location == KeyLocation::Header
        && written.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(defaults::AUTH_HEADER));
    let name = match (written, location) {
        (Some(name), _) => name,
        (None, KeyLocation::Header) => defaults::AUTH_HEADER.to_owned(),
        (None, KeyLocation::Query | KeyLocation::Cookie) => {
            problems.add_with_hint(
                at,
                "missing key `name`",
                "a token outside the header `Authorization` needs the name of its parameter or cookie",
            );
            return None;
        }
    };
    let (before, after) = match format {
        Some(format) => around(&format.value, &format.at, problems)?,
        None if usual => ("Bearer ", ""),
        None => ("", ""),
    };
    if location != KeyLocation::Query {
        let value = Located { value: Text::Plain(format!("{before}{after}")), at: at.clone() };
        check_header(&Header { name: name.clone(), value }, problems).then_some(())?;
    }
    Some(TokenSent { location, name, before: before.to_owned(), after: after.to_owned() })
}

pub(super) fn secret(text: &Text) -> Secret {
    match text {
        Text::Plain(text) => Secret::new(text.clone()),
        Text::Secret(secret) => secret.clone(),
    }
}
