//! `paginator`: type string or mapping.

use super::super::diagnostics::closest;
use super::super::model::{Located, PaginatorConfig, PaginatorKind, Spot};
use super::super::node::{Node, Value};
use super::fields::{Fields, Reader, known_word, listed};
use crate::plan::DriftWatch;

const TYPES: [&str; 9] = [
    "auto",
    "single_page",
    "page_number",
    "offset",
    "cursor",
    "json_link",
    "json_response",
    "header_link",
    "header_cursor",
];

const DRIFT: [&str; 3] = ["watch", "verify", "off"];

/// Each key with the types that know it. `limit` and `limit_param` fit every type that asks for pages.
const KEYS: [(&str, &[PaginatorKind]); 28] = {
    use PaginatorKind::{Auto, Cursor, HeaderCursor, HeaderLink, JsonLink, Offset, PageNumber, SinglePage};
    const LIMIT: &[PaginatorKind] =
        &[Auto, SinglePage, PageNumber, Offset, Cursor, JsonLink, HeaderLink, HeaderCursor];
    const HAS_MORE: &[PaginatorKind] = &[PageNumber, Offset, Cursor, JsonLink, HeaderLink, HeaderCursor];
    [
        ("base_page", &[PageNumber]),
        ("page", &[PageNumber]),
        ("page_param", &[PageNumber]),
        ("page_body_path", &[PageNumber]),
        ("maximum_page", &[PageNumber]),
        ("total_path", &[PageNumber, Offset]),
        ("stop_after_empty_page", &[PageNumber, Offset, Cursor]),
        ("has_more_path", HAS_MORE),
        ("has_more_optional", HAS_MORE),
        ("limit", LIMIT),
        ("limit_param", LIMIT),
        ("limit_body_path", LIMIT),
        ("offset", &[Offset]),
        ("offset_param", &[Offset]),
        ("offset_body_path", &[Offset]),
        ("maximum_offset", &[Offset]),
        ("cursor_path", &[Cursor]),
        ("cursor_field", &[Cursor]),
        ("cursor_param", &[Cursor, HeaderCursor]),
        ("cursor_body_path", &[Cursor]),
        ("next_url_path", &[JsonLink]),
        ("links_next_key", &[HeaderLink]),
        ("cursor_key", &[HeaderCursor]),
        ("drift", &[Auto, PageNumber, Offset]),
        ("total_header", &[PageNumber, Offset]),
        ("total_pages_header", &[PageNumber]),
        ("omit_first", &[PageNumber, Offset]),
        ("initial_cursor", &[Cursor, HeaderCursor]),
    ]
};

pub(super) fn read(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<PaginatorConfig> {
    if let Value::Text(word) = &node.value {
        let written = Located { value: word.clone(), at: at.clone() };
        let kind = kind(known_word(reader, &written, "paginator", &TYPES)?);
        if kind == PaginatorKind::Offset {
            reader.problem_with_hint(
                at,
                "`offset` stands alone, without `limit`",
                "write `{type: offset, limit: 100}`",
            );
        }
        return Some(PaginatorConfig::new(kind, at.clone()));
    }
    let mut fields = Fields::open(reader, node, at)?;
    let Some(written) = fields.plain(reader, "type") else {
        reader.problem_with_hint(at, "missing key `type`", format!("expected one of {}", listed(&TYPES)));
        return None;
    };
    let kind = kind(known_word(reader, &written, "paginator", &TYPES)?);
    check_keys(reader, node, at, kind, &written.value);
    let total_path = fields
        .written("total_path")
        .map(|(node, at)| if node.is_null() { None } else { reader.plain(node, &at) });
    let drift = fields.plain(reader, "drift").and_then(|written| {
        Some(match known_word(reader, &written, "way to watch for drift", &DRIFT)? {
            "off" => DriftWatch::Off,
            "verify" => DriftWatch::Verify,
            _ => DriftWatch::Watch,
        })
    });
    let paginator = PaginatorConfig {
        at: at.clone(),
        kind,
        base_page: fields.whole(reader, "base_page"),
        page: fields.whole(reader, "page"),
        page_param: fields.plain(reader, "page_param"),
        page_body_path: fields.plain(reader, "page_body_path"),
        total_path,
        maximum_page: fields.whole(reader, "maximum_page"),
        stop_after_empty_page: fields.flag(reader, "stop_after_empty_page"),
        has_more_path: fields.plain(reader, "has_more_path"),
        has_more_optional: fields.flag(reader, "has_more_optional"),
        limit: fields.whole(reader, "limit"),
        limit_param: fields.plain(reader, "limit_param"),
        limit_body_path: fields.plain(reader, "limit_body_path"),
        offset: fields.whole(reader, "offset"),
        offset_param: fields.plain(reader, "offset_param"),
        offset_body_path: fields.plain(reader, "offset_body_path"),
        maximum_offset: fields.whole(reader, "maximum_offset"),
        cursor_path: fields.plain(reader, "cursor_path"),
        cursor_field: fields.plain(reader, "cursor_field"),
        cursor_param: fields.plain(reader, "cursor_param"),
        cursor_body_path: fields.plain(reader, "cursor_body_path"),
        next_url_path: fields.plain(reader, "next_url_path"),
        links_next_key: fields.plain(reader, "links_next_key"),
        cursor_key: fields.plain(reader, "cursor_key"),
        drift,
        total_header: fields.plain(reader, "total_header"),
        total_pages_header: fields.plain(reader, "total_pages_header"),
        omit_first: fields.flag(reader, "omit_first") == Some(true),
        initial_cursor: fields.plain(reader, "initial_cursor").map(|cursor| cursor.value),
    };
    Some(paginator)
}

fn kind(word: &str) -> PaginatorKind {
    match word {
        "single_page" => PaginatorKind::SinglePage,
        "page_number" => PaginatorKind::PageNumber,
        "offset" => PaginatorKind::Offset,
        "cursor" => PaginatorKind::Cursor,
        "json_link" | "json_response" => PaginatorKind::JsonLink,
        "header_link" => PaginatorKind::HeaderLink,
        "header_cursor" => PaginatorKind::HeaderCursor,
        _ => PaginatorKind::Auto,
    }
}

/// Complains of keys that the type does not know, and says which type does.
fn check_keys(reader: &mut Reader<'_>, node: &Node, at: &Spot, kind_found: PaginatorKind, word: &str) {
    let Some(map) = node.as_map() else { return };
    let own: Vec<&str> =
        KEYS.iter().filter(|(_, kinds)| kinds.contains(&kind_found)).map(|(key, _)| *key).collect();
    for entry in &map.entries {
        let key = entry.key.as_str();
        if key == "type" || own.contains(&key) {
            continue;
        }
        let spot = Spot { place: entry.place, ..at.key(key, &entry.value) };
        let others: Vec<&str> = KEYS
            .iter()
            .filter(|(known, _)| *known == key)
            .flat_map(|(_, kinds)| TYPES.iter().filter(|word| kinds.contains(&kind(word))).copied())
            .filter(|word| *word != "json_response")
            .collect();
        let list = format!("`{word}` knows {}", listed(&own));
        if others.is_empty() {
            let hint = match closest(key, own.iter().copied()) {
                Some(near) => format!("nearest is `{near}`; {list}"),
                None => list,
            };
            reader.problem_with_hint(&spot, format!("unknown key `{key}`"), hint);
        } else {
            let message = format!("`{key}` is a key of {}, not of `{word}`", listed(&others));
            reader.problem_with_hint(&spot, message, list);
        }
    }
}
