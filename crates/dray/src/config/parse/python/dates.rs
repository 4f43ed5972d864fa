//! Dates relative to now, as people compute them in Python, become templates; fixed ones become text.
//!
//! `(datetime.now() - timedelta(days=30)).strftime("%Y-%m-%d")` is `${now - 30d:%Y-%m-%d}`. Nothing here adds a
//! problem: what is no date is judged where it stands.

use jiff::civil::DateTime;
use ruff_python_ast::{Expr, ExprBinOp, ExprCall, Number, Operator};

use crate::config::node::Value;

use super::eval::Evaluator;
use super::moment::{Base, Kind, Moment, strftime_of};
use super::scope::{Meaning, dotted};

/// How many steps lead from an expression to the clock.
const MAX_STEPS: usize = 10;
const DAY: i64 = 86_400;

/// Seconds since 1970, or thousandths of them.
struct Epoch {
    moment: Moment,
    thousandths: bool,
}

impl Evaluator<'_, '_> {
    /// The value of an expression that makes text, a number or a bare date of a moment.
    pub(super) fn dated(&mut self, expression: &Expr, scope: usize) -> Option<Value> {
        if let Some(epoch) = self.epoch(expression, scope, 0) {
            return epoch.moment.seconds_since_1970(epoch.thousandths);
        }
        if let Expr::Call(call) = expression
            && let Some(text) = self.written(call, scope)
        {
            return Some(Value::Text(text));
        }
        self.moment(expression, scope, 0)?.iso().map(Value::Text)
    }

    /// A moment inside an f-string, by its format if it has one.
    pub(super) fn dated_part(
        &mut self,
        expression: &Expr,
        format: Option<&str>,
        scope: usize,
    ) -> Option<String> {
        let moment = self.moment(expression, scope, 0)?;
        match format {
            Some(format) => moment.text(format),
            None => moment.shown(),
        }
    }

    /// `x.isoformat()`, `x.strftime("...")`, `str(x)` and the like.
    fn written(&mut self, call: &ExprCall, scope: usize) -> Option<String> {
        let first = call.arguments.args.first();
        match (dotted(&call.func).as_deref(), first) {
            (Some("str"), Some(moment)) => return self.moment(moment, scope, 0)?.shown(),
            (Some("time.strftime"), Some(format)) => {
                return Moment::now(Kind::Naive).text(&self.constant_text(format, scope, 0)?);
            }
            _ => {}
        }
        let Expr::Attribute(method) = &*call.func else { return None };
        // x.isoformat().replace("+00:00", "Z"): the text has `Z` already.
        if method.attr.id.as_str() == "replace"
            && call.arguments.args.len() == 2
            && let Expr::Call(inner) = &*method.value
        {
            let text = |argument: &Expr| {
                argument.as_string_literal_expr().map(|text| text.value.to_str().to_owned())
            };
            let taken = (text(first?)?, text(call.arguments.args.get(1)?)?);
            return match (taken.0.as_str(), taken.1.as_str()) {
                ("+00:00", "Z") => self.written(inner, scope),
                _ => None,
            };
        }
        let moment = self.moment(&method.value, scope, 0)?;
        match method.attr.id.as_str() {
            "isoformat" | "to_iso8601_string" | "to_rfc3339_string" => moment.iso(),
            "to_date_string" => moment.text("%Y-%m-%d"),
            "to_datetime_string" => moment.text("%Y-%m-%d %H:%M:%S"),
            "strftime" => moment.text(&self.constant_text(first?, scope, 0)?),
            "format" => moment.text(&strftime_of(&self.constant_text(first?, scope, 0)?)?),
            _ => None,
        }
    }

