//! One reading of a list: its pages, its records and what the API said of their number.

use std::collections::{BTreeMap, HashMap};

use super::digests::Digests;
use super::identity::digest;

/// The totals of one reading.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    pub(super) largest: Option<u64>,
    /// By how much it rose, and fell, all told.
    pub(super) rises: u64,
    pub(super) falls: u64,
}

/// How a total compares with the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) rose: bool,
    pub(super) fell: bool,
}

impl Totals {
    pub(super) fn count(&mut self, total: Option<u64>) -> Change {
        let Some(total) = total else { return Change { rose: false, fell: false } };
        let before = self.last.replace(total).unwrap_or(total);
        self.first.get_or_insert(total);
        self.largest = self.largest.max(Some(total));
        self.rises += total.saturating_sub(before);
        self.falls += before.saturating_sub(total);
        Change { rose: total > before, fell: total < before }
    }
}

/// One reading of the list from its beginning to its end.
#[derive(Debug)]
pub(super) struct Pass {
    /// Counted from 1.
    pub(super) number: u32,
    /// Digests of the pages, by the number that asked for them.
    pages: BTreeMap<u64, u64>,
    /// What may not come again of a page, and where it came.
    marks: HashMap<u64, u64>,
    /// Pages with records.
    filled: u64,
    /// Records of this reading; of the first one, all that are known.
    pub(super) seen: Option<Digests>,
    pub(super) distinct: u64,
    /// Records that came again.
    pub(super) doubled: u64,
    pub(super) totals: Totals,
    /// Something cannot be explained by insertions and by gaps that were closed.
    pub(super) disturbed: bool,
    /// Pages were asked for before those before them had come.
    pub(super) hurried: bool,
    /// All pages of the reading before, and their number.
    before: Option<(u64, usize)>,
}

impl Default for Pass {
    fn default() -> Self {
        Self {
            number: 1,
            pages: BTreeMap::new(),
            marks: HashMap::new(),
            filled: 0,
            seen: None,
            distinct: 0,
            doubled: 0,
            totals: Totals::default(),
            disturbed: false,
            hurried: false,
            before: None,
        }
    }
}

impl Pass {
    /// A first reading, of which an earlier run knew the total.
    pub(super) fn after(total: Option<u64>) -> Self {
        let mut pass = Self::default();
        pass.totals.count(total);
        pass
    }

    /// The reading after this one.
    pub(super) fn following(self, seen: Digests) -> Self {
        Self {
            number: self.number + 1,
            seen: Some(seen),
            before: Some((self.whole(), self.pages.len())),
            ..Self::default()
        }
    }

    fn whole(&self) -> u64 {
        let pages: Vec<(u64, u64)> = self.pages.iter().map(|(at, page)| (*at, *page)).collect();
        digest(&pages)
    }

    /// Page by page as the reading before.
    pub(super) fn agrees(&self) -> bool {
        self.before.is_some_and(|(whole, _)| whole == self.whole())
    }

    pub(super) fn read(&mut self, at: u64, page: u64, mark: u64) {
        let filled = page != digest(&[0_u64; 0][..]);
        if self.pages.insert(at, page).is_none() {
            self.filled += u64::from(filled);
        }
        if filled {
            self.marks.insert(mark, at);
        }
    }

    /// The page as it was read.
    pub(super) fn page(&self, at: u64) -> Option<u64> {
        self.pages.get(&at).copied()
    }

    /// Another page was the same.
    pub(super) fn repeats(&self, at: u64, mark: u64) -> bool {
        self.marks.get(&mark).is_some_and(|known| *known != at)
    }

    /// The number of the page before.
    pub(super) fn before(&self, at: u64) -> Option<u64> {
        self.pages.range(..at).next_back().map(|(at, _)| *at)
    }

    /// The last page with records, and the empty one that ended the list.
    pub(super) fn last(&self) -> Vec<u64> {
        let empty = digest(&[0_u64; 0][..]);
        let mut found = Vec::new();
        for (at, page) in self.pages.iter().rev() {
            if *page != empty || found.is_empty() {
                found.push(*at);
            }
            if *page != empty {
                break;
            }
        }
        found
    }

    pub(super) fn len(&self) -> usize {
        self.pages.len()
    }

    pub(super) fn filled(&self) -> u64 {
        self.filled
    }

    /// Far more pages than the reading before had.
    pub(super) fn runs_away(&self) -> bool {
        self.before.is_some_and(|(_, pages)| self.pages.len() > pages * 2 + 16)
    }

    /// One page of `every`, evenly spread and none of them the last; the first to be asked for stands at the end.
    pub(super) fn spread(&self, every: usize) -> Vec<u64> {
        let chosen = self.pages.len() / every;
        let place = |index: usize| (index + 1) * self.pages.len() / (chosen + 1);
        let all: Vec<u64> = self.pages.keys().copied().collect();
        (0..chosen).rev().filter_map(|index| all.get(place(index)).copied()).collect()
    }
}
