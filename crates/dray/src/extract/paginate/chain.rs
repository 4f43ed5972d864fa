//! One chain of pages: what was asked and seen, and what follows from it.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::locate::{cursor, has_more, header_link, json_link, pagination, total};
use super::{Next, PageFacts, Token};
use crate::error::Result;
use crate::plan::{PaginatorPlan, Paging};

/// The state of one chain, kept so that it always ends.
#[derive(Debug)]
pub(in crate::extract) struct Chain {
    /// Digests of the tokens sent.
    tokens: HashSet<u64>,
    /// Digests of the pages that a new one may not repeat.
    pages: HashSet<u64>,
    /// Records received so far.
    received: u64,
    /// Records of the largest page so far.
    largest: u64,
    /// The largest total that the API named.
    total: Option<u64>,
    /// The next page is asked for only because the last one was short.
    unsure: bool,
    /// The API itself said that there is a next page.
    promised: bool,
}

/// What a chain remembers of its pages, apart from what guards it against loops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::extract) struct Memory {
    received: u64,
    largest: u64,
    total: Option<u64>,
}

/// What the page says of the end, to paginators that count.
struct Signs {
    /// Its records.
    count: u64,
    more: Option<bool>,
    total_reached: Option<bool>,
    maximum_reached: bool,
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Chain {
    pub(in crate::extract) fn new() -> Self {
        Self {
            tokens: HashSet::new(),
            pages: HashSet::new(),
            received: 0,
            largest: 0,
            total: None,
            unsure: false,
            promised: false,
        }
    }

    /// A chain that goes on from what an earlier one remembered.
    pub(in crate::extract) fn resumed(memory: Memory) -> Self {
        let Memory { received, largest, total } = memory;
        Self { received, largest, total, ..Self::new() }
    }

    /// What it remembers so far.
    pub(in crate::extract) fn memory(&self) -> Memory {
        Memory { received: self.received, largest: self.largest, total: self.total }
    }

    /// The token of the first page.
    pub(in crate::extract) fn first(paging: &Paging) -> Token {
        match paging.paginator {
            PaginatorPlan::Offset { start, .. } => Token::Offset(start),
            PaginatorPlan::PageNumber { start, .. } => Token::Page(start),
            _ => Token::First,
        }
    }

    /// The page that comes next is most likely beyond the end, and an API may answer with 404 there.
    pub(in crate::extract) fn is_unsure(&self) -> bool {
        self.unsure
    }

    /// The API has said that there is the page that comes next: by a token, a link, a total or a flag.
    pub(in crate::extract) fn is_promised(&self) -> bool {
        self.promised
    }

    /// Whether the API has named a total that is not reached.
    pub(in crate::extract) fn expects_more(&self) -> bool {
        self.total.is_some_and(|total| total > self.received)
    }

    /// What follows the page that `sent` asked for.
    pub(in crate::extract) fn next(
        &mut self,
        paging: &Paging,
        sent: &Token,
        page: &PageFacts<'_>,
    ) -> Result<Next> {
        self.tokens.insert(digest(sent));
        self.unsure = false;
        self.promised =
            !matches!(paging.paginator, PaginatorPlan::Offset { .. } | PaginatorPlan::PageNumber { .. });
        let count = u64::try_from(page.records.len()).unwrap_or(u64::MAX);
        self.received += count;
        let next = self.step(paging, sent, page, count)?;
        self.refuse_repeated(paging, page, &next)?;
        self.largest = self.largest.max(count);
        if let Next::Page(token) = &next
            && self.tokens.contains(&digest(token))
        {
            return Err(pagination("the API gives a page token that it gave before: paging would never end")
                .with("token", shown(token)));
        }
        Ok(next)
    }

    /// The same page twice is a loop. Who counts is told so by the records alone, of all pages: the API may put a clock
    /// beside them, or begin again from the front. Elsewhere the token is watched, and only the neighbour compared.
    fn refuse_repeated(&mut self, paging: &Paging, page: &PageFacts<'_>, next: &Next) -> Result<()> {
        if page.records.is_empty() {
            return Ok(());
        }
        let counts =
            matches!(paging.paginator, PaginatorPlan::Offset { .. } | PaginatorPlan::PageNumber { .. });
        let seen = if counts {
            let mut hasher = DefaultHasher::new();
            for record in page.records {
                hasher.write(page.document.raw(*record));
                hasher.write_u8(0);
            }
            hasher.finish()
        } else {
            digest(&page.document.body())
        };
        let known = self.pages.contains(&seen);
        if known && (counts || matches!(next, Next::Page(_))) {
            return Err(pagination("the API answers with the same page again: paging would never end")
                .with("received", self.received)
                .hint("check the name of the parameter that asks for the next page"));
        }
        if !counts {
            self.pages.clear();
        }
        self.pages.insert(seen);
        Ok(())
    }

    fn step(&mut self, paging: &Paging, sent: &Token, page: &PageFacts<'_>, count: u64) -> Result<Next> {
        let more = has_more(paging.has_more.as_ref(), page)?;
        match &paging.paginator {
            PaginatorPlan::SinglePage | PaginatorPlan::Auto => Ok(Next::Done),
            PaginatorPlan::Cursor { from, .. } => {
                if count == 0 && paging.stop_after_empty_page {
                    return self.stop_at_empty(more);
                }
                // What the flag ends needs no token.
                if more == Some(false) {
                    return Ok(Next::Done);
                }
                follow(cursor(from, page)?, more)
            }
            PaginatorPlan::JsonLink { path } => follow(json_link(path, page)?, more),
            PaginatorPlan::HeaderLink { rel } => follow(header_link(rel, page)?, more),
            PaginatorPlan::Offset { maximum, .. } => {
                let Token::Offset(offset) = sent else { return Ok(Next::Done) };
                // A server may cap the page: what was received counts, not what was asked for.
                let next = offset + count;
                self.count_total(paging, page)?;
                let required = paging.total.as_ref().is_some_and(|total| total.required);
                // A total that nobody named as such and that is smaller than what came counts something else.
                let known = self.total.filter(|total| required || *total >= self.received);
                let signs = Signs {
                    count,
                    more,
                    total_reached: known.map(|total| next >= total),
                    maximum_reached: maximum.is_some_and(|last| next >= last),
                };
                self.by_number(paging, &signs, Token::Offset(next))
            }
            PaginatorPlan::PageNumber { base, maximum, .. } => {
                let Token::Page(number) = sent else { return Ok(Next::Done) };
                let next = number + 1;
                self.count_total(paging, page)?;
                let required = paging.total.as_ref().is_some_and(|total| total.required);
                let last = self.total.map(|pages| next >= pages.saturating_add(*base));
                // Without being told, a total may count records: then it says nothing of an empty page.
                let last = last.filter(|last| required || *last || count > 0);
                let maximum_reached = maximum.is_some_and(|last| next >= last);
                let signs = Signs { count, more, total_reached: last, maximum_reached };
                self.by_number(paging, &signs, Token::Page(next))
            }
        }
    }

    /// The rules of paginators that count: total, flag, maximum, empty and short page.
    fn by_number(&mut self, paging: &Paging, signs: &Signs, next: Token) -> Result<Next> {
        let Signs { count, more, total_reached, maximum_reached } = *signs;
        if maximum_reached {
            return Ok(Next::Done);
        }
        if count == 0 {
            if total_reached == Some(false) {
                return Err(pagination(
                    "a page is empty although the API's total says that more records follow",
                )
                .with("received", self.received)
                .with("total", self.total.unwrap_or_default())
                .hint("set `total_path: null` if that number counts something else"));
            }
            if more == Some(true) {
                return Err(pagination("a page is empty although the API says that more follow"));
            }
            if paging.stop_after_empty_page || total_reached == Some(true) || more == Some(false) {
                return Ok(Next::Done);
            }
        }
        // A total that says more than the flag is believed: a record too many is better than one too few.
        if total_reached == Some(true) || (more == Some(false) && total_reached.is_none()) {
            return Ok(Next::Done);
        }
        let told = more == Some(true) || total_reached == Some(false);
        let short = paging.stop_after_short_page && !told && paging.limit.is_some_and(|limit| count < limit);
        // A server may cap its pages below the limit: a page is short for certain only beside a longer one.
        if short && count < self.largest {
            return Ok(Next::Done);
        }
        self.unsure = short;
        self.promised = told;
        Ok(Next::Page(next))
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
        let Some(plan) = &paging.total else { return Ok(()) };
        match total(page, &plan.path) {
            Some(number) => self.total = Some(self.total.map_or(number, |known| known.max(number))),
            None if plan.required && !page.records.is_empty() => {
                return Err(pagination("the page has no total where the configuration says")
                    .with("path", &plan.path)
                    .hint("set `total_path: null` if the API gives none"));
            }
            None => {}
        }
        Ok(())
    }
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
