//! What came with a good status, read as JSON; or why it cannot be, and whether it is worth asking again.

use http::{HeaderMap, header};

use super::charset;
use crate::error::{Error, ErrorKind};
use crate::json::{Bounds, Document, Kind, ParseError};

/// Bytes of a body that an error shows.
const SHOWN: usize = 200;

/// A body that is no page.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// Why; `begins` goes with it once it is cleared of secrets.
    pub(super) error: Error,
    /// How it begins, as the API gave it; empty where that does not help.
    pub(super) begins: String,
    /// A proxy or a broken connection may be the reason: the next answer may be sound.
    pub(super) again: bool,
}

/// Reads the body of an answer.
pub(super) fn read(body: Vec<u8>, headers: &HeaderMap, bounds: &Bounds) -> Result<Document, Unreadable> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let length = body.len();
    let body = charset::utf8(body, kind);
    let begins = String::from_utf8_lossy(body.get(..body.len().min(SHOWN)).unwrap_or_default()).into_owned();
    let facts = |message: &str| {
        let what = format!("{length} bytes of {}", kind.unwrap_or("no content type"));
        Error::new(ErrorKind::Response, message).with("body", what)
    };
    if begins.trim_start_matches('\u{feff}').trim_ascii().is_empty() && length <= SHOWN {
        let error = facts("the answer is empty where JSON was expected");
        return Err(Unreadable { error, begins: String::new(), again: true });
    }
    let document = match Document::parse_within(body, bounds) {
        Ok(document) => document,
        Err(cause) => return Err(not_json(facts, begins, kind, cause)),
    };
    if document.kind(document.root()) == Kind::Null {
        let error = facts("the answer is `null` where records were expected");
        return Err(Unreadable { error, begins: String::new(), again: true });
    }
    Ok(document)
}

fn not_json(
    facts: impl Fn(&str) -> Error,
    begins: String,
    kind: Option<&str>,
    cause: ParseError,
) -> Unreadable {
    if let Some(limit) = cause.limit {
        let error = facts("the answer is too large")
            .with("limit", format!("client.limits.{limit}"))
            .hint(format!("ask for smaller pages, or raise `client.limits.{limit}`"))
            .caused_by(cause);
        return Unreadable { error, begins: String::new(), again: false };
    }
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    let lines = ["ndjson", "jsonl", "json-seq", "x-json-stream"].iter().any(|name| kind.contains(name));
    let markup = begins.trim_start_matches('\u{feff}').trim_start().starts_with('<');
    let error = facts("the answer is not JSON").caused_by(cause);
    // What begins as JSON is records, and they are nobody's business here.
    let data = begins.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[', '"']);
    let begins = if data { String::new() } else { begins };
    let error = if lines {
        error.hint("one JSON document a line is not read: ask the API for a list, by a header or parameter")
    } else if markup {
        error.hint(
            "it is markup: a login page, a proxy's error, or an API that needs `Accept: application/json`",
        )
    } else {
        error
    };
    Unreadable { error, begins, again: !lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &[u8], kind: &'static str) -> (String, bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
        let why = read(body.to_vec(), &headers, &Bounds::default()).unwrap_err();
        (format!("{}; {}", why.error.chain(), why.error.advice().unwrap_or_default()), why.again)
    }

    #[test]
    fn what_is_no_page_is_named_and_asked_for_again_where_that_may_help() {
        for (body, words) in [
            (&b""[..], "is empty"),
            (b" \r\n", "is empty"),
            (b"\xef\xbb\xbf", "is empty"),
            (b"null", "is `null`"),
            (b"<!DOCTYPE html><p>busy</p>", "login page"),
            (b"[{\"id\":1},{\"i", "not JSON at byte 13"),
            (b"[1] trailing", "expected the end of the body"),
        ] {
            let (said, again) = refused(body, "application/json");
            assert!(said.contains(words) && again, "{said}");
        }
        let (said, again) = refused(b"{\"id\":1}\n{\"id\":2}\n", "application/x-ndjson");
        assert!(said.contains("one JSON document a line") && !again, "{said}");
    }

    #[test]
    fn json_is_json_whatever_its_content_type_says() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("text/html"));
        assert!(read(b"[1]".to_vec(), &headers, &Bounds::default()).is_ok());
    }
}