    fn epoch(&mut self, expression: &Expr, scope: usize, steps: usize) -> Option<Epoch> {
        if steps > MAX_STEPS {
            return None;
        }
        let of = |moment| Epoch { moment, thousandths: false };
        match expression {
            Expr::Call(call) => match dotted(&call.func).as_deref() {
                Some("int" | "round" | "str" | "float") => {
                    self.epoch(call.arguments.args.first()?, scope, steps + 1)
                }
                Some("time.time") => Some(of(Moment::now(Kind::Aware))),
                _ => {
                    let method = call.func.as_attribute_expr()?;
                    if method.attr.id.as_str() != "timestamp" {
                        return None;
                    }
                    self.moment(&method.value, scope, steps + 1).map(of)
                }
            },
            Expr::Attribute(attribute)
                if matches!(attribute.attr.id.as_str(), "int_timestamp" | "float_timestamp") =>
            {
                self.moment(&attribute.value, scope, steps + 1).map(of)
            }
            Expr::BinOp(operation) => {
                let epoch = self.epoch(&operation.left, scope, steps + 1)?;
                let number = self.constant_whole(&operation.right, scope, steps + 1)?;
                match (operation.op, epoch.thousandths) {
                    (Operator::Mult, false) if number == 1_000 => Some(Epoch { thousandths: true, ..epoch }),
                    (Operator::Add, false) => epoch.moment.later(number).map(of),
                    (Operator::Sub, false) => epoch.moment.later(number.checked_neg()?).map(of),
                    _ => None,
                }
            }
            Expr::Name(name) => {
                let (value, scope) = self.meant(&name.id, name.range.start().to_usize(), scope)?;
                self.epoch(value, scope, steps + 1)
            }
            _ => None,
        }
    }

