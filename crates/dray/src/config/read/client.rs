//! `client`.

use super::super::model::{
    ClientConfig, Located, RateLimitConfig, RetryConfig, Spot, TimeoutConfig, TlsConfig,
};
use super::super::node::{Node, Value};
use super::fields::{Fields, Reader};
use super::{actions, auth, paginator};

/// Deepest `limits.depth`.
const MAX_DEPTH: u32 = 512;
/// Smallest `limits.columns`: what dlt's layout adds, and a few of the API's own.
const MIN_COLUMNS: u32 = 10;

pub(super) fn read(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> ClientConfig {
    let mut client = ClientConfig { at: at.clone(), ..ClientConfig::default() };
    let Some(mut fields) = Fields::open(reader, node, at) else { return client };
    client.base_url = fields.text(reader, "base_url");
    client.headers = fields.headers(reader, "headers");
    if let Some((node, at)) = fields.written("auth") {
        client.auth = auth::read(reader, node, &at).map(|value| Located { value, at });
    }
    if let Some((node, at)) = fields.take("paginator") {
        client.paginator = paginator::read(reader, node, &at);
    }
    if let Some((node, at)) = fields.take("retry") {
        client.retry = retry(reader, node, &at);
    }
    if let Some((node, at)) = fields.take("rate_limit") {
        rate_limits(reader, node, &at, &mut client.rate_limits);
    }
    if let Some((node, at)) = fields.take("concurrency") {
        client.concurrency = reader.whole(node, &at).and_then(|number| u32::try_from(number).ok());
        if client.concurrency == Some(0) {
            reader.problem(&at, "expected at least 1");
        }
    }
    if let Some((node, at)) = fields.take("timeout") {
        client.timeout = timeout(reader, node, &at);
    }
    if let Some(origins) = fields.words(reader, "allowed_origins") {
        let at = origins.at;
        client.allowed_origins =
            origins.value.into_iter().map(|value| Located { value, at: at.clone() }).collect();
    }
    if let Some((node, at)) = fields.take("max_body") {
        client.max_body = bytes(reader, node, &at);
    }
    if let Some((node, at)) = fields.take("tls") {
        client.tls = tls(reader, node, &at);
    }
    fields.refuse(
        reader,
        "verify",
        "is not a key here",
        "certificates are always verified; `client.tls.ca_file` adds an authority of your own",
    );
    if let Some((node, at)) = fields.take("limits") {
        limits(reader, node, &at, &mut client);
    }
    if let Some(word) = fields.plain(reader, "rejects") {
        match word.value.as_str() {
            "count" => client.rejects = Some(false),
            "keep" => client.rejects = Some(true),
            other => reader.unknown_word(&word.at, "way to treat rejects", other, &["count", "keep"]),
        }
    }
    client.max_rejects = fields.whole(reader, "max_rejects");
    if let Some((node, at)) = fields.take("response_actions") {
        client.response_actions = actions::read(reader, node, &at);
    }
    fields.refuse(
        reader,
        "session",
        "exists only in Python",
        "`client.headers`, `client.retry` and `client.timeout` say what a session is used for",
    );
    fields.refuse(reader, "request_timeout", "is not a key here", "use `client.timeout`");
    fields.refuse(
        reader,
        "allow_redirects",
        "is not a key here",
        "redirects are followed within the API's own origin and `client.allowed_origins`",
    );
    fields.finish(reader);
    client
}

fn retry(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> RetryConfig {
    let mut retry = RetryConfig::default();
    let Some(mut fields) = Fields::open(reader, node, at) else { return retry };
    retry.max_retries = fields.count(reader, "max_retries");
    retry.backoff_factor = fields.number(reader, "backoff_factor");
    retry.max_wait = fields.duration(reader, "max_wait");
    if let Some((node, at)) = fields.take("statuses") {
        let Value::List(items) = &node.value else {
            reader.expected(&at, "a list of status codes", node);
            return retry;
        };
        let mut statuses = Vec::new();
        for (index, item) in items.iter().enumerate() {
            statuses.extend(status(reader, item, &at.item(index, item)));
        }
        retry.statuses = Some(statuses);
    }
    if retry.backoff_factor.is_some_and(|factor| factor < 0.0) {
        reader.problem(&at.clone(), "`backoff_factor` is negative");
    }
    fields.finish(reader);
    retry
}

/// An HTTP status code.
fn status(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<u16> {
    let number = reader.whole(node, at)?;
    let status = u16::try_from(number).ok().filter(|status| (100..=599).contains(status));
    if status.is_none() {
        reader.problem(at, format!("{number} is not an HTTP status code"));
    }
    status
}

fn rate_limits(reader: &mut Reader<'_>, node: &Node, at: &Spot, limits: &mut Vec<RateLimitConfig>) {
    let Some(mut fields) = Fields::open(reader, node, at) else { return };
    let requests = fields.count(reader, "requests");
    let per = fields.duration(reader, "per");
    positive(reader, at, requests);
    match requests {
        Some(requests) => limits.push(RateLimitConfig { route: None, requests, per }),
        None if per.is_some() => reader.problem(at, "missing key `requests`"),
        None => {}
    }
    if let Some((routes, at)) = fields.take("routes") {
        let Some(map) = routes.as_map() else {
            reader.expected(&at, "a mapping of paths to limits", routes);
            return;
        };
        for entry in &map.entries {
            let at = at.key(&entry.key, &entry.value);
            let Some(mut fields) = Fields::open(reader, &entry.value, &at) else { continue };
            let requests = fields.count(reader, "requests");
            let per = fields.duration(reader, "per");
            positive(reader, &at, requests);
            match requests {
                Some(requests) => {
                    limits.push(RateLimitConfig { route: Some(entry.key.clone()), requests, per });
                }
                None => reader.problem(&at, "missing key `requests`"),
            }
            fields.finish(reader);
        }
    }
    fields.finish(reader);
}

fn positive(reader: &mut Reader<'_>, at: &Spot, requests: Option<u32>) {
    if requests == Some(0) {
        reader.problem(at, "`requests` is 0: nothing could ever be asked");
    }
}

fn tls(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> TlsConfig {
    let mut tls = TlsConfig::default();
    let Some(mut fields) = Fields::open(reader, node, at) else { return tls };
    tls.ca_file = fields.plain(reader, "ca_file");
    tls.client_cert_file = fields.plain(reader, "client_cert_file");
    tls.client_key_file = fields.plain(reader, "client_key_file");
    fields.refuse(
        reader,
        "verify",
        "is not a key here",
        "certificates are always verified; `ca_file` adds an authority of your own",
    );
    fields.finish(reader);
    tls
}

/// One duration for the wait between two pieces, or a mapping.
fn timeout(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> TimeoutConfig {
    let mut timeout = TimeoutConfig::default();
    if !matches!(node.value, Value::Map(_)) {
        timeout.read = reader.duration(node, at);
        return timeout;
    }
    let Some(mut fields) = Fields::open(reader, node, at) else { return timeout };
    timeout.connect = fields.duration(reader, "connect");
    timeout.first_byte = fields.duration(reader, "first_byte");
    timeout.read = fields.duration(reader, "read");
    timeout.total = fields.duration(reader, "total");
    fields.finish(reader);
    timeout
}

/// What a page and a table may hold at the most. `body` is `client.max_body` in its place among the limits.
fn limits(reader: &mut Reader<'_>, node: &Node, at: &Spot, client: &mut ClientConfig) {
    let Some(mut fields) = Fields::open(reader, node, at) else { return };
    if let Some((node, at)) = fields.take("body") {
        if client.max_body.is_some() {
            reader.problem_with_hint(&at, "`max_body` says this already", "keep one of the two");
        }
        client.max_body = bytes(reader, node, &at);
    }
    if let Some((node, at)) = fields.take("wire") {
        client.limits.wire = bytes(reader, node, &at);
    }
    let limits = &mut client.limits;
    limits.redirects = fields.count(reader, "redirects");
    let within = |reader: &mut Reader<'_>, fields: &mut Fields<'_>, key, least: u32, most: u32| {
        let (node, at) = fields.take(key)?;
        let number = reader.whole(node, &at)?;
        let found = u32::try_from(number).ok().filter(|number| (least..=most).contains(number));
        if found.is_none() {
            reader.problem(&at, format!("expected a number from {least} to {most}"));
        }
        found
    };
    limits.ratio = within(reader, &mut fields, "ratio", 1, u32::MAX);
    limits.headers = within(reader, &mut fields, "headers", 1, 10_000);
    // Deeper values would cost a stack: they are walked by recursion.
    limits.depth = within(reader, &mut fields, "depth", 1, MAX_DEPTH);
    limits.keys = within(reader, &mut fields, "keys", 1, u32::MAX);
    limits.values = within(reader, &mut fields, "values", 1, u32::MAX);
    limits.items = within(reader, &mut fields, "items", 1, u32::MAX);
    limits.columns = within(reader, &mut fields, "columns", MIN_COLUMNS, 100_000);
    limits.tables = within(reader, &mut fields, "tables", 1, 10_000);
    fields.finish(reader);
}

/// Bytes, or `256MB`, `1GiB`.
fn bytes(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<u64> {
    let Value::Text(text) = &node.value else { return reader.whole(node, at) };
    let found = parse_bytes(text);
    if found.is_none() {
        reader.problem_with_hint(at, "not a number of bytes", "written as `256MB`, `1GiB`, or as bytes");
    }
    found
}

fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: u64 = number.parse().ok()?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1000,
        "kib" => 1 << 10,
        "m" | "mb" => 1_000_000,
        "mib" => 1 << 20,
        "g" | "gb" => 1_000_000_000,
        "gib" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_people_write_them() {
        assert_eq!(parse_bytes("256MB"), Some(256_000_000));
        assert_eq!(parse_bytes("1 GiB"), Some(1 << 30));
        assert_eq!(parse_bytes("7"), Some(7));
        assert_eq!(parse_bytes("a lot"), None);
    }
}
