//! What a page says of the next one: token, link, flag, total.

use http::HeaderMap;
use url::Url;

use super::{PageFacts, Token};
use crate::error::{Error, ErrorKind, Result};
use crate::extract::request::without_user;
use crate::json::{Document, Kind, NodeId, Path};
use crate::plan::{CursorSource, HasMore, TotalSource};

pub(super) fn pagination(message: &str) -> Error {
    Error::new(ErrorKind::Pagination, message)
}

/// The scalar at a path; none for nothing, null and empty text. A list or an object is an error: taken for nothing, it
/// would end the chain in silence.
fn scalar(document: &Document, from: NodeId, path: &Path) -> Result<Option<String>> {
    let container = || {
        pagination("what should lead to the next page is neither text nor a number")
            .with("path", path)
            .hint("point the path at the value itself")
    };
    let found = path.first(document, from);
    if found.is_some_and(|id| matches!(document.kind(id), Kind::Array | Kind::Object)) {
        return Err(container());
    }
    let text = found.and_then(|id| document.scalar(id)).map(std::borrow::Cow::into_owned);
    Ok(text.filter(|text| !text.is_empty()))
}

/// The flag that says whether more follows, if there is one.
pub(super) fn has_more(flag: Option<&HasMore>, page: &PageFacts<'_>) -> Result<Option<bool>> {
    let Some(flag) = flag else { return Ok(None) };
    let text = scalar(page.document, page.document.root(), &flag.path)?;
    match text.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("true" | "1" | "yes") => Ok(Some(true)),
        Some("false" | "0" | "no") => Ok(Some(false)),
        None if !flag.required => Ok(None),
        other => Err(pagination("the page has no true or false where `has_more_path` points")
            .with("path", &flag.path)
            .with("found", other.unwrap_or("nothing"))),
    }
}

/// The count in an answer, if it is a number.
pub(super) fn total(page: &PageFacts<'_>, from: &TotalSource) -> Option<u64> {
    let text = match from {
        TotalSource::Body(path) => scalar(page.document, page.document.root(), path).ok().flatten()?,
        TotalSource::Header(name) => page.headers.get(name)?.to_str().ok()?.to_owned(),
    };
    text.trim().parse().ok()
}

/// The cursor of a page; empty, null, false and zero are none (dlt.md §1.6).
pub(super) fn cursor(from: &CursorSource, page: &PageFacts<'_>) -> Result<Option<Token>> {
    let found = match from {
        CursorSource::Body(path) => scalar(page.document, page.document.root(), path)?,
        CursorSource::LastRecord(path) => match page.records.last() {
            Some(record) => Some(last_field(page.document, *record, path)?),
            None => None,
        },
        CursorSource::Header(name) => {
            page.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        }
    };
    Ok(found.filter(|cursor| !matches!(cursor.as_str(), "" | "0" | "false")).map(Token::Cursor))
}

/// A last record without the field would end the chain in silence.
fn last_field(document: &Document, record: NodeId, path: &Path) -> Result<String> {
    scalar(document, record, path)?.ok_or_else(|| {
        let keys: Vec<_> =
            document.entries(record).filter_map(|(key, _)| document.text(key)).take(30).collect();
        pagination("the page's last record lacks the field that asks for the next page")
            .with("path", path)
            .with("found", keys.join(", "))
    })
}

/// The link in the body.
pub(super) fn json_link(path: &Path, page: &PageFacts<'_>) -> Result<Option<Token>> {
    let text = scalar(page.document, page.document.root(), path)?.filter(|text| text != "false");
    resolve(page.url, text.as_deref())
}

/// The link in the headers.
pub(super) fn header_link(rel: &str, page: &PageFacts<'_>) -> Result<Option<Token>> {
    resolve(page.url, link(page.headers, rel).as_deref())
}

fn resolve(url: &Url, link: Option<&str>) -> Result<Option<Token>> {
    let Some(link) = link else { return Ok(None) };
    match url.join(link) {
        Ok(next) => Ok(Some(Token::Link(without_user(next)))),
        Err(error) => Err(pagination("the link to the next page is not a URL").caused_by(error)),
    }
}

/// The target of `rel` in `Link` headers (RFC 8288).
pub(in crate::extract) fn link(headers: &HeaderMap, rel: &str) -> Option<String> {
    for value in headers.get_all(http::header::LINK) {
        let mut rest = value.to_str().ok()?;
        while let Some((_, after)) = rest.split_once('<') {
            let (target, parameters) = after.split_once('>')?;
            let (own, following) = match parameters.find(",<").or_else(|| parameters.find(", <")) {
                Some(end) => parameters.split_at_checked(end)?,
                None => (parameters, ""),
            };
            let matches =
                own.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("rel")
                        && value
                            .trim()
                            .trim_matches('"')
                            .split_whitespace()
                            .any(|one| one.eq_ignore_ascii_case(rel))
                });
            if matches {
                return Some(target.trim().to_owned());
            }
            rest = following;
        }
    }
    None
}
