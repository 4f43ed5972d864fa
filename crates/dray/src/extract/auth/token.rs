//! Tokens that are fetched: OAuth 2 (RFC 6749 §4.3, §4.4, §6) and logins.
//!
//! One token for all workers: the lock is held while it is fetched, so the endpoint is asked once, and who waited for a
//! token that did not come is told so without asking again. It is renewed before it ends (a tenth of its life, 30 seconds
//! at the least), and once when the API refuses it. It is kept in memory only; of a refresh token that the endpoint
//! changes, a file may keep the newest (`kept`).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::ask;
use super::kept::Kept;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::session::Session;
use crate::plan::{RefreshToken, TokenPlan, TokenSent};
use crate::secret::Secret;

/// Tokens in so much time, at the most: an API that refuses every token must not have its token endpoint asked for ever.
const MOST_TOKENS: usize = 100;
const IN_TIME: Duration = Duration::from_secs(600);

/// What nobody would notice before the next run.
const UNKEPT: &str = "the token endpoint gave a new refresh token, and nothing keeps it: if the old one is void now, \
                      the next run cannot begin. Give the `auth` a `refresh_token_file`";

#[derive(Debug)]
pub(super) struct Tokens {
    plan: TokenPlan,
    state: Mutex<State>,
    /// How often the endpoint was asked, to be read before the lock is taken.
    asked: AtomicU64,
    /// The newest token that the API took.
    accepted: AtomicU64,
    /// A new refresh token came that nothing keeps, and the report has not said so yet.
    unkept: AtomicBool,
}

#[derive(Debug)]
struct State {
    /// Counts the tokens fetched.
    generation: u64,
    token: Option<Token>,
    /// The newest refresh token, where the endpoint changes it.
    refresh: Option<Secret>,
    /// When the last tokens were fetched.
    fetched: VecDeque<Instant>,
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

impl Tokens {
    pub(super) fn new(plan: TokenPlan) -> Self {
        let state = State {
            generation: 0,
            token: None,
            refresh: plan.refresh.as_ref().map(|refresh| refresh.first.clone()),
            fetched: VecDeque::new(),
            refused: None,
            missed: None,
            replaces_refused: false,
        };
        Self {
            plan,
            state: Mutex::new(state),
            asked: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            unkept: AtomicBool::new(false),
        }
    }

    /// How the token is sent.
    pub(super) fn sent(&self) -> &TokenSent {
        &self.plan.sent
    }

    /// What the report has to say, once.
    pub(super) fn remark(&self) -> Option<&'static str> {
        self.unkept.swap(false, Ordering::AcqRel).then_some(UNKEPT)
    }

    /// The token and its generation.
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
            state.count(now)?;
            let fetched = self.fetch(session, &mut state.refresh).await;
            self.asked.fetch_add(1, Ordering::AcqRel);
            state.missed = fetched.as_ref().err().map(Error::chain);
            if let Err(error) = &fetched
                && error.kind() == ErrorKind::Auth
            {
                state.refused = Some(error.to_string());
            }
            state.token = Some(fetched?);
            state.generation += 1;
        }
        let value = state.token.as_ref().map(|token| token.value.expose()).unwrap_or_default();
        Ok((value.to_owned(), state.generation))
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

    /// Asks for a token. A new refresh token is kept before the token that came with it is used.
    async fn fetch(&self, session: &Session, refresh: &mut Option<Secret>) -> Result<Token> {
        let file = match &self.plan.refresh {
            Some(RefreshToken { first, file: Some(file) }) => {
                let kept = Kept::lock(file, first, session).await?;
                if let Some(newest) = kept.newest()? {
                    session.keep_secret(&newest);
                    *refresh = Some(newest);
                }
                Some(kept)
            }
            _ => None,
        };
        let request = ask::request(&self.plan, refresh.as_ref())?;
        let asked = session.env.instant();
        let answer = session.exchange(&request, None, None).await?;
        let given = ask::given(&self.plan, answer, session).map_err(|error| match &file {
            Some(kept) => kept.explain(error),
            None => error,
        })?;
        if let Some(new) = given.refresh.filter(|new| refresh.as_ref() != Some(new)) {
            match file {
                Some(kept) => kept.keep(&new)?,
                None => {
                    tracing::warn!("{UNKEPT}");
                    self.unkept.store(true, Ordering::Release);
                }
            }
            *refresh = Some(new);
        }
        let margin = (given.life / 10).max(Duration::from_secs(30)).min(given.life / 2);
        Ok(Token { value: given.token, renew_at: asked + given.life - margin })
    }
}

impl State {
    /// Counts a token that is going to be asked for.
    fn count(&mut self, now: Instant) -> Result<()> {
        while self.fetched.front().is_some_and(|first| now.duration_since(*first) >= IN_TIME) {
            self.fetched.pop_front();
        }
        if self.fetched.len() >= MOST_TOKENS {
            let message = format!("{MOST_TOKENS} tokens in ten minutes, and the API wants another one");
            return Err(Error::new(ErrorKind::Auth, message).hint(
                "the API refuses tokens that it gave, or says that they end at once: check what they may read",
            ));
        }
        self.fetched.push_back(now);
        Ok(())
    }
}
