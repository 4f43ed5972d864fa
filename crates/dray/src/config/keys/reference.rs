//! The table as a document: `docs/reference.md`.

use super::{Key, Kind, mappings};

const HEAD: &str = "# Every key

Written by `dray keys` from the table that the reader of configurations is held against; [configuration.md](configuration.md)
explains, [dray.schema.json](dray.schema.json) is the same for editors. **dray** marks keys that dlt does not have.
";

/// The reference of all keys, as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut out = HEAD.to_owned();
    for mapping in mappings() {
        out.push_str(&format!("\n## {}\n\n{}\n", mapping.name, mapping.meaning));
        if mapping.keys.is_empty() {
            continue;
        }
        out.push_str("\n| key | takes | default | meaning |\n|---|---|---|---|\n");
        for key in mapping.keys {
            out.push_str(&row(key));
        }
    }
    out
}

fn row(key: &Key) -> String {
    let mark = if key.own { " **dray**" } else { "" };
    let default = key.default.unwrap_or("required");
    format!("| `{}`{mark} | {} | {default} | {} |\n", key.name, takes(&key.kind), key.meaning)
}

/// What a key takes, in words.
fn takes(kind: &Kind) -> String {
    match kind {
        Kind::Plain | Kind::Text => "text".to_owned(),
        Kind::Whole => "whole number".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Flag => "`true`, `false`".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::Bytes => "bytes".to_owned(),
        Kind::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::Null => "`null`".to_owned(),
        Kind::Any => "anything".to_owned(),
        Kind::List(kind) => format!("list of {}", takes(kind)),
        Kind::Named(kind) => format!("names to {}", takes(kind)),
        Kind::Map(mapping) => format!("[{}](#{})", mapping.name, anchor(mapping.name)),
        Kind::OneOf(kinds) => {
            let mut words: Vec<String> = kinds.iter().map(takes).collect();
            words.dedup();
            words.join(", or ")
        }
    }
}

/// The anchor that Markdown gives a heading.
fn anchor(name: &str) -> String {
    let kept = name.chars().filter(|letter| letter.is_alphanumeric() || " _-".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
