//! Credentials: where they go, and how tokens are fetched, shared and renewed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dray::error::ErrorKind;
use dray_sim::{Api, Fault, Options, Request, Response, Sim};
use serde_json::json;

use crate::support::{asked, plan, plan_at, read, records, script, start, things};

const THINGS: &str = "  - {name: things, endpoint: {path: things, paginator: single_page}}";

/// One request with this auth.
fn sent(auth: &str) -> Request {
    let sim = script(|_| Response::json(&records(0..1)));
    assert_eq!(things(plan(&sim, &format!("auth: {auth}"), THINGS)).ids(), [0]);
    sim.requests().remove(0)
}

#[test]
fn fixed_credentials_go_where_they_belong() {
    let key = "\"${secrets.key}\"";
    let bearer = sent(&format!("{{type: bearer, token: {key}}}"));
    assert_eq!(bearer.header("authorization"), Some("Bearer swordfish-4242"));
    let basic = sent(&format!("{{type: http_basic, username: user, password: {key}}}"));
    // base64 of `user:swordfish-4242`.
    assert_eq!(basic.header("authorization"), Some("Basic dXNlcjpzd29yZGZpc2gtNDI0Mg=="));
    let header = sent(&format!("{{type: api_key, name: X-Key, api_key: {key}}}"));
    assert_eq!(header.header("x-key"), Some("swordfish-4242"));
    assert_eq!(header.header("authorization"), None);
    let query = sent(&format!("{{type: api_key, name: api key, api_key: {key}, location: query}}"));
    assert_eq!(query.param("api key"), Some("swordfish-4242"));
    let cookie = sent(&format!("{{type: api_key, name: session, api_key: {key}, location: cookie}}"));
    assert_eq!(cookie.header("cookie"), Some("session=swordfish-4242"));
    let format = sent(&format!("{{type: api_key, api_key: {key}, format: \"Token {{token}}\"}}"));
    assert_eq!(format.header("authorization"), Some("Token swordfish-4242"));
}

#[test]
fn an_endpoint_may_have_its_own_or_none() {
    let sim = script(|_| Response::json(&records(0..1)));
    let resources = "  - {name: own, endpoint: {path: own, auth: {token: other-token-1}}}\n  \
                     - {name: none, endpoint: {path: none, auth: null}}\n  \
                     - {name: shared, endpoint: {path: shared}}";
    read(plan(&sim, "auth: {token: \"${secrets.key}\"}", resources));
    let header = |path: &str| asked(&sim, path)[0].header("authorization").map(str::to_owned);
    assert_eq!(header("/own").as_deref(), Some("Bearer other-token-1"));
    assert_eq!(header("/none"), None);
    assert_eq!(header("/shared").as_deref(), Some("Bearer swordfish-4242"));
}

#[test]
fn a_refused_key_is_an_auth_error_and_not_tried_again() {
    let sim = start(Api::Orb, 5);
    let told = things(plan(&sim, "auth: {token: \"${secrets.key}\"}", THINGS));
    told.failed(ErrorKind::Auth, "401");
    assert_eq!(told.requests, 1);
}

/// An API with a token endpoint: the `n`-th token is `token-n`.
struct Tokens {
    sim: Sim,
}

