//! `response_actions`: what is done with answers that fall under a rule.

use dray::error::ErrorKind;
use dray_sim::{Fault, Response, Sim};
use serde_json::json;

use crate::support::{
    Bench, Told, endpoint, endpoint_at_once, fact, of, plan, read, records, script, things,
};

/// `things` with these rules, the selector `rows` and further keys.
fn with(sim: &Sim, rules: &str, keys: &str) -> Told {
    endpoint(sim, &format!("data_selector: rows, response_actions: [{rules}]{keys}"))
}

fn rows() -> Response {
    Response::json(&json!({"code": 0, "rows": records(0..2)}))
}

#[test]
fn a_rule_counts_where_all_of_its_conditions_hold() {
    let sim = script(|_| {
        Response::json(&json!({"code": 57, "n": "x", "rows": []})).with_header("X-Kind", "Late; a=b")
    });
    for (conditions, fits) in [
        ("status_code: 200", true),
        ("status_code: \"2xx\"", true),
        ("status_code: [404, 200-299]", true),
        ("status_code: 5xx", false),
        ("header: {x-kind: \"late*\"}", true),
        ("header: {x-kind: late}", false),
        ("header: {x-other: \"*\"}", false),
        ("body: {path: code, not_equals: 0}", true),
        ("body: {path: code, in: [56, 57]}", true),
        ("body: [{path: code, equals: 57}, {path: 'rows[0]', exists: false}]", true),
        ("body: [{path: code, equals: 57}, {path: 'rows[0]', exists: true}]", false),
        (
            "status_code: 200, content: '\"n\":\"x\"', header: {x-kind: '*'}, body: {path: n, contains: x}",
            true,
        ),
        ("status_code: 200, content: nowhere", false),
    ] {
        let told = with(&sim, &format!("{{{conditions}, action: skip}}"), "");
        assert_eq!((told.ids(), told.skipped), (vec![], u64::from(fits)), "{conditions}");
    }
}

#[test]
fn the_first_rule_counts_and_those_of_the_endpoint_come_before_the_clients() {
    let sim = script(|_| rows());
    sim.fault(Fault::status(403).always());
    let client = "response_actions: [{status_code: 403, action: fail, message: closed}]";
    let at = |keys: &str| {
        things(plan(&sim, client, &format!("  - {{name: things, endpoint: {{path: items{keys}}}}}")))
    };
    at("").failed(ErrorKind::Auth, "closed");
    let told = at(", response_actions: [{status_code: 403, action: skip}, {status_code: 4xx, action: fail}]");
    assert_eq!((told.ids(), told.skipped), (vec![], 1));
}

#[test]
fn an_error_in_a_good_answer_fails_with_the_apis_words_and_without_secrets() {
    let zoho = r#"{"code":57,"message":"You may not, swordfish-4242"}"#;
    let fastbill = r#"{"REQUEST":[],"RESPONSE":{"ERRORS":["Wrong key swordfish-4242"]}}"#;
    for (body, rule, said) in [
        (zoho, "{body: {path: code, not_equals: 0}, action: fail}", "You may not, ***"),
        (zoho, "{body: {path: code, not_equals: 0}, action: fail, message_path: code}", "57"),
        (fastbill, "{body: {path: 'RESPONSE.ERRORS[0]', exists: true}, action: fail}", "Wrong key ***"),
    ] {
        let sim = script(move |_| Response::status(200).with_body(body));
        let auth = "auth: {type: api_key, name: k, location: query, api_key: '${secrets.key}'}";
        let resource = format!("  - {{name: things, endpoint: {{path: items, response_actions: [{rule}]}}}}");
        let told = things(plan(&sim, auth, &resource));
        told.failed(ErrorKind::Response, "one that `response_actions` refuses");
        assert_eq!(
            (fact(told.error(), "body"), fact(told.error(), "status"), told.requests),
            (said, "200", 1)
        );
    }
}

