//! What a process may use, and what it has used.

use std::time::Duration;

/// Bytes of the address space that are in use; none where the system does not say.
#[cfg(target_os = "linux")]
pub(super) fn size() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages = pages.split(' ').next()?.parse::<u64>().ok()?;
    Some(pages * u64::try_from(rustix::param::page_size()).ok()?)
}

/// As above.
#[cfg(not(target_os = "linux"))]
pub(super) fn size() -> Option<u64> {
    None
}

/// Bounds the address space: what is there now, and `more` bytes. Where the system cannot, nothing is bounded.
#[cfg(target_os = "linux")]
pub(super) fn memory(more: u64) -> Result<(), String> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let most = Some(size().ok_or("the size of the process is unknown")? + more);
    setrlimit(Resource::As, Rlimit { current: most, maximum: most }).map_err(|error| error.to_string())
}

/// As above.
#[cfg(not(target_os = "linux"))]
pub(super) fn memory(_more: u64) -> Result<(), String> {
    Ok(())
}

/// Time that the process has computed: a machine that is busy otherwise makes no input slow.
#[cfg(unix)]
pub(super) fn computed() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Time since the first call, where the system does not say.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "proofs measure real time, outside any run")]
pub(super) fn computed() -> Duration {
    static BEGAN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    BEGAN.elapsed()
}
