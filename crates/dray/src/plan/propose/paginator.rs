//! How pages may follow each other, by what the first one shows; the likeliest first.

use serde_json::{Value, json};

use super::path;
use crate::plan::words::{CURSORS, FLAGS, LINKS, NUMBERS, PAGES, SIZES, TOTALS};

/// Names of tokens that are no URL, beside those that say that they are the next.
const TOKENS: [&str; 7] =
    ["cursor", "after", "end_cursor", "endcursor", "continuation", "continuation_token", "next"];
/// Parameters that a token may be sent as.
const TOKEN_PARAMS: [&str; 4] = ["cursor", "page_token", "after", "starting_after"];
/// Parameters that a record's own id may be sent as.
const ID_PARAMS: [&str; 2] = ["starting_after", "after"];

/// A paginator that may fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The keys of `paginator`.
    pub keys: Vec<(&'static str, Value)>,
    /// What it rests on.
    pub why: String,
}

impl Guess {
    fn new(kind: &str, keys: Vec<(&'static str, Value)>, why: impl Into<String>) -> Self {
        let mut all = vec![("type", json!(kind))];
        all.extend(keys);
        Self { keys: all, why: why.into() }
    }
}

/// A scalar of a page outside of lists: the keys that lead to it.
type Scalar<'a> = (Vec<&'a str>, &'a Value);

/// What a body repeats of how many records were asked for: the name of that parameter.
#[must_use]
pub fn limit_param(body: &Value) -> Option<String> {
    let scalars = scalars(body);
    let (keys, _) = named(&scalars, SIZES).find(|(_, value)| value.is_number())?;
    keys.last().map(|key| (*key).to_owned())
}

/// All paginators that may fit a page. `linked`: its `Link` header names a next page. `key`: the field that tells records apart.
#[must_use]
pub fn paginators(body: &Value, linked: bool, key: Option<&str>, counted: bool) -> Vec<Guess> {
    let scalars = scalars(body);
    let mut guesses = Vec::new();
    if linked {
        guesses.push(Guess::new("header_link", Vec::new(), "the Link header names the next page"));
    }
    for (keys, value) in &scalars {
        let last = keys.last().copied().unwrap_or_default();
        let is_link =
            is(last, LINKS) || (is(last, &["href", "url"]) && keys.iter().any(|key| is(key, &["next"])));
        if is_link && value.as_str().is_some_and(|text| text.contains(['/', '?'])) {
            let path = path(keys);
            let why = format!("`{path}` is a link");
            guesses.push(Guess::new("json_link", vec![("next_url_path", json!(path))], why));
        }
    }
    for (keys, value) in named(&scalars, CURSORS).chain(named(&scalars, &TOKENS)) {
        let token = match value {
            Value::String(text) => !text.is_empty() && !text.contains("://"),
            Value::Number(_) => true,
            _ => false,
        };
        if token {
            let name = keys.last().copied().unwrap_or_default();
            for param in token_params(name) {
                let path = path(keys);
                let why = format!("`{path}` is sent as `{param}`");
                guesses.push(Guess::new(
                    "cursor",
                    vec![("cursor_path", json!(path)), ("cursor_param", json!(param))],
                    why,
                ));
            }
        }
    }
    numbered(&scalars, key, counted, &mut guesses);
    guesses
}

/// Lists that are asked for by number, or by the id of the last record.
fn numbered(scalars: &[Scalar<'_>], key: Option<&str>, counted: bool, guesses: &mut Vec<Guess>) {
    let flag = named(scalars, FLAGS).find(|(_, value)| value.is_boolean()).map(|(keys, _)| path(keys));
    let number =
        named(scalars, NUMBERS).find_map(|(keys, value)| Some((keys.last().copied()?, value.as_u64()?)));
    let pages = named(scalars, PAGES).find(|(_, value)| value.is_u64()).map(|(keys, _)| path(keys));
    let total = named(scalars, TOTALS).find(|(_, value)| value.is_u64()).map(|(keys, _)| path(keys));
    let base = number.map_or(1, |(_, current)| current.min(1));
    let param = number
        .map_or("page", |(name, _)| if name.eq_ignore_ascii_case("current_page") { "page" } else { name });
    let mut end = Vec::new();
    if let Some(flag) = &flag {
        end.push(("has_more_path", json!(flag)));
    }
    let by_page = |end: &[(&'static str, Value)], why: String| {
        let mut keys =
            vec![("base_page", json!(base)), ("page_param", json!(param)), ("total_path", Value::Null)];
        for (name, value) in end {
            keys.retain(|(known, _)| known != name);
            keys.push((*name, value.clone()));
        }
        Guess::new("page_number", keys, why)
    };
    if let Some(pages) = &pages {
        guesses.push(by_page(&[("total_path", json!(pages))], format!("`{pages}` counts pages")));
    }
    if number.is_some() {
        guesses.push(by_page(&end, "the page says its number".to_owned()));
    }
    if let (Some(flag), Some(key)) = (&flag, key) {
        for param in ID_PARAMS {
            let keys = vec![
                ("cursor_field", json!(key)),
                ("cursor_param", json!(param)),
                ("has_more_path", json!(flag)),
            ];
            guesses.push(Guess::new(
                "cursor",
                keys,
                format!("`{flag}`, and `{key}` of the last record is sent as `{param}`"),
            ));
        }
    }
    if flag.is_some() || total.is_some() || counted {
        let total_path = total.as_ref().map_or(Value::Null, |total| json!(total));
        let mut keys = vec![("total_path", total_path)];
        keys.extend(end.clone());
        let why = total.as_ref().map_or_else(
            || "records can be counted off".to_owned(),
            |total| format!("`{total}` counts records"),
        );
        guesses.push(Guess::new("offset", keys, why));
        if number.is_none() && pages.is_none() {
            guesses.push(by_page(&end, "pages can be counted off".to_owned()));
        }
    }
}

/// Names of the parameter that takes a token of this name.
fn token_params(name: &str) -> Vec<String> {
    let mut params = Vec::new();
    for prefix in ["next_", "next"] {
        if let Some(rest) = name.strip_prefix(prefix).filter(|rest| !rest.is_empty()) {
            let mut letters = rest.chars();
            let first = letters.next().map(|letter| letter.to_ascii_lowercase()).unwrap_or_default();
            params.push(format!("{first}{}", letters.as_str()));
            break;
        }
    }
    params.push(name.to_owned());
    params.extend(TOKEN_PARAMS.map(str::to_owned));
    let mut seen = Vec::new();
    params.retain(|param| {
        let new = !seen.contains(param);
        seen.push(param.clone());
        new
    });
    params
}

fn is(key: &str, words: &[&str]) -> bool {
    words.iter().any(|word| key.eq_ignore_ascii_case(word))
}

fn named<'s, 'a>(scalars: &'s [Scalar<'a>], words: &'s [&'s str]) -> impl Iterator<Item = &'s Scalar<'a>> {
    scalars.iter().filter(|(keys, _)| keys.last().is_some_and(|key| is(key, words)))
}

/// All scalars outside of lists, at most four levels deep.
fn scalars(body: &Value) -> Vec<Scalar<'_>> {
    fn walk<'a>(value: &'a Value, keys: &mut Vec<&'a str>, found: &mut Vec<Scalar<'a>>) {
        let Value::Object(map) = value else { return };
        for (key, value) in map {
            keys.push(key);
            match value {
                Value::Object(_) if keys.len() < 4 => walk(value, keys, found),
                Value::Object(_) | Value::Array(_) | Value::Null => {}
                _ => found.push((keys.clone(), value)),
            }
            keys.pop();
        }
    }
    let mut found = Vec::new();
    walk(body, &mut Vec::new(), &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guesses as text, the likeliest first.
    fn guessed(body: Value) -> Vec<String> {
        let text = |guess: &Guess| {
            guess.keys.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        };
        paginators(&body, false, Some("id"), false).iter().map(text).collect()
    }

    /// Bodies as the documentation of these APIs shows them.
    #[test]
    fn known_shapes_come_first() {
        let first = |body: Value| guessed(body).into_iter().next().unwrap_or_default();
        // GitLab's keyset, Django REST framework, OData
        let body = json!({"count": 5, "next": "https://a.example/x?page=2", "results": []});
        assert_eq!(first(body), r#"type="json_link" next_url_path="next""#);
        let body = json!({"@odata.nextLink": "https://a.example/x?$skip=2", "value": []});
        assert_eq!(first(body), r#"type="json_link" next_url_path="['@odata.nextLink']""#);
        let body = json!({"_links": {"next": {"href": "/x?page=2"}}, "items": []});
        assert_eq!(first(body), r#"type="json_link" next_url_path="_links.next.href""#);
        // Slack, Google
        let body = json!({"response_metadata": {"next_cursor": "dXNlcg=="}, "members": []});
        assert_eq!(
            first(body),
            r#"type="cursor" cursor_path="response_metadata.next_cursor" cursor_param="cursor""#
        );
        let body = json!({"nextPageToken": "abc", "items": []});
        assert_eq!(first(body), r#"type="cursor" cursor_path="nextPageToken" cursor_param="pageToken""#);
        // Stripe, Zoho
        let body = json!({"object": "list", "has_more": true, "data": []});
        assert_eq!(
            first(body),
            r#"type="cursor" cursor_field="id" cursor_param="starting_after" has_more_path="has_more""#
        );
        let body = json!({"plans": [], "page_context": {"page": 1, "per_page": 200, "has_more_page": true}});
        assert_eq!(
            first(body.clone()),
            r#"type="page_number" base_page=1 page_param="page" total_path=null has_more_path="page_context.has_more_page""#
        );
        assert_eq!(limit_param(&body).as_deref(), Some("per_page"));
        // Laravel without links, and a total of records
        let body = json!({"data": [], "meta": {"current_page": 1, "total_pages": 7}});
        assert_eq!(
            first(body),
            r#"type="page_number" base_page=1 page_param="page" total_path="meta.total_pages""#
        );
        let body = json!({"items": [], "total": 70, "offset": 0});
        assert_eq!(first(body), r#"type="offset" total_path="total""#);
        assert_eq!(first(json!({"name": "a", "value": 5})), "");
    }
}