#[test]
fn a_key_can_be_required() {
    let sim = script(|_| Response::json(&json!({"items": records(0..1)})));
    let rule =
        "response_actions: [{body: {path: results, exists: false}, action: fail, message: no results}]";
    endpoint(&sim, rule).failed(ErrorKind::Response, "no results");
}

#[test]
fn an_error_body_without_records_tells_what_it_says_without_any_rule() {
    let sim = script(|_| Response::json(&json!({"code": 57, "message": "not authorized"})));
    let told = endpoint(&sim, "data_selector: products");
    told.failed(ErrorKind::Response, "the selector matches nothing");
    assert_eq!(fact(told.error(), "body"), "not authorized");
}

#[test]
fn a_retry_that_a_rule_asks_for_is_counted_as_any() {
    let sim = script(|_| rows());
    sim.fault(Fault::status(403).times(2));
    let told = with(&sim, "{status_code: 403, action: retry, delay: 5ms}", "");
    assert_eq!((told.ids(), told.requests, told.retries), (vec![0, 1], 3, 2));
    sim.fault(Fault::status(403).always());
    let told = with(&sim, "{status_code: 403, action: retry, delay: 1ms}", "");
    told.failed(ErrorKind::Auth, "says to retry");
    assert_eq!((told.requests, fact(told.error(), "attempt")), (4, "4"));
}

#[test]
fn a_good_answer_that_is_not_ready_is_asked_for_again() {
    let sim = script({
        let asked = std::sync::atomic::AtomicU64::new(0);
        move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 | 1 => Response::json(&json!({"status": "pending"})),
            _ => rows(),
        }
    });
    let told = with(&sim, "{body: {path: status, equals: pending}, action: retry, delay: 1ms}", "");
    assert_eq!((told.ids(), told.requests), (vec![0, 1], 3));
}

#[test]
fn a_skipped_list_is_in_the_report_by_its_reason() {
    let sim = script(|request| match request.path.rsplit('/').nth(1) {
        Some("1") => Response::json(&json!({"error": "module is off"})).with_status(403),
        Some("2") => Response::json(&json!({"error": "gone"})).with_status(410),
        Some("0") => Response::json(&records(7..8)),
        _ => Response::json(&records(0..3)),
    });
    let resources = "  - parents\n  - {name: things, endpoint: {path: 'parents/{resources.parents.id}/things', \
        response_actions: [{status_code: 403, content: module, action: skip, message: module is off}, \
        {status_code: 410, action: skip}]}}";
    let bench = Bench::new();
    let report = bench.run(plan(&sim, "", resources));
    let skipped: Vec<_> = of(&report, "things").skipped.clone().into_iter().collect();
    assert_eq!(skipped, [("module is off".to_owned(), 1), ("status 410".to_owned(), 1)]);
    assert_eq!(bench.column("select id from test_dataset.things"), ["7"]);
}

/// Pages of two records, of which the one after `last` is answered with `end`.
fn ending(last: u64, end: Response, keys: &str) -> Told {
    let sim = script(move |request| {
        let page: u64 = request.param("page").unwrap_or("0").parse().unwrap();
        let next = format!("{}", page + 1);
        if page <= last {
            Response::json(&json!({"rows": records(page * 2..page * 2 + 2), "next": next}))
        } else {
            end.clone()
        }
    });
    with(&sim, "{body: {path: message, contains: no more}, action: end}", keys)
}

#[test]
fn an_answer_may_say_that_the_list_is_over() {
    let no_more = json!({"message": "there are no more"});
    for status in [200, 400, 403] {
        let told = ending(1, Response::json(&no_more).with_status(status), ", paginator: page_number");
        assert_eq!((told.ids(), told.ignored), (vec![0, 1, 2, 3], 0), "{status}");
    }
    let cursor = ", paginator: {type: cursor, cursor_path: next, cursor_param: page}";
    ending(1, Response::json(&no_more).with_status(400), cursor)
        .failed(ErrorKind::Response, "says to end: the rest of the list would be lost");
    ending(1, Response::json(&no_more).with_status(500), ", paginator: page_number")
        .failed(ErrorKind::Response, "the rest of the list would be lost");
}

