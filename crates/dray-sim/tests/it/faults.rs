use std::time::{Duration, Instant};

use dray_sim::{Api, Fault, Options, RateLimit, Response, Sim};
use serde_json::json;

use crate::client::{get, records, secret, send};
use crate::start;

const CHARGES: &str = "/v1/charges";

fn statuses(sim: &Sim, targets: &[&str]) -> Vec<u16> {
    targets.iter().map(|target| get(sim, target).status).collect()
}

fn bearer(sim: &Sim) -> String {
    format!("Bearer {}", secret(sim, "api_key"))
}

#[test]
fn a_status_hits_as_often_as_ordered_on_its_path_only() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::status(503).on(CHARGES).times(2));
    assert_eq!(sim.faults_waiting(), 1);
    assert_eq!(statuses(&sim, &[CHARGES, "/v1/customers", CHARGES, CHARGES]), [503, 200, 503, 200]);
    assert_eq!(sim.faults_waiting(), 0);
}

#[test]
fn an_ordered_error_has_the_form_of_its_api() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::status(500));
    assert_eq!(get(&sim, CHARGES).json()["error"]["type"], "api_error");
    let sim = start(Api::Orb, 5);
    sim.fault(Fault::status(500));
    assert_eq!(get(&sim, "/v1/plans").json()["status"], 500);
}

#[test]
fn faults_queue_and_count_what_they_see() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::status(500));
    sim.fault(Fault::status(502).nth(2));
    sim.fault(Fault::status(504).on("/customers"));
    assert_eq!(statuses(&sim, &[CHARGES, CHARGES, CHARGES, "/v1/customers"]), [500, 200, 502, 504]);
    sim.fault(Fault::status(503).always());
    assert_eq!(statuses(&sim, &[CHARGES, CHARGES]), [503, 503]);
    sim.clear_faults();
    assert_eq!(get(&sim, CHARGES).status, 200);
}

#[test]
fn a_fault_can_be_tied_to_a_query_a_method_or_the_page_of_each_chain() {
    let sim = start(Api::Stripe, 30);
    sim.fault(Fault::status(500).query("limit", "3"));
    assert_eq!(statuses(&sim, &["/v1/charges?limit=2", "/v1/charges?limit=3"]), [200, 500]);
    sim.fault(Fault::status(500).method("POST"));
    assert_eq!(get(&sim, CHARGES).status, 200);
    sim.clear_faults();
    sim.fault(Fault::status(500).on("/v1/*").page(2).times(2));
    let targets = [CHARGES, "/v1/payouts", "/v1/payouts", CHARGES, CHARGES];
    assert_eq!(statuses(&sim, &targets), [200, 200, 500, 500, 200]);
}

#[test]
fn waits_are_told_in_every_form() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::status(429).retry_after(2));
    sim.fault(Fault::status(429).retry_after_date(2));
    sim.fault(Fault::status(429).retry_after_ms(150));
    sim.fault(Fault::status(500).should_retry(false));
    let answers = [(); 4].map(|()| get(&sim, CHARGES));
    assert_eq!(answers.each_ref().map(|answer| answer.status), [429, 429, 429, 500]);
    assert_eq!(answers[0].header("retry-after"), Some("2"));
    let date = answers[1].header("retry-after").expect("a date");
    assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
    assert_eq!(answers[2].header("retry-after-ms"), Some("150"));
    assert_eq!(answers[3].header("stripe-should-retry"), Some("false"));
    assert_eq!(answers[0].json()["error"]["code"], "rate_limit");
}

#[test]
fn a_status_can_carry_its_own_body_and_any_answer_can_be_given() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::status(400).body(r#"{"why":1}"#).header("x-extra", "y"));
    sim.fault(Fault::respond(Response::json(&json!({"code": 1001}))));
    let answer = get(&sim, CHARGES);
    assert_eq!((answer.status, answer.header("x-extra")), (400, Some("y")));
    assert_eq!(answer.json(), json!({"why": 1}));
    assert_eq!(get(&sim, CHARGES).json(), json!({"code": 1001}));
}

#[test]
fn a_truncated_body_promises_more_than_it_gives() {
    let sim = start(Api::Stripe, 50);
    let whole = get(&sim, "/v1/charges?limit=50");
    sim.fault(Fault::truncated());
    let torn = get(&sim, "/v1/charges?limit=50");
    assert_eq!(torn.status, 200);
    assert!(whole.is_whole() && !torn.is_whole());
    assert_eq!(torn.header("content-length"), whole.header("content-length"));
    assert_eq!(torn.body, whole.body[..whole.body.len() / 2]);
    assert_eq!(sim.connection_errors(), Vec::<String>::new(), "an ordered fault is not an error");
}

#[test]
fn a_closed_connection_gives_no_answer() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::closed());
    assert!(send(&sim, "GET", CHARGES, &[("Authorization", &bearer(&sim))], "").is_none());
    assert_eq!(get(&sim, CHARGES).status, 200);
    assert_eq!(sim.requests().iter().map(|request| request.status).collect::<Vec<_>>(), [0, 200]);
}

