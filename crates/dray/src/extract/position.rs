//! Where a partition stands, and how it is carried on: its last loaded page is read once more, and what is known of it
//! is left out.
//!
//! Reading that page again proves that the list still is what it was: a token may have expired, and pages that are
//! counted move when records come or go. It is the only page of a chain that is ever read twice.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use url::Url;

use super::incremental::Seen;
use super::paginate::{Memory, Token, record_digest};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, NodeId};

/// Where a partition stands: after its page `number`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The page's number in its chain.
    pub(super) number: u64,
    /// What asked for it; none where that cannot be stored.
    pub(super) token: Option<StoredToken>,
    /// Digests of its records.
    pub(super) records: Vec<u64>,
    /// What the chain knew before it.
    pub(super) memory: Memory,
    /// How far the cursor was after it.
    pub(super) seen: Option<Seen>,
}

/// A page token as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredToken {
    First,
    Cursor(String),
    Offset(u64),
    Page(u64),
    Link(String),
}

impl StoredToken {
    /// A token that holds no secret: what `Session::storable` gives.
    pub(super) fn of(token: &Token) -> Self {
        match token {
            Token::First => Self::First,
            Token::Cursor(cursor) => Self::Cursor(cursor.clone()),
            Token::Offset(number) => Self::Offset(*number),
            Token::Page(number) => Self::Page(*number),
            Token::Link(url) => Self::Link(url.as_str().to_owned()),
        }
    }

    fn token(&self) -> Option<Token> {
        Some(match self {
            Self::First => Token::First,
            Self::Cursor(cursor) => Token::Cursor(cursor.clone()),
            Self::Offset(number) => Token::Offset(*number),
            Self::Page(number) => Token::Page(*number),
            Self::Link(url) => Token::Link(Url::parse(url).ok()?),
        })
    }
}

impl Position {
    /// The token that asks for its page again.
    pub(super) fn token(&self) -> Result<Token> {
        self.token
            .as_ref()
            .and_then(StoredToken::token)
            .ok_or_else(|| stale("the page's token could not be stored"))
    }
}

/// The list is not what it was: the pass must start over.
pub(super) fn stale(why: &str) -> Error {
    Error::new(ErrorKind::Stale, "cannot go on where an earlier run stopped").with("path", why)
}

/// What tells records apart: the primary key where a record has all of it, else the whole record.
pub(super) fn digests(document: &Document, records: &[NodeId], key: &[String]) -> Vec<u64> {
    records.iter().map(|record| record_digest(document, *record, key)).collect()
}

/// What a resumed chain still has to recognise.
#[derive(Debug)]
pub(super) struct Anchor {
    records: Vec<u64>,
    /// The page itself was found again; what remains may have moved to the pages after it.
    found: bool,
}

impl Anchor {
    pub(super) fn new(position: &Position) -> Self {
        Self { records: position.records.clone(), found: false }
    }

    /// Whether the page was read again and recognised.
    pub(super) fn is_found(&self) -> bool {
        self.found
    }

    /// Whether there is nothing left to recognise.
    pub(super) fn is_spent(&self) -> bool {
        self.found && self.records.is_empty()
    }

    /// Which records of a page are new.
    ///
    /// Records put in at the front of a counted list push known ones onto later pages: the page then begins with
    /// records of the page before it, which are known too, followed by the first of its own.
    pub(super) fn fresh(&mut self, page: &[u64]) -> Result<Vec<bool>> {
        let known: HashSet<u64> = self.records.iter().copied().collect();
        if self.found {
            let fresh: Vec<bool> = page.iter().map(|record| !known.contains(record)).collect();
            // Neighbours only: once a page has none of them, none will follow.
            if fresh.iter().all(|fresh| *fresh) {
                self.records.clear();
            } else {
                self.records.retain(|record| !page.contains(record));
            }
            return Ok(fresh);
        }
        self.found = true;
        let Some(first) = page.iter().position(|record| known.contains(record)) else {
            // An empty page has nothing to recognise.
            return if known.is_empty() {
                Ok(vec![true; page.len()])
            } else {
                Err(stale("the last page has none of the records that it had"))
            };
        };
        let own = &page[first..];
        let pushed = first > 0 && self.records.starts_with(own);
        let fresh =
            page.iter().enumerate().map(|(at, record)| !(known.contains(record) || pushed && at < first));
        let fresh = fresh.collect();
        self.records.retain(|record| !page.contains(record));
        Ok(fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(records: &[u64]) -> Anchor {
        Anchor { records: records.to_vec(), found: false }
    }

    /// The records of each page that are new.
    fn fresh(anchor: &mut Anchor, page: &[u64]) -> Vec<u64> {
        let fresh = anchor.fresh(page).unwrap();
        page.iter().zip(fresh).filter(|(_, fresh)| *fresh).map(|(record, _)| *record).collect()
    }

    #[test]
    fn the_same_page_has_nothing_new() {
        let mut anchor = anchor(&[3, 4]);
        assert_eq!(fresh(&mut anchor, &[3, 4]), [0; 0]);
        assert!(anchor.is_spent());
    }

    #[test]
    fn what_moved_up_after_a_deletion_is_new() {
        let mut anchor = anchor(&[3, 4, 5]);
        assert_eq!(fresh(&mut anchor, &[4, 5, 6]), [6]);
        assert_eq!(fresh(&mut anchor, &[7, 8, 9]), [7, 8, 9]);
        assert!(anchor.is_spent());
    }

    #[test]
    fn what_was_pushed_onto_later_pages_is_known() {
        let mut anchor = anchor(&[3, 4, 5]);
        assert_eq!(fresh(&mut anchor, &[1, 2, 3]), [0; 0]);
        assert!(!anchor.is_spent());
        assert_eq!(fresh(&mut anchor, &[4, 5, 6]), [6]);
        assert!(anchor.is_spent());
    }

    #[test]
    fn a_record_put_between_known_ones_is_new() {
        assert_eq!(fresh(&mut anchor(&[3, 5]), &[3, 4, 5, 6]), [4, 6]);
    }

    #[test]
    fn a_page_without_any_known_record_is_stale() {
        assert_eq!(anchor(&[3]).fresh(&[7, 8]).unwrap_err().kind(), ErrorKind::Stale);
        assert_eq!(anchor(&[3]).fresh(&[]).unwrap_err().kind(), ErrorKind::Stale);
        assert_eq!(fresh(&mut anchor(&[]), &[7]), [7]);
    }
}
