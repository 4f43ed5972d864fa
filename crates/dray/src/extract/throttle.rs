//! How many requests are under way, how many start in a period, and the pause that a 429 asks of everybody.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::slots::{Slot, Slots};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{ClientPlan, RateLimit};

/// Lets requests through, one client's together.
#[derive(Debug)]
pub(super) struct Throttle {
    slots: Arc<Slots>,
    env: Arc<Env>,
    /// Requests that may still start.
    left: Option<AtomicU64>,
    /// The path of the base URL, without the slash at its end.
    base: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Nobody starts before this instant.
    paused_until: Option<Instant>,
    windows: Vec<Window>,
}

/// One path, written in two ways.
type Spellings<'p> = [&'p str; 2];

/// A limit, and when its last requests started: at most `requests` in any period of that length.
#[derive(Debug)]
struct Window {
    limit: RateLimit,
    started: VecDeque<Instant>,
}

impl Throttle {
    pub(super) fn new(client: &ClientPlan, env: Arc<Env>) -> Self {
        let windows = client
            .rate_limits
            .iter()
            .map(|limit| Window { limit: limit.clone(), started: VecDeque::new() })
            .collect();
        Self {
            slots: Slots::new(client.concurrency),
            env,
            left: client.max_requests.map(AtomicU64::new),
            base: client.base_url.path().trim_end_matches('/').to_owned(),
            state: Mutex::new(State { paused_until: None, windows }),
        }
    }

    /// Waits until a request to `path` may start. The slot is held while the request is under way, and not before: who
    /// waits for the limit of one route must not keep the others from theirs. `line`: as in [`Slots::enter`].
    ///
    /// # Errors
    /// Where the run has sent as many as it may.
    pub(super) async fn enter(&self, path: &str, line: usize) -> Result<Slot> {
        if let Some(left) = &self.left
            && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
        {
            return Err(Error::new(ErrorKind::Cancelled, "the run has sent as many requests as it may"));
        }
        let spellings = self.spellings(path);
        loop {
            while let Some(until) = self.wait(spellings) {
                tokio::time::sleep_until(until).await;
            }
            let slot = self.slots.enter(line).await;
            // While this one waited for the slot, others may have used up the limit.
            if self.state().start(spellings, self.env.instant()) {
                return Ok(slot);
            }
        }
    }

    /// The lock is not held while anyone waits.
    fn wait(&self, path: Spellings<'_>) -> Option<Instant> {
        self.state().wait(path, self.env.instant())
    }

    /// Nobody starts a request before `wait` has passed.
    pub(super) fn pause(&self, wait: Duration) {
        let until = self.env.instant() + wait;
        let mut state = self.state();
        state.paused_until = Some(state.paused_until.map_or(until, |known| known.max(until)));
    }

    /// A path as a route may be written: in full, or below that of the base URL.
    fn spellings<'p>(&self, path: &'p str) -> Spellings<'p> {
        let below = path.strip_prefix(self.base.as_str()).filter(|below| below.starts_with('/'));
        [path, below.unwrap_or(path)]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Until when a request to `path` has to wait, if it has to.
    fn wait(&mut self, path: Spellings<'_>, now: Instant) -> Option<Instant> {
        let mut wait = self.paused_until.filter(|until| *until > now);
        for window in self.windows.iter_mut().filter(|window| window.covers(path)) {
            while window.started.front().is_some_and(|started| *started + window.limit.per <= now) {
                window.started.pop_front();
            }
            if window.started.len() >= usize::try_from(window.limit.requests.max(1)).unwrap_or(usize::MAX) {
                let free = window.started.front().map(|started| *started + window.limit.per);
                wait = wait.max(free);
            }
        }
        wait
    }

    /// Counts a request to `path`, unless it has to wait.
    fn start(&mut self, path: Spellings<'_>, now: Instant) -> bool {
        if self.wait(path, now).is_some() {
            return false;
        }
        for window in self.windows.iter_mut().filter(|window| window.covers(path)) {
            window.started.push_back(now);
        }
        true
    }
}

impl Window {
    fn covers(&self, path: Spellings<'_>) -> bool {
        self.limit.route.as_deref().is_none_or(|route| path.iter().any(|path| path.starts_with(route)))
    }
}
