//! Dates relative to now, as people compute them in Python, become templates.
//!
//! `(datetime.now() - timedelta(days=30)).strftime("%Y-%m-%d")` is `${now - 30d:%Y-%m-%d}`.

use ruff_python_ast::{Expr, ExprCall, Operator};

use crate::config::node::{Node, Value};

use super::eval::Evaluator;
use super::scope::dotted;

/// A moment relative to the run: `now` or `today`, and seconds to add.
struct Moment {
    base: &'static str,
    /// Whether it is a date without a time, as `date.today()` is.
    date: bool,
    seconds: i64,
}

impl Evaluator<'_, '_> {
    /// The template that a call stands for, if it makes text of a moment. Never adds a problem.
    pub(super) fn date_template(&mut self, call: &ExprCall, scope: usize) -> Option<String> {
        let Expr::Attribute(method) = &*call.func else { return None };
        let moment = self.moment(&method.value, scope, 0)?;
        let format = match method.attr.id.as_str() {
            "isoformat" | "to_iso8601_string" if moment.base == "now" || moment.date => String::new(),
            "isoformat" | "to_iso8601_string" => ":%Y-%m-%dT%H:%M:%SZ".to_owned(),
            "to_date_string" => ":%Y-%m-%d".to_owned(),
            "strftime" => match call.arguments.args.first()?.as_string_literal_expr()?.value.to_str() {
                format if !format.contains('}') => format!(":{format}"),
                _ => return None,
            },
            _ => return None,
        };
        let sign = if moment.seconds < 0 { '-' } else { '+' };
        let span = moment.seconds.unsigned_abs();
        let span = match span {
            0 => String::new(),
            span if span % 86_400 == 0 => format!(" {sign} {}d", span / 86_400),
            span if span % 3_600 == 0 => format!(" {sign} {}h", span / 3_600),
            span => format!(" {sign} {span}s"),
        };
        Some(format!("${{{}{span}{format}}}", moment.base))
    }

    fn moment(&mut self, expression: &Expr, scope: usize, depth: usize) -> Option<Moment> {
        if depth > 16 {
            return None;
        }
        match expression {
            Expr::Call(call) => {
                match dotted(&call.func).as_deref() {
                    Some(
                        "datetime.now"
                        | "datetime.datetime.now"
                        | "datetime.utcnow"
                        | "datetime.datetime.utcnow"
                        | "pendulum.now",
                    ) => return Some(Moment { base: "now", date: false, seconds: 0 }),
                    Some("pendulum.today") => return Some(Moment { base: "today", date: false, seconds: 0 }),
                    Some("date.today" | "datetime.date.today") => {
                        return Some(Moment { base: "today", date: true, seconds: 0 });
                    }
                    _ => {}
                }
                let Expr::Attribute(method) = &*call.func else { return None };
                let moment = self.moment(&method.value, scope, depth + 1)?;
                match method.attr.id.as_str() {
                    "subtract" => {
                        Some(Moment { seconds: moment.seconds - self.seconds(call, scope)?, ..moment })
                    }
                    "add" => Some(Moment { seconds: moment.seconds + self.seconds(call, scope)?, ..moment }),
                    _ => None,
                }
            }
            Expr::BinOp(operation) => {
                let moment = self.moment(&operation.left, scope, depth + 1)?;
                let Expr::Call(call) = &*operation.right else { return None };
                if !matches!(dotted(&call.func).as_deref(), Some("timedelta" | "datetime.timedelta")) {
                    return None;
                }
                let seconds = self.seconds(call, scope)?;
                match operation.op {
                    Operator::Sub => Some(Moment { seconds: moment.seconds - seconds, ..moment }),
                    Operator::Add => Some(Moment { seconds: moment.seconds + seconds, ..moment }),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `days=30, hours=2` in seconds. Months and years have no length of their own.
    fn seconds(&mut self, call: &ExprCall, scope: usize) -> Option<i64> {
        let mut seconds: i64 = 0;
        let mut add = |count: &Node, unit: &str| {
            let Value::Int(count) = count.value else { return None };
            let length = match unit {
                "seconds" => 1,
                "minutes" => 60,
                "hours" => 3_600,
                "days" => 86_400,
                "weeks" => 7 * 86_400,
                _ => return None,
            };
            // A thousand years are enough, and keep every later sum in bounds.
            seconds += count.checked_mul(length).filter(|span| span.unsigned_abs() < 1_000 * 366 * 86_400)?;
            Some(())
        };
        for argument in call.arguments.args.iter().take(1) {
            add(&self.quiet(argument, scope)?, "days")?;
        }
        for keyword in &call.arguments.keywords {
            let count = self.quiet(&keyword.value, scope)?;
            add(&count, keyword.arg.as_ref()?.id.as_str())?;
        }
        (call.arguments.args.len() <= 1).then_some(seconds)
    }

    /// Only literals: whatever else is there is judged when the call is refused as a whole.
    fn quiet(&mut self, expression: &Expr, scope: usize) -> Option<Node> {
        expression.is_number_literal_expr().then(|| self.eval(expression, scope, ""))?
    }
}
