//! The documents that people really have, where a checkout has them beside it.
#![expect(clippy::print_stderr, reason = "a skipped or counted test has to be visible")]

use std::path::PathBuf;

use super::*;
use crate::config::diagnostics::Diagnostic;
use crate::config::node::Value;

/// The files of a folder of shared material in order of their names, or nothing if it is not there.
fn shared(folder: &str) -> Vec<(String, String)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(folder);
    let Ok(entries) = std::fs::read_dir(&path) else {
        eprintln!("SKIPPED: no {folder} beside this checkout");
        return Vec::new();
    };
    let mut files: Vec<(String, String)> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn names(node: &Node, list: &str) -> Vec<String> {
    let items = node.as_map().unwrap().get(list).unwrap().as_list().unwrap();
    let name = |item: &Node| item.as_map().unwrap().get("name").unwrap().as_text().unwrap().to_owned();
    items.iter().map(name).collect()
}

#[test]
fn the_seeds_parse() {
    let files = shared("seeds");
    let mut found = Vec::new();
    for (name, text) in &files {
        let mut diagnostics = Diagnostics::new();
        let node = parse(text, Format::of_file(name).unwrap(), &mut diagnostics);
        assert!(diagnostics.is_empty(), "{name}: {diagnostics}");
        let node = node.unwrap();
        let list = if node.as_map().unwrap().contains("ENDPOINTS") { "ENDPOINTS" } else { "resources" };
        found.push(names(&node, list));
    }
    if files.is_empty() {
        return;
    }
    let orb =
        ["customers", "subscriptions", "plans", "invoices", "credits_ledger_entries", "subscription_usage"];
    assert_eq!(found.len(), 4);
    assert_eq!(found[0], orb);
    assert_eq!(found[1], ["products", "recurring_invoices", "revenues"]);
    assert_eq!(found[2].len(), 12);
    assert_eq!(found[3], ["charges", "customers"]);
}

#[test]
fn documents_of_the_dialect_parse() {
    let mut read = 0;
    let mut refused = Vec::new();
    for (name, text) in shared("dialect") {
        let Some(Format::Document) = Format::of_file(&name) else { continue };
        if !text.contains("```py") {
            continue;
        }
        let mut diagnostics = Diagnostics::new();
        match parse(&text, Format::Document, &mut diagnostics) {
            Some(_) => read += 1,
            None => {
                // Scaffolds with bare words for resources are all that may be refused.
                let bare = ["this is not Python", "has no value in this file"];
                let bare = |problem: &Diagnostic| bare.iter().any(|words| problem.message.contains(words));
                assert!(diagnostics.iter().all(bare), "{name}: {diagnostics}");
                refused.push(format!("{name}: {diagnostics}"));
            }
        }
    }
    eprintln!("{read} documents read, {} refused:\n{}", refused.len(), refused.join("\n"));
}

/// Every configuration of the corpus, written as YAML's subset JSON, gives the same tree by both parsers.
#[test]
fn json_and_yaml_agree_on_the_corpus() {
    fn without_places(node: &Node) -> String {
        match &node.value {
            Value::List(items) => format!("{:?}", items.iter().map(without_places).collect::<Vec<_>>()),
            Value::Map(map) => {
                let entries =
                    map.entries.iter().map(|entry| (entry.key.clone(), without_places(&entry.value)));
                format!("{:?}", entries.collect::<Vec<_>>())
            }
            other => format!("{other:?}"),
        }
    }
    let mut count = 0;
    for (name, text) in shared("corpus") {
        // YAML has no surrogate pairs.
        if text.contains("\\ud8") {
            continue;
        }
        let mut diagnostics = Diagnostics::new();
        let json = parse(&text, Format::Json, &mut diagnostics);
        let yaml = parse(&text, Format::Yaml, &mut diagnostics);
        assert!(diagnostics.is_empty(), "{name}: {diagnostics}");
        assert_eq!(without_places(&json.unwrap()), without_places(&yaml.unwrap()), "{name}");
        count += 1;
    }
    eprintln!("{count} files agree");
}
