//! Functions of `processing_steps`, where they only say what jq can say too: the step is then a program.
//!
//! A function's statements become a pipe: the record is `.`, what it is assigned is `.key = value`, other names are
//! variables. In jq a field that is not there is null, where Python ends the run.

use ruff_python_ast::visitor::{Visitor, walk_stmt};
use ruff_python_ast::{ElifElseClause, Expr, ExprCall, Parameters, Stmt, StmtFor, StmtFunctionDef};

use crate::config::node::{Node, Place};
use crate::json::quote;

use super::advice::advice;
use super::eval::Evaluator;
use super::jq::{Reading, Stuck, bare};
use super::scope::Meaning;

/// What a step does with what its function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Filter,
    Map,
    Explode,
}

/// The step at a key path, if it is one.
fn step_at(path: &str) -> Option<Step> {
    let (before, key) = path.rsplit_once('.')?;
    let (steps, _) = before.strip_suffix(']')?.rsplit_once('[')?;
    if steps.rsplit('.').next() != Some("processing_steps") {
        return None;
    }
    match key {
        "filter" => Some(Step::Filter),
        "map" => Some(Step::Map),
        "yield_map" => Some(Step::Explode),
        _ => None,
    }
}

impl Evaluator<'_, '_> {
    /// The program of a step that is written as a lambda or a function of this file; `None` where it is neither.
    pub(super) fn step(
        &mut self,
        expression: &Expr,
        place: Place,
        scope: usize,
        path: &str,
    ) -> Option<Option<Node>> {
        let step = step_at(path)?;
        let (name, program) = match expression {
            Expr::Lambda(lambda) => {
                let parameter = only(lambda.parameters.as_deref()?)?;
                let mut reading = Reading::new(self, parameter, scope, path);
                ("the lambda".to_owned(), reading.given(&lambda.body, step))
            }
            Expr::Name(name) => {
                let found = self.program.lookup(&name.id, scope, name.range.start().to_usize())?;
                let Meaning::Function { function, inner } = found.binding.meaning else { return None };
                let parameter = plain(function)?;
                let mut reading = Reading::new(self, parameter, inner, path);
                (format!("`{}`", name.id), reading.function(function, step))
            }
            _ => return None,
        };
        Some(match program {
            Ok(program) => {
                let program = bare(&program);
                self.diagnostics.note(path, place, format!("{name} is read as the jq program {program}"));
                Some(Node::text(program, place))
            }
            Err(Stuck::Said) => None,
            Err(Stuck::At(at, what)) => {
                let message = format!("{name} cannot be read as a step: {what} would have to be executed");
                self.problem(path, at, message, advice(path).unwrap_or_default())
            }
        })
    }
}

/// The parameter of a function that has one.
fn only(parameters: &Parameters) -> Option<&str> {
    let mut all = parameters.iter_non_variadic_params();
    let first = all.next()?.parameter.name.id.as_str();
    all.next().is_none().then_some(first)
}

/// The parameter of a function without decorators that is called as it stands.
fn plain(function: &StmtFunctionDef) -> Option<&str> {
    if function.is_async || !function.decorator_list.is_empty() { None } else { only(&function.parameters) }
}

/// What a block does beside changing its record.
#[derive(Default)]
struct Does {
    returns: bool,
    yields: bool,
}

impl<'a> Visitor<'a> for Does {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        self.returns |= matches!(statement, Stmt::Return(_));
        if let Stmt::Expr(given) = statement {
            self.yields |= matches!(&*given.value, Expr::Yield(_) | Expr::YieldFrom(_));
        }
        walk_stmt(self, statement);
    }
}

fn does(statements: &[Stmt]) -> Does {
    let mut does = Does::default();
    for statement in statements {
        does.visit_stmt(statement);
    }
    does
}

fn is_said(statement: &Stmt) -> bool {
    match statement {
        Stmt::Pass(_) => true,
        Stmt::Expr(text) => text.value.is_string_literal_expr(),
        _ => false,
    }
}

/// One program after the other.
fn then(first: String, rest: String) -> String {
    if rest == "." { first } else { format!("{first} | {rest}") }
}

impl<'e, 'a, 'out> Reading<'e, 'a, 'out> {
    fn new(evaluator: &'e mut Evaluator<'a, 'out>, parameter: &str, scope: usize, path: &'e str) -> Self {
        let names = vec![(parameter.to_owned(), ".".to_owned())];
        Self { evaluator, scope, path, names, steps: 0, spent: 0 }
    }

