//! One request to its usable answer: throttled, authenticated, retried, redirects followed by hand.

use std::sync::Arc;

use http::{StatusCode, header};
use url::Url;

use super::auth::Authenticator;
use super::body::{self, Unreadable};
use super::client::{Answer, Attempt, Http};
use super::paginate::Token;
use super::paginate::storable::storable;
use super::request::{Request, shown, without_user};
use super::retry::{Decision, Ended, decide, longer_wait, says_too_many};
use super::slots::Slot;
use super::stats::{ResourceStats, add};
use super::throttle::Throttle;
use crate::address::is_metadata_host;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Document;
use crate::plan::{IgnoreRule, Method, Plan};
use crate::secret::{Scrubber, Secret};

/// New tokens for one request: the second is for a token that ended while the request was under way again.
const MAX_RENEWALS: u32 = 2;
/// Bytes of a refusal's body that an error shows.
const SHOWN_BODY: usize = 2048;
/// Bytes of it that are searched for secrets before it is cut: a half secret would not be found.
const SEARCHED_BODY: usize = 64 << 10;

/// What all requests of a run share.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) plan: Arc<Plan>,
    pub(super) env: Arc<Env>,
    http: Http,
    throttle: Throttle,
    scrubber: Scrubber,
}

/// What 204 means in the place of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// There are no records.
    Believed,
    /// There are none if the API says so twice.
    AskedAgain,
    /// The API announced this page: something is wrong.
    Refused,
}

/// A page that came, or the reason why there is none.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "moved once a page")]
pub(super) enum Fetched {
    /// The body, and where it came from.
    Page { document: Document, headers: http::HeaderMap, url: Url },
    /// 204: nothing.
    Nothing,
    /// An answer of this status that `response_actions` says to ignore.
    Ignored(StatusCode),
}

impl Session {
    pub(super) fn new(plan: Arc<Plan>, env: Arc<Env>) -> Result<Self> {
        let http = Http::new(&plan)?;
        let throttle = Throttle::new(&plan.client, Arc::clone(&env));
        let scrubber = env.scrubber().clone();
        plan.secrets().iter().for_each(|secret| scrubber.add(secret));
        Ok(Self { plan, env, http, throttle, scrubber })
    }

    /// Keeps a credential that came during the run out of messages.
    pub(super) fn keep_secret(&self, secret: &Secret) {
        self.scrubber.add(secret);
    }

    /// A text of the API without credentials that it repeats.
    pub(super) fn scrubbed(&self, text: &str) -> String {
        self.scrubber.scrub(text).into_owned()
    }

    /// A page token as it may be kept between runs; none where a secret is in it.
    pub(super) fn storable(&self, token: &Token, auth: &Authenticator) -> Option<Token> {
        storable(token, auth.signed_by(), &self.scrubber)
    }

    /// Asks for a page until there is one, or no attempt is left.
    pub(super) async fn fetch(
        &self,
        request: &Request,
        auth: &Authenticator,
        ignore: &[IgnoreRule],
        silence: Silence,
        stats: &ResourceStats,
    ) -> Result<Fetched> {
        self.check_origin(&request.url)?;
        let mut retries = 0;
        let mut asked_again = false;
        loop {
            let mut url = request.url.clone();
            let answer = self.attempts(request, Some(auth), Some(stats), &mut retries, &mut url).await?;
            if ignored(&answer, ignore) {
                return Ok(Fetched::Ignored(answer.status));
            }
            if !answer.status.is_success() {
                return Err(self.refusal(&answer, &url, retries));
            }
            let status = answer.status.as_u16();
            let silent = matches!(status, 204 | 205);
            let (error, again) = if silent {
                if asked_again || silence == Silence::Believed {
                    return Ok(Fetched::Nothing);
                }
                asked_again = silence == Silence::AskedAgain;
                let error = Error::new(ErrorKind::Response, "the API has nothing where it announced a page")
                    .hint("if that is how its pages end, tell how else: `has_more_path`, `total_path`, `stop_after_empty_page`");
                (error, true)
            } else {
                match body::read(answer.body, &answer.headers, &self.plan.client.limits.json) {
                    Ok(document) => return Ok(Fetched::Page { document, headers: answer.headers, url }),
                    Err(Unreadable { error, begins, again }) => (self.beginning_with(error, &begins), again),
                }
            };
            let error = error.with("url", shown(&url)).with("status", status).with("attempt", retries + 1);
            if !again {
                return Err(error);
            }
            let last = self.wait(Ended::Broken, &mut retries, Some(stats), &error).await;
            if last.is_none() {
                // It was to be asked again, and no attempt is left for it.
                return if silent && asked_again { Ok(Fetched::Nothing) } else { Err(error) };
            }
        }
    }

