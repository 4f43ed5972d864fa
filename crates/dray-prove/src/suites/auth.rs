//! R9: tokens that end, are refused or cannot be had, with fifty tasks that all need one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dray_sim::{Api, Options, Request, Response, Sim};
use serde_json::{Value, json};

use crate::read::{Read, read};
use crate::suite::{Bench, Outcome, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R9",
    name: "tokens",
    criterion: "one refresh for each token that ended, no page lost, and a clear error where there is no token",
    dlt: "a token that ends early fails the run after 1 request; 8 parallel resources ask for 8 tokens",
    run,
};

/// Tasks side by side.
const TASKS: u64 = 50;
/// Pages of each of them.
const PAGES: u64 = 4;
/// Records of a page.
const RECORDS: u64 = 3;

/// A token endpoint and an API that believes it.
#[derive(Debug, Default)]
struct Tokens {
    /// Tokens asked for.
    asked: AtomicU64,
    /// Tokens given.
    given: AtomicU64,
    /// Requests that the API answered.
    served: AtomicU64,
    /// Requests with a token that does not count any more.
    refused: AtomicU64,
    /// The token that counts; 0: none does.
    valid: AtomicU64,
    /// The refresh token that counts, where they rotate.
    refresh: Mutex<String>,
}

/// How one case differs.
struct Case {
    name: &'static str,
    /// The token endpoint's answer to the `n`-th request; none: a token.
    endpoint: fn(u64) -> Option<Response>,
    /// The token's life, as it is written in the answer.
    life: Value,
    /// Which requests of the API end the token that they bring, by their number.
    revokes: fn(u64) -> bool,
    /// The `Date` of the answers.
    date: &'static str,
    latency: Duration,
    tasks: u64,
    pages: u64,
    grant: &'static str,
    expect: Expect,
}

