//! How many requests are under way, for whom, and what that saves.
#![expect(clippy::disallowed_methods, reason = "proofs measure real time, outside any run")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::late::{Late, Server, json as answer, number};
use crate::load::{Folder, failure};
use crate::raw::{Answer, Asked};

const AT_ONCE: usize = 16;

/// What waits for an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Pages,
    Parents,
    Windows,
}

pub(super) const ALL: [Work; 3] = [Work::Pages, Work::Parents, Work::Windows];

impl Work {
    pub(super) fn name(self, full: bool) -> &'static str {
        match (self, full) {
            (Self::Pages, true) => "200 pages of 50 ms",
            (Self::Parents, true) => "1,000 parents of 50 ms",
            (Self::Windows, true) => "60 windows of 50 ms",
            (Self::Pages, false) => "a share: pages",
            (Self::Parents, false) => "a share: parents",
            (Self::Windows, false) => "a share: windows",
        }
    }

    fn count(self, full: bool) -> u64 {
        match (self, full) {
            (Self::Pages, true) => 200,
            (Self::Parents, true) => 1000,
            (Self::Windows, true) => 60,
            (_, false) => 64,
        }
    }

    fn resources(self, count: u64) -> String {
        let items = |more: &str| format!("endpoint: {{path: items, data_selector: data, {more}}}");
        match self {
            Self::Pages => {
                format!("  - {{name: items, {}}}\n", items("paginator: {type: offset, limit: 10}"))
            }
            Self::Parents => format!(
                "  - {{name: items, {}}}\n  - {{name: children, endpoint: {{path: \"items/{{resources.items.id}}\", \
                 data_selector: data, paginator: single_page}}}}\n",
                items("paginator: single_page")
            ),
            Self::Windows => format!(
                "  - {{name: items, {}}}\n",
                items(&format!(
                    "paginator: single_page, incremental: {{cursor_path: at, start_param: since, end_param: until, \
                     format: unix, initial_value: 0, end_value: {}, window: 1d}}",
                    count * 86_400
                ))
            ),
        }
    }

    fn answer(self, asked: &Asked, count: u64) -> Answer {
        let ids = match self {
            Self::Pages => {
                let from = number(asked, "offset").unwrap_or_default();
                // Each page begins with the last record of the one before.
                from..(from + 10).min(count * 9)
            }
            Self::Parents if asked.path() == "/items" => 0..count,
            Self::Parents => 0..1,
            Self::Windows => 0..1,
        };
        let at = number(asked, "since").unwrap_or_default();
        let data: Value = ids.map(|id| json!({"id": id, "at": at})).collect();
        answer(&json!({ "data": data }))
    }
}

/// Loads it with one request at once and with sixteen; in words what that took.
pub(super) fn faster(work: Work, full: bool) -> Result<String, String> {
    let count = work.count(full);
    let mut took = Vec::new();
    for concurrency in [1, AT_ONCE] {
        // The share only looks at how many requests are in work: there a machine that is busy changes nothing.
        if concurrency == 1 && !full {
            continue;
        }
        let late = Late::By(if full { 50 } else { 10 });
        let server = Server::start(late, 0, move |asked, _| work.answer(asked, count))?;
        let folder = Folder::new().map_err(|error| error.to_string())?;
        let config = format!("{}resources:\n{}", server.client(concurrency), work.resources(count));
        let started = Instant::now();
        let loaded = folder.load(&config, &[]);
        took.push(started.elapsed());
        if let Some(error) = failure(&loaded) {
            return Err(error);
        }
        if server.seen.peak() != concurrency {
            return Err(format!("{} requests at once instead of {concurrency}", server.seen.peak()));
        }
    }
    match took.as_slice() {
        [alone, beside] if *beside * 8 > *alone => {
            Err(format!("{} ms instead of {} ms", beside.as_millis(), alone.as_millis()))
        }
        [alone, beside] => {
            Ok(format!("{} ms, one after the other {} ms", beside.as_millis(), alone.as_millis()))
        }
        _ => Ok(format!("{AT_ONCE} requests at once")),
    }
}

/// A list of ten pages that must be read one after the other does not wait for a thousand children.
pub(super) fn fair() -> Result<(), String> {
    let server = Server::start(Late::Upto(3), 7, |asked, _| {
        if asked.path() == "/short" {
            let at = number(asked, "at").unwrap_or_default();
            let next = (at < 9).then_some(at + 1);
            return answer(&json!({"data": [{"id": at}], "next": next}));
        }
        Work::Parents.answer(asked, 1000)
    })?;
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let config = format!(
        "{}resources:\n{}  - {{name: short, endpoint: {{path: short, data_selector: data, \
         paginator: {{type: cursor, cursor_path: next, cursor_param: at}}}}}}\n",
        server.client(4),
        Work::Parents.resources(1000)
    );
    if let Some(error) = failure(&folder.load(&config, &[])) {
        return Err(error);
    }
    let targets = server.seen.targets();
    let last = targets.iter().rposition(|target| target.starts_with("/short")).unwrap_or(targets.len());
    // In turns a page of it starts after at most one child and the four that are under way.
    if last <= 200 { Ok(()) } else { Err(format!("its last page was asked for as request {last}")) }
}

/// More than four requests at once are answered 429: all is loaded, and soon no more are sent.
pub(super) fn asked_for_less() -> Result<(), String> {
    let refused = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&refused);
    let server = Server::start(Late::By(5), 0, move |asked, seen| {
        if seen.in_work() > 4 {
            counted.fetch_add(1, Ordering::SeqCst);
            return Answer::whole("429 Too Many Requests", &["Retry-After-Ms: 20"], "");
        }
        Work::Parents.answer(asked, 300)
    })?;
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let config = format!("{}resources:\n{}", server.client(AT_ONCE), Work::Parents.resources(300));
    let started = Instant::now();
    if let Some(error) = failure(&folder.load(&config, &[])) {
        return Err(error);
    }
    let refused = refused.load(Ordering::SeqCst);
    if started.elapsed() > Duration::from_secs(60) {
        return Err(format!("it took {} s", started.elapsed().as_secs()));
    }
    // Without fewer requests two in three would be refused.
    if refused > 150 { Err(format!("{refused} requests were refused")) } else { Ok(()) }
}
