//! Tokens in all the ways that APIs give them: how they are asked for, read, sent, and kept between runs.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use dray::error::ErrorKind;
use dray_sim::{Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, asked, plan, read, records, script, things};

const THINGS: &str = "  - {name: things, endpoint: {path: things, paginator: single_page}}";

/// An API whose `/token` answers with this, and which takes what `takes` says.
fn api(token: Value, takes: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Sim {
    script(move |request| match request.path.as_str() {
        "/token" => Response::json(&token),
        _ if takes(request) => Response::json(&records(0..2)),
        _ => Response::status(401),
    })
}

fn bearer(token: &'static str) -> impl Fn(&Request) -> bool {
    move |request| request.header("authorization") == Some(&format!("Bearer {token}"))
}

/// The request for a token that such an auth makes; it must be good for the rest.
fn asked_with(token: Value, takes: impl Fn(&Request) -> bool + Send + Sync + 'static, auth: &str) -> Request {
    let sim = api(token, takes);
    let auth = auth.replace("URL", &format!("{}token", sim.base_url()));
    assert_eq!(things(plan(&sim, &format!("auth: {auth}"), THINGS)).ids(), [0, 1]);
    asked(&sim, "/token").remove(0)
}

fn form(request: &Request) -> Vec<(String, String)> {
    let mut form = request.form();
    form.sort();
    form
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn zoom_wants_basic_auth_and_a_grant_of_its_own() {
    let request = asked_with(
        json!({"access_token": "t-1", "expires_in": 3599}),
        bearer("t-1"),
        "{type: oauth2_client_credentials, access_token_url: 'URL', client_id: me, client_secret: '${secrets.key}', \
         grant_type: account_credentials, token_request: {auth: basic, headers: {X-Own: a}, fields: {account_id: abc}}}",
    );
    // base64 of `me:swordfish-4242`.
    assert_eq!(request.header("authorization"), Some("Basic bWU6c3dvcmRmaXNoLTQyNDI="));
    assert_eq!(request.header("x-own"), Some("a"));
    assert_eq!(form(&request), pairs(&[("account_id", "abc"), ("grant_type", "account_credentials")]));
}

#[test]
fn strava_wants_json() {
    let request = asked_with(
        json!({"access_token": "t-1", "expires_in": 21600, "refresh_token": "r-1"}),
        bearer("t-1"),
        "{type: oauth2_refresh_token, access_token_url: 'URL', client_id: 123, client_secret: '${secrets.key}', \
         refresh_token: r-1, token_request: {body: json}}",
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(
        request.json(),
        Some(
            json!({"client_id": "123", "client_secret": "swordfish-4242", "grant_type": "refresh_token", "refresh_token": "r-1"})
        )
    );
}

#[test]
fn a_password_is_a_grant_and_needs_no_client() {
    let request = asked_with(
        json!({"access_token": "t-1"}),
        bearer("t-1"),
        "{type: oauth2_password, access_token_url: 'URL', username: ann, password: '${secrets.key}', \
         token_request: {fields: {scope: read}}}",
    );
    assert_eq!(
        form(&request),
        pairs(&[
            ("grant_type", "password"),
            ("password", "swordfish-4242"),
            ("scope", "read"),
            ("username", "ann")
        ])
    );
}

#[test]
fn what_is_said_of_a_field_wins_over_what_is_usual() {
    let request = asked_with(
        json!({"access_token": "t-1"}),
        bearer("t-1"),
        "{type: oauth2_client_credentials, access_token_url: 'URL', client_id: me, client_secret: '', \
         access_token_request_data: {grant_type: other}}",
    );
    assert_eq!(form(&request), pairs(&[("client_id", "me"), ("grant_type", "other")]));
}

#[test]
fn a_login_is_asked_as_the_api_wants() {
    let request = asked_with(
        json!({"data": {"token": "t{1}"}}),
        |request| request.header("authorization") == Some("Bearer t{1}"),
        "{type: login, path: /token, json: {user: {name: '{ann}', pass: '${secrets.key}'}, ttl: 60}, \
         token_path: data.token, headers: {Accept: text/json}}",
    );
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("accept"), Some("text/json"));
    assert_eq!(request.json(), Some(json!({"user": {"name": "{ann}", "pass": "swordfish-4242"}, "ttl": 60})));
    let request = asked_with(
        json!({"token": "t-1"}),
        |request| request.header("x-session") == Some("t-1"),
        "{type: login, url: 'URL', method: GET, token_path: token, name: X-Session}",
    );
    assert_eq!((request.method.as_str(), request.body.len()), ("GET", 0));
    let request = asked_with(
        json!("t-1"),
        |request| request.param("sid") == Some("<t-1>"),
        "{type: login, path: token, data: {pw: '${secrets.key}'}, token_path: $, location: query, name: sid, \
         format: '<{token}>'}",
    );
    assert_eq!(form(&request), pairs(&[("pw", "swordfish-4242")]));
}

#[test]
fn a_login_may_answer_with_a_header_or_a_cookie() {
    let sim = script(|request| match request.path.as_str() {
        "/login" => Response::status(204)
            .with_header("X-Token", "t-1")
            .with_header("Set-Cookie", "sid=s-1; Path=/; HttpOnly"),
        _ if request.header("cookie") == Some("sid=s-1") => Response::json(&records(0..1)),
        _ if request.header("authorization") == Some("Bearer t-1") => Response::json(&records(0..2)),
        _ => Response::status(401),
    });
    let told =
        |auth: &str| things(plan(&sim, &format!("auth: {{type: login, path: login, {auth}}}"), THINGS)).ids();
    assert_eq!(told("token_cookie: sid, location: cookie, name: sid"), [0]);
    assert_eq!(told("token_header: X-Token"), [0, 1]);
}

#[test]
fn a_login_ends_when_it_says_so_and_when_the_api_does() {
    let count = AtomicU64::new(0);
    let sim = script(move |request| match request.path.as_str() {
        "/login" => {
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            // The first one ended long ago, so the second resource logs in again.
            let end = if number == 1 { "2020-01-01T00:00:00Z" } else { "2999-01-01T00:00:00Z" };
            Response::json(&json!({"token": format!("t-{number}"), "ends": end}))
        }
        _ if request.header("authorization") == Some("Bearer t-2") => Response::status(401),
        _ => Response::json(&records(0..1)),
    });
    let auth = "auth: {type: login, path: login, token_path: token, expires_at_path: ends}, concurrency: 1";
    let resources = "  - {name: r0, endpoint: {path: r0, paginator: single_page}}\n  \
                     - {name: r1, endpoint: {path: r1, paginator: single_page}}";
    let told = read(plan(&sim, auth, resources));
    assert!(told.values().all(|told| told.ids() == [0]));
    assert_eq!(asked(&sim, "/login").len(), 3);
}

#[test]
fn a_login_that_gives_no_token_says_what_to_check() {
    let sim = script(|_| Response::json(&json!({"ok": false, "why": "swordfish-4242 is wrong"})));
    let auth = "auth: {type: login, path: login, json: {p: '${secrets.key}'}, token_path: data.token}";
    let told = things(plan(&sim, auth, THINGS));
    told.failed(ErrorKind::Auth, "`data.token`");
    told.failed(ErrorKind::Auth, "check `token_path`");
    let sim = script(|_| Response::status(403).with_body("no swordfish-4242 here"));
    let told = things(plan(&sim, auth, THINGS));
    told.failed(ErrorKind::Auth, "the login is refused");
    told.failed(ErrorKind::Auth, "no *** here");
    assert_eq!(sim.requests().len(), 1);
}

#[test]
fn several_auths_go_with_every_request() {
    let sim = script(|_| Response::json(&records(0..1)));
    let auth = "auth: [{type: api_key, name: APCA-API-KEY-ID, api_key: id-1}, \
                {type: api_key, name: APCA-API-SECRET-KEY, api_key: \"${secrets.key}\"}, \
                {type: api_key, name: a, api_key: x, location: cookie}, \
                {type: api_key, name: b, api_key: y, location: cookie}, {token: t-1}]";
    assert_eq!(things(plan(&sim, auth, THINGS)).ids(), [0]);
    let sent = sim.requests().remove(0);
    assert_eq!(sent.header("apca-api-key-id"), Some("id-1"));
    assert_eq!(sent.header("apca-api-secret-key"), Some("swordfish-4242"));
    assert_eq!(sent.header("cookie"), Some("a=x; b=y"));
    assert_eq!(sent.header("authorization"), Some("Bearer t-1"));
}

#[test]
fn an_api_that_refuses_every_second_request_is_not_given_tokens_for_ever() {
    let number = AtomicU64::new(0);
    let sim = script(move |request| match request.path.as_str() {
        "/token" => {
            Response::json(&json!({"access_token": format!("t-{}", number.fetch_add(1, Ordering::Relaxed))}))
        }
        path if path.starts_with("/good") => Response::json(&records(0..1)),
        _ => Response::status(401),
    });
    let resources: String = (0..150)
        .map(|at| {
            let path = if at % 2 == 0 { "good" } else { "bad" };
            format!("  - {{name: r{at}, endpoint: {{path: {path}/{at}, paginator: single_page}}}}\n")
        })
        .collect();
    let auth = format!(
        "auth: {{type: oauth2_password, access_token_url: '{}token', username: a, password: b}}, concurrency: 1",
        sim.base_url()
    );
    read(plan(&sim, &auth, &resources));
    assert!(asked(&sim, "/token").len() <= 100, "{}", asked(&sim, "/token").len());
}

/// An endpoint that takes each refresh token once: `r-1`, `r-2`, ...
#[derive(Clone)]
struct Rotating {
    sim: Arc<Sim>,
}

impl Rotating {
    /// `kept` is the file that must hold the newest one before its access token is used.
    fn new(kept: Option<&Path>) -> Self {
        let newest = Mutex::new((1_u64, "r".to_owned()));
        let kept = kept.map(Path::to_owned);
        let sim = script(move |request| {
            let mut newest = newest.lock().unwrap();
            if request.path == "/token" {
                let form = request.form();
                let brought = &form.iter().find(|(name, _)| name == "refresh_token").unwrap().1;
                if let Some(number) = brought.strip_prefix("other-") {
                    *newest = (number.parse().unwrap(), "other".to_owned());
                } else if *brought != format!("{}-{}", newest.1, newest.0) {
                    return Response::json(&json!({"error": "invalid_grant"})).with_status(400);
                }
                newest.0 += 1;
                let refresh = format!("{}-{}", newest.1, newest.0);
                return Response::json(
                    &json!({"access_token": format!("t-{refresh}"), "refresh_token": refresh}),
                );
            }
            if let Some(kept) = &kept {
                let text = std::fs::read_to_string(kept).unwrap();
                assert!(text.contains(&format!("\"{}-{}\"", newest.1, newest.0)), "{text}");
            }
            let used = request.header("authorization").unwrap();
            if used.starts_with("Bearer t-") { Response::json(&records(0..1)) } else { Response::status(401) }
        });
        Self { sim: Arc::new(sim) }
    }

    fn auth(&self, first: &str, file: &str) -> String {
        format!(
            "auth: {{type: oauth2_refresh_token, access_token_url: '{}token', client_id: me, \
             client_secret: '${{secrets.key}}', refresh_token: {first}{file}}}",
            self.sim.base_url()
        )
    }

    /// What a run used, token by token.
    fn used(&self) -> Vec<String> {
        let token = |request: &Request| {
            request.form().into_iter().find(|(name, _)| name == "refresh_token").unwrap().1
        };
        asked(&self.sim, "/token").iter().map(token).collect()
    }
}

fn file_key(path: &Path) -> String {
    format!(", refresh_token_file: '{}'", path.display())
}

#[test]
fn a_new_refresh_token_survives_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.token");
    let api = Rotating::new(Some(&path));
    let run = |first: &str| things(plan(&api.sim, &api.auth(first, &file_key(&path)), THINGS));
    for _ in 0..3 {
        assert_eq!(run("r-1").ids(), [0]);
    }
    // A new one in the configuration counts from then on.
    assert_eq!(run("other-1").ids(), [0]);
    assert_eq!(run("other-1").ids(), [0]);
    assert_eq!(api.used(), ["r-1", "r-2", "r-3", "other-1", "other-2"]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("other-3") && !text.contains("other-1"), "{text}");
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    #[cfg(unix)]
    for name in names {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name:?}");
    }
}

