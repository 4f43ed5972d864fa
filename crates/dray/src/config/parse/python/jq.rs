//! Expressions over a record, written in jq. What means another thing there is guarded, or not translated.

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{
    BoolOp, CmpOp, Comprehension, Expr, ExprBinOp, ExprCompare, ExprDict, ExprFString, ExprSubscript,
    FStringPart, InterpolatedStringElement, Operator, UnaryOp,
};

use crate::config::node::{Node, Place, Value};
use crate::json::quote;

use super::eval::Evaluator;
use super::scope::Meaning;

/// How deep an expression may nest.
const MAX_STEPS: usize = 60;
/// How many expressions a program is made of, at the most.
const MAX_SPENT: usize = 2000;

/// Why there is no program.
#[derive(Debug)]
pub(super) enum Stuck {
    /// Something that cannot be said in jq, and where it stands.
    At(Place, String),
    /// It is said already.
    Said,
}

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Flag,
    Number,
    Text,
    Any,
}

pub(super) type Jq = Result<(String, Kind), Stuck>;

/// Reads the code of a step: the record is `.` throughout, other names are variables.
pub(super) struct Reading<'e, 'a, 'out> {
    pub(super) evaluator: &'e mut Evaluator<'a, 'out>,
    /// Where names that are constants stand.
    pub(super) scope: usize,
    pub(super) path: &'e str,
    /// Names that hold a record or a part of it, and how they are written.
    pub(super) names: Vec<(String, String)>,
    /// How deep it is.
    pub(super) steps: usize,
    /// How much was read: what follows an `if` may be read once for each of its ways.
    pub(super) spent: usize,
}

/// Looks for names.
struct Mentions<'n> {
    names: &'n [(String, String)],
    found: bool,
}

impl<'a> Visitor<'a> for Mentions<'_> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Name(name) = expression {
            self.found |= self.names.iter().any(|(own, _)| own == name.id.as_str());
        }
        walk_expr(self, expression);
    }
}

