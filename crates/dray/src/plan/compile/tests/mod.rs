mod answers;
mod formats;
mod forms;
mod patches;
mod placed;
mod seeds;
mod spellings;
mod steps;
mod values;
mod wild;

use crate::config::diagnostics::Diagnostics;
use crate::config::node::{Node, Value};
use crate::config::parse::{Format, parse};
use crate::config::{dialect, read};
use crate::plan::{Plan, explain};
use crate::secret::Secret;

/// The stages from a text to a plan, with every secret known.
fn planned(text: &str, format: Format) -> Result<Plan, String> {
    let mut diagnostics = Diagnostics::default();
    let Some(root) = parse(text, format, &mut diagnostics) else { return Err(rendered(&diagnostics)) };
    planned_node(root)
}

fn planned_node(root: Node) -> Result<Plan, String> {
    let mut diagnostics = Diagnostics::default();
    let mut notes = Vec::new();
    let root = dialect::restructure(root, &mut notes);
    let mut root = dialect::respell(root, &mut notes);
    if let Some(map) = root.as_map_mut() {
        map.remove("vars");
    }
    fill_templates(&mut root);
    let config = read(&root, notes, &mut diagnostics);
    let plan = super::compile(&config, &mut diagnostics);
    match plan {
        Some(plan) if diagnostics.is_empty() => Ok(plan),
        _ => Err(rendered(&diagnostics)),
    }
}

/// One line a problem, with its hint.
fn rendered(diagnostics: &Diagnostics) -> String {
    let mut lines = Vec::new();
    for problem in diagnostics.iter() {
        let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!("\n  = {hint}"));
        let place = format!("{}:{}", problem.place.line, problem.place.column);
        lines.push(format!("{place} {}: {}{hint}", problem.path, problem.message));
    }
    lines.join("\n")
}

fn explained(plan: &Result<Plan, String>) -> String {
    match plan {
        Ok(plan) => explain(plan),
        Err(problems) => problems.clone(),
    }
}

/// Stands in for the template stage: `${secrets.x}` is known, everything else is `v`.
fn fill_templates(node: &mut Node) {
    match &mut node.value {
        Value::Text(text) if text.contains("${") => {
            let secret = text.contains("${secrets.");
            let mut filled = String::new();
            let mut rest = text.as_str();
            while let Some((before, inner)) = rest.split_once("${") {
                filled.push_str(before);
                filled.push_str(if secret { "s3cret" } else { "v" });
                rest = inner.split_once('}').map_or("", |(_, after)| after);
            }
            filled.push_str(rest);
            node.value = if secret { Value::Secret(Secret::new(filled)) } else { Value::Text(filled) };
        }
        Value::List(items) => items.iter_mut().for_each(fill_templates),
        Value::Map(map) => map.entries.iter_mut().for_each(|entry| fill_templates(&mut entry.value)),
        _ => {}
    }
}