    /// What is returned.
    fn given(&mut self, expression: &Expr, step: Step) -> Result<String, Stuck> {
        match step {
            Step::Filter => self.truth(expression),
            Step::Map | Step::Explode => Ok(self.value(expression)?.0),
        }
    }

    /// All of a function.
    fn function(&mut self, function: &StmtFunctionDef, step: Step) -> Result<String, Stuck> {
        let does = does(&function.body);
        if does.returns || does.yields {
            return self.block(&function.body, step);
        }
        let place = self.evaluator.place(function.range.start().to_usize());
        Err(Stuck::At(place, "a function that gives nothing".to_owned()))
    }

    /// The statements of a function, or what is left of them.
    fn block(&mut self, statements: &[Stmt], step: Step) -> Result<String, Stuck> {
        let Some((statement, rest)) = statements.split_first() else {
            return Ok(if step == Step::Filter { "false" } else { "empty" }.to_owned());
        };
        match statement {
            _ if is_said(statement) => self.block(rest, step),
            Stmt::Return(returned) => match returned.value.as_deref() {
                None | Some(Expr::NoneLiteral(_)) => self.block(&[], step),
                Some(value) => self.given(value, step),
            },
            Stmt::If(choice) => {
                let does = does(std::slice::from_ref(statement));
                if !does.returns && !does.yields {
                    let change = self.choice(&choice.test, &choice.body, &choice.elif_else_clauses)?;
                    return Ok(then(change, self.block(rest, step)?));
                }
                self.ways(&choice.test, &choice.body, &choice.elif_else_clauses, rest, step)
            }
            Stmt::For(looped) if step == Step::Explode && looped.orelse.is_empty() => {
                let known = self.names.len();
                let each = self.items(&looped.target, &looped.iter)?;
                let body = self.block(&looped.body, step)?;
                self.names.truncate(known);
                self.also(format!("({each}{body})"), rest, step)
            }
            Stmt::Expr(given) if step == Step::Explode && does(std::slice::from_ref(statement)).yields => {
                let given = match &*given.value {
                    Expr::Yield(given) => match given.value.as_deref() {
                        Some(value) => self.value(value)?.0,
                        None => "empty".to_owned(),
                    },
                    Expr::YieldFrom(given) => format!("{}[]", self.value(&given.value)?.0),
                    other => return self.stuck(other, "this"),
                };
                self.also(given, rest, step)
            }
            other => {
                let change = self.change(other, false)?;
                Ok(then(change, self.block(rest, step)?))
            }
        }
    }

    /// One record, and those of the statements after it.
    fn also(&mut self, given: String, rest: &[Stmt], step: Step) -> Result<String, Stuck> {
        let rest = self.block(rest, step)?;
        Ok(if rest == "empty" { given } else { format!("({given}, ({rest}))") })
    }

    /// `if` with a `return` somewhere inside: each way goes to the end of the function.
    fn ways(
        &mut self,
        test: &Expr,
        body: &[Stmt],
        clauses: &[ElifElseClause],
        rest: &[Stmt],
        step: Step,
    ) -> Result<String, Stuck> {
        let test = self.truth(test)?;
        let known = self.names.len();
        let way = |reading: &mut Self, body: &[Stmt]| {
            let whole: Vec<Stmt> = body.iter().chain(rest).cloned().collect();
            let way = reading.block(&whole, step);
            reading.names.truncate(known);
            way
        };
        let taken = way(self, body)?;
        let other = match clauses.split_first() {
            None => way(self, &[])?,
            Some((clause, more)) => match &clause.test {
                Some(test) => self.ways(test, &clause.body, more, rest, step)?,
                None => way(self, &clause.body)?,
            },
        };
        Ok(format!("(if {test} then {taken} else {other} end)"))
    }

    /// `if` that only changes the record.
    fn choice(&mut self, test: &Expr, body: &[Stmt], clauses: &[ElifElseClause]) -> Result<String, Stuck> {
        let test = self.truth(test)?;
        let taken = self.changes(body)?;
        let other = match clauses.split_first() {
            None => ".".to_owned(),
            Some((clause, more)) => match &clause.test {
                Some(test) => self.choice(test, &clause.body, more)?,
                None => self.changes(&clause.body)?,
            },
        };
        Ok(format!("(if {test} then {taken} else {other} end)"))
    }

