//! One answer of an API, as it is: for `dray init`, before anything is known of its pages.

use std::sync::Arc;

use url::Url;

use super::auth::Authenticator;
use super::charset;
use super::paginate::Token;
use super::request::{Fill, build, shown};
use super::session::Session;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;

/// What an API answered to the first request of a resource.
#[derive(Debug, Clone)]
pub struct Looked {
    /// The body, in UTF-8.
    pub body: Vec<u8>,
    /// Whether a `Link` header names a next page.
    pub linked: bool,
    /// What was asked for, before any redirect.
    pub url: Url,
}

/// Asks for the first page of the first resource of a plan, and gives what comes, whatever it is.
///
/// # Errors
/// If nothing comes, or an answer that is no success.
pub async fn look(plan: Arc<Plan>, env: Arc<Env>) -> Result<Looked> {
    let session = Session::new(Arc::clone(&plan), env)?;
    let Some(resource) = plan.resources.first() else {
        return Err(Error::new(ErrorKind::Bug, "nothing to look at"));
    };
    let request = build(&plan, resource, &resource.paging, &Fill::default(), &Token::First)?;
    session.check_origin(&request.url)?;
    let auth = Authenticator::new(&resource.auth);
    let answer = session.exchange(&request, Some(&auth), None).await?;
    if !answer.status.is_success() {
        return Err(session.refusal(&answer, &request.url, 0));
    }
    if answer.body.is_empty() {
        return Err(Error::new(ErrorKind::Response, "the answer is empty").with("url", shown(&request.url)));
    }
    let kind = answer.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let linked = super::paginate::link(&answer.headers, "next").is_some();
    Ok(Looked { body: charset::utf8(answer.body, None, kind), linked, url: request.url })
}