    fn moment(&mut self, expression: &Expr, scope: usize, steps: usize) -> Option<Moment> {
        if steps > MAX_STEPS {
            return None;
        }
        match expression {
            Expr::Name(name) => {
                let (value, scope) = self.meant(&name.id, name.range.start().to_usize(), scope)?;
                self.moment(value, scope, steps + 1)
            }
            Expr::Call(call) => {
                if let Some(moment) = self.made(call, scope, steps) {
                    return Some(moment);
                }
                let method = call.func.as_attribute_expr()?;
                let moment = self.moment(&method.value, scope, steps + 1)?;
                self.moved(moment, method.attr.id.as_str(), call, scope)
            }
            Expr::BinOp(operation) => {
                let span = self.span(&operation.right, scope, steps + 1)?;
                let moment = self.moment(&operation.left, scope, steps + 1)?;
                match operation.op {
                    Operator::Sub => moment.later(span.checked_neg()?),
                    Operator::Add => moment.later(span),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `datetime.now()`, `pendulum.today()`, `date(2024, 1, 1)`, `pendulum.parse("2024-01-01")`.
    fn made(&mut self, call: &ExprCall, scope: usize, steps: usize) -> Option<Moment> {
        let name = dotted(&call.func)?;
        let (owner, function) = name.rsplit_once('.').unwrap_or(("", &name));
        let owner = owner.rsplit('.').next().unwrap_or_default();
        let zone = || is_utc_call(call);
        match (owner, function) {
            ("datetime" | "dt", "utcnow") => Some(Moment::now(Kind::Naive)),
            ("datetime" | "dt", "now") => {
                let none = call.arguments.args.is_empty() && call.arguments.keywords.is_empty();
                zone().then(|| Moment::now(if none { Kind::Naive } else { Kind::Aware }))
            }
            ("datetime" | "dt", "today") => Some(Moment::now(Kind::Naive)),
            ("pendulum", "now") => zone().then(|| Moment::now(Kind::Aware)),
            ("date", "today") => Some(Moment { base: Base::Today, kind: Kind::Date, seconds: 0 }),
            ("pendulum", "today" | "yesterday" | "tomorrow") => {
                let days = match function {
                    "yesterday" => -1,
                    "tomorrow" => 1,
                    _ => 0,
                };
                zone().then_some(Moment { base: Base::Today, kind: Kind::Aware, seconds: days * DAY })
            }
            ("datetime" | "date" | "pendulum", "fromisoformat" | "parse") => {
                Moment::parsed(&self.constant_text(call.arguments.args.first()?, scope, steps + 1)?)
            }
            ("" | "datetime" | "dt" | "pendulum", "datetime" | "date" | "DateTime") => {
                self.fixed(call, owner == "pendulum", function == "date", scope, steps)
            }
            _ => None,
        }
    }

    fn fixed(
        &mut self,
        call: &ExprCall,
        pendulum: bool,
        date: bool,
        scope: usize,
        steps: usize,
    ) -> Option<Moment> {
        let mut numbers = [0_i64; 6];
        let names = ["year", "month", "day", "hour", "minute", "second"];
        let mut given = call.arguments.args.len();
        for (index, argument) in call.arguments.args.iter().enumerate() {
            *numbers.get_mut(index)? = self.constant_whole(argument, scope, steps + 1)?;
        }
        let mut kind = if pendulum { Kind::Aware } else { Kind::Naive };
        for keyword in &call.arguments.keywords {
            let name = keyword.arg.as_ref()?.id.as_str();
            if matches!(name, "tzinfo" | "tz") {
                kind = is_utc(&keyword.value).then_some(Kind::Aware)?;
                continue;
            }
            let index = names.iter().position(|known| *known == name)?;
            *numbers.get_mut(index)? = self.constant_whole(&keyword.value, scope, steps + 1)?;
            given += 1;
        }
        let [year, month, day, hour, minute, second] = numbers;
        if given < 3 {
            return None;
        }
        let small = |number: i64| i8::try_from(number).ok();
        let at = DateTime::new(
            i16::try_from(year).ok()?,
            small(month)?,
            small(day)?,
            small(hour)?,
            small(minute)?,
            small(second)?,
            0,
        )
        .ok()?;
        Some(Moment { base: Base::At(at), kind: if date { Kind::Date } else { kind }, seconds: 0 })
    }

    /// A moment after a method was called on it.
    fn moved(&mut self, moment: Moment, method: &str, call: &ExprCall, scope: usize) -> Option<Moment> {
        let word = || call.arguments.args.first().and_then(|argument| argument.as_string_literal_expr());
        match method {
            "subtract" => moment.later(self.seconds(call, scope)?.checked_neg()?),
            "add" => moment.later(self.seconds(call, scope)?),
            "date" => Some(Moment { kind: Kind::Date, ..moment }),
            "start_of" if word()?.value.to_str() == "day" => moment.midnight(),
            "end_of" if word()?.value.to_str() == "day" => moment.midnight()?.later(DAY - 1),
            "astimezone" | "in_timezone" | "in_tz" if is_utc_call(call) => {
                Some(Moment { kind: Kind::Aware, ..moment })
            }
            "replace" => self.replaced(moment, call, scope),
            _ => None,
        }
    }

    /// `x.replace(hour=0, minute=0, second=0, microsecond=0)`; a day or month has no place in a template.
    fn replaced(&mut self, moment: Moment, call: &ExprCall, scope: usize) -> Option<Moment> {
        if !call.arguments.args.is_empty() {
            return None;
        }
        let mut kind = moment.kind;
        let (mut hour, mut minute, mut second) = (None, None, None);
        for keyword in &call.arguments.keywords {
            let value = &keyword.value;
            match keyword.arg.as_ref()?.id.as_str() {
                "hour" => hour = Some(self.constant_whole(value, scope, 0)?),
                "minute" => minute = Some(self.constant_whole(value, scope, 0)?),
                "second" => second = Some(self.constant_whole(value, scope, 0)?),
                "microsecond" => {}
                "tzinfo" if value.is_none_literal_expr() => kind = Kind::Naive,
                "tzinfo" => kind = is_utc(value).then_some(Kind::Aware)?,
                _ => return None,
            }
        }
        let moment = Moment { kind, ..moment };
        match (hour, minute, second) {
            (None, None, None) => Some(moment),
            (Some(hour @ 0..24), Some(minute @ 0..60), Some(second @ 0..60)) => {
                moment.midnight()?.later(hour * 3_600 + minute * 60 + second)
            }
            _ => None,
        }
    }

    /// `timedelta(days=1)`, possibly several times, or a name of one.
    fn span(&mut self, expression: &Expr, scope: usize, steps: usize) -> Option<i64> {
        if steps > MAX_STEPS {
            return None;
        }
        match expression {
            Expr::Call(call) => {
                let name = dotted(&call.func)?;
                let class = name.rsplit('.').next()?;
                if matches!(class, "timedelta" | "duration") { self.seconds(call, scope) } else { None }
            }
            Expr::Name(name) => {
                let (value, scope) = self.meant(&name.id, name.range.start().to_usize(), scope)?;
                self.span(value, scope, steps + 1)
            }
            _ => None,
        }
    }

    /// `days=30, hours=2` in seconds. Months and years have no length of their own.
    fn seconds(&mut self, call: &ExprCall, scope: usize) -> Option<i64> {
        let mut seconds: i64 = 0;
        let mut add = |count: i64, unit: &str| {
            let length = match unit {
                "seconds" => 1,
                "minutes" => 60,
                "hours" => 3_600,
                "days" => DAY,
                "weeks" => 7 * DAY,
                _ => return None,
            };
            seconds = seconds.checked_add(count.checked_mul(length)?)?;
            Some(())
        };
        if call.arguments.args.len() > 1 {
            return None;
        }
        for argument in &call.arguments.args {
            add(self.constant_whole(argument, scope, 0)?, "days")?;
        }
        for keyword in &call.arguments.keywords {
            let count = self.constant_whole(&keyword.value, scope, 0)?;
            add(count, keyword.arg.as_ref()?.id.as_str())?;
        }
        Some(seconds)
    }

    fn constant_whole(&mut self, expression: &Expr, scope: usize, steps: usize) -> Option<i64> {
        if steps > MAX_STEPS {
            return None;
        }
        match expression {
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(number) => number.as_i64(),
                _ => None,
            },
            Expr::UnaryOp(operation) if operation.op == ruff_python_ast::UnaryOp::USub => {
                self.constant_whole(&operation.operand, scope, steps + 1)?.checked_neg()
            }
            Expr::BinOp(ExprBinOp { left, op: Operator::Mult, right, .. }) => {
                let left = self.constant_whole(left, scope, steps + 1)?;
                left.checked_mul(self.constant_whole(right, scope, steps + 1)?)
            }
            Expr::Name(name) => {
                if let Some(value) = self.held(&name.id, scope) {
                    return if let Value::Int(number) = value { Some(*number) } else { None };
                }
                let (value, scope) = self.meant(&name.id, name.range.start().to_usize(), scope)?;
                self.constant_whole(value, scope, steps + 1)
            }
            _ => None,
        }
    }

    fn constant_text(&mut self, expression: &Expr, scope: usize, steps: usize) -> Option<String> {
        if steps > MAX_STEPS {
            return None;
        }
        match expression {
            Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
            Expr::Name(name) => {
                if let Some(value) = self.held(&name.id, scope) {
                    return if let Value::Text(text) = value { Some(text.clone()) } else { None };
                }
                let (value, scope) = self.meant(&name.id, name.range.start().to_usize(), scope)?;
                self.constant_text(value, scope, steps + 1)
            }
            _ => None,
        }
    }
}

impl<'a> Evaluator<'a, '_> {
    /// The value that a name has for a while.
    fn held(&self, name: &str, scope: usize) -> Option<&Value> {
        let local = self.locals.iter().rev().find(|local| local.scope == scope && local.name == name)?;
        Some(&local.node.value)
    }

    /// The expression that a name stands for, and its scope, if nothing changed it since.
    fn meant(&self, name: &str, at: usize, scope: usize) -> Option<(&'a Expr, usize)> {
        // What is set for a while is a value already.
        if self.held(name, scope).is_some() {
            return None;
        }
        let found = self.program.lookup(name, scope, at)?;
        if !found.changes.is_empty() {
            return None;
        }
        match found.binding.meaning {
            Meaning::Value { value, .. } | Meaning::Parameter { default: Some(value) } => {
                Some((value, found.scope))
            }
            _ => None,
        }
    }
}

/// Whether a call names no time zone or UTC: another one has other days.
fn is_utc_call(call: &ExprCall) -> bool {
    let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
    call.arguments.args.iter().chain(keywords).all(is_utc)
}

fn is_utc(expression: &Expr) -> bool {
    if let Some(text) = expression.as_string_literal_expr() {
        return text.value.to_str().eq_ignore_ascii_case("utc");
    }
    let named = dotted(expression).or_else(|| {
        let call = expression.as_call_expr()?;
        let utc = call.arguments.args.first().is_some_and(is_utc);
        utc.then(|| "utc".to_owned())
    });
    named.is_some_and(|name| name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("utc")))
}
