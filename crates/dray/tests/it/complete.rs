//! Lists inside records of which the record holds only the beginning.

use std::collections::BTreeMap;

use dray::error::ErrorKind;
use dray::report::Status;
use dray_sim::{Api, Fault, Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, asked, of, plan, read, script, start, things};

/// Items of the list in record `id`.
fn count(id: u64) -> u64 {
    [25, 10, 0, 11][usize::try_from(id % 4).unwrap()]
}

fn items(id: u64, range: std::ops::Range<u64>) -> Vec<Value> {
    range.map(|at| json!({"id": format!("{id}-{at}")})).collect()
}

/// Four records a page, twelve of them; each holds ten items of its list at the most. The lists are read by `after` or by
/// `page`, ten items each.
fn invoices(request: &Request) -> Response {
    let number = |name: &str| request.param(name).and_then(|text| text.parse::<u64>().ok());
    let segments: Vec<&str> = request.path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["v1", "invoices"] => {
            let from = number("after").map_or(0, |last| last + 1);
            let records = (from..from + 4).map(|id| {
                let url = format!("/v1/invoices/{id}/lines");
                let (held, more) = (count(id).min(10), count(id) > 10);
                json!({"id": id, "lines": {"data": items(id, 0..held), "has_more": more, "url": url}})
            });
            let records: Vec<Value> = records.collect();
            Response::json(&json!({"data": records, "has_more": from + 4 < 12}))
        }
        ["v1", "invoices", id, "lines"] => {
            let id: u64 = id.parse().unwrap();
            let after = request.param("after").and_then(|last| last.split('-').nth(1)?.parse::<u64>().ok());
            let from = number("page").map_or(after.map_or(0, |last| last + 1), |page| page * 10);
            let to = (from + 10).min(count(id));
            Response::json(&json!({"data": items(id, from.min(to)..to), "has_more": to < count(id)}))
        }
        _ => Response::status(404),
    }
}

const AFTER: &str =
    "paginator: {type: cursor, cursor_field: id, cursor_param: after, has_more_path: has_more}";

/// The configuration; `complete` as written.
fn lines(complete: &str) -> String {
    format!(
        "  - {{name: things, endpoint: {{path: v1/invoices, data_selector: data, {AFTER}, \
         expand: {{path: lines.data, include: {{invoice: id}}, complete: {{{complete}}}}}}}}}"
    )
}

/// All items of all records, each with its record's id.
fn expected() -> Vec<(u64, String)> {
    (0..12).flat_map(|id| (0..count(id)).map(move |at| (id, format!("{id}-{at}")))).collect()
}