impl Reading<'_, '_, '_> {
    pub(super) fn stuck<T>(&self, expression: &Expr, what: impl Into<String>) -> Result<T, Stuck> {
        Err(Stuck::At(self.evaluator.place_of(expression), what.into()))
    }

    pub(super) fn mentions(&self, expression: &Expr) -> bool {
        let mut mentions = Mentions { names: &self.names, found: false };
        mentions.visit_expr(expression);
        mentions.found
    }

    /// A value that is known without the record.
    pub(super) fn constant(&mut self, expression: &Expr) -> Result<Node, Stuck> {
        // A parameter of the function around this one, which was called with a constant.
        if let Expr::Name(name) = expression
            && let Some(found) =
                self.evaluator.program.lookup(&name.id, self.scope, name.range.start().to_usize())
            && matches!(found.binding.meaning, Meaning::Parameter { .. })
            && let Some(local) = self
                .evaluator
                .locals
                .iter()
                .rev()
                .find(|local| local.scope == found.scope && local.name == name.id.as_str())
        {
            return Ok(local.node.clone());
        }
        self.evaluator.eval(expression, self.scope, self.path).ok_or(Stuck::Said)
    }

    /// A text that is known without the record.
    pub(super) fn key(&mut self, expression: &Expr) -> Result<String, Stuck> {
        if self.mentions(expression) {
            return self.stuck(expression, "a key that the record says");
        }
        match self.constant(expression)?.value {
            Value::Text(text) => Ok(text),
            _ => self.stuck(expression, "a key that is no text"),
        }
    }

    /// An expression, in parentheses where it is more than one word.
    pub(super) fn value(&mut self, expression: &Expr) -> Jq {
        self.steps += 1;
        self.spent += 1;
        if self.steps > MAX_STEPS || self.spent > MAX_SPENT {
            return self.stuck(expression, "so much");
        }
        let read = if self.mentions(expression) {
            self.read(expression)
        } else {
            let node = self.constant(expression)?;
            let kind = match node.value {
                Value::Bool(_) => Kind::Flag,
                Value::Int(_) | Value::Float(_) => Kind::Number,
                Value::Text(_) => Kind::Text,
                _ => Kind::Any,
            };
            match written(&node) {
                Some(json) => Ok((json, kind)),
                None => self.stuck(expression, "a secret"),
            }
        };
        self.steps -= 1;
        read
    }

    /// An expression where only its truth counts.
    pub(super) fn truth(&mut self, expression: &Expr) -> Result<String, Stuck> {
        let (jq, kind) = self.value(expression)?;
        Ok(if kind == Kind::Flag { jq } else { format!("({jq} | truthy)") })
    }

    fn number(&mut self, expression: &Expr) -> Result<String, Stuck> {
        let (jq, kind) = self.value(expression)?;
        Ok(if kind == Kind::Number { jq } else { format!("({jq} | number)") })
    }

    fn read(&mut self, expression: &Expr) -> Jq {
        Ok(match expression {
            Expr::Name(name) => {
                let known = self.names.iter().rev().find(|(own, _)| own == name.id.as_str());
                match known {
                    Some((_, jq)) => (jq.clone(), Kind::Any),
                    None => return self.stuck(expression, format!("`{}`", name.id)),
                }
            }
            Expr::Subscript(subscript) => (self.part(subscript)?, Kind::Any),
            Expr::Compare(comparison) => (self.comparison(comparison)?, Kind::Flag),
            Expr::BoolOp(operation) => {
                let word = if operation.op == BoolOp::And { " and " } else { " or " };
                let mut flags = Vec::new();
                for value in &operation.values {
                    let (jq, kind) = self.value(value)?;
                    flags.push((jq, kind));
                }
                if flags.iter().all(|(_, kind)| *kind == Kind::Flag) {
                    let flags: Vec<_> = flags.into_iter().map(|(jq, _)| jq).collect();
                    return Ok((format!("({})", flags.join(word)), Kind::Flag));
                }
                // In Python the operand itself is the result.
                let mut values = flags.into_iter().rev().map(|(jq, _)| jq);
                let mut chosen = values.next().unwrap_or_default();
                for value in values {
                    chosen = if operation.op == BoolOp::And {
                        format!("(if ({value} | truthy) then {chosen} else {value} end)")
                    } else {
                        format!("({value} as $either | if ($either | truthy) then $either else {chosen} end)")
                    };
                }
                (chosen, Kind::Any)
            }
            Expr::UnaryOp(operation) => match operation.op {
                UnaryOp::Not => (format!("({} | not)", self.truth(&operation.operand)?), Kind::Flag),
                UnaryOp::USub => (format!("(-{})", self.number(&operation.operand)?), Kind::Number),
                UnaryOp::UAdd => (self.number(&operation.operand)?, Kind::Number),
                UnaryOp::Invert => return self.stuck(expression, "`~`"),
            },
            Expr::BinOp(operation) => self.arithmetic(operation)?,
            Expr::If(choice) => {
                let test = self.truth(&choice.test)?;
                let (then, one) = self.value(&choice.body)?;
                let (other, two) = self.value(&choice.orelse)?;
                (
                    format!("(if {test} then {then} else {other} end)"),
                    if one == two { one } else { Kind::Any },
                )
            }
            Expr::Dict(dict) => (self.dict(dict)?, Kind::Any),
            Expr::List(list) => (self.list(&list.elts)?, Kind::Any),
            Expr::Tuple(tuple) => (self.list(&tuple.elts)?, Kind::Any),
            Expr::FString(text) => (self.text(text, expression)?, Kind::Text),
            Expr::ListComp(list) => (self.comprehension(&list.elt, &list.generators)?, Kind::Any),
            Expr::Generator(list) => (self.comprehension(&list.elt, &list.generators)?, Kind::Any),
            Expr::DictComp(dict) => {
                let Some(key) = &dict.key else { return self.stuck(expression, "this comprehension") };
                let known = self.names.len();
                let each = self.each(&dict.generators)?;
                let ((key, _), (value, _)) = (self.value(key)?, self.value(&dict.value)?);
                self.names.truncate(known);
                (
                    format!(
                        "([{each}{{key: {key}, value: {value}}}{}] | from_entries)",
                        ends(&dict.generators)
                    ),
                    Kind::Any,
                )
            }
            Expr::Call(call) => self.call(call, expression)?,
            Expr::Attribute(attribute) => {
                return self.stuck(expression, format!("`.{}`", attribute.attr.id));
            }
            _ => return self.stuck(expression, "this expression"),
        })
    }

    /// `r["a"]`, `r["a"][0]`, `r["a"][:10]`
    fn part(&mut self, subscript: &ExprSubscript) -> Result<String, Stuck> {
        let (of, _) = self.value(&subscript.value)?;
        if let Expr::Slice(slice) = &*subscript.slice {
            if slice.step.is_some() {
                return self.stuck(&subscript.slice, "a slice with a step");
            }
            let mut bound = |end: &Option<Box<Expr>>| match end {
                Some(end) => self.number(end),
                None => Ok(String::new()),
            };
            let (lower, upper) = (bound(&slice.lower)?, bound(&slice.upper)?);
            return Ok(format!("{of}[{lower}:{upper}]"));
        }
        let (at, kind) = self.value(&subscript.slice)?;
        Ok(match subscript.slice.as_string_literal_expr() {
            Some(key) => field(&of, key.value.to_str()),
            None if kind == Kind::Text => format!("{of}[{at}]"),
            None if kind == Kind::Number || at.starts_with('$') => format!("{of}[{at}]"),
            None => return self.stuck(&subscript.slice, "this index"),
        })
    }

    fn comparison(&mut self, comparison: &ExprCompare) -> Result<String, Stuck> {
        let mut left = &*comparison.left;
        let mut all = Vec::new();
        for (operator, right) in comparison.ops.iter().zip(&comparison.comparators) {
            all.push(self.compared(left, *operator, right)?);
            left = right;
        }
        let joined = all.join(" and ");
        Ok(if bare(&joined) == joined { format!("({joined})") } else { joined })
    }

    fn compared(&mut self, left: &Expr, operator: CmpOp, right: &Expr) -> Result<String, Stuck> {
        let word = match operator {
            CmpOp::Eq | CmpOp::Is => "==",
            CmpOp::NotEq | CmpOp::IsNot => "!=",
            CmpOp::Lt => "<",
            CmpOp::LtE => "<=",
            CmpOp::Gt => ">",
            CmpOp::GtE => ">=",
            CmpOp::In => return self.among(left, right),
            CmpOp::NotIn => return Ok(format!("({} | not)", self.among(left, right)?)),
        };
        let ((one, kind), (two, other)) = (self.value(left)?, self.value(right)?);
        if matches!(word, "==" | "!=") {
            return Ok(format!("{one} {word} {two}"));
        }
        // jq puts values of different kinds into an order, Python refuses to.
        let guard = |jq: String, kind: Kind, wanted: Kind, word: &str| {
            if kind == wanted { jq } else { format!("({jq} | {word})") }
        };
        let (wanted, check) = match (kind, other) {
            (Kind::Number, _) | (_, Kind::Number) => (Kind::Number, "number"),
            (Kind::Text, _) | (_, Kind::Text) => (Kind::Text, "text"),
            _ => return self.stuck(left, "an order of values that may be of any kind"),
        };
        Ok(format!("{} {word} {}", guard(one, kind, wanted, check), guard(two, other, wanted, check)))
    }

    /// `x in [..]`, `"a" in r`, `"a" in r["list"]`
    fn among(&mut self, item: &Expr, holder: &Expr) -> Result<String, Stuck> {
        let listed = matches!(holder, Expr::List(_) | Expr::Tuple(_) | Expr::Set(_));
        if listed && !self.mentions(holder) {
            let elements = match holder {
                Expr::List(list) => &list.elts,
                Expr::Tuple(tuple) => &tuple.elts,
                Expr::Set(set) => &set.elts,
                _ => return self.stuck(holder, "this list"),
            };
            let list = self.list(elements)?;
            return Ok(format!("({} | among({list}))", self.value(item)?.0));
        }
        let fixed = !self.mentions(holder);
        let (held, (item, _)) = (self.value(holder)?.0, self.value(item)?);
        if fixed && held.starts_with('[') {
            return Ok(format!("({item} | among({held}))"));
        }
        Ok(format!("({item} as $item | {held} | holds($item))"))
    }

    fn arithmetic(&mut self, operation: &ExprBinOp) -> Jq {
        if operation.op == Operator::Add {
            let ((one, kind), (two, other)) = (self.value(&operation.left)?, self.value(&operation.right)?);
            let text = kind == Kind::Text || other == Kind::Text;
            return Ok(if text {
                let guard = |jq: String, kind| if kind == Kind::Text { jq } else { format!("({jq} | text)") };
                (format!("({} + {})", guard(one, kind), guard(two, other)), Kind::Text)
            } else if kind == Kind::Number || other == Kind::Number {
                let guard =
                    |jq: String, kind| if kind == Kind::Number { jq } else { format!("({jq} | number)") };
                (format!("({} + {})", guard(one, kind), guard(two, other)), Kind::Number)
            } else {
                (format!("({one} + {two})"), Kind::Any)
            });
        }
        if operation.op == Operator::BitOr {
            let (one, two) = (self.value(&operation.left)?.0, self.value(&operation.right)?.0);
            return Ok((format!("({one} + {two})"), Kind::Any));
        }
        let (one, two) = (self.number(&operation.left)?, self.number(&operation.right)?);
        let jq = match operation.op {
            Operator::Sub => format!("({one} - {two})"),
            Operator::Mult => format!("({one} * {two})"),
            Operator::Div => format!("({one} / {two})"),
            Operator::FloorDiv => format!("({one} / {two} | floor)"),
            // Python's remainder has the sign of the divisor.
            Operator::Mod => format!("(({one} % {two} + {two}) % {two})"),
            _ => return self.stuck(&operation.left, format!("`{}`", operation.op.as_str())),
        };
        Ok((jq, Kind::Number))
    }

    /// `{**r, "k": v}`
    fn dict(&mut self, dict: &ExprDict) -> Result<String, Stuck> {
        let mut parts: Vec<String> = Vec::new();
        let mut entries: Vec<String> = Vec::new();
        for item in &dict.items {
            let Some(key) = &item.key else {
                if !entries.is_empty() {
                    parts.push(format!("{{{}}}", entries.join(", ")));
                    entries.clear();
                }
                parts.push(self.value(&item.value)?.0);
                continue;
            };
            let (key, _) = self.value(key)?;
            let key = if key.starts_with('"') { key } else { format!("({key})") };
            entries.push(format!("{key}: {}", self.value(&item.value)?.0));
        }
        if !entries.is_empty() || parts.is_empty() {
            parts.push(format!("{{{}}}", entries.join(", ")));
        }
        Ok(if parts.len() == 1 { parts.join("") } else { format!("({})", parts.join(" + ")) })
    }

    fn list(&mut self, elements: &[Expr]) -> Result<String, Stuck> {
        let mut items = Vec::new();
        for element in elements {
            if let Expr::Starred(starred) = element {
                items.push(format!("{}[]", self.value(&starred.value)?.0));
            } else {
                items.push(self.value(element)?.0);
            }
        }
        Ok(format!("[{}]", items.join(", ")))
    }

    fn text(&mut self, text: &ExprFString, expression: &Expr) -> Result<String, Stuck> {
        let mut joined = String::new();
        for part in &text.value {
            let FStringPart::FString(part) = part else {
                if let FStringPart::Literal(literal) = part {
                    joined.push_str(inner(&quote(&literal.value)));
                }
                continue;
            };
            for element in &part.elements {
                match element {
                    InterpolatedStringElement::Literal(literal) => {
                        joined.push_str(inner(&quote(&literal.value)));
                    }
                    InterpolatedStringElement::Interpolation(part) => {
                        if part.format_spec.is_some() || part.debug_text.is_some() {
                            return self.stuck(expression, "a format in an f-string");
                        }
                        joined.push_str(&format!("\\({})", self.value(&part.expression)?.0));
                    }
                }
            }
        }
        Ok(format!("\"{joined}\""))
    }

    /// `[f(x) for x in r["list"] if x["a"]]`
    fn comprehension(&mut self, element: &Expr, generators: &[Comprehension]) -> Result<String, Stuck> {
        let known = self.names.len();
        let each = self.each(generators)?;
        let (element, _) = self.value(element)?;
        self.names.truncate(known);
        Ok(format!("[{each}{element}{}]", ends(generators)))
    }

    /// The beginning of a program that goes through the items, with their names set.
    fn each(&mut self, generators: &[Comprehension]) -> Result<String, Stuck> {
        let mut each = String::new();
        for generator in generators {
            each.push_str(&self.items(&generator.target, &generator.iter)?);
            let mut tests = Vec::new();
            for test in &generator.ifs {
                tests.push(self.truth(test)?);
            }
            if !tests.is_empty() {
                each.push_str(&format!("if {} then ", tests.join(" and ")));
            }
        }
        Ok(each)
    }

    /// `for x in r["list"]`, `for k, v in r.items()`: `.list[] as $x | `.
    pub(super) fn items(&mut self, target: &Expr, iter: &Expr) -> Result<String, Stuck> {
        if let Expr::Tuple(pair) = target {
            let [Expr::Name(key), Expr::Name(value)] = pair.elts.as_slice() else {
                return self.stuck(target, "these names");
            };
            let method = iter.as_call_expr().and_then(|call| call.func.as_attribute_expr());
            let Some(method) = method.filter(|method| method.attr.id.as_str() == "items") else {
                return self.stuck(iter, "two names for each item");
            };
            let (of, _) = self.value(&method.value)?;
            let (key, value) = (key.id.to_string(), value.id.to_string());
            let each = format!("({of} | to_entries[]) as {{key: ${key}, value: ${value}}} | ");
            self.names.extend([key, value].map(|name| (name.clone(), format!("${name}"))));
            return Ok(each);
        }
        let Expr::Name(name) = target else { return self.stuck(target, "this target") };
        let (list, _) = self.value(iter)?;
        let name = name.id.to_string();
        let each = format!("{list}[] as ${name} | ");
        self.names.push((name.clone(), format!("${name}")));
        Ok(each)
    }
}

