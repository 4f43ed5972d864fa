//! Expressions that are data become nodes.

use ruff_python_ast::{
    BoolOp, Expr, ExprAttribute, ExprBinOp, ExprBoolOp, ExprDict, ExprFString, ExprSubscript, ExprUnaryOp,
    FStringPart, InterpolatedStringElement, InterpolatedStringFormatSpec, Number, Operator, UnaryOp,
};

use crate::config::diagnostics::{Diagnostics, child, item};
use crate::config::node::{Map, Node, Place, Value};

use super::super::{MAX_NODES, Places};
use super::advice::advice;
use super::convert::Conversion;
use super::methods::percent;
use super::names::{merge, step};
use super::scope::{Meaning, Program, dotted};

/// How deep expressions may nest, names included.
const MAX_STEPS: usize = 100;

/// Turns expressions of one program into nodes. Every method that answers `None` has added a problem.
pub(super) struct Evaluator<'a, 'out> {
    pub(super) program: &'out Program<'a>,
    places: &'out Places<'a>,
    pub(super) diagnostics: &'out mut Diagnostics,
    steps: usize,
    nodes: usize,
    /// What names mean inside of a comprehension or function that is being read.
    pub(super) locals: Vec<Local>,
    /// How many items comprehensions have given.
    pub(super) items: usize,
    /// Lists and mappings stay without those of their items that cannot be read.
    partly: bool,
}

/// A name with a value that only holds for a while.
pub(super) struct Local {
    /// Where the name has to stand.
    pub(super) scope: usize,
    pub(super) name: String,
    /// Whether it stands before what the scope itself binds.
    pub(super) shadows: bool,
    pub(super) node: Node,
}

impl<'a, 'out> Evaluator<'a, 'out> {
    pub(super) fn new(
        program: &'out Program<'a>,
        places: &'out Places<'a>,
        partly: bool,
        diagnostics: &'out mut Diagnostics,
    ) -> Self {
        Self { program, places, diagnostics, steps: 0, nodes: 0, locals: Vec::new(), items: 0, partly }
    }

    pub(super) fn place(&self, offset: usize) -> Place {
        self.places.at(offset)
    }

    pub(super) fn place_of(&self, expression: &Expr) -> Place {
        self.place(start_of(expression))
    }

    /// Adds a problem and answers nothing.
    pub(super) fn problem<T>(&mut self, path: &str, place: Place, message: String, hint: &str) -> Option<T> {
        let diagnostic = self.diagnostics.push(path, place, message);
        if !hint.is_empty() {
            diagnostic.hint(hint);
        }
        None
    }

    /// The value of an expression that stands in a scope.
    pub(super) fn eval(&mut self, expression: &Expr, scope: usize, path: &str) -> Option<Node> {
        let place = self.place_of(expression);
        self.nodes += 1;
        if self.steps >= MAX_STEPS || self.nodes > MAX_NODES {
            // Said once: every level above would repeat it.
            if self.nodes <= MAX_NODES + 1 {
                self.nodes = MAX_NODES + 1;
                let message = "this expression is too large or too deep".to_owned();
                return self.problem(path, place, message, "");
            }
            return None;
        }
        self.steps += 1;
        let node = self.eval_inner(expression, place, scope, path);
        self.steps -= 1;
        node
    }