#[test]
fn the_last_page_may_say_so_and_hold_records() {
    let last = json!({"message": "no more", "rows": records(4..5)});
    for keys in ["paginator: page_number", "paginator: {type: cursor, cursor_path: next, cursor_param: page}"]
    {
        let told = ending(1, Response::json(&last), &format!(", {keys}"));
        assert_eq!((told.ids(), told.requests), (vec![0, 1, 2, 3, 4], 3), "{keys}");
    }
    let more = json!({"message": "no more", "more": true, "rows": records(4..5)});
    let sim = script(move |_| Response::json(&more));
    let keys = ", paginator: {type: page_number, has_more_path: more}";
    with(&sim, "{content: no more, action: end}", keys).failed(ErrorKind::Pagination, "says more follow");
}

#[test]
fn pages_asked_for_ahead_are_judged_in_their_turn() {
    let sim = script(|request| {
        let page: u64 = request.param("page").unwrap().parse().unwrap();
        if page < 12 {
            Response::json(&json!({"rows": records(page * 2..page * 2 + 2)}))
        } else {
            Response::json(&json!({"message": "beyond the last page"})).with_status(400)
        }
    });
    let told = endpoint_at_once(
        &sim,
        8,
        "data_selector: rows, paginator: page_number, \
         response_actions: [{status_code: 400, body: {path: message, contains: beyond}, action: end}]",
    );
    assert_eq!(told.ids(), (0..24).collect::<Vec<_>>());
}

#[test]
fn credentials_are_refreshed_once_and_never_in_a_circle() {
    let sim = |good: &'static str| {
        script(move |request| match (&*request.path, request.header("authorization")) {
            ("/token", _) => {
                let asked = String::from_utf8_lossy(&request.body).into_owned();
                assert!(asked.contains("client_credentials"));
                Response::json(
                    &json!({"access_token": format!("t{}", TOKENS.fetch_add(1, std::sync::atomic::Ordering::SeqCst)), "expires_in": 3600}),
                )
            }
            (_, Some(token)) if token.ends_with(good) => rows(),
            _ => Response::json(&json!({"code": 14, "message": "invalid token"})),
        })
    };
    static TOKENS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let read = |sim: &Sim| {
        let auth = format!(
            "auth: {{type: oauth2_client_credentials, access_token_url: '{}/token', client_id: a, client_secret: b}}, \
             response_actions: [{{body: {{path: code, equals: 14}}, action: refresh_auth}}]",
            sim.base_url().trim_end_matches('/')
        );
        read(plan(sim, &auth, "  - {name: things, endpoint: {path: items, data_selector: rows}}"))
            .remove("things")
            .unwrap()
    };
    let told = read(&sim("t1"));
    assert_eq!((told.ids(), told.requests), (vec![0, 1], 2));
    let told = read(&sim("never"));
    told.failed(ErrorKind::Response, "a new token too");
    assert_eq!((told.requests, fact(told.error(), "body")), (2, "invalid token"));
    let sim = script(|_| Response::json(&json!({"code": 14})));
    with(&sim, "{body: {path: code, equals: 14}, action: refresh_auth}", "")
        .failed(ErrorKind::Response, "these credentials are not renewed");
}

#[test]
fn what_is_transient_is_retried_before_it_means_anything() {
    let sim = script(|_| rows());
    sim.fault(Fault::status(503).times(1));
    let told = with(&sim, "{status_code: 503, action: skip}", "");
    assert_eq!((told.ids(), told.skipped), (vec![0, 1], 0));
    sim.fault(Fault::status(503).times(1));
    let told = with(&sim, "{status_code: 503, action: fail, message: under repair}", "");
    told.failed(ErrorKind::Request, "under repair");
    assert_eq!(told.requests, 1);
}
