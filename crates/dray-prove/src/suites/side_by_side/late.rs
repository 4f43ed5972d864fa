//! A server that answers late, each request by another time, and knows how many are in work.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::raw::{Answer, Asked, Raw};

/// What it saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    in_work: AtomicUsize,
    peak: AtomicUsize,
    requests: AtomicU64,
    targets: Mutex<Vec<String>>,
}

impl Seen {
    /// The most requests in work at once.
    pub(super) fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    /// All requests.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    /// In work now, the one that asks included.
    pub(super) fn in_work(&self) -> usize {
        self.in_work.load(Ordering::SeqCst)
    }

    /// Path and query of every request, in the order in which they came.
    pub(super) fn targets(&self) -> Vec<String> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How late answers are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Late {
    /// Each by its own time below so many milliseconds.
    Upto(u64),
    /// All by so many milliseconds.
    By(u64),
}

/// The server and what it sees.
pub(super) struct Server {
    raw: Raw,
    pub(super) seen: Arc<Seen>,
}

impl Server {
    /// Starts it. Which answer takes how long is decided by `seed`.
    pub(super) fn start(
        late: Late,
        seed: u64,
        answer: impl Fn(&Asked, &Seen) -> Answer + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let seen = Arc::new(Seen::default());
        let random = Mutex::new(fastrand::Rng::with_seed(seed));
        let own = Arc::clone(&seen);
        let raw = Raw::start(move |asked| {
            let now = own.in_work.fetch_add(1, Ordering::SeqCst) + 1;
            own.peak.fetch_max(now, Ordering::SeqCst);
            own.requests.fetch_add(1, Ordering::SeqCst);
            own.targets.lock().unwrap_or_else(PoisonError::into_inner).push(asked.target.clone());
            let answer = answer(asked, &own);
            let wait = match late {
                Late::Upto(most) => random.lock().unwrap_or_else(PoisonError::into_inner).u64(0..=most),
                Late::By(wait) => wait,
            };
            std::thread::sleep(Duration::from_millis(wait));
            own.in_work.fetch_sub(1, Ordering::SeqCst);
            answer
        });
        Ok(Self { raw: raw.map_err(|error| error.to_string())?, seen })
    }

    /// `client:` of a configuration against it.
    pub(super) fn client(&self, concurrency: usize) -> String {
        let base = self.raw.base_url();
        format!(
            "client: {{base_url: \"{base}\", concurrency: {concurrency}, retry: {{max_retries: 10, backoff_factor: 0.01}}}}\n"
        )
    }
}

/// 200 with this body.
pub(super) fn json(body: &Value) -> Answer {
    Answer::json(body.to_string())
}

/// A number in the query.
pub(super) fn number(asked: &Asked, name: &str) -> Option<u64> {
    asked.param(name)?.parse().ok()
}
