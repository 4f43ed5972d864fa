//! One attempt at a request: the only file that knows the HTTP crate.

use std::sync::Once;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use url::Url;

use super::request::shown;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{ClientPlan, Method};

/// What came back: any status, the whole body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// One attempt, credentials included.
pub(super) struct Attempt<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: &'a [(HeaderName, HeaderValue)],
    pub(super) body: Option<&'a [u8]>,
}

/// The HTTP client: keeps connections, never follows a redirect, never waits for ever.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    total: Duration,
    max_body: u64,
}

impl Http {
    pub(super) fn new(plan: &ClientPlan) -> Result<Self> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            if rustls::crypto::ring::default_provider().install_default().is_err() {
                tracing::debug!("the program has chosen its own TLS provider");
            }
        });
        let client = reqwest::Client::builder()
            .user_agent(concat!("dray/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(plan.timeouts.connect)
            .read_timeout(plan.timeouts.read)
            .pool_max_idle_per_host(plan.concurrency)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| {
                Error::new(ErrorKind::Request, "cannot set up the HTTP client").caused_by(error.without_url())
            })?;
        Ok(Self { client, total: plan.timeouts.total, max_body: plan.max_body_bytes })
    }

    /// Sends a request and reads its answer. An error here means that no whole answer came.
    pub(super) async fn send(&self, attempt: Attempt<'_>) -> Result<Answer> {
        let url = shown(&attempt.url);
        let whole = tokio::time::timeout(self.total, self.exchange(attempt));
        match whole.await {
            Ok(result) => result.map_err(|error| error.with("url", url)),
            Err(_elapsed) => Err(Error::new(ErrorKind::Request, "no whole answer in time")
                .with("url", url)
                .with("elapsed", format!("{:?}", self.total))),
        }
    }

    async fn exchange(&self, attempt: Attempt<'_>) -> Result<Answer> {
        let method = match attempt.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut request = self.client.request(method, attempt.url);
        for (name, value) in attempt.headers {
            request = request.header(name, value);
        }
        if let Some(body) = attempt.body {
            request = request.body(body.to_vec());
        }
        let broken = |message: &'static str| {
            move |error: reqwest::Error| {
                Error::new(ErrorKind::Request, message).caused_by(error.without_url())
            }
        };
        let mut response = request.send().await.map_err(broken("cannot reach the API"))?;
        let expected = response.content_length().unwrap_or_default().min(self.max_body);
        let mut body = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
        while let Some(chunk) = response.chunk().await.map_err(broken("the answer broke off"))? {
            if u64::try_from(body.len() + chunk.len()).unwrap_or(u64::MAX) > self.max_body {
                return Err(Error::new(ErrorKind::Response, "the answer is too large")
                    .with("body", format!("more than {} bytes", self.max_body))
                    .hint("ask for smaller pages, or raise `client.max_body`"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
    }
}
