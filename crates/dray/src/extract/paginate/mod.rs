//! Paging as a pure step: what was sent and what came, to what is sent next (dlt.md §1.6, apis.md §6.1).
//!
//! Every rule can end a chain and none can restart one. A stop that may mean missing data is an error.

mod detect;

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use http::HeaderMap;
use url::Url;

pub(super) use detect::detect;

use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, Kind, NodeId, Path};
use crate::plan::{CursorSource, PaginatorPlan, Paging};

/// What asks for a page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Token {
    /// The first page, of paginators that need nothing for it.
    First,
    /// A cursor, as the API gave it.
    Cursor(String),
    /// Records to skip.
    Offset(u64),
    /// A page's number.
    Page(u64),
    /// The whole URL.
    Link(Url),
}

/// What the step needs of a page.
pub(super) struct PageFacts<'a> {
    pub(super) document: &'a Document,
    /// Records found by the selector, before any is dropped.
    pub(super) records: &'a [NodeId],
    pub(super) headers: &'a HeaderMap,
    /// Where the page came from, after redirects.
    pub(super) url: &'a Url,
}

/// What follows a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another page.
    Page(Token),
    /// The chain is complete.
    Done,
}

/// The state of one chain: what was asked and seen, so that it always ends.
#[derive(Debug)]
pub(super) struct Chain {
    seen: HashSet<u64>,
    /// Digest of the last page's body, if it had records.
    last_body: Option<u64>,
    /// Records received so far.
    received: u64,
    /// The largest total that the API named.
    total: Option<u64>,
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Chain {
    pub(super) fn new() -> Self {
        Self { seen: HashSet::new(), last_body: None, received: 0, total: None }
    }

    /// The token of the first page.
    pub(super) fn first(paging: &Paging) -> Token {
        match paging.paginator {
            PaginatorPlan::Offset { start, .. } => Token::Offset(start),
            PaginatorPlan::PageNumber { start, .. } => Token::Page(start),
            _ => Token::First,
        }
    }

    /// What follows the page that `sent` asked for.
    pub(super) fn next(&mut self, paging: &Paging, sent: &Token, page: &PageFacts<'_>) -> Result<Next> {
        self.seen.insert(digest(sent));
        let count = u64::try_from(page.records.len()).unwrap_or(u64::MAX);
        self.received += count;
        let next = self.step(paging, sent, page, count)?;
        if let Next::Page(token) = &next {
            self.guard(token, page, count)?;
        }
        Ok(next)
    }

    /// The same token twice, or the same page twice in a row, is a loop.
    fn guard(&mut self, token: &Token, page: &PageFacts<'_>, count: u64) -> Result<()> {
        if self.seen.contains(&digest(token)) {
            return Err(pagination("the API gives a page token that it gave before: paging would never end")
                .with("token", shown(token)));
        }
        let body = (count > 0).then(|| digest(&page.document.body()));
        if body.is_some() && body == self.last_body {
            return Err(pagination("the API answers with the same page again: paging would never end")
                .with("token", shown(token))
                .hint("check the name of the parameter that asks for the next page"));
        }
        self.last_body = body;
        Ok(())
    }

    fn step(&mut self, paging: &Paging, sent: &Token, page: &PageFacts<'_>, count: u64) -> Result<Next> {
        let more = has_more(paging, page)?;
        match &paging.paginator {
            PaginatorPlan::SinglePage | PaginatorPlan::Auto => Ok(Next::Done),
            PaginatorPlan::Cursor { from, .. } => {
                if count == 0 && paging.stop_after_empty_page {
                    return self.stop_at_empty(more);
                }
                let token = cursor(from, page);
                follow(token.map(Token::Cursor), more)
            }
            PaginatorPlan::JsonLink { path } => {
                let link = path.first(page.document, page.document.root());
                let text = link.and_then(|id| page.document.text(id)).filter(|text| !text.is_empty());
                follow(resolve(page.url, text.as_deref())?, more)
            }
            PaginatorPlan::HeaderLink { rel } => {
                follow(resolve(page.url, link_header(page.headers, rel).as_deref())?, more)
            }
            PaginatorPlan::Offset { maximum, .. } => {
                let Token::Offset(offset) = sent else { return Ok(Next::Done) };
                // A server may cap the page: what was received counts, not what was asked for.
                let next = offset + count;
                self.count_total(paging, page)?;
                let required = paging.total.as_ref().is_some_and(|total| total.required);
                // A total that nobody named as such and that is smaller than what came counts something else.
                let known = self.total.filter(|total| required || *total >= self.received);
                self.by_number(
                    paging,
                    more,
                    count,
                    known.map(|total| next >= total),
                    maximum.map(|last| next >= last),
                    || Token::Offset(next),
                )
            }
            PaginatorPlan::PageNumber { base, maximum, .. } => {
                let Token::Page(number) = sent else { return Ok(Next::Done) };
                let next = number + 1;
                self.count_total(paging, page)?;
                let required = paging.total.as_ref().is_some_and(|total| total.required);
                let last = self.total.map(|pages| next >= pages.saturating_add(*base));
                // Without being told, a total may count records: then it says nothing of an empty page.
                let last = last.filter(|last| required || *last || count > 0);
                self.by_number(paging, more, count, last, maximum.map(|last| next >= last), || {
                    Token::Page(next)
                })
            }
        }
    }

    /// The rules of paginators that count: total, flag, maximum, empty and short page.
    fn by_number(
        &self,
        paging: &Paging,
        more: Option<bool>,
        count: u64,
        total_reached: Option<bool>,
        maximum_reached: Option<bool>,
        next: impl FnOnce() -> Token,
    ) -> Result<Next> {
        if maximum_reached == Some(true) {
            return Ok(Next::Done);
        }
        if count == 0 {
            if total_reached == Some(false) {
                return Err(pagination(
                    "a page is empty although the API's total says that more records follow",
                )
                .with("received", self.received)
                .with("total", self.total.unwrap_or_default()));
            }
            if more == Some(true) {
                return Err(pagination("a page is empty although the API says that more follow"));
            }
            if paging.stop_after_empty_page || total_reached == Some(true) || more == Some(false) {
                return Ok(Next::Done);
            }
        }
        if more == Some(false) || total_reached == Some(true) {
            // A total that says more than the flag is believed: a record too many is better than one too few.
            if !(more == Some(false) && total_reached == Some(false)) {
                return Ok(Next::Done);
            }
        }
        let short = paging.limit.is_some_and(|limit| count < limit);
        if short && paging.stop_after_short_page && more != Some(true) && total_reached != Some(false) {
            return Ok(Next::Done);
        }
        Ok(Next::Page(next()))
    }

    fn stop_at_empty(&self, more: Option<bool>) -> Result<Next> {
        if more == Some(true) {
            return Err(pagination("a page is empty although the API says that more follow")
                .with("received", self.received));
        }
        Ok(Next::Done)
    }

    /// Reads the total; of totals that change the largest counts.
    fn count_total(&mut self, paging: &Paging, page: &PageFacts<'_>) -> Result<()> {
        let Some(total) = &paging.total else { return Ok(()) };
        let found = total.path.first(page.document, page.document.root());
        let number =
            found.and_then(|id| page.document.scalar(id)).and_then(|text| text.trim().parse::<u64>().ok());
        match number {
            Some(number) => self.total = Some(self.total.map_or(number, |known| known.max(number))),
            None if total.required && page.records.is_empty() => {}
            None if total.required => {
                return Err(pagination("the page has no total where the configuration says")
                    .with("path", &total.path)
                    .hint("set `total_path: null` if the API gives none"));
            }
            None => {}
        }
        Ok(())
    }
}

fn pagination(message: &str) -> Error {
    Error::new(ErrorKind::Pagination, message)
}

/// A token in a message: a link is not shown, it may hold a key.
fn shown(token: &Token) -> String {
    match token {
        Token::First => "none".to_owned(),
        Token::Cursor(cursor) => cursor.clone(),
        Token::Offset(number) | Token::Page(number) => number.to_string(),
        Token::Link(url) => url.path().to_owned(),
    }
}

/// The token leads on, and the flag must agree.
fn follow(token: Option<Token>, more: Option<bool>) -> Result<Next> {
    match (token, more) {
        (Some(_), Some(false)) | (None, Some(false) | None) => Ok(Next::Done),
        (Some(token), _) => Ok(Next::Page(token)),
        (None, Some(true)) => {
            Err(pagination("the API says that more pages follow, but gives no token for the next one"))
        }
    }
}

/// The flag that says whether more follows, if there is one.
fn has_more(paging: &Paging, page: &PageFacts<'_>) -> Result<Option<bool>> {
    let Some(flag) = &paging.has_more else { return Ok(None) };
    let found = flag.path.first(page.document, page.document.root());
    let text = found.and_then(|id| page.document.scalar(id));
    match text.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("true" | "1" | "yes") => Ok(Some(true)),
        Some("false" | "0" | "no") => Ok(Some(false)),
        None if !flag.required => Ok(None),
        other => Err(pagination("the page has no true or false where `has_more_path` points")
            .with("path", &flag.path)
            .with("found", other.unwrap_or("nothing"))),
    }
}

