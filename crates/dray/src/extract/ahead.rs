//! Pages that are under way before they are needed: the next page of every chain while the last one is decoded, and of
//! chains that count as many after it as are sure to be needed, or nearly so.
//!
//! Nothing but time may depend on it: answers are taken in the order of the chain, those that it does not come to are
//! dropped unread, and one that means something else when it is looked at in its turn (204, 404) is asked for again then.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::auth::Authenticator;
use super::paginate::Token;
use super::request::Request;
use super::session::{Fetched, Session, Silence};
use super::stats::ResourceStats;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{AnswerRule, FormatPlan};

/// Pages of one chain under way at once, whatever `client.concurrency` allows: as many may be asked for past the end.
const MOST: usize = 16;
/// Bytes that the answers of one chain may hold while they wait.
const HELD: usize = 4 << 20;
/// Full pages before the first one is asked for that may lie past the end.
const FULL: u32 = 3;
/// Answers that were asked for in vain so often end it: these pages do not follow each other evenly.
const MISSES: u32 = 3;

/// Who asks: all that the requests of one resource share.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) index: usize,
    pub(super) session: Arc<Session>,
    pub(super) auth: Arc<Authenticator>,
    pub(super) stats: Arc<Vec<ResourceStats>>,
}

impl Asker {
    pub(super) async fn fetch(&self, ask: &Ask) -> Result<Fetched> {
        let stats =
            self.stats.get(self.index).ok_or_else(|| Error::new(ErrorKind::Bug, "no counters for it"))?;
        self.session.fetch(ask, &self.auth, stats).await
    }
}

/// A request and how its answer is read.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) request: Request,
    pub(super) rules: Arc<[AnswerRule]>,
    pub(super) format: Arc<FormatPlan>,
    pub(super) silence: Silence,
}

/// A page under way; dropped, it is given up.
#[derive(Debug)]
struct Flight {
    token: Token,
    /// It was asked for when the chain had come to it.
    sure: bool,
    /// It may be fetching a token for everybody: one that is given up half way would be lost to all, and a refresh token
    /// that the server has replaced with it.
    renewing: bool,
    task: JoinHandle<Result<Fetched>>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.renewing {
            self.task.abort();
        }
    }
}

/// The pages of one chain that are under way, in its order.
#[derive(Debug)]
pub(super) struct Ahead {
    asker: Asker,
    flights: VecDeque<Flight>,
    early: bool,
    pub(super) pace: Pace,
}

impl Ahead {
    /// `concurrency`: as in the configuration.
    pub(super) fn new(asker: Asker, concurrency: usize) -> Self {
        Self { asker, flights: VecDeque::new(), early: false, pace: Pace::new(concurrency) }
    }

    /// Asks for pages that are not under way yet: the first one is the next of the chain, the others are taken to follow it.
    pub(super) fn launch(&mut self, wanted: Vec<Token>, ask: impl Fn(&Token) -> Result<Ask>) -> Result<()> {
        if !self.flights.iter().zip(&wanted).all(|(flight, token)| flight.token == *token) {
            self.miss();
        }
        let under_way = self.flights.len();
        for (place, token) in wanted.into_iter().enumerate().skip(under_way) {
            let (asker, ask) = (self.asker.clone(), ask(&token)?);
            let task = tokio::spawn(async move { asker.fetch(&ask).await });
            let renewing = self.asker.auth.renews();
            self.flights.push_back(Flight { token, sure: place == 0, renewing, task });
        }
        Ok(())
    }

    /// The answer to `token`. `ask` is how it is asked for now that the chain has come to it.
    pub(super) async fn answer(
        &mut self,
        token: &Token,
        unsure: bool,
        ask: impl Fn(&Token) -> Result<Ask>,
    ) -> Result<Fetched> {
        if self.flights.front().is_some_and(|flight| flight.token != *token) {
            self.miss();
        }
        self.early = false;
        let Some(mut flight) = self.flights.pop_front() else { return self.asker.fetch(&ask(token)?).await };
        let landed = (&mut flight.task)
            .await
            .map_err(|error| Error::new(ErrorKind::Bug, "a request ended unexpectedly").caused_by(error))?;
        if flight.sure || stands(&landed, unsure) {
            self.early = !flight.sure;
            landed
        } else {
            self.asker.fetch(&ask(token)?).await
        }
    }

