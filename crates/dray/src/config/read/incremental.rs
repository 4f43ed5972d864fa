//! `incremental`, and the parameter form `{type: incremental, ...}`.

use super::super::model::{IncrementalConfig, Located, Spot, WindowConfig};
use super::super::node::{Node, Value};
use super::fields::{Fields, Reader, known_word};
use crate::plan::{CursorFormat, CursorValue, OnMissing, StopPlan};

const FORMATS: [&str; 4] = ["unix", "unix_milliseconds", "iso", "date"];

/// `as_param`: the mapping is a parameter's value and has a `type`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node,
    at: &Spot,
    as_param: bool,
) -> Option<IncrementalConfig> {
    let mut fields = Fields::open(reader, node, at)?;
    if as_param {
        fields.written("type");
    }
    let cursor_path = fields.plain(reader, "cursor_path");
    if cursor_path.is_none() {
        // dlt loads everything on every run instead, and says nothing (dlt.md §1.11).
        reader.problem(at, "missing key `cursor_path`");
    }
    let cursor_format = fields.plain(reader, "cursor_format");
    let start_param = fields.plain(reader, "start_param");
    let end_param = fields.plain(reader, "end_param");
    if as_param && let Some(param) = start_param.as_ref().or(end_param.as_ref()) {
        reader.problem_with_hint(
            &param.at.clone(),
            "a parameter of type incremental names itself",
            "use `endpoint.incremental` for a start and an end",
        );
    }
    let initial_value = value(reader, &mut fields, "initial_value").map(|value| value.value);
    let end_value = value(reader, &mut fields, "end_value");
    let format = fields.plain(reader, "format").and_then(|format| read_format(reader, &format));
    let lag = fields.number(reader, "lag");
    let on_cursor_value_missing = fields
        .word(reader, "on_cursor_value_missing", &["raise", "include", "exclude"])
        .map(|word| match word {
            "include" => OnMissing::Include,
            "exclude" => OnMissing::Exclude,
            _ => OnMissing::Raise,
        });
    let descending = fields.word(reader, "last_value_func", &["max", "min"]).map(|word| word == "min");
    let start_open = fields.word(reader, "range_start", &["closed", "open"]).map(|word| word == "open");
    let end_closed = fields.word(reader, "range_end", &["open", "closed"]).map(|word| word == "closed");
    let row_order = row_order(reader, &mut fields);
    if fields.take("primary_key").is_some() {
        reader.note("`incremental.primary_key` is ignored: rows at the boundary are told apart by the resource's own key");
    }
    if fields.flag(reader, "allow_external_schedulers") == Some(true) {
        reader.note("`allow_external_schedulers` is ignored: give `initial_value` and `end_value`");
    }
    for key in ["convert", "transform"] {
        fields.refuse(
            reader,
            key,
            "is a Python function",
            "use `format`: `unix`, `unix_milliseconds`, `iso`, `date`, or a pattern such as `%Y-%m-%d`",
        );
    }
    let window = window(reader, &mut fields);
    let retention = fields
        .take("retention")
        .and_then(|(node, at)| Some(Located { value: reader.duration(node, &at)?, at }));
    let fallback = fields.plain(reader, "fallback");
    fields.finish(reader);
    Some(IncrementalConfig {
        at: at.clone(),
        cursor_path,
        cursor_format,
        initial_value,
        end_value,
        start_param,
        end_param,
        format,
        lag,
        on_cursor_value_missing,
        descending,
        start_open,
        end_closed,
        window,
        row_order,
        retention,
        fallback,
    })
}

fn row_order(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<Located<StopPlan>> {
    let (node, at) = fields.take("row_order")?;
    let written = reader.plain(node, &at)?;
    let word = known_word(reader, &written, "row_order", &["asc", "desc"])?;
    let value = if word == "desc" { StopPlan::AtStart } else { StopPlan::AtEnd };
    Some(Located { value, at })
}

/// `30d`, `1 month`, or `{size: 30d}`.
fn window(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<Located<WindowConfig>> {
    let (node, at) = fields.take("window")?;
    if node.as_map().is_none() {
        return Some(Located { value: length(reader, node, &at)?, at });
    }
    let mut inner = Fields::open(reader, node, &at)?;
    let size = inner.take("size");
    if size.is_none() {
        reader.problem_with_hint(&at, "missing key `size`", "write `window: 30d` or `window: {size: 30d}`");
    }
    inner.finish(reader);
    let (node, at) = size?;
    Some(Located { value: length(reader, node, &at)?, at })
}

fn length(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<WindowConfig> {
    if let Value::Text(text) = &node.value
        && let Some(months) = months(text)
    {
        return Some(WindowConfig::Months(months));
    }
    reader.duration(node, at).map(WindowConfig::Time)
}

/// Months of the calendar, which have no length of their own: `1 month`, `3mo`, `1y`. `m` alone is minutes.
fn months(text: &str) -> Option<i32> {
    let text = text.trim();
    let end = text.find(char::is_alphabetic)?;
    let (number, unit) = text.split_at_checked(end)?;
    let number: i32 = number.trim().parse().ok()?;
    match unit {
        "mo" | "month" | "months" => Some(number),
        "y" | "year" | "years" => number.checked_mul(12),
        _ => None,
    }
}

fn value(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<Located<CursorValue>> {
    let (node, at) = fields.take(key)?;
    let value = match &node.value {
        Value::Int(number) => CursorValue::Int(*number),
        Value::Float(number) => CursorValue::Float(*number),
        Value::Text(text) => CursorValue::Text(text.clone()),
        _ => {
            reader.expected(&at, "a number or text", node);
            return None;
        }
    };
    Some(Located { value, at })
}

fn read_format(reader: &mut Reader<'_>, format: &Located<String>) -> Option<CursorFormat> {
    match format.value.as_str() {
        "unix" => Some(CursorFormat::Unix),
        "unix_milliseconds" => Some(CursorFormat::UnixMillis),
        "iso" => Some(CursorFormat::Iso),
        "date" => Some(CursorFormat::Date),
        pattern if pattern.contains('%') => Some(CursorFormat::Pattern(pattern.to_owned())),
        word => {
            reader.unknown_word(&format.at, "format", word, &FORMATS);
            None
        }
    }
}
