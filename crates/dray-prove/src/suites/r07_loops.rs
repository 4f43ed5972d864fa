//! R7: servers that lead in circles.

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
    id: "R7",
    name: "servers that lead in circles",
    criterion: "a chain of pages that repeats itself is stopped within two rounds, by an error that says so",
    dlt: "asked for ever: 0 of 4 were stopped (223 to 275 requests in 15 s)",
    run,
};

/// A server: the requests so far, the length of the circle, and what was asked.
type Answer = fn(u64, u64, &Request) -> Response;

/// Shapes: name, paginator, answer.
const SHAPES: [(&str, &str, Answer); 13] = [
    ("cursors in a circle", "{type: cursor, cursor_path: next}", |count, length, _| {
        // The records differ: only the token shows it.
        page(count, Some(json!(format!("c{}", count % length))))
    }),
    ("cursors in a circle after a lead", "{type: cursor, cursor_path: next}", |count, length, _| {
        let next = if count < 3 { format!("lead{count}") } else { format!("c{}", count % length) };
        page(count, Some(json!(next)))
    }),
    ("links in a circle", "{type: json_link, next_url_path: next}", |count, length, _| {
        page(count, Some(json!(format!("/items?page={}", count % length))))
    }),
    ("next is itself, or leads back to it", "header_link", |count, length, _| {
        let target = (count + 1) % length;
        page(count, None).with_header("link", format!("</items?at={target}>; rel=\"next\""))
    }),
    ("the page number is ignored", "{type: page_number, base_page: 1}", |count, length, _| {
        page(count % length, None)
    }),
    ("the offset is ignored", "{type: offset, limit: 4}", |count, length, _| page(count % length, None)),
    ("the page number is ignored, and a clock tells the time", "page_number", |count, length, _| {
        with_clock(count, page_of(count % length, None))
    }),
    ("the same pages behind new cursors", "{type: cursor, cursor_path: next}", |count, length, _| {
        page(count % length, Some(json!(format!("new{count}"))))
    }),
    (
        "the same pages behind new cursors, and a clock",
        "{type: cursor, cursor_path: next}",
        |count, length, _| with_clock(count, page_of(count % length, Some(json!(format!("new{count}"))))),
    ),
    (
        "the same pages behind growing links",
        "{type: json_link, next_url_path: next}",
        |count, length, request| {
            let grown =
                request.query.iter().map(|(name, value)| format!("{name}={value}&")).collect::<String>();
            page(count % length, Some(json!(format!("/items?{grown}p{count}=1"))))
        },
    ),
    (
        "the page number is ignored, and a clock is in every record",
        "{type: page_number, base_page: 1}",
        |count, length, _| {
            let mut body = page_of(count % length, None);
            for record in body["data"].as_array_mut().into_iter().flatten() {
                record["seen_at"] = json!(count);
            }
            Response::json(&body)
        },
    ),
    (
        "the page number is taken modulo",
        "{type: page_number, base_page: 0, has_more_path: more}",
        |_, length, request| {
            let number = request.param("page").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
            let mut body = page_of(number % length, None);
            body["more"] = json!(true);
            Response::json(&body)
        },
    ),
    (
        "the last record's id is not exclusive",
        "{type: cursor, cursor_field: id, cursor_param: after}",
        |count, length, _| page(count % length, None),
    ),
];

/// Four records of a page.
fn page_of(number: u64, next: Option<Value>) -> Value {
    let data: Vec<Value> = (0..4).map(|place| json!({"id": number * 4 + place})).collect();
    match next {
        Some(next) => json!({"data": data, "next": next}),
        None => json!({ "data": data }),
    }
}

fn page(number: u64, next: Option<Value>) -> Response {
    Response::json(&page_of(number, next))
}

fn with_clock(count: u64, mut body: Value) -> Response {
    body["server_time"] = json!(1_700_000_000 + count);
    Response::json(&body)
}

fn circle(paginator: &str, answer: Answer, length: u64) -> Result<(), String> {
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    let api = Api::custom(move |request| answer(counter.fetch_add(1, Ordering::SeqCst), length, request));
    let sim = Sim::start(Options { api, ..Options::default() }).map_err(|error| error.to_string())?;
    let config = format!(
        "client: {{base_url: \"{}\", retry: {{max_retries: 0}}}}\nresources:\n  - {{name: things, \
         endpoint: {{path: items, data_selector: data, paginator: {paginator}}}}}\n",
        sim.base_url()
    );
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let loaded = folder.load(&config, &[]);
    let requests = count.load(Ordering::SeqCst);
    let error = failure(&loaded).ok_or_else(|| format!("succeeded after {requests} requests"))?;
    let typed = ["would never end", "changes faster than it can be read"];
    if !typed.iter().any(|text| error.contains(text)) || !error.contains("resource: things") {
        return Err(format!("not the right error: {error}"));
    }
    // Two rounds, the pages that lead into the circle, and some to see that offsets are not just rounded.
    let most = 2 * length + 12;
    if requests > most { Err(format!("{requests} requests, at most {most}: {error}")) } else { Ok(()) }
}

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let lengths: &[u64] = if bench.of(0, 1) == 0 { &[1, 2, 3, 50] } else { &[1, 2, 3, 4, 7, 20, 50] };
    for (name, paginator, answer) in SHAPES {
        for length in lengths.iter().copied() {
            let result = within(Duration::from_secs(30), move || circle(paginator, answer, length));
            outcome.case(format!("{name}, length {length}"), result.and_then(|result| result));
        }
    }
    outcome
}
