//! Whether a request is sent again, and after what wait. Pure: the loop is in `session.rs`.
//!
//! The server's word comes first (`Stripe-Should-Retry`, `Retry-After`, rate-limit resets), then the policy.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use crate::plan::RetryPlan;

/// What an attempt ended with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ended<'a> {
    /// An answer with these headers.
    Status(StatusCode, &'a HeaderMap),
    /// An answer that `response_actions` says to ask for again, after this time if one is given there.
    Ruled(Option<Duration>, StatusCode, &'a HeaderMap),
    /// No answer, or a broken one.
    Broken,
}

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The answer stands.
    Stands,
    /// Again, after this wait at the least. `exact`: the server named it.
    Retry { wait: Duration, exact: bool },
    /// The server asks for a longer wait than the policy allows.
    TooLong { wait: Duration },
}

/// Decides after an attempt, of which `retries` were retries.
pub(super) fn decide(policy: &RetryPlan, retries: u32, ended: Ended<'_>, now: Timestamp) -> Decision {
    let (wanted, named) = match ended {
        Ended::Broken => (true, None),
        Ended::Ruled(Some(delay), ..) if retries < policy.max_retries => {
            return Decision::Retry { wait: delay, exact: true };
        }
        Ended::Ruled(_, status, headers) => (true, named_wait(status, headers, now)),
        Ended::Status(status, headers) => {
            let listed = policy.statuses.contains(&status.as_u16());
            let wanted = should_retry(headers).filter(|_| !status.is_success()).unwrap_or(listed);
            (wanted, named_wait(status, headers, now))
        }
    };
    if !wanted || retries >= policy.max_retries {
        return Decision::Stands;
    }
    match named {
        Some(wait) if wait > policy.max_wait => Decision::TooLong { wait },
        Some(wait) => Decision::Retry { wait, exact: true },
        None => Decision::Retry { wait: backoff(policy, retries), exact: false },
    }
}

/// The wait that the server asks for, where the policy does not allow one that long.
pub(super) fn longer_wait(
    policy: &RetryPlan,
    status: StatusCode,
    headers: &HeaderMap,
    now: Timestamp,
) -> Option<Duration> {
    match decide(policy, 0, Ended::Status(status, headers), now) {
        Decision::TooLong { wait } => Some(wait),
        _ => None,
    }
}

