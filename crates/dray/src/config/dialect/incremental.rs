//! `incremental` in the words of other tools (`param_name`, `format: "YYYY-MM-DD"`, `incremental_sync`).

use super::super::node::{Map, Node, Value};
use super::jinja::{in_value, replaced};
use super::spelling::{Writer, set, text};

/// Gives the endpoint's `incremental` dlt's keys and a known format.
pub(super) fn respell(endpoint: &mut Map, writer: &mut Writer<'_>) {
    from_sync(endpoint, writer);
    let Some(node) = endpoint.get_mut("incremental") else { return };
    let place = node.place;
    let Some(map) = node.as_map_mut() else { return };
    writer.rename(map, &["param_name", "start_param_name"], "start_param");
    writer.rename(map, &["cursor_field"], "cursor_path");
    // A named conversion; a function of Python is refused where the key is read.
    if text(map, "convert").is_some_and(|written| format(written).is_some()) {
        writer.rename(map, &["convert"], "format");
    }
    if map.get("format").is_some_and(Node::is_null) {
        map.remove("format");
    }
    let Some(written) = text(map, "format").map(str::to_owned) else { return };
    if let Some(read) = format(&written) {
        if read != written {
            writer.note(format!("`format: {written}` is read as `{read}`"));
        }
        set(map, "format", place, read);
    }
}

/// The named format, or a strftime pattern.
fn format(written: &str) -> Option<String> {
    let known = match written.trim().to_ascii_lowercase().as_str() {
        "unix" | "epoch" | "timestamp" | "unix_timestamp" | "integer" | "unix_seconds" | "epoch_seconds"
        | "unix_s" | "epoch_s" => "unix",
        "unix_milliseconds" | "epoch_milliseconds" | "unix_ms" | "epoch_ms" => "unix_milliseconds",
        "iso" | "iso_z" | "iso8601" | "iso_8601" | "iso-8601" | "rfc3339" | "datetime" => "iso",
        "date" | "yyyy-mm-dd" | "%y-%m-%d" => "date",
        _ if written.contains('%') => return Some(written.to_owned()),
        _ => {
            let upper = written.to_uppercase();
            let dated = upper.contains("YYYY") && upper.contains("DD");
            return dated.then(|| strftime(written));
        }
    };
    Some(known.to_owned())
}

/// `MM/DD/YYYY HH:MM:SS` as `%m/%d/%Y %H:%M:%S`.
fn strftime(written: &str) -> String {
    let written = written.replace("YYYY", "%Y").replace("yyyy", "%Y").replace("DD", "%d").replace("dd", "%d");
    let written = written.replace("HH24", "%H").replace("HH", "%H").replace("hh", "%H");
    // Minutes are `mm`, and `MM` after hours.
    let (date, time) = match written.split_once("%H") {
        Some((date, time)) => (date.to_owned(), Some(time.to_owned())),
        None => (written, None),
    };
    let date = date.replace("MM", "%m");
    match time {
        Some(time) => {
            let time = time.replace("MM", "%M").replace("mm", "%M").replace("SS", "%S").replace("ss", "%S");
            format!("{date}%H{time}")
        }
        None => date,
    }
}

/// `incremental_sync` becomes `incremental`.
fn from_sync(endpoint: &mut Map, writer: &mut Writer<'_>) {
    if endpoint.contains("incremental") {
        return;
    }
    let Some(entry) = endpoint.remove("incremental_sync") else { return };
    let place = entry.value.place;
    let Value::Map(mut sync) = entry.value.value else { return };
    let mut map = Map::default();
    if let Some(field) = text(&sync, "cursor_field") {
        set(&mut map, "cursor_path", place, field);
    }
    for (from, to) in [("start_datetime", "initial_value"), ("end_datetime", "end_value")] {
        if let Some(value) = text(&sync, from) {
            let value = replaced(value, in_value).unwrap_or_else(|| value.to_owned());
            // What is computed from the clock is where a run ends anyway.
            let computed = value.contains("{{") || (to == "end_value" && value.contains("now"));
            if !computed {
                set(&mut map, to, place, value);
            }
        }
    }
    for (from, to) in [("start_time_option", "start_param"), ("end_time_option", "end_param")] {
        let option = sync.get(from).and_then(Node::as_map);
        if let Some(name) = option.and_then(|option| text(option, "field_name")) {
            set(&mut map, to, place, name);
        }
    }
    if let Some(format) = text(&sync, "datetime_format") {
        set(&mut map, "format", place, format.replace("%ms", "%s"));
    }
    let cut = ["initial_value", "end_param", "format"].into_iter().all(|key| map.contains(key));
    if let Some(step) = text(&sync, "step").and_then(step).filter(|_| cut) {
        set(&mut map, "window", place, step);
        sync.remove("step");
    }
    let dropped: Vec<&str> = ["step", "cursor_granularity", "lookback_window"]
        .into_iter()
        .filter(|key| sync.remove(key).is_some())
        .collect();
    writer.note("`incremental_sync` is read as `incremental`");
    for key in dropped {
        writer.note(format!("`incremental_sync.{key}` is ignored"));
    }
    endpoint.insert("incremental", entry.place, Node::new(Value::Map(map), place));
}

/// `P30D`, `P1W`, `PT6H`, `P1M` as `30d`, `1w`, `6h`, `1mo`.
fn step(written: &str) -> Option<String> {
    let written = written.trim();
    let (time, rest) = match written.strip_prefix("PT") {
        Some(rest) => (true, rest),
        None => (false, written.strip_prefix('P')?),
    };
    let unit = match (time, rest.chars().last()?) {
        (false, 'W') => "w",
        (false, 'D') => "d",
        (false, 'M') => "mo",
        (false, 'Y') => "y",
        (true, 'H') => "h",
        (true, 'M') => "m",
        (true, 'S') => "s",
        _ => return None,
    };
    let number: u32 = rest.get(..rest.len() - 1)?.parse().ok()?;
    (number > 0).then(|| format!("{number}{unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_the_dialect() {
        for (written, read) in [
            ("unix", "unix"),
            ("epoch_milliseconds", "unix_milliseconds"),
            ("iso", "iso"),
            ("YYYY-MM-DD", "date"),
            ("YYYYMMDD", "%Y%m%d"),
            ("MM/DD/YYYY HH:MM:SS", "%m/%d/%Y %H:%M:%S"),
            ("YYYY-MM-DD HH:MM", "%Y-%m-%d %H:%M"),
            ("%Y%m%d", "%Y%m%d"),
        ] {
            assert_eq!(format(written).as_deref(), Some(read), "{written}");
        }
        assert_eq!(format("rfc2822"), None);
    }

    #[test]
    fn steps_of_the_dialect() {
        for (written, read) in
            [("P30D", "30d"), ("P1W", "1w"), ("PT6H", "6h"), ("PT15M", "15m"), ("P1M", "1mo"), ("P1Y", "1y")]
        {
            assert_eq!(step(written).as_deref(), Some(read));
        }
        for written in ["P0D", "P1DT2H", "30d", "P"] {
            assert_eq!(step(written), None, "{written}");
        }
    }
}
