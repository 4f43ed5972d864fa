//! Answers that are no page, records that cannot be loaded, and limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dray::error::ErrorKind;
use dray::report::Status;
use dray_sim::{Request, Response, Sim};

use crate::support::{Bench, asked, endpoint, of, plan, script, things};

const LIST: &str = "  - {name: things, endpoint: {path: items, data_selector: data, \
                    paginator: {type: cursor, cursor_path: next, cursor_param: page}}}";

fn raw(body: &'static [u8]) -> Response {
    Response::status(200).with_header("content-type", "application/json").with_body(body)
}

/// Two pages; the first has a record that cannot be loaded. The second fails while `broken`.
fn two_pages(broken: &Arc<AtomicBool>) -> Sim {
    let broken = Arc::clone(broken);
    script(move |request: &Request| match request.param("page") {
        None => raw(br#"{"data":[{"id":1},{"id":2,"name":"\ud83d"},{"id":3}],"next":"b"}"#),
        Some(_) if broken.load(Ordering::Acquire) => Response::status(403),
        Some(_) => raw(br#"{"data":[{"id":4,"name":"x"},{"id":5,"n":NaN}],"next":null}"#),
    })
}

#[test]
fn a_record_that_cannot_be_loaded_is_counted_and_the_others_load() {
    let sim = two_pages(&Arc::default());
    let bench = Bench::new();
    let report = bench.run(plan(&sim, "", LIST));
    let things = of(&report, "things");
    assert_eq!((things.status, things.records, things.rows, things.rejected), (Status::Succeeded, 5, 3, 2));
    assert_eq!(bench.column("SELECT id FROM test_dataset.things ORDER BY id"), ["1", "3", "4"]);
    let note = "things: records were rejected: NaN or Infinity, which JSON does not have (1), half of a surrogate pair (1)";
    assert!(report.notes.iter().any(|own| own == note), "{:?}", report.notes);
    let kept = "SELECT count(*) FROM duckdb_tables() WHERE table_name = '_dray_rejects'";
    assert_eq!(bench.column(kept), ["0"]);
}

#[test]
fn rejects_are_kept_where_that_is_asked_for_and_each_once_over_runs() {
    let broken = Arc::new(AtomicBool::new(true));
    let sim = two_pages(&broken);
    let bench = Bench::new();
    let rejects = "SELECT page, pointer, bytes, CAST(decode(raw) AS VARCHAR) FROM test_dataset._dray_rejects ORDER BY page";
    let first = bench.run(plan(&sim, "rejects: keep", LIST));
    assert_eq!(of(&first, "things").status, Status::Failed);
    let kept = [r"1", "/data/1/name", "24", r#"{"id":2,"name":"\ud83d"}"#];
    assert_eq!(bench.query(rejects), [kept]);
    broken.store(false, Ordering::Release);
    let second = bench.run(plan(&sim, "rejects: keep", LIST));
    assert_eq!(of(&second, "things").status, Status::Succeeded, "{second:?}");
    assert_eq!(bench.query(rejects), [kept, ["2", "/data/1/n", "16", r#"{"id":5,"n":NaN}"#]]);
    assert_eq!(bench.column("SELECT id FROM test_dataset.things ORDER BY id"), ["1", "3", "4"]);
}

#[test]
fn too_many_rejects_fail_the_resource() {
    let sim = two_pages(&Arc::default());
    let told = things(plan(&sim, "max_rejects: 1", LIST));
    told.failed(ErrorKind::Response, "client.max_rejects: 1");
    told.failed(ErrorKind::Response, "/data/1/n");
}

#[test]
fn what_is_wrong_outside_of_the_records_fails_the_resource() {
    let sim = script(|_| raw(br#"{"data":[{"id":1}],"next":"\ud83d"}"#));
    things(plan(&sim, "", LIST)).failed(ErrorKind::Response, "outside of its records");
}

#[test]
fn a_filter_runs_beside_records_that_are_wrong() {
    let sim = script(|_| raw(b"{\"data\":[{\"id\":1,\"a\":\"\xff\"},{\"id\":2}]}"));
    let bench = Bench::new();
    let list = "  - {name: things, endpoint: {path: items, data_selector: \"data[?@.id > 0]\", paginator: single_page}}";
    let report = bench.run(plan(&sim, "", list));
    assert_eq!((of(&report, "things").rows, of(&report, "things").rejected), (1, 1), "{report:?}");
}

#[test]
fn nothing_where_a_page_was_announced_is_an_error_and_at_first_is_asked_for_twice() {
    let sim = script(|request| match request.param("page") {
        None => raw(br#"{"data":[{"id":1}],"next":"b"}"#),
        Some(_) => Response::status(204),
    });
    let told = things(plan(&sim, "", LIST));
    told.failed(ErrorKind::Response, "nothing where it announced a page");
    assert_eq!(told.retries, 3);

    let sim = script(|_| Response::status(204));
    let told = endpoint(&sim, "paginator: single_page");
    assert!(told.ids().is_empty());
    assert_eq!(told.requests, 2);

    let late = AtomicBool::new(false);
    let sim = script(move |_| match late.swap(true, Ordering::AcqRel) {
        false => Response::status(204),
        true => raw(br#"[{"id":1}]"#),
    });
    assert_eq!(endpoint(&sim, "paginator: single_page").ids(), [1]);
}

#[test]
fn limits_name_their_keys_and_are_not_asked_for_again() {
    let sim = script(|_| raw(br#"{"data":[{"id":1},{"id":2},{"id":3}],"next":null}"#));
    for (limits, key) in [
        ("body: 20", "client.limits.body"),
        ("wire: 20", "client.limits.wire"),
        ("items: 2", "client.limits.items"),
        ("values: 5", "client.limits.values"),
    ] {
        let told = things(plan(&sim, &format!("limits: {{{limits}}}"), LIST));
        told.failed(ErrorKind::Response, key);
        assert_eq!(told.requests, 1, "{limits}");
    }
    let told = things(plan(&sim, "limits: {depth: 2}", LIST));
    assert!(told.ids().is_empty(), "every record is deeper than two levels");
    assert_eq!(asked(&sim, "items").len(), 5);
}

#[test]
fn bodies_may_come_in_any_encoding_that_is_offered() {
    let sim = script(|request| {
        let offered = request.header("accept-encoding").unwrap_or_default().to_owned();
        let mut packed = Vec::new();
        let body = br#"[{"id":1},{"id":2}]"#;
        brotli::BrotliCompress(&mut &body[..], &mut packed, &brotli::enc::BrotliEncoderParams::default())
            .unwrap();
        let answer = if offered.contains("br") { packed } else { Vec::new() };
        Response::status(200).with_header("content-encoding", "br").with_body(answer)
    });
    assert_eq!(endpoint(&sim, "paginator: single_page").ids(), [1, 2]);
}