/// Whether an answer says that there are too many requests: 429, or a 503 that names a wait.
pub(super) fn says_too_many(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> bool {
    match status {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::SERVICE_UNAVAILABLE => named_wait(status, headers, now).is_some(),
        _ => false,
    }
}

/// `factor * 2^n` seconds before retry `n + 1`: 2, 4, 8 by default.
fn backoff(policy: &RetryPlan, retries: u32) -> Duration {
    let doubled = 2_f64.powi(i32::try_from(retries).unwrap_or(i32::MAX).min(40));
    let seconds = (policy.backoff_factor * doubled).clamp(0.0, policy.max_wait.as_secs_f64());
    Duration::from_secs_f64(seconds)
}

/// Stripe's and Orb's word overrides the list of statuses (apis.md §3.1, §3.2).
fn should_retry(headers: &HeaderMap) -> Option<bool> {
    let word = headers.get("stripe-should-retry").or_else(|| headers.get("x-should-retry"))?;
    match word.to_str().ok()? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The wait that the server names, if it does. Zero names none.
fn named_wait(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wait = text("retry-after-ms")
        .and_then(|text| positive(text).map(|millis| millis / 1000.0))
        .or_else(|| text("retry-after").and_then(|text| positive(text).or_else(|| until_date(text, now))))
        .or_else(|| {
            let reset = (status == StatusCode::TOO_MANY_REQUESTS).then(|| {
                text("x-ratelimit-reset")
                    .or_else(|| text("ratelimit-reset"))
                    .or_else(|| text("x-rate-limit-reset"))
            });
            reset.flatten().and_then(|text| until_reset(text, now))
        })?;
    (wait > 0.0).then(|| Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
}

fn positive(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
}

/// An HTTP date, as seconds from now.
fn until_date(text: &str, now: Timestamp) -> Option<f64> {
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some((date.duration_since(now)).as_secs_f64())
}

/// Seconds from now, or seconds since 1970 where the number is too large for a wait.
fn until_reset(text: &str, now: Timestamp) -> Option<f64> {
    const SINCE_1970: f64 = 1e9;
    let number = positive(text)?;
    if number < SINCE_1970 { Some(number) } else { Some(number - now.as_duration().as_secs_f64()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> RetryPlan {
        RetryPlan {
            max_retries: 3,
            backoff_factor: 2.0,
            max_wait: Duration::from_secs(300),
            statuses: vec![429, 500, 502, 503, 504],
        }
    }

    fn after(status: u16, headers: &[(&'static str, &str)], retries: u32) -> Decision {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let now = "2024-01-01T00:00:00Z".parse().unwrap();
        decide(&policy(), retries, Ended::Status(StatusCode::from_u16(status).unwrap(), &map), now)
    }

    fn wait(seconds: f64, exact: bool) -> Decision {
        Decision::Retry { wait: Duration::from_secs_f64(seconds), exact }
    }

    #[test]
    fn three_retries_wait_two_four_and_eight_seconds() {
        let waits: Vec<_> = (0..4).map(|retries| after(503, &[], retries)).collect();
        assert_eq!(waits, [wait(2.0, false), wait(4.0, false), wait(8.0, false), Decision::Stands]);
    }

    #[test]
    fn only_listed_statuses_and_broken_answers_are_retried() {
        for status in [200, 400, 401, 403, 404, 408, 501] {
            assert_eq!(after(status, &[], 0), Decision::Stands, "{status}");
        }
        assert_eq!(decide(&policy(), 0, Ended::Broken, Timestamp::UNIX_EPOCH), wait(2.0, false));
    }

    #[test]
    fn a_rule_names_its_own_wait_and_is_counted_as_any_retry() {
        let headers = HeaderMap::from_iter([(http::header::RETRY_AFTER, "7".parse().unwrap())]);
        let after = |delay, retries| {
            let ended = Ended::Ruled(delay, StatusCode::FORBIDDEN, &headers);
            decide(&policy(), retries, ended, Timestamp::UNIX_EPOCH)
        };
        assert_eq!(after(Some(Duration::from_secs(5)), 2), wait(5.0, true));
        assert_eq!(after(Some(Duration::from_secs(5)), 3), Decision::Stands);
        assert_eq!(after(None, 0), wait(7.0, true));
    }

    #[test]
    fn the_server_names_the_wait() {
        assert_eq!(after(429, &[("retry-after", "7")], 0), wait(7.0, true));
        assert_eq!(after(503, &[("retry-after", "Mon, 01 Jan 2024 00:00:30 GMT")], 0), wait(30.0, true));
        assert_eq!(after(429, &[("retry-after-ms", "250"), ("retry-after", "7")], 0), wait(0.25, true));
        assert_eq!(after(429, &[("x-ratelimit-reset", "11")], 0), wait(11.0, true));
        assert_eq!(after(429, &[("ratelimit-reset", "1704067209")], 0), wait(9.0, true));
        assert_eq!(after(503, &[("x-ratelimit-reset", "11")], 0), wait(2.0, false));
        assert_eq!(after(429, &[("retry-after", "0")], 0), wait(2.0, false));
        assert_eq!(after(429, &[("retry-after", "Sun, 31 Dec 2023 00:00:30 GMT")], 0), wait(2.0, false));
        assert_eq!(
            after(429, &[("retry-after", "86400")], 0),
            Decision::TooLong { wait: Duration::from_secs(86400) }
        );
    }

    #[test]
    fn too_many_requests_are_told_from_a_server_that_is_down() {
        let told = |status: u16, headers: &[(&'static str, &str)]| {
            let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            let status = StatusCode::from_u16(status).unwrap();
            says_too_many(status, &headers.collect(), Timestamp::UNIX_EPOCH)
        };
        assert!(told(429, &[]) && told(503, &[("retry-after", "2")]));
        assert!(!told(503, &[]) && !told(500, &[("retry-after", "2")]) && !told(200, &[]));
    }

    #[test]
    fn the_server_says_whether_to_retry() {
        assert_eq!(after(500, &[("stripe-should-retry", "false")], 0), Decision::Stands);
        assert_eq!(after(409, &[("x-should-retry", "true")], 0), wait(2.0, false));
    }
}
