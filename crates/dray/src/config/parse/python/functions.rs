//! Comprehensions over constants, and functions of the file that only return data: what they give is known without
//! running them.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Comprehension, Expr, ExprCall, ExprDictComp, Stmt, StmtFor, StmtFunctionDef};

use crate::config::diagnostics::{child, item};
use crate::config::node::{Map, Node, Place, Value};

use super::eval::{Evaluator, Local, shown};
use super::scope::{Meaning, append_call};

/// How many items comprehensions of a file give at the most, those inside each other multiplied.
const MAX_ITEMS: usize = 10_000;

impl Evaluator<'_, '_> {
    /// `[{"name": x} for x in NAMES if x]`
    pub(super) fn list_comprehension(
        &mut self,
        element: &Expr,
        generators: &[Comprehension],
        place: Place,
        scope: usize,
        path: &str,
    ) -> Option<Node> {
        let mut items = Vec::new();
        self.each(generators, place, scope, path, &mut |evaluator| {
            let path = item(path, items.len());
            items.push(evaluator.eval(element, scope, &path)?);
            Some(())
        })?;
        Some(Node::new(Value::List(items), place))
    }

    /// `{key: value for x in NAMES}`
    pub(super) fn dict_comprehension(
        &mut self,
        comprehension: &ExprDictComp,
        place: Place,
        scope: usize,
        path: &str,
    ) -> Option<Node> {
        let mut map = Map::default();
        let key = comprehension.key.as_deref();
        self.each(&comprehension.generators, place, scope, path, &mut |evaluator| {
            let key = evaluator.eval(key?, scope, path)?;
            let name = shown(&key)?;
            let value = evaluator.eval(&comprehension.value, scope, &child(path, &name))?;
            map.insert(name, key.place, value);
            Some(())
        })?;
        Some(Node::new(Value::Map(map), place))
    }

    /// Does something once for each item, with the names of the targets set.
    fn each(
        &mut self,
        generators: &[Comprehension],
        place: Place,
        scope: usize,
        path: &str,
        act: &mut dyn FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        let Some((generator, inner)) = generators.split_first() else {
            self.items += 1;
            if self.items > MAX_ITEMS {
                return self.problem(path, place, format!("more than {MAX_ITEMS} items"), "write a list");
            }
            return act(self);
        };
        let known = self.locals.len();
        for node in self.iterated(&generator.iter, scope, path)? {
            let mut taken = self.set_target(&generator.target, node, scope);
            if taken.is_none() {
                taken = self.problem(path, place, "these names do not fit the items".to_owned(), "");
            }
            for condition in &generator.ifs {
                let met = taken.and_then(|()| self.eval(condition, scope, path));
                match met {
                    Some(node) if self.is_true(&node, path) => {}
                    Some(_) => {
                        taken = None;
                        break;
                    }
                    None => {
                        self.locals.truncate(known);
                        return None;
                    }
                }
            }
            let done = match taken {
                Some(()) => self.each(inner, place, scope, path, act),
                None if generator.ifs.is_empty() => None,
                None => Some(()),
            };
            self.locals.truncate(known);
            done?;
        }
        Some(())
    }

    /// `for n in NAMES: resources.append({"name": n})`
    pub(super) fn appended_in_loop(
        &mut self,
        looped: &StmtFor,
        items: &mut Vec<Node>,
        scope: usize,
        path: &str,
    ) -> Option<()> {
        let known = self.locals.len();
        for node in self.iterated(&looped.iter, scope, path)? {
            let place = node.place;
            let done = match self.set_target(&looped.target, node, scope) {
                Some(()) => self.one_turn(looped, items, scope, path),
                None => self.problem(path, place, "these names do not fit the items".to_owned(), ""),
            };
            self.locals.truncate(known);
            done?;
        }
        Some(())
    }

    fn one_turn(&mut self, looped: &StmtFor, items: &mut Vec<Node>, scope: usize, path: &str) -> Option<()> {
        for statement in &looped.body {
            match statement {
                Stmt::Assign(assign) => {
                    let node = self.eval(&assign.value, scope, path)?;
                    for target in &assign.targets {
                        self.set_target(target, node.clone(), scope)?;
                    }
                }
                Stmt::Expr(expression) => {
                    let (_, value) = append_call(&expression.value)?;
                    let node = self.eval(value, scope, &item(path, items.len()))?;
                    items.push(node);
                }
                _ => {}
            }
        }
        Some(())
    }

