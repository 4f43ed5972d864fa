//! `client`: base URL, headers, patience.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

use super::Problems;
use super::defaults::{self, Merged};
use crate::address::is_metadata_host;
use crate::config::model::{AuthConfig, ClientConfig, Header, Located, Spot, TlsConfig};
use crate::json::Bounds;
use crate::plan::{
    AuthPlan, ClientCertificate, ClientPlan, Limits, RateLimit, RejectPlan, RetryPlan, Text, Timeouts,
    TlsPlan,
};
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
        first_byte: client.timeout.first_byte.or(client.timeout.read).unwrap_or(timeouts.first_byte),
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
    let allowed_origins = allowed_origins(client, base_url.as_ref(), problems);
    let tls = tls(&client.tls, problems);
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
        limits: limits(client),
        rejects: RejectPlan {
            keep: client.rejects.unwrap_or(false),
            most: client.max_rejects.unwrap_or(defaults::MAX_REJECTS),
        },
        allowed_origins,
        tls: tls?,
    })
}

fn allowed_origins(
    client: &ClientConfig,
    base_url: Option<&Url>,
    problems: &mut Problems<'_>,
) -> Vec<url::Origin> {
    let mut allowed = Vec::new();
    for written in &client.allowed_origins {
        let url = Url::parse(&written.value).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.path() == "/"
                && url.query().is_none()
                && url.username().is_empty()
        });
        let Some(url) = url else {
            problems.add_with_hint(
                &written.at,
                format!("`{}` is not an origin", written.value),
                "an origin is scheme, host and port: `https://files.example.com`",
            );
            continue;
        };
        if is_metadata_host(&url) {
            problems.add_with_hint(
                &written.at,
                format!("`{}` is an address of the machine's own network", written.value),
                "no API may lead there: link-local addresses answer with the machine's credentials",
            );
        } else if url.scheme() == "http" && base_url.is_some_and(|base| base.scheme() == "https") {
            problems.add_with_hint(
                &written.at,
                format!("`{}` is not https, but `base_url` is", written.value),
                "credentials would travel in clear; no switch allows that",
            );
        } else {
            allowed.push(url.origin());
        }
    }
    allowed
}

/// Certificates; a key without its certificate, or the other way round, is a complaint.
fn tls(written: &TlsConfig, problems: &mut Problems<'_>) -> Option<TlsPlan> {
    let path = |file: &Option<Located<String>>| file.as_ref().map(|file| PathBuf::from(&file.value));
    let client = match (&written.client_cert_file, &written.client_key_file) {
        (Some(certificate), Some(key)) => Some(ClientCertificate {
            certificate: certificate.value.clone().into(),
            key: key.value.clone().into(),
        }),
        (None, None) => None,
        (Some(alone), None) | (None, Some(alone)) => {
            problems.add_with_hint(
                &alone.at,
                "a client certificate needs both `client_cert_file` and `client_key_file`",
                "both may name one file that holds certificate and key",
            );
            return None;
        }
    };
    Some(TlsPlan { ca_file: path(&written.ca_file), client })
}

fn limits(client: &ClientConfig) -> Limits {
    let (own, default) = (&client.limits, defaults::limits());
    let count = |own: Option<u32>, default: usize| {
        own.and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
    };
    let body_bytes = client.max_body.unwrap_or(default.body_bytes);
    Limits {
        // A body that comes as it is is as large on the wire as it may be at all.
        wire_bytes: own.wire.unwrap_or(default.wire_bytes.max(body_bytes)),
        body_bytes,
        ratio: own.ratio.map_or(default.ratio, u64::from),
        redirects: own.redirects.unwrap_or(default.redirects),
        headers: count(own.headers, default.headers),
        json: Bounds {
            depth: count(own.depth, default.json.depth),
            keys: count(own.keys, default.json.keys),
            values: count(own.values, default.json.values),
            items: count(own.items, default.json.items),
        },
        columns: count(own.columns, default.columns),
        tables: count(own.tables, default.tables),
    }
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
        // Of a missing `client` it is said already.
        if !client.at.path.is_empty() {
            missing(problems, &client.at);
        }
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
    if let Some((name, _)) = text.split_once('<').and_then(|(_, rest)| rest.split_once('>')) {
        problems.add_with_hint(
            &written.at,
            format!("`base_url` still has the placeholder `<{name}>`"),
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

pub(super) fn check_header_value(value: &str, at: &Spot, problems: &mut Problems<'_>) -> bool {
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

/// Takes user and password out of the base URL. They are the client's credentials, unless `auth` says otherwise: left in
/// the URL, they would be part of every link that is made from it.
pub(super) fn user_part(
    client: &mut ClientPlan,
    written: Option<&Located<AuthConfig>>,
    auth: Option<AuthPlan>,
    problems: &mut Problems<'_>,
) -> Option<AuthPlan> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let username = decoded(client.base_url.username());
    let password = client.base_url.password().map(decoded);
    if username.is_empty() && password.is_none() {
        return auth;
    }
    // Both can fail only for URLs without a host, which a base URL has.
    if client.base_url.set_username("").is_err() || client.base_url.set_password(None).is_err() {
        return auth;
    }
    if written.is_some() {
        problems.note("user and password in `base_url` are not used: `auth` says how to authenticate");
        return auth;
    }
    problems.note("user and password in `base_url` are read as `auth: {type: http_basic}`");
    Some(AuthPlan::Basic {
        username: Text::Secret(Secret::new(username)),
        password: Secret::new(password.unwrap_or_default()),
    })
}
