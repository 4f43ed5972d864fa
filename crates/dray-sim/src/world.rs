//! How many records exist, when each was created, and what was changed since the start.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The state of the simulated data: immutable while a request is answered, replaced when a test changes it.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) seed: u64,
    /// Records of each top-level resource, removed ones included.
    pub(crate) size: u64,
    /// Unix seconds of record 0.
    pub(crate) first_created: i64,
    /// Seconds from one record to the next.
    pub(crate) step: i64,
    /// Order of the lists that have no order of their own (FastBill, Zoho).
    pub(crate) newest_first: bool,
    /// No page holds more records than this, whatever was asked.
    pub(crate) page_cap: Option<u64>,
    revised: BTreeMap<(String, u64), u64>,
    removed: BTreeSet<(String, u64)>,
    changes: Vec<Change>,
}

/// Something that a test did to a record: APIs that tell of changes tell of these.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) resource: String,
    pub(crate) index: u64,
    /// How often the record had been changed by then.
    pub(crate) revision: u64,
    pub(crate) what: What,
    /// Unix seconds.
    pub(crate) at: i64,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Revised,
    Removed,
}

impl World {
    pub(crate) fn new(seed: u64, size: u64, first_created: i64, step: i64) -> Self {
        Self {
            seed,
            size,
            first_created,
            step,
            newest_first: false,
            page_cap: None,
            revised: BTreeMap::new(),
            removed: BTreeSet::new(),
            changes: Vec::new(),
        }
    }

    /// Unix seconds of record `index`. Never falls as the index grows; every tenth record shares the second of the
    /// one before it, so that time windows meet equal timestamps at their edges.
    pub(crate) fn created(&self, index: u64) -> i64 {
        let slot = if index % 10 == 9 { index - 1 } else { index };
        self.first_created.saturating_add(self.step.saturating_mul(int(slot)))
    }

