//! Credentials, as the API gets them.

use std::sync::atomic::{AtomicUsize, Ordering};

use dray_sim::{Request, Response};
use serde_json::json;

use super::{Dish, data};

const ID: (&str, &str) = ("client_id", "id-4711");
const SECRET: (&str, &str) = ("client_secret", "secret-0815");
const REFRESH: (&str, &str) = ("refresh_token", "refresh-0");

fn one() -> Response {
    data(&json!([{"id": 1}]))
}

fn allowed(allowed: bool) -> Response {
    if allowed { one() } else { Response::status(401) }
}

#[track_caller]
fn loaded(dish: &Dish, table: &str) {
    let ran = dish.cooked();
    assert_eq!(dish.rows(&format!("SELECT id FROM {{}}.{table}")), ["1"]);
    dish.bench.assert_no_secret(&ran);
}

#[test]
fn a_login() {
    let dish = Dish::new("A login", |request| {
        if request.path == "/auth/login" {
            assert_eq!(request.json().unwrap(), json!({"username": "ada-4711", "password": "pass-0815"}));
            return data(&json!({"token": "t-1", "expires_in": 600}));
        }
        allowed(request.header("x-auth-token") == Some("t-1"))
    });
    loaded(&dish.with_secrets(&[("username", "ada-4711"), ("password", "pass-0815")]), "items");
}

#[test]
fn basic_auth_at_the_token_endpoint() {
    let dish = Dish::new("Basic auth at the token endpoint", |request| {
        if request.path == "/oauth/token" {
            // base64("id-4711:secret-0815")
            assert_eq!(request.header("authorization"), Some("Basic aWQtNDcxMTpzZWNyZXQtMDgxNQ=="));
            let form = [("grant_type", "account_credentials"), ("account_id", "account-7")];
            assert_eq!(request.form(), form.map(|(name, value)| (name.to_owned(), value.to_owned())));
            return Response::json(&json!({"access_token": "t-1", "expires_in": 3600}));
        }
        allowed(request.header("authorization") == Some("Bearer t-1"))
    });
    let dish = dish.with_secrets(&[ID, SECRET, ("account_id", "account-7")]);
    let token = format!("client.auth.access_token_url={}oauth/token", dish.bench.sim.base_url());
    let ran = dish.cooked_with(&["--set", &token]);
    assert_eq!(dish.rows("SELECT id FROM {}.meetings"), ["1"]);
    dish.bench.assert_no_secret(&ran);
}

#[test]
fn a_token_asked_for_in_json() {
    let dish = Dish::new("A token asked for in JSON", |request| {
        if request.path == "/oauth/v2/token" {
            let body = json!({"grant_type": "refresh_token", "client_id": ID.1, "client_secret": SECRET.1,
                              "refresh_token": REFRESH.1});
            assert_eq!(request.json().unwrap(), body);
            return Response::json(&json!({"access_token": "t-1", "expires_in": 3600}));
        }
        allowed(request.header("authorization") == Some("Bearer t-1"))
    });
    loaded(&dish.with_secrets(&[ID, SECRET, REFRESH]), "activities");
}

/// Takes each refresh token once, and gives the next one.
fn rotating() -> impl Fn(&Request) -> Response + Send + Sync + 'static {
    let given = AtomicUsize::new(0);
    move |request| {
        let newest = given.load(Ordering::Relaxed);
        if request.path != "/oauth/v2/token" {
            return allowed(request.header("authorization") == Some(&format!("Bearer t-{newest}")));
        }
        let form = request.form();
        let brought = form.iter().find(|(name, _)| name == "refresh_token").unwrap();
        if brought.1 != format!("refresh-{newest}") {
            return Response::status(400).with_json(&json!({"error": "invalid_grant"}));
        }
        let next = newest + 1;
        given.store(next, Ordering::Relaxed);
        let token = json!({"access_token": format!("t-{next}"), "refresh_token": format!("refresh-{next}")});
        Response::json(&token)
    }
}

#[test]
fn refresh_tokens_that_change() {
    let dish = Dish::new("Refresh tokens that change", rotating()).with_secrets(&[ID, SECRET, REFRESH]);
    std::fs::create_dir(dish.bench.path(".dray")).unwrap();
    for loads in 1..=3 {
        dish.cooked();
        assert_eq!(dish.rows("SELECT count(*) FROM {}.invoices"), [loads.to_string()]);
    }
}

#[test]
fn two_keys_in_two_headers() {
    let dish = Dish::new("Two keys in two headers", |request| {
        allowed(request.header("x-key-id") == Some(ID.1) && request.header("x-secret-key") == Some(SECRET.1))
    });
    loaded(&dish.with_secrets(&[ID, SECRET]), "trades");
}

#[test]
fn an_encoded_header() {
    let dish = Dish::new("An encoded header", |request| {
        // base64("id-4711:secret-0815")
        allowed(request.header("x-app-credentials") == Some("aWQtNDcxMTpzZWNyZXQtMDgxNQ=="))
    });
    loaded(&dish.with_secrets(&[ID, SECRET]), "brands");
}

#[test]
fn a_digest_in_the_query() {
    let dish = Dish::new("A digest in the query", |_| one()).with_secrets(&[ID, SECRET]);
    loaded(&dish, "comics");
    let requests = dish.bench.sim.requests();
    let sent = |name: &str| requests[0].param(name).unwrap();
    assert_eq!(sent("apikey"), ID.1);
    // The database reckons the digest for itself.
    let digest = format!("SELECT md5('{}{}{}')", sent("ts"), SECRET.1, ID.1);
    assert_eq!(dish.rows(&digest), [sent("hash")]);
}
