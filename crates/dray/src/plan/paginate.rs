//! Paging, decided: where the next page's token is and what ends a chain.

use std::fmt;

use crate::json::Path;

/// How the pages of one chain follow each other (dlt.md §1.6; seed-dialect.md §2).
#[derive(Debug, Clone)]
pub struct Paging {
    /// Where the next page comes from.
    pub paginator: PaginatorPlan,
    /// Records asked for per page, where known.
    pub limit: Option<u64>,
    /// Where `limit` is sent; none: it is only known, not sent.
    pub limit_into: Option<TokenTarget>,
    /// A flag in the body that says whether another page follows.
    pub has_more: Option<HasMore>,
    /// A count in the body (records for offset, pages for page numbers).
    pub total: Option<Total>,
    /// An empty page ends the chain.
    pub stop_after_empty_page: bool,
    /// A page with fewer records than `limit` ends the chain: only where the limit is known to hold and nothing in
    /// the body contradicts it.
    pub stop_after_short_page: bool,
    /// What is done about a list that changes while it is read; only paginators that count can tell.
    pub drift: DriftWatch,
    /// How it goes into requests.
    pub sending: Sending,
}

impl Paging {
    /// Whether an empty page is one among others, as the file says of numbered pages whose count is known. An offset
    /// stands still there.
    #[must_use]
    pub fn passes_over_empty_pages(&self) -> bool {
        !self.stop_after_empty_page
            && self.total.as_ref().is_some_and(|total| total.required && !total.records)
            && matches!(self.paginator, PaginatorPlan::PageNumber { .. })
    }
}

/// What is done about a list that changes while it is read (`paginator.drift`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftWatch {
    /// Nothing: pages are taken as they come.
    Off,
    /// Signs of it are looked for, and what they cast doubt on is read again.
    Watch,
    /// The list is read until two readings agree.
    Verify,
}

/// Where the next page comes from.
#[derive(Debug, Clone)]
pub enum PaginatorPlan {
    /// Found on the first page, as dlt does, without its mistakes (dlt.md §1.6).
    Auto,
    /// One page.
    SinglePage,
    /// A token from the last answer goes into the next request.
    Cursor {
        /// Where the token is read.
        from: CursorSource,
        /// Where it is sent.
        into: TokenTarget,
    },
    /// `offset`, increased by the records received.
    Offset {
        /// The first offset.
        start: u64,
        /// Where it is sent.
        into: TokenTarget,
        /// Stop before this offset (`maximum_offset`).
        maximum: Option<u64>,
    },
    /// A page number.
    PageNumber {
        /// The first page's number (`base_page`).
        base: u64,
        /// The page to begin with (`page`).
        start: u64,
        /// Where it is sent.
        into: TokenTarget,
        /// Stop before this page (`maximum_page`).
        maximum: Option<u64>,
    },
    /// The next page's URL is in the body.
    JsonLink {
        /// Where.
        path: Path,
    },
    /// The next page's URL is in the `Link` header (RFC 8288).
    HeaderLink {
        /// The relation, `next` as a rule.
        rel: String,
    },
}

/// Where a page token is read.
#[derive(Debug, Clone)]
pub enum CursorSource {
    /// In the body.
    Body(Path),
    /// A field of the page's last record (Stripe's `starting_after`).
    LastRecord(Path),
    /// A response header.
    Header(String),
}

/// Where a page token or a page size is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenTarget {
    /// A query parameter.
    Query(String),
    /// A place in the JSON body, outermost key first.
    Body(Vec<String>),
}

/// A flag in the body that says whether another page follows.
#[derive(Debug, Clone)]
pub struct HasMore {
    /// Where.
    pub path: Path,
    /// Its absence is an error; else it says nothing.
    pub required: bool,
}

/// A count in the answer.
#[derive(Debug, Clone)]
pub struct Total {
    /// Where.
    pub from: TotalSource,
    /// Its absence is an error; else it says nothing.
    pub required: bool,
    /// It counts records even where pages are numbered (`total_header`).
    pub records: bool,
}

impl Total {
    /// What the file names, in the body.
    #[must_use]
    pub fn at(path: Path, required: bool) -> Self {
        Self { from: TotalSource::Body(path), required, records: false }
    }
}

/// Where a count is read.
#[derive(Debug, Clone)]
pub enum TotalSource {
    /// In the body.
    Body(Path),
    /// In a response header.
    Header(String),
}

impl fmt::Display for TotalSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(path) => path.fmt(f),
            Self::Header(name) => write!(f, "the header {name}"),
        }
    }
}

/// How the number, token or size of a page goes into its request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sending {
    /// The first request goes without a number.
    pub omit_first: bool,
    /// The token of the first request.
    pub initial_cursor: Option<String>,
    /// A placeholder holds it, so no parameter is sent for it.
    pub placed: bool,
}