fn found(records: &[Value]) -> Vec<(u64, String)> {
    records
        .iter()
        .map(|row| (row["invoice"].as_u64().unwrap(), row["id"].as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn the_rest_of_a_list_is_read_after_its_last_item() {
    let sim = script(invoices);
    let told = things(plan(&sim, "", &lines("has_more: lines.has_more, url: lines.url")));
    assert!(matches!(told.outcome, Some(Ok(()))), "{:?}", told.outcome);
    assert_eq!(found(&told.partitions[""]), expected());
    let asked: Vec<String> =
        asked(&sim, "/0/lines").iter().map(|request| request.param("after").unwrap().to_owned()).collect();
    assert_eq!(asked, ["0-9", "0-19"]);
    // Three pages of records; of four records one list needs two more pages, and another one.
    assert_eq!((told.requests, told.partitions.len()), (3 + 3 * 3, 1));
}

#[test]
fn a_list_that_cannot_be_entered_in_its_middle_is_read_whole() {
    let sim = script(invoices);
    let complete = "has_more: lines.has_more, path: \"v1/invoices/{id}/lines\", params: {of: \"x{id}\"}, \
        paginator: {type: page_number, total_path: null, has_more_path: has_more}";
    let told = things(plan(&sim, "", &lines(complete)));
    assert!(matches!(told.outcome, Some(Ok(()))), "{:?}", told.outcome);
    assert_eq!(found(&told.partitions[""]), expected());
    let asked = asked(&sim, "/4/lines");
    assert_eq!(
        asked.iter().map(|request| request.param("page").unwrap()).collect::<Vec<_>>(),
        ["0", "1", "2"]
    );
    assert!(asked.iter().all(|request| request.param("of") == Some("x4")));
}

#[test]
fn all_lines_of_all_stripe_invoices_are_there() {
    let sim = start(Api::Stripe, 150);
    let resources = "  - {name: invoice_line_items, endpoint: {path: invoices, data_selector: data, \
        paginator: {type: cursor, cursor_field: id, cursor_param: starting_after, has_more_path: has_more, limit: 100}, \
        expand: {path: lines.data, include: {invoice: id}, complete: {has_more: lines.has_more, url: lines.url}}}}";
    let told = read(plan(&sim, "auth: {token: \"${secrets.api_key}\"}", resources));
    let mut expected: Vec<(String, String)> = Vec::new();
    for (invoice, line) in sim.expected_with_parent("invoice_line_items") {
        expected.push((invoice, line["id"].as_str().unwrap().to_owned()));
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = told["invoice_line_items"].partitions[""].iter();
    let mut rows: Vec<(String, String)> = rows.map(|row| (text(&row["invoice"]), text(&row["id"]))).collect();
    expected.sort();
    rows.sort();
    assert_eq!(rows, expected);
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    rows.iter().for_each(|(invoice, _)| *sizes.entry(invoice).or_default() += 1);
    let long = sizes.values().filter(|size| **size > 10).count();
    assert!(long > 0, "no list is longer than what an invoice holds");
    let lists = sim.requests().iter().filter(|request| request.path.ends_with("/lines")).count();
    assert!(lists >= long, "{lists} requests for {long} lists");
}

/// A record, and a list elsewhere.
fn one(record: Value) -> Sim {
    script(move |request| match request.path.as_str() {
        "/v1/invoices" => Response::json(&json!({"data": [record], "has_more": false})),
        _ => Response::json(&json!({"data": [{"id": "z"}], "has_more": false})),
    })
}

#[test]
fn what_a_record_does_not_say_is_an_error() {
    let by_url = "has_more: lines.has_more, url: lines.url";
    let item = json!([{"id": "a"}]);
    for (record, said) in [
        (json!({"id": 1, "lines": {"data": item}}), "does not say whether it holds its whole list"),
        (json!({"id": 1, "lines": {"data": item, "has_more": "yes"}}), "found: yes"),
        (json!({"id": 1, "lines": {"data": item, "has_more": true}}), "no value for the address of its list"),
        (json!({"id": 1, "lines": {"data": item, "has_more": true, "url": 5}}), "is not a URL"),
        (
            json!({"id": 1, "lines": {"data": item, "has_more": true, "url": "http://10.0.0.1/lines"}}),
            "another origin",
        ),
    ] {
        let sim = one(record);
        let told = things(plan(&sim, "", &lines(by_url)));
        let error = told.error();
        let shown = format!("{}; {}", error.chain(), error.advice().unwrap_or_default());
        assert!(shown.contains(said), "no `{said}` in: {shown}");
        assert_eq!(sim.requests().len(), 1);
    }
    // A record without the list has nothing to complete.
    for record in
        [json!({"id": 1}), json!({"id": 1, "lines": null}), json!({"id": 1, "lines": {"data": null}})]
    {
        assert!(things(plan(&one(record), "", &lines(by_url))).ids().is_empty());
    }
}

#[test]
fn a_list_that_cannot_be_read_fails_its_page_unless_declared() {
    let sim = script(invoices);
    sim.fault(Fault::status(404).on("/v1/invoices/4/lines").always());
    let resources = lines("has_more: lines.has_more, url: lines.url");
    let told = things(plan(&sim, "", &resources));
    told.failed(ErrorKind::Request, "404");
    told.failed(ErrorKind::Request, "/v1/invoices/4/lines");
    told.failed(ErrorKind::Request, "page: 2");
    let ignoring =
        resources.replace(", expand:", ", response_actions: [{status_code: 404, action: ignore}], expand:");
    let told = things(plan(&sim, "", &ignoring));
    // The invoice is gone: what it held is all there is of it.
    assert_eq!(told.values("id").len(), expected().len() - 15);
    assert_eq!(told.ignored, 1);
}

#[test]
fn a_run_that_stops_in_the_middle_of_a_page_s_lists_loses_and_doubles_nothing() {
    let resources = lines("has_more: lines.has_more, url: lines.url");
    for stop in [1, 2, 4, 6, 7, 9, 11] {
        let sim = script(invoices);
        let bench = Bench::new();
        let plan = || plan(&sim, "concurrency: 2", &resources);
        bench.run_for(plan(), Some(stop));
        let report = bench.run(plan());
        assert_eq!(of(&report, "things").status, Status::Succeeded);
        let rows = bench.query("SELECT invoice, id FROM test_dataset.things");
        let mut rows: Vec<(u64, String)> =
            rows.into_iter().map(|row| (row[0].parse().unwrap(), row[1].clone())).collect();
        rows.sort();
        let mut expected = expected();
        expected.sort();
        assert_eq!(rows, expected, "stopped after {stop} requests");
    }
}