/// What must come of it.
#[derive(Clone, Copy)]
enum Expect {
    /// Every page, with this many requests for a token.
    Complete { asked: u64 },
    /// Every page; the API refuses no request because of a token that ended by itself.
    Renewed,
    /// An error with this text, after this many requests for a token at the most.
    Fails { text: &'static str, asked: u64 },
}

impl Case {
    fn new(name: &'static str, expect: Expect) -> Self {
        Self {
            name,
            endpoint: |_| None,
            life: json!(3600),
            revokes: |_| false,
            date: "",
            latency: Duration::ZERO,
            tasks: TASKS,
            pages: PAGES,
            grant: "client_credentials",
            expect,
        }
    }
}

fn cases() -> Vec<Case> {
    let once = Expect::Complete { asked: 1 };
    vec![
        Case { latency: Duration::from_millis(20), ..Case::new("fifty tasks share one token", once) },
        Case {
            revokes: |number| number == 1,
            latency: Duration::from_millis(20),
            ..Case::new("refused from the start by all fifty", Expect::Complete { asked: 2 })
        },
        Case {
            revokes: |number| number == 100,
            ..Case::new("revoked in the middle of the run", Expect::Complete { asked: 2 })
        },
        Case {
            revokes: |number| number % 110 == 0 && number <= 330,
            pages: 2 * PAGES,
            ..Case::new("revoked three times", Expect::Complete { asked: 4 })
        },
        Case {
            revokes: |number| number % 110 == 0 && number <= 330,
            pages: 2 * PAGES,
            grant: "refresh_token",
            ..Case::new("revoked three times, refresh tokens rotate", Expect::Complete { asked: 4 })
        },
        Case {
            life: json!(1),
            latency: Duration::from_millis(30),
            tasks: 1,
            pages: 40,
            ..Case::new("ends while pages are read", Expect::Renewed)
        },
        Case { date: "Thu, 01 Jan 1970 01:00:00 GMT", ..Case::new("the server's clock is slow", once) },
        Case { date: "Fri, 31 Dec 2100 23:00:00 GMT", ..Case::new("the server's clock is fast", once) },
        Case { life: json!("3600"), ..Case::new("the life is a text", once) },
        Case { life: Value::Null, ..Case::new("no life is given", once) },
        Case { life: json!(1e19), ..Case::new("the life has no end", once) },
        Case { life: json!(-5), ..Case::new("the life is negative", once) },
        Case {
            endpoint: |number| (number == 1).then(|| Response::status(500)),
            ..Case::new("the endpoint answers 500 once", Expect::Complete { asked: 2 })
        },
        Case {
            endpoint: |number| (number == 1).then(|| Response::status(429).with_header("retry-after", "0")),
            ..Case::new("the endpoint answers 429 once", Expect::Complete { asked: 2 })
        },
        Case {
            endpoint: |_| Some(Response::status(500)),
            ..Case::new("the endpoint answers 500 always", Expect::Fails { text: "token endpoint", asked: 4 })
        },
        Case {
            endpoint: |_| Some(Response::json(&json!({"error": "invalid_code"}))),
            ..Case::new("an error inside a 200", Expect::Fails { text: "invalid_code", asked: 1 })
        },
        Case {
            endpoint: |_| Some(Response::status(400).with_json(&json!({"error": "invalid_client"}))),
            ..Case::new("the client is not known", Expect::Fails { text: "invalid_client", asked: 1 })
        },
        Case {
            endpoint: |_| Some(Response::status(200).with_body("<html>sign in</html>")),
            ..Case::new("a page for people", Expect::Fails { text: "not JSON", asked: 4 })
        },
        Case {
            endpoint: |_| Some(Response::json(&json!({"token_type": "bearer"}))),
            ..Case::new("an answer without a token", Expect::Fails { text: "no access token", asked: 1 })
        },
        Case {
            revokes: |_| true,
            ..Case::new("the API takes no token at all", Expect::Fails { text: "401", asked: 2 })
        },
        Case {
            endpoint: |number| {
                (number > 1).then(|| Response::status(400).with_json(&json!({"error": "invalid_grant"})))
            },
            revokes: |number| number == 100,
            grant: "refresh_token",
            ..Case::new("the refresh token is dead", Expect::Fails { text: "invalid_grant", asked: 2 })
        },
    ]
}

fn run(_: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let mut asked = 0;
    for case in cases() {
        let result = tried(&case).map(|tokens| asked += tokens);
        outcome.case(case.name, result);
    }
    // Nobody answers: those who wait for the token are told, and do not all try for themselves.
    outcome.case("nobody answers at the endpoint", nobody());
    outcome.figure("tasks side by side", TASKS);
    outcome.figure("requests for tokens, all cases", asked);
    outcome
}

fn config(origin: &str, token_url: &str, grant: &str, tasks: u64) -> String {
    let refresh = if grant == "refresh_token" { ", refresh_token: refresh-0000" } else { "" };
    let mut config = format!(
        "client:\n  base_url: \"{origin}/\"\n  concurrency: {tasks}\n  retry: {{max_retries: 3, backoff_factor: 0.01}}\n  \
         auth: {{type: oauth2_{grant}, access_token_url: \"{token_url}\", client_id: me, client_secret: s3cret-77{refresh}}}\n\
         resource_defaults: {{endpoint: {{data_selector: data, paginator: {{type: cursor, cursor_path: next, cursor_param: after}}}}}}\n\
         resources:\n"
    );
    for task in 0..tasks {
        config.push_str(&format!("  - {{name: r{task}, endpoint: {{path: r{task}}}}}\n"));
    }
    config
}

/// The requests for a token that a case took.
fn tried(case: &Case) -> Result<u64, String> {
    let tokens = Arc::new(Tokens { refresh: Mutex::new("refresh-0000".to_owned()), ..Tokens::default() });
    let own = Arc::clone(&tokens);
    let (endpoint, revokes, life, pages, date) =
        (case.endpoint, case.revokes, case.life.clone(), case.pages, case.date);
    let answer = move |request: &Request| {
        let answer = if request.path == "/token" {
            own.token(request, endpoint, &life)
        } else {
            own.page(request, revokes, pages)
        };
        if date.is_empty() { answer } else { answer.with_header("date", date) }
    };
    let options = Options { api: Api::custom(answer), latency: case.latency, ..Options::default() };
    let sim = Sim::start(options).map_err(|error| error.to_string())?;
    let token_url = format!("{}/token", sim.origin());
    let read = read(&config(sim.origin(), &token_url, case.grant, case.tasks), &[])?;
    tokens.judge(case, &read)
}

fn nobody() -> Result<(), String> {
    let sim = Sim::start(Options { api: Api::custom(|_| Response::status(500)), ..Options::default() });
    let sim = sim.map_err(|error| error.to_string())?;
    // A port where nobody listens: one that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let token_url = format!("http://{}/token", free.map_err(|error| error.to_string())?);
    let read = read(&config(sim.origin(), &token_url, "client_credentials", TASKS), &[])?;
    let told = read.errors.values().filter(|error| error.contains("could not be asked")).count();
    let first = read.errors.values().filter(|error| error.contains("cannot reach")).count();
    if read.errors.len() as u64 != TASKS || !sim.requests().is_empty() {
        return Err(format!("{} errors, {} requests", read.errors.len(), sim.requests().len()));
    }
    // Whoever waited is told what the one who asked found.
    if told == 0 || first == 0 {
        return Err(format!("{told} were told, {first} found out: {:?}", read.failure()));
    }
    Ok(())
}

impl Tokens {
    fn token(&self, request: &Request, endpoint: fn(u64) -> Option<Response>, life: &Value) -> Response {
        let number = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        if let Some(response) = endpoint(number) {
            return response;
        }
        let form = request.form();
        let mut refresh = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, brought)) = form.iter().find(|(name, _)| name == "refresh_token")
            && *brought != *refresh
        {
            return Response::status(400).with_json(&json!({"error": "invalid_grant"}));
        }
        let given = self.given.fetch_add(1, Ordering::AcqRel) + 1;
        self.valid.store(given, Ordering::Release);
        *refresh = format!("refresh-{given:04}");
        Response::json(
            &json!({"access_token": format!("token-{given}"), "expires_in": life, "refresh_token": *refresh}),
        )
    }

    fn page(&self, request: &Request, revokes: fn(u64) -> bool, pages: u64) -> Response {
        let number = self.served.fetch_add(1, Ordering::AcqRel) + 1;
        let brought = request.header("authorization").and_then(|value| value.strip_prefix("Bearer token-"));
        let brought: u64 = brought.and_then(|number| number.parse().ok()).unwrap_or(u64::MAX);
        if revokes(number) {
            self.valid.store(0, Ordering::Release);
        }
        if brought != self.valid.load(Ordering::Acquire) {
            self.refused.fetch_add(1, Ordering::AcqRel);
            return Response::status(401);
        }
        let page: u64 = request.param("after").and_then(|after| after.parse().ok()).unwrap_or_default();
        let records: Vec<Value> = (0..RECORDS).map(|at| json!({"id": page * RECORDS + at})).collect();
        let next = (page + 1 < pages).then(|| (page + 1).to_string());
        Response::json(&json!({"data": records, "next": next}))
    }

    fn judge(&self, case: &Case, read: &Read) -> Result<u64, String> {
        let asked = self.asked.load(Ordering::Acquire);
        let whole = case.tasks * case.pages * RECORDS;
        let complete = || match read.failure() {
            Some(error) => Err(format!("failed: {error}")),
            None if read.total() != whole => Err(format!("{} of {whole} records", read.total())),
            None => Ok(()),
        };
        match case.expect {
            Expect::Complete { asked: expected } => {
                complete()?;
                (asked == expected)
                    .then_some(asked)
                    .ok_or_else(|| format!("{asked} requests for a token, not {expected}"))
            }
            Expect::Renewed => {
                complete()?;
                let refused = self.refused.load(Ordering::Acquire);
                (asked > 1 && refused == 0)
                    .then_some(asked)
                    .ok_or_else(|| format!("{asked} requests for a token, {refused} pages refused"))
            }
            Expect::Fails { text, asked: most } => {
                let error = read.failure().ok_or("it did not fail")?;
                if !read.errors.values().any(|error| error.contains(text)) {
                    return Err(format!("it is not said why: {error}"));
                }
                (asked <= most)
                    .then_some(asked)
                    .ok_or_else(|| format!("{asked} requests for a token, at most {most}"))
            }
        }
    }
}
