//! What APIs call the parts of a page, in any case: for finding them where no key of the configuration says.

/// Lists of records, as dlt knows them.
pub(crate) const LISTS: &[&str] = &[
    "data", "items", "results", "entries", "records", "rows", "entities", "payload", "content", "objects",
    "values",
];
/// Links to the next page.
pub(crate) const LINKS: &[&str] = &[
    "next",
    "next_url",
    "nexturl",
    "next_link",
    "nextlink",
    "next_page_url",
    "nextpageurl",
    "@odata.nextlink",
];
/// Tokens of the next page.
pub(crate) const CURSORS: &[&str] =
    &["next_cursor", "nextcursor", "next_token", "nexttoken", "next_page_token", "nextpagetoken"];
/// How many pages there are.
pub(crate) const PAGES: &[&str] = &["total_pages", "totalpages", "pages", "page_count", "pagecount"];
/// Which page this is.
pub(crate) const NUMBERS: &[&str] = &["page", "current_page", "currentpage", "page_number", "pagenumber"];
/// Whether another page follows.
pub(crate) const FLAGS: &[&str] =
    &["has_more", "hasmore", "has_more_page", "has_next", "hasnext", "has_next_page", "hasnextpage"];
/// How many records there are.
pub(crate) const TOTALS: &[&str] = &[
    "total",
    "total_count",
    "totalcount",
    "total_results",
    "totalresults",
    "total_records",
    "totalrecords",
    "total_items",
    "totalitems",
    "count",
];
/// How many records a page has at the most.
pub(crate) const SIZES: &[&str] = &["per_page", "perpage", "page_size", "pagesize", "limit", "max_results"];
