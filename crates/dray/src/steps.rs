//! The numbered steps of a run: every point at which it could die, be refused, or be told something wrong.
//!
//! In a usual run nobody watches and a step costs nothing. Proofs of reliability let a run die at step 1, then at step 2,
//! until it passes (the method is SQLite's), and look at what it left each time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// What a watcher makes of a step; a watcher that kills the process does not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The run goes on.
    GoOn,
    /// The step fails, as if the machine had refused it.
    Fail,
}

/// Called with each step's number, from 1 on, and its name.
pub type Watcher = dyn Fn(u64, &'static str) -> Verdict + Send + Sync;

/// The steps of one run.
#[derive(Clone, Default)]
pub struct Steps(Option<Arc<Watched>>);

struct Watched {
    number: AtomicU64,
    watcher: Box<Watcher>,
}

impl Steps {
    /// Steps that somebody watches.
    #[must_use]
    pub fn watched(watcher: impl Fn(u64, &'static str) -> Verdict + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Watched { number: AtomicU64::new(0), watcher: Box::new(watcher) })))
    }

    /// The next step.
    ///
    /// # Errors
    /// Where the watcher lets it fail.
    pub fn next(&self, name: &'static str) -> Result<()> {
        let Some(watched) = &self.0 else { return Ok(()) };
        let number = watched.number.fetch_add(1, Ordering::SeqCst) + 1;
        match (watched.watcher)(number, name) {
            Verdict::GoOn => Ok(()),
            Verdict::Fail => {
                Err(Error::new(ErrorKind::Destination, "a step was made to fail").with("path", name))
            }
        }
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Steps(watched)" } else { "Steps" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_can_be_made_to_fail() {
        let steps = Steps::watched(|number, _| if number == 2 { Verdict::Fail } else { Verdict::GoOn });
        assert!(steps.next("a").is_ok());
        assert_eq!(steps.next("b").unwrap_err().to_string(), "a step was made to fail (path: b)");
        assert!(steps.next("c").is_ok());
        assert!(Steps::default().next("a").is_ok());
    }
}
