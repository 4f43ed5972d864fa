//! Faults to order: what goes wrong, on which requests, how often.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::message::{Request, Response};

type Edit = std::sync::Arc<dyn Fn(&mut Value) + Send + Sync>;

/// One thing that goes wrong. Without further words it hits the next request, once.
///
/// Faults wait in a queue; each request is offered to them in the order in which they were added and is taken by
/// the first that matches. A request taken by one fault is not seen (nor counted) by those after it.
#[derive(Clone)]
pub struct Fault {
    pub(crate) effect: Effect,
    pub(crate) delay: Duration,
    path: Option<String>,
    method: Option<String>,
    query: Vec<(String, String)>,
    nth: u64,
    page: Option<u64>,
    left: u64,
    seen: u64,
    seen_by_path: HashMap<String, u64>,
}

/// What happens to a request that a fault has taken.
#[derive(Clone)]
pub(crate) enum Effect {
    Status { status: u16, headers: Vec<(String, String)>, body: Option<Bytes>, retry_date: Option<u64> },
    Reply(Response),
    Truncate,
    Close,
    Pass,
    RepeatPage,
    RepeatCursor,
    ExpireToken,
    Edit(Edit),
    Grow(u64),
}

impl Fault {
    fn new(effect: Effect) -> Self {
        Self {
            effect,
            delay: Duration::ZERO,
            path: None,
            method: None,
            query: Vec::new(),
            nth: 1,
            page: None,
            left: 1,
            seen: 0,
            seen_by_path: HashMap::new(),
        }
    }

    /// Answers with this status and the API's own error body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::new(Effect::Status { status, headers: Vec::new(), body: None, retry_date: None })
    }

    /// Answers with exactly this.
    #[must_use]
    pub fn respond(response: Response) -> Self {
        Self::new(Effect::Reply(response))
    }

    /// Promises the whole body in `Content-Length`, sends the first half and closes the connection.
    #[must_use]
    pub fn truncated() -> Self {
        Self::new(Effect::Truncate)
    }

    /// Closes the connection before any byte of the answer.
    #[must_use]
    pub fn closed() -> Self {
        Self::new(Effect::Close)
    }

    /// Answers rightly, but only after this time.
    #[must_use]
    pub fn delay(time: Duration) -> Self {
        Self::new(Effect::Pass).after(time)
    }

    /// Answers 200 with an HTML page, as a proxy or a login wall does.
    #[must_use]
    pub fn html() -> Self {
        let page = "<!doctype html><html><title>Sign in</title><body>Please sign in.</body></html>";
        Self::respond(Response::status(200).with_header("content-type", "text/html").with_body(page))
    }

    /// Answers 200 with a JSON content type and a body that is not JSON.
    #[must_use]
    pub fn invalid_json() -> Self {
        let body = r#"{"data":[{"id":"#;
        Self::respond(Response::status(200).with_header("content-type", "application/json").with_body(body))
    }

    /// Answers 200 with no body at all.
    #[must_use]
    pub fn empty() -> Self {
        Self::respond(Response::status(200).with_header("content-type", "application/json"))
    }

    /// Answers 401 in the API's own form. Zoho also forgets every token it has issued.
    #[must_use]
    pub fn expired_token() -> Self {
        Self::new(Effect::ExpireToken)
    }

    /// Answers with the page that the request before it on the same path was given (needs [`Options::record`](crate::Options)).
    #[must_use]
    pub fn repeat_page() -> Self {
        Self::new(Effect::RepeatPage)
    }

    /// Answers with the right records, but names as next page the one that was just asked for (or, for page
    /// numbers and offsets, says that more follow whatever is true).
    #[must_use]
    pub fn repeat_cursor() -> Self {
        Self::new(Effect::RepeatCursor)
    }

    /// Answers 302 to this address, which may be on another origin.
    #[must_use]
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::respond(Response::status(302).with_header("location", location))
    }

    /// Answers with the right JSON body after the closure has changed it.
    #[must_use]
    pub fn edit(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::new(Effect::Edit(std::sync::Arc::new(change)))
    }

    /// Adds this many newer records just before the request is answered rightly, as [`Sim::grow`](crate::Sim::grow) does.
    #[must_use]
    pub fn grow(records: u64) -> Self {
        Self::new(Effect::Grow(records))
    }

    /// Only requests on this path: the whole path or its end from a `/` on; `*` stands for any text.
    #[must_use]
    pub fn on(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Only requests of this method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only requests that carry this query parameter with this value. May be given several times.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Lets `n - 1` matching requests pass first.
    #[must_use]
    pub fn nth(mut self, n: u64) -> Self {
        self.nth = n;
        self
    }

    /// Only from the `n`-th matching request of each exact path on: the `n`-th page of every chain.
    #[must_use]
    pub fn page(mut self, n: u64) -> Self {
        self.page = Some(n);
        self
    }

    /// Hits this many requests instead of one.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.left = count;
        self
    }

    /// Hits every matching request for ever.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u64::MAX)
    }

    /// Waits this long before anything of the answer is sent (or the connection closed).
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.delay = time;
        self
    }

    /// Adds a header to an answer made by [`Fault::status`] or [`Fault::respond`]; other faults ignore it.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        match &mut self.effect {
            Effect::Status { headers, .. } => headers.push((name.into(), value.into())),
            Effect::Reply(response) => response.headers.push((name.into(), value.into())),
            _ => {}
        }
        self
    }

    /// Replaces the body of an answer made by [`Fault::status`] or [`Fault::respond`]; other faults ignore it.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        match &mut self.effect {
            Effect::Status { body, .. } => *body = Some(bytes.into()),
            Effect::Reply(response) => response.body = bytes.into(),
            _ => {}
        }
        self
    }

    /// `Retry-After` in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header("retry-after", seconds.to_string())
    }

    /// `Retry-After` as the HTTP date this many seconds after the answer (only with [`Fault::status`]).
    #[must_use]
    pub fn retry_after_date(mut self, seconds: u64) -> Self {
        if let Effect::Status { retry_date, .. } = &mut self.effect {
            *retry_date = Some(seconds);
        }
        self
    }

    /// `Retry-After-Ms` in milliseconds, as Orb's and OpenAI's clients read it.
    #[must_use]
    pub fn retry_after_ms(self, milliseconds: u64) -> Self {
        self.header("retry-after-ms", milliseconds.to_string())
    }

    /// `Stripe-Should-Retry`, which overrides every other rule.
    #[must_use]
    pub fn should_retry(self, retry: bool) -> Self {
        self.header("stripe-should-retry", retry.to_string())
    }

    fn matches(&self, request: &Request) -> bool {
        let path = self.path.as_deref().is_none_or(|pattern| path_matches(pattern, &request.path));
        let method = self.method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method));
        let query = self.query.iter().all(|pair| request.query.contains(pair));
        path && method && query
    }

    /// Counts a matching request and tells whether it is hit.
    fn takes(&mut self, request: &Request) -> bool {
        if self.left == 0 || !self.matches(request) {
            return false;
        }
        self.seen += 1;
        let on_path = match self.page {
            None => true,
            Some(page) => {
                let seen = self.seen_by_path.entry(request.path.clone()).or_insert(0);
                *seen += 1;
                *seen >= page
            }
        };
        let hit = self.seen >= self.nth && on_path;
        if hit && self.left != u64::MAX {
            self.left -= 1;
        }
        hit
    }
}