    fn changes(&mut self, statements: &[Stmt]) -> Result<String, Stuck> {
        let mut changes = Vec::new();
        for statement in statements.iter().filter(|statement| !is_said(statement)) {
            changes.push(match statement {
                Stmt::If(choice) => self.choice(&choice.test, &choice.body, &choice.elif_else_clauses)?,
                other => self.change(other, true)?,
            });
        }
        Ok(if changes.is_empty() { ".".to_owned() } else { changes.join(" | ") })
    }

    /// A statement that changes the record, or gives something a name. `inside`: of an `if`, where no name may change.
    fn change(&mut self, statement: &Stmt, inside: bool) -> Result<String, Stuck> {
        match statement {
            Stmt::Assign(assign) => match assign.targets.as_slice() {
                [target] => self.assigned(target, &assign.value, inside),
                _ => self.stuck(&assign.value, "an assignment to several names"),
            },
            Stmt::AnnAssign(assign) => match &assign.value {
                Some(value) => self.assigned(&assign.target, value, inside),
                None => Ok(".".to_owned()),
            },
            Stmt::Delete(delete) => {
                let mut gone = Vec::new();
                for target in &delete.targets {
                    if !target.is_subscript_expr() || !self.is_record(target) {
                        return self.stuck(target, "`del` of this");
                    }
                    gone.push(self.value(target)?.0);
                }
                Ok(format!("del({})", gone.join(", ")))
            }
            Stmt::Expr(call) => match &*call.value {
                Expr::Call(call) => self.called(call, inside),
                other => self.stuck(other, "this statement"),
            },
            Stmt::For(looped) => self.popped(looped),
            Stmt::AugAssign(assign) => self.stuck(&assign.value, "an assignment with an operator"),
            _ => Err(Stuck::At(self.evaluator.place(start(statement)), "this statement".to_owned())),
        }
    }

    /// `x = value`, `record["key"] = value`
    fn assigned(&mut self, target: &Expr, value: &Expr, inside: bool) -> Result<String, Stuck> {
        let (value, _) = self.value(value)?;
        if let Expr::Name(name) = target {
            let name = name.id.as_str();
            let known = self.names.iter().rev().find(|(own, _)| own == name);
            if known.is_some_and(|(_, jq)| jq == ".") {
                return Ok(value);
            }
            if inside || !name.is_ascii() {
                return self.stuck(target, format!("`{name}`, which is assigned here,"));
            }
            self.names.push((name.to_owned(), format!("${name}")));
            return Ok(format!("{value} as ${name}"));
        }
        let Expr::Subscript(part) = target else { return self.stuck(target, "an assignment to this") };
        if self.is_record(target) {
            return Ok(format!("{} = {value}", self.value(target)?.0));
        }
        match &*part.value {
            Expr::Name(name) if !inside && self.mentions(&part.value) => {
                let key = self.key(&part.slice)?;
                Ok(format!("(${0} + {{{1}: {value}}}) as ${0}", name.id, quote(&key)))
            }
            _ => self.stuck(target, "an assignment to this"),
        }
    }

    /// `record.pop("key")`, `record.update({...})`, `record.setdefault("key", value)`
    fn called(&mut self, call: &ExprCall, inside: bool) -> Result<String, Stuck> {
        let Expr::Attribute(method) = &*call.func else { return self.stuck(&call.func, "this call") };
        let Expr::Name(name) = &*method.value else { return self.stuck(&method.value, "a change of this") };
        let of_record = self.is_record(&method.value);
        if !self.mentions(&method.value) || (inside && !of_record) {
            return self.stuck(&method.value, "a change of this");
        }
        let jq = match (method.attr.id.as_str(), &*call.arguments.args) {
            ("pop", [key] | [key, _]) => format!("del(.[{}])", quote(&self.key(key)?)),
            ("update", [other]) if of_record => format!(". + {}", self.value(other)?.0),
            ("setdefault", [key, value]) if of_record => {
                let key = quote(&self.key(key)?);
                let (value, _) = self.value(value)?;
                format!("(if has({key}) then . else .[{key}] = {value} end)")
            }
            (method, _) => return self.stuck(&call.func, format!("`.{method}(...)`")),
        };
        Ok(if of_record { jq } else { format!("(${0} | {jq}) as ${0}", name.id) })
    }

