//! Which record is which: digests by which the records of different pages are told apart.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::digests::Digests;
use crate::json::{Document, Kind, NodeId};
use crate::plan::{Disposition, ResourcePlan};

/// Digests remembered at least, and half of what is remembered at most: about 11 bytes each.
const REMEMBERED: usize = 1 << 19;

/// The digest of anything.
pub(super) fn digest(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// How records are told apart: by their key, or by all of their bytes.
#[derive(Debug)]
pub(super) struct Identity {
    key: Vec<String>,
    /// The key as declared, if it is one field.
    named: String,
    /// Pages looked at.
    pages: u64,
    /// No page has shown that they cannot be told apart.
    sure: bool,
    /// A record that came before is the same one wherever it comes again, not only at the border of two pages.
    everywhere: bool,
    /// One that came before is left out. A merge needs none of that, and the later version must win there.
    drops: bool,
}

impl Identity {
    pub(super) fn new(plan: &ResourcePlan) -> Self {
        // Rows that are made of a list inside the record have keys of their own.
        let keyed = !plan.key_before_steps().is_empty() && plan.expand.is_none();
        // Where versions of a record are followed, a changed one is a new one.
        let by_key = keyed && plan.incremental.is_none();
        Self {
            key: if by_key { plan.load.primary_key.clone() } else { Vec::new() },
            named: match plan.load.primary_key.as_slice() {
                [one] => one.clone(),
                _ => String::new(),
            },
            pages: 0,
            sure: true,
            everywhere: keyed,
            drops: plan.load.disposition != Disposition::Merge,
        }
    }

    pub(super) fn is_sure(&self) -> bool {
        self.sure
    }

    pub(super) fn everywhere(&self) -> bool {
        self.everywhere
    }

    pub(super) fn drops(&self) -> bool {
        self.drops
    }

    /// What a server that repeats itself repeats of a page: the keys of its records, where they have some, for there may be
    /// a clock in each record. One record with the key of another page's may be another version of it.
    pub(super) fn mark(&self, document: &Document, records: &[NodeId]) -> u64 {
        let by = |key: &str| -> Option<Vec<&[u8]>> {
            let value = |record: &NodeId| document.get(*record, key).map(|value| document.raw(value));
            records.iter().map(value).collect()
        };
        let many = records.len() > 1;
        let keys = if self.named.is_empty() { "id" } else { self.named.as_str() };
        match by(keys).filter(|keys| many && keys.windows(2).any(|pair| pair.first() != pair.last())) {
            Some(keys) => digest(&keys),
            None => digest(&records.iter().map(|record| document.raw(*record)).collect::<Vec<_>>()),
        }
    }

    /// The digests of a page's records. A page on which two records have one key but are not the same shows that the key
    /// is none; one on which two records without a key are the same, that they cannot be told apart.
    pub(super) fn of(&mut self, document: &Document, records: &[NodeId]) -> Vec<u64> {
        self.pages += 1;
        let ids: Vec<u64> = records.iter().map(|record| self.one(document, *record)).collect();
        let mut sorted: Vec<(u64, usize)> = ids.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let raw = |at: usize| records.get(at).map(|record| document.raw(*record));
        let doubtful = sorted.windows(2).any(|pair| match pair {
            [(left, at), (right, next)] => left == right && (!self.everywhere || raw(*at) != raw(*next)),
            _ => false,
        });
        if !doubtful {
            return ids;
        }
        if self.pages == 1 && self.everywhere {
            self.key.clear();
            self.everywhere = false;
            self.pages = 0;
            return self.of(document, records);
        }
        self.sure = false;
        ids
    }

    fn one(&self, document: &Document, record: NodeId) -> u64 {
        record_digest(document, record, &self.key)
    }
}

/// What tells a record from others: the fields of `key` where it has all of them, else the whole record. The same in
/// every run: positions are stored with it.
pub(in crate::extract) fn record_digest(document: &Document, record: NodeId, key: &[String]) -> u64 {
    let whole = || xxh3_64(document.raw(record));
    if key.is_empty() {
        return whole();
    }
    let mut hasher = Xxh3::new();
    for name in key {
        let value = document.get(record, name).filter(|value| document.kind(*value) != Kind::Null);
        let Some(value) = value else { return whole() };
        hasher.update(document.raw(value));
        hasher.update(b"\x1f");
    }
    hasher.digest()
}

/// The records that came, of a list of any length: of a very long one the latest.
#[derive(Debug, Default)]
pub(super) struct Known {
    recent: Digests,
    older: Digests,
    forgot: bool,
}

impl Known {
    pub(super) fn contains(&self, id: u64) -> bool {
        self.recent.contains(id) || self.older.contains(id)
    }

    /// Remembers a record; whether it is new.
    pub(super) fn insert(&mut self, id: u64) -> bool {
        if self.older.contains(id) {
            return false;
        }
        let fresh = self.recent.insert(id);
        if self.recent.len() >= REMEMBERED {
            let full = std::mem::take(&mut self.recent);
            self.forgot |= !std::mem::replace(&mut self.older, full).is_empty();
        }
        fresh
    }

    /// Not all of them are remembered any more.
    pub(super) fn forgot(&self) -> bool {
        self.forgot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::LoadPlan;

    fn identity(key: &[&str]) -> Identity {
        let load = LoadPlan {
            table: "things".to_owned(),
            disposition: Disposition::Append,
            primary_key: key.iter().map(|key| (*key).to_owned()).collect(),
            key_inherited: false,
            fallback_key: None,
            merge_key: Vec::new(),
            columns: Vec::new(),
            max_nesting: None,
            shared: None,
            contract: crate::plan::Contract::default(),
        };
        Identity::new(&ResourcePlan::for_tests("things", load))
    }

    fn ids(identity: &mut Identity, body: &str) -> Vec<u64> {
        let document = Document::parse(body.as_bytes().to_vec()).unwrap();
        let records: Vec<_> = document.items(document.root()).collect();
        identity.of(&document, &records)
    }

    #[test]
    fn records_are_told_apart_by_their_key_or_by_their_bytes() {
        let mut keyed = identity(&["id"]);
        assert_eq!(ids(&mut keyed, r#"[{"id":1,"a":1}]"#), ids(&mut keyed, r#"[{"id":1,"a":2}]"#));
        let mut bare = identity(&[]);
        assert_ne!(ids(&mut bare, r#"[{"id":1,"a":1}]"#), ids(&mut bare, r#"[{"id":1,"a":2}]"#));
        // Without a value the key says nothing.
        assert_ne!(ids(&mut keyed, r#"[{"id":null,"a":1}]"#), ids(&mut keyed, r#"[{"id":null,"a":2}]"#));
    }

    #[test]
    fn a_page_can_show_that_a_key_is_none() {
        let mut first = identity(&["kind"]);
        let page = ids(&mut first, r#"[{"kind":"a","n":1},{"kind":"a","n":2}]"#);
        assert_ne!(page[0], page[1]);
        assert!(first.is_sure() && !first.everywhere());
        let mut later = identity(&["kind"]);
        ids(&mut later, r#"[{"kind":"a","n":1}]"#);
        ids(&mut later, r#"[{"kind":"b","n":1},{"kind":"b","n":2}]"#);
        assert!(!later.is_sure());
        // The same record twice is a mistake of the server, not of the key.
        let mut doubled = identity(&["id"]);
        ids(&mut doubled, r#"[{"id":1},{"id":1}]"#);
        assert!(doubled.is_sure());
    }

    #[test]
    fn records_without_a_key_that_are_the_same_cannot_be_told_apart() {
        let mut bare = identity(&[]);
        ids(&mut bare, r#"[{"n":1},{"n":1}]"#);
        assert!(!bare.is_sure());
    }
}
