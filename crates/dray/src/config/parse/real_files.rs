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

/// Enough to meet every branch; 300,000 were run when this was written.
const ROUNDS: usize = 2_000;

/// Damaged files give a tree or a problem with a place in the file, never a panic.
#[test]
fn damaged_files_are_read_or_explained() {
    let formats = [Format::Yaml, Format::Json, Format::Toml, Format::Python, Format::Document];
    let samples = [
        "client: &c {base_url: 'https://x/', auth: {type: bearer, token: \"${secrets.x}\"}}\nresources:\n  - a\n  - <<: *c\n    b: |\n      c\n",
        "{\"client\": {\"base_url\": \"https://x/\\u00e9\"}, \"resources\": [1, -2.5e3, true, null, \"\\\\\"]}",
        "[client]\nbase_url = 'x'\n[[resources]]\nname = \"a\"\nlimit = 1_000\nsince = 2024-01-02T03:04:05Z\n",
        "import dlt\nX = 5\n@dlt.source\ndef f(t=dlt.secrets.value):\n    config: RESTAPIConfig = {'a': f'{X}{{b}}', **{'c': [*[1], t]}, 'd': X + 1 if t else None}\n    yield from rest_api_resources(config)\n",
        "# T\n\n```python\nrest_api_source({'a': dlt.secrets['b']})\n```\n",
    ];
    let noise = [
        "{", "}", "[", "]", "(", "'", "\"", "\n", " ", "  ", ":", "-", "#", "&a", "*a", "é", "\\", "\0",
        "\t", "\r", "$", "%", "!", "|", ">", "```", "=", ",", "1", "<<", "?", "@", "lambda", "...", "---",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..ROUNDS {
        let index = random.usize(..samples.len());
        let mut letters: Vec<char> = samples[index].chars().collect();
        for _ in 0..random.usize(1..5) {
            let at = random.usize(..letters.len());
            let end = letters.len().min(at + random.usize(0..4));
            let new: Vec<char> = noise[random.usize(..noise.len())].chars().collect();
            letters.splice(at..end, new);
        }
        let text: String = letters.into_iter().collect();
        let format = if round % 8 == 0 { formats[random.usize(..formats.len())] } else { formats[index] };
        let mut diagnostics = Diagnostics::new();
        let node = parse(&text, format, &mut diagnostics);
        assert_eq!(node.is_none(), !diagnostics.is_empty(), "{text}");
        for problem in diagnostics.iter() {
            let lines = text.lines().count().max(1) + 1;
            assert!(
                problem.place.is_in_file() && usize::try_from(problem.place.line).unwrap() <= lines,
                "{problem:?} {text}"
            );
        }
        assert_eq!(diagnostics.render("file.yaml", &text).is_empty(), diagnostics.is_empty());
    }
}
