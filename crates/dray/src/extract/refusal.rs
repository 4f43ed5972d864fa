//! Refusals as errors: what the API said, without the secrets that it repeats, and what to do about it.

use http::StatusCode;
use url::Url;

use super::answers::{beginning, words};
use super::client::Answer;
use super::request::shown;
use super::retry::longer_wait;
use super::session::Session;
use crate::error::{Error, ErrorKind};
use crate::json::{Document, Path};

/// Bytes of a refusal's body that an error shows.
const SHOWN_BODY: usize = 2048;
/// Bytes of it that are searched for secrets before it is cut: a half secret would not be found.
const SEARCHED_BODY: usize = 64 << 10;

/// An answer that a rule refuses.
pub(super) struct Case<'a> {
    pub(super) status: StatusCode,
    pub(super) url: &'a Url,
    pub(super) retries: u32,
    /// How the body of a refusal begins; that of a page is nobody's business.
    pub(super) begins: Option<String>,
    /// The body, where it is JSON.
    pub(super) document: Option<&'a Document>,
}

impl Case<'_> {
    fn error(&self, message: &str) -> Error {
        let kind = match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorKind::Auth,
            status if status.is_success() => ErrorKind::Response,
            _ => ErrorKind::Request,
        };
        let error =
            Error::new(kind, message).with("status", self.status.as_u16()).with("url", shown(self.url));
        if self.retries > 0 { error.with("attempt", self.retries + 1) } else { error }
    }
}

impl Session {
    /// A refusal as an error: status, attempts, and the beginning of what the API says.
    pub(super) fn refusal(&self, answer: &Answer, url: &Url, retries: u32) -> Error {
        let status = answer.status;
        let message = if status.is_server_error() { "the API cannot answer" } else { "the API refuses" };
        let case = Case { status, url, retries, begins: None, document: None };
        let error = case.error(message);
        let line = self.begins(&answer.body);
        let error = if line.is_empty() { error } else { error.with("body", line) };
        if let Some(wait) = longer_wait(&self.plan.client.retry, status, &answer.headers, self.env.now()) {
            let asked = format!("{} s", wait.as_secs());
            return error
                .hint(format!("the API asks to wait {asked}: try later, or raise `client.retry.max_wait`"));
        }
        match status {
            StatusCode::UNAUTHORIZED => error.hint("check the credentials: the API does not know them"),
            StatusCode::FORBIDDEN => {
                error.hint("the credentials are known but may not read this: check their permissions")
            }
            StatusCode::NOT_FOUND => error.hint("check `client.base_url` and the resource's path"),
            StatusCode::TOO_MANY_REQUESTS => error.hint(
                "lower `client.rate_limit` or `client.concurrency`, or raise `client.retry.max_retries`",
            ),
            _ => error,
        }
    }

    /// How a refusal's body begins, on one line.
    pub(super) fn begins(&self, body: &[u8]) -> String {
        let end = body.len().min(SEARCHED_BODY);
        let text = String::from_utf8_lossy(body.get(..end).unwrap_or_default());
        // An API may repeat what it was asked, keys included.
        let text = self.scrubbed(&text);
        one_line(text.get(..text.floor_char_boundary(SHOWN_BODY)).unwrap_or_default())
    }

    /// The error of a rule, with what the API says at `path`, or else where APIs use to say it.
    pub(super) fn ruled(&self, case: &Case<'_>, message: &str, path: Option<&Path>) -> Error {
        let at_path = path.and_then(|path| {
            let document = case.document?;
            let found = path.first(document, document.root())?;
            Some(document.scalar(found).map_or_else(|| document.json(found).to_owned(), Into::into))
        });
        let said = at_path.map(|said| self.heard(&said));
        let said = said
            .or_else(|| case.begins.clone())
            .or_else(|| words(case.document?).map(|said| self.heard(&said)));
        let error = case.error(message);
        match said {
            Some(said) if !said.is_empty() => error.with("body", said),
            _ => error,
        }
    }

    /// The API's words as they may be shown.
    pub(super) fn heard(&self, said: &str) -> String {
        one_line(beginning(&self.scrubbed(said)))
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
