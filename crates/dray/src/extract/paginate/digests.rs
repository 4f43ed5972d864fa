//! A set of digests that takes little more memory than they are long.
//!
//! A list of half a million records is known by as many digests. A set of the standard library doubles when it is full, so it
//! has room for twice as many and, while it grows, for three times. This one has 64 parts, which grow by a
//! quarter, each by itself.

/// So many upper bits of a digest tell its part.
const BITS: u32 = 6;
/// Of so many places of a part...
const PLACES: usize = 5;
/// ...so many are taken at most.
const TAKEN: usize = 4;

/// A set of digests: numbers that are spread evenly.
#[derive(Clone, Debug, Default)]
pub(super) struct Digests {
    parts: Vec<Part>,
    len: usize,
}

impl Digests {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn contains(&self, digest: u64) -> bool {
        let (part, digest) = place(digest);
        self.parts.get(part).is_some_and(|part| part.find(digest).is_ok())
    }

    /// Adds a digest; whether it is new.
    pub(super) fn insert(&mut self, digest: u64) -> bool {
        let (part, digest) = place(digest);
        if self.parts.is_empty() {
            self.parts.resize_with(1 << BITS, Part::default);
        }
        let fresh = self.parts.get_mut(part).is_some_and(|part| part.insert(digest));
        self.len += usize::from(fresh);
        fresh
    }
}

/// Where a digest belongs, and as what it is kept: 0 means that a place is free, so 0 and 1 are one digest.
fn place(digest: u64) -> (usize, u64) {
    (usize::try_from(digest >> (u64::BITS - BITS)).unwrap_or_default(), digest.max(1))
}

/// Open addressing: a digest is at the place that its size says, or at the next free one after that.
#[derive(Clone, Debug, Default)]
struct Part {
    places: Vec<u64>,
    taken: usize,
}

impl Part {
    /// The digest's place, or the free one where it would be.
    fn find(&self, digest: u64) -> Result<usize, usize> {
        let size = self.places.len();
        // The upper bits have told the part already.
        let spread = u128::from(digest << BITS) * u128::try_from(size).unwrap_or_default();
        let start = usize::try_from(spread >> u64::BITS).unwrap_or_default();
        let (before, after) = self.places.split_at(start.min(size));
        let order = after.iter().zip(start..).chain(before.iter().zip(0..));
        for (kept, at) in order {
            match *kept {
                0 => return Err(at),
                kept if kept == digest => return Ok(at),
                _ => {}
            }
        }
        Err(size)
    }

    fn insert(&mut self, digest: u64) -> bool {
        match self.find(digest) {
            Ok(_) => return false,
            Err(free) if (self.taken + 1) * PLACES <= self.places.len() * TAKEN => self.put(free, digest),
            Err(_) => {
                let size = (self.places.len() + self.places.len() / 4).max(PLACES);
                let full = std::mem::replace(&mut self.places, vec![0; size]);
                for kept in full.into_iter().filter(|kept| *kept != 0).chain([digest]) {
                    if let Err(free) = self.find(kept) {
                        self.put(free, kept);
                    }
                }
            }
        }
        self.taken += 1;
        true
    }

    fn put(&mut self, at: usize, digest: u64) {
        if let Some(place) = self.places.get_mut(at) {
            *place = digest;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    #[test]
    fn it_holds_what_was_put_in_and_nothing_else() {
        let (mut digests, mut model) = (Digests::default(), HashSet::new());
        for number in 0..50_000_u64 {
            let digest = xxh3_64(&(number % 30_000).to_le_bytes());
            assert_eq!(digests.insert(digest), model.insert(digest));
            assert!(digests.contains(digest));
        }
        assert_eq!(digests.len(), model.len());
        assert!((50_000..80_000_u64).all(|number| !digests.contains(xxh3_64(&number.to_le_bytes()))));
    }

    #[test]
    fn digests_at_the_ends_of_a_part_and_of_the_numbers_are_kept() {
        let mut digests = Digests::default();
        let ends =
            (0..64_u64).map(|part| part << 58).flat_map(|first| [first, first.wrapping_sub(1), first + 2]);
        let ends: HashSet<u64> = ends.chain([0, u64::MAX]).collect();
        assert!(ends.iter().all(|digest| digests.insert(*digest)));
        assert!(ends.iter().all(|digest| digests.contains(*digest)));
        assert_eq!(digests.len(), ends.len());
    }

    #[test]
    fn half_a_million_take_little_more_than_their_own_bytes() {
        let mut digests = Digests::default();
        for number in 0..500_000_u64 {
            digests.insert(xxh3_64(&number.to_le_bytes()));
        }
        let places: usize = digests.parts.iter().map(|part| part.places.capacity()).sum();
        assert!(places < 750_000, "{places}");
    }
}
