//! One request to its usable answer: throttled, authenticated, retried, redirects followed by hand.

use std::sync::Arc;

use http::{StatusCode, header};
use url::Url;

use super::ahead::Ask;
use super::answers::{self, Candidates, Ruled, Ruling};
use super::auth::Authenticator;
use super::body::{self, Unreadable};
use super::client::{Answer, Attempt, Http};
use super::paginate::Token;
use super::paginate::storable::storable;
use super::refusal::Case;
use super::request::{Request, shown, without_user};
use super::retry::{Decision, Ended, decide, says_too_many};
use super::slots::Slot;
use super::stats::{ResourceStats, add};
use super::throttle::Throttle;
use crate::address::is_metadata_host;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Document;
use crate::plan::{AnswerAction, AnswerRule, Method, Plan};
use crate::secret::{Scrubber, Secret};

/// New tokens for one request: the second is for a token that ended while the request was under way again.
const MAX_RENEWALS: u32 = 2;
/// Bytes of a body that is no page which an error shows.
const SHOWN: usize = 200;
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
    Page {
        document: Document,
        headers: http::HeaderMap,
        url: Url,
        /// `response_actions` says that it ends the list.
        last: bool,
    },
    /// 204: nothing.
    Nothing,
    /// What `response_actions` says is no page.
    Ruled(Ruled),
}

/// An answer that stands, and what was decided on the way to it.
struct Came<'r> {
    answer: Answer,
    /// Of the token that it was asked with.
    generation: Option<u64>,
    /// The rule for a refusal.
    rule: Option<&'r AnswerRule>,
}

/// What the attempts at one page share.
struct Tries<'a> {
    auth: &'a Authenticator,
    stats: &'a ResourceStats,
    retries: u32,
    /// A rule had the token renewed.
    refreshed: bool,
}

