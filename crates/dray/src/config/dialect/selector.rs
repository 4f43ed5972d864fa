//! `data_selector` in its many forms.

use super::super::node::{Map, Node, Value};
use super::spelling::Writer;

/// Whole-body spellings become `$`, a list of keys becomes a path.
pub(super) fn respell(endpoint: &mut Map, writer: &mut Writer<'_>) {
    let Some(node) = endpoint.get_mut("data_selector") else { return };
    let read = match &node.value {
        Value::List(items) => {
            let keys: Vec<&str> = items.iter().filter_map(Node::as_text).collect();
            if keys.len() != items.len() {
                return;
            }
            if keys.is_empty() { "$".to_owned() } else { keys.iter().map(|key| step(key)).collect() }
        }
        Value::Text(text) => match text.trim() {
            "$" => return,
            "" | "[]" | "[*]" | "$[*]" | "$.[]" | "$.[*]" | "$[]" | "." => "$".to_owned(),
            _ => return,
        },
        _ => return,
    };
    let read = read.strip_prefix('.').unwrap_or(&read).to_owned();
    writer.note(format!("`data_selector` {} is read as `{read}`", shown(node)));
    node.value = Value::Text(read);
}

/// One key of a list as a step of a path.
pub(super) fn step(key: &str) -> String {
    let plain =
        !key.is_empty() && key.chars().all(|character| character.is_alphanumeric() || character == '_');
    if plain || key == "*" { format!(".{key}") } else { format!("['{key}']") }
}

fn shown(node: &Node) -> String {
    match &node.value {
        Value::List(items) => {
            let keys: Vec<String> =
                items.iter().filter_map(Node::as_text).map(|key| format!("\"{key}\"")).collect();
            format!("[{}]", keys.join(", "))
        }
        _ => format!("\"{}\"", node.as_text().unwrap_or_default()),
    }
}
