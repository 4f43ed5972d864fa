//! `client`: base URL, headers, patience.

use url::Url;

use super::Problems;
use super::defaults::{self, Merged};
use crate::config::model::{AuthConfig, ClientConfig, Header, Located, OAuth2Config, Spot};
use crate::plan::{AuthPlan, ClientPlan, KeyLocation, OAuth2Plan, RateLimit, RetryPlan, Text, Timeouts};
use crate::secret::Secret;

pub(super) fn compile(
    client: &ClientConfig,
    resources: &[Merged],
    problems: &mut Problems<'_>,
) -> Option<ClientPlan> {
    let base_url = base_url(client, resources, problems);
    let headers = client
        .headers
        .iter()
        // A variable that is left empty (an organization of one's own) is a header that is not sent.
        .filter(|header| !header.value.value.expose().is_empty() && check_header(header, problems))
        .map(|header| (header.name.clone(), header.value.value.clone()))
        .collect();
    let retry = defaults::retry();
    let retry = RetryPlan {
        max_retries: client.retry.max_retries.unwrap_or(retry.max_retries),
        backoff_factor: client.retry.backoff_factor.unwrap_or(retry.backoff_factor),
        max_wait: client.retry.max_wait.unwrap_or(retry.max_wait),
        statuses: client.retry.statuses.clone().unwrap_or(retry.statuses),
    };
    let timeouts = defaults::timeouts();
    let timeouts = Timeouts {
        connect: client.timeout.connect.unwrap_or(timeouts.connect),
        read: client.timeout.read.unwrap_or(timeouts.read),
        total: client.timeout.total.unwrap_or(timeouts.total.max(client.timeout.read.unwrap_or_default())),
    };
    let rate_limits = client
        .rate_limits
        .iter()
        .map(|limit| RateLimit {
            route: limit.route.as_ref().map(|route| format!("/{}", route.trim_start_matches('/'))),
            requests: limit.requests,
            per: limit.per.unwrap_or(defaults::RATE_PERIOD),
        })
        .collect();
    let mut allowed_origins = Vec::new();
    for written in &client.allowed_origins {
        match Url::parse(&written.value) {
            Ok(url) if url.has_host() && url.path() == "/" && url.query().is_none() => {
                allowed_origins.push(url.origin());
            }
            _ => problems.add_with_hint(
                &written.at,
                format!("`{}` is not an origin", written.value),
                "an origin is scheme, host and port: `https://files.example.com`",
            ),
        }
    }
    Some(ClientPlan {
        base_url: base_url?,
        headers,
        retry,
        rate_limits,
        max_requests: None,
        concurrency: client
            .concurrency
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(defaults::CONCURRENCY),
        timeouts,
        max_body_bytes: client.max_body.unwrap_or(defaults::MAX_BODY_BYTES),
        allowed_origins,
    })
}

fn base_url(client: &ClientConfig, resources: &[Merged], problems: &mut Problems<'_>) -> Option<Url> {
    let missing = |problems: &mut Problems<'_>, at: &Spot| {
        problems.add_with_hint(
            at,
            "missing key `base_url`",
            "write `base_url: https://api.example.com/v1/`, or pass `--set client.base_url=...`",
        );
    };
    let Some(written) = &client.base_url else {
        missing(problems, &client.at);
        return None;
    };
    let text = written.value.expose().trim();
    if text.is_empty() {
        // dlt allows this where every path is a URL of its own.
        let first = resources.first().and_then(|merged| merged.resource.endpoint.path.as_ref());
        let origin = first.and_then(|path| Url::parse(path.value.expose()).ok()).filter(Url::has_host);
        let Some(mut url) = origin else {
            // A template that could not be resolved has been reported, and left nothing.
            if !problems.diagnostics.is_about(&written.at.path) {
                missing(problems, &written.at);
            }
            return None;
        };
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        return Some(url);
    }
    if let Some((_, rest)) = text.split_once('{') {
        let name = rest.split('}').next().unwrap_or_default().trim_matches(['{', ' ']);
        problems.add_with_hint(
            &written.at,
            format!("`base_url` still has the placeholder `{{{name}}}`"),
            "write the value in its place, use `${vars.NAME}`, or pass `--set client.base_url=...`",
        );
        return None;
    }
    let found = parse_base(text);
    if let Err(message) = &found {
        problems.add_with_hint(
            &written.at,
            format!("`base_url` {message}"),
            "expected a URL such as `https://api.example.com/v1/`",
        );
    }
    found.ok()
}

