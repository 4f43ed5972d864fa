//! `paginator` in the words of other tools (`limit_param`, `start_from_page`, `starting_after`).

use super::super::node::{Map, Node, Place, Value};
use super::jinja::response_path;
use super::selector::step;
use super::spelling::{Writer, set, set_value, text};

/// The names under which APIs take the id of the last record.
const AFTER_LAST: [&str; 4] = ["starting_after", "startingAfter", "after", "start_after"];

/// Gives a paginator dlt's type and keys.
pub(super) fn respell(node: &mut Node, writer: &mut Writer<'_>) {
    let place = node.place;
    if let Value::Text(word) = &mut node.value {
        if let Some(known) = type_named(word) {
            writer.note(format!("paginator `{word}` is read as `{known}`"));
            known.clone_into(word);
        }
        return;
    }
    let Some(map) = node.as_map_mut() else { return };
    settle_type(map, place, writer);
    writer.rename(
        map,
        &["per_page_param", "page_size_param", "size_param", "pagesize_param", "limit_name"],
        "limit_param",
    );
    writer.rename(map, &["per_page", "page_size", "default_page_size", "default_pagesize"], "limit");
    for key in ["max_pagesize", "inject_on_first_request"] {
        if map.remove(key).is_some() {
            writer.note(format!("`{key}` of the paginator is ignored"));
        }
    }
    for (_, key) in [(0, "limit_param"), (1, "limit")] {
        if map.get(key).is_some_and(Node::is_null) {
            map.remove(key);
        }
    }
    match text(map, "type") {
        Some("page_number") => page_number(map, place, writer),
        Some("offset") => offset(map, place, writer),
        Some("cursor") => cursor(map, place, writer),
        Some("json_link" | "json_response") => {
            writer.rename(
                map,
                &[
                    "next_link",
                    "next_link_field",
                    "next_link_jsonpath",
                    "next_page_token",
                    "next_page_path",
                    "next_token_param",
                ],
                "next_url_path",
            );
            quote(map, "next_url_path", place);
        }
        _ => {}
    }
    stop_condition(map, place, writer);
    say_where_limit_goes(map, writer);
}

fn type_named(word: &str) -> Option<&'static str> {
    Some(match word {
        "page" | "numbered" | "page_increment" | "pageNumber" | "pagination" => "page_number",
        "page_token" | "token_based" | "token" | "cursor_based" => "cursor",
        "offset_limit" | "limit_offset" | "offset_increment" => "offset",
        "none" | "None" | "single" => "single_page",
        "custom" | "DefaultPaginator" => "auto",
        "link_header" => "header_link",
        "next_link" => "json_link",
        _ => return None,
    })
}

fn settle_type(map: &mut Map, place: Place, writer: &mut Writer<'_>) {
    let Some(written) = text(map, "type").map(str::to_owned) else { return };
    if let Some(known) = type_named(&written) {
        writer.note(format!("paginator `{written}` is read as `{known}`"));
        set(map, "type", place, known);
    }
}

fn page_number(map: &mut Map, place: Place, writer: &mut Writer<'_>) {
    // dlt's form has none of these, and counts from 0; every API that is described with them counts from 1.
    let loose = ["limit", "limit_param", "start_from_page", "param_name", "offset_param"]
        .iter()
        .any(|key| map.contains(key));
    writer.rename(map, &["param_name", "offset_param"], "page_param");
    writer.rename(map, &["start_from_page", "start_page", "initial_page"], "base_page");
    if loose && !map.contains("base_page") && !map.contains("page") {
        set_value(map, "base_page", place, Value::Int(1));
        writer.note("pages are counted from 1 (`base_page: 1`)");
    }
}

fn offset(map: &mut Map, place: Place, writer: &mut Writer<'_>) {
    if !map.contains("offset_param")
        && let Some(param) = map.get("page_param").and_then(Node::as_text).map(str::to_owned)
    {
        set(map, "type", place, "page_number");
        writer.note(format!("`offset` with `page_param: {param}` is read as `page_number`"));
        page_number(map, place, writer);
        return;
    }
    match text(map, "offset_param").map(str::to_owned) {
        Some(param) if AFTER_LAST.contains(&param.as_str()) => {
            last_record(map, &param, place, writer);
        }
        Some(param) if param == "page" => {
            set(map, "type", place, "page_number");
            writer.note("`offset` whose `offset_param` is `page` is read as `page_number`");
            page_number(map, place, writer);
        }
        _ => {}
    }
}

/// `starting_after`: the next page begins after the last record's id.
fn last_record(map: &mut Map, param: &str, place: Place, writer: &mut Writer<'_>) {
    let had = text(map, "type").unwrap_or_default().to_owned();
    map.remove("offset_param");
    map.remove("offset");
    map.remove("total_path");
    map.remove("stop_after_empty_page");
    set(map, "type", place, "cursor");
    set(map, "cursor_param", place, param);
    set(map, "cursor_field", place, "id");
    let mut reading = format!("`{had}` by `{param}` is read as a cursor: the `id` of the page's last record");
    if !map.contains("has_more_path") {
        set(map, "has_more_path", place, "has_more");
        set_value(map, "has_more_optional", place, Value::Bool(true));
        reading.push_str(", until `has_more` is false or a page is empty");
    }
    writer.note(reading);
}

