//! One attempt at a request: the only file that knows the HTTP crate.

use std::sync::Once;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use url::Url;

use super::decode::{ACCEPTED, Decoder, Refused};
use super::request::shown;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{ClientPlan, Limits, Method, Timeouts};

/// Bytes of an answer's headers over HTTP/2; over HTTP/1 the library allows 400 KB.
const HEADER_BYTES: u32 = 64 << 10;

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
    timeouts: Timeouts,
    limits: Limits,
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
            .http1_max_headers(plan.limits.headers)
            .http2_max_header_list_size(HEADER_BYTES)
            .pool_max_idle_per_host(plan.concurrency)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| {
                Error::new(ErrorKind::Request, "cannot set up the HTTP client").caused_by(error.without_url())
            })?;
        Ok(Self { client, timeouts: plan.timeouts.clone(), limits: plan.limits })
    }

    /// Sends a request and reads its answer. An error here means that no whole answer came.
    pub(super) async fn send(&self, attempt: Attempt<'_>) -> Result<Answer> {
        let url = shown(&attempt.url);
        let whole = within(self.timeouts.total, "no whole answer in time", "total", self.exchange(attempt));
        whole.await.and_then(|result| result).map_err(|error| error.with("url", url))
    }

    async fn exchange(&self, attempt: Attempt<'_>) -> Result<Answer> {
        let method = match attempt.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut request = self.client.request(method, attempt.url);
        if !attempt.headers.iter().any(|(name, _)| *name == header::ACCEPT_ENCODING) {
            request = request.header(header::ACCEPT_ENCODING, ACCEPTED);
        }
        for (name, value) in attempt.headers {
            request = request.header(name, value);
        }
        if let Some(body) = attempt.body {
            request = request.body(body.to_vec());
        }
        let head = within(self.timeouts.first_byte, "the API does not answer", "first_byte", request.send());
        let mut response = head.await?.map_err(|error| broken("cannot reach the API", error))?;
        let encoding = response
            .headers()
            .get(header::CONTENT_ENCODING)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let mut decoder =
            Decoder::new(encoding.as_deref(), response.content_length(), &self.limits).map_err(refused)?;
        loop {
            let piece =
                within(self.timeouts.read, "the answer stands still", "read", response.chunk()).await?;
            match piece.map_err(|error| broken("the answer broke off", error))? {
                Some(piece) => decoder.push(&piece).map_err(refused)?,
                None => break,
            }
        }
        let body = decoder.finish().map_err(refused)?;
        Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
    }
}

/// Waits no longer than a key of `client.timeout` says.
async fn within<T>(
    most: Duration,
    message: &'static str,
    key: &'static str,
    work: impl Future<Output = T>,
) -> Result<T> {
    tokio::time::timeout(most, work).await.map_err(|_elapsed| {
        Error::new(ErrorKind::Request, message)
            .with("elapsed", format!("{most:?}"))
            .hint(format!("if the API needs longer, raise `client.timeout.{key}`"))
    })
}

fn broken(message: &'static str, error: reqwest::Error) -> Error {
    let error = Error::new(ErrorKind::Request, message).caused_by(error.without_url());
    // The library has no other word for an answer with too many headers.
    if error.chain().contains("head is too large") {
        return error.hint("if the API needs them, raise `client.limits.headers`");
    }
    error
}

fn refused(why: Refused) -> Error {
    match why {
        // Another attempt may come through whole.
        Refused::Broken(error) => {
            Error::new(ErrorKind::Request, "the answer's compression is broken").caused_by(error)
        }
        Refused::Beyond(limit, words) => Error::new(ErrorKind::Response, "the answer is too large")
            .with("body", words)
            .with("limit", format!("client.limits.{limit}"))
            .hint(format!("ask for smaller pages, or raise `client.limits.{limit}`")),
        Refused::Unknown(encoding) => {
            Error::new(ErrorKind::Response, "the answer is in an encoding that is not read")
                .with("body", encoding)
                .hint(format!(
                    "`headers: {{Accept-Encoding: identity}}` asks for plain bodies; read are {ACCEPTED}"
                ))
        }
    }
}