fn parse_base(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| {
        if text.contains("://") { format!("is not a URL: {error}") } else { "has no scheme".to_owned() }
    })?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        // `localhost:8080/v1` parses as a URL whose scheme is `localhost`.
        let what = if text.contains("://") { "is not http or https" } else { "has no scheme" };
        return Err(what.to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment: parameters belong in `params`".to_owned());
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// Whether name and value can stand in a request.
pub(super) fn check_header(header: &Header, problems: &mut Problems<'_>) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if header.name.is_empty() || !header.name.bytes().all(token) {
        problems
            .add(&header.value.at, format!("`{}` is not the name of a header", header.name.escape_debug()));
        return false;
    }
    check_header_value(header.value.value.expose(), &header.value.at, problems)
}

fn check_header_value(value: &str, at: &Spot, problems: &mut Problems<'_>) -> bool {
    let fits = !value.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
    if !fits {
        problems.add_with_hint(
            at,
            "a header's value cannot hold a line break",
            "a secret read from a file often ends in one",
        );
    }
    fits
}

/// How requests are authenticated.
pub(super) fn auth(written: Option<&Located<AuthConfig>>, problems: &mut Problems<'_>) -> Option<AuthPlan> {
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
                Some(format) => formatted(format, api_key.expose(), &written.at, problems)?,
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
        AuthConfig::OAuth2(config) => oauth2(config, problems).map(AuthPlan::OAuth2),
    }
}

/// `Bearer {token}` with the key in the place of the braces.
fn formatted(format: &str, key: &str, at: &Spot, problems: &mut Problems<'_>) -> Option<String> {
    let pieces = format.split_once('{').and_then(|(head, rest)| {
        let (_, tail) = rest.split_once('}')?;
        (!tail.contains('{')).then_some((head, tail))
    });
    match pieces {
        Some((head, tail)) => Some(format!("{head}{key}{tail}")),
        None => {
            problems.add_with_hint(
                at,
                format!("`format: {format}` needs one placeholder"),
                "write `format: \"Bearer {token}\"`",
            );
            None
        }
    }
}

fn oauth2(config: &OAuth2Config, problems: &mut Problems<'_>) -> Option<OAuth2Plan> {
    let written = &config.access_token_url;
    let token_url = match Url::parse(written.value.expose().trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => {
            problems.add_with_hint(
                &written.at,
                "the token endpoint is not a URL",
                "expected one such as `https://accounts.example.com/oauth/v2/token`",
            );
            return None;
        }
    };
    let extra = config.access_token_request_data.iter();
    Some(OAuth2Plan {
        token_url,
        client_id: config.client_id.clone(),
        client_secret: secret(&config.client_secret),
        refresh_token: config.refresh_token.as_ref().map(secret),
        extra: extra.map(|field| (field.name.clone(), field.value.value.clone())).collect(),
        default_expiry: config.default_token_expiration.unwrap_or(defaults::TOKEN_EXPIRY),
        scheme: config.scheme.clone().unwrap_or_else(|| defaults::AUTH_SCHEME.to_owned()),
    })
}

fn secret(text: &Text) -> Secret {
    match text {
        Text::Plain(text) => Secret::new(text.clone()),
        Text::Secret(secret) => secret.clone(),
    }
}