impl Tokens {
    /// `answer` decides on requests with the token that they bring.
    fn new(
        latency: Duration,
        token: impl Fn(u64, &Request) -> Response + Send + Sync + 'static,
        answer: impl Fn(&str, &Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let count = AtomicU64::new(0);
        let api = Api::custom(move |request| {
            if request.path == "/token" {
                return token(count.fetch_add(1, Ordering::Relaxed) + 1, request);
            }
            let brought = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
            answer(brought.unwrap_or_default(), request)
        });
        Self { sim: Sim::start(Options { api, latency, ..Options::default() }).unwrap() }
    }

    fn auth(&self, kind: &str) -> String {
        let refresh = if kind == "refresh_token" { ", refresh_token: refresh-1-abcdef" } else { "" };
        format!(
            "auth: {{type: oauth2_{kind}, access_token_url: \"{}token\", client_id: me, \
             client_secret: \"${{secrets.key}}\"{refresh}}}",
            self.sim.base_url()
        )
    }

    fn fetched(&self) -> usize {
        asked(&self.sim, "/token").len()
    }
}

fn granted(number: u64, _: &Request) -> Response {
    Response::json(&json!({"access_token": format!("token-{number}"), "expires_in": 3600}))
}

fn many(count: usize) -> String {
    (0..count)
        .map(|at| format!("  - {{name: r{at}, endpoint: {{path: r{at}, paginator: single_page}}}}\n"))
        .collect()
}

#[test]
fn eight_workers_share_one_token() {
    let tokens = Tokens::new(Duration::from_millis(20), granted, |token, _| {
        if token == "token-1" { Response::json(&records(0..2)) } else { Response::status(401) }
    });
    let client = format!("concurrency: 8, {}", tokens.auth("client_credentials"));
    let told = read(plan(&tokens.sim, &client, &many(8)));
    assert!(told.values().all(|told| told.ids() == [0, 1]));
    assert_eq!(tokens.fetched(), 1);
    let form = asked(&tokens.sim, "/token")[0].form();
    for (name, value) in
        [("grant_type", "client_credentials"), ("client_id", "me"), ("client_secret", "swordfish-4242")]
    {
        assert!(form.contains(&(name.to_owned(), value.to_owned())), "{form:?}");
    }
}

#[test]
fn eight_workers_whose_token_ended_fetch_one_new_token() {
    let tokens = Tokens::new(Duration::from_millis(20), granted, |token, _| {
        if token == "token-2" { Response::json(&records(0..2)) } else { Response::status(401) }
    });
    let client = format!("concurrency: 8, {}", tokens.auth("client_credentials"));
    let told = read(plan(&tokens.sim, &client, &many(8)));
    assert!(told.values().all(|told| told.ids() == [0, 1]));
    assert_eq!(tokens.fetched(), 2);
}

#[test]
fn a_token_is_renewed_before_it_ends() {
    let issued: Mutex<Vec<Instant>> = Mutex::default();
    let life = Duration::from_secs(1);
    let tokens = Tokens::new(
        Duration::from_millis(60),
        |number, _| Response::json(&json!({"access_token": format!("token-{number}"), "expires_in": "1"})),
        move |token, request| {
            let mut issued = issued.lock().unwrap();
            let number: usize = token.strip_prefix("token-").unwrap().parse().unwrap();
            while issued.len() < number {
                issued.push(request.at);
            }
            if request.at - issued[number - 1] >= life {
                return Response::status(401);
            }
            let page: u64 = request.param("page").unwrap().parse().unwrap();
            Response::json(&if page < 20 { records(page..page + 1) } else { json!([]) })
        },
    );
    let resource = "  - {name: things, endpoint: {path: things, paginator: page_number}}";
    let client = format!("{}, concurrency: 1", tokens.auth("client_credentials"));
    let told = things(plan(&tokens.sim, &client, resource));
    assert_eq!(told.ids(), (0..20).collect::<Vec<_>>());
    assert!(tokens.fetched() >= 2, "{}", tokens.fetched());
    assert!(tokens.sim.requests().iter().all(|request| request.status == 200));
}

#[test]
fn a_token_for_ever_is_good_for_the_run() {
    for life in [json!(9e18), json!("1e300"), json!(-1), json!("soon")] {
        let token = json!({"access_token": "token-1", "expires_in": life});
        let tokens = Tokens::new(
            Duration::ZERO,
            move |_, _| Response::json(&token),
            |_, _| Response::json(&records(0..2)),
        );
        let told = things(plan(&tokens.sim, &tokens.auth("client_credentials"), THINGS));
        assert_eq!((told.ids(), tokens.fetched()), (vec![0, 1], 1));
    }
}

#[test]
fn a_401_renews_the_token_once_and_replays_once() {
    let tokens = Tokens::new(Duration::ZERO, granted, |_, _| Response::status(401));
    let told = things(plan(&tokens.sim, &tokens.auth("client_credentials"), THINGS));
    told.failed(ErrorKind::Auth, "401");
    let brought: Vec<_> = asked(&tokens.sim, "/things")
        .iter()
        .map(|request| request.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(brought, ["Bearer token-1", "Bearer token-2"]);
    assert_eq!(tokens.fetched(), 2);
}

#[test]
fn zoho_renews_a_token_that_ended_between_pages() {
    let sim = start(Api::Zoho, 230);
    sim.fault(Fault::expired_token().on("/customers").nth(2));
    let client = format!(
        "auth: {{type: oauth2_refresh_token, access_token_url: \"{}\", client_id: \"${{secrets.client_id}}\", \
         client_secret: \"${{secrets.client_secret}}\", refresh_token: \"${{secrets.refresh_token}}\", \
         scheme: Zoho-oauthtoken}}, \
         headers: {{X-com-zoho-subscriptions-organizationid: \"${{secrets.organization_id}}\"}}, concurrency: 1",
        sim.token_url()
    );
    let mut secrets = sim.secrets();
    if !secrets.iter().any(|(name, _)| name == "organization_id") {
        secrets.push(("organization_id".to_owned(), "10234695".to_owned()));
    }
    let told = things(plan_at(
        sim.base_url(),
        &secrets,
        &client,
        "  - {name: things, endpoint: {path: customers, data_selector: customers, params: {per_page: 100}, \
         paginator: {type: page_number, base_page: 1, has_more_path: page_context.has_more_page}}}",
    ));
    assert_eq!(told.values("customer_id").len(), 230);
    // Three pages, one of them twice; two tokens.
    assert_eq!(told.requests, 4);
    assert_eq!(sim.requests().iter().filter(|request| request.path.ends_with("/token")).count(), 2);
}

#[test]
fn a_refusal_of_the_token_endpoint_is_an_auth_error_and_asked_for_once() {
    for (answer, says) in [
        (Response::json(&json!({"error": "invalid_code"})), "invalid_code"),
        (
            Response::json(&json!({"error": "invalid_client", "error_description": "who?"})).with_status(400),
            "who?",
        ),
        (Response::json(&json!({"token_type": "bearer"})), "no access token"),
        (Response::status(200).with_body("<html>"), "not JSON"),
    ] {
        let tokens =
            Tokens::new(Duration::ZERO, move |_, _| answer.clone(), |_, _| Response::json(&records(0..1)));
        let told = read(plan(&tokens.sim, &tokens.auth("refresh_token"), &many(3)));
        for told in told.values() {
            told.failed(ErrorKind::Auth, says);
        }
        // Some endpoints count attempts: one is enough.
        assert_eq!(tokens.fetched(), 1, "{says}");
        assert!(tokens.sim.requests().iter().all(|request| request.path == "/token"));
    }
}

#[test]
fn a_token_endpoint_that_is_down_for_a_moment_is_asked_again() {
    let tokens = Tokens::new(Duration::ZERO, granted, |_, _| Response::json(&records(0..1)));
    tokens.sim.fault(Fault::status(503).on("/token").times(2));
    assert_eq!(things(plan(&tokens.sim, &tokens.auth("client_credentials"), THINGS)).ids(), [0]);
    assert_eq!(tokens.fetched(), 3);
}

#[test]
fn a_rotated_refresh_token_is_used_the_next_time() {
    let tokens = Tokens::new(
        Duration::ZERO,
        |number, _| {
            let refresh = format!("refresh-{}-abcdef", number + 1);
            Response::json(&json!({"access_token": format!("token-{number}"), "refresh_token": refresh}))
        },
        |token, _| if token == "token-2" { Response::json(&records(0..1)) } else { Response::status(401) },
    );
    assert_eq!(things(plan(&tokens.sim, &tokens.auth("refresh_token"), THINGS)).ids(), [0]);
    let used: Vec<_> = asked(&tokens.sim, "/token")
        .iter()
        .map(|request| request.form().into_iter().find(|(name, _)| name == "refresh_token").unwrap().1)
        .collect();
    assert_eq!(used, ["refresh-1-abcdef", "refresh-2-abcdef"]);
}