fn refreshes(rule: Option<&AnswerRule>) -> bool {
    rule.is_some_and(|rule| rule.action == AnswerAction::RefreshAuth)
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
        ask: &Ask,
        auth: &Authenticator,
        stats: &ResourceStats,
    ) -> Result<Fetched> {
        let Ask { request, rules, format, silence } = ask;
        self.check_origin(&request.url)?;
        let mut tries = Tries { auth, stats, retries: 0, refreshed: false };
        let mut asked_again = false;
        loop {
            let mut url = request.url.clone();
            let sent = self.attempts(request, Some(auth), rules, Some(stats), &mut tries.retries, &mut url);
            let Came { answer, generation, rule } = sent.await?;
            let good = answer.status.is_success();
            if !good && rule.is_none() {
                return Err(self.refusal(&answer, &url, tries.retries));
            }
            let candidates = if good { Candidates::of(rules, &answer) } else { Candidates::default() };
            let begins = (!good).then(|| self.begins(&answer.body));
            let Answer { status, headers, body } = answer;
            let silent = matches!(status.as_u16(), 204 | 205);
            let read = (!silent).then(|| body::read(body, &headers, format, &self.plan.client.limits));
            let document = read.as_ref().and_then(|read| read.as_ref().ok());
            let rule = rule.or_else(|| candidates.judge(document));
            if let Some(generation) = generation.filter(|_| good && !refreshes(rule)) {
                auth.accepted(generation);
            }
            // The last page of a list may hold records.
            let last =
                good && document.is_some() && rule.is_some_and(|rule| rule.action == AnswerAction::End);
            if let Some(rule) = rule.filter(|_| !last) {
                let case = Case { status, url: &url, retries: tries.retries, begins, document };
                match self.follow(rule, &case, &headers, generation, &mut tries).await? {
                    Some(ruling) => return Ok(Fetched::Ruled(Ruled { status, ruling })),
                    None => continue,
                }
            }
            let (error, again) = match read {
                None => {
                    if asked_again || *silence == Silence::Believed {
                        return Ok(Fetched::Nothing);
                    }
                    asked_again = *silence == Silence::AskedAgain;
                    let error = Error::new(ErrorKind::Response, "the API has nothing where it announced a page")
                        .hint("if that is how its pages end, tell how else: `has_more_path`, `total_path`, `stop_after_empty_page`");
                    (error, true)
                }
                Some(Ok(document)) => return Ok(Fetched::Page { document, headers, url, last }),
                Some(Err(Unreadable { error, begins, again })) => {
                    (self.beginning_with(error, &begins), again)
                }
            };
            let attempt = tries.retries + 1;
            let error =
                error.with("url", shown(&url)).with("status", status.as_u16()).with("attempt", attempt);
            if !again {
                return Err(error);
            }
            let waited = self.wait(Ended::Broken, &mut tries.retries, Some(stats), &error).await;
            if waited.is_none() {
                // It was to be asked again, and no attempt is left for it.
                return if silent && asked_again { Ok(Fetched::Nothing) } else { Err(error) };
            }
        }
    }

    /// Does what a rule says: what the answer means, or none where the request is to be sent again.
    async fn follow(
        &self,
        rule: &AnswerRule,
        case: &Case<'_>,
        headers: &http::HeaderMap,
        generation: Option<u64>,
        tries: &mut Tries<'_>,
    ) -> Result<Option<Ruling>> {
        match &rule.action {
            AnswerAction::Ignore => Ok(Some(Ruling::Ignored)),
            AnswerAction::End => Ok(Some(Ruling::Ended)),
            AnswerAction::Skip { reason } => {
                let reason = reason.clone().unwrap_or_else(|| format!("status {}", case.status.as_u16()));
                Ok(Some(Ruling::Skipped(reason)))
            }
            AnswerAction::Retry { delay } => {
                let error =
                    self.ruled(case, "the API gives again what `response_actions` says to retry", None);
                let ended = Ended::Ruled(*delay, case.status, headers);
                match self.wait(ended, &mut tries.retries, Some(tries.stats), &error).await {
                    Some(()) => Ok(None),
                    None => Err(error.hint("raise `client.retry.max_retries`, or the action's `delay`")),
                }
            }
            AnswerAction::RefreshAuth => {
                let renewed = match generation.filter(|_| !tries.refreshed) {
                    Some(generation) => tries.auth.renew(generation).await,
                    None => false,
                };
                tries.refreshed = true;
                if renewed {
                    add(&tries.stats.retries, 1);
                    return Ok(None);
                }
                let (message, hint) = match generation {
                    Some(_) => ("the API refuses a new token too", "check what the credentials may read"),
                    None => (
                        "`response_actions` says `refresh_auth`, but these credentials are not renewed",
                        "use an `auth` whose token is fetched, such as `oauth2_refresh_token`, or `action: fail`",
                    ),
                };
                Err(self.ruled(case, message, None).hint(hint))
            }
            AnswerAction::Fail { message, words } => {
                let message =
                    message.as_deref().unwrap_or("the API's answer is one that `response_actions` refuses");
                Err(self.ruled(case, message, words.as_ref()))
            }
        }
    }

    /// Adds how a body begins, without credentials that it repeats.
    fn beginning_with(&self, error: Error, begins: &str) -> Error {
        let clear = self.scrubbed(begins);
        let shown = clear.get(..clear.floor_char_boundary(SHOWN)).unwrap_or_default();
        let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() { error } else { error.with("begins", line) }
    }

    /// Sends a request, without looking into its answer.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        auth: Option<&Authenticator>,
        stats: Option<&ResourceStats>,
    ) -> Result<Answer> {
        let url = &mut request.url.clone();
        let came = Box::pin(self.attempts(request, auth, &[], stats, &mut 0, url)).await?;
        Ok(came.answer)
    }

    /// Attempts until an answer stands. Of `rules` only those for refusals are looked at.
    async fn attempts<'r>(
        &self,
        request: &Request,
        auth: Option<&Authenticator>,
        rules: &'r [AnswerRule],
        stats: Option<&ResourceStats>,
        retries: &mut u32,
        url: &mut Url,
    ) -> Result<Came<'r>> {
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
            let generation = credentials.generation;
            if answer.status.is_success() {
                return Ok(Came { answer, generation, rule: None });
            }
            let rule = answers::of_refusal(rules, &answer, &self.plan.client.limits);
            // What an answer means counts only once it stands: another attempt may bring the page.
            let meaning = rule.is_none_or(|rule| {
                matches!(rule.action, AnswerAction::Ignore | AnswerAction::Skip { .. } | AnswerAction::End)
            });
            let stands = !meaning || {
                let ended = Ended::Status(answer.status, &answer.headers);
                let refused = self.refusal(&answer, url, *retries);
                self.wait(ended, retries, stats, &refused).await.is_none()
            };
            if stands {
                return Ok(Came { answer, generation, rule });
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
        if let Ended::Status(StatusCode::TOO_MANY_REQUESTS, _)
        | Ended::Ruled(_, StatusCode::TOO_MANY_REQUESTS, _) = ended
        {
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
}
