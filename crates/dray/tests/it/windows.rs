//! Reading in windows of time: borders, cursors, children, and backfills.

use dray::plan::{Backfill, Plan};
use dray::report::Status;
use dray_sim::{Fault, Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, asked, of, plan, script};

/// Unix seconds of 2024-01-01.
const FIRST: i64 = 1_704_067_200;
const DAY: i64 = 86_400;
const IDS: &str = "SELECT id FROM test_dataset.items ORDER BY 1";

/// What an API does with the ends of a range.
#[derive(Clone, Copy)]
struct Ends {
    start_excluded: bool,
    end_included: bool,
}

const HALF_OPEN: Ends = Ends { start_excluded: false, end_included: false };

/// Records at `times`, numbered from 0, by `since` and `until` in unix seconds; a parent has those of its number.
fn api(times: Vec<i64>, ends: Ends) -> Sim {
    script(move |request: &Request| {
        let bound = |name: &str| request.param(name).map(|text| text.parse::<i64>().unwrap());
        let (since, until) = (bound("since").unwrap(), bound("until"));
        let parent = request.path.strip_prefix("/parents/").and_then(|rest| rest.split('/').next());
        if request.path == "/parents" {
            return Response::json(&json!([{"id": 0}, {"id": 1}]));
        }
        let within = |at: i64| {
            let start = at > since || at == since && !ends.start_excluded;
            start && until.is_none_or(|until| at < until || at == until && ends.end_included)
        };
        let data: Vec<Value> = (0..)
            .zip(&times)
            .filter(|(id, at)| within(**at) && parent.is_none_or(|parent| parent == (id % 2).to_string()))
            .map(|(id, at)| json!({"id": id, "at": at}))
            .collect();
        Response::json(&Value::Array(data))
    })
}

/// `items` appended, in windows of a day from `FIRST` on, with these further keys of `incremental`.
fn items(sim: &Sim, path: &str, keys: &str) -> Plan {
    let parents = if path == "items" {
        ""
    } else {
        "  - {name: parents, endpoint: {path: parents, params: {since: 0}, paginator: single_page}}\n"
    };
    let resources = format!(
        "{parents}  - {{name: items, write_disposition: append, primary_key: id, endpoint: {{path: \"{path}\", \
         data_selector: $, paginator: single_page, incremental: {{cursor_path: at, start_param: since, \
         end_param: until, format: unix, initial_value: {FIRST}{keys}}}}}}}"
    );
    plan(sim, "concurrency: 4", &resources)
}

/// Records on every border of ten days, one second beside each, and one in the middle.
fn around_borders() -> Vec<i64> {
    let days = (0..10).map(|day| FIRST + day * DAY);
    days.flat_map(|border| [border, border + 1, border + DAY / 2, border + DAY - 1]).collect()
}