/// The cursor of a page; empty, null, false and zero are none (dlt.md §1.6).
fn cursor(from: &CursorSource, page: &PageFacts<'_>) -> Option<String> {
    let text = |path: &Path, start| {
        let id = path.first(page.document, start)?;
        if page.document.kind(id) == Kind::False {
            return None;
        }
        page.document.scalar(id).map(std::borrow::Cow::into_owned)
    };
    let found = match from {
        CursorSource::Body(path) if path.is_full() => {
            path.extract_first(page.document, page.document.root()).and_then(|value| {
                value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|number| number.to_string()))
            })
        }
        CursorSource::Body(path) => text(path, page.document.root()),
        CursorSource::LastRecord(path) => text(path, *page.records.last()?),
        CursorSource::Header(name) => page.headers.get(name)?.to_str().ok().map(str::to_owned),
    };
    found.filter(|cursor| !cursor.is_empty() && cursor != "0")
}

fn resolve(url: &Url, link: Option<&str>) -> Result<Option<Token>> {
    let Some(link) = link else { return Ok(None) };
    match url.join(link) {
        Ok(next) => Ok(Some(Token::Link(next))),
        Err(error) => Err(pagination("the link to the next page is not a URL").caused_by(error)),
    }
}

/// The target of `rel` in `Link` headers (RFC 8288).
fn link_header(headers: &HeaderMap, rel: &str) -> Option<String> {
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
