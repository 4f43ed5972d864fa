//! H: answers that no documentation promises.

mod bodies;
mod tokens;
mod totals;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dray_sim::{Api, Options, Request, Response, Sim};
use serde_json::{Value, json};

use crate::deadline::within;
use crate::load::{Folder, failure};
use crate::suite::{Bench, Outcome, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "H",
    name: "hostile answers",
    criterion: "every row is loaded, or the run fails with an error that names the resource, the page and the rule; no \
                hang, no panic, no silence",
    dlt: "7 of 7 truncations were silent; loops never ended",
    run,
};

/// What must come of a case.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// The rows with the ids from 0 to below this, each once.
    Rows(u64),
    /// An error with this text.
    Error(&'static str),
}

/// The number of the request, from 0, and the request.
type Answer = fn(u64, &Request) -> Response;

/// Name, keys of the endpoint, answer, what is due.
type Case = (&'static str, &'static str, Answer, Due);

/// Records of a range, as far as there are `of`.
fn records(from: u64, to: u64, of: u64) -> Value {
    (from.min(of)..to.min(of)).map(|id| json!({ "id": id })).collect()
}

fn number(request: &Request, name: &str) -> u64 {
    request.param(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// `of` records by offset, never more than `cap` a page.
fn by_offset(request: &Request, of: u64, cap: u64) -> Value {
    let (offset, limit) = (number(request, "offset"), number(request, "limit").min(cap));
    json!({ "data": records(offset, offset + limit, of) })
}

/// `of` records by page number from 1, `size` a page.
fn by_page(request: &Request, of: u64, size: u64) -> Value {
    let from = number(request, "page").saturating_sub(1) * size;
    json!({ "data": records(from, from + size, of) })
}

/// A chain of cursors `1`, `2`, ... to `last`, ten records a page.
fn by_cursor(request: &Request, last: u64) -> Value {
    let page = number(request, "cursor");
    let next = if page < last { json!(format!("{}", page + 1)) } else { Value::Null };
    json!({ "data": records(page * 10, page * 10 + 10, u64::MAX), "next": next })
}

fn with(mut body: Value, key: &str, value: Value) -> Response {
    body[key] = value;
    Response::json(&body)
}

const OFFSET: &str = "paginator: {type: offset, limit: 10}";
const NAMED: &str = "paginator: {type: offset, limit: 10, total_path: total}";
const PAGE: &str = "paginator: {type: page_number, base_page: 1, limit: 10}";
const PAGES: &str = "paginator: {type: page_number, base_page: 1, total_path: pages}";
const FLAG: &str = "paginator: {type: page_number, base_page: 1, has_more_path: more}";
const CURSOR: &str = "paginator: {type: cursor, cursor_path: next}";
const CURSOR_FLAG: &str = "paginator: {type: cursor, cursor_path: next, has_more_path: more}";
const LAST: &str = "paginator: {type: cursor, cursor_field: id, cursor_param: after, has_more_path: more}";
const LINK: &str = "paginator: {type: json_link, next_url_path: next}";
const HEADER: &str = "paginator: header_link";

fn attempt(keys: &str, answer: Answer, due: Due) -> Result<(), String> {
    let count = Arc::new(AtomicU64::new(0));
    let api = Api::custom(move |request| answer(count.fetch_add(1, Ordering::SeqCst), request));
    let sim = Sim::start(Options { api, record: false, ..Options::default() })
        .map_err(|error| error.to_string())?;
    let selector = if keys.contains("data_selector") { "" } else { "data_selector: data, " };
    let keys = keys.replace("no data_selector, ", "");
    // What is answered goes by the number of the request: one after the other.
    let config = format!(
        "client: {{base_url: \"{}\", concurrency: 1, retry: {{max_retries: 3, backoff_factor: 0.01}}}}\nresources:\n  - {{name: things, \
         primary_key: id, write_disposition: append, endpoint: {{path: items, {selector}{keys}}}}}\n",
        sim.base_url()
    );
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let loaded = folder.load(&config, &[]);
    let problems = sim.connection_errors();
    if let Some(problem) = problems.iter().find(|problem| problem.starts_with("answering")) {
        return Err(format!("the case itself is wrong: {problem}"));
    }
    match (failure(&loaded), due) {
        (Some(error), Due::Error(text)) => {
            let named = [text, "resource: things", "page: "].iter().all(|part| error.contains(part));
            if named { Ok(()) } else { Err(format!("not the right error: {error}")) }
        }
        (Some(error), Due::Rows(_)) => Err(error),
        (None, Due::Error(text)) => Err(format!("succeeded, without an error about `{text}`")),
        (None, Due::Rows(rows)) => {
            let ids = folder.column("SELECT CAST(id AS VARCHAR) FROM data.things ORDER BY id");
            let ids = ids.map_err(|error| error.chain())?;
            let set: BTreeSet<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
            let right = set.len() == ids.len() && set.iter().copied().eq(0..rows);
            if right {
                Ok(())
            } else {
                Err(format!("{} rows, {} of them different, of {rows}", ids.len(), set.len()))
            }
        }
    }
}

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let limit = Duration::from_secs(30);
    let step = bench.of(2, 1);
    for (name, keys, answer, due) in
        [totals::CASES, tokens::CASES, bodies::CASES].into_iter().flatten().step_by(step)
    {
        let (keys, answer, due) = (*keys, *answer, *due);
        let result = within(limit, move || attempt(keys, answer, due));
        outcome.case(name, result.and_then(|result| result));
    }
    outcome
}
