//! One chain of pages: what was asked and seen, and what follows from it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::by_number::{Bound, Onward, Signs, bound, step};
use super::cycle::Cycle;
use super::drift::{Arrival, Drift, Events, Seen, Steps, Verdict};
use super::identity::{Identity, digest};
use super::locate::{cursor, has_more, header_link, json_link, pagination, total};
use super::{Next, PageFacts, Token};
use crate::error::Result;
use crate::plan::{DriftWatch, PaginatorPlan, Paging, ResourcePlan};

/// Empty pages in a row, each with a new token: more than any filter leaves over.
const EMPTY: u32 = 1000;

/// The state of one chain, kept so that it always ends.
#[derive(Debug)]
pub(in crate::extract) struct Chain {
    identity: Identity,
    /// Digests of the tokens sent.
    tokens: HashSet<u64>,
    cycle: Cycle,
    /// Empty pages since the last one with records.
    empty: u32,
    /// Of paginators that count; made when the first page has shown which it is.
    drift: Option<Drift>,
    received: u64,
    /// Records of the largest page so far.
    largest: u64,
    /// The next page is asked for only because the last one was short.
    unsure: bool,
    /// The API itself said that there is a next page.
    promised: bool,
    /// It ends where the configuration says, not where the list does.
    limited: bool,
    verdict: Verdict,
    /// What an earlier run remembered.
    before: Memory,
}

/// What a chain remembers of its pages, apart from what guards it against loops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::extract) struct Memory {
    pub(super) received: u64,
    largest: u64,
    #[serde(default)]
    pub(super) total: Option<u64>,
}

/// How complete a chain is, now that it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extract) struct Ended {
    pub(in crate::extract) verdict: Verdict,
    /// The API's last total, and the records that came, each counted once; where there is a verdict.
    pub(in crate::extract) total: u64,
    pub(in crate::extract) counted: u64,
    pub(in crate::extract) events: Events,
}

impl Chain {
    pub(in crate::extract) fn new(plan: &ResourcePlan) -> Self {
        Self {
            identity: Identity::new(plan),
            tokens: HashSet::new(),
            cycle: Cycle::default(),
            empty: 0,
            drift: None,
            received: 0,
            largest: 0,
            unsure: false,
            promised: false,
            limited: false,
            verdict: Verdict::Unknown,
            before: Memory::default(),
        }
    }

    /// A chain that goes on from what an earlier one remembered. To it the list begins with the page that is read again: that
    /// page proves that nothing before it has shifted, and from there on it is watched as any other.
    pub(in crate::extract) fn resumed(plan: &ResourcePlan, memory: Memory) -> Self {
        let Memory { received, largest, .. } = memory;
        Self { received, largest, before: memory, ..Self::new(plan) }
    }

