//! Python files, read as literals: nothing is executed.
//!
//! Only what the chosen configuration refers to has to be understood; the rest of the file (imports,
//! pipelines, prints) is passed over.

use ruff_python_ast::{Expr, ExprCall, PySourceType, Stmt};

use crate::config::diagnostics::{Diagnostics, child};
use crate::config::node::{Map, Node, Place, Value};

use super::Places;
use eval::Evaluator;
use scope::{Meaning, Program};

mod advice;
mod bounds;
mod calls;
mod convert;
mod dates;
mod digests;
mod eval;
mod functions;
mod jq;
mod jq_calls;
mod methods;
mod moment;
mod names;
mod scope;
mod steps;

const TOO_DEEP: &str = "this Python code nests too deep to be read";

/// Parses a Python file.
pub(super) fn parse(text: &str, partly: bool, diagnostics: &mut Diagnostics) -> Option<Node> {
    match read(text, partly, diagnostics) {
        Reading::Configuration(node) => node,
        Reading::NotPython | Reading::NoConfiguration => None,
    }
}

/// What a text turned out to be. All but a good configuration come with problems.
pub(super) enum Reading {
    /// It holds a configuration, which is `None` if a part of it could not be understood and the whole is wanted.
    Configuration(Option<Node>),
    /// It is Python without a configuration.
    NoConfiguration,
    /// It is no Python.
    NotPython,
}

/// Reads a text as Python. `partly`: what can be read is wanted, even if there are problems.
pub(super) fn read(text: &str, partly: bool, diagnostics: &mut Diagnostics) -> Reading {
    let places = Places::new(text);
    if let Some(offset) = bounds::too_many_brackets(text) {
        diagnostics.push("", places.at(offset), TOO_DEEP);
        return Reading::NotPython;
    }
    let parsed = ruff_python_parser::parse_unchecked_source(text, PySourceType::Python);
    if let Some(offset) = bounds::too_deep(parsed.tokens()) {
        diagnostics.push("", places.at(offset), TOO_DEEP);
        // Dropping so deep a tree would overflow the stack; the program ends over this problem anyway.
        std::mem::forget(parsed);
        return Reading::NotPython;
    }
    if let Some(error) = parsed.errors().first() {
        let place = places.at(error.location.start().to_usize());
        let reason = error.error.to_string();
        let mut letters = reason.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase()).unwrap_or_default();
        diagnostics.push("", place, format!("this is not Python: {first}{}", letters.as_str()));
        return Reading::NotPython;
    }
    let module = parsed.into_syntax();
    let program = Program::of(&module.body);
    let problems = diagnostics.len();
    let mut evaluator = Evaluator::new(&program, &places, partly, diagnostics);
    let Some(choice) = choose(&program, &module.body) else {
        let looked_for = "expected rest_api_source({...}), a variable `config` or one annotated RESTAPIConfig, \
                          BASE_CONFIG and ENDPOINTS, or a file that is one dict";
        let place = Place::new(1, 1);
        diagnostics.push("", place, format!("no configuration in this Python code, {looked_for}"));
        return Reading::NoConfiguration;
    };
    let node = evaluate(choice, &mut evaluator);
    Reading::Configuration(if diagnostics.len() > problems && !partly { None } else { node })
}

