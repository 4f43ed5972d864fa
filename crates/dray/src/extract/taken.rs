//! What came in the place of a page: its records, or the reason why there are none.

use http::{HeaderMap, StatusCode};
use url::Url;

use super::answers::{Ruled, Ruling};
use super::select::{Missing, Selected, select};
use super::session::{Fetched, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Path;

/// What came in the place of a page.
#[expect(clippy::large_enum_variant, reason = "moved once a page")]
pub(super) enum Taken {
    /// A page, and whether `response_actions` says that it is the last.
    Page { selected: Selected, headers: HeaderMap, url: Url, last: bool },
    /// 204.
    Nothing,
    /// What `response_actions` says is no page.
    Ruled(Ruled),
}

/// The records of a page. Where they are missing the API may say why.
pub(super) fn taken(session: &Session, fetched: Fetched, selector: Option<&Path>) -> Result<Taken> {
    let (document, headers, url, last) = match fetched {
        Fetched::Page { document, headers, url, last } => (document, headers, url, last),
        Fetched::Nothing => return Ok(Taken::Nothing),
        Fetched::Ruled(ruled) => return Ok(Taken::Ruled(ruled)),
    };
    let over = Ruled { status: StatusCode::OK, ruling: Ruling::Ended };
    match select(document, selector) {
        // What ends a list need not be a page of it.
        Ok(selected) if last && selector.is_none() && selected.found.is_none() => Ok(Taken::Ruled(over)),
        Err(_) if last => Ok(Taken::Ruled(over)),
        Ok(selected) => Ok(Taken::Page { selected, headers, url, last }),
        Err(Missing { error, said: Some(said) }) => Err(error.with("body", session.heard(&said))),
        Err(Missing { error, said: None }) => Err(error),
    }
}

/// `response_actions` would end a list in its middle.
pub(super) fn cut_short(ruled: &Ruled) -> Error {
    let word = if ruled.ruling == Ruling::Ended { "end" } else { "ignore" };
    Error::new(ErrorKind::Response, format!("a later page was answered as `response_actions` says to {word}: the rest of the list would be lost"))
        .with("status", ruled.status.as_u16())
        .hint("such an answer means no records on the first page, and the end only of a list whose length the API does not tell; narrow the rule, or use `action: retry`")
}
