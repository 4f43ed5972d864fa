//! Credentials onto requests.

mod ask;
mod kept;
mod token;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, header};
use url::Url;

use self::token::Tokens;
use super::request::set_query;
use super::session::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{AuthPlan, KeyLocation, Text};
use crate::secret::Secret;

/// What authenticates the requests of a resource; resources with the same plan share one.
#[derive(Debug)]
pub(super) struct Authenticator {
    /// Fixed for the run.
    fixed: Vec<AuthPlan>,
    /// A token that is fetched and renewed.
    tokens: Option<Tokens>,
}

/// The credentials of one attempt.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    query: Vec<(String, String)>,
    cookies: Vec<String>,
    /// Which token they hold, if they are renewed.
    pub(super) generation: Option<u64>,
}

impl Authenticator {
    pub(super) fn new(plan: &AuthPlan) -> Self {
        let fixed = plan.each().filter(|auth| !matches!(auth, AuthPlan::Token(_)));
        Self { fixed: fixed.cloned().collect(), tokens: plan.token().cloned().map(Tokens::new) }
    }

    /// The credentials for the next attempt; fetches a token if there is none that lasts.
    pub(super) async fn credentials(&self, session: &Session) -> Result<Credentials> {
        let mut credentials = Credentials::default();
        for plan in &self.fixed {
            credentials.fixed(plan)?;
        }
        if let Some(tokens) = &self.tokens {
            let (value, generation) = tokens.token(session).await?;
            let sent = tokens.sent();
            credentials.key(sent.location, &sent.name, &format!("{}{value}{}", sent.before, sent.after))?;
            credentials.generation = Some(generation);
        }
        if !credentials.cookies.is_empty() {
            // A request has one header for all of them (RFC 6265 §5.4).
            let cookies = sensitive(&credentials.cookies.join("; "))?;
            credentials.headers.push((header::COOKIE, cookies));
        }
        Ok(credentials)
    }

    /// The API refused a token: it is not used again. False if there is nothing to renew.
    pub(super) async fn renew(&self, refused: u64) -> bool {
        match &self.tokens {
            Some(tokens) => tokens.forget(refused).await,
            None => false,
        }
    }

    /// Whether a request may have to fetch a token first.
    pub(super) fn renews(&self) -> bool {
        self.tokens.is_some()
    }

    /// The query parameters that carry keys.
    pub(super) fn signed_by(&self) -> impl Iterator<Item = &str> {
        let fixed = self.fixed.iter().filter_map(|plan| match plan {
            AuthPlan::ApiKey { name, location: KeyLocation::Query, .. } => Some(name.as_str()),
            _ => None,
        });
        let token = self.tokens.as_ref().map(Tokens::sent);
        let token = token.filter(|sent| sent.location == KeyLocation::Query).map(|sent| sent.name.as_str());
        fixed.chain(token)
    }

    /// The API took a token.
    pub(super) fn accepted(&self, generation: u64) {
        if let Some(tokens) = &self.tokens {
            tokens.accepted(generation);
        }
    }

    /// What the report has to say of the tokens, once.
    pub(super) fn remark(&self) -> Option<&'static str> {
        self.tokens.as_ref().and_then(Tokens::remark)
    }
}

impl Credentials {
    /// Adds the keys that belong into the query.
    pub(super) fn sign(&self, url: &mut Url) {
        for (name, value) in &self.query {
            set_query(url, name, value);
        }
    }

    fn fixed(&mut self, plan: &AuthPlan) -> Result<()> {
        match plan {
            AuthPlan::None | AuthPlan::Token(_) | AuthPlan::Several(_) => {}
            AuthPlan::Bearer { token } => {
                let value = sensitive(&format!("Bearer {}", token.expose()))?;
                self.headers.push((header::AUTHORIZATION, value));
            }
            AuthPlan::Basic { username, password } => {
                self.headers.push((header::AUTHORIZATION, basic(username, password)?));
            }
            AuthPlan::ApiKey { name, value, location } => self.key(*location, name, value.expose())?,
        }
        Ok(())
    }

    fn key(&mut self, location: KeyLocation, name: &str, value: &str) -> Result<()> {
        match location {
            KeyLocation::Header => {
                let parsed = HeaderName::try_from(name).map_err(|error| {
                    Error::new(ErrorKind::Auth, "the key's name is no header name")
                        .with("path", name)
                        .caused_by(error)
                })?;
                self.headers.push((parsed, sensitive(value)?));
            }
            KeyLocation::Query => self.query.push((name.to_owned(), value.to_owned())),
            KeyLocation::Cookie => self.cookies.push(format!("{name}={value}")),
        }
        Ok(())
    }
}

/// RFC 7617.
fn basic(username: &Text, password: &Secret) -> Result<HeaderValue> {
    let pair = STANDARD.encode(format!("{}:{}", username.expose(), password.expose()));
    sensitive(&format!("Basic {pair}"))
}

fn sensitive(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| Error::new(ErrorKind::Auth, "the credential has characters that no header may have"))?;
    value.set_sensitive(true);
    Ok(value)
}
