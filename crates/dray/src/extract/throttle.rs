//! How many requests are under way, how many start in a period, and the pause that a 429 asks of everybody.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{ClientPlan, RateLimit};

/// Lets requests through, one client's together.
#[derive(Debug)]
pub(super) struct Throttle {
    slots: Arc<Semaphore>,
    env: Arc<Env>,
    /// Requests that may still start.
    left: Option<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Nobody starts before this instant.
    paused_until: Option<Instant>,
    windows: Vec<Window>,
}

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
            slots: Arc::new(Semaphore::new(client.concurrency.max(1))),
            env,
            left: client.max_requests.map(AtomicU64::new),
            state: Mutex::new(State { paused_until: None, windows }),
        }
    }

    /// Waits until a request to `path` may start. The permit is held while the request is under way.
    ///
    /// # Errors
    /// Where the run has sent as many as it may.
    pub(super) async fn enter(&self, path: &str) -> Result<OwnedSemaphorePermit> {
        if let Some(left) = &self.left
            && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
        {
            return Err(Error::new(ErrorKind::Cancelled, "the run has sent as many requests as it may"));
        }
        let permit = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(|error| Error::new(ErrorKind::Bug, "the client was closed").caused_by(error))?;
        while let Some(until) = self.try_start(path) {
            tokio::time::sleep_until(until).await;
        }
        Ok(permit)
    }

    /// Nobody starts a request before `wait` has passed.
    pub(super) fn pause(&self, wait: Duration) {
        let until = self.env.instant() + wait;
        let mut state = self.state();
        state.paused_until = Some(state.paused_until.map_or(until, |known| known.max(until)));
    }

    /// Counts the request, or says until when it has to wait.
    fn try_start(&self, path: &str) -> Option<Instant> {
        let now = self.env.instant();
        let mut state = self.state();
        let mut wait = state.paused_until.filter(|until| *until > now);
        let matching =
            |window: &Window| window.limit.route.as_deref().is_none_or(|route| path.contains(route));
        for window in state.windows.iter_mut().filter(|window| matching(window)) {
            while window.started.front().is_some_and(|started| *started + window.limit.per <= now) {
                window.started.pop_front();
            }
            if window.started.len() >= usize::try_from(window.limit.requests.max(1)).unwrap_or(usize::MAX) {
                let free = window.started.front().map(|started| *started + window.limit.per);
                wait = wait.max(free);
            }
        }
        if wait.is_none() {
            for window in state.windows.iter_mut().filter(|window| matching(window)) {
                window.started.push_back(now);
            }
        }
        wait
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