    /// `for key in KEYS: record.pop(key)`
    fn popped(&mut self, looped: &StmtFor) -> Result<String, Stuck> {
        let loops = "a loop that does more than to pop keys";
        let (Expr::Name(key), [Stmt::Expr(call)]) = (&*looped.target, looped.body.as_slice()) else {
            return self.stuck(&looped.iter, loops);
        };
        let is_key = |argument: &Expr| argument.as_name_expr().is_some_and(|name| name.id == key.id);
        let pops = call.value.as_call_expr().is_some_and(|call| {
            let method = call.func.as_attribute_expr();
            let of_record = method
                .is_some_and(|method| method.attr.id.as_str() == "pop" && self.is_record(&method.value));
            of_record && call.arguments.args.first().is_some_and(is_key)
        });
        if !pops || self.mentions(&looped.iter) {
            return self.stuck(&looped.iter, loops);
        }
        let mut keys = Vec::new();
        for key in self.constant(&looped.iter)?.as_list().unwrap_or_default() {
            match key.as_text() {
                Some(key) => keys.push(format!(".[{}]", quote(key))),
                None => return self.stuck(&looped.iter, "a key that is no text"),
            }
        }
        Ok(if keys.is_empty() { ".".to_owned() } else { format!("del({})", keys.join(", ")) })
    }

    /// Whether an expression is the record, or a part of it by its keys.
    fn is_record(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Name(name) => {
                let known = self.names.iter().rev().find(|(own, _)| own == name.id.as_str());
                known.is_some_and(|(_, jq)| jq == ".")
            }
            Expr::Subscript(part) => self.is_record(&part.value),
            _ => false,
        }
    }
}

