//! Deterministic values: the same seed, kind and index always draw the same sequence.

/// A stream of pseudo-random values for one record (splitmix64).
pub(crate) struct Draw {
    state: u64,
}

impl Draw {
    /// The stream of record `index` of `kind`.
    pub(crate) fn new(seed: u64, kind: &str, index: u64) -> Self {
        let mut state = mix(seed);
        for byte in kind.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Self { state: mix(state ^ index) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.state)
    }

    /// A number from 0 to `limit - 1`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True once in `n` draws.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of the words; empty only when there are none.
    pub(crate) fn pick(&mut self, words: &[&'static str]) -> &'static str {
        let count = u64::try_from(words.len()).unwrap_or(0);
        let at = usize::try_from(self.below(count)).unwrap_or(0);
        words.get(at).copied().unwrap_or("")
    }

    /// A full name, one in four outside ASCII.
    pub(crate) fn person(&mut self) -> String {
        format!("{} {}", self.pick(GIVEN_NAMES), self.pick(FAMILY_NAMES))
    }

    /// A company name.
    pub(crate) fn company(&mut self) -> String {
        format!("{} {}", self.pick(COMPANY_WORDS), self.pick(COMPANY_FORMS))
    }

    /// Sixteen hexadecimal digits.
    pub(crate) fn hex(&mut self) -> String {
        format!("{:016x}", self.next())
    }
}

const GIVEN_NAMES: &[&str] = &[
    "Ada", "Bjørn", "Chloé", "Dmitri", "Eun-ji", "Fatima", "Grace", "Łukasz", "李", "Priya", "Zoë", "O'Neil",
];
const FAMILY_NAMES: &[&str] =
    &["Lovelace", "Ångström", "Müller", "Nguyễn", "小龙", "Smith", "de la Cruz", "Kovač", "Okafor", "Singh"];
const COMPANY_WORDS: &[&str] =
    &["Blue Fjord", "Café Nord", "Delta-7", "\"Quoted\" Goods", "Süd & Söhne", "株式会社", "Umbra"];
const COMPANY_FORMS: &[&str] = &["GmbH", "Inc.", "Ltd", "S.à r.l.", "AB"];

/// The id of record `index`: it hides the index from a reader, and [`index_of`] finds it again.
pub(crate) fn id(prefix: &str, seed: u64, index: u64) -> String {
    let noise = Draw::new(seed, prefix, index).next() >> 32;
    format!("{prefix}{noise:08x}{index:010x}")
}

/// The index in an id made by [`id`] with the same prefix and seed; `None` for any other text.
pub(crate) fn index_of(prefix: &str, seed: u64, text: &str) -> Option<u64> {
    let digits = text.strip_prefix(prefix)?.get(8..)?;
    let index = u64::from_str_radix(digits, 16).ok()?;
    (id(prefix, seed, index) == text).then_some(index)
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Draw, id, index_of};

    #[test]
    fn an_id_leads_back_to_its_index_and_nothing_else_does() {
        for index in [0, 1, 249, 1 << 30] {
            assert_eq!(index_of("ch_", 7, &id("ch_", 7, index)), Some(index));
        }
        assert_eq!(index_of("ch_", 7, &id("ch_", 8, 3)), None);
        assert_eq!(index_of("ch_", 7, &id("cus_", 7, 3)), None);
        for text in ["", "ch_", "ch_1", "ch_é000000000000000000", "ch_00000000zz"] {
            assert_eq!(index_of("ch_", 7, text), None);
        }
    }

    #[test]
    fn the_same_record_draws_the_same_values() {
        let one: Vec<String> = (0..20).map(|index| Draw::new(1, "a", index).person()).collect();
        let two: Vec<String> = (0..20).map(|index| Draw::new(1, "a", index).person()).collect();
        assert_eq!(one, two);
        assert_ne!(Draw::new(1, "a", 0).hex(), Draw::new(2, "a", 0).hex());
    }
}