#[test]
fn a_delay_is_waited_and_the_answer_is_right() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::delay(Duration::from_millis(80)));
    sim.fault(Fault::status(503).after(Duration::from_millis(80)));
    for status in [200, 503] {
        let start = Instant::now();
        assert_eq!(get(&sim, CHARGES).status, status);
        assert!(start.elapsed() >= Duration::from_millis(80));
    }
}

#[test]
fn a_hanging_answer_does_not_keep_the_server_from_stopping() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::delay(Duration::from_secs(3_600)));
    std::thread::scope(|scope| {
        let key = bearer(&sim);
        let host = sim.origin().strip_prefix("http://").expect("an origin").to_owned();
        let waiting = scope.spawn(move || {
            use std::io::{Read as _, Write as _};
            let mut stream = std::net::TcpStream::connect(host).expect("a connection");
            let text = format!("GET /v1/charges HTTP/1.1\r\nhost: x\r\nauthorization: {key}\r\n\r\n");
            stream.write_all(text.as_bytes()).expect("a request sent");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).map(|_| answer.len())
        });
        while sim.requests().is_empty() {
            std::thread::yield_now();
        }
        drop(sim);
        assert!(!matches!(waiting.join().expect("a thread"), Ok(1..)));
    });
}

#[test]
fn bodies_that_are_not_json_come_with_200() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::html());
    sim.fault(Fault::invalid_json());
    sim.fault(Fault::empty());
    let answers = [(); 3].map(|()| get(&sim, CHARGES));
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.is_whole()));
    assert_eq!(answers[0].header("content-type"), Some("text/html"));
    assert!(serde_json::from_slice::<serde_json::Value>(&answers[1].body).is_err());
    assert!(answers[2].body.is_empty());
}

#[test]
fn an_expired_token_is_a_401_once() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::expired_token());
    assert_eq!(statuses(&sim, &[CHARGES, CHARGES]), [401, 200]);
}

#[test]
fn a_repeated_page_is_the_one_before() {
    let sim = start(Api::Stripe, 30);
    sim.fault(Fault::repeat_page().on(CHARGES).nth(2));
    let first = get(&sim, CHARGES);
    get(&sim, "/v1/customers");
    let last = first.json()["data"][9]["id"].as_str().expect("an id").to_owned();
    let next = format!("/v1/charges?starting_after={last}");
    assert_eq!(get(&sim, &next).json(), first.json());
    assert_ne!(get(&sim, &next).json(), first.json());
}

#[test]
fn a_repeated_cursor_names_the_page_just_asked_for() {
    let sim = start(Api::Orb, 60);
    let cursor = get(&sim, "/v1/plans").json()["pagination_metadata"]["next_cursor"].clone();
    let next = format!("/v1/plans?cursor={}", cursor.as_str().expect("a cursor"));
    let right = get(&sim, &next).json();
    sim.fault(Fault::repeat_cursor());
    let wrong = get(&sim, &next).json();
    assert_eq!(wrong["pagination_metadata"], json!({"has_more": true, "next_cursor": cursor}));
    assert_eq!(wrong["data"], right["data"]);

    let sim = start(Api::Stripe, 30);
    let id = sim.expected("charges")[20]["id"].as_str().expect("an id").to_owned();
    sim.fault(Fault::repeat_cursor());
    let wrong = get(&sim, &format!("/v1/charges?starting_after={id}")).json();
    assert_eq!((&wrong["data"][9]["id"], &wrong["has_more"]), (&json!(id), &json!(true)));
}

#[test]
fn a_redirect_points_where_it_is_told() {
    let sim = start(Api::Stripe, 5);
    let other = start(Api::Stripe, 5);
    let location = format!("{}/v1/charges", other.origin());
    sim.fault(Fault::redirect(&location));
    let answer = get(&sim, CHARGES);
    assert_eq!((answer.status, answer.header("location")), (302, Some(location.as_str())));
    assert!(other.requests().is_empty());
}

#[test]
fn an_answer_can_be_edited() {
    let sim = start(Api::Stripe, 5);
    sim.fault(Fault::edit(|body| {
        body["data"] = json!([]);
        body["has_more"] = json!(true);
    }));
    let body = get(&sim, CHARGES).json();
    assert_eq!((records(&body, "data").len(), &body["has_more"]), (0, &json!(true)));
}

#[test]
fn a_rate_limit_answers_429_beyond_it() {
    let limit = RateLimit { requests: 2, per: Duration::from_secs(60), on: Some("/charges".to_owned()) };
    let options = Options { size: 5, rate_limits: vec![limit], ..Default::default() };
    let sim = Sim::start(options).expect("a server");
    assert_eq!(statuses(&sim, &[CHARGES, CHARGES, CHARGES, "/v1/customers"]), [200, 200, 429, 200]);
}

#[test]
fn latency_is_shared_by_requests_side_by_side() {
    let options = Options { size: 5, latency: Duration::from_millis(150), ..Default::default() };
    let sim = Sim::start(options).expect("a server");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(get(&sim, CHARGES).status, 200));
        }
    });
    assert_eq!(sim.peak_in_flight(), 3);
    assert_eq!(sim.requests().len(), 3);
}
