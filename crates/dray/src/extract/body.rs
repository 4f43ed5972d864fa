//! What came with a good status, read as what it is written in; or why it cannot be, and whether it is worth asking again.

use std::borrow::Cow;

use http::{HeaderMap, header};

use super::charset;
use super::client::refused;
use super::decode::Refused;
use super::format::unpack::{Unpackable, unpacked};
use super::format::{self, Written, Wrong};
use crate::error::{Error, ErrorKind};
use crate::json::{Document, Kind, ParseError};
use crate::plan::{Encoding, FormatKind, FormatPlan, Limits};

/// A body of no more bytes may be white space alone.
const SHORT: usize = 200;
/// Bytes of a body that are kept for an error. It shows fewer: what the API repeats of a secret is taken out first, and must
/// be there whole.
const KEPT: usize = 8 << 10;

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

/// What is known of a body, for the errors about it.
struct Facts<'a> {
    length: usize,
    kind: Option<&'a str>,
    begins: String,
}

/// Reads the body of an answer.
pub(super) fn read(
    body: Vec<u8>,
    headers: &HeaderMap,
    format: &FormatPlan,
    limits: &Limits,
) -> Result<Document, Unreadable> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let length = body.len();
    let body = if format.packed { body } else { unpacked(body, limits).map_err(unpackable)? };
    let encoding = format.encoding.or_else(|| declared(&body, &format.kind));
    let mut body = charset::utf8(body, encoding, kind);
    if format.lossy {
        body.retain(|byte| *byte != 0);
        body = match String::from_utf8_lossy(&body) {
            Cow::Borrowed(_) => body,
            Cow::Owned(text) => text.into_bytes(),
        };
    }
    let begins = String::from_utf8_lossy(body.get(..body.len().min(KEPT)).unwrap_or_default()).into_owned();
    let facts = Facts { length, kind, begins };
    if facts.begins.trim_start_matches('\u{feff}').trim_ascii().is_empty() && body.len() <= SHORT {
        let message = format!("the answer is empty where {} was expected", format.kind.name());
        return Err(Unreadable { error: facts.error(&message), begins: String::new(), again: true });
    }
    let document = match &format.kind {
        FormatKind::Json if facts.lines() => lines_or_one(body, limits, facts)?,
        FormatKind::Json => match Document::parse_within(body, &limits.json) {
            Ok(document) => document,
            Err(cause) => return Err(facts.not_json(cause)),
        },
        other => converted(&body, other, limits, facts)?,
    };
    if document.kind(document.root()) == Kind::Null {
        let kind = kind.unwrap_or("no content type");
        let error = Error::new(ErrorKind::Response, "the answer is `null` where records were expected")
            .with("body", format!("{length} bytes of {kind}"));
        return Err(Unreadable { error, begins: String::new(), again: true });
    }
    Ok(document)
}

/// What is declared to be one document a line, and may be one document all the same.
fn lines_or_one(body: Vec<u8>, limits: &Limits, facts: Facts<'_>) -> Result<Document, Unreadable> {
    let first = body.iter().position(|byte| *byte == b'\n').unwrap_or(body.len());
    let single = body.get(first..).unwrap_or_default().trim_ascii().is_empty();
    let begins_whole = Document::parse_within(body.get(..first).unwrap_or_default().to_vec(), &limits.json);
    if single || begins_whole.is_err() {
        return Document::parse_within(body, &limits.json).map_err(|cause| facts.not_json(cause));
    }
    converted(&body, &FormatKind::Lines, limits, facts)
}

/// A body of another format.
fn converted(
    body: &[u8],
    format: &FormatKind,
    limits: &Limits,
    facts: Facts<'_>,
) -> Result<Document, Unreadable> {
    let Written { json, flaws } = match format::written(body, format, limits) {
        Ok(written) => written,
        Err(Wrong::Beyond(limit)) => return Err(facts.too_large(limit)),
        Err(Wrong::Malformed { line, why }) => {
            let error = facts.error(&format!("the answer is not {}", format.name()));
            return Err(facts.malformed(error.with("line", line).with("found", why), format));
        }
        Err(Wrong::Json { line, cause }) => {
            let error = facts.error("the answer is not one JSON document a line");
            return Err(facts.malformed(error.with("line", line).caused_by(cause), format));
        }
    };
    match Document::parse_within(json, &limits.json) {
        Ok(document) => Ok(document.with_flaws(flaws)),
        Err(cause) => Err(facts.not_json(cause)),
    }
}