/// Which part of the file is the configuration.
enum Choice<'a> {
    /// The argument of a source call, and the calls that were passed over.
    Call { call: &'a ExprCall, scope: usize, others: Vec<&'a ExprCall> },
    /// A variable of a scope.
    Variable { name: &'a str, scope: usize },
    /// The three names of generated documents.
    BaseConfig,
    /// An expression that stands alone.
    Expression(&'a Expr),
}

const BASE_CONFIG_NAMES: [&str; 3] = ["BASE_CONFIG", "ENDPOINTS", "DEPENDENCIES"];

fn choose<'a>(program: &Program<'a>, body: &'a [Stmt]) -> Option<Choice<'a>> {
    choose_call(program)
        .or_else(|| {
            let (scope, name) = program
                .find(|binding| binding.is_annotated("RESTAPIConfig"))
                .or_else(|| program.find(|binding| binding.name == "config" && binding.is_value()))?;
            Some(Choice::Variable { name, scope })
        })
        .or_else(|| {
            let is_there = |name| program.last_binding(name, 0).is_some();
            (is_there("BASE_CONFIG") || is_there("ENDPOINTS")).then_some(Choice::BaseConfig)
        })
        .or_else(|| {
            let mut dicts = body.iter().filter_map(|statement| match statement {
                Stmt::Expr(expression) if !expression.value.is_string_literal_expr() => {
                    Some(&*expression.value)
                }
                _ => None,
            });
            let only = dicts.next().filter(|expression| expression.is_dict_expr());
            if dicts.next().is_some() { None } else { only.map(Choice::Expression) }
        })
}

fn choose_call<'a>(program: &Program<'a>) -> Option<Choice<'a>> {
    // `def load(config): return rest_api_source(config)` says nothing by itself.
    let is_open = |scope: usize, call: &'a ExprCall| match config_argument(call) {
        Some(Expr::Name(name)) => program
            .lookup(&name.id, scope, name.range.start().to_usize())
            .is_some_and(|found| matches!(found.binding.meaning, Meaning::Parameter { default: None })),
        _ => false,
    };
    let closed = program.source_calls.iter().filter(|(scope, call)| !is_open(*scope, call));
    let mut calls: Vec<(usize, &'a ExprCall)> = closed.copied().collect();
    if calls.is_empty() {
        calls = program.source_calls.clone();
    }
    let (scope, call) = *calls.first()?;
    let same = |other: &ExprCall| match (config_argument(call), config_argument(other)) {
        (Some(Expr::Name(one)), Some(Expr::Name(two))) => one.id == two.id,
        _ => false,
    };
    let others = calls.iter().skip(1).map(|(_, other)| *other).filter(|other| !same(other)).collect();
    Some(Choice::Call { call, scope, others })
}

/// The argument of a source call that is the whole configuration.
fn config_argument(call: &ExprCall) -> Option<&Expr> {
    let named = call.arguments.keywords.iter().find(|keyword| {
        keyword.arg.as_ref().is_some_and(|name| matches!(name.id.as_str(), "config" | "rest_api_config"))
    });
    call.arguments.args.first().or(named.map(|keyword| &keyword.value))
}

fn evaluate(choice: Choice<'_>, evaluator: &mut Evaluator<'_, '_>) -> Option<Node> {
    match choice {
        Choice::Expression(expression) => evaluator.eval(expression, 0, ""),
        Choice::Variable { name, scope } => evaluator.variable(name, scope, ""),
        Choice::BaseConfig => {
            let mut map = Map::default();
            for name in BASE_CONFIG_NAMES {
                if let Some(place) = evaluator.place_of_variable(name, 0)
                    && let Some(node) = evaluator.variable(name, 0, name)
                {
                    map.insert(name, place, node);
                }
            }
            Some(Node::new(Value::Map(map), Place::new(1, 1)))
        }
        Choice::Call { call, scope, others } => {
            for other in others {
                let place = evaluator.place(other.range_start.to_usize());
                evaluator.diagnostics.note(
                    "",
                    place,
                    "another configuration in this file, which is not read",
                );
            }
            if let Some(argument) = config_argument(call) {
                return evaluator.eval(argument, scope, "");
            }
            // rest_api(client=..., resources=...)
            let place = evaluator.place(call.range_start.to_usize());
            let mut map = Map::default();
            for keyword in &call.arguments.keywords {
                let Some(name) = &keyword.arg else {
                    return evaluator.eval(&keyword.value, scope, "");
                };
                if matches!(name.id.as_str(), "client" | "resources" | "resource_defaults") {
                    let key_place = evaluator.place(name.range.start().to_usize());
                    if let Some(node) = evaluator.eval(&keyword.value, scope, &child("", &name.id)) {
                        map.insert(name.id.as_str(), key_place, node);
                    }
                }
            }
            if map.is_empty() {
                evaluator.diagnostics.push(
                    "",
                    place,
                    "a source call without a configuration, expected a dict",
                );
            }
            Some(Node::new(Value::Map(map), place))
        }
    }
}

#[cfg(test)]
mod tests;