    /// The first record created at or after `unix`; the size when there is none.
    pub(crate) fn first_at_or_after(&self, total: u64, unix: i64) -> u64 {
        let (mut low, mut high) = (0, total);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.created(middle) < unix {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    pub(crate) fn revise(&mut self, resource: &str, index: u64) {
        *self.revised.entry((resource.to_owned(), index)).or_insert(0) += 1;
        self.note(resource, index, What::Revised);
    }

    /// How often a record was changed since the start.
    pub(crate) fn revision(&self, resource: &str, index: u64) -> u64 {
        if self.revised.is_empty() {
            return 0;
        }
        self.revised.get(&(resource.to_owned(), index)).copied().unwrap_or(0)
    }

    pub(crate) fn remove(&mut self, resource: &str, index: u64) {
        self.removed.insert((resource.to_owned(), index));
        self.note(resource, index, What::Removed);
    }

    /// Brings a removed record back, as it was.
    pub(crate) fn restore(&mut self, resource: &str, index: u64) {
        self.removed.remove(&(resource.to_owned(), index));
    }

    /// Changes are a second apart, the first a second after the newest record.
    fn note(&mut self, resource: &str, index: u64, what: What) {
        let change = Change {
            resource: resource.to_owned(),
            index,
            revision: self.revision(resource, index),
            what,
            at: self.now() + 1,
        };
        self.changes.push(change);
    }

    /// What was done to records, in that order.
    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Unix seconds of the newest thing in this world: its clock stands still in between.
    pub(crate) fn now(&self) -> i64 {
        let newest = self.created(self.size.saturating_sub(1));
        self.changes.last().map_or(newest, |change| change.at.max(newest))
    }

    pub(crate) fn exists(&self, resource: &str, index: u64) -> bool {
        index < self.size
            && (self.removed.is_empty() || !self.removed.contains(&(resource.to_owned(), index)))
    }

    /// The indexes of a top-level resource's records, oldest first.
    pub(crate) fn indexes(&self, resource: &str) -> Vec<u64> {
        (0..self.size).filter(|&index| self.exists(resource, index)).collect()
    }

    /// The indexes on the page of `limit` records at `offset`, and whether more follow.
    pub(crate) fn offset_page(&self, resource: &str, offset: u64, limit: u64) -> (Vec<u64>, bool) {
        let limit = self.capped(limit);
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        let take = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        let keep = |index: &u64| self.exists(resource, *index);
        // Skipping over a plain range costs nothing; a filter would walk it on each page.
        let mut page: Vec<u64> = match (self.removed.is_empty(), self.newest_first) {
            (true, false) => (0..self.size).skip(skip).take(take).collect(),
            (true, true) => (0..self.size).rev().skip(skip).take(take).collect(),
            (false, false) => (0..self.size).filter(keep).skip(skip).take(take).collect(),
            (false, true) => (0..self.size).rev().filter(keep).skip(skip).take(take).collect(),
        };
        let more = page.len() == take;
        page.truncate(take - 1);
        (page, more)
    }

    /// The page size that is really served.
    pub(crate) fn capped(&self, limit: u64) -> u64 {
        self.page_cap.map_or(limit, |cap| limit.min(cap))
    }
}

/// Marks a record that was changed since the start: `metadata.revision` counts the changes.
pub(crate) fn mark_revision(record: &mut Value, revision: u64) {
    if revision > 0 {
        if !record["metadata"].is_object() {
            record["metadata"] = json!({});
        }
        record["metadata"]["revision"] = json!(revision.to_string());
    }
}

/// How many children each parent has: a pattern repeated for ever, so that totals are arithmetic.
pub(crate) struct Groups(pub(crate) &'static [u64]);

impl Groups {
    /// Children of parent `group`.
    pub(crate) fn count(&self, group: u64) -> u64 {
        let at = usize::try_from(group % self.period()).unwrap_or(0);
        self.0.get(at).copied().unwrap_or(0)
    }

    /// Children of all parents before `group`: the index of its first child.
    pub(crate) fn before(&self, group: u64) -> u64 {
        let whole: u64 = self.0.iter().sum();
        let rest = usize::try_from(group % self.period()).unwrap_or(0);
        group / self.period() * whole + self.0.iter().take(rest).sum::<u64>()
    }

    /// The parent of a child.
    pub(crate) fn parent(&self, child: u64) -> u64 {
        let whole: u64 = self.0.iter().sum::<u64>().max(1);
        let mut group = child / whole * self.period();
        while self.before(group + 1) <= child {
            group += 1;
        }
        group
    }

    fn period(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(1).max(1)
    }
}

/// An unsigned number as a signed one; beyond its range the greatest.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Groups, World};

    #[test]
    fn groups_number_their_children_without_gaps() {
        let groups = Groups(&[2, 0, 3]);
        let by_hand = [0, 0, 2, 2, 2, 3, 3, 5, 5, 5];
        for (child, parent) in (0u64..).zip(by_hand) {
            assert_eq!(groups.parent(child), parent);
        }
        assert_eq!([0, 1, 2, 3, 7].map(|group| groups.before(group)), [0, 2, 2, 5, 12]);
        assert_eq!([0, 1, 2, 3, 4].map(|group| groups.count(group)), [2, 0, 3, 2, 0]);
    }

    #[test]
    fn finds_records_by_time_and_by_offset() {
        let mut world = World::new(1, 25, 1_000, 10);
        assert_eq!(world.created(9), world.created(8));
        assert_eq!(world.first_at_or_after(25, 1_000), 0);
        assert_eq!(world.first_at_or_after(25, 1_001), 1);
        assert_eq!(world.first_at_or_after(25, 1_080), 8);
        assert_eq!(world.first_at_or_after(25, 1_081), 10);
        assert_eq!(world.first_at_or_after(25, 9_999), 25);
        assert_eq!(world.offset_page("x", 20, 10), ((20..25).collect(), false));
        assert_eq!(world.offset_page("x", 15, 10), ((15..25).collect(), false));
        assert_eq!(world.offset_page("x", 0, 2), (vec![0, 1], true));
        world.remove("x", 1);
        assert_eq!(world.offset_page("x", 0, 2), (vec![0, 2], true));
        assert_eq!(world.offset_page("y", 0, 2), (vec![0, 1], true));
        world.newest_first = true;
        assert_eq!(world.offset_page("x", 23, 2), (vec![0], false));
    }
}
