//! A door for the benches: the paging of a resource without its requests.

use http::HeaderMap;
use url::Url;

use super::paginate::{Chain, Next, PageFacts};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, NodeId};
use crate::plan::ResourcePlan;

/// Walks along pages and their records as if each had been asked for; how many it took until the list ended.
///
/// # Errors
/// Where the pages are no list that ends as `plan` says.
pub fn walk(plan: &ResourcePlan, pages: &[(Document, Vec<NodeId>)]) -> Result<usize> {
    let headers = HeaderMap::new();
    let url = Url::parse("http://127.0.0.1/")
        .map_err(|error| Error::new(ErrorKind::Config, "no URL").caused_by(error))?;
    let mut chain = Chain::new(plan);
    let mut sent = Chain::first(&plan.paging);
    for (taken, (document, records)) in pages.iter().enumerate() {
        let page = PageFacts { document, records, headers: &headers, url: &url, last: false };
        match chain.next(&plan.paging, &sent, &page)? {
            Next::Page(token) => sent = token,
            Next::Done => return Ok(taken + 1),
        }
    }
    Ok(pages.len())
}