fn cursor(map: &mut Map, place: Place, writer: &mut Writer<'_>) {
    let loose = ["limit", "stop_condition", "limit_param"].iter().any(|key| map.contains(key));
    writer.rename(
        map,
        &[
            "page_token_param",
            "token_param",
            "next_token_param",
            "param_name",
            "next_page_param",
            "offset_param",
        ],
        "cursor_param",
    );
    writer.rename(
        map,
        &[
            "next_page_token_jsonpath",
            "next_page_path",
            "next_token_jsonpath",
            "cursor_value",
            "next_cursor_path",
        ],
        "cursor_path",
    );
    let param = text(map, "cursor_param").map(str::to_owned);
    let Some(written) = text(map, "cursor_path").map(str::to_owned) else {
        if map.contains("cursor_field") || map.contains("cursor_path") {
            return;
        }
        match param {
            Some(param) if AFTER_LAST.contains(&param.as_str()) => last_record(map, &param, place, writer),
            Some(_) if loose => {
                set(map, "cursor_path", place, "next_cursor");
                writer.note("the paginator does not say where the next cursor is: `next_cursor` is tried");
            }
            _ => {}
        }
        return;
    };
    if written.to_ascii_lowercase().contains("headers") && written.to_ascii_lowercase().contains("link") {
        for key in ["cursor_path", "cursor_param", "stop_condition"] {
            map.remove(key);
        }
        set(map, "type", place, "header_link");
        writer.note(format!("`cursor_path: {written}` is read as paginator `header_link`"));
        return;
    }
    if written == "last" {
        map.remove("cursor_path");
        let param = param.unwrap_or_else(|| "cursor".to_owned());
        last_record(map, &param, place, writer);
        return;
    }
    let mut path = written.clone();
    if path.contains("{{") || path.contains(".get(") || path.starts_with("response") {
        if let Some(read) = response_path(&path) {
            path = read;
        }
        if path != written {
            writer.note(format!("`cursor_path: {written}` is read as `{path}`"));
        }
    }
    if is_link(&path) {
        for key in ["cursor_path", "cursor_param"] {
            map.remove(key);
        }
        set(map, "type", place, "json_link");
        set(map, "next_url_path", place, path.clone());
        quote(map, "next_url_path", place);
        writer.note(format!("`cursor_path: {path}` holds URLs: read as paginator `json_link`"));
        return;
    }
    set(map, "cursor_path", place, path);
    quote(map, "cursor_path", place);
}

/// Whether a path by its name leads to the next page's URL.
fn is_link(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let last = lower.rsplit('.').next().unwrap_or_default();
    matches!(
        last,
        "href" | "next_url" | "nexturl" | "nextlink" | "next_link" | "next_page_url" | "nextpageurl"
    ) || lower == "links.next"
        || lower == "_links.next"
}

/// `@odata.nextLink` is one key.
fn quote(map: &mut Map, key: &str, place: Place) {
    let Some(written) = text(map, key) else { return };
    if let Some(rest) = written.strip_prefix("@odata.") {
        let quoted = step(&format!("@odata.{rest}"));
        set(map, key, place, quoted);
    }
}

/// A flag in the body becomes `has_more_path`; what speaks of links and lengths is implied.
fn stop_condition(map: &mut Map, place: Place, writer: &mut Writer<'_>) {
    let Some(node) = writer.take(map, &["stop_condition"]) else { return };
    let Some(written) = node.as_text() else { return };
    let path = response_path(written).filter(|path| {
        let lower = path.to_ascii_lowercase();
        lower.contains("more") || lower.contains("has_next") || lower.contains("hasnext")
    });
    let knows = matches!(text(map, "type"), Some("cursor" | "offset" | "page_number"));
    match path {
        Some(path) if knows && !map.contains("has_more_path") => {
            writer.note(format!("`stop_condition: {written}` is read as `has_more_path: {path}`"));
            set(map, "has_more_path", place, path);
            set_value(map, "has_more_optional", place, Value::Bool(true));
        }
        _ => writer.note(format!(
            "`stop_condition: {written}` is ignored: paging ends where the API gives no next page"
        )),
    }
}

fn say_where_limit_goes(map: &Map, writer: &mut Writer<'_>) {
    let sends = matches!(text(map, "type"), Some("cursor" | "page_number" | "json_link" | "header_link"));
    if sends && map.contains("limit") && !map.contains("limit_param") && !map.contains("limit_body_path") {
        writer.note("the paginator's `limit` is sent as the parameter `limit`");
    }
}
