//! Which requests are sent again, after what wait, and what is said when none is left.

use std::time::Duration;

use dray::error::ErrorKind;
use dray_sim::{Fault, Response, Sim};
use serde_json::json;

use crate::support::{asked, fact, plan, read, records, script, things};

const THINGS: &str = "  - {name: things, endpoint: {path: things, paginator: single_page}}";

fn one_page() -> Sim {
    script(|_| Response::json(&records(0..3)))
}

/// Times between the arrivals of requests.
fn gaps(sim: &Sim) -> Vec<Duration> {
    let requests = sim.requests();
    requests.iter().zip(requests.iter().skip(1)).map(|(one, two)| two.at - one.at).collect()
}

#[test]
fn three_retries_wait_for_the_factor_doubled_each_time() {
    let sim = one_page();
    sim.fault(Fault::status(503).times(3));
    let told = things(plan(&sim, "retry: {backoff_factor: 0.08}", THINGS));
    assert_eq!(told.ids(), [0, 1, 2]);
    assert_eq!((told.requests, told.retries), (4, 3));
    let gaps = gaps(&sim);
    for (gap, least) in gaps.iter().zip([80, 160, 320]) {
        let least = Duration::from_millis(least);
        // Never earlier; at most a tenth later, and what a busy machine adds.
        assert!(*gap >= least && *gap < least.mul_f64(1.1) + Duration::from_millis(500), "{gaps:?}");
    }
}

#[test]
fn a_fourth_refusal_fails_its_resource_and_no_other() {
    let sim = one_page();
    sim.fault(Fault::status(503).on("/things").always());
    let others = "  - {name: before, endpoint: {path: before}}\n  - {name: after, endpoint: {path: after}}\n";
    let told = read(plan(&sim, "", &format!("{others}{THINGS}")));
    assert_eq!((told["before"].ids(), told["after"].ids()), (vec![0, 1, 2], vec![0, 1, 2]));
    let things = &told["things"];
    things.failed(ErrorKind::Request, "503");
    assert_eq!((things.requests, asked(&sim, "/things").len()), (4, 4));
    for (key, expected) in [("resource", "things"), ("page", "1"), ("status", "503"), ("attempt", "4")] {
        assert_eq!(fact(things.error(), key), expected);
    }
    assert_eq!(fact(things.error(), "url"), format!("{}things", sim.base_url()));
}

#[test]
fn without_retries_there_is_one_attempt() {
    let sim = one_page();
    sim.fault(Fault::status(500));
    let told = things(plan(&sim, "retry: {max_retries: 0}", THINGS));
    told.failed(ErrorKind::Request, "500");
    assert_eq!(told.requests, 1);
}

#[test]
fn the_server_names_the_wait() {
    for (fault, least) in [
        (Fault::status(429).retry_after(1), 1000),
        (Fault::status(503).retry_after_ms(150), 150),
        // A date has whole seconds: at least one of the two is left when it arrives.
        (Fault::status(429).retry_after_date(2), 900),
    ] {
        let sim = one_page();
        sim.fault(fault);
        assert_eq!(things(plan(&sim, "", THINGS)).ids(), [0, 1, 2]);
        assert!(gaps(&sim)[0] >= Duration::from_millis(least), "{least}: {:?}", gaps(&sim));
    }
}

#[test]
fn a_wait_that_is_too_long_fails_at_once_and_says_so() {
    let sim = one_page();
    sim.fault(Fault::status(429).retry_after(3600));
    let told = things(plan(&sim, "", THINGS));
    told.failed(ErrorKind::Request, "asks to wait 3600 s");
    told.failed(ErrorKind::Request, "client.retry.max_wait");
    assert_eq!(told.requests, 1);
}

#[test]
fn a_429_holds_every_worker() {
    let sim = script(|request| {
        let page: u64 = request.param("page").unwrap().parse().unwrap();
        Response::json(&if page < 40 { json!([{"id": page, "of": request.path}]) } else { json!([]) })
    });
    sim.fault(Fault::status(429).retry_after_ms(400).on("/a").nth(3));
    let names = ["a", "b", "c", "d"];
    let resources: String = names
        .iter()
        .map(|name| format!("  - {{name: {name}, endpoint: {{path: {name}, paginator: page_number}}}}\n"))
        .collect();
    let told = read(plan(&sim, "concurrency: 4", &resources));
    for name in names {
        assert_eq!(told[name].ids(), (0..40).collect::<Vec<_>>());
    }
    let requests = sim.requests();
    // Requests that were under way already may still arrive: most of the 400 ms must be silent.
    let pause = gaps(&sim).iter().position(|gap| *gap >= Duration::from_millis(250)).expect("a pause of all");
    for name in names {
        let path = format!("/{name}");
        let after = requests[pause + 1..].iter().filter(|request| request.path == path).count();
        assert!(after > 0, "{name} did not wait");
    }
}

