//! Paging as a pure step: what was sent and what came, to what is sent next (dlt.md §1.6, apis.md §6.1).
//!
//! A stop that may mean missing data is an error. Only `drift` leads back, and never without end.

mod by_number;
mod chain;
mod cycle;
mod detect;
mod digests;
mod drift;
mod expired;
mod identity;
mod locate;
#[cfg(test)]
mod model;
mod pass;
pub(super) mod storable;

use http::HeaderMap;
use url::Url;

pub(super) use chain::{Chain, Ended, Memory};
pub(super) use detect::find;
pub(super) use drift::Verdict;
pub(super) use expired::explained;
pub(super) use identity::record_digest;
pub(in crate::extract) use locate::link;

use crate::json::{Document, NodeId};

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
    /// `response_actions` says that the page is the list's last.
    pub(super) last: bool,
}

/// What follows a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another page.
    Page(Token),
    /// The chain is complete.
    Done,
}
