//! A door for `dray-prove`, which throws bytes at the steps of a page: no part of the library's interface.
//!
//! Each function calls one step as a run calls it, and decides nothing itself.

use std::cmp::Ordering;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use url::Url;

use super::decode::Decoder;
use super::incremental::{CursorState, Tracker};
use super::paginate::{self, Chain, Next, PageFacts, Token};
use super::position::{self, Position};
use super::select::{expand, select};
use super::sift::sift;
use super::transformed::rewrite;
use super::{Page, body, order, retry};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{CursorValue, Limits, Plan};
use crate::transform::Facts;

/// A body from its wire bytes, which come in pieces of `piece` bytes.
///
/// # Errors
/// In words, where it is broken or more than `limits` allow.
pub fn unpack(
    encoding: Option<&str>,
    announced: Option<u64>,
    limits: &Limits,
    (wire, piece): (&[u8], usize),
) -> std::result::Result<Vec<u8>, String> {
    let refused = |refused| format!("{refused:?}");
    let mut decoder = Decoder::new(encoding, announced, limits).map_err(refused)?;
    for piece in wire.chunks(piece.max(1)) {
        decoder.push(piece).map_err(refused)?;
    }
    decoder.finish().map_err(refused)
}

/// The first page of a resource from its body, as it goes to normalize; how many of its records were rejected; and whether
/// another page follows.
///
/// # Errors
/// What a run would end with.
pub fn page(plan: &Plan, index: usize, headers: &HeaderMap, bytes: Vec<u8>) -> Result<(Page, usize, bool)> {
    let Some(resource) = plan.resources.get(index) else {
        return Err(Error::new(ErrorKind::Bug, "no such resource"));
    };
    let document = body::read(bytes, headers, &resource.answers.format, &plan.client.limits)
        .map_err(|unreadable| unreadable.error)?;
    let mut selected = select(document, resource.selector.as_ref())?;
    let facts = PageFacts {
        document: &selected.document,
        records: &selected.records,
        headers,
        url: &plan.client.base_url,
        last: false,
    };
    let mut paging = resource.paging.clone();
    let mut token = Chain::first(&paging);
    paginate::find(&mut paging, &mut token, &facts, &resource.name)?;
    let mut chain = Chain::new(resource);
    let next = chain.next(&paging, &token, &facts)?;
    let bad = sift(&selected.document, &selected.records, true)?;
    let records = position::digests(&selected.document, &selected.records, resource.key_before_steps());
    selected.leave_out(chain.dropped());
    let mut rejects = bad.taken_out_of(&mut selected.records);
    if let Some(expansion) = &resource.expand {
        selected = expand(selected, expansion, &[])?;
    }
    if !resource.transform.steps.is_empty() {
        let facts = Facts { now: Timestamp::UNIX_EPOCH };
        rewrite(resource, &plan.client, None, &facts, &mut selected, &mut rejects)?;
    }
    if let Some(incremental) = &resource.incremental {
        let mut tracker = Tracker::new(incremental, &resource.load, None, None)?;
        let mut kept = Vec::with_capacity(selected.records.len());
        for record in selected.records {
            if tracker.keep(&selected.document, record)? {
                kept.push(record);
            }
        }
        selected.records = kept;
    }
    let count = rejects.len();
    let page = Page {
        resource: index,
        partition: "".into(),
        number: 1,
        document: Arc::new(selected.document),
        records: selected.records,
        overlay: None,
        carries: false,
        position: Position { number: 1, token: None, records, memory: chain.memory(), seen: None },
        opened: Vec::new(),
        rejects,
    };
    Ok((page, count, matches!(next, Next::Page(_))))
}

/// The target of the next page by the `Link` headers, resolved, in words.
#[must_use]
pub fn link(plan: &Plan, index: usize, headers: &HeaderMap) -> Option<String> {
    let resource = plan.resources.get(index)?;
    let document = crate::json::Document::parse(b"[{\"id\":1}]".to_vec()).ok()?;
    let records: Vec<_> = document.items(document.root()).collect();
    let url: &Url = &plan.client.base_url;
    let facts = PageFacts { document: &document, records: &records, headers, url, last: false };
    match Chain::new(resource).next(&resource.paging, &Token::First, &facts) {
        Ok(next) => Some(format!("{next:?}")),
        Err(error) => Some(error.chain()),
    }
}

/// What follows an answer that is no page, in words.
#[must_use]
pub fn wait(plan: &Plan, status: u16, headers: &HeaderMap, now: Timestamp) -> String {
    let Ok(status) = StatusCode::from_u16(status) else { return "no status".to_owned() };
    let policy = &plan.client.retry;
    let decision = retry::decide(policy, 0, retry::Ended::Status(status, headers), now);
    format!("{decision:?} {:?}", retry::longer_wait(policy, status, headers, now))
}

/// Start, end and initial value of a resource's cursor as they go into requests, after what an earlier run has stored.
///
/// # Errors
/// What a run would end with.
pub fn bounds(plan: &Plan, index: usize, stored: &CursorState) -> Result<[Option<String>; 3]> {
    let resource = plan.resources.get(index);
    let incremental = resource.and_then(|resource| Some((resource.incremental.as_ref()?, &resource.load)));
    match incremental {
        Some((incremental, load)) => Tracker::new(incremental, load, Some(stored), None)?.bounds(),
        None => Ok([None, None, None]),
    }
}

/// Which of two cursors comes first.
#[must_use]
pub fn compare(left: &CursorValue, right: &CursorValue) -> Ordering {
    order::compare(left, right)
}
