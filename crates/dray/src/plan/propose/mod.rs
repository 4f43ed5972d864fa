//! What a page of an API shows of its list: where the records are, how they are told apart, how pages may follow each other.
//! For `dray init`, which asks the API whether a guess holds.

mod draft;
mod fields;
mod paginator;

pub use draft::{Draft, list, map, node_of, text, tree};
pub use fields::{Key, cursor, primary_key};
pub use paginator::{Guess, limit_param, paginators};

use serde_json::Value;

use super::words::LISTS;

/// How deep a list of records may stand.
const DEPTH: usize = 3;

/// The list of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// Where it is, as a `data_selector`.
    pub selector: String,
    /// Its records.
    pub records: Vec<Value>,
}

/// The list of records of a body; `name` is what the path calls them. A body without one is a record itself: none.
#[must_use]
pub fn listing(body: &Value, name: &str) -> Option<Listing> {
    let mut lists = Vec::new();
    collect(body, &mut Vec::new(), &mut lists);
    let named = |words: &[&str]| {
        lists.iter().find(|(keys, _)| {
            keys.last().is_some_and(|key| words.iter().any(|word| key.eq_ignore_ascii_case(word)))
        })
    };
    let longest = || lists.iter().rev().max_by_key(|(_, records)| records.len());
    let root = || lists.iter().find(|(keys, _)| keys.is_empty());
    let (keys, records) = root().or_else(|| named(LISTS)).or_else(|| named(&[name])).or_else(longest)?;
    Some(Listing { selector: path(keys), records: (*records).clone() })
}

/// All lists of objects, and empty ones, outside of other lists.
fn collect<'a>(value: &'a Value, keys: &mut Vec<&'a str>, found: &mut Vec<(Vec<&'a str>, &'a Vec<Value>)>) {
    match value {
        Value::Array(items) if items.first().is_none_or(Value::is_object) => {
            found.push((keys.clone(), items));
        }
        Value::Object(map) if keys.len() < DEPTH => {
            for (key, value) in map {
                keys.push(key);
                collect(value, keys, found);
                keys.pop();
            }
        }
        _ => {}
    }
}

/// Keys as a JSONPath.
pub(in crate::plan) fn path(keys: &[&str]) -> String {
    let plain = |key: &str| {
        key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && !key.starts_with(|letter: char| letter.is_ascii_digit())
    };
    let mut out = String::new();
    for key in keys {
        match (plain(key), out.is_empty()) {
            (true, true) => out.push_str(key),
            (true, false) => out.push_str(&format!(".{key}")),
            (false, _) => out.push_str(&format!("['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"))),
        }
    }
    if out.is_empty() { "$".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_is_found_by_its_key_its_name_or_its_length() {
        let selector = |body: Value| listing(&body, "orders").map(|found| found.selector);
        assert_eq!(selector(json!([{"id": 1}])), Some("$".to_owned()));
        assert_eq!(selector(json!({"errors": [], "data": [{"id": 1}]})), Some("data".to_owned()));
        assert_eq!(
            selector(json!({"tags": [{"a": 1}, {"a": 2}], "orders": [{"id": 1}]})),
            Some("orders".to_owned())
        );
        assert_eq!(
            selector(json!({"warnings": [], "x": {"my list": [{"id": 1}]}})),
            Some("x['my list']".to_owned())
        );
        assert_eq!(selector(json!({"id": 1, "tags": ["a", "b"]})), None);
    }
}