/// The faults that wait for their request.
#[derive(Default)]
pub(crate) struct Queue(VecDeque<Fault>);

impl Queue {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.0.push_back(fault);
    }

    /// The fault that takes this request; used up ones leave the queue.
    pub(crate) fn take(&mut self, request: &Request) -> Option<Fault> {
        let at = self.0.iter_mut().position(|fault| fault.takes(request))?;
        let fault = self.0.get(at)?.clone();
        if fault.left == 0 {
            self.0.remove(at);
        }
        Some(fault)
    }

    /// Faults that still have requests to hit; those that hit for ever do not count.
    pub(crate) fn waiting(&self) -> usize {
        self.0.iter().filter(|fault| fault.left != u64::MAX).count()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Whether a path is meant by a pattern: all of it, or its end from a `/` on, with `*` for any text.
pub(crate) fn path_matches(pattern: &str, path: &str) -> bool {
    let starts = path.match_indices('/').filter_map(|(at, _)| path.get(at..));
    std::iter::once(path).chain(starts).any(|tail| glob(pattern, tail))
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            let ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            ends.filter_map(|at| tail.get(at..)).any(|tail| glob(rest, tail))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::path_matches;

    #[test]
    fn a_path_matches_whole_by_its_end_or_by_a_star() {
        for (pattern, path, matches) in [
            ("/v1/charges", "/v1/charges", true),
            ("/charges", "/v1/charges", true),
            ("charges", "/v1/charges", false),
            ("/v1/charges", "/v1/charges/ch_1", false),
            ("/v1/invoices/*/lines", "/v1/invoices/in_1/lines", true),
            ("/invoices/*", "/v1/invoices/in_1/lines", true),
            ("/invoices/*", "/v1/invoices", false),
            ("*", "/anything", true),
        ] {
            assert_eq!(path_matches(pattern, path), matches, "{pattern} {path}");
        }
    }
}