/// The ends of the conditions of a comprehension.
fn ends(generators: &[Comprehension]) -> String {
    generators.iter().filter(|generator| !generator.ifs.is_empty()).map(|_| " else empty end").collect()
}

/// What stands between the quotes.
fn inner(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted)
}

/// A program without parentheses around all of it.
pub(super) fn bare(program: &str) -> &str {
    let Some(inner) = program.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return program;
    };
    // Of a text with a program inside of it nobody can say so simply where it ends.
    if inner.contains("\\(") {
        return program;
    }
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    for letter in inner.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return program;
        }
    }
    inner
}

/// A field of a value.
pub(super) fn field(of: &str, key: &str) -> String {
    let plain = key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let key = if plain { key.to_owned() } else { quote(key) };
    if of == "." { format!(".{key}") } else { format!("{of}.{key}") }
}

/// A constant as JSON; none where it holds a secret.
fn written(node: &Node) -> Option<String> {
    Some(match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => quote(text),
        Value::Secret(_) => return None,
        Value::List(items) => {
            format!("[{}]", items.iter().map(written).collect::<Option<Vec<_>>>()?.join(", "))
        }
        Value::Map(map) => {
            let entry = |entry: &crate::config::node::Entry| {
                Some(format!("{}: {}", quote(&entry.key), written(&entry.value)?))
            };
            format!("{{{}}}", map.entries.iter().map(entry).collect::<Option<Vec<_>>>()?.join(", "))
        }
    })
}