/// The encoding that XML declares in its first line.
fn declared(body: &[u8], format: &FormatKind) -> Option<Encoding> {
    if !matches!(format, FormatKind::Xml(_)) || !body.starts_with(b"<?xml") {
        return None;
    }
    let head = String::from_utf8_lossy(body.get(..body.len().min(SHORT))?);
    let (_, after) = head.split("?>").next()?.split_once("encoding=")?;
    let name = after.split(['"', '\'']).nth(1)?;
    charset::named(name)
}

fn unpackable(why: Unpackable) -> Unreadable {
    let (error, again) = match why {
        Unpackable::Refused(why) => {
            let again = matches!(why, Refused::Broken(_));
            (refused(why), again)
        }
        Unpackable::Files(count, first) => {
            let error =
                Error::new(ErrorKind::Response, "the answer is a zip file that does not hold one file")
                    .with("found", format!("{count} files"));
            let error = if first.is_empty() { error } else { error.with("file", first) };
            (error.hint("ask the API for one file, or for one that is not packed"), false)
        }
    };
    Unreadable { error, begins: String::new(), again }
}

impl Facts<'_> {
    fn error(&self, message: &str) -> Error {
        let what = format!("{} bytes of {}", self.length, self.kind.unwrap_or("no content type"));
        Error::new(ErrorKind::Response, message).with("body", what)
    }

    /// Whether the answer says that it is one document a line.
    fn lines(&self) -> bool {
        let kind = self.kind.unwrap_or_default().to_ascii_lowercase();
        ["ndjson", "jsonl", "json-seq", "x-json-stream"].iter().any(|name| kind.contains(name))
    }

    fn too_large(self, limit: &str) -> Unreadable {
        let error = self
            .error("the answer is too large")
            .with("limit", format!("client.limits.{limit}"))
            .hint(format!("ask for smaller pages, or raise `client.limits.{limit}`"));
        Unreadable { error, begins: String::new(), again: false }
    }

    /// A body of another format that is none: what it looks like instead.
    fn malformed(self, error: Error, format: &FormatKind) -> Unreadable {
        let begins = self.begins.trim_start_matches('\u{feff}').trim_start();
        let error = if begins.starts_with(['{', '[']) && *format != FormatKind::Lines {
            error.hint("it looks like JSON: leave `format` out, or ask for the other format by a header or parameter")
        } else {
            error
        };
        Unreadable { error, begins: String::new(), again: true }
    }

    fn not_json(self, cause: ParseError) -> Unreadable {
        if let Some(limit) = cause.limit {
            let mut unreadable = self.too_large(limit);
            unreadable.error = unreadable.error.caused_by(cause);
            return unreadable;
        }
        let begins = self.begins.trim_start_matches('\u{feff}').trim_start();
        let error = self.error("the answer is not JSON").caused_by(cause);
        // What begins as JSON is records, and they are nobody's business here.
        let data = begins.starts_with(['{', '[', '"']);
        let error = if begins.starts_with("<?xml") {
            error.hint("it is XML: write `format: xml`, or ask for JSON by a header or parameter")
        } else if begins.starts_with('<') {
            error.hint(
                "it is markup: a login page, a proxy's error, or an API that needs `Accept: application/json`",
            )
        } else if self.kind.is_some_and(|kind| kind.contains("csv")) {
            error.hint("it is CSV: write `format: csv`, or ask for JSON by a header or parameter")
        } else {
            error
        };
        Unreadable { error, begins: if data { String::new() } else { self.begins }, again: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(body: &[u8], kind: &'static str) -> Result<Document, Unreadable> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
        let limits = crate::plan::Plan::for_tests(Vec::new()).client.limits;
        read(body.to_vec(), &headers, &FormatPlan::default(), &limits)
    }

    fn refused(body: &[u8], kind: &'static str) -> (String, bool) {
        let why = json(body, kind).unwrap_err();
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
    }

    #[test]
    fn one_document_a_line_is_read_where_the_answer_says_so() {
        let root = |body: &[u8]| {
            let document = json(body, "application/x-ndjson").unwrap();
            document.json(document.root()).to_owned()
        };
        assert_eq!(root(b"{\"id\":1}\n{\"id\":2}\n"), r#"[{"id":1},{"id":2}]"#);
        assert_eq!(root(b"{\"id\":1}\n"), r#"{"id":1}"#.to_owned());
        assert_eq!(root(b"{\n\"id\":1}"), "{\n\"id\":1}");
        let (said, again) = refused(b"{\"id\":1}\n{\"id\"", "application/x-ndjson");
        assert!(
            said.contains("one JSON document a line (body: 14 bytes of application/x-ndjson, line: 2)")
                && again,
            "{said}"
        );
    }

    #[test]
    fn json_is_json_whatever_its_content_type_says() {
        assert!(json(b"[1]", "text/html").is_ok());
    }
}
