//! `auth` as written.

use std::time::Duration;

use super::{Header, Located, Spot};
use crate::config::node::Node;
use crate::plan::{KeyLocation, Method, Text};

/// `auth`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields carry the names of the keys (dlt.md §1.7)")]
pub enum AuthConfig {
    /// Written as null or `type: none`.
    None,
    Bearer {
        token: Text,
        scheme: Option<String>,
    },
    ApiKey {
        name: Option<String>,
        api_key: Text,
        location: Option<KeyLocation>,
        format: Option<String>,
    },
    Basic {
        username: Text,
        password: Text,
    },
    OAuth2(Box<OAuth2Config>),
    Login(Box<LoginConfig>),
    /// A list of them, each with its place.
    Several(Vec<Located<Self>>),
}

/// `oauth2_client_credentials`, `oauth2_refresh_token` and `oauth2_password`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct OAuth2Config {
    /// The grant of the type.
    pub grant: &'static str,
    pub access_token_url: Located<Text>,
    pub client_id: Option<Text>,
    pub client_secret: Option<Text>,
    pub refresh_token: Option<Text>,
    pub refresh_token_file: Option<Located<String>>,
    pub username: Option<Text>,
    pub password: Option<Text>,
    pub grant_type: Option<String>,
    pub access_token_request_data: Vec<Header>,
    pub token_request: TokenRequestConfig,
    pub default_token_expiration: Option<Duration>,
    pub scheme: Option<String>,
}

/// `token_request`.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct TokenRequestConfig {
    /// `auth: basic`: id and secret of the client go into the header.
    pub basic: bool,
    /// `body: json`
    pub json: bool,
    pub headers: Vec<Header>,
    pub fields: Vec<Header>,
}

/// `login`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct LoginConfig {
    pub method: Option<Method>,
    /// `url` or `path`.
    pub url: Located<Text>,
    pub headers: Vec<Header>,
    pub json: Option<Located<Node>>,
    pub data: Option<Vec<Header>>,
    pub token_path: Option<Located<String>>,
    pub token_header: Option<Located<String>>,
    pub token_cookie: Option<Located<String>>,
    pub expires_in_path: Option<Located<String>>,
    pub expires_at_path: Option<Located<String>>,
    pub default_token_expiration: Option<Duration>,
    pub location: Option<KeyLocation>,
    pub name: Option<Located<String>>,
    pub format: Option<Located<String>>,
    /// Where it stands.
    pub at: Spot,
}
