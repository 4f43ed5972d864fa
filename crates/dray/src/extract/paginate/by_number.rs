//! Paginators that count: what ends them (total, flag, maximum, empty and short page).

use super::locate::pagination;
use crate::error::Error;
use crate::plan::{DriftWatch, PaginatorPlan, Paging};

/// What is known when a page has come.
pub(super) struct Signs {
    /// The number that asked for the page.
    pub(super) at: u64,
    /// Its records.
    pub(super) count: u64,
    /// Records of the largest page before it.
    pub(super) largest: u64,
    /// What the flag says.
    pub(super) more: Option<bool>,
    /// The largest total that the API named, and the last one.
    pub(super) totals: (Option<u64>, Option<u64>),
    /// Records so far, each counted once.
    pub(super) distinct: u64,
}

/// What follows.
#[derive(Debug)]
pub(super) enum Onward {
    /// The next number; `unsure`: only because this page was short, which may be the end.
    Next { at: u64, unsure: bool },
    /// The end; `limited`: of what the configuration asks for, not of the list.
    End { limited: bool },
    /// An empty page where something else says that more follow.
    Contradicted(Error),
}

/// The next number, or the end.
pub(super) fn step(paging: &Paging, signs: &Signs) -> Onward {
    let (next, maximum) = match &paging.paginator {
        // A server may cap the page: what was received counts, not what was asked for.
        PaginatorPlan::Offset { maximum, .. } => (signs.at + signs.count, *maximum),
        PaginatorPlan::PageNumber { maximum, .. } => (signs.at + 1, *maximum),
        _ => return Onward::End { limited: false },
    };
    if maximum.is_some_and(|last| next >= last) {
        return Onward::End { limited: true };
    }
    let Signs { count, more, .. } = *signs;
    let reached = reached(paging, signs, next);
    if count == 0 {
        if reached == Some(false) && !paging.passes_over_empty_pages() {
            return Onward::Contradicted(
                pagination("a page is empty although the API's total says that more records follow")
                    .with("received", signs.distinct)
                    .with("total", signs.totals.1.or(signs.totals.0).unwrap_or_default())
                    .hint("set `total_path: null` if that number counts something else"),
            );
        }
        if more == Some(true) {
            return Onward::Contradicted(
                pagination("a page is empty although the API says that more follow")
                    .with("received", signs.distinct),
            );
        }
        if paging.stop_after_empty_page || reached == Some(true) || more == Some(false) {
            return Onward::End { limited: false };
        }
    }
    // A total that says more than the flag is believed: a record too many is better than one too few.
    if reached == Some(true) || (more == Some(false) && reached.is_none()) {
        return Onward::End { limited: false };
    }
    let told = more == Some(true) || reached == Some(false);
    let short = paging.stop_after_short_page && !told && paging.limit.is_some_and(|limit| count < limit);
    // A server may cap its pages below the limit: a page is short for certain only beside a longer one.
    if short && count < signs.largest {
        return Onward::End { limited: false };
    }
    Onward::Next { at: next, unsure: short }
}

/// Whether the total is reached; none where it says nothing.
fn reached(paging: &Paging, signs: &Signs, next: u64) -> Option<bool> {
    let Signs { count, totals: (largest, last), distinct, .. } = *signs;
    let required = paging.total.as_ref().is_some_and(|total| total.required);
    // An empty page and its own total are of one moment. Else the largest counts: a record too many is better than one
    // too few.
    let total = if count == 0 { last.or(largest) } else { largest }?;
    let records = paging.total.as_ref().is_some_and(|total| total.records);
    let reached = match &paging.paginator {
        PaginatorPlan::PageNumber { .. } if records => Some(distinct >= total),
        PaginatorPlan::PageNumber { base, .. } => {
            let reached = next >= total.saturating_add(*base) || count == 0 && distinct == total;
            // Without being told, a total may count records: then it says nothing of an empty page.
            (required || reached || count > 0).then_some(reached)
        }
        // A total that nobody named as such and that is smaller than what came counts something else.
        _ => (required || total >= next).then_some(next >= total),
    };
    // Who wants to be certain asks for what lies beyond the total.
    if paging.drift == DriftWatch::Verify && count > 0 {
        return reached.filter(|reached| !reached);
    }
    reached
}