    fn eval_inner(&mut self, expression: &Expr, place: Place, scope: usize, path: &str) -> Option<Node> {
        if matches!(expression, Expr::Call(_) | Expr::Attribute(_) | Expr::BinOp(_))
            && let Some(value) = self.dated(expression, scope)
        {
            return Some(Node::new(value, place));
        }
        if matches!(expression, Expr::Lambda(_) | Expr::Name(_))
            && let Some(program) = self.step(expression, place, scope, path)
        {
            return program;
        }
        let value = match expression {
            Expr::StringLiteral(text) => Value::Text(text.value.to_str().to_owned()),
            Expr::NoneLiteral(_) => Value::Null,
            Expr::BooleanLiteral(literal) => Value::Bool(literal.value),
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(number) => match number.as_i64() {
                    Some(number) => Value::Int(number),
                    None => {
                        return self.problem(path, place, format!("{number} does not fit into 64 bits"), "");
                    }
                },
                Number::Float(number) => Value::Float(*number),
                Number::Complex { .. } => return self.refuse("a complex number", place, path),
            },
            Expr::FString(text) => Value::Text(self.f_string(text, scope, path)?),
            Expr::List(list) => self.list(&list.elts, scope, path)?,
            Expr::Tuple(tuple) => self.list(&tuple.elts, scope, path)?,
            Expr::Dict(dict) => self.dict(dict, scope, path)?,
            Expr::UnaryOp(operation) => self.unary(operation, place, scope, path)?,
            Expr::BinOp(operation) => return self.binary(operation, place, scope, path),
            Expr::Compare(comparison) => Value::Bool(self.comparison(comparison, place, scope, path)?),
            Expr::BoolOp(operation) => return self.either(operation, scope, path),
            Expr::If(choice) => {
                let test = self.eval(&choice.test, scope, path)?;
                let taken = if self.is_true(&test, path) { &choice.body } else { &choice.orelse };
                return self.eval(taken, scope, path);
            }
            Expr::Name(name) => {
                let at = name.range.start().to_usize();
                if let Some(node) = self.local(&name.id, scope, at) {
                    if self.nodes <= MAX_NODES {
                        return Some(node);
                    }
                    self.nodes = MAX_NODES + 1;
                    return self.problem(path, place, "this expression is too large".to_owned(), "");
                }
                let Some(found) = self.program.lookup(&name.id, scope, at) else {
                    let close = crate::config::diagnostics::closest(&name.id, self.program.names(scope));
                    let is_resource = path.ends_with(']')
                        && path.rsplit_once('[').is_some_and(|(list, _)| list == "resources");
                    let hint = if is_resource {
                        Some(format!("a resource's name is text: write \"{}\"", name.id))
                    } else {
                        close
                            .map(|close| format!("did you mean `{close}`?"))
                            .or_else(|| advice(path).map(str::to_owned))
                    };
                    let hint = hint.unwrap_or_else(|| {
                        "expected a literal, or a name that this file assigns one to".to_owned()
                    });
                    return self.problem(
                        path,
                        place,
                        format!("`{}` has no value in this file", name.id),
                        &hint,
                    );
                };
                return self.found(&found, place, path);
            }
            Expr::Attribute(attribute) => return self.attribute(attribute, place, path),
            Expr::Subscript(subscript) => return self.subscript(subscript, place, scope, path),
            Expr::Call(call) => return self.call(call, place, scope, path),
            Expr::ListComp(list) => {
                return self.list_comprehension(&list.elt, &list.generators, place, scope, path);
            }
            Expr::Generator(list) => {
                return self.list_comprehension(&list.elt, &list.generators, place, scope, path);
            }
            Expr::DictComp(dict) => return self.dict_comprehension(dict, place, scope, path),
            other => return self.refuse(construct(other), place, path),
        };
        Some(Node::new(value, place))
    }

    /// The value of a name that only holds here.
    fn local(&mut self, name: &str, scope: usize, at: usize) -> Option<Node> {
        let local = self.locals.iter().rev().find(|local| local.scope == scope && local.name == name)?;
        let assigned = || {
            let found = self.program.lookup(name, scope, at);
            found.is_some_and(|found| {
                found.scope == scope && !matches!(found.binding.meaning, Meaning::Parameter { .. })
            })
        };
        if !local.shadows && assigned() {
            return None;
        }
        // A value that is passed on twice by each of many functions would double with each.
        let weight = weight(&local.node);
        self.nodes = self.nodes.saturating_add(weight);
        // The value itself is then too much: the next expression says so.
        Some(if self.nodes > MAX_NODES {
            Node::new(Value::Null, local.node.place)
        } else {
            local.node.clone()
        })
    }

    /// Says that a construct is not data.
    pub(super) fn refuse<T>(&mut self, what: &str, place: Place, path: &str) -> Option<T> {
        let message = format!("{what} cannot be read, expected a literal: nothing in the file is executed");
        let hint = match what {
            _ if let Some(advice) = advice(path) => advice,
            "a lambda" => "leave it out; a function can only be given through the library",
            "a comprehension over this" => "write out its items",
            _ => "write the value itself, or ${secrets.NAME}, ${env.NAME} or ${vars.NAME} in a text",
        };
        self.problem(path, place, message, hint)
    }

    fn f_string(&mut self, text: &ExprFString, scope: usize, path: &str) -> Option<String> {
        let mut joined = String::new();
        for part in &text.value {
            let FStringPart::FString(part) = part else {
                if let FStringPart::Literal(literal) = part {
                    joined.push_str(&literal.value);
                }
                continue;
            };
            for element in &part.elements {
                match element {
                    InterpolatedStringElement::Literal(literal) => joined.push_str(&literal.value),
                    InterpolatedStringElement::Interpolation(inner) => {
                        let place = self.place(inner.range.start().to_usize());
                        let format = inner.format_spec.as_deref().map(literal_format);
                        if let Some(text) = format
                            .as_ref()
                            .is_none_or(Option::is_some)
                            .then(|| self.dated_part(&inner.expression, format.flatten(), scope))
                            .flatten()
                        {
                            joined.push_str(&text);
                            continue;
                        }
                        if inner.format_spec.is_some() || inner.debug_text.is_some() {
                            return self.refuse("a format in an f-string", place, path);
                        }
                        let node = self.eval(&inner.expression, scope, path)?;
                        let Some(text) = shown(&node) else {
                            let message =
                                format!("{} inside a text, expected text or a number", node.kind_name());
                            return self.problem(path, place, message, "");
                        };
                        joined.push_str(&text);
                    }
                }
            }
        }
        Some(joined)
    }

    /// The items of a list; all of them are looked at, so that all problems are found.
    pub(super) fn list(&mut self, items: &[Expr], scope: usize, path: &str) -> Option<Value> {
        let mut list = Vec::new();
        let mut whole = true;
        for expression in items {
            let item_path = item(path, list.len());
            let Expr::Starred(starred) = expression else {
                match self.eval(expression, scope, &item_path) {
                    Some(node) => list.push(node),
                    None => {
                        whole = false;
                        list.push(Node::gap());
                    }
                }
                continue;
            };
            let Some(node) = self.eval(&starred.value, scope, &item_path) else {
                whole = false;
                continue;
            };
            let (found, place) = (node.kind_name(), node.place);
            let Value::List(more) = node.value else {
                return self.problem(&item_path, place, format!("`*` takes a list, found {found}"), "");
            };
            list.extend(more);
        }
        (whole || self.partly).then_some(Value::List(list))
    }

    fn dict(&mut self, dict: &ExprDict, scope: usize, path: &str) -> Option<Value> {
        let mut map = Map::default();
        // Keys written out here; one that came by `**` may be overridden, these may not repeat.
        let mut own: Vec<(String, u32)> = Vec::new();
        let mut whole = true;
        for entry in &dict.items {
            let Some(key) = &entry.key else {
                whole &= self.spread(&mut map, &entry.value, scope, path).is_some();
                continue;
            };
            let Some(key_node) = self.eval(key, scope, path) else {
                whole = false;
                continue;
            };
            let Some(name) = shown(&key_node) else {
                let message = format!("{} as a key, expected text", key_node.kind_name());
                return self.problem(path, key_node.place, message, "");
            };
            let key_path = child(path, &name);
            let key_place = self.place_of(key);
            if let Some((_, line)) = own.iter().find(|(other, _)| *other == name) {
                whole = false;
                let message = format!("key `{name}` is here twice, first on line {line}");
                self.diagnostics.push(key_path.as_str(), key_place, message);
            }
            own.push((name.clone(), key_place.line));
            if matches!(name.as_str(), "convert" | "transform")
                && let Some(conversion) = self.conversion(&entry.value, scope)
            {
                let message = match &conversion {
                    Conversion::Same => format!("`{name}` changes nothing in a request and is left out"),
                    Conversion::Format(format) => format!("`{name}` is read as `format: {format}`"),
                };
                self.diagnostics.note(key_path.as_str(), key_place, message);
                if let Conversion::Format(format) = conversion {
                    map.insert("format", key_place, Node::text(format, key_place));
                }
                continue;
            }
            match self.eval(&entry.value, scope, &key_path) {
                Some(node) => {
                    map.insert(name, key_place, node);
                }
                None => whole = false,
            }
        }
        (whole || self.partly).then_some(Value::Map(map))
    }

    /// `**other`
    pub(super) fn spread(&mut self, map: &mut Map, other: &Expr, scope: usize, path: &str) -> Option<()> {
        let node = self.eval(other, scope, path)?;
        let (found, place) = (node.kind_name(), node.place);
        let Value::Map(more) = node.value else {
            return self.problem(path, place, format!("`**` takes a dict, found {found}"), "");
        };
        merge(map, more);
        Some(())
    }

    fn unary(&mut self, operation: &ExprUnaryOp, place: Place, scope: usize, path: &str) -> Option<Value> {
        let operand = self.eval(&operation.operand, scope, path)?;
        match (operation.op, operand.value) {
            (UnaryOp::USub, Value::Int(number)) => number.checked_neg().map(Value::Int),
            (UnaryOp::USub, Value::Float(number)) => Some(Value::Float(-number)),
            (UnaryOp::UAdd, value @ (Value::Int(_) | Value::Float(_))) => Some(value),
            (UnaryOp::Not, value) => {
                let node = Node::new(value, place);
                Some(Value::Bool(!self.is_true(&node, path)))
            }
            _ => self.refuse("this operation", place, path),
        }
    }

    fn binary(&mut self, operation: &ExprBinOp, place: Place, scope: usize, path: &str) -> Option<Node> {
        let left = self.eval(&operation.left, scope, path)?;
        let right = self.eval(&operation.right, scope, path)?;
        let kinds = (left.kind_name(), right.kind_name());
        let value = match (left.value, operation.op, right.value) {
            (Value::Text(left), Operator::Add, Value::Text(right)) => Some(Value::Text(left + &right)),
            (Value::List(mut left), Operator::Add, Value::List(right)) => {
                left.extend(right);
                Some(Value::List(left))
            }
            (Value::Map(mut left), Operator::BitOr, Value::Map(right)) => {
                merge(&mut left, right);
                Some(Value::Map(left))
            }
            (Value::Int(left), operator, Value::Int(right)) => arithmetic(left, operator, right),
            (Value::Text(text), Operator::Mod, value) => percent(&text, &value).map(Value::Text),
            _ => None,
        };
        let Some(value) = value else {
            let message = format!(
                "`{}` between {} and {} cannot be read without running it",
                operation.op.as_str(),
                kinds.0,
                kinds.1
            );
            let hint =
                if operation.op == Operator::Mod { "use an f-string" } else { "write the result itself" };
            return self.problem(path, place, message, hint);
        };
        Some(Node::new(value, place))
    }

    /// `a or b`, `a and b`
    fn either(&mut self, operation: &ExprBoolOp, scope: usize, path: &str) -> Option<Node> {
        let mut last = None;
        let count = operation.values.len();
        for (index, expression) in operation.values.iter().enumerate() {
            let node = self.eval(expression, scope, path)?;
            if index + 1 == count {
                return Some(node);
            }
            // os.getenv("X") or "default"
            if operation.op == BoolOp::Or
                && let Some(name) =
                    node.as_text().and_then(|text| text.strip_prefix("${env.")?.strip_suffix('}'))
                && !name.contains([':', '}'])
                && let Some(next) = operation.values.get(index + 1)
            {
                let default = self.eval(next, scope, path)?;
                let text = shown(&default).filter(|text| !default.is_null() && !text.contains('}'));
                let template =
                    text.map_or(node.value.clone(), |text| Value::Text(format!("${{env.{name}:-{text}}}")));
                return Some(Node::new(template, node.place));
            }
            if self.is_true(&node, path) == (operation.op == BoolOp::Or) {
                return Some(node);
            }
            last = Some(node);
        }
        last
    }

    /// Whether Python would take a value as true. What is only known later (a secret) is taken as given.
    pub(super) fn is_true(&mut self, node: &Node, path: &str) -> bool {
        match &node.value {
            Value::Null => false,
            Value::Bool(flag) => *flag,
            Value::Int(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Text(text) if text.contains("${") => {
                let message = format!("the condition takes {text} as given");
                self.diagnostics.note(path, node.place, message);
                true
            }
            Value::Text(text) => !text.is_empty(),
            Value::Secret(_) => true,
            Value::List(items) => !items.is_empty(),
            Value::Map(map) => !map.is_empty(),
        }
    }

    fn attribute(&mut self, attribute: &ExprAttribute, place: Place, path: &str) -> Option<Node> {
        let name = dotted(&Expr::Attribute(attribute.clone()));
        match name.as_deref() {
            Some(name @ ("dlt.secrets.value" | "dlt.config.value")) => {
                let hint = "name the value: dlt.secrets[\"NAME\"]";
                self.problem(path, place, format!("`{name}` says no name outside of a parameter"), hint)
            }
            Some(name) => {
                let message = format!("`{name}` cannot be read, expected a literal");
                let hint = advice(path).unwrap_or("write the value itself where it is used");
                self.problem(path, place, message, hint)
            }
            None => self.refuse("an attribute", place, path),
        }
    }

    fn subscript(
        &mut self,
        subscript: &ExprSubscript,
        place: Place,
        scope: usize,
        path: &str,
    ) -> Option<Node> {
        if let Some(looked_up) = self.lookup_template(subscript, scope, path) {
            return looked_up.map(|text| Node::text(text, place));
        }
        let base = self.eval(&subscript.value, scope, path)?;
        let key = self.eval(&subscript.slice, scope, path)?;
        let mut base = base;
        let name = shown(&key).unwrap_or_default();
        match step(&mut base, &key) {
            Some(node) => Some(node.clone()),
            None => self.problem(path, place, format!("there is no `{name}` in {}", base.kind_name()), ""),
        }
    }
}

