//! A case that may hang or panic.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Runs a case on a thread of its own.
///
/// # Errors
/// Where it is not done in time, or panicked. A case that hangs is left behind.
pub fn within<T: Send + 'static>(
    limit: Duration,
    case: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (sender, done) = channel();
    let spawned = std::thread::Builder::new().spawn(move || {
        if sender.send(case()).is_err() {
            // Nobody waits for it any more.
        }
    });
    spawned.map_err(|error| format!("no thread for the case: {error}"))?;
    done.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => format!("not done after {} s", limit.as_secs()),
        RecvTimeoutError::Disconnected => "it panicked".to_owned(),
    })
}