    /// The items of a list, the keys of a dict, `d.items()`, `range(3)`, `enumerate(list)`.
    fn iterated(&mut self, iter: &Expr, scope: usize, path: &str) -> Option<Vec<Node>> {
        let place = self.place_of(iter);
        let text = |key: &str, place| Node::text(key, place);
        let pair = |left: Node, right: Node| Node::new(Value::List(vec![left, right]), place);
        if let Expr::Call(call) = iter {
            let only = call.arguments.args.first().filter(|_| call.arguments.args.len() == 1);
            match (&*call.func, only) {
                (Expr::Attribute(method), None)
                    if matches!(method.attr.id.as_str(), "items" | "keys" | "values") =>
                {
                    let node = self.eval(&method.value, scope, path)?;
                    if let Value::Map(map) = node.value {
                        let entries = map.entries.into_iter();
                        return Some(match method.attr.id.as_str() {
                            "items" => entries
                                .map(|entry| pair(text(&entry.key, entry.place), entry.value))
                                .collect(),
                            "keys" => entries.map(|entry| text(&entry.key, entry.place)).collect(),
                            _ => entries.map(|entry| entry.value).collect(),
                        });
                    }
                }
                (Expr::Name(name), Some(only)) if name.id.as_str() == "enumerate" => {
                    let items = self.iterated(only, scope, path)?;
                    let numbered = (0..)
                        .zip(items)
                        .map(|(number, node)| pair(Node::new(Value::Int(number), place), node));
                    return Some(numbered.collect());
                }
                (Expr::Name(name), Some(only)) if name.id.as_str() == "range" => {
                    if let Value::Int(end) = self.eval(only, scope, path)?.value
                        && usize::try_from(end).is_ok_and(|end| end <= MAX_ITEMS)
                    {
                        return Some((0..end).map(|number| Node::new(Value::Int(number), place)).collect());
                    }
                }
                _ => {}
            }
        }
        match self.eval(iter, scope, path)?.value {
            Value::List(items) => Some(items),
            Value::Map(map) => Some(map.entries.iter().map(|entry| text(&entry.key, entry.place)).collect()),
            _ => self.refuse("a comprehension over this", place, path),
        }
    }

    fn set_target(&mut self, target: &Expr, node: Node, scope: usize) -> Option<()> {
        match target {
            Expr::Name(name) => {
                self.locals.push(Local { scope, name: name.id.to_string(), shadows: true, node });
                Some(())
            }
            Expr::Tuple(targets) => {
                let Value::List(items) = node.value else { return None };
                if items.len() != targets.elts.len() {
                    return None;
                }
                for (target, item) in targets.elts.iter().zip(items) {
                    self.set_target(target, item, scope)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// The result of a function of this file that ends in its one `return`; `None` if a call is none of such a function.
    pub(super) fn function_call(
        &mut self,
        call: &ExprCall,
        scope: usize,
        path: &str,
    ) -> Option<Option<Node>> {
        let Expr::Name(name) = &*call.func else { return None };
        let found = self.program.lookup(&name.id, scope, name.range.start().to_usize())?;
        let Meaning::Function { function, inner } = found.binding.meaning else { return None };
        let returned = returned(function)?;
        let known = self.locals.len();
        let node = self.bind_arguments(function, call, scope, inner, path).and_then(|bound| {
            self.locals.extend(bound);
            self.eval(returned, inner, path)
        });
        self.locals.truncate(known);
        Some(node)
    }

    /// The arguments as locals of the function. Those that are not given have their defaults.
    fn bind_arguments(
        &mut self,
        function: &StmtFunctionDef,
        call: &ExprCall,
        scope: usize,
        inner: usize,
        path: &str,
    ) -> Option<Vec<Local>> {
        let names: Vec<&str> = function
            .parameters
            .iter_non_variadic_params()
            .map(|parameter| parameter.parameter.name.id.as_str())
            .collect();
        let mut bound = Vec::new();
        let local = |name: &str, node| Local { scope: inner, name: name.to_owned(), shadows: false, node };
        for (index, argument) in call.arguments.args.iter().enumerate() {
            let node = self.eval(argument, scope, path)?;
            match names.get(index) {
                Some(name) => bound.push(local(name, node)),
                None => {
                    let message = format!("`{}` takes {} arguments", function.name.id, names.len());
                    return self.problem(path, node.place, message, "");
                }
            }
        }
        for keyword in &call.arguments.keywords {
            let node = self.eval(&keyword.value, scope, path)?;
            match keyword.arg.as_ref().filter(|name| names.contains(&name.id.as_str())) {
                Some(name) => bound.push(local(&name.id, node)),
                None => {
                    let message = format!("`{}` does not take this argument", function.name.id);
                    return self.problem(path, node.place, message, "");
                }
            }
        }
        Some(bound)
    }
}

/// What a plain function returns, if it has one `return`, which is its end, and gives nothing before.
pub(super) fn returned(function: &StmtFunctionDef) -> Option<&Expr> {
    if function.is_async || !function.decorator_list.is_empty() {
        return None;
    }
    let Some(Stmt::Return(last)) = function.body.last() else { return None };
    let mut ends = Ends { returns: 0, gives: false };
    for statement in &function.body {
        ends.visit_stmt(statement);
    }
    if ends.returns == 1 && !ends.gives { last.value.as_deref() } else { None }
}

/// Counts what a function gives to its caller; functions inside of it have their own.
struct Ends {
    returns: usize,
    gives: bool,
}

impl<'a> Visitor<'a> for Ends {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            Stmt::Return(_) => {
                self.returns += 1;
                walk_stmt(self, statement);
            }
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        self.gives |= matches!(expression, Expr::Yield(_) | Expr::YieldFrom(_) | Expr::Await(_));
        walk_expr(self, expression);
    }
}