/// The format after the colon of an f-string's part, if it is plain text.
fn literal_format(spec: &InterpolatedStringFormatSpec) -> Option<&str> {
    match &*spec.elements {
        [InterpolatedStringElement::Literal(literal)] => Some(&literal.value),
        _ => None,
    }
}

/// What a copy of a value costs, in nodes.
fn weight(node: &Node) -> usize {
    1 + match &node.value {
        Value::Text(text) => text.len() / 64,
        Value::List(items) => items.iter().map(weight).sum(),
        Value::Map(map) => map.entries.iter().map(|entry| weight(&entry.value)).sum(),
        _ => 0,
    }
}

/// A value as it looks inside a text.
pub(super) fn shown(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(format!("{number:?}")),
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        Value::Null => Some("None".to_owned()),
        Value::Secret(_) | Value::List(_) | Value::Map(_) => None,
    }
}

fn arithmetic(left: i64, operator: Operator, right: i64) -> Option<Value> {
    let number = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Sub => left.checked_sub(right),
        Operator::Mult => left.checked_mul(right),
        Operator::Pow => left.checked_pow(u32::try_from(right).ok()?),
        // Python rounds down; the two only agree for what is not negative.
        Operator::FloorDiv if left >= 0 && right > 0 => left.checked_div(right),
        Operator::Mod if left >= 0 && right > 0 => left.checked_rem(right),
        _ => None,
    };
    number.map(Value::Int)
}