/// Numbers that lie beyond the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::extract) struct Bound {
    /// The first one, as far as the API's total tells.
    pub(in crate::extract) total: Option<u64>,
    /// The first one that the configuration does not ask for.
    pub(in crate::extract) maximum: Option<u64>,
}

/// Where the numbers from `next` on end, with this total and so many records on the largest page.
pub(super) fn bound(paging: &Paging, next: u64, total: Option<u64>, largest: u64) -> Bound {
    let named = paging.total.as_ref().is_some_and(|total| total.required && !total.records);
    match &paging.paginator {
        PaginatorPlan::Offset { maximum, .. } => {
            let named = paging.total.as_ref().is_some_and(|total| total.required);
            // A total that is passed already counts something else.
            Bound { total: total.filter(|total| named || *total >= next), maximum: *maximum }
        }
        PaginatorPlan::PageNumber { base, maximum, .. } => {
            let pages = |total: u64| total.saturating_add(*base);
            let end = total.map(|total| {
                // Without being told, a total may count records: the smaller reading, until a page beyond it has come.
                let counted = pages(total.div_ceil(largest.max(1)));
                if named || next > counted { pages(total) } else { counted.max(next + 1) }
            });
            Bound { total: end.filter(|end| next <= *end), maximum: *maximum }
        }
        _ => Bound::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Path;
    use crate::plan::{Sending, TokenTarget, Total};

    fn paging(paginator: PaginatorPlan, named: bool) -> Paging {
        Paging {
            paginator,
            limit: None,
            limit_into: None,
            has_more: None,
            total: Some(Total::at(Path::key("total"), named)),
            stop_after_empty_page: true,
            stop_after_short_page: true,
            drift: DriftWatch::Watch,
            sending: Sending::default(),
        }
    }

    #[test]
    fn an_empty_page_is_passed_over_where_the_file_says_so_and_the_total_bounds_it() {
        let into = TokenTarget::Query("n".to_owned());
        let pages = PaginatorPlan::PageNumber { base: 1, start: 1, into, maximum: None };
        let told = paging(pages.clone(), true);
        let guessed = Paging { stop_after_empty_page: false, ..paging(pages, false) };
        let passing = Paging { stop_after_empty_page: false, ..told.clone() };
        let signs =
            |at| Signs { at, count: 0, largest: 5, more: None, totals: (Some(3), Some(3)), distinct: 5 };
        assert!(matches!(step(&told, &signs(2)), Onward::Contradicted(_)));
        assert!(matches!(step(&passing, &signs(2)), Onward::Next { at: 3, unsure: false }));
        assert!(matches!(step(&passing, &signs(3)), Onward::End { limited: false }));
        // A total that nobody named may count records: an empty page is no hole then.
        assert!(!matches!(step(&guessed, &signs(2)), Onward::Contradicted(_)));
    }

    #[test]
    fn a_total_tells_where_numbers_end() {
        let into = || TokenTarget::Query("n".to_owned());
        let offset = PaginatorPlan::Offset { start: 0, into: into(), maximum: Some(70) };
        let pages = PaginatorPlan::PageNumber { base: 1, start: 1, into: into(), maximum: None };
        for (paginator, named, next, total, expected) in [
            (&offset, true, 10, Some(95), Some(95)),
            (&offset, false, 10, Some(95), Some(95)),
            // Nine pages, not nine records.
            (&offset, false, 10, Some(9), None),
            (&offset, true, 10, None, None),
            (&pages, true, 2, Some(30), Some(31)),
            // 95 records on pages of ten.
            (&pages, false, 2, Some(95), Some(11)),
            // By now it is the end, or it does not count records: one page will tell.
            (&pages, false, 11, Some(95), Some(12)),
            // It did not count records: page 11 came.
            (&pages, false, 12, Some(95), Some(96)),
        ] {
            let bound = bound(&paging(paginator.clone(), named), next, total, 10);
            assert_eq!(bound.total, expected, "{paginator:?} {next} {total:?}");
        }
    }
}
