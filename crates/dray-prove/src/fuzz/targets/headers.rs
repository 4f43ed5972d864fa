//! Headers of answers, and cursors: links, waits, content types and charsets, times in every spelling.

use dray::extract::{CursorState, door};
use dray::plan::{CursorValue, Plan};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Check, Target, as_it_is, text};
use crate::fuzz::{joined, parts};
use crate::load::plan;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "headers",
    seeds,
    words: &[
        "link: ",
        "retry-after: ",
        "retry-after-ms: ",
        "x-ratelimit-reset: ",
        "content-type: ",
        "<https://api.example/v1/a?page=2>; rel=\"next\"",
        "rel=next",
        ">; rel=",
        ", <",
        "charset=\"utf-16\"",
        "Mon, 01 Jan 2024 00:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 +9999",
        "9999-12-31T23:59:59.999999999-23:59",
        "0001-01-01T00:00:00+23:59",
        "1e18",
        "253402300800",
        "-377705116800",
        "\n",
        "\u{1e}",
    ],
    finish: as_it_is,
    start,
};

const CONFIG: &str = r#"
client: {base_url: "https://api.example/v1/"}
resource_defaults: {write_disposition: append}
resources:
  - {name: links, endpoint: {path: a, paginator: {type: header_link}, incremental: {cursor_path: t, start_param: s}}}
  - {name: auto, endpoint: {path: b, incremental: {cursor_path: t, start_param: s, format: unix, lag: 3600}}}
  - {name: cursor, endpoint: {path: c, paginator: {type: header_cursor, cursor_key: x-next, cursor_param: c}, incremental: {cursor_path: t, start_param: s, format: unix_ms, initial_value: 5, lag: 1e9}}}
  - {name: dates, endpoint: {path: d, paginator: single_page, incremental: {cursor_path: t, start_param: s, format: date, initial_value: "2024-01-01", lag: 86400}}}
  - {name: pattern, endpoint: {path: e, paginator: single_page, incremental: {cursor_path: t, start_param: s, format: "%a, %d %b %Y %H:%M:%S", initial_value: "2024-01-01T00:00:00Z"}}}
"#;

const HEADERS: &[&str] = &[
    "link: <https://api.example/v1/a?page=2>; rel=\"next\", <https://api.example/v1/a?page=9>; rel=last",
    "link: </v1/a?x=,<>; rel=\"prev next\"; title*=UTF-8''a%20b\nlink: <b>; rel=next",
    "retry-after: 120",
    "retry-after: Wed, 21 Oct 2015 07:28:00 GMT\nx-ratelimit-reset: 1704067209",
    "retry-after-ms: 1e300\nstripe-should-retry: true",
    "ratelimit-reset: 60\nx-should-retry: false",
    "content-type: application/json; charset=\"iso-8859-1\"; boundary=x",
    "x-next: abc\nlink: <>; rel=next",
];
const CURSORS: &[(&str, &str)] = &[
    ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000000001Z"),
    ("2024-01-01", "20240101"),
    ("1704067200", "2024-01-01T00:00:00Z"),
    ("1704067200000", "1704067200.5"),
    ("Mon, 01 Jan 2024 00:00:00 GMT", "2024-01-01 00:00:00 UTC"),
    ("9223372036854775807", "-9223372036854775808"),
    ("1e308", "-1e-308"),
    ("007", "7.0"),
    ("abc", "ABC"),
];

fn seeds() -> Vec<Vec<u8>> {
    let cursors = CURSORS.iter().cycle();
    let both = HEADERS.iter().chain(HEADERS).zip(cursors).enumerate();
    both.map(|(number, (headers, (left, right)))| {
        let status = [b"429", b"503", b"200"][number % 3];
        joined(&[status, headers.as_bytes(), left.as_bytes(), right.as_bytes()])
    })
    .collect()
}

fn start() -> Result<Check, String> {
    let plan = plan(CONFIG, &[]).map_err(|error| error.chain())?;
    Ok(Box::new(move |input| check(&plan, input)))
}

fn check(plan: &Plan, input: &[u8]) -> Result<(), String> {
    let [status, lines, left, right] = parts(input);
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let mut both = line.splitn(2, |byte| *byte == b':').map(<[u8]>::trim_ascii);
        if let (Some(name), Some(value)) = (both.next(), both.next())
            && let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    let status = text(status).parse().unwrap_or(429);
    drop(door::wait(plan, status, &headers, jiff::Timestamp::UNIX_EPOCH));
    for index in 0..plan.resources.len() {
        drop(door::link(plan, index, &headers));
    }
    drop(door::page(plan, 1, &headers, left.to_vec()));
    cursors(plan, &cursor(left), &cursor(right))
}

/// A text as an API may give it: as a number where it is one.
fn cursor(bytes: &[u8]) -> CursorValue {
    let text = text(bytes);
    match (text.parse(), text.parse::<f64>()) {
        (Ok(number), _) => CursorValue::Int(number),
        (_, Ok(number)) if number.is_finite() => CursorValue::Float(number),
        _ => CursorValue::Text(text),
    }
}

fn cursors(plan: &Plan, left: &CursorValue, right: &CursorValue) -> Result<(), String> {
    let texts = [left, right].map(|value| match value {
        CursorValue::Int(number) => CursorValue::Text(number.to_string()),
        other => other.clone(),
    });
    for (one, other) in [(left, right), (&texts[0], &texts[1]), (left, &texts[1])] {
        if door::compare(one, other) != door::compare(other, one).reverse() {
            return Err("one cursor comes both before and after another".to_owned());
        }
    }
    for value in [left, right] {
        if door::compare(value, value).is_ne() {
            return Err("a cursor is not equal to itself".to_owned());
        }
        let stored = CursorState {
            initial_value: Some(right.clone()),
            last_value: value.clone(),
            unique_hashes: Vec::new(),
        };
        for index in 0..plan.resources.len() {
            drop(door::bounds(plan, index, &stored));
        }
    }
    Ok(())
}