    /// What it remembers so far.
    pub(in crate::extract) fn memory(&self) -> Memory {
        let (received, total) = match &self.drift {
            Some(drift) => (drift.received(), drift.totals().0),
            None => (self.received, self.before.total),
        };
        Memory { received, largest: self.largest, total }
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

    /// Where numbers from `next` on end.
    pub(in crate::extract) fn bound(&self, paging: &Paging, next: &Token) -> Bound {
        match next {
            Token::Offset(next) | Token::Page(next) => {
                bound(paging, *next, self.memory().total, self.largest)
            }
            _ => Bound::default(),
        }
    }

    /// Whether the API has named a total that is not reached.
    pub(in crate::extract) fn expects_more(&self) -> bool {
        let Memory { received, total, .. } = self.memory();
        total.is_some_and(|total| total > received)
    }

    /// Every page so far followed the one before it. Not so while pages are read again.
    pub(in crate::extract) fn is_straight(&self) -> bool {
        self.drift.as_ref().is_none_or(Drift::is_straight)
    }

    /// To go on from the last token loses and doubles nothing. Not so where the list must be read again from its beginning.
    pub(in crate::extract) fn may_be_carried_on(&self) -> bool {
        self.is_straight() && !self.drift.as_ref().is_some_and(Drift::is_disturbed)
    }

    /// The page that comes next was asked for before its turn.
    pub(in crate::extract) fn hurry(&mut self) {
        if let Some(drift) = &mut self.drift {
            drift.hurry();
        }
    }

    /// Nothing points to the end of the list or to a change in it, and if it changed, that would be noticed.
    pub(in crate::extract) fn may_hurry(&self) -> bool {
        self.is_straight() && !self.unsure && self.drift.as_ref().is_some_and(Drift::may_hurry)
    }

    /// Records of the page that came last which came before or must wait, by their place: they are not handed on.
    pub(in crate::extract) fn dropped(&self) -> &[usize] {
        self.drift.as_ref().map_or(&[], Drift::dropped)
    }

    /// How complete it is.
    pub(in crate::extract) fn ended(&self) -> Ended {
        let drift = self.drift.as_ref();
        Ended {
            verdict: self.verdict,
            total: drift.and_then(|drift| drift.totals().1).unwrap_or_default(),
            counted: drift.map_or(self.received, Drift::distinct),
            events: drift.map(|drift| drift.events).unwrap_or_default(),
        }
    }

    /// What follows the page that `sent` asked for.
    pub(in crate::extract) fn next(
        &mut self,
        paging: &Paging,
        sent: &Token,
        page: &PageFacts<'_>,
    ) -> Result<Next> {
        let more = match (has_more(paging.has_more.as_ref(), page)?, page.last) {
            (Some(true), true) => {
                return Err(pagination("`response_actions` ends the list on a page that says more follow")
                    .hint("narrow the rule of `action: end`, or leave `has_more_path` out"));
            }
            (_, true) => Some(false),
            (more, false) => more,
        };
        if let Token::Offset(at) | Token::Page(at) = sent {
            let total = self.count_total(paging, page)?;
            let ids = self.identity.of(page.document, page.records);
            let mark = self.identity.mark(page.document, page.records);
            return self.count(paging, *at, (&ids, mark), total, more);
        }
        self.tokens.insert(digest(sent));
        self.unsure = false;
        self.promised = true;
        self.received += u64::try_from(page.records.len()).unwrap_or(u64::MAX);
        let next = self.step(paging, page, more)?;
        self.refuse_repeated(page, &next)?;
        if let Next::Page(token) = &next
            && self.tokens.contains(&digest(token))
        {
            return Err(pagination("the API gives a page token that it gave before: paging would never end")
                .with("token", shown(token)));
        }
        Ok(next)
    }

    /// What follows where `sent` got no page at all (204, or a 404 beyond the end).
    pub(in crate::extract) fn nothing(&mut self, paging: &Paging, sent: &Token) -> Result<Next> {
        match sent {
            Token::Offset(at) | Token::Page(at) => self.count(paging, *at, (&[], 0), None, None),
            _ => Ok(Next::Done),
        }
    }

    /// The next number, unless the list has changed.
    fn count(
        &mut self,
        paging: &Paging,
        at: u64,
        (ids, mark): (&[u64], u64),
        total: Option<u64>,
        more: Option<bool>,
    ) -> Result<Next> {
        self.unsure = false;
        let offset = matches!(paging.paginator, PaginatorPlan::Offset { .. });
        let limited = matches!(paging.paginator, PaginatorPlan::Offset { maximum: Some(_), .. });
        let token = |at| Next::Page(if offset { Token::Offset(at) } else { Token::Page(at) });
        let steps = if offset { Steps::Records } else { Steps::Pages };
        let drift = self.drift.get_or_insert_with(|| Drift::new(paging.drift, steps, limited, self.before));
        let seen = Seen {
            at,
            ids,
            mark,
            sure: self.identity.is_sure(),
            everywhere: self.identity.everywhere(),
            drops: self.identity.drops(),
            total,
        };
        match drift.arrive(&seen)? {
            Arrival::Read => {}
            Arrival::Go(at) => return Ok(token(at)),
            Arrival::Probed => return Ok(self.end(paging)?.map_or(Next::Done, token)),
        }
        let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        let signs = Signs {
            at,
            count,
            largest: self.largest,
            more,
            totals: drift.totals(),
            distinct: drift.distinct(),
        };
        self.largest = self.largest.max(count);
        match step(paging, &signs) {
            Onward::Next { at, unsure } => {
                self.unsure = unsure;
                let awaited = drift.totals().0.is_some_and(|total| total > drift.received());
                self.promised = more == Some(true) || awaited && !unsure;
                Ok(token(drift.onward(at)))
            }
            Onward::Contradicted(error) => drift.contradicted(at).map(token).ok_or(error),
            Onward::End { limited } => {
                self.limited = limited;
                Ok(self.end(paging)?.map_or(Next::Done, token))
            }
        }
    }

    /// The list ends; where to read on all the same.
    fn end(&mut self, paging: &Paging) -> Result<Option<u64>> {
        let Some(drift) = &mut self.drift else { return Ok(None) };
        let from_middle =
            matches!(paging.paginator, PaginatorPlan::PageNumber { base, start, .. } if base != start);
        let required = paging.total.as_ref().is_some_and(|total| total.required);
        // With holes among its pages, a count of pages says nothing of the records.
        let unknown = self.limited || from_middle || paging.passes_over_empty_pages();
        let verdict = if unknown { Verdict::Unknown } else { drift.verdict(required) };
        if let Some(next) = drift.end(verdict)? {
            return Ok(Some(next));
        }
        if verdict == Verdict::Short && drift.lacks() && paging.drift != DriftWatch::Off {
            return Err(pagination("the API gives fewer records than its total says")
                .with("received", drift.distinct())
                .with("total", drift.totals().1.unwrap_or_default())
                .hint("set `total_path: null` if that number counts something else, or `drift: off` to take what comes"));
        }
        let unsettled = verdict == Verdict::Complete && drift.is_disturbed();
        self.verdict = if unsettled { Verdict::Unknown } else { verdict };
        Ok(None)
    }

    /// The token or link in the answer.
    fn step(&mut self, paging: &Paging, page: &PageFacts<'_>, more: Option<bool>) -> Result<Next> {
        self.empty = if page.records.is_empty() { self.empty + 1 } else { 0 };
        if self.empty > EMPTY {
            return Err(pagination("the API leads from one empty page to the next: paging would never end")
                .with("received", self.received)
                .hint("check the parameter that asks for the next page, and filters that nothing passes"));
        }
        match &paging.paginator {
            PaginatorPlan::Cursor { from, .. } => {
                if page.records.is_empty() && paging.stop_after_empty_page {
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
            _ => Ok(Next::Done),
        }
    }

    /// The same pages twice in a row are a loop, whatever leads from one to the next. Records alone are compared: the API
    /// may put a clock beside them.
    fn refuse_repeated(&mut self, page: &PageFacts<'_>, next: &Next) -> Result<()> {
        if page.records.is_empty() {
            return Ok(());
        }
        match self.cycle.push(self.identity.mark(page.document, page.records)) {
            Some(length) if matches!(next, Next::Page(_)) => {
                Err(pagination("the API answers with the same page again: paging would never end")
                    .with("received", self.received)
                    .with("found", format!("the last {length} and the {length} before them"))
                    .hint("check the name of the parameter that asks for the next page"))
            }
            _ => Ok(()),
        }
    }

    fn stop_at_empty(&self, more: Option<bool>) -> Result<Next> {
        if more == Some(true) {
            return Err(pagination("a page is empty although the API says that more follow")
                .with("received", self.received));
        }
        Ok(Next::Done)
    }

    /// The page's total.
    fn count_total(&self, paging: &Paging, page: &PageFacts<'_>) -> Result<Option<u64>> {
        let Some(plan) = &paging.total else { return Ok(None) };
        match total(page, &plan.from) {
            None if plan.required && !page.records.is_empty() => {
                Err(pagination("the page has no total where the configuration says")
                    .with("path", &plan.from)
                    .hint("set `total_path: null`, or leave `total_header` out, if the API gives none"))
            }
            total => Ok(total),
        }
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