    /// Whether the last answer was asked for before the chain had come to it.
    pub(super) fn was_early(&self) -> bool {
        self.early
    }

    /// What is under way is not what follows.
    fn miss(&mut self) {
        if self.flights.iter().any(|flight| !flight.sure) {
            self.pace.missed();
        }
        self.flights.clear();
    }
}

/// Whether an answer that was not yet due is what it would be now. Where the page before it was short, 404 means that there
/// is no such page, and how 204 is taken depends on what the pages before it announced.
fn stands(landed: &Result<Fetched>, unsure: bool) -> bool {
    match landed {
        Ok(Fetched::Nothing) => false,
        Ok(_) => true,
        Err(error) => !unsure || error.fact("status") != Some("404"),
    }
}

/// A page that came, as far as it decides how many are asked for next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came {
    pub(super) records: usize,
    pub(super) bytes: usize,
    /// As in [`super::paginate::Chain::may_hurry`].
    pub(super) onward: bool,
    /// The list changed while it was read: from now on page by page, so that totals and overlaps can be compared in the
    /// order in which the API told them.
    pub(super) disturbed: bool,
    /// The first number beyond the list, where the API or the configuration tells.
    pub(super) bound: Option<u64>,
    /// The same, of the configuration alone: never to be asked for.
    pub(super) maximum: Option<u64>,
    /// Requests are numbered: the last of them must not go to a page whose predecessor then gets none.
    pub(super) sparing: bool,
}

/// How many pages are asked for ahead. Like TCP it begins with one and adds one with every full page, which doubles their
/// number once a round trip; a list of three pages costs no request more than its pages. Where the end is known there is
/// nothing to feel for.
#[derive(Debug)]
pub(super) struct Pace {
    most: usize,
    depth: usize,
    stride: Option<u64>,
    largest: usize,
    /// Full pages in a row.
    full: u32,
    misses: u32,
}

impl Pace {
    pub(super) fn new(concurrency: usize) -> Self {
        Self { most: concurrency.clamp(1, MOST), depth: 0, stride: None, largest: 0, full: 0, misses: 0 }
    }

    fn missed(&mut self) {
        self.misses += 1;
        (self.depth, self.full, self.stride) = (1, 0, None);
    }

    /// The tokens to have under way after the page that `sent` brought, `next` and those that follow it.
    pub(super) fn wanted(&mut self, sent: &Token, next: &Token, came: Came) -> Vec<Token> {
        let (Some(from), Some(to)) = (number(sent), number(next)) else { return vec![next.clone()] };
        let stride = to.checked_sub(from).filter(|stride| *stride > 0);
        let even = self.stride.is_none() || self.stride == stride;
        let full = came.onward && came.records > 0 && came.records >= self.largest;
        self.largest = self.largest.max(came.records);
        if came.disturbed {
            self.most = 1;
        }
        self.stride = stride;
        self.full = if full && even && stride.is_some() { self.full + 1 } else { 0 };
        self.depth = match self.full {
            0 => 1,
            _ if came.sparing => 1,
            _ if came.bound.is_some() => MOST,
            FULL.. => self.depth + 1,
            _ => 1,
        };
        let room = (HELD / came.bytes.max(1)).max(1);
        let most = if self.misses < MISSES { self.most.min(room) } else { 1 };
        self.depth = self.depth.min(most);
        let within = |at: u64| {
            let below = |limit: Option<u64>| limit.is_none_or(|limit| at < limit);
            below(came.bound) && below(came.maximum)
        };
        let mut wanted = vec![next.clone()];
        let mut at = to;
        while wanted.len() < self.depth {
            at = at.saturating_add(stride.unwrap_or(u64::MAX));
            if !within(at) || at == u64::MAX {
                break;
            }
            wanted.push(match next {
                Token::Page(_) => Token::Page(at),
                _ => Token::Offset(at),
            });
        }
        wanted
    }
}

