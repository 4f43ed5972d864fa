//! A sequence that begins to repeat itself.

use std::collections::HashMap;

/// Looks for the same run of pages twice in a row, of any length.
#[derive(Debug, Default)]
pub(super) struct Cycle {
    /// Where each digest stood last.
    last: HashMap<u64, usize>,
    count: usize,
    /// How far back the last digest stood before, and how many in a row stood as far back.
    length: usize,
    matched: usize,
}

impl Cycle {
    /// Takes the next digest; the length of the run once it came twice.
    pub(super) fn push(&mut self, digest: u64) -> Option<usize> {
        let at = self.count;
        self.count += 1;
        let back = self.last.insert(digest, at).map_or(0, |before| at - before);
        self.matched = match back {
            0 => 0,
            back if back == self.length => self.matched + 1,
            _ => 1,
        };
        self.length = back;
        (back > 0 && self.matched >= back).then_some(back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_of_any_length_is_found_at_the_end_of_its_second_round() {
        for length in [1, 2, 3, 7, 50] {
            for lead in [0, 1, 5] {
                let mut cycle = Cycle::default();
                let lead_in = (0..lead).map(|digest| 1000 + digest);
                let rounds = (0..3 * length).map(|at| at % length);
                let found = lead_in.chain(rounds).position(|digest| cycle.push(digest).is_some());
                let end = usize::try_from(lead + 2 * length - 1).unwrap();
                assert_eq!(found, Some(end), "length {length}, after {lead}");
            }
        }
    }

    #[test]
    fn what_comes_again_now_and_then_is_no_cycle() {
        let mut cycle = Cycle::default();
        assert!([1, 2, 3, 1, 4, 2, 5, 1, 6, 3].iter().all(|digest| cycle.push(*digest).is_none()));
    }
}
