//! Finding the paginator on the first page (dlt.md §1.6), without dlt's mistakes: page numbers begin where the API says
//! it stands, and a key that merely begins with `next` is no cursor unless it says so.

use super::locate::{link, pagination};
use super::{Chain, PageFacts, Token};
use crate::error::Result;
use crate::json::{Document, Kind, NodeId, Path};
use crate::plan::words::{CURSORS, FLAGS, LINKS, NUMBERS, PAGES};
use crate::plan::{CursorSource, PaginatorPlan, Paging, TokenTarget, Total};

/// Finds the paging on the first page where nobody says how it is, and which page that was.
pub(in crate::extract) fn find(
    paging: &mut Paging,
    token: &mut Token,
    page: &PageFacts<'_>,
    resource: &str,
) -> Result<()> {
    if !matches!(paging.paginator, PaginatorPlan::Auto) {
        return Ok(());
    }
    let (found, words) = detect(paging, page)?;
    tracing::info!(resource, paging = words, "paging found on the first page");
    *paging = found;
    // The first page was asked for without a number; the answer says which it is.
    if *token == Token::First {
        *token = Chain::first(paging);
    }
    Ok(())
}

/// The paging that the first page shows, in words too. A page that says more follow, but not how, is an error.
pub(in crate::extract) fn detect(auto: &Paging, page: &PageFacts<'_>) -> Result<(Paging, &'static str)> {
    let with = |paginator, total| Paging { paginator, total, ..auto.clone() };
    if link(page.headers, "next").is_some() {
        let paginator = PaginatorPlan::HeaderLink { rel: "next".to_owned() };
        return Ok((with(paginator, None), "links in the Link header"));
    }
    let document = page.document;
    let mut scalars = Vec::new();
    collect(document, document.root(), "", 0, &mut scalars);
    let named = |names: &[&str]| {
        scalars.iter().find(|(path, _)| {
            let last = path.rsplit("['").next().unwrap_or(path).trim_end_matches("']").to_ascii_lowercase();
            names.contains(&last.as_str()) || (last == "href" && path.to_ascii_lowercase().contains("'next'"))
        })
    };
    if let Some((path, id)) = named(LINKS) {
        let text = document.text(*id).unwrap_or_default();
        if text.contains(['/', '?'])
            && let Ok(path) = Path::parse(path)
        {
            return Ok((with(PaginatorPlan::JsonLink { path }, None), "links in the body"));
        }
    }
    if let Some((pages, id)) = named(PAGES)
        && document.scalar(*id).is_some_and(|text| text.parse::<u64>().is_ok())
        && let Some((_, number)) = named(NUMBERS)
        && let Some(current) = document.scalar(*number).and_then(|text| text.parse::<u64>().ok())
        && let Ok(path) = Path::parse(pages)
    {
        let into = TokenTarget::Query("page".to_owned());
        // Pages are counted from 0 or 1, wherever the first request was sent.
        let paginator =
            PaginatorPlan::PageNumber { base: current.min(1), start: current, into, maximum: None };
        return Ok((with(paginator, Some(Total::at(path, false))), "page numbers"));
    }
    if let Some((path, id)) = named(CURSORS)
        && document.scalar(*id).is_some_and(|text| !text.is_empty())
        && let Ok(path) = Path::parse(path)
    {
        let into = TokenTarget::Query("cursor".to_owned());
        let paginator = PaginatorPlan::Cursor { from: CursorSource::Body(path), into };
        return Ok((with(paginator, None), "a cursor in the body"));
    }
    if let Some((path, id)) = named(FLAGS)
        && document.kind(*id) == Kind::True
    {
        return Err(pagination("the API says that more pages follow, but not in a way that is known")
            .with("path", path)
            .hint("give the endpoint a `paginator`, or `paginator: single_page` if one page is meant"));
    }
    // Where a list is counted in pages, but not which one this is, the first number is not known.
    if let Some((path, id)) = named(PAGES)
        && document.scalar(*id).and_then(|text| text.parse::<u64>().ok()).is_some_and(|pages| pages > 1)
        && !page.records.contains(&document.root())
    {
        return Err(pagination("the API counts several pages, but does not say how they are asked for")
            .with("path", path)
            .hint(
                "give the endpoint a `paginator` such as {type: page_number, base_page: 1, total_path: ...}, \
                 or `paginator: single_page` if one page is meant",
            ));
    }
    Ok((with(PaginatorPlan::SinglePage, None), "a single page"))
}

/// All scalars outside lists, by their path, at most four levels deep.
fn collect(document: &Document, node: NodeId, path: &str, depth: u32, found: &mut Vec<(String, NodeId)>) {
    for (key, value) in document.entries(node) {
        let Some(key) = document.text(key) else { continue };
        if key.contains('\'') {
            continue;
        }
        let path = format!("{path}['{key}']");
        match document.kind(value) {
            Kind::Object if depth < 4 => collect(document, value, &path, depth + 1, found),
            Kind::Object | Kind::Array | Kind::Null => {}
            _ => found.push((path, value)),
        }
    }
}
