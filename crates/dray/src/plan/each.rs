//! A resource that is asked once for every item of a list (`for_each`): each item is a partition.

use crate::json::Path;

/// The items of a resource, and what of them is used.
#[derive(Debug, Clone)]
pub struct EachPlan {
    /// Fields of an item that placeholders use ([`super::Part::Each`] is an index into this list).
    pub fields: Vec<Path>,
    /// In the order of the file; no two of them have the same values.
    pub items: Vec<EachItem>,
}

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub struct EachItem {
    /// Its values of [`EachPlan::fields`]: together with the parent's fields the partition's key.
    pub values: Vec<serde_json::Value>,
    /// Columns that its rows carry.
    pub carried: Vec<(String, serde_json::Value)>,
}

impl EachPlan {
    /// The items for people, the first of many.
    #[must_use]
    pub fn shown(&self) -> String {
        let item = |item: &EachItem| {
            let values: Vec<String> = item.values.iter().map(plain).collect();
            values.join(" ")
        };
        let first: Vec<String> = self.items.iter().take(5).map(item).collect();
        let more = if self.items.len() > first.len() { ", ..." } else { "" };
        format!("{}{more}", first.join(", "))
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
