//! One attempt at a request: the only file that knows the HTTP crate.

use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::certificates;
use super::decode::{ACCEPTED, Decoder, Refused};
use super::request::shown;
use crate::address::is_metadata;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{ClientPlan, Limits, Method, Plan, Timeouts, TlsPlan};

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
    pub(super) fn new(plan: &Plan) -> Result<Self> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            if rustls::crypto::ring::default_provider().install_default().is_err() {
                tracing::debug!("the program has chosen its own TLS provider");
            }
        });
        let ClientPlan { timeouts, concurrency, tls, limits, .. } = &plan.client;
        let builder = reqwest::Client::builder()
            .user_agent(concat!("dray/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(Names::new(plan)))
            .connect_timeout(timeouts.connect)
            .http1_max_headers(limits.headers)
            .http2_max_header_list_size(HEADER_BYTES)
            .pool_max_idle_per_host(*concurrency)
            .tcp_nodelay(true);
        let client = trusting(builder, tls)?.build().map_err(|error| {
            Error::new(ErrorKind::Request, "cannot set up the HTTP client").caused_by(error.without_url())
        })?;
        Ok(Self { client, timeouts: timeouts.clone(), limits: *limits })
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
    if error.chain().contains("invalid peer certificate") {
        return error.hint(
            "the server's certificate is not trusted; `client.tls.ca_file` names an authority of your own",
        );
    }
    error
}

/// A body that was not taken, as an error.
pub(super) fn refused(why: Refused) -> Error {
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

/// The system's authorities, those of the plan, and the client's own certificate. Nothing here trusts everybody.
fn trusting(mut builder: reqwest::ClientBuilder, plan: &TlsPlan) -> Result<reqwest::ClientBuilder> {
    if let Some(file) = &plan.ca_file {
        let key = "client.tls.ca_file";
        let pem = certificates::read(key, file)?;
        let wrong = || certificates::wrong(key, file, "holds no certificate in PEM form");
        let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong().caused_by(error))?;
        if found.is_empty() {
            return Err(wrong());
        }
        builder = builder.tls_certs_merge(found);
    }
    if let Some(client) = &plan.client {
        let mut pem = certificates::read("client.tls.client_cert_file", &client.certificate)?;
        if client.key != client.certificate {
            pem.push(b'\n');
            pem.extend(certificates::read("client.tls.client_key_file", &client.key)?);
        }
        let identity = reqwest::Identity::from_pem(&pem).map_err(|error| {
            let message = "does not hold a certificate and its private key, not encrypted, in PEM form";
            certificates::wrong("client.tls.client_cert_file", &client.certificate, message).caused_by(error)
        })?;
        builder = builder.identity(identity);
    }
    Ok(builder)
}

/// Resolves host names, and leaves out addresses that no API may lead to. What is connected to is what was looked at
/// here: a name cannot change its address in between.
#[derive(Debug)]
struct Names {
    /// Hosts that the configuration names itself, which may be anywhere.
    configured: Vec<String>,
}

impl Names {
    fn new(plan: &Plan) -> Self {
        let tokens = plan.resources.iter().filter_map(|resource| resource.auth.token());
        let tokens = tokens.map(|token| &token.request.url);
        let hosts = std::iter::once(&plan.client.base_url).chain(tokens).filter_map(Url::host_str);
        Self { configured: hosts.map(str::to_owned).collect() }
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let anywhere = self.configured.contains(&host);
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let addresses: Addrs = Box::new(permitted(found, anywhere)?.into_iter());
            Ok(addresses)
        })
    }
}

fn permitted(found: impl Iterator<Item = SocketAddr>, anywhere: bool) -> Result<Vec<SocketAddr>> {
    let found: Vec<_> = found.collect();
    let all = found.len();
    let kept: Vec<_> = found.into_iter().filter(|address| anywhere || !is_metadata(address.ip())).collect();
    if kept.is_empty() && all > 0 {
        return Err(Error::new(
            ErrorKind::Request,
            "the host's name leads to an address of this machine's own network, which no API may lead to",
        ));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_lead_to_the_machines_own_network() {
        let addresses = |texts: &[&str]| {
            texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect::<Vec<_>>().into_iter()
        };
        let mixed = ["169.254.169.254", "192.0.2.1", "fe80::1"];
        assert_eq!(
            permitted(addresses(&mixed), false).unwrap(),
            addresses(&["192.0.2.1"]).collect::<Vec<_>>()
        );
        assert_eq!(permitted(addresses(&mixed), true).unwrap().len(), 3);
        assert!(permitted(addresses(&["::ffff:169.254.169.254"]), false).is_err());
        assert!(permitted(addresses(&[]), false).unwrap().is_empty());
    }
}
