//! The table as JSON Schema (2020-12), for editors and for whoever writes configurations.

use serde_json::{Map, Value, json};

use super::{Key, Kind, Mapping, ROOT, mappings};

/// A text that a template stands in may become anything.
const TEMPLATE: &str = "\\$\\{";

/// The JSON Schema of a configuration.
#[must_use]
pub fn json_schema() -> Value {
    let mut definitions = Map::new();
    for mapping in mappings() {
        definitions.insert(slug(mapping.name), of_mapping(mapping));
    }
    for (name, schema) in shared() {
        definitions.insert(name.to_owned(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dray configuration",
        "$ref": format!("#/$defs/{}", slug(ROOT.name)),
        "$defs": definitions,
    })
}

/// What several keys take.
fn shared() -> [(&'static str, Value); 7] {
    let template = json!({"type": "string", "pattern": TEMPLATE});
    [
        ("text", json!({"type": ["string", "number", "boolean"]})),
        (
            "whole",
            json!({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^\\s*[0-9]+\\s*$"}, template]}),
        ),
        (
            "number",
            json!({"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^\\s*[-+]?[0-9.]+\\s*$"}, template]}),
        ),
        (
            "flag",
            json!({"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": "^(?i:true|false)$"}, template]}),
        ),
        (
            "duration",
            json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^\\s*[0-9]"}, template]}),
        ),
        (
            "bytes",
            json!({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^\\s*[0-9]"}, template]}),
        ),
        ("template", template),
    ]
}

/// A name that may stand in a reference.
fn slug(name: &str) -> String {
    name.replace(": ", ".").replace(", ", "_").replace(' ', "_")
}

fn of_mapping(mapping: &Mapping) -> Value {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    if !mapping.types.is_empty() {
        properties.insert("type".to_owned(), json!({"enum": mapping.types}));
        if !mapping.type_optional {
            required.push("type");
        }
    }
    for key in mapping.keys {
        properties.insert(key.name.to_owned(), of_key(key));
        if key.default.is_none() {
            required.push(key.name);
        }
    }
    let mut schema = json!({
        "description": mapping.meaning,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn of_key(key: &Key) -> Value {
    let default =
        key.default.map_or("required".to_owned(), |default| format!("default: {}", default.replace('`', "")));
    let description = format!("{} ({default})", key.meaning);
    let mut forms = forms(&key.kind);
    // A key with nothing behind it is one that is not set.
    if key.default.is_some() && !forms.contains(&json!({"type": "null"})) {
        forms.push(json!({"type": "null"}));
    }
    let mut schema = any_of(forms);
    schema["description"] = json!(description);
    schema
}

fn any_of(forms: Vec<Value>) -> Value {
    match <[Value; 1]>::try_from(forms) {
        Ok([only]) => only,
        Err(forms) => json!({"anyOf": forms}),
    }
}

/// The schemas of which one has to hold.
fn forms(kind: &Kind) -> Vec<Value> {
    let shared = |name: &str| json!({"$ref": format!("#/$defs/{name}")});
    let form = match kind {
        Kind::Plain => json!({"type": "string"}),
        Kind::Text => shared("text"),
        Kind::Whole => shared("whole"),
        Kind::Number => shared("number"),
        Kind::Flag => shared("flag"),
        Kind::Duration => shared("duration"),
        Kind::Bytes => shared("bytes"),
        Kind::Word(words) => return vec![json!({"enum": words}), shared("template")],
        Kind::Null => json!({"type": "null"}),
        Kind::Any => json!({}),
        Kind::List(kind) => json!({"type": "array", "items": any_of(forms(kind))}),
        Kind::Named(kind) => json!({"type": "object", "additionalProperties": any_of(forms(kind))}),
        Kind::Map(mapping) => shared(&slug(mapping.name)),
        Kind::OneOf(kinds) => return kinds.iter().flat_map(forms).collect(),
    };
    vec![form]
}
