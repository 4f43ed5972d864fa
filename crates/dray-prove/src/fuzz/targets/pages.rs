//! Bodies of pages to rows: read, selected, sifted, expanded, followed by cursor, and written into columns.

use dray::extract::door;
use dray::json::Document;
use dray::normalize::Normalizer;
use dray::plan::Plan;
use dray::schema::Schema;
use dray_sim::{Api, Options, Sim};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};

use super::{Check, Target, as_it_is};
use crate::fuzz::{joined, parts};
use crate::load::plan;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "pages",
    seeds,
    words: &[
        "\"data\":[",
        "\"id\":1,",
        "{\"id\":1}",
        "\"updated\":",
        "\"next\":",
        "\"u\":[{\"q\":1}]",
        "\"has_more\":true",
        "\"total_pages\":3,\"page\":1",
        "{\"a\":{\"b\":[[[{\"c\":1}]]]}}",
        "\"1.5\"",
        "\"true\"",
        "application/json; charset=iso-8859-1",
        "\u{1e}",
    ],
    finish: as_it_is,
    start,
};

/// Resources that read pages in every way there is.
const CONFIG: &str = r#"
client:
  base_url: https://api.example/v1/
  limits: {depth: 40, keys: 200, columns: 40, tables: 8}
resources:
  - {name: auto, endpoint: {path: auto}}
  - name: cursor
    write_disposition: merge
    primary_key: id
    endpoint:
      path: cursor
      data_selector: data
      paginator: {type: cursor, cursor_path: next, cursor_param: after}
      incremental: {cursor_path: updated, start_param: since, on_cursor_value_missing: include}
  - name: every
    write_disposition: append
    endpoint: {path: every, data_selector: "data[*].u[*]", paginator: {type: offset, limit: 2, total_path: total}}
  - name: filter
    endpoint: {path: filter, data_selector: "$.data[?@.id > 1]", paginator: {type: json_link, next_url_path: links.next}}
  - name: hinted
    max_table_nesting: 1
    columns: {id: {data_type: bigint}, amount: {data_type: decimal}, created: {data_type: timestamp}}
    endpoint: {path: hinted, data_selector: data, paginator: single_page}
  - name: expanded
    endpoint:
      path: expanded
      data_selector: data
      paginator: single_page
      expand: {path: u, include: {parent: id}}
"#;

/// Shapes that no real answer has, but one may have tomorrow.
const EDGES: &[&str] = &[
    "[]",
    "{}",
    "null",
    "[null, 1, \"a\", [], [[1], {\"a\": 2}], {\"id\": 1}]",
    r#"{"data": {"id": 1, "id": 2, "a b": 1, "a_b": 2, "A-B": 3, "": 4, "ä": 5}}"#,
    r#"{"data": [{"id": 1, "x": 1}, {"id": 2, "x": 1.5}, {"id": 3, "x": "y"}, {"id": 4, "x": true}, {"id": 5, "x": [1]}, {"id": 6, "x": {"y": 1}}]}"#,
    r#"{"data": [{"id": "\ud83d\ude00", "t": "\ud83d", "u": "\u0000"}], "next": "\ud83d\ude00"}"#,
    r#"{"data": [{"id": 9223372036854775807, "d": 123456789012345678901234567890.123456789, "e": 1e400}]}"#,
    r#"{"data": [{"id": 1, "updated": "2024-02-29T23:59:60Z", "created": "2024-01-01", "amount": "1,5"}]}"#,
    r#"{"data": [{"id": 2, "u": [{"q": 1, "r": [{"s": [1, 2]}]}, {"q": null}, {}]}, {"id": 3, "u": []}], "total": 3, "links": {"next": "/v1/filter?page=2"}}"#,
    r#"{"items": [{"a": NaN, "b": Infinity}], "has_more": false, "next_cursor": ""}"#,
    "\u{feff}[{\"id\": 1}]",
    "<html><body>busy</body></html>",
    "{\"id\": 1}\n{\"id\": 2}\n",
];

fn seeds() -> Vec<Vec<u8>> {
    let kind = b"application/json";
    let mut seeds = Vec::new();
    for (number, body) in bodies().into_iter().enumerate() {
        let resource = (number % 6).to_string();
        seeds.push(joined(&[resource.as_bytes(), kind, body.as_bytes()]));
    }
    let wide: Vec<u8> = "[{\"é\":\"😀\"}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    seeds.push(joined(&[b"0", kind, &wide]));
    seeds.push(joined(&[b"0", b"text/json; charset=windows-1252", b"[{\"a\":\"\x80\xe9\"}]"]));
    seeds
}

/// Edge cases, and records as the simulated APIs give them, in their envelopes.
fn bodies() -> Vec<String> {
    let mut bodies: Vec<String> = EDGES.iter().map(|body| (*body).to_owned()).collect();
    for api in [Api::Stripe, Api::Orb, Api::Zoho, Api::FastBill] {
        let Ok(sim) = Sim::start(Options { api, size: 4, ..Options::default() }) else { continue };
        for resource in sim.resources() {
            let records: Vec<Value> = sim.expected(resource).into_iter().take(3).collect();
            let page = json!({"data": records, "has_more": true, "next": "abc", "pagination_metadata": {"next_cursor": "abc"}});
            bodies.push(page.to_string());
        }
    }
    bodies
}

fn start() -> Result<Check, String> {
    let plan = plan(CONFIG, &[]).map_err(|error| error.chain())?;
    Ok(Box::new(move |input| check(&plan, input)))
}

fn check(plan: &Plan, input: &[u8]) -> Result<(), String> {
    let [resource, kind, body] = parts(input);
    let index = usize::from(resource.first().copied().unwrap_or_default()) % plan.resources.len();
    let mut headers = HeaderMap::new();
    if let Ok(kind) = HeaderValue::from_bytes(kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    agree(body)?;
    let Ok((page, _, _)) = door::page(plan, index, &headers, body.to_vec()) else { return Ok(()) };
    let mut normalizer = Normalizer::new(plan, Schema::new("fuzz"), "1.5", fastrand::Rng::with_seed(1));
    // Twice: the second time every column is known.
    for round in 1..=2 {
        if normalizer.page(&page).is_err() {
            return Ok(());
        }
        let flushed = normalizer.flush().map_err(|error| error.chain())?;
        let roots = flushed.iter().filter(|rows| rows.table.parent.is_none());
        let rows: usize = roots.map(|rows| rows.batch.num_rows()).sum();
        if rows != page.records.len() {
            return Err(format!("{rows} rows of {} records in round {round}", page.records.len()));
        }
    }
    Ok(())
}

/// What `serde_json` reads, the tape must read as the same.
fn agree(body: &[u8]) -> Result<(), String> {
    let (own, other) = (Document::parse(body.to_vec()), serde_json::from_slice::<Value>(body));
    match (own, other) {
        (Ok(own), Ok(other)) if own.value(own.root()) != other => {
            Err("the tape holds other values than serde_json reads".to_owned())
        }
        (Err(own), Ok(_)) if own.limit.is_none() && !bounded(&own.to_string()) => {
            Err(format!("serde_json reads what the tape refuses: {own}"))
        }
        _ => Ok(()),
    }
}

/// What is refused for its size, not for what it is.
fn bounded(said: &str) -> bool {
    said.contains("beyond `client.limits") || said.contains("fewer keys in an object")
}
