use std::sync::atomic::{AtomicU64, Ordering};

use dray_sim::{Api, Fault, Request, Response};
use serde_json::json;

use crate::client::send;
use crate::start;

#[test]
fn a_script_answers_by_header_link_and_by_body() {
    let seen = AtomicU64::new(0);
    let sim = start(
        Api::custom(move |request: &Request| match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/items") => {
                Response::json(&json!([{"id": 1}])).with_header("link", "</items?page=2>; rel=\"next\"")
            }
            ("POST", "/search") => {
                let count = seen.fetch_add(1, Ordering::Relaxed);
                let cursor = request.json().map(|body| body["cursor"].clone());
                Response::json(&json!({"count": count, "cursor": cursor}))
            }
            _ => Response::status(404),
        }),
        0,
    );
    let answer = send(&sim, "GET", "/items", &[], "").expect("an answer");
    assert_eq!(answer.header("link"), Some("</items?page=2>; rel=\"next\""));
    for count in 0..2 {
        let answer = send(&sim, "POST", "/search", &[], r#"{"cursor":"c7"}"#).expect("an answer");
        assert_eq!(answer.json(), json!({"count": count, "cursor": "c7"}));
    }
    assert_eq!(send(&sim, "GET", "/nothing", &[], "").expect("an answer").status, 404);
    assert_eq!(&sim.requests()[1].body[..], br#"{"cursor":"c7"}"#);
    assert_eq!(sim.base_url(), format!("{}/", sim.origin()));
}

#[test]
fn faults_work_on_a_script_and_a_wrong_header_is_told() {
    let sim = start(Api::custom(|_| Response::status(200).with_header("bad name", "x")), 0);
    sim.fault(Fault::status(503));
    assert_eq!(send(&sim, "GET", "/", &[], "").expect("an answer").status, 503);
    let answer = send(&sim, "GET", "/", &[], "").expect("an answer");
    assert_eq!(answer.status, 500);
    assert!(String::from_utf8_lossy(&answer.body).contains("not HTTP"));
}

#[test]
fn a_script_that_panics_is_told_and_the_server_goes_on() {
    let sim = start(
        Api::custom(|request: &Request| match request.path.as_str() {
            "/bad" => panic!("as the test wants it"),
            _ => Response::status(204),
        }),
        0,
    );
    assert!(send(&sim, "GET", "/bad", &[], "").is_none());
    assert_eq!(send(&sim, "GET", "/good", &[], "").expect("an answer").status, 204);
    while sim.connection_errors().is_empty() {
        std::thread::yield_now();
    }
    assert!(sim.connection_errors()[0].contains("panicked"), "{:?}", sim.connection_errors());
}
