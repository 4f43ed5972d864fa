//! Lists in a declared order (`row_order`): whether one may be left before its end.
//!
//! The first record beyond the range ends a list with the rest of its page, if every record so far came in the declared
//! order. One that did not takes all trust away: what belongs to the range may then be anywhere, so the list is read to
//! its end, and the report says so. Records of one cursor may come in any order among themselves.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::order::compare;
use crate::plan::CursorValue;

/// What the records of one list so far say of its order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RowOrder {
    /// The record before.
    last: Option<CursorValue>,
    /// One lay beyond the range.
    passed: bool,
    /// The order does not hold, or it is not known whether it does.
    broken: bool,
    /// Records out of order that nobody was told of.
    #[serde(skip)]
    untold: usize,
}

impl RowOrder {
    /// Nothing can be said of the records so far.
    pub(super) fn unknown() -> Self {
        Self { broken: true, ..Self::default() }
    }

    /// Notes a record. `onward`: how it stands to the one before, if they differ; `beyond`: it lies beyond the range.
    pub(super) fn follow(&mut self, cursor: &CursorValue, onward: Ordering, beyond: bool) {
        let held = self.last.as_ref().is_none_or(|last| {
            let order = compare(cursor, last);
            order == Ordering::Equal || order == onward
        });
        if !held && !self.broken {
            self.untold += 1;
            self.broken = true;
        }
        self.passed |= beyond;
        self.last = Some(cursor.clone());
    }

    /// Records come again, or late, because the list changed: they say nothing of its order.
    pub(super) fn distrust(&mut self) {
        self.broken = true;
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn is_passed(&self) -> bool {
        self.passed
    }

    /// Whether nothing of the range can follow.
    pub(super) fn is_over(&self) -> bool {
        self.passed && !self.broken
    }

    /// Records out of order since it was last asked.
    pub(super) fn take_untold(&mut self) -> usize {
        std::mem::take(&mut self.untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After these cursors, newest first, of which those below 10 lie beyond the range.
    fn after(cursors: &[i64]) -> RowOrder {
        let mut order = RowOrder::default();
        for cursor in cursors {
            order.follow(&CursorValue::Int(*cursor), Ordering::Less, *cursor < 10);
        }
        order
    }

    #[test]
    fn a_list_in_order_is_over_with_the_first_record_beyond() {
        assert!(!after(&[30, 20, 20, 10]).is_over());
        assert!(after(&[30, 20, 10, 9]).is_over());
        assert!(after(&[9, 8]).is_over());
    }

    #[test]
    fn out_of_order_it_is_never_over() {
        for cursors in [&[30, 9, 31][..], &[20, 21, 9, 8], &[9, 8, 9]] {
            let mut order = after(cursors);
            assert!(order.is_passed() && !order.is_over());
            assert_eq!((order.take_untold(), order.take_untold()), (1, 0));
        }
        assert!(!RowOrder::unknown().is_over());
    }
}
