//! Zoho's token endpoint: errors come with status 200, and only ten tokens in ten minutes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::message::{Request, Response};

pub(super) const CLIENT_ID: &str = "1000.SIMCLIENT";
pub(super) const CLIENT_SECRET: &str = "sim-zoho-secret-4242";
pub(super) const REFRESH_TOKEN: &str = "1000.sim-zoho-refresh-4242";

const ISSUE_LIMIT: usize = 10;
const ISSUE_SPAN: Duration = Duration::from_secs(600);

pub(super) struct Tokens {
    lifetime: Duration,
    /// Requests that one token serves.
    uses: Option<u64>,
    api_domain: String,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    count: u64,
    times: VecDeque<Instant>,
    live: HashMap<String, Token>,
}

struct Token {
    since: Instant,
    used: u64,
}

impl Tokens {
    pub(super) fn new(lifetime: Duration, uses: Option<u64>, origin: &str) -> Self {
        Self { lifetime, uses, api_domain: origin.to_owned(), issued: Mutex::default() }
    }

    /// Answers a request to the token endpoint; its parameters may be in the body or in the query.
    pub(super) fn issue(&self, request: &Request) -> Response {
        if request.method != "POST" {
            return Response::json(&json!({"error": "invalid_request"})).with_status(405);
        }
        let form = request.form();
        let given = |name: &str| {
            let all = form.iter().chain(&request.query);
            all.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
        };
        let refusal = if given("grant_type") != Some("refresh_token") {
            Some("unsupported_grant_type")
        } else if given("client_id") != Some(CLIENT_ID) {
            Some("invalid_client")
        } else if given("client_secret") != Some(CLIENT_SECRET) {
            Some("invalid_client_secret")
        } else if given("refresh_token") != Some(REFRESH_TOKEN) {
            Some("invalid_code")
        } else {
            None
        };
        if let Some(error) = refusal {
            return Response::json(&json!({"error": error}));
        }

        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        while issued.times.front().is_some_and(|at| request.at.duration_since(*at) >= ISSUE_SPAN) {
            issued.times.pop_front();
        }
        if issued.times.len() >= ISSUE_LIMIT {
            let description =
                "You have made too many requests continuously. Please try again after some time.";
            return Response::json(
                &json!({"error": "Access Denied", "error_description": description, "status": "failure"}),
            );
        }
        issued.times.push_back(request.at);
        issued.count += 1;
        let token = format!("1000.sim-access-{:04}", issued.count);
        issued.live.insert(token.clone(), Token { since: request.at, used: 0 });
        Response::json(&json!({
            "access_token": token,
            "api_domain": self.api_domain,
            "token_type": "Bearer",
            "expires_in": self.lifetime.as_secs(),
        }))
    }

    /// Whether a token is still good for one request more; counts the request.
    pub(super) fn accept(&self, token: &str, now: Instant) -> bool {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(token) = issued.live.get_mut(token) else { return false };
        let fresh = now.duration_since(token.since) < self.lifetime;
        let unused = self.uses.is_none_or(|uses| token.used < uses);
        token.used += 1;
        fresh && unused
    }

    pub(super) fn forget(&self) {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner).live.clear();
    }
}