#[test]
fn runs_at_once_take_turns_with_the_refresh_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.token");
    let api = Rotating::new(None);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert_eq!(things(plan(&api.sim, &api.auth("r-1", &file_key(&path)), THINGS)).ids(), [0]);
            });
        }
    });
    assert_eq!(api.used(), ["r-1", "r-2", "r-3", "r-4"]);
}

#[test]
fn without_a_file_the_report_says_that_nothing_keeps_the_new_token() {
    let api = Rotating::new(None);
    let report = Bench::new().run(plan(&api.sim, &api.auth("r-1", ""), THINGS));
    let note = "things: the token endpoint gave a new refresh token, and nothing keeps it";
    assert_eq!(report.notes.iter().filter(|text| text.starts_with(note)).count(), 1, "{:?}", report.notes);
    let shown = serde_json::to_string(&report).unwrap();
    assert!(!shown.contains("r-2"), "{shown}");
}

#[test]
fn a_token_that_could_not_be_kept_is_not_asked_for() {
    let api = Rotating::new(None);
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("none").join("shop.token");
    let told = things(plan(&api.sim, &api.auth("r-1", &file_key(&nowhere)), THINGS));
    told.failed(ErrorKind::Config, "cannot be written");
    told.failed(ErrorKind::Config, "its folder must exist");
    let other = folder.path().join("notes.txt");
    std::fs::write(&other, "r-9 is the token").unwrap();
    let told = things(plan(&api.sim, &api.auth("r-1", &file_key(&other)), THINGS));
    told.failed(ErrorKind::Config, "holds something else");
    assert!(!told.error().chain().contains("r-9"));
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "r-9 is the token");
    assert!(api.used().is_empty());
}

#[test]
fn a_void_refresh_token_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.token");
    let api = Rotating::new(None);
    assert_eq!(things(plan(&api.sim, &api.auth("r-1", ""), THINGS)).ids(), [0]);
    std::fs::write(&path, "{\"made_from\": \"\", \"refresh_token\": \"r-2\"}").unwrap();
    let told = things(plan(&api.sim, &api.auth("r-1", &file_key(&path)), THINGS));
    told.failed(ErrorKind::Auth, "invalid_grant");
    told.failed(ErrorKind::Auth, "put it in the place of `refresh_token`");
}
