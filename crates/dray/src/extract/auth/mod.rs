//! Credentials onto requests.

mod oauth2;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, header};
use url::Url;

use self::oauth2::OAuth2;
use super::request::set_query;
use super::session::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{AuthPlan, KeyLocation};

/// What authenticates the requests of a resource; resources with the same plan share one.
#[derive(Debug)]
pub(super) enum Authenticator {
    /// Fixed for the run.
    Fixed(AuthPlan),
    /// A token that is fetched and renewed.
    OAuth2(OAuth2),
}

/// The credentials of one attempt.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    query: Option<(String, String)>,
    /// Which token they hold, if they are renewed.
    pub(super) generation: Option<u64>,
}

impl Authenticator {
    pub(super) fn new(plan: &AuthPlan) -> Self {
        match plan {
            AuthPlan::OAuth2(plan) => Self::OAuth2(OAuth2::new(plan.clone())),
            other => Self::Fixed(other.clone()),
        }
    }

    /// The credentials for the next attempt; fetches a token if there is none that lasts.
    pub(super) async fn credentials(&self, session: &Session) -> Result<Credentials> {
        match self {
            Self::OAuth2(oauth2) => {
                let (value, generation) = oauth2.token(session).await?;
                Ok(Credentials {
                    headers: vec![(header::AUTHORIZATION, sensitive(&value)?)],
                    query: None,
                    generation: Some(generation),
                })
            }
            Self::Fixed(plan) => fixed(plan),
        }
    }

    /// The API refused a token: it is not used again. False if there is nothing to renew.
    pub(super) async fn renew(&self, refused: u64) -> bool {
        match self {
            Self::OAuth2(oauth2) => oauth2.forget(refused).await,
            Self::Fixed(_) => false,
        }
    }

    /// Whether a request may have to fetch a token first.
    pub(super) fn renews(&self) -> bool {
        matches!(self, Self::OAuth2(_))
    }

    /// The query parameter that carries the key, if one does.
    pub(super) fn signed_by(&self) -> Option<&str> {
        match self {
            Self::Fixed(AuthPlan::ApiKey { name, location: KeyLocation::Query, .. }) => Some(name),
            _ => None,
        }
    }

    /// The API took a token.
    pub(super) fn accepted(&self, generation: u64) {
        if let Self::OAuth2(oauth2) = self {
            oauth2.accepted(generation);
        }
    }
}

impl Credentials {
    /// Adds a key that belongs into the query.
    pub(super) fn sign(&self, url: &mut Url) {
        if let Some((name, value)) = &self.query {
            set_query(url, name, value);
        }
    }
}

fn fixed(plan: &AuthPlan) -> Result<Credentials> {
    let mut credentials = Credentials::default();
    match plan {
        AuthPlan::None | AuthPlan::OAuth2(_) => {}
        AuthPlan::Bearer { token } => {
            let value = sensitive(&format!("Bearer {}", token.expose()))?;
            credentials.headers.push((header::AUTHORIZATION, value));
        }
        AuthPlan::Basic { username, password } => {
            let pair = STANDARD.encode(format!("{}:{}", username.expose(), password.expose()));
            credentials.headers.push((header::AUTHORIZATION, sensitive(&format!("Basic {pair}"))?));
        }
        AuthPlan::ApiKey { name, value, location } => match location {
            KeyLocation::Header => {
                let parsed = HeaderName::try_from(name.as_str()).map_err(|error| {
                    Error::new(ErrorKind::Auth, "the key's name is no header name")
                        .with("path", name)
                        .caused_by(error)
                })?;
                credentials.headers.push((parsed, sensitive(value.expose())?));
            }
            KeyLocation::Query => credentials.query = Some((name.clone(), value.expose().to_owned())),
            KeyLocation::Cookie => {
                credentials.headers.push((header::COOKIE, sensitive(&format!("{name}={}", value.expose()))?));
            }
        },
    }
    Ok(credentials)
}

fn sensitive(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| Error::new(ErrorKind::Auth, "the credential has characters that no header may have"))?;
    value.set_sensitive(true);
    Ok(value)
}
