//! Calls over a record, written in jq: functions of Python that have their like there, and methods of texts and dicts.

use ruff_python_ast::{Expr, ExprCall};

use crate::json::quote;

use super::jq::{Jq, Kind, Reading, field};
use super::scope::dotted;

impl Reading<'_, '_, '_> {
    pub(super) fn call(&mut self, call: &ExprCall, expression: &Expr) -> Jq {
        if let Expr::Attribute(method) = &*call.func
            && self.mentions(&method.value)
        {
            return self.method(&method.value, method.attr.id.as_str(), call, expression);
        }
        let name = dotted(&call.func).unwrap_or_default();
        let [only] = &*call.arguments.args else {
            if let ("isinstance", [value, class]) = (name.as_str(), &*call.arguments.args) {
                return self.instance(value, class);
            }
            return self.stuck(expression, format!("`{name}(...)`"));
        };
        if !call.arguments.keywords.is_empty() {
            return self.stuck(expression, format!("`{name}(...)` with a keyword"));
        }
        let (value, kind) = self.value(only)?;
        Ok(match name.as_str() {
            "len" => (format!("({value} | length)"), Kind::Number),
            "float" => (format!("({value} | tonumber)"), Kind::Number),
            "int" => (format!("({value} | tonumber | whole)"), Kind::Number),
            "abs" => (format!("({value} | number | abs)"), Kind::Number),
            "str" if kind == Kind::Text => (value, Kind::Text),
            "str" => (format!("({value} | tostring)"), Kind::Text),
            "bool" => (format!("({value} | truthy)"), Kind::Flag),
            "any" => (format!("({value} | any(truthy))"), Kind::Flag),
            "all" => (format!("({value} | all(truthy))"), Kind::Flag),
            "dict" | "list" | "copy.deepcopy" | "copy.copy" | "deepcopy" => (value, kind),
            _ => return self.stuck(expression, format!("`{name}(...)`")),
        })
    }

    fn instance(&mut self, value: &Expr, class: &Expr) -> Jq {
        let kind = match dotted(class).as_deref() {
            Some("str") => "string",
            Some("list") => "array",
            Some("dict") => "object",
            Some("bool") => "boolean",
            _ => return self.stuck(class, "this class"),
        };
        Ok((format!("(({} | type) == \"{kind}\")", self.value(value)?.0), Kind::Flag))
    }

    fn method(&mut self, value: &Expr, name: &str, call: &ExprCall, expression: &Expr) -> Jq {
        let (of, _) = self.value(value)?;
        let arguments = &*call.arguments.args;
        if !call.arguments.keywords.is_empty() {
            return self.stuck(expression, format!("`.{name}(...)` with a keyword"));
        }
        Ok(match (name, arguments) {
            ("get", [key]) => (field(&of, &self.key(key)?), Kind::Any),
            ("get", [key, default]) => {
                let key = self.key(key)?;
                let (default, _) = self.value(default)?;
                let there = format!("({of} | has({}))", quote(&key));
                (format!("(if {there} then {} else {default} end)", field(&of, &key)), Kind::Any)
            }
            ("lower" | "upper" | "strip", []) => {
                let word = if name == "strip" { "trim" } else { name };
                (format!("({of} | {word})"), Kind::Text)
            }
            ("lower" | "casefold", _) => return self.stuck(expression, format!("`.{name}(...)`")),
            ("startswith" | "endswith", [part]) => {
                (format!("({of} | {name}({}))", quote(&self.key(part)?)), Kind::Flag)
            }
            ("split", [by]) => (format!("({of} | split({}))", quote(&self.key(by)?)), Kind::Any),
            ("replace", [old, new]) => {
                let (old, new) = (quote(&self.key(old)?), quote(&self.key(new)?));
                (format!("({of} | split({old}) | join({new}))"), Kind::Text)
            }
            ("keys", []) => (format!("({of} | keys_unsorted)"), Kind::Any),
            ("values", []) => (format!("[{of}[]]"), Kind::Any),
            ("copy", []) => (of, Kind::Any),
            _ => return self.stuck(expression, format!("`.{name}(...)`")),
        })
    }
}
