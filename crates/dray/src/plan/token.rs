//! Tokens that are fetched: what is asked for one, where it stands in the answer, and how it is sent.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::{AuthPlan, JsonTemplate, KeyLocation, Method, Text};
use crate::json::Path;
use crate::secret::Secret;

/// A token that is fetched before the first request, and again when it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenPlan {
    /// What it is given for.
    pub grant: Grant,
    /// What is asked.
    pub request: TokenRequest,
    /// The refresh token that goes with it, where the grant is one.
    pub refresh: Option<RefreshToken>,
    /// Where it stands in the answer.
    pub token: TokenSource,
    /// Where its life stands.
    pub expiry: Expiry,
    /// How it is sent.
    pub sent: TokenSent,
}

/// What a token is given for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// A grant of OAuth 2, as `grant_type` names it.
    OAuth2(String),
    /// A login of the API's own.
    Login,
}

/// The request for a token.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRequest {
    /// `GET` or `POST`.
    pub method: Method,
    /// The token endpoint.
    pub url: Url,
    /// Its headers.
    pub headers: Vec<(String, Text)>,
    /// User and password of basic auth: the client's id and secret.
    pub basic: Option<(Text, Secret)>,
    /// Its body.
    pub body: TokenBody,
}

/// The body of a request for a token. It holds no placeholders.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenBody {
    /// None.
    Empty,
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, Text)>),
    /// `application/json`.
    Json(JsonTemplate),
}

/// A refresh token, which the endpoint may change with every answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// That of the configuration.
    pub first: Secret,
    /// Where its successors are kept between runs.
    pub file: Option<PathBuf>,
}

/// Where a token stands in the answer.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenSource {
    /// In its body.
    Body(Path),
    /// In this header.
    Header(String),
    /// In the cookie of this name that it sets.
    Cookie(String),
}

/// How long a token lives.
#[derive(Debug, Clone, PartialEq)]
pub struct Expiry {
    /// Seconds from now, in the body of the answer.
    pub within: Option<Path>,
    /// The moment, in the body of the answer: a timestamp, or seconds or milliseconds since 1970.
    pub at: Option<Path>,
    /// What to believe where the answer does not say.
    pub default: Duration,
}

/// How a token is sent with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSent {
    /// Where.
    pub location: KeyLocation,
    /// The name of the header, parameter or cookie.
    pub name: String,
    /// What stands before the token: `Bearer `.
    pub before: String,
    /// What stands after it.
    pub after: String,
}

impl AuthPlan {
    /// The ways to authenticate that it is made of.
    pub fn each(&self) -> impl Iterator<Item = &Self> {
        match self {
            Self::Several(auths) => auths.iter(),
            other => std::slice::from_ref(other).iter(),
        }
    }

    /// The token that it fetches, if it does.
    #[must_use]
    pub fn token(&self) -> Option<&TokenPlan> {
        self.each().find_map(|auth| match auth {
            Self::Token(token) => Some(&**token),
            _ => None,
        })
    }
}
