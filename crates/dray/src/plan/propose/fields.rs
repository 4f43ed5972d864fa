//! Fields of records that say which record it is, and when it changed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::path;
use crate::plan::singular::singular;
use crate::timestamp;

/// Names of keys, the likeliest first; `<singular>_id` follows.
const KEYS: [&str; 6] = ["id", "uuid", "guid", "_id", "gid", "sys_id"];
/// Names of moments of change, the likeliest first, in any case and without `_`.
const CHANGED: [&str; 20] = [
    "updatedat",
    "updated",
    "updatedtime",
    "updatedon",
    "modifiedat",
    "modified",
    "modifiedtime",
    "lastmodified",
    "lastmodifiedtime",
    "lastmodifieddate",
    "lastupdated",
    "lastupdate",
    "lastupdatedat",
    "dateupdated",
    "datemodified",
    "systemmodstamp",
    "createdat",
    "created",
    "createdtime",
    "datecreated",
];

/// A field that tells records apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub field: String,
    /// Whether the page had enough records to show it.
    pub sure: bool,
}

/// The field that every record has and that differs in all of them.
#[must_use]
pub fn primary_key(records: &[Value], name: &str) -> Option<Key> {
    let unique = |field: &str| {
        let mut seen = BTreeSet::new();
        !records.is_empty()
            && records.iter().all(|record| match record.get(field) {
                Some(value @ (Value::String(_) | Value::Number(_))) => {
                    value.as_str() != Some("") && seen.insert(value.to_string())
                }
                _ => false,
            })
    };
    let first = records.first()?.as_object()?;
    let own = [
        format!("{}_id", singular(name)),
        format!("{}Id", singular(name)),
        format!("{}_code", singular(name)),
    ];
    let named = KEYS.iter().copied().chain(own.iter().map(String::as_str));
    let by_name = named.filter_map(|word| first.keys().find(|key| key.eq_ignore_ascii_case(word)));
    // Of other ids only the first field: those that follow belong to other records.
    let leading = first.keys().take(1).filter(|key| key.to_ascii_lowercase().ends_with("id"));
    let field = by_name.chain(leading).find(|field| unique(field))?;
    Some(Key { field: field.clone(), sure: records.len() > 1 })
}

/// The field that says when a record changed, else when it was made, and the `format` that it has, if it is a number.
#[must_use]
pub fn cursor(records: &[Value]) -> Option<(String, Option<&'static str>)> {
    let first = records.first()?.as_object()?;
    let folded = |key: &str| key.replace(['_', '-'], "").to_ascii_lowercase();
    CHANGED.iter().find_map(|word| {
        let key = first.keys().find(|key| folded(key) == *word)?;
        let mut format = None;
        for record in records {
            match record.get(key)? {
                Value::String(text) if timestamp::parse(text.as_bytes()).is_some() => {}
                Value::Number(number) => {
                    format = Some(match number.as_i64()? {
                        100_000_000..100_000_000_000 => "unix",
                        100_000_000_000.. => "unix_milliseconds",
                        _ => return None,
                    });
                }
                _ => return None,
            }
        }
        Some((path(&[key]), format))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(records: Value) -> Option<String> {
        primary_key(records.as_array().unwrap(), "orders").map(|key| key.field)
    }

    #[test]
    fn a_key_is_in_every_record_and_differs_in_all() {
        assert_eq!(key(json!([{"a": 1, "id": 1}, {"a": 1, "id": 2}])), Some("id".to_owned()));
        assert_eq!(
            key(json!([{"id": 1, "order_id": "a"}, {"id": 1, "order_id": "b"}])),
            Some("order_id".to_owned())
        );
        assert_eq!(key(json!([{"customer_id": 1}, {"customer_id": 2}])), Some("customer_id".to_owned()));
        assert_eq!(key(json!([{"x": 1, "customer_id": 1}, {"x": 1, "customer_id": 2}])), None);
        assert_eq!(key(json!([{"id": 1}, {}])), None);
        assert_eq!(key(json!([])), None);
        assert!(primary_key(&[json!({"id": 5})], "orders").is_some_and(|key| !key.sure));
    }

    #[test]
    fn a_cursor_is_a_moment_in_every_record() {
        let found = |records: Value| cursor(records.as_array().unwrap());
        let records = json!([{"created": 1_700_000_000, "updated_at": "2024-01-01T00:00:00Z"}]);
        assert_eq!(found(records), Some(("updated_at".to_owned(), None)));
        let records = json!([{"created": 1_700_000_000}, {"created": 1_700_000_001}]);
        assert_eq!(found(records), Some(("created".to_owned(), Some("unix"))));
        assert_eq!(
            found(json!([{"created": 1_700_000_000_000_i64}])),
            Some(("created".to_owned(), Some("unix_milliseconds")))
        );
        assert_eq!(found(json!([{"updated_at": null}])), None);
        assert_eq!(found(json!([{"updated": "yes"}])), None);
    }
}