fn numbers(count: usize) -> Vec<String> {
    let mut all: Vec<usize> = (0..count).collect();
    all.sort_unstable();
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn records_on_borders_are_neither_missed_nor_doubled_whatever_the_api_includes() {
    let end = FIRST + 10 * DAY;
    for (ends, keys, lost) in [
        (HALF_OPEN, "", 0),
        (Ends { end_included: true, ..HALF_OPEN }, ", range_end: closed", 0),
        // Said to be half open although the end is included: the border comes twice and is taken once.
        (Ends { end_included: true, ..HALF_OPEN }, "", 0),
        // The start of the whole read is excluded, as in dlt; that of the windows after it is not.
        (Ends { start_excluded: true, end_included: true }, ", range_start: open, range_end: closed", 1),
        (Ends { start_excluded: true, end_included: false }, ", range_start: open", 1),
    ] {
        let times = around_borders();
        let sim = api(times.clone(), ends);
        let bench = Bench::new();
        let keys = format!("{keys}, window: 1d, end_value: {end}");
        let report = bench.run(items(&sim, "items", &keys));
        assert_eq!(report.status, Status::Succeeded);
        assert_eq!(bench.column(IDS), numbers(times.len())[lost..], "{keys}");
        assert_eq!(sim.requests().len(), 10);
    }
}

#[test]
fn a_record_on_the_very_end_is_kept_where_the_range_is_closed() {
    for (keys, count) in [("", 4), (", range_end: closed", 5)] {
        let times = [0, 1, 2, 3, 4].map(|day| FIRST + day * DAY).to_vec();
        let sim = api(times, Ends { end_included: true, ..HALF_OPEN });
        let bench = Bench::new();
        let end = FIRST + 4 * DAY;
        bench.run(items(&sim, "items", &format!("{keys}, window: 1d, end_value: {end}")));
        assert_eq!(bench.column(IDS), numbers(count));
    }
}

#[test]
fn the_cursor_moves_to_the_largest_value_of_all_windows_once_all_are_complete() {
    let times = around_borders();
    let count = times.len();
    let sim = api(times, HALF_OPEN);
    let bench = Bench::new();
    // One of the windows fails: the others are loaded, the cursor stays.
    let failing = (FIRST + 4 * DAY).to_string();
    sim.fault(Fault::status(400).query("since", failing.as_str()));
    let report = bench.run(items(&sim, "items", ", window: 1d"));
    assert_eq!(report.status, Status::Failed);
    let error = of(&report, "items").error.clone().unwrap();
    assert!(error.contains(&format!("window {failing} to {}", FIRST + 5 * DAY)), "{error}");
    let before = bench.column(IDS).len();
    assert!(before < count);
    // The next run reads that window and those that were not begun, as they were cut.
    sim.clear_requests();
    assert_eq!(bench.run(items(&sim, "items", ", window: 1d")).status, Status::Succeeded);
    assert_eq!(bench.column(IDS), numbers(count));
    assert!(asked(&sim, "/items").iter().any(|request| request.param("since") == Some(&failing)));
    // And the one after it begins at the largest value.
    sim.clear_requests();
    let report = bench.run(items(&sim, "items", ", window: 1d"));
    assert_eq!(of(&report, "items").rows, 0);
    let since = sim.requests().iter().map(|request| request.param("since").unwrap().parse().unwrap()).min();
    assert_eq!(since, Some(FIRST + 10 * DAY - 1));
}

#[test]
fn the_last_window_of_a_read_without_an_end_is_open() {
    let now: i64 = 4_000_000_000;
    let sim = api(vec![FIRST + 1, now], HALF_OPEN);
    let bench = Bench::new();
    bench.run(items(&sim, "items", ", window: 30d"));
    // A record with a time that is still to come is read as without windows.
    assert_eq!(bench.column(IDS), numbers(2));
    assert_eq!(sim.requests().iter().filter(|request| request.param("until").is_none()).count(), 1);
}

#[test]
fn children_are_read_in_windows_too_each_parent_by_its_own_cursor() {
    let times = around_borders();
    let sim = api(times.clone(), HALF_OPEN);
    let bench = Bench::new();
    let end = FIRST + 10 * DAY;
    let path = "parents/{resources.parents.id}/items";
    let report = bench.run(items(&sim, path, &format!(", window: 5d, end_value: {end}")));
    assert_eq!(report.status, Status::Succeeded);
    assert_eq!(bench.column(IDS), numbers(times.len()));
    assert_eq!(sim.requests().len(), 1 + 2 * 2);

    let bench = Bench::new();
    bench.run(items(&sim, path, ", window: 5000d"));
    sim.clear_requests();
    bench.run(items(&sim, path, ", window: 5000d"));
    assert_eq!(bench.column(IDS), numbers(times.len()));
    let since = |parent: usize| {
        let asked = asked(&sim, &format!("/parents/{parent}/items"));
        asked[0].param("since").unwrap().parse::<i64>().unwrap()
    };
    assert_eq!((since(0), since(1)), (end - DAY / 2, end - 1));
}

#[test]
fn a_backfill_reads_its_range_and_leaves_the_cursor() {
    let times: Vec<i64> = (0..10).map(|day| FIRST + day * DAY).collect();
    let sim = api(times, HALF_OPEN);
    let bench = Bench::new();
    let plan = |range: Backfill| {
        let mut plan = items(&sim, "items", ", window: 1d");
        if range == Backfill::default() {
            plan.resources[0].incremental.as_mut().unwrap().initial_value =
                Some(dray::plan::CursorValue::Int(FIRST + 6 * DAY));
        }
        plan.backfill(&range).unwrap();
        plan
    };
    bench.run(plan(Backfill::default()));
    assert_eq!(bench.column(IDS), ["6", "7", "8", "9"]);
    let range = |since: &str, until: Option<&str>| Backfill {
        since: Some(since.to_owned()),
        until: until.map(str::to_owned),
    };
    let report = bench.run(plan(range("2024-01-02", Some("2024-01-04T00:00:00Z"))));
    assert_eq!(bench.column(IDS), ["1", "2", "6", "7", "8", "9"]);
    assert!(
        report.notes.iter().any(|note| note.contains("a backfill from 2024-01-02")),
        "{:?}",
        report.notes
    );
    // Without an end the stored cursor moves forward only.
    bench.run(plan(range("2024-01-10", None)));
    sim.clear_requests();
    bench.run(plan(Backfill::default()));
    let since = sim.requests().iter().map(|request| request.param("since").unwrap().parse().unwrap()).min();
    assert_eq!(since, Some(FIRST + 9 * DAY));
    assert_eq!(bench.column(IDS), ["1", "2", "6", "7", "8", "9"]);
}

#[test]
fn a_backfill_without_a_range_is_refused() {
    let sim = api(Vec::new(), HALF_OPEN);
    for (since, until, said) in [
        (Some("soon"), None, "`--since soon` is no time"),
        (Some("2024-02-01"), Some("2024-01-01"), "`--until` does not lie after `--since`"),
    ] {
        let range = Backfill { since: since.map(str::to_owned), until: until.map(str::to_owned) };
        let error = items(&sim, "items", "").backfill(&range).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

/// An API whose filter is one text: the records whose time lies in what `filter` says.
fn by_text(times: Vec<i64>) -> Sim {
    let part = |text: &str, mark: &str| -> i64 {
        let time = text.split_once(mark).unwrap().1.split_once('\'').unwrap().0;
        time.parse::<jiff::Timestamp>().unwrap().as_second()
    };
    script(move |request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let filter = request.param("filter").or_else(|| body["filter"]["where"].as_str());
        let data: Vec<Value> = times
            .iter()
            .enumerate()
            .filter(|(_, at)| {
                filter.is_none_or(|text| (part(text, "ge '")..part(text, "lt '")).contains(*at))
            })
            .map(|(id, at)| json!({"id": id, "at": jiff::Timestamp::from_second(*at).unwrap().to_string()}))
            .collect();
        Response::json(&Value::Array(data))
    })
}

/// Windows in one text, in a parameter or a body.
fn text_plan(sim: &Sim, inside: &str, keys: &str) -> Plan {
    let filter = "at ge '{incremental.start_value}' and at lt '{incremental.end_value}'";
    let sent = match inside {
        "parameter" => format!("params: {{filter: \"{filter}\"}}"),
        _ => format!("method: POST, json: {{filter: {{where: \"{filter}\"}}}}"),
    };
    let resources = format!(
        "  - {{name: items, write_disposition: append, primary_key: id, endpoint: {{path: items, {sent}, \
         data_selector: $, paginator: single_page, incremental: {{cursor_path: at, \
         initial_value: \"2023-01-01T00:00:00Z\"{keys}}}}}}}"
    );
    plan(sim, "concurrency: 4", &resources)
}

#[test]
fn windows_go_into_the_text_of_a_query_and_the_last_one_has_an_end_too() {
    // 2023-01-01, and every tenth day from there.
    let times: Vec<i64> = (0..12).map(|tenth| 1_672_531_200 + tenth * 10 * DAY).collect();
    for inside in ["parameter", "body"] {
        for (keys, least) in [(", window: 60d", 10), (", window: 2 months", 10), ("", 1)] {
            let sim = by_text(times.clone());
            let bench = Bench::new();
            let report = bench.run(text_plan(&sim, inside, keys));
            let items = of(&report, "items");
            // The API itself has filtered: no request went without its text, and so no record came in vain.
            assert_eq!((items.rows, items.records, items.filtered), (12, 12, 0), "{inside}{keys}");
            assert!(sim.requests().len() >= least, "{inside}{keys}");
        }
    }
}