/// Where a statement that is none of those that are read begins.
fn start(statement: &Stmt) -> usize {
    match statement {
        Stmt::While(looped) => looped.range.start().to_usize(),
        Stmt::Try(tried) => tried.range.start().to_usize(),
        Stmt::With(with) => with.range.start().to_usize(),
        Stmt::Raise(raise) => raise.range.start().to_usize(),
        Stmt::FunctionDef(function) => function.range.start().to_usize(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::diagnostics::Diagnostics;
    use crate::config::node::Node;

    /// The program of a step, or what is said instead.
    fn program(functions: &str, key: &str, step: &str) -> String {
        let text = format!("{functions}\nconfig = {{'processing_steps': [{{'{key}': {step}}}]}}");
        let mut diagnostics = Diagnostics::new();
        let node = super::super::parse(&text, false, &mut diagnostics);
        let step = node.as_ref().and_then(|node| node.as_map()?.get("processing_steps")?.as_list()?.first());
        let program =
            step.and_then(|step| step.as_map()?.get(key)).and_then(Node::as_text).map(str::to_owned);
        let said = |problem: &crate::config::diagnostics::Diagnostic| problem.message.clone();
        match program {
            Some(program) => {
                let notes: Vec<_> = diagnostics.notes().map(said).collect();
                assert!(notes.iter().any(|note| note.ends_with(&program)), "{notes:?}");
                program
            }
            None => diagnostics.iter().map(said).collect::<Vec<_>>().join("; "),
        }
    }

    #[test]
    fn lambdas_become_filters() {
        for (lambda, jq) in [
            ("lambda x: x['locale'] != 'en-US'", r#".locale != "en-US""#),
            ("lambda x: x['hotelId'] is not None", ".hotelId != null"),
            ("lambda x: x['id'] % 2 != 0", "(((.id | number) % 2 + 2) % 2) != 0"),
            ("lambda x: float(x['order_total']) > 500.0", "(.order_total | tonumber) > 500.0"),
            ("lambda x: x['id'] in (1, 2)", ".id | among([1, 2])"),
            ("lambda x: x['reaction']['id'] != 0", ".reaction.id != 0"),
            (
                "lambda r: r['a'] < 'm' or 'x' in r['tags']",
                r#"((.a | text) < "m") or ("x" as $item | .tags | holds($item))"#,
            ),
            ("lambda r: 0 < r['n'] <= LIMIT", "0 < (.n | number) and (.n | number) <= 10"),
            ("lambda r: r['name'] not in SKIP", r#"(.name | among(["a", "b"])) | not"#),
            ("lambda r: r['state'].upper().startswith('A')", r#"(.state | upper) | startswith("A")"#),
        ] {
            assert_eq!(program("LIMIT = 10\nSKIP = ['a', 'b']", "filter", lambda), jq, "{lambda}");
        }
    }

    #[test]
    fn functions_become_maps() {
        for (body, jq) in [
            ("record['email'] = record['email'].lower()\n    return record", ".email = (.email | lower)"),
            ("record['email'] = 'REDACTED'\n    return record", r#".email = "REDACTED""#),
            (
                "\"\"\"Adds an id\"\"\"\n    if not record.get('workout'):\n        record['workout'] = {'id': 'k'}\n    return record",
                r#"if ((.workout | truthy) | not) then .workout = {"id": "k"} else . end"#,
            ),
            (
                "return {**record, 'area': AREA, 'n': record['a'] + 1}",
                r#". + {"area": "x", "n": ((.a | number) + 1)}"#,
            ),
            (
                "record.pop('secret', None)\n    del record['a']['b']\n    return record",
                r#"del(.["secret"]) | del(.a.b)"#,
            ),
            (
                "if record['a'] is None:\n        return None\n    return record",
                "if (.a == null) then empty else . end",
            ),
            (
                "name = record['a']\n    return {'name': name or ''}",
                r#".a as $name | {"name": ($name as $either | if ($either | truthy) then $either else "" end)}"#,
            ),
            (
                "return {k: v for k, v in record.items() if k not in ['x']}",
                r#"[(. | to_entries[]) as {key: $k, value: $v} | if (($k | among(["x"])) | not) then {key: $k, value: $v} else empty end] | from_entries"#,
            ),
            ("return {**record, 'label': f\"{record['a']}-x\"}", r#"(. + {"label": "\(.a)-x"})"#),
        ] {
            let functions = format!("AREA = 'x'\ndef change(record):\n    {body}\n");
            assert_eq!(program(&functions, "map", "change"), jq, "{body}");
        }
    }

    #[test]
    fn a_function_may_be_made_by_another_one() {
        let functions = "def exclude_columns(columns: List[str]) -> Callable:\n    def pop_columns(record):\n        \
                         for col in columns:\n            record.pop(col)\n        return record\n    return pop_columns\n\
                         KEPT = ['id', 'name']\n\
                         def keep(wanted):\n    return lambda row: {k: v for k, v in row.items() if k in wanted}\n";
        assert_eq!(program(functions, "map", "exclude_columns(['title'])"), r#"del(.["title"])"#);
        let kept = program(functions, "map", "keep(wanted=KEPT)");
        assert!(kept.contains(r#"if ($k | among(["id", "name"])) then"#), "{kept}");
    }

    #[test]
    fn generators_become_explosions() {
        let functions = "def flatten(post):\n    rest = copy.deepcopy(post)\n    rest.pop('reactions')\n    \
                         for reaction in post['reactions']:\n        yield {'reaction': reaction, **rest}\n";
        let jq = r#". as $rest | ($rest | del(.["reactions"])) as $rest | (.reactions[] as $reaction | ({"reaction": $reaction} + $rest))"#;
        assert_eq!(program(functions, "yield_map", "flatten"), jq);
        assert_eq!(program("", "yield_map", "lambda r: r['lines']"), ".lines");
        assert_eq!(
            program("", "yield_map", "lambda r: [x for x in r['lines'] if x['n']]"),
            "[.lines[] as $x | if ($x.n | truthy) then $x else empty end]"
        );
    }

    #[test]
    fn what_has_to_be_executed_is_named() {
        for (step, said) in [
            ("lambda r: requests.get(r['url'])", "`requests.get(...)` would have to be executed"),
            ("lambda r: r['a'] < r['b']", "an order of values that may be of any kind"),
            ("lambda r: f'{r[\"a\"]:>5}'", "a format in an f-string"),
            ("looped", "a loop that does more than to pop keys would have to be executed"),
            ("changed", "`out`, which is assigned here,"),
            ("lambda r, s: r", "a lambda cannot be read"),
            ("made(['x'])", "a loop that does more"),
        ] {
            let functions = "def looped(r):\n    for c in r['x']:\n        r.pop(c)\n    return r\n\
                             def changed(r):\n    if r['a']:\n        out = 1\n    return out\n\
                             def made(columns):\n    def inner(r):\n        for c in columns:\n            print(c)\n        return r\n    return inner\n";
            let found = program(functions, "map", step);
            assert!(found.contains(said), "{step}: {found}");
        }
    }

    #[test]
    fn a_program_does_not_grow_without_end() {
        let ifs: String = (0..30)
            .map(|n| format!("    if r['a']:\n        if r['b']:\n            return {n}\n"))
            .collect();
        let found = program(&format!("def f(r):\n{ifs}    return r\n"), "map", "f");
        assert!(found.contains("so much would have to be executed"), "{found}");
    }
}