#[test]
fn who_waits_for_a_routes_limit_keeps_no_other_waiting() {
    let sim = script(|request| {
        let page: u64 = request.param("page").unwrap().parse().unwrap();
        Response::json(&if page < 3 { json!([{"id": page}]) } else { json!([]) })
    });
    let names = ["slow", "slow/other", "quick", "deep/slow"];
    let resources: String = names
        .iter()
        .map(|name| {
            format!(
                "  - {{name: {}, endpoint: {{path: v1/{name}, paginator: page_number}}}}\n",
                name.replace('/', "_")
            )
        })
        .collect();
    let client = "concurrency: 1, rate_limit: {routes: {v1/slow: {requests: 2, per: 1s}}}";
    let told = read(plan(&sim, client, &resources));
    for resource in told.values() {
        assert_eq!(resource.ids(), [0, 1, 2]);
    }
    assert_eq!(sim.peak_in_flight(), 1);
    let limited = |path: &str| path.starts_with("/v1/slow");
    let (slow, quick): (Vec<_>, Vec<_>) =
        sim.requests().into_iter().partition(|request| limited(&request.path));
    assert_eq!((slow.len(), quick.len()), (8, 8));
    // In any second two; the server's clock runs a little behind the start of a request.
    for (one, third) in slow.iter().zip(slow.iter().skip(2)) {
        assert!(third.at - one.at >= Duration::from_millis(900), "{:?}", third.at - one.at);
    }
    assert!(quick.iter().all(|request| request.at < slow[2].at));
}

#[test]
fn broken_answers_are_asked_for_again() {
    for fault in [Fault::truncated(), Fault::closed(), Fault::html(), Fault::invalid_json(), Fault::empty()] {
        let sim = one_page();
        sim.fault(fault.times(2));
        let told = things(plan(&sim, "", THINGS));
        assert_eq!(told.ids(), [0, 1, 2]);
    }
}

#[test]
fn a_post_reads_too_and_is_retried_with_its_body() {
    let faults = [
        Fault::truncated(),
        Fault::closed(),
        Fault::html(),
        Fault::empty(),
        Fault::status(503),
        Fault::status(429).retry_after_ms(20),
    ];
    for fault in faults {
        let sim = one_page();
        sim.fault(fault.method("POST").times(2));
        let search = "  - {name: things, endpoint: {path: things, method: POST, json: {kind: all}, paginator: single_page}}";
        let told = things(plan(&sim, "", search));
        assert_eq!(told.ids(), [0, 1, 2]);
        assert_eq!((told.requests, told.retries), (3, 2));
        let bodies: Vec<_> =
            sim.requests().iter().map(|request| (request.method.clone(), request.json())).collect();
        assert_eq!(bodies, vec![("POST".to_owned(), Some(json!({"kind": "all"}))); 3]);
    }
}

#[test]
fn an_answer_that_stays_broken_is_an_error_with_its_place() {
    for (fault, kind, says) in [
        (Fault::truncated(), ErrorKind::Request, "broke off"),
        (Fault::closed(), ErrorKind::Request, "cannot reach the API"),
        (Fault::html(), ErrorKind::Response, "text/html"),
        (Fault::invalid_json(), ErrorKind::Response, "not JSON"),
        (Fault::empty(), ErrorKind::Response, "0 bytes"),
    ] {
        let sim = one_page();
        sim.fault(fault.always());
        let told = things(plan(&sim, "", THINGS));
        told.failed(kind, says);
        assert_eq!((told.requests, told.retries), (4, 3), "{says}");
        for (key, expected) in [("resource", "things"), ("page", "1"), ("attempt", "4")] {
            assert_eq!(fact(told.error(), key), expected, "{says}");
        }
        assert!(fact(told.error(), "url").ends_with("/things"));
        if kind == ErrorKind::Response {
            assert_eq!(fact(told.error(), "status"), "200");
        }
    }
}

#[test]
fn what_the_client_did_wrong_is_not_asked_again() {
    for status in [400, 404, 409, 422] {
        let sim = one_page();
        sim.fault(Fault::status(status).body(r#"{"why":"because"}"#).always());
        let told = things(plan(&sim, "", THINGS));
        told.failed(ErrorKind::Request, "because");
        assert_eq!(fact(told.error(), "status"), status.to_string());
        assert_eq!(told.requests, 1);
    }
}

#[test]
fn the_server_says_whether_to_try_again() {
    let sim = one_page();
    sim.fault(Fault::status(500).should_retry(false).always());
    let told = things(plan(&sim, "", THINGS));
    told.failed(ErrorKind::Request, "500");
    assert_eq!(told.requests, 1);
    let sim = one_page();
    sim.fault(Fault::status(409).should_retry(true));
    let told = things(plan(&sim, "", THINGS));
    assert_eq!((told.ids(), told.requests), (vec![0, 1, 2], 2));
}

#[test]
fn a_later_page_is_retried_without_reading_the_first_again() {
    let sim = script(|request| match request.param("cursor") {
        None => Response::json(&json!({"data": records(0..2), "cursors": {"next": "a"}})),
        _ => Response::json(&json!({"data": records(2..3)})),
    });
    sim.fault(Fault::status(502).query("cursor", "a").times(2));
    let told = things(plan(
        &sim,
        "",
        "  - {name: things, endpoint: {path: things, data_selector: data, paginator: cursor}}",
    ));
    assert_eq!((told.ids(), told.requests), (vec![0, 1, 2], 4));
}
