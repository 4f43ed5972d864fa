//! `processing_steps`, and the keys of a resource that are steps: `keep`, `drop`, `rename`, `set`.

use super::super::model::{Located, Spot};
use super::super::node::{Node, Value};
use super::super::steps::{ActionConfig, ColumnValuesConfig, OWN, StepConfig, StepsConfig};
use super::fields::{Fields, Reader, listed};

/// The keys of a step, in the order in which one step with several of them applies them: dlt's first, and as there.
const KEYS: [&str; 8] = ["filter", "map", "yield_map", "explode", "keep", "drop", "rename", "set"];

const HINT: &str = "a step is a program in jq: `{filter: .total > 0}`, `{map: .name |= ascii_downcase}`, `{explode: .lines[]}`; \
                    or `keep`, `drop`, `rename`, `set`";

/// All of it, from the keys of a resource.
pub(super) fn read(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> StepsConfig {
    let mut steps = StepsConfig::default();
    if let Some((node, at)) = fields.take("processing_steps") {
        match &node.value {
            Value::List(items) => {
                let mut processing = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    step(reader, item, &at.item(index, item), index, &mut processing);
                }
                steps.processing = Some(processing);
            }
            _ => {
                let found = node.kind_name();
                reader.problem_with_hint(&at, format!("expected a list of steps, found {found}"), HINT);
            }
        }
    }
    for key in OWN {
        if let Some((node, at)) = fields.take(key) {
            let action = action(reader, node, &at, key);
            steps.own.extend(action.map(|action| StepConfig { name: key.to_owned(), at, action }));
        }
    }
    steps
}

/// What is done to the values of a column.
pub(super) fn column_values(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> ColumnValuesConfig {
    ColumnValuesConfig {
        convert: fields.plain(reader, "convert"),
        trim: fields.flag(reader, "trim") == Some(true),
        lower: fields.flag(reader, "lower") == Some(true),
        empty_as_null: fields.flag(reader, "empty_as_null") == Some(true),
    }
}

fn step(reader: &mut Reader<'_>, node: &Node, at: &Spot, index: usize, steps: &mut Vec<StepConfig>) {
    if node.as_map().is_none() {
        let found = node.kind_name();
        reader.problem_with_hint(at, format!("expected a step, found {found}"), HINT);
        return;
    }
    let Some(mut fields) = Fields::open(reader, node, at) else { return };
    let mut written = false;
    for key in KEYS {
        if let Some((node, at)) = fields.take(key) {
            written = true;
            let name = format!("processing_steps[{index}].{key}");
            let action = action(reader, node, &at, key);
            steps.extend(action.map(|action| StepConfig { name, at, action }));
        }
    }
    if !written && node.as_map().is_some_and(|map| map.is_empty()) {
        reader.problem_with_hint(
            at,
            "a step that does nothing",
            format!("a step has one of {}", listed(&KEYS)),
        );
    }
    fields.finish(reader);
}

fn action(reader: &mut Reader<'_>, node: &Node, at: &Spot, key: &str) -> Option<ActionConfig> {
    Some(match key {
        "filter" => ActionConfig::Filter(program(reader, node, at)?),
        "map" => ActionConfig::Map(program(reader, node, at)?),
        "yield_map" | "explode" => ActionConfig::Explode(program(reader, node, at)?),
        "keep" => ActionConfig::Keep(names(reader, node, at)?),
        "drop" => ActionConfig::Drop(names(reader, node, at)?),
        "rename" => {
            let mut renames = Vec::new();
            for (old, node, at) in entries(reader, node, at, "a mapping of old names to new ones")? {
                renames.extend(reader.plain(node, &at).map(|new| (old, new)));
            }
            ActionConfig::Rename(renames)
        }
        _ => {
            let settings = entries(reader, node, at, "a mapping of fields to their values")?.into_iter();
            ActionConfig::Set(
                settings.map(|(name, node, at)| (name, Located { value: node.clone(), at })).collect(),
            )
        }
    })
}

/// The text of a program: `true` and numbers are programs too.
fn program(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<Located<String>> {
    let value = match &node.value {
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Text(_) | Value::Secret(_) => return reader.plain(node, at),
        _ => {
            let found = node.kind_name();
            reader.problem_with_hint(at, format!("expected a program in jq, found {found}"), HINT);
            return None;
        }
    };
    Some(Located { value, at: at.clone() })
}

/// One name or a list of them.
fn names(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<Vec<Located<String>>> {
    match &node.value {
        Value::List(items) => {
            let items = items.iter().enumerate();
            Some(items.filter_map(|(index, item)| reader.plain(item, &at.item(index, item))).collect())
        }
        Value::Text(_) => Some(reader.plain(node, at).into_iter().collect()),
        _ => {
            reader.expected(at, "a field's name or a list of them", node);
            None
        }
    }
}

fn entries<'n>(
    reader: &mut Reader<'_>,
    node: &'n Node,
    at: &Spot,
    what: &str,
) -> Option<Vec<(String, &'n Node, Spot)>> {
    let Some(map) = node.as_map() else {
        reader.expected(at, what, node);
        return None;
    };
    let entry = |entry: &'n super::super::node::Entry| {
        (entry.key.clone(), &entry.value, at.key(&entry.key, &entry.value))
    };
    Some(map.entries.iter().map(entry).collect())
}
