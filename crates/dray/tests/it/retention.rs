//! Feeds that the API keeps only for a time: a run that comes later says so, and mends the gap.

use std::sync::{Arc, Mutex};

use dray::plan::Plan;
use dray::report::{Report, Status};
use dray_sim::{Fault, Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, asked, of, plan, script};

/// Events of 2020, which any run comes too late for, and the customers that they tell of.
struct Feed {
    sim: Sim,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Feed {
    fn new() -> Self {
        let events = Arc::new(Mutex::new(vec![json!({"id": 1, "at": "2020-01-01T00:00:00Z"})]));
        let own = Arc::clone(&events);
        let sim = script(move |request: &Request| {
            let since = request.param("since").unwrap_or_default();
            let customers = vec![json!({"id": 7, "at": "2020-01-05T00:00:00Z"})];
            let all = if request.path == "/events" { own.lock().unwrap().clone() } else { customers };
            let from: Vec<Value> =
                all.into_iter().filter(|record| record["at"].as_str().unwrap() >= since).collect();
            Response::json(&Value::Array(from))
        });
        Self { sim, events }
    }

    fn plan(&self, events: &str, retention: &str) -> Plan {
        let resource = |name: &str, load: &str, more: &str| {
            format!(
                "  - {{name: {name}, {load}, endpoint: {{path: {name}, data_selector: $, paginator: single_page, \
                 incremental: {{cursor_path: at, start_param: since, initial_value: \"2019-01-01T00:00:00Z\"{more}}}}}}}\n"
            )
        };
        let merge = "primary_key: id, write_disposition: merge";
        plan(
            &self.sim,
            "",
            &format!("{}{}", resource("events", events, retention), resource("customers", merge, "")),
        )
    }

    /// Where each run has asked `path` to start, since the last time.
    fn starts(&self, path: &str) -> Vec<String> {
        asked(&self.sim, path).iter().map(|request| request.param("since").unwrap().to_owned()).collect()
    }
}

const MERGE: &str = "primary_key: id, write_disposition: merge";
const APPEND: &str = "write_disposition: append";
const FALLBACK: &str = ", retention: 30d, fallback: customers";

fn noted(report: &Report, text: &str) -> bool {
    report.notes.iter().any(|note| note.contains(text))
}

#[test]
fn a_late_run_reads_its_fallback_in_full_and_says_so() {
    let (feed, bench) = (Feed::new(), Bench::new());
    let first = bench.run(feed.plan(APPEND, FALLBACK));
    assert!(!noted(&first, "retention"), "{:?}", first.notes);
    feed.events.lock().unwrap()[0] = json!({"id": 2, "at": "2020-03-01T00:00:00Z"});
    let second = bench.run(feed.plan(APPEND, FALLBACK));
    assert!(
        noted(
            &second,
            "events: its cursor, 2020-01-01T00:00:00Z, is older than what the API keeps (`retention`): `customers` is read in full"
        ),
        "{:?}",
        second.notes
    );
    // The feed goes on where it was; the list begins again.
    assert_eq!(feed.starts("/events"), ["2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]);
    assert_eq!(feed.starts("/customers"), ["2019-01-01T00:00:00Z", "2019-01-01T00:00:00Z"]);
    assert_eq!(bench.column("SELECT id FROM test_dataset.events ORDER BY 1"), ["1", "2"]);
}

#[test]
fn the_feed_goes_on_only_once_the_gap_is_mended() {
    let (feed, bench) = (Feed::new(), Bench::new());
    bench.run(feed.plan(APPEND, FALLBACK));
    feed.events.lock().unwrap().push(json!({"id": 2, "at": "2020-03-01T00:00:00Z"}));
    feed.sim.clear_requests();
    feed.sim.fault(Fault::status(403).on("/customers"));
    let second = bench.run(feed.plan(APPEND, FALLBACK));
    assert_eq!(of(&second, "customers").status, Status::Failed);
    assert_eq!(bench.column("SELECT id FROM test_dataset.events ORDER BY 1"), ["1", "2"]);
    // Its rows are there; its cursor still shows the gap, and so the list is read from its beginning again.
    let third = bench.run(feed.plan(APPEND, FALLBACK));
    assert_eq!(third.status, Status::Succeeded);
    assert!(noted(&third, "`customers` is read in full"), "{:?}", third.notes);
    assert_eq!(feed.starts("/customers"), ["2019-01-01T00:00:00Z", "2019-01-01T00:00:00Z"]);
    assert_eq!(bench.column("SELECT id FROM test_dataset.events ORDER BY 1"), ["1", "2"]);
}

#[test]
fn without_a_fallback_a_merge_begins_again_and_an_append_says_what_it_lost() {
    let (feed, bench) = (Feed::new(), Bench::new());
    for _ in 0..2 {
        bench.run(feed.plan(MERGE, ", retention: 30d"));
    }
    assert_eq!(feed.starts("/events"), ["2019-01-01T00:00:00Z", "2019-01-01T00:00:00Z"]);
    assert_eq!(feed.starts("/customers"), ["2019-01-01T00:00:00Z", "2020-01-05T00:00:00Z"]);

    let (feed, bench) = (Feed::new(), Bench::new());
    bench.run(feed.plan(APPEND, ", retention: 30d"));
    let second = bench.run(feed.plan(APPEND, ", retention: 30d"));
    assert!(noted(&second, "what came between is lost"), "{:?}", second.notes);
    assert_eq!(bench.column("SELECT id FROM test_dataset.events"), ["1"]);
}

#[test]
fn a_feed_that_is_kept_long_enough_goes_on() {
    let (feed, bench) = (Feed::new(), Bench::new());
    for _ in 0..2 {
        let report = bench.run(feed.plan(MERGE, ", retention: 36500d, fallback: customers"));
        assert!(!noted(&report, "retention"), "{:?}", report.notes);
    }
    assert_eq!(feed.starts("/customers"), ["2019-01-01T00:00:00Z", "2020-01-05T00:00:00Z"]);
}
