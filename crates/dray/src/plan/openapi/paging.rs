//! A paginator from the parameters of an endpoint and what its answer holds beside the records.

use serde_json::{Value, json};

use super::schema::{Found, Parameter};
use crate::plan::propose::path;
use crate::plan::words::{CURSORS, FLAGS, LINKS, PAGES, SIZES, TOTALS};

const PAGE_PARAMS: [&str; 6] = ["page", "page_number", "pagenumber", "pageno", "page[number]", "p"];
const OFFSET_PARAMS: [&str; 6] = ["offset", "skip", "start", "$skip", "page[offset]", "startindex"];
const TOKEN_PARAMS: [&str; 12] = [
    "cursor",
    "after",
    "page_token",
    "pagetoken",
    "next_token",
    "nexttoken",
    "next_cursor",
    "nextcursor",
    "starting_after",
    "continuation",
    "continuation_token",
    "page[after]",
];
const MORE_TOKENS: [&str; 7] =
    ["cursor", "after", "end_cursor", "endcursor", "continuation", "continuation_token", "next"];
const MORE_SIZES: [&str; 5] = ["count", "$top", "top", "page[size]", "page[limit]"];
/// Records a page, where the API names no limit.
const MANY: u64 = 100;

/// How pages follow each other.
pub(super) struct Paging {
    /// The keys of `paginator`; none: it is found on the first page.
    pub(super) keys: Vec<(&'static str, Value)>,
    pub(super) comment: Option<String>,
}

pub(super) fn paging(
    parameters: &[Parameter<'_>],
    found: &Found<'_>,
    linked: bool,
    key: Option<&str>,
) -> Paging {
    let param = |words: &[&str]| {
        parameters
            .iter()
            .find(|one| one.place == "query" && words.iter().any(|word| one.name.eq_ignore_ascii_case(word)))
    };
    let field = |words: &[&str]| {
        let named = |keys: &[&str]| {
            keys.last().is_some_and(|key| words.iter().any(|word| key.eq_ignore_ascii_case(word)))
        };
        found.around.iter().find(|(keys, _)| named(keys)).map(|(keys, _)| path(keys))
    };
    let size = param(SIZES).or_else(|| param(&MORE_SIZES));
    let flag = field(FLAGS);
    let mut keys: Vec<(&'static str, Value)> = Vec::new();
    let mut comment = None;
    let token = param(&TOKEN_PARAMS);
    let cursor = field(CURSORS).or_else(|| field(&MORE_TOKENS));
    let link = field(LINKS).or_else(|| {
        let href = |keys: &[&str]| {
            keys.last().is_some_and(|key| *key == "href")
                && keys.iter().any(|key| key.eq_ignore_ascii_case("next"))
        };
        found.around.iter().find(|(keys, _)| href(keys)).map(|(keys, _)| path(keys))
    });
    if let (Some(token), Some(cursor)) = (token, &cursor) {
        keys.extend([
            ("type", json!("cursor")),
            ("cursor_path", json!(cursor)),
            ("cursor_param", json!(token.name)),
        ]);
    } else if let (Some(token), Some(key)) =
        (token.filter(|one| matches!(one.name, "starting_after" | "after")), key)
    {
        keys.extend([
            ("type", json!("cursor")),
            ("cursor_field", json!(key)),
            ("cursor_param", json!(token.name)),
        ]);
        match &flag {
            Some(flag) => keys.push(("has_more_path", json!(flag))),
            None => keys.push(("stop_after_empty_page", json!(true))),
        }
        comment = Some(format!("Not sure: `{}` takes the `{key}` of the last record.", token.name));
    } else if let Some(link) = link {
        keys.extend([("type", json!("json_link")), ("next_url_path", json!(link))]);
    } else if linked {
        keys.push(("type", json!("header_link")));
    } else if let Some(page) = param(&PAGE_PARAMS) {
        let number = |key: &str| page.schema.get(key).and_then(Value::as_u64);
        let base = number("minimum").or_else(|| number("default")).unwrap_or(1).min(1);
        if number("minimum").is_none() && number("default").is_none() {
            comment = Some("Not sure: pages are counted from 1.".to_owned());
        }
        let total = field(PAGES).map_or(Value::Null, |path| json!(path));
        keys.extend([
            ("type", json!("page_number")),
            ("page_param", json!(page.name)),
            ("base_page", json!(base)),
            ("total_path", total),
        ]);
        keys.extend(flag.map(|flag| ("has_more_path", json!(flag))));
    } else if let Some(offset) = param(&OFFSET_PARAMS) {
        let total = field(TOTALS).map_or(Value::Null, |path| json!(path));
        keys.extend([("type", json!("offset")), ("offset_param", json!(offset.name)), ("total_path", total)]);
        keys.extend(flag.map(|flag| ("has_more_path", json!(flag))));
    } else if let Some(token) = token {
        let told = format!(
            "The API takes `{}`, but no field of its answer is described as the next one: give a paginator.",
            token.name
        );
        return Paging { keys: Vec::new(), comment: Some(told) };
    } else {
        return Paging { keys: Vec::new(), comment: None };
    }
    let offset = keys.first().is_some_and(|(_, kind)| *kind == json!("offset"));
    if let Some(size) = size {
        let number = |key: &str| size.schema.get(key).and_then(Value::as_u64);
        let most = number("maximum").or_else(|| number("default")).unwrap_or(MANY);
        keys.extend([("limit_param", json!(size.name)), ("limit", json!(most.min(1000)))]);
    } else if offset {
        keys.push(("limit", json!(MANY)));
        comment = Some(
            "Not sure: the description names no parameter for the number of records of a page.".to_owned(),
        );
    }
    Paging { keys, comment }
}
