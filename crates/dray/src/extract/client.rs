//! One attempt at a request: the only file that knows the HTTP crate.

use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::certificates;
use super::request::shown;
use crate::address::is_metadata;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{AuthPlan, ClientPlan, Method, Plan, TlsPlan};

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
    pub(super) fn new(plan: &Plan) -> Result<Self> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            if rustls::crypto::ring::default_provider().install_default().is_err() {
                tracing::debug!("the program has chosen its own TLS provider");
            }
        });
        let ClientPlan { timeouts, concurrency, tls, max_body_bytes, .. } = &plan.client;
        let builder = reqwest::Client::builder()
            .user_agent(concat!("dray/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(Names::new(plan)))
            .connect_timeout(timeouts.connect)
            .read_timeout(timeouts.read)
            .pool_max_idle_per_host(*concurrency)
            .tcp_nodelay(true);
        let client = trusting(builder, tls)?.build().map_err(|error| {
            Error::new(ErrorKind::Request, "cannot set up the HTTP client").caused_by(error.without_url())
        })?;
        Ok(Self { client, total: timeouts.total, max_body: *max_body_bytes })
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
                let error = Error::new(ErrorKind::Request, message).caused_by(error.without_url());
                if error.chain().contains("invalid peer certificate") {
                    return error.hint(
                        "the server's certificate is not trusted; `client.tls.ca_file` names an authority of your own",
                    );
                }
                error
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
        let tokens = plan.resources.iter().filter_map(|resource| match &resource.auth {
            AuthPlan::OAuth2(oauth2) => Some(&oauth2.token_url),
            _ => None,
        });
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
