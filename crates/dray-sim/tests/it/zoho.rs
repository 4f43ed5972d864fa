use std::time::Duration;

use dray_sim::{Api, Fault, Options, Sim};
use serde_json::{Value, json};

use crate::client::{Answer, records, secret, send, sorted};
use crate::start;

const PATHS: [(&str, &str, &str, &str); 12] = [
    ("products", "products", "products", "product_id"),
    ("plans", "plans", "plans", "plan_code"),
    ("addons", "addons", "addons", "addon_code"),
    ("coupons", "coupons", "coupons", "coupon_code"),
    ("customers", "customers", "customers", "customer_id"),
    ("quotes", "estimates", "estimates", "estimate_id"),
    ("invoices", "invoices", "invoices", "invoice_id"),
    ("expenses", "expenses", "expenses", "expense_id"),
    ("subscriptions", "subscriptions", "subscriptions", "subscription_id"),
    ("taxes", "settings/taxes", "taxes", "tax_id"),
    ("transactions", "transactions", "transactions", "transaction_id"),
    ("recurring_expenses", "recurringexpenses", "recurring_expenses", "recurring_expense_id"),
];

fn token_answer(sim: &Sim, client_secret: &str) -> Value {
    let form = format!(
        "grant_type=refresh_token&client_id={}&client_secret={client_secret}&refresh_token={}",
        secret(sim, "client_id"),
        secret(sim, "refresh_token")
    );
    let answer = send(sim, "POST", "/oauth/v2/token", &[], &form).expect("an answer");
    assert_eq!(answer.status, 200, "errors come with 200 too");
    answer.json()
}

fn token(sim: &Sim) -> String {
    let body = token_answer(sim, &secret(sim, "client_secret"));
    assert_eq!((&body["token_type"], &body["api_domain"]), (&json!("Bearer"), &json!(sim.origin())));
    body["access_token"].as_str().expect("a token").to_owned()
}

fn get(sim: &Sim, path: &str, token: &str) -> Answer {
    let authorization = format!("Zoho-oauthtoken {token}");
    send(sim, "GET", &format!("/billing/v1/{path}"), &[("Authorization", &authorization)], "")
        .expect("an answer")
}

#[test]
fn every_list_is_complete_in_the_pages_arithmetic_says() {
    let sim = start(Api::Zoho, 401);
    assert_eq!(sim.base_url(), format!("{}/billing/v1/", sim.origin()));
    assert_eq!(sim.token_url(), format!("{}/oauth/v2/token", sim.origin()));
    let token = token(&sim);
    for (resource, path, key, id) in PATHS {
        let (mut all, mut page) = (Vec::new(), 1);
        loop {
            let body = get(&sim, &format!("{path}?page={page}&per_page=200"), &token).json();
            assert_eq!((&body["code"], &body["message"]), (&json!(0), &json!("success")));
            let got = records(&body, key);
            let more = match body.get("page_context") {
                Some(context) => context["has_more_page"] == true,
                None => got.len() == 200,
            };
            assert_eq!(
                body.get("page_context").is_none(),
                ["coupons", "taxes"].contains(&resource),
                "{resource}"
            );
            all.extend(got);
            if !more {
                break;
            }
            page += 1;
        }
        assert_eq!((all.len(), page), (401, 3), "{resource}");
        assert_eq!(sorted(&all), sorted(&sim.expected(resource)), "{resource}");
        assert!(all.iter().all(|record| record.get("id").is_none() && record[id].is_string()), "{resource}");
        let mut ids: Vec<String> = all.iter().map(|record| record[id].to_string()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 401, "{resource}");
    }
    assert_eq!(sim.resources().len(), PATHS.len());
}

#[test]
fn wrong_credentials_are_told_with_status_200() {
    let sim = start(Api::Zoho, 3);
    assert_eq!(token_answer(&sim, "wrong"), json!({"error": "invalid_client_secret"}));
    let answer = send(&sim, "POST", "/oauth/v2/token", &[], "grant_type=refresh_token&client_id=x");
    assert_eq!(answer.expect("an answer").json(), json!({"error": "invalid_client"}));
    let answer = get(&sim, "plans", "no-such-token");
    assert_eq!((answer.status, &answer.json()["code"]), (401, &json!(57)));
}

#[test]
fn bearer_is_accepted_too_and_parameters_may_be_in_the_query() {
    let sim = start(Api::Zoho, 3);
    let target = format!(
        "/oauth/v2/token?grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
        secret(&sim, "client_id"),
        secret(&sim, "client_secret"),
        secret(&sim, "refresh_token")
    );
    let body = send(&sim, "POST", &target, &[], "").expect("an answer").json();
    let bearer = format!("Bearer {}", body["access_token"].as_str().expect("a token"));
    let answer = send(&sim, "GET", "/billing/v1/plans", &[("Authorization", &bearer)], "");
    assert_eq!(answer.expect("an answer").status, 200);
}

#[test]
fn the_eleventh_token_in_ten_minutes_is_refused() {
    let sim = start(Api::Zoho, 3);
    for _ in 0..10 {
        token(&sim);
    }
    assert_eq!(token_answer(&sim, &secret(&sim, "client_secret"))["error"], "Access Denied");
}

#[test]
fn a_token_ends_by_use_by_time_and_by_fault() {
    let options = Options { api: Api::Zoho, size: 3, token_requests: Some(2), ..Default::default() };
    let sim = Sim::start(options).expect("a server");
    let first = token(&sim);
    let statuses = [(); 3].map(|()| get(&sim, "plans", &first).status);
    assert_eq!(statuses, [200, 200, 401]);
    assert_eq!(get(&sim, "plans", &token(&sim)).status, 200);

    let options = Options { api: Api::Zoho, size: 3, token_lifetime: Duration::ZERO, ..Default::default() };
    let sim = Sim::start(options).expect("a server");
    assert_eq!(get(&sim, "plans", &token(&sim)).status, 401);

    let sim = start(Api::Zoho, 3);
    let (one, two) = (token(&sim), token(&sim));
    sim.fault(Fault::expired_token().on("/plans"));
    assert_eq!([get(&sim, "plans", &one).status, get(&sim, "plans", &two).status], [401, 401]);
}

#[test]
fn refuses_pages_that_cannot_be() {
    let sim = start(Api::Zoho, 3);
    let token = token(&sim);
    for path in ["plans?page=0", "plans?per_page=201", "plans?page=x"] {
        let answer = get(&sim, path, &token);
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(2)), "{path}");
    }
    assert_eq!(get(&sim, "nothing", &token).status, 404);
    assert_eq!(records(&get(&sim, "plans?page=9", &token).json(), "plans").len(), 0);
}
