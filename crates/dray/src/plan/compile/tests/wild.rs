//! Real configurations, where they are at hand: how many compile, and why the others do not.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the count is what these tests are for")]

use std::collections::BTreeMap;

use super::{planned, planned_node};
use crate::config::diagnostics::Diagnostics;
use crate::config::node::{Map, Node, Place, Value};
use crate::config::parse::{Format, parse};

fn folder(name: &str) -> Vec<(String, String)> {
    let path = format!("{}/../../../shared/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(entries) = std::fs::read_dir(path) else {
        eprintln!("skipped: {name} is not there");
        return Vec::new();
    };
    let mut files: Vec<(String, String)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let text = std::fs::read_to_string(entry.path()).ok()?;
            Some((entry.file_name().to_string_lossy().into_owned(), text))
        })
        .collect();
    files.sort();
    files
}

/// Markers of computed values become what a reader of the Python would put there.
fn unmark(node: Node) -> Node {
    let place = node.place;
    let value = match node.value {
        Value::List(items) => Value::List(items.into_iter().map(unmark).collect()),
        Value::Map(mut map) => {
            map.remove("$if");
            map.remove("$appended_in_code");
            match map.entries.first().map(|entry| (entry.key.clone(), entry.value.clone())) {
                Some((key, _)) if key == "$secret" => Value::Text("${secrets.x}".to_owned()),
                Some((key, value))
                    if matches!(key.as_str(), "$var" | "$config" | "$env" | "$redacted_literal") =>
                {
                    match map.remove("default") {
                        Some(default) => unmark(default.value).value,
                        None => Value::Text(format!("v-{}", value.as_text().unwrap_or("x"))),
                    }
                }
                Some((key, _)) if key == "$fstring" => Value::Text("https://api.example.com/v".to_owned()),
                Some((key, _)) if matches!(key.as_str(), "$call" | "$expr") => {
                    Value::Text("2024-01-01T00:00:00Z".to_owned())
                }
                Some((key, _)) if key == "$class" => class(&map),
                Some((key, _)) if key == "$comprehension" => {
                    map.remove("element").map_or(Value::Null, |entry| unmark(entry.value).value)
                }
                _ => {
                    for entry in &mut map.entries {
                        if entry.key == "base_url" && entry.value.as_text().is_none() {
                            entry.value = Node::text("https://api.example.com", place);
                        }
                        let value = std::mem::replace(&mut entry.value, Node::new(Value::Null, place));
                        entry.value = unmark(value);
                    }
                    Value::Map(map)
                }
            }
        }
        other => other,
    };
    Node::new(value, place)
}

/// Stock classes with keyword arguments only; positional ones are the Python parser's matter.
fn class(map: &Map) -> Value {
    let name = map.get("$class").and_then(Node::as_text).unwrap_or_default();
    let kind = match name {
        "OffsetPaginator" => "offset",
        "PageNumberPaginator" => "page_number",
        "JSONResponseCursorPaginator" => "cursor",
        "JSONLinkPaginator" | "JSONResponsePaginator" => "json_link",
        "HeaderLinkPaginator" => "header_link",
        "SinglePagePaginator" => "single_page",
        "BearerTokenAuth" => "bearer",
        "HttpBasicAuth" => "http_basic",
        "APIKeyAuth" | "ApiKeyAuth" => "api_key",
        _ => return Value::Text(format!("class {name}")),
    };
    let mut built = Map::default();
    built.insert("type", Place::default(), Node::text(kind, Place::default()));
    if let Some(arguments) = map.get("kwargs").and_then(Node::as_map) {
        for entry in &arguments.entries {
            built.insert(entry.key.clone(), entry.place, unmark(entry.value.clone()));
        }
    }
    Value::Map(built)
}

fn report(what: &str, results: &[(String, Result<(), String>)]) -> usize {
    let good = results.iter().filter(|(_, result)| result.is_ok()).count();
    println!("{what}: {good} of {} compile", results.len());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for (name, result) in results {
        if let Err(problems) = result {
            println!("--- {name}\n{problems}");
            for line in problems.lines().filter(|line| !line.starts_with("  =")) {
                let reason = line.split_once(": ").map_or(line, |(_, reason)| reason);
                *reasons.entry(reason.to_owned()).or_default() += 1;
            }
        }
    }
    for (reason, count) in reasons {
        println!("{count:4} {reason}");
    }
    good
}

#[test]
fn the_corpus() {
    let mut results = Vec::new();
    for (name, text) in folder("corpus") {
        let Some(mut root) = parse(&text, Format::Json, &mut Diagnostics::default()) else { continue };
        // dlt's own tests hold broken configurations on purpose.
        if root.as_map().and_then(|map| map.get("kind")?.as_text()) == Some("dlt-tests") {
            continue;
        }
        let config = root.as_map_mut().and_then(|map| map.remove("config"));
        let Some(config) = config.filter(|config| config.value.as_map().is_some()) else { continue };
        results.push((name, planned_node(unmark(config.value)).map(|_| ())));
    }
    let good = report("corpus", &results);
    assert!(good * 10 >= results.len() * 5, "only {good} of {} compile", results.len());
}

#[test]
fn documents_of_the_family() {
    let results: Vec<_> = folder("dialect")
        .into_iter()
        .map(|(name, text)| (name, planned(&text, Format::Document).map(|_| ())))
        .collect();
    report("dialect", &results);
}
