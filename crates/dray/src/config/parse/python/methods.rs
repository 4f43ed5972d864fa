//! Methods of constants whose result is known without running anything: `NAME.lower()`, `"{}".format(x)`, `D.get("k")`.

use ruff_python_ast::{CmpOp, Expr, ExprAttribute, ExprCall, ExprCompare};

use crate::config::node::{Node, Place, Value};

use super::eval::{Evaluator, shown};
use super::names::step;
use super::scope::Meaning;

const METHODS: [&str; 11] = [
    "lower",
    "upper",
    "strip",
    "lstrip",
    "rstrip",
    "replace",
    "removeprefix",
    "removesuffix",
    "format",
    "get",
    "copy",
];

/// Bytes of a text that a method makes: several in a row must not grow without bound.
const LONGEST: usize = 1 << 20;

impl Evaluator<'_, '_> {
    /// Whether a call is such a method on something that this file gives a value to.
    pub(super) fn is_method(&self, method: &ExprAttribute, scope: usize) -> bool {
        if !METHODS.contains(&method.attr.id.as_str()) {
            return false;
        }
        match &*method.value {
            Expr::StringLiteral(_) | Expr::FString(_) | Expr::Dict(_) | Expr::Call(_) => true,
            Expr::Name(name) => {
                let found = self.program.lookup(&name.id, scope, name.range.start().to_usize());
                found.is_some_and(|found| {
                    matches!(
                        found.binding.meaning,
                        Meaning::Value { .. } | Meaning::Parameter { default: Some(_) }
                    )
                })
            }
            _ => false,
        }
    }

    pub(super) fn method(
        &mut self,
        method: &ExprAttribute,
        call: &ExprCall,
        place: Place,
        scope: usize,
        path: &str,
    ) -> Option<Node> {
        let mut base = self.eval(&method.value, scope, path)?;
        let mut arguments = Vec::new();
        for argument in &call.arguments.args {
            arguments.push(self.eval(argument, scope, path)?);
        }
        let mut named = Vec::new();
        for keyword in &call.arguments.keywords {
            named.push((keyword.arg.as_ref()?.id.to_string(), self.eval(&keyword.value, scope, path)?));
        }
        let name = method.attr.id.as_str();
        let done = match (&base.value, name) {
            (Value::Map(_) | Value::List(_), "copy") => Some(base.clone()),
            (Value::Map(_), "get") => arguments.first().map(|key| {
                let default = arguments.get(1).cloned();
                let found = step(&mut base, key).cloned();
                found.or(default).unwrap_or_else(|| Node::new(Value::Null, place))
            }),
            (Value::Text(text), "format") => {
                formatted(text, &arguments, &named).map(|text| Node::text(text, place))
            }
            // What stands behind a template is not known here.
            (Value::Text(text), _) if !text.contains("${") => {
                let texts: Option<Vec<&str>> = arguments.iter().map(Node::as_text).collect();
                texts.and_then(|texts| changed(text, name, &texts)).map(|text| Node::text(text, place))
            }
            _ => None,
        };
        match done {
            Some(node) => Some(node),
            None => {
                let message = format!("`.{name}(...)` cannot be read here, expected a literal");
                let hint = if name == "format" { "use an f-string" } else { "write the result itself" };
                self.problem(path, place, message, hint)
            }
        }
    }
}

