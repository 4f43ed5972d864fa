//! Which names a Python file binds, where, and to what.

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, ExprCall, Parameters, Stmt, StmtExpr, StmtFor, StmtFunctionDef, StmtIf};

/// The names of a module and of its functions and classes.
pub(super) struct Program<'a> {
    /// Scope 0 is the module.
    scopes: Vec<Scope<'a>>,
    /// Calls that make a REST API source, with their scopes, in file order.
    pub(super) source_calls: Vec<(usize, &'a ExprCall)>,
}

#[derive(Default)]
struct Scope<'a> {
    parent: Option<usize>,
    bindings: Vec<Binding<'a>>,
    changes: Vec<Change<'a>>,
}

/// A name that gets a meaning.
pub(super) struct Binding<'a> {
    pub(super) name: &'a str,
    /// From which byte of the file on the name has this meaning (in its scope).
    pub(super) from: usize,
    pub(super) meaning: Meaning<'a>,
}

/// What a name stands for.
pub(super) enum Meaning<'a> {
    /// An assigned value.
    Value { value: &'a Expr, annotation: Option<&'a Expr> },
    /// A parameter of a function.
    Parameter { default: Option<&'a Expr> },
    /// A function of this file, and the scope of its body.
    Function { function: &'a StmtFunctionDef, inner: usize },
    /// Something that cannot be known without running the file, and why.
    Unknown(&'static str),
}

/// A value that is changed after it was assigned: `config["client"]["auth"] = ...`.
pub(super) struct Change<'a> {
    pub(super) name: &'a str,
    pub(super) at: usize,
    /// The keys from the name to the changed part, outermost first.
    pub(super) keys: Vec<&'a Expr>,
    pub(super) kind: ChangeKind<'a>,
}

/// How a value is changed.
pub(super) enum ChangeKind<'a> {
    /// `x[key] = value`
    Set(&'a Expr),
    /// `x.append(value)`
    Append(&'a Expr),
    /// `x.extend(value)`, `x += value`
    Extend(&'a Expr),
    /// `x.update(value)`
    Update(&'a Expr),
    /// `for n in names: x.append(value)`
    Loop(&'a StmtFor),
    /// Anything else.
    Unknown,
}

/// A binding that a lookup found.
pub(super) struct Found<'p, 'a> {
    pub(super) binding: &'p Binding<'a>,
    pub(super) scope: usize,
    /// The changes that the name has seen, in order.
    pub(super) changes: Vec<&'p Change<'a>>,
}

impl Binding<'_> {
    pub(super) fn is_value(&self) -> bool {
        matches!(self.meaning, Meaning::Value { .. })
    }

    pub(super) fn is_annotated(&self, class: &str) -> bool {
        let Meaning::Value { annotation: Some(annotation), .. } = self.meaning else { return false };
        dotted(annotation).is_some_and(|name| name.rsplit('.').next() == Some(class))
    }
}

impl<'a> Program<'a> {
    pub(super) fn of(body: &'a [Stmt]) -> Self {
        let mut program = Self { scopes: vec![Scope::default()], source_calls: Vec::new() };
        program.statements(body, 0, None);
        program
    }

    /// The first binding that fits, over all scopes in file order.
    pub(super) fn find(&self, fits: impl Fn(&Binding<'a>) -> bool) -> Option<(usize, &'a str)> {
        self.scopes.iter().enumerate().find_map(|(scope, content)| {
            content.bindings.iter().find(|binding| fits(binding)).map(|binding| (scope, binding.name))
        })
    }

    /// What a name of a scope means at its end.
    pub(super) fn last_binding(&self, name: &str, scope: usize) -> Option<Found<'_, 'a>> {
        self.in_scope(name, scope, usize::MAX)
    }

    /// What a name means where it stands: its last binding before it in its own scope, else the last one
    /// of an enclosing scope (a function runs after the module around it).
    pub(super) fn lookup(&self, name: &str, scope: usize, at: usize) -> Option<Found<'_, 'a>> {
        if let Some(found) = self.in_scope(name, scope, at) {
            return Some(found);
        }
        let mut parent = self.scopes.get(scope)?.parent;
        while let Some(scope) = parent {
            if let Some(found) = self.in_scope(name, scope, usize::MAX) {
                return Some(found);
            }
            parent = self.scopes.get(scope)?.parent;
        }
        None
    }

    /// The names that are known in a scope, for suggestions.
    pub(super) fn names(&self, scope: usize) -> impl Iterator<Item = &'a str> {
        let own = self.scopes.get(scope).into_iter().chain(self.scopes.first());
        own.flat_map(|scope| scope.bindings.iter().map(|binding| binding.name))
    }

    fn in_scope(&self, name: &str, scope: usize, at: usize) -> Option<Found<'_, 'a>> {
        let content = self.scopes.get(scope)?;
        let binding =
            content.bindings.iter().rev().find(|binding| binding.name == name && binding.from <= at)?;
        let seen = |change: &&Change<'a>| change.name == name && change.at >= binding.from && change.at < at;
        Some(Found { binding, scope, changes: content.changes.iter().filter(seen).collect() })
    }

    /// `doubt` says why what is assigned here may not happen.
    fn statements(&mut self, body: &'a [Stmt], scope: usize, doubt: Option<&'static str>) {
        for statement in body {
            self.statement(statement, scope, doubt);
        }
    }

    fn statement(&mut self, statement: &'a Stmt, scope: usize, doubt: Option<&'static str>) {
        match statement {
            Stmt::Assign(assign) => {
                self.expression(&assign.value, scope);
                for target in &assign.targets {
                    self.assign(target, &assign.value, None, assign.range.end().to_usize(), scope, doubt);
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.expression(value, scope);
                    let from = assign.range.end().to_usize();
                    self.assign(&assign.target, value, Some(&assign.annotation), from, scope, doubt);
                }
            }
            Stmt::AugAssign(assign) => {
                let kind = if assign.op == ruff_python_ast::Operator::Add {
                    ChangeKind::Extend(&assign.value)
                } else {
                    ChangeKind::Unknown
                };
                self.change(&assign.target, kind, assign.range.start().to_usize(), scope, doubt);
            }
            Stmt::Expr(expression) => self.expression_statement(expression, scope, doubt),
            Stmt::Return(result) => {
                if let Some(value) = &result.value {
                    self.expression(value, scope);
                }
            }
            Stmt::FunctionDef(function) => {
                let inner = self.open(scope);
                let meaning = match doubt {
                    Some(doubt) => Meaning::Unknown(doubt),
                    None => Meaning::Function { function, inner },
                };
                self.bind(&function.name.id, function.range.start().to_usize(), meaning, scope);
                self.parameters(&function.parameters, inner);
                self.statements(&function.body, inner, None);
            }
            Stmt::ClassDef(class) => {
                self.bind(
                    &class.name.id,
                    class.range.start().to_usize(),
                    Meaning::Unknown("is a class"),
                    scope,
                );
                let inner = self.open(scope);
                self.statements(&class.body, inner, None);
            }
            Stmt::If(condition) => self.condition(condition, scope, doubt),
            Stmt::For(looped) => {
                self.expression(&looped.iter, scope);
                self.unknown(&looped.target, looped.range.start().to_usize(), "is set by a loop", scope);
                if let (Some(name), None) = (appended(looped), doubt) {
                    let at = looped.range.start().to_usize();
                    self.note_change(
                        Change { name, at, keys: Vec::new(), kind: ChangeKind::Loop(looped) },
                        scope,
                    );
                    for statement in &looped.body {
                        match statement {
                            Stmt::Expr(expression) => self.expression(&expression.value, scope),
                            other => self.statement(other, scope, Some("is set in a loop")),
                        }
                    }
                    return;
                }
                self.statements(&looped.body, scope, Some("is set in a loop"));
                self.statements(&looped.orelse, scope, doubt);
            }
            Stmt::While(looped) => self.statements(&looped.body, scope, Some("is set in a loop")),
            Stmt::With(with) => {
                for item in &with.items {
                    self.expression(&item.context_expr, scope);
                    if let Some(target) = &item.optional_vars {
                        self.unknown(target, with.range.start().to_usize(), "is set by `with`", scope);
                    }
                }
                self.statements(&with.body, scope, doubt);
            }
            Stmt::Try(attempt) => {
                self.statements(&attempt.body, scope, doubt);
                for ruff_python_ast::ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                    self.statements(&handler.body, scope, Some("is set when something fails"));
                }
                self.statements(&attempt.orelse, scope, doubt);
                self.statements(&attempt.finalbody, scope, doubt);
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.import(alias, scope);
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    self.import(alias, scope);
                }
            }
            _ => {}
        }
    }

    fn import(&mut self, alias: &'a ruff_python_ast::Alias, scope: usize) {
        let name = alias.asname.as_ref().unwrap_or(&alias.name);
        let from = alias.range.end().to_usize();
        self.bind(
            &name.id,
            from,
            Meaning::Unknown("is imported from another file, which is not read"),
            scope,
        );
    }

    fn condition(&mut self, condition: &'a StmtIf, scope: usize, doubt: Option<&'static str>) {
        let certain = is_main_guard(&condition.test);
        let inner = if certain { doubt } else { Some("is set under a condition") };
        self.statements(&condition.body, scope, inner);
        for clause in &condition.elif_else_clauses {
            self.statements(&clause.body, scope, Some("is set under a condition"));
        }
    }

    fn open(&mut self, parent: usize) -> usize {
        self.scopes.push(Scope { parent: Some(parent), ..Scope::default() });
        self.scopes.len() - 1
    }

    fn bind(&mut self, name: &'a str, from: usize, meaning: Meaning<'a>, scope: usize) {
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.bindings.push(Binding { name, from, meaning });
        }
    }

    fn parameters(&mut self, parameters: &'a Parameters, scope: usize) {
        for parameter in parameters.iter_non_variadic_params() {
            let from = parameter.range.end().to_usize();
            let default = parameter.default.as_deref();
            self.bind(&parameter.parameter.name.id, from, Meaning::Parameter { default }, scope);
        }
        for parameter in [&parameters.vararg, &parameters.kwarg].into_iter().flatten() {
            let from = parameter.range.end().to_usize();
            self.bind(&parameter.name.id, from, Meaning::Parameter { default: None }, scope);
        }
    }

    fn assign(
        &mut self,
        target: &'a Expr,
        value: &'a Expr,
        annotation: Option<&'a Expr>,
        from: usize,
        scope: usize,
        doubt: Option<&'static str>,
    ) {
        match (target, value) {
            (Expr::Name(name), _) => {
                let meaning = match doubt {
                    Some(doubt) => Meaning::Unknown(doubt),
                    None => Meaning::Value { value, annotation },
                };
                self.bind(&name.id, from, meaning, scope);
            }
            (Expr::Tuple(targets), Expr::Tuple(values)) if targets.elts.len() == values.elts.len() => {
                for (target, value) in targets.elts.iter().zip(&values.elts) {
                    self.assign(target, value, None, from, scope, doubt);
                }
            }
            (Expr::Subscript(_), _) => self.change(target, ChangeKind::Set(value), from, scope, doubt),
            _ => self.unknown(target, from, "is unpacked from another value", scope),
        }
    }

    /// Every name in a target becomes unknown.
    fn unknown(&mut self, target: &'a Expr, from: usize, why: &'static str, scope: usize) {
        match target {
            Expr::Name(name) => self.bind(&name.id, from, Meaning::Unknown(why), scope),
            Expr::Tuple(targets) => {
                targets.elts.iter().for_each(|target| self.unknown(target, from, why, scope));
            }
            Expr::List(targets) => {
                targets.elts.iter().for_each(|target| self.unknown(target, from, why, scope));
            }
            Expr::Starred(starred) => self.unknown(&starred.value, from, why, scope),
            _ => {}
        }
    }

    fn expression_statement(&mut self, statement: &'a StmtExpr, scope: usize, doubt: Option<&'static str>) {
        self.expression(&statement.value, scope);
        let Expr::Call(call) = &*statement.value else { return };
        let Expr::Attribute(method) = &*call.func else { return };
        let only = if call.arguments.keywords.is_empty() { call.arguments.args.first() } else { None };
        let kind = match (method.attr.id.as_str(), only) {
            ("append", Some(value)) => ChangeKind::Append(value),
            ("extend", Some(value)) => ChangeKind::Extend(value),
            ("update", Some(value)) => ChangeKind::Update(value),
            (
                "append" | "extend" | "update" | "insert" | "pop" | "remove" | "clear" | "setdefault"
                | "sort",
                _,
            ) => ChangeKind::Unknown,
            _ => return,
        };
        self.change(&method.value, kind, call.range_start.to_usize(), scope, doubt);
    }

    fn change(
        &mut self,
        target: &'a Expr,
        kind: ChangeKind<'a>,
        at: usize,
        scope: usize,
        doubt: Option<&'static str>,
    ) {
        let mut keys = Vec::new();
        let mut base = target;
        while let Expr::Subscript(subscript) = base {
            keys.push(&*subscript.slice);
            base = &subscript.value;
        }
        keys.reverse();
        let Expr::Name(name) = base else { return };
        let kind = if doubt.is_some() { ChangeKind::Unknown } else { kind };
        self.note_change(Change { name: &name.id, at, keys, kind }, scope);
    }

    fn note_change(&mut self, change: Change<'a>, scope: usize) {
        if let Some(scope) = self.scopes.get_mut(scope) {
            scope.changes.push(change);
        }
    }

    fn expression(&mut self, expression: &'a Expr, scope: usize) {
        let mut finder = SourceCalls { scope, found: &mut self.source_calls };
        finder.visit_expr(expression);
    }
}

/// The list that a loop appends to, if it does nothing else but give names to values of its own.
fn appended(looped: &StmtFor) -> Option<&str> {
    if looped.is_async || !looped.orelse.is_empty() {
        return None;
    }
    let mut list = None;
    for statement in &looped.body {
        match statement {
            Stmt::Assign(assign) if assign.targets.iter().all(Expr::is_name_expr) => {}
            Stmt::Expr(expression) => {
                let (name, _) = append_call(&expression.value)?;
                if list.is_some_and(|known| known != name) {
                    return None;
                }
                list = Some(name);
            }
            _ => return None,
        }
    }
    list
}

/// `x.append(value)`: the name and the value.
pub(super) fn append_call(expression: &Expr) -> Option<(&str, &Expr)> {
    let call = expression.as_call_expr()?;
    let method = call.func.as_attribute_expr()?;
    let name = method.value.as_name_expr()?;
    let only = call.arguments.args.first().filter(|_| call.arguments.args.len() == 1)?;
    (method.attr.id.as_str() == "append" && call.arguments.keywords.is_empty())
        .then_some((name.id.as_str(), only))
}

struct SourceCalls<'a, 'out> {
    scope: usize,
    found: &'out mut Vec<(usize, &'a ExprCall)>,
}

impl<'a> Visitor<'a> for SourceCalls<'a, '_> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Call(call) = expression {
            let name = dotted(&call.func).unwrap_or_default();
            let name = name.rsplit('.').next().unwrap_or_default();
            let takes_config = !call.arguments.args.is_empty() || !call.arguments.keywords.is_empty();
            if matches!(name, "rest_api_source" | "rest_api_resources" | "rest_api") && takes_config {
                self.found.push((self.scope, call));
            }
        }
        walk_expr(self, expression);
    }
}

/// `a.b.c` as text, if an expression is just that.
pub(super) fn dotted(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => Some(format!("{}.{}", dotted(&attribute.value)?, attribute.attr.id)),
        _ => None,
    }
}

fn is_main_guard(test: &Expr) -> bool {
    matches!(test, Expr::Compare(compare)
        if matches!(&*compare.left, Expr::Name(name) if name.id.as_str() == "__name__"))
}