    /// Adds how a body begins, without credentials that it repeats.
    fn beginning_with(&self, error: Error, begins: &str) -> Error {
        let line = self.scrubbed(begins).split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() { error } else { error.with("begins", line) }
    }

    /// Sends a request, without looking into its answer.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        auth: Option<&Authenticator>,
        stats: Option<&ResourceStats>,
    ) -> Result<Answer> {
        Box::pin(self.attempts(request, auth, stats, &mut 0, &mut request.url.clone())).await
    }

    /// Attempts until an answer stands.
    async fn attempts(
        &self,
        request: &Request,
        auth: Option<&Authenticator>,
        stats: Option<&ResourceStats>,
        retries: &mut u32,
        url: &mut Url,
    ) -> Result<Answer> {
        let (mut redirects, mut renewed, mut method) = (0, 0, request.method);
        loop {
            let credentials = match auth {
                Some(auth) => {
                    let credentials = auth.credentials(self).await?;
                    if let (Some(stats), Some(remark)) = (stats, auth.remark()) {
                        stats.remark(remark);
                    }
                    credentials
                }
                None => Default::default(),
            };
            let mut signed = url.clone();
            credentials.sign(&mut signed);
            let mut headers = credentials.headers.clone();
            headers.extend(
                request
                    .headers
                    .iter()
                    .filter(|(name, _)| !headers.iter().any(|(own, _)| own == name))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            let slot = self.throttle.enter(url.path(), request.line).await?;
            if let Some(stats) = stats {
                add(&stats.requests, 1);
            }
            let body = request.body.as_deref().filter(|_| method == request.method);
            let sent = self.http.send(Attempt { method, url: signed, headers: &headers, body }).await;
            if let Ok(answer) = &sent {
                self.learn(&slot, answer);
            }
            drop(slot);
            let answer = match sent {
                Ok(answer) => answer,
                Err(error) if error.kind() == ErrorKind::Request => {
                    let error = error.with("attempt", *retries + 1);
                    self.wait(Ended::Broken, retries, stats, &error).await.ok_or(error)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            tracing::debug!(
                url = shown(url),
                status = answer.status.as_u16(),
                bytes = answer.body.len(),
                "answer"
            );
            if answer.status.is_redirection()
                && let Some(target) = answer.headers.get(header::LOCATION)
            {
                redirects += 1;
                let target = target.to_str().ok().and_then(|target| url.join(target).ok());
                *url = self.redirected(url, target, redirects, auth.is_some())?;
                if answer.status == StatusCode::SEE_OTHER
                    || (method == Method::Post && answer.status.as_u16() < 303)
                {
                    method = Method::Get;
                }
                continue;
            }
            if answer.status == StatusCode::UNAUTHORIZED
                && renewed < MAX_RENEWALS
                && let (Some(auth), Some(generation)) = (auth, credentials.generation)
            {
                // The token may have ended before its time.
                renewed += 1;
                if auth.renew(generation).await {
                    if let Some(stats) = stats {
                        add(&stats.retries, 1);
                    }
                    continue;
                }
            }
            if answer.status.is_success() {
                if let (Some(auth), Some(generation)) = (auth, credentials.generation) {
                    auth.accepted(generation);
                }
                return Ok(answer);
            }
            let ended = Ended::Status(answer.status, &answer.headers);
            let refused = self.refusal(&answer, url, *retries);
            if self.wait(ended, retries, stats, &refused).await.is_none() {
                return Ok(answer);
            }
        }
    }

    /// What an answer says of how many requests there may be at once.
    fn learn(&self, slot: &Slot, answer: &Answer) {
        if !says_too_many(answer.status, &answer.headers, self.env.now()) {
            slot.went_well();
        } else if let Some(left) = slot.too_many() {
            tracing::info!(
                status = answer.status.as_u16(),
                at_once = left,
                ceiling = self.plan.client.concurrency,
                "the API asks for fewer requests: they grow by one with every round that goes well"
            );
        }
    }

    /// Waits before the next attempt; none where there is no next attempt.
    async fn wait(
        &self,
        ended: Ended<'_>,
        retries: &mut u32,
        stats: Option<&ResourceStats>,
        why: &Error,
    ) -> Option<()> {
        let (wait, exact) = match decide(&self.plan.client.retry, *retries, ended, self.env.now()) {
            Decision::Stands => return None,
            Decision::TooLong { wait } => {
                tracing::warn!(?wait, "the API asks for a longer wait than `client.retry.max_wait` allows");
                return None;
            }
            Decision::Retry { wait, exact } => (wait, exact),
        };
        *retries += 1;
        if let Some(stats) = stats {
            add(&stats.retries, 1);
        }
        let wait = self.env.jitter(wait);
        tracing::warn!(
            retry = *retries,
            ?wait,
            named_by_server = exact,
            reason = why.chain(),
            "trying again"
        );
        if matches!(ended, Ended::Status(StatusCode::TOO_MANY_REQUESTS, _)) {
            // The limit is the client's, not this worker's.
            self.throttle.pause(wait);
        }
        tokio::time::sleep_until(self.env.instant() + wait).await;
        Some(())
    }

    /// Where a redirect leads. A token request (not `of_api`) carries the client's secret in its body and stays with its
    /// own origin.
    fn redirected(&self, from: &Url, target: Option<Url>, redirects: u32, of_api: bool) -> Result<Url> {
        let wrong = |message: &str| Error::new(ErrorKind::Request, message).with("url", shown(from));
        let mut target = target.ok_or_else(|| wrong("the API redirects to something that is no URL"))?;
        if redirects > self.plan.client.limits.redirects {
            return Err(wrong("the API redirects in circles").with("limit", "client.limits.redirects"));
        }
        if target.origin() != from.origin() {
            if !of_api {
                return Err(wrong("the token endpoint redirects to another origin"));
            }
            if from.scheme() == "https" && target.scheme() != "https" {
                return Err(wrong("the API redirects from https to http: credentials would travel in clear"));
            }
            self.check_origin(&target)?;
        }
        if of_api {
            target = without_user(target);
        }
        Ok(target)
    }

    /// Credentials go to the base URL's origin and to those that the configuration allows, nowhere else.
    pub(super) fn check_origin(&self, url: &Url) -> Result<()> {
        let base = &self.plan.client.base_url;
        let origin = url.origin();
        if origin == base.origin() {
            return Ok(());
        }
        let other = origin.ascii_serialization();
        let wrong = |message: &str| Error::new(ErrorKind::Request, message).with("url", &other);
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("the API leads to something that is neither http nor https"));
        }
        if is_metadata_host(url) {
            return Err(wrong(
                "the API leads to an address of this machine's own network, which no API may lead to",
            )
            .hint("`client.allowed_origins` cannot allow it: if it is meant, it is the `client.base_url`"));
        }
        if base.scheme() == "https" && url.scheme() == "http" {
            return Err(wrong("the API leads from https to http: credentials would travel in clear")
                .hint("`client.allowed_origins` cannot allow it: ask the API's owner for https links"));
        }
        if self.plan.client.allowed_origins.contains(&origin) {
            return Ok(());
        }
        Err(wrong("the API leads to another origin, which must not get the credentials")
            .hint(format!("add `{other}` to `client.allowed_origins` if it belongs to the API")))
    }

    /// A refusal as an error: status, attempts, and the beginning of what the API says.
    pub(super) fn refusal(&self, answer: &Answer, url: &Url, retries: u32) -> Error {
        let status = answer.status;
        let kind = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorKind::Auth,
            _ => ErrorKind::Request,
        };
        let end = answer.body.len().min(SEARCHED_BODY);
        let body = String::from_utf8_lossy(answer.body.get(..end).unwrap_or_default());
        // An API may repeat what it was asked, keys included.
        let body = self.scrubbed(&body);
        let body = body.get(..body.floor_char_boundary(SHOWN_BODY)).unwrap_or_default();
        let line = body.split_whitespace().collect::<Vec<_>>().join(" ");
        let message = if status.is_server_error() { "the API cannot answer" } else { "the API refuses" };
        let error = Error::new(kind, message).with("status", status.as_u16()).with("url", shown(url));
        let error = if retries > 0 { error.with("attempt", retries + 1) } else { error };
        let error = if line.is_empty() { error } else { error.with("body", line) };
        if let Some(wait) = longer_wait(&self.plan.client.retry, status, &answer.headers, self.env.now()) {
            let asked = format!("{} s", wait.as_secs());
            return error
                .hint(format!("the API asks to wait {asked}: try later, or raise `client.retry.max_wait`"));
        }
        match status {
            StatusCode::UNAUTHORIZED => error.hint("check the credentials: the API does not know them"),
            StatusCode::FORBIDDEN => {
                error.hint("the credentials are known but may not read this: check their permissions")
            }
            StatusCode::NOT_FOUND => error.hint("check `client.base_url` and the resource's path"),
            StatusCode::TOO_MANY_REQUESTS => error.hint(
                "lower `client.rate_limit` or `client.concurrency`, or raise `client.retry.max_retries`",
            ),
            _ => error,
        }
    }
}

fn ignored(answer: &Answer, rules: &[IgnoreRule]) -> bool {
    rules.iter().any(|rule| {
        let status = rule.status.is_none_or(|status| status == answer.status.as_u16());
        let content = rule
            .content
            .as_deref()
            .is_none_or(|content| String::from_utf8_lossy(&answer.body).contains(content));
        status && content && (rule.status.is_some() || rule.content.is_some())
    })
}
