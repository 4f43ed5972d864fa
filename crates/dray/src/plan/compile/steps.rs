//! Programs, fields and values of processing steps: what is wrong with them is found before the first request.

use std::sync::Arc;

use super::Problems;
use crate::config::model::{ColumnConfig, Located, ResourceConfig};
use crate::config::node::{Node, Value};
use crate::config::steps::{ActionConfig, ColumnValuesConfig};
use crate::json::Document;
use crate::schema::DataType;
use crate::schema::naming::normalize;
use crate::transform::{
    Action, ColumnRule, FieldPath, Moment, Program, Renames, Setting, Step, Transform, pieces,
};

/// The steps of a resource in their order: `processing_steps`, then `keep`, `drop`, `rename`, `set`.
pub(super) fn compile(resource: &ResourceConfig, problems: &mut Problems<'_>) -> Transform {
    let written = resource.steps.processing.iter().flatten().chain(&resource.steps.own);
    let mut steps = Vec::new();
    for step in written {
        let action = action(&step.action, problems);
        steps.extend(action.map(|action| Step { name: step.name.clone(), action }));
    }
    let columns = resource.columns.iter().filter_map(|column| column_rule(column, problems));
    Transform { steps, columns: columns.collect() }
}

/// The type of a column whose values are moments, where the file gives none.
pub(super) fn data_type(column: &ColumnConfig) -> Option<DataType> {
    let moment = column.values.convert.as_ref().and_then(|word| Moment::parse(&word.value).ok());
    column.data_type.or_else(|| moment.map(|moment| moment.data_type()))
}

fn column_rule(column: &ColumnConfig, problems: &mut Problems<'_>) -> Option<ColumnRule> {
    let ColumnValuesConfig { convert, trim, lower, empty_as_null } = &column.values;
    let convert = match convert.as_ref().map(|word| (word, Moment::parse(&word.value))) {
        Some((word, Err(why))) => {
            problems.add_with_hint(
                &word.at,
                why,
                "`convert` is `unix`, `unix_ms`, `iso`, `date`, or a pattern such as `%d.%m.%Y %H:%M`",
            );
            None
        }
        moment => moment.and_then(|(_, moment)| moment.ok()),
    };
    let rule = ColumnRule {
        name: normalize(&column.name),
        trim: *trim,
        lower: *lower,
        empty_as_null: *empty_as_null,
        convert,
    };
    (rule.trim || rule.lower || rule.empty_as_null || rule.convert.is_some()).then_some(rule)
}

fn action(written: &ActionConfig, problems: &mut Problems<'_>) -> Option<Action> {
    Some(match written {
        ActionConfig::Filter(text) => Action::Filter(program(text, problems)?),
        ActionConfig::Map(text) => Action::Map(program(text, problems)?),
        ActionConfig::Explode(text) => Action::Explode(program(text, problems)?),
        ActionConfig::Keep(names) => {
            let paths = paths(names, problems);
            for (path, name) in paths.iter().zip(names) {
                if path.written().contains("..") {
                    problems.add_with_hint(
                        &name.at,
                        format!("`{}` may be anywhere in the record", name.value),
                        "`keep` takes the way to a field: `a`, `a.b`, `a.*.b`; `drop` takes `..b` too",
                    );
                }
            }
            Action::Keep(paths)
        }
        ActionConfig::Drop(names) => Action::Drop(paths(names, problems)),
        ActionConfig::Rename(renames) => {
            let mut pairs = Vec::new();
            for (old, new) in renames {
                let located = Located { value: old.clone(), at: new.at.clone() };
                let Some(path) = path(&located, problems) else { continue };
                if !path.is_plain() {
                    problems.add(
                        &new.at,
                        format!("`{old}` is more than one field: they cannot all become `{}`", new.value),
                    );
                }
                pairs.push((path, new.value.clone()));
            }
            Action::Rename(Renames::new(pairs))
        }
        ActionConfig::Set(settings) => {
            let mut set = Vec::new();
            for (name, value) in settings {
                set.extend(setting(value, problems).map(|setting| (name.clone(), setting)));
            }
            Action::Set(set)
        }
    })
}

fn program(text: &Located<String>, problems: &mut Problems<'_>) -> Option<Program> {
    match Program::compile(&text.value) {
        Ok(program) => Some(program),
        Err(fault) => {
            problems.add_with_hint(&text.at, fault.message, fault.hint);
            None
        }
    }
}

fn paths(names: &[Located<String>], problems: &mut Problems<'_>) -> Vec<FieldPath> {
    names.iter().filter_map(|name| path(name, problems)).collect()
}

fn path(name: &Located<String>, problems: &mut Problems<'_>) -> Option<FieldPath> {
    FieldPath::parse(&name.value).map_err(|why| problems.add(&name.at, why)).ok()
}

/// A text with `{field}` in it is a template, everything else is what it is.
fn setting(value: &Located<Node>, problems: &mut Problems<'_>) -> Option<Setting> {
    if let Value::Text(text) = &value.value.value {
        match pieces(text) {
            Ok(Some(pieces)) => return Some(Setting::Template(pieces)),
            Ok(None) => {}
            Err(why) => {
                problems.add_with_hint(&value.at, why, "fields stand in braces: `{first}-{second.part}`");
                return None;
            }
        }
    }
    let Some(json) = json(&value.value) else {
        problems.add(&value.at, "a secret cannot stand here: it would be loaded into the table");
        return None;
    };
    // What was just written can be read.
    let document = Document::parse(json.to_string().into_bytes()).ok()?;
    Some(Setting::Constant(Arc::new(document)))
}

/// A value as JSON; none where it holds a secret.
fn json(node: &Node) -> Option<serde_json::Value> {
    Some(match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Secret(_) => return None,
        Value::List(items) => items.iter().map(json).collect::<Option<Vec<_>>>()?.into(),
        Value::Map(map) => {
            let entries = map.entries.iter();
            let entries = entries.map(|entry| Some((entry.key.clone(), json(&entry.value)?)));
            serde_json::Value::Object(entries.collect::<Option<_>>()?)
        }
    })
}