/// Where an expression starts, as a byte of the file.
pub(super) fn start_of(expression: &Expr) -> usize {
    macro_rules! start {
        ($($variant:ident)*) => {
            match expression {
                Expr::Call(call) => call.range_start,
                $(Expr::$variant(inner) => inner.range.start(),)*
            }
        };
    }
    let start = start!(
        BoolOp Named BinOp UnaryOp Lambda If Dict Set ListComp SetComp DictComp Generator Await Yield YieldFrom
        Compare FString TString StringLiteral BytesLiteral NumberLiteral BooleanLiteral NoneLiteral EllipsisLiteral
        Attribute Subscript Starred Name List Tuple Slice IpyEscapeCommand
    );
    start.to_usize()
}

fn construct(expression: &Expr) -> &'static str {
    match expression {
        Expr::Lambda(_) => "a lambda",
        Expr::Set(_) | Expr::SetComp(_) => "a set",
        Expr::Compare(_) => "a comparison",
        Expr::Await(_) | Expr::Yield(_) | Expr::YieldFrom(_) => "`await` or `yield`",
        Expr::Named(_) => "`:=`",
        Expr::TString(_) => "a template string",
        Expr::BytesLiteral(_) => "a bytes literal",
        Expr::EllipsisLiteral(_) => "`...`",
        Expr::Starred(_) => "`*`",
        Expr::Slice(_) => "a slice",
        _ => "this expression",
    }
}
