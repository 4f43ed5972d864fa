//! Clock and randomness: the only place where they enter a run. And what a run must not tell.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::secret::Scrubber;

/// Clock and randomness of one run, made once by whoever starts it. Tests fix them.
#[derive(Debug)]
pub struct Env {
    fixed: Option<Timestamp>,
    random: Mutex<fastrand::Rng>,
    scrubber: Scrubber,
}

impl Env {
    /// The machine's clock and a seed from the operating system.
    #[must_use]
    pub fn system() -> Self {
        Self { fixed: None, random: Mutex::new(fastrand::Rng::new()), scrubber: Scrubber::default() }
    }

    /// A clock that stands still at `now`, and a fixed seed.
    #[must_use]
    pub fn fixed(now: Timestamp, seed: u64) -> Self {
        Self {
            fixed: Some(now),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            scrubber: Scrubber::default(),
        }
    }

    /// The same, but secrets that become known during the run (tokens) are told to this scrubber: that of whoever prints.
    #[must_use]
    pub fn hiding(self, scrubber: Scrubber) -> Self {
        Self { scrubber, ..self }
    }

    /// Knows the secrets of the run.
    #[must_use]
    pub fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }

    /// The wall clock. Never used to decide who owns a dataset.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    pub fn now(&self) -> Timestamp {
        self.fixed.unwrap_or_else(Timestamp::now)
    }

    /// The monotonic clock, for timeouts and token expiry.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    pub fn instant(&self) -> Instant {
        Instant::now()
    }

    /// `wait`, lengthened by up to a tenth, so that workers do not come back all at once.
    #[must_use]
    pub fn jitter(&self, wait: Duration) -> Duration {
        wait.mul_f64(1.0 + 0.1 * self.generator().f64())
    }

    /// A generator of its own, seeded from this one, for a stage that draws many numbers.
    #[must_use]
    pub fn generator(&self) -> fastrand::Rng {
        self.random.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fork()
    }
}