fn number(token: &Token) -> Option<u64> {
    match token {
        Token::Offset(number) | Token::Page(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Came = Came {
        records: 10,
        bytes: 1000,
        onward: true,
        disturbed: false,
        bound: None,
        maximum: None,
        sparing: false,
    };

    /// What is under way after each page of a list by offset; the numbers are those that asked for the pages.
    fn offsets(pace: &mut Pace, pages: &[(u64, u64, Came)]) -> Vec<Vec<u64>> {
        let each = pages.iter().map(|(sent, next, came)| {
            let wanted = pace.wanted(&Token::Offset(*sent), &Token::Offset(*next), *came);
            wanted.iter().filter_map(number).collect()
        });
        each.collect()
    }

    #[test]
    fn one_page_more_is_asked_for_with_every_full_one() {
        let pages: Vec<_> = (0..20).map(|page| (page * 10, page * 10 + 10, PAGE)).collect();
        let wanted = offsets(&mut Pace::new(100), &pages);
        assert_eq!(wanted[..3], [vec![10], vec![20], vec![30, 40]]);
        assert_eq!(wanted.iter().map(Vec::len).max(), Some(MOST));
        let wanted = offsets(&mut Pace::new(4), &pages);
        assert_eq!(wanted.iter().map(Vec::len).max(), Some(4));
        let wanted = offsets(&mut Pace::new(1), &pages);
        assert_eq!(wanted.iter().map(Vec::len).max(), Some(1));
    }

    #[test]
    fn with_a_known_end_nothing_is_asked_for_beyond_it() {
        let known = Came { bound: Some(45), ..PAGE };
        assert_eq!(offsets(&mut Pace::new(8), &[(0, 10, known)]), [[10, 20, 30, 40]]);
        let limited = Came { bound: Some(45), maximum: Some(30), ..PAGE };
        assert_eq!(offsets(&mut Pace::new(8), &[(0, 10, limited)]), [[10, 20]]);
    }

    #[test]
    fn short_uneven_and_repeated_pages_end_the_run_ahead() {
        let short = Came { records: 4, ..PAGE };
        let again = Came { onward: false, ..PAGE };
        for last in [(30, 34, short), (30, 39, PAGE), (30, 40, again), (30, 20, PAGE)] {
            let mut pace = Pace::new(8);
            let wanted = offsets(&mut pace, &[(0, 10, PAGE), (10, 20, PAGE), (20, 30, PAGE), last]);
            assert_eq!((wanted[2].len(), wanted[3].as_slice()), (2, [last.1].as_slice()));
        }
    }

    #[test]
    fn large_pages_and_few_requests_allow_none() {
        let large = Came { bytes: HELD, ..PAGE };
        let sparing = Came { sparing: true, ..PAGE };
        for came in [large, sparing] {
            let pages = [(0, 10, came), (10, 20, came), (20, 30, came)];
            assert_eq!(offsets(&mut Pace::new(8), &pages), [[10], [20], [30]]);
        }
    }

    #[test]
    fn who_was_wrong_thrice_asks_ahead_no_more() {
        let mut pace = Pace::new(8);
        let pages = [(0, 10, PAGE), (10, 20, PAGE), (20, 30, PAGE)];
        for _ in 0..MISSES {
            assert_eq!(offsets(&mut pace, &pages)[2], [30, 40]);
            pace.missed();
        }
        assert_eq!(offsets(&mut pace, &pages)[2], [30]);
    }

    #[test]
    fn tokens_of_the_api_are_followed_one_by_one() {
        let mut pace = Pace::new(8);
        let next = Token::Cursor("b".to_owned());
        assert_eq!(pace.wanted(&Token::First, &next, PAGE), [next]);
    }
}
