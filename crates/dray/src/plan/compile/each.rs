//! The items of `for_each`, and what requests and rows take of them.

use std::collections::BTreeSet;

use super::Problems;
use super::holes::Holes;
use crate::config::diagnostics::closest;
use crate::config::model::{EachConfig, Spot};
use crate::json::{Document, Path};
use crate::plan::{EachItem, EachPlan, Part};

impl Holes<'_> {
    /// The placeholder of an item's field: every item must have it.
    pub(super) fn each_field(&mut self, field: &str, at: &Spot, problems: &mut Problems<'_>) -> Option<Part> {
        let Some(each) = self.each else {
            problems.add_with_hint(
                at,
                format!("`{{each.{field}}}` stands here, but the resource has no `for_each`"),
                "write `for_each: {ticker: [AAPL, MSFT]}` and `${each.ticker}`",
            );
            return None;
        };
        let path = problems.path(field, at)?;
        value_of_each(each, &path, at, problems)?;
        let index = self.each_fields.iter().position(|known| *known == path).unwrap_or_else(|| {
            self.each_fields.push(path);
            self.each_fields.len() - 1
        });
        Some(Part::Each(index))
    }
}

/// The plan of what the placeholders have used.
pub(super) fn compile(each: &EachConfig, holes: &Holes<'_>, problems: &mut Problems<'_>) -> Option<EachPlan> {
    let mut items: Vec<EachItem> =
        each.items.iter().map(|_| EachItem { values: Vec::new(), carried: Vec::new() }).collect();
    for path in &holes.each_fields {
        let values = value_of_each(each, path, &each.at, problems)?;
        items.iter_mut().zip(values).for_each(|(item, value)| item.values.push(value));
    }
    for field in &each.include {
        let (name, at) = (&field.field.value, &field.field.at);
        if field.column.is_none() && name.contains('.') {
            let column = name.replace('.', "_");
            problems.add_with_hint(
                at,
                format!("`{name}` is no name for a column"),
                format!("name the column: `include_from_each: {{{column}: {name}}}`"),
            );
            return None;
        }
        let path = problems.path(name, at)?;
        let column = field.column.as_ref().unwrap_or(name);
        let values = value_of_each(each, &path, at, problems)?;
        items.iter_mut().zip(values).for_each(|(item, value)| item.carried.push((column.clone(), value)));
    }
    let mut known = BTreeSet::new();
    for item in &items {
        let key = serde_json::Value::from(item.values.clone()).to_string();
        if !known.insert(key) && !holes.refused {
            problems.add_with_hint(
                &each.at,
                format!("two items of `for_each` make the same request (`{}`)", shown(item)),
                "use what tells them apart as `${each.x}` in `path`, `params`, `headers` or the body, or take one out",
            );
            return None;
        }
    }
    Some(EachPlan { fields: holes.each_fields.clone(), items })
}

fn shown(item: &EachItem) -> String {
    let values: Vec<String> = item.values.iter().map(ToString::to_string).collect();
    values.join(", ")
}

/// A field of every item, in order; complains where one has none.
fn value_of_each(
    each: &EachConfig,
    path: &Path,
    at: &Spot,
    problems: &mut Problems<'_>,
) -> Option<Vec<serde_json::Value>> {
    let mut values = Vec::with_capacity(each.items.len());
    for (index, item) in each.items.iter().enumerate() {
        let document = Document::parse(item.to_string().into_bytes()).ok()?;
        let found = path.value(&document, document.root()).filter(|value| !value.is_null());
        let Some(value) = found else {
            let known = names(item);
            let hint = match closest(&path.to_string(), known.iter().map(String::as_str)) {
                Some(near) => format!("nearest is `{near}`"),
                None => format!("it has {}", known.join(", ")),
            };
            problems.add_with_hint(at, format!("item {} of `for_each` has no `{path}`", index + 1), hint);
            return None;
        };
        values.push(value);
    }
    Some(values)
}

/// The names of an item's values, one level into those that are mappings.
fn names(item: &serde_json::Value) -> Vec<String> {
    let mut names = Vec::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(fields) => names.extend(fields.keys().map(|field| format!("{name}.{field}"))),
            None => names.push(name.clone()),
        }
    }
    names
}