impl Evaluator<'_, '_> {
    /// `a == b`, `a in [b, c]`, `a is not None`, where both are known.
    pub(super) fn comparison(
        &mut self,
        comparison: &ExprCompare,
        place: Place,
        scope: usize,
        path: &str,
    ) -> Option<bool> {
        let ([operator], [right]) = (&*comparison.ops, &*comparison.comparators) else {
            return self.refuse("a chain of comparisons", place, path);
        };
        let left = self.eval(&comparison.left, scope, path)?;
        let right = self.eval(right, scope, path)?;
        let is_known = |node: &Node| !matches!(&node.value, Value::Secret(_)) && !holds_template(node);
        let same = |left: &Node, right: &Node| match (&left.value, &right.value) {
            (Value::Int(_), Value::Float(_) | Value::Bool(_))
            | (Value::Float(_) | Value::Bool(_), Value::Int(_)) => None,
            (Value::List(_) | Value::Map(_), _) | (_, Value::List(_) | Value::Map(_)) => None,
            (left, right) => Some(left == right),
        };
        let result = if is_known(&left) && is_known(&right) {
            let within = || match &right.value {
                Value::List(items) => items
                    .iter()
                    .map(|item| same(&left, item))
                    .try_fold(false, |found, equal| equal.map(|equal| found || equal)),
                Value::Map(map) => left.as_text().map(|key| map.contains(key)),
                _ => None,
            };
            match operator {
                CmpOp::Eq => same(&left, &right),
                CmpOp::NotEq => same(&left, &right).map(|equal| !equal),
                CmpOp::Is if right.is_null() => Some(left.is_null()),
                CmpOp::IsNot if right.is_null() => Some(!left.is_null()),
                CmpOp::In => within(),
                CmpOp::NotIn => within().map(|found| !found),
                _ => None,
            }
        } else {
            None
        };
        match result {
            Some(result) => Some(result),
            None => self.refuse("this comparison", place, path),
        }
    }
}

/// Whether a value is only known when the program runs.
fn holds_template(node: &Node) -> bool {
    match &node.value {
        Value::Text(text) => text.contains("${"),
        Value::List(items) => items.iter().any(holds_template),
        _ => false,
    }
}

fn changed(text: &str, method: &str, arguments: &[&str]) -> Option<String> {
    let ends = |arguments: &[&str]| -> Option<Vec<char>> {
        match arguments {
            [] => Some(vec![' ', '\t', '\n', '\r']),
            [letters] => Some(letters.chars().collect()),
            _ => None,
        }
    };
    Some(match (method, arguments) {
        ("lower", []) => text.to_lowercase(),
        ("upper", []) => text.to_uppercase(),
        ("strip", _) => text.trim_matches(&*ends(arguments)?).to_owned(),
        ("lstrip", _) => text.trim_start_matches(&*ends(arguments)?).to_owned(),
        ("rstrip", _) => text.trim_end_matches(&*ends(arguments)?).to_owned(),
        ("replace", [old, new]) if !old.is_empty() && text.len().saturating_mul(new.len()) <= LONGEST => {
            text.replace(old, new)
        }
        ("removeprefix", [start]) => text.strip_prefix(start).unwrap_or(text).to_owned(),
        ("removesuffix", [end]) => text.strip_suffix(end).unwrap_or(text).to_owned(),
        _ => return None,
    })
}

/// `"{}/{name}".format(...)` without formats; `{{` and `}}` are braces.
fn formatted(text: &str, arguments: &[Node], named: &[(String, Node)]) -> Option<String> {
    let mut written = String::new();
    let mut next = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at_checked(at)?;
        written.push_str(before);
        if let Some(after) = after.strip_prefix("{{") {
            written.push('{');
            rest = after;
            continue;
        }
        if let Some(after) = after.strip_prefix("}}") {
            written.push('}');
            rest = after;
            continue;
        }
        let (name, after) = after.strip_prefix('{')?.split_once('}')?;
        let node = if name.is_empty() {
            next += 1;
            arguments.get(next - 1)?
        } else if let Ok(index) = name.parse::<usize>() {
            arguments.get(index)?
        } else {
            &named.iter().find(|(known, _)| known == name)?.1
        };
        written.push_str(&shown(node)?);
        if written.len() > LONGEST {
            return None;
        }
        rest = after;
    }
    written.push_str(rest);
    Some(written)
}

/// `"%s/%d" % (a, b)`
pub(super) fn percent(text: &str, value: &Value) -> Option<String> {
    let single = [Node::new(value.clone(), Place::default())];
    let mut values = match value {
        Value::List(items) => items.iter(),
        _ => single.iter(),
    };
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        written.push_str(before);
        let mut letters = after.chars();
        match letters.next()? {
            '%' => written.push('%'),
            's' => written.push_str(&shown(values.next()?)?),
            'd' => match &values.next()?.value {
                Value::Int(number) => written.push_str(&number.to_string()),
                _ => return None,
            },
            _ => return None,
        }
        rest = letters.as_str();
    }
    written.push_str(rest);
    values.next().is_none().then_some(written)
}
