//! OAuth 2 tokens: client credentials and refresh token (RFC 6749 §4.4, §6).
//!
//! One token for all workers: the lock is held while it is fetched, so the endpoint is asked once, and who waited for a
//! token that did not come is told so without asking again. It is renewed before it ends (a tenth of its life, 30 seconds
//! at the least), and once when the API refuses it. It is kept in memory only.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderValue, header};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::extract::request::Request;
use crate::extract::session::Session;
use crate::json::{Document, NodeId};
use crate::plan::{Method, OAuth2Plan};
use crate::secret::Secret;

/// Longest life of a token that is believed; nobody runs for a year, and clocks have an end.
const LONGEST_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Debug)]
pub(in crate::extract) struct OAuth2 {
    plan: OAuth2Plan,
    state: Mutex<State>,
    /// How often the endpoint was asked, to be read before the lock is taken.
    asked: AtomicU64,
    /// The newest token that the API took.
    accepted: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// Counts the tokens fetched.
    generation: u64,
    token: Option<Token>,
    /// The newest refresh token, where the endpoint rotates it.
    refresh_token: Option<Secret>,
    /// What the endpoint said when it refused: it is not asked again in this run, some allow few attempts.
    refused: Option<String>,
    /// Why the last token could not be had; those who waited for it are told the same.
    missed: Option<String>,
    /// The token took the place of one that the API refused.
    replaces_refused: bool,
}

#[derive(Debug)]
struct Token {
    value: Secret,
    renew_at: Instant,
}

impl OAuth2 {
    pub(super) fn new(plan: OAuth2Plan) -> Self {
        let refresh_token = plan.refresh_token.clone();
        let state = State {
            generation: 0,
            token: None,
            refresh_token,
            refused: None,
            missed: None,
            replaces_refused: false,
        };
        Self { plan, state: Mutex::new(state), asked: AtomicU64::new(0), accepted: AtomicU64::new(0) }
    }

    /// The value of the `Authorization` header, and the token's generation.
    pub(super) async fn token(&self, session: &Session) -> Result<(String, u64)> {
        let before = self.asked.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let now = session.env.instant();
        if state.token.as_ref().is_none_or(|token| token.renew_at <= now) {
            if let Some(said) = &state.refused {
                let error = Error::new(ErrorKind::Auth, "there is no token: the endpoint refused one before");
                return Err(error.with("body", said));
            }
            if let Some(why) = state.missed.as_ref().filter(|_| self.asked.load(Ordering::Acquire) > before) {
                let error =
                    Error::new(ErrorKind::Request, "there is no token: the endpoint could not be asked");
                return Err(error.with("body", why));
            }
            let fetched = self.fetch(session, state.refresh_token.as_ref()).await;
            self.asked.fetch_add(1, Ordering::AcqRel);
            state.missed = fetched.as_ref().err().map(Error::chain);
            if let Err(error) = &fetched
                && error.kind() == ErrorKind::Auth
            {
                state.refused = Some(error.to_string());
            }
            let (token, rotated) = fetched?;
            state.token = Some(token);
            state.generation += 1;
            if rotated.is_some() {
                state.refresh_token = rotated;
            }
        }
        let value = state.token.as_ref().map(|token| token.value.expose()).unwrap_or_default();
        Ok((format!("{} {value}", self.plan.scheme), state.generation))
    }

    /// The API took the token of this generation.
    pub(super) fn accepted(&self, generation: u64) {
        self.accepted.fetch_max(generation, Ordering::AcqRel);
    }

    /// Drops the token of this generation; a newer one stays. False where a new one would not help: the last one was new
    /// too, and the API has not taken it once.
    pub(super) async fn forget(&self, generation: u64) -> bool {
        let mut state = self.state.lock().await;
        if state.generation != generation || state.token.is_none() {
            return true;
        }
        if state.replaces_refused && self.accepted.load(Ordering::Acquire) < generation {
            return false;
        }
        state.token = None;
        state.replaces_refused = true;
        true
    }

    /// The form that asks for a token.
    fn form(&self, refresh_token: Option<&Secret>) -> Vec<u8> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", self.plan.client_id.expose());
        form.append_pair("client_secret", self.plan.client_secret.expose());
        match refresh_token {
            Some(token) => {
                form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token.expose());
            }
            None => {
                form.append_pair("grant_type", "client_credentials");
            }
        }
        for (name, value) in &self.plan.extra {
            form.append_pair(name, value.expose());
        }
        form.finish().into_bytes()
    }

    async fn fetch(
        &self,
        session: &Session,
        refresh_token: Option<&Secret>,
    ) -> Result<(Token, Option<Secret>)> {
        let request = Request {
            method: Method::Post,
            url: self.plan.token_url.clone(),
            headers: vec![
                (header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
                (header::ACCEPT, HeaderValue::from_static("application/json")),
            ],
            body: Some(self.form(refresh_token)),
            line: 0,
        };
        let asked = session.env.instant();
        let answer = session.exchange(&request, None, None).await?;
        let status = answer.status;
        let refused = |message: &str| Error::new(ErrorKind::Auth, message).with("status", status.as_u16());
        let document = Document::parse(answer.body)
            .map_err(|error| refused("the token endpoint's answer is not JSON").caused_by(error))?;
        let root = document.root();
        let text = |key: &str| document.get(root, key).and_then(|id: NodeId| document.scalar(id));
        // Zoho answers errors with 200 (apis.md §3.3).
        if let Some(error) = text("error") {
            let detail = text("error_description").unwrap_or_default();
            return Err(refused("the token endpoint refuses").with("body", session.scrubbed(format!("{error} {detail}").trim_end()))
                .hint("check client id, client secret and refresh token, and that they belong to this token URL"));
        }
        if !status.is_success() {
            return Err(refused("the token endpoint refuses"));
        }
        let Some(value) = text("access_token").filter(|token| !token.is_empty()) else {
            return Err(refused("the token endpoint's answer has no access token"));
        };
        let life = text("expires_in")
            .and_then(|text| text.parse::<f64>().ok())
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .unwrap_or(self.plan.default_expiry)
            .min(LONGEST_LIFE);
        let margin = (life / 10).max(Duration::from_secs(30)).min(life / 2);
        let rotated = text("refresh_token").map(|token| Secret::new(token.into_owned()));
        let value = Secret::new(value.into_owned());
        for secret in rotated.iter().chain([&value]) {
            session.keep_secret(secret);
        }
        Ok((Token { value, renew_at: asked + life - margin }, rotated))
    }
}
