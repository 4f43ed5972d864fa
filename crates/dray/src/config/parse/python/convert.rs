//! `convert` of an incremental cursor, where the function only writes a moment in another way: `format` says the same.

use ruff_python_ast::{Expr, Operator, Stmt};

use super::eval::Evaluator;
use super::functions::returned;
use super::scope::{Meaning, dotted};

/// What a function does to the value of a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    /// Nothing that a request shows.
    Same,
    /// It writes it in this format.
    Format(String),
}

/// How deep such a function may nest.
const MAX_STEPS: usize = 12;

impl Evaluator<'_, '_> {
    /// What the value of `convert` does, if it is a lambda or a function of this file that only does such a thing.
    pub(super) fn conversion(&self, value: &Expr, scope: usize) -> Option<Conversion> {
        match value {
            Expr::Lambda(lambda) => {
                let mut parameters = lambda.parameters.as_ref()?.iter_non_variadic_params();
                let parameter = parameters.next()?.parameter.name.id.as_str();
                if parameters.next().is_some() {
                    return None;
                }
                of(&lambda.body, parameter, MAX_STEPS)
            }
            Expr::Name(name) => {
                let found = self.program.lookup(&name.id, scope, name.range.start().to_usize())?;
                let Meaning::Function { function, .. } = found.binding.meaning else { return None };
                let plain = |statement: &Stmt| {
                    matches!(statement, Stmt::Return(_))
                        || matches!(statement, Stmt::Expr(text) if text.value.is_string_literal_expr())
                };
                if !function.body.iter().all(plain) {
                    return None;
                }
                let mut parameters = function.parameters.iter_non_variadic_params();
                let parameter = parameters.next()?.parameter.name.id.as_str();
                if parameters.next().is_some() {
                    return None;
                }
                of(returned(function)?, parameter, MAX_STEPS)
            }
            _ => None,
        }
    }
}

fn format(word: &str) -> Option<Conversion> {
    Some(Conversion::Format(word.to_owned()))
}

fn of(body: &Expr, parameter: &str, steps: usize) -> Option<Conversion> {
    let steps = steps.checked_sub(1)?;
    match body {
        Expr::Name(name) if name.id.as_str() == parameter => Some(Conversion::Same),
        // A value that is not there, or is a moment already, stays as it is.
        Expr::If(choice) => {
            let other = &*choice.orelse;
            let stays = other.is_none_literal_expr() || is(other, parameter);
            if stays { of(&choice.body, parameter, steps) } else { None }
        }
        Expr::BinOp(product) if product.op == Operator::Mult => {
            let thousand = product.right.as_number_literal_expr()?.value.as_int()?.as_i64()? == 1_000;
            let seconds = of(&product.left, parameter, steps)? == Conversion::Format("unix".to_owned());
            if thousand && seconds { format("unix_milliseconds") } else { None }
        }
        Expr::Attribute(attribute) if attribute.attr.id.as_str() == "int_timestamp" => {
            instant(&attribute.value, parameter).then(|| format("unix")).flatten()
        }
        Expr::Call(call) => {
            let first = call.arguments.args.first();
            if let (Some("int" | "str" | "float" | "round"), Some(only)) =
                (dotted(&call.func).as_deref(), first)
            {
                return of(only, parameter, steps);
            }
            let method = call.func.as_attribute_expr()?;
            let value = &*method.value;
            match method.attr.id.as_str() {
                "isoformat" if is_date_of(value, parameter) => return format("date"),
                _ if !instant(value, parameter) => return None,
                _ => {}
            }
            match method.attr.id.as_str() {
                "timestamp" => format("unix"),
                "isoformat" | "to_iso8601_string" => format("iso"),
                "to_date_string" => format("date"),
                "strftime" => format(first?.as_string_literal_expr()?.value.to_str()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn is(expression: &Expr, parameter: &str) -> bool {
    expression.as_name_expr().is_some_and(|name| name.id.as_str() == parameter)
}

/// `x.date()`
fn is_date_of(expression: &Expr, parameter: &str) -> bool {
    let Some(method) = expression.as_call_expr().and_then(|call| call.func.as_attribute_expr()) else {
        return false;
    };
    method.attr.id.as_str() == "date" && instant(&method.value, parameter)
}

/// Whether an expression is the moment that the parameter names: itself, parsed, or made of its seconds.
fn instant(expression: &Expr, parameter: &str) -> bool {
    if is(expression, parameter) {
        return true;
    }
    let Some(call) = expression.as_call_expr() else { return false };
    let name = dotted(&call.func).unwrap_or_default();
    let function = name.rsplit('.').next().unwrap_or_default();
    let parses = matches!(
        function,
        "parse"
            | "isoparse"
            | "fromisoformat"
            | "instance"
            | "from_timestamp"
            | "ensure_pendulum_datetime"
            | "ensure_pendulum_datetime_utc"
    );
    if !parses || call.arguments.args.len() != 1 || !call.arguments.keywords.is_empty() {
        return false;
    }
    let Some(argument) = call.arguments.args.first() else { return false };
    // x.replace("Z", "+00:00"), int(x), str(x)
    let inner = argument.as_call_expr().and_then(|inner| match &*inner.func {
        Expr::Name(name) if matches!(name.id.as_str(), "int" | "str" | "float") => {
            inner.arguments.args.first()
        }
        Expr::Attribute(method) if method.attr.id.as_str() == "replace" => {
            let text =
                |at: usize| Some(inner.arguments.args.get(at)?.as_string_literal_expr()?.value.to_str());
            ((text(0), text(1)) == (Some("Z"), Some("+00:00"))).then_some(&*method.value)
        }
        _ => None,
    });
    is(argument, parameter) || inner.is_some_and(|inner| is(inner, parameter))
}
