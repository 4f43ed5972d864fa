//! Calls that are data: lookups of secrets and variables, stock classes, `dict(...)`.

use ruff_python_ast::{Expr, ExprCall, ExprSubscript};

use crate::config::diagnostics::child;
use crate::config::node::{Map, Node, Place, Value};

use super::advice::advice;
use super::eval::{Evaluator, shown};
use super::scope::dotted;

/// A stock class of dlt: its name, the `type` of its dict form, and its parameters in order.
type Stock = (&'static str, &'static str, &'static [&'static str]);

const STOCK: &[Stock] = &[
    ("SinglePagePaginator", "single_page", &[]),
    ("HeaderLinkPaginator", "header_link", &["links_next_key"]),
    ("JSONLinkPaginator", "json_link", &["next_url_path"]),
    ("JSONResponsePaginator", "json_link", &["next_url_path"]),
    ("JSONResponseCursorPaginator", "cursor", &["cursor_path", "cursor_param", "cursor_body_path"]),
    ("HeaderCursorPaginator", "header_cursor", &["cursor_key", "cursor_param"]),
    (
        "OffsetPaginator",
        "offset",
        &[
            "limit",
            "offset",
            "offset_param",
            "limit_param",
            "total_path",
            "maximum_offset",
            "stop_after_empty_page",
            "has_more_path",
            "offset_body_path",
            "limit_body_path",
        ],
    ),
    (
        "PageNumberPaginator",
        "page_number",
        &[
            "base_page",
            "page",
            "page_param",
            "total_path",
            "maximum_page",
            "stop_after_empty_page",
            "has_more_path",
            "page_body_path",
        ],
    ),
    ("BearerTokenAuth", "bearer", &["token"]),
    ("APIKeyAuth", "api_key", &["name", "api_key", "location"]),
    ("HttpBasicAuth", "http_basic", &["username", "password"]),
    ("HTTPBasicAuth", "http_basic", &["username", "password"]),
    (
        "OAuth2ClientCredentials",
        "oauth2_client_credentials",
        &[
            "access_token_url",
            "client_id",
            "client_secret",
            "access_token_request_data",
            "default_token_expiration",
            "session",
        ],
    ),
];

const INCREMENTAL: &[&str] = &[
    "cursor_path",
    "initial_value",
    "last_value_func",
    "primary_key",
    "end_value",
    "row_order",
    "allow_external_schedulers",
    "on_cursor_value_missing",
    "lag",
    "range_start",
    "range_end",
];

impl Evaluator<'_, '_> {
    /// The value of a call.
    pub(super) fn call(&mut self, call: &ExprCall, place: Place, scope: usize, path: &str) -> Option<Node> {
        // dlt.sources.incremental[str]("id")
        let function = match &*call.func {
            Expr::Subscript(subscript) => dotted(&subscript.value),
            other => dotted(other),
        };
        if let Expr::Attribute(method) = &*call.func {
            if method.attr.id.as_str() == "join" && function.is_none() {
                return self.join(&method.value, call, place, scope, path);
            }
            if self.is_method(method, scope) && !is_lookup(function.as_deref()) {
                return self.method(method, call, place, scope, path);
            }
        }
        if let Some(result) = self.digest(call, place, scope, path) {
            return result;
        }
        if let Some(result) = self.function_call(call, scope, path) {
            return result;
        }
        let Some(function) = function else {
            return self.refuse("the result of a call", place, path);
        };
        let class = function.rsplit('.').next().unwrap_or_default();
        if let Some((_, kind, parameters)) = STOCK.iter().find(|(name, _, _)| *name == class) {
            let mut map = Map::default();
            map.insert("type", place, Node::text(*kind, place));
            self.arguments(&mut map, call, parameters, scope, path)?;
            return Some(Node::new(Value::Map(map), place));
        }
        match function.as_str() {
            "os.getenv" | "getenv" | "os.environ.get" | "environ.get" => {
                return self.lookup_call(call, "env", place, scope, path);
            }
            // Where notebooks and schedulers keep their secrets.
            "userdata.get" | "Variable.get" | "dbutils.secrets.get" | "st.secrets.get" => {
                self.diagnostics.note(path, place, format!("`{function}` is read as a secret of that name"));
                return self.lookup_call(call, "secrets", place, scope, path);
            }
            "dlt.secrets.get" => return self.lookup_call(call, "secrets", place, scope, path),
            "dlt.config.get" => return self.lookup_call(call, "config", place, scope, path),
            _ => {}
        }
        match class {
            "incremental" | "Incremental" => self.incremental(call, place, scope, path),
            "dict"
            | "RESTAPIConfig"
            | "ClientConfig"
            | "EndpointResource"
            | "EndpointResourceBase"
            | "Endpoint"
            | "PaginatorConfig"
            | "IncrementalConfig"
            | "ResolveParamConfig" => {
                let mut map = Map::default();
                if let Some(first) = call.arguments.args.first() {
                    self.spread(&mut map, first, scope, path)?;
                }
                self.keywords(&mut map, call, scope, path)?;
                Some(Node::new(Value::Map(map), place))
            }
            "cast" => {
                let last = call.arguments.args.last()?;
                self.eval(last, scope, path)
            }
            "deepcopy" | "copy" | "list" | "tuple" if call.arguments.args.len() == 1 => {
                self.eval(call.arguments.args.first()?, scope, path)
            }
            "int" | "float" if call.arguments.args.len() == 1 => {
                let node = self.eval(call.arguments.args.first()?, scope, path)?;
                let value = match &node.value {
                    Value::Int(_) | Value::Float(_) => node.value.clone(),
                    // Keys that take numbers read them from the text of a template.
                    Value::Text(text) if text.contains("${") => node.value.clone(),
                    Value::Text(text) => match text.trim().parse() {
                        Ok(number) => Value::Int(number),
                        Err(_) => return self.refuse("a number made of this text", place, path),
                    },
                    _ => return self.refuse("a number made of this", place, path),
                };
                Some(Node::new(value, place))
            }
            "str" if call.arguments.args.len() == 1 => {
                let node = self.eval(call.arguments.args.first()?, scope, path)?;
                match shown(&node) {
                    Some(text) => Some(Node::text(text, node.place)),
                    None => self.refuse("a text made of a list or mapping", place, path),
                }
            }
            _ => {
                let message = format!(
                    "`{function}(...)` cannot be read, expected a literal: nothing in the file is executed"
                );
                let hint = if let Some(advice) = advice(path) {
                    advice
                } else if class.ends_with("Paginator") || class.ends_with("Auth") {
                    "write it as a dict with a `type`"
                } else {
                    "write its result itself, or ${secrets.NAME}, ${env.NAME}, ${vars.NAME} or ${now - 30d} in a text"
                };
                self.problem(path, place, message, hint)
            }
        }
    }

    /// The arguments of a class by the names of its parameters.
    fn arguments(
        &mut self,
        map: &mut Map,
        call: &ExprCall,
        parameters: &[&str],
        scope: usize,
        path: &str,
    ) -> Option<()> {
        let mut whole = true;
        for (index, argument) in call.arguments.args.iter().enumerate() {
            let place = self.place_of(argument);
            let Some(name) = parameters.get(index) else {
                let message = format!("too many arguments, expected at most {}", parameters.len());
                return self.problem(path, place, message, "");
            };
            match self.eval(argument, scope, &child(path, name)) {
                Some(node) => {
                    map.insert(*name, place, node);
                }
                None => whole = false,
            }
        }
        self.keywords(map, call, scope, path)?;
        whole.then_some(())
    }

    fn keywords(&mut self, map: &mut Map, call: &ExprCall, scope: usize, path: &str) -> Option<()> {
        let mut whole = true;
        for keyword in &call.arguments.keywords {
            let Some(name) = &keyword.arg else {
                whole &= self.spread(map, &keyword.value, scope, path).is_some();
                continue;
            };
            let place = self.place(name.range.start().to_usize());
            let node = match (name.id.as_str(), &keyword.value) {
                // The only functions that have a name in the dict form.
                ("last_value_func", Expr::Name(function))
                    if matches!(function.id.as_str(), "max" | "min") =>
                {
                    Some(Node::text(function.id.as_str(), place))
                }
                _ => self.eval(&keyword.value, scope, &child(path, &name.id)),
            };
            match node {
                Some(node) => {
                    map.insert(name.id.as_str(), place, node);
                }
                None => whole = false,
            }
        }
        whole.then_some(())
    }

    fn incremental(&mut self, call: &ExprCall, place: Place, scope: usize, path: &str) -> Option<Node> {
        let mut map = Map::default();
        // As a parameter it needs a type; as `endpoint.incremental` the key says what it is.
        if path.rsplit('.').next() != Some("incremental") {
            map.insert("type", place, Node::text("incremental", place));
        }
        self.arguments(&mut map, call, INCREMENTAL, scope, path)?;
        Some(Node::new(Value::Map(map), place))
    }

    /// `", ".join([...])`
    fn join(
        &mut self,
        separator: &Expr,
        call: &ExprCall,
        place: Place,
        scope: usize,
        path: &str,
    ) -> Option<Node> {
        let separator = self.eval(separator, scope, path)?;
        let list = self.eval(call.arguments.args.first()?, scope, path)?;
        let parts =
            list.as_list().and_then(|items| items.iter().map(Node::as_text).collect::<Option<Vec<_>>>());
        match (separator.as_text(), parts) {
            (Some(separator), Some(parts)) => Some(Node::text(parts.join(separator), place)),
            _ => self.refuse("the result of `join`", place, path),
        }
    }

    /// `os.getenv("X", "default")`, `dlt.secrets.get("x")`
    fn lookup_call(
        &mut self,
        call: &ExprCall,
        kind: &str,
        place: Place,
        scope: usize,
        path: &str,
    ) -> Option<Node> {
        let key = || {
            let mut keywords = call.arguments.keywords.iter();
            let key = keywords.find(|keyword| keyword.arg.as_ref().is_some_and(|name| name.id == "key"));
            key.map(|keyword| &keyword.value)
        };
        let Some(first) = call.arguments.args.first().or_else(key) else {
            return self.refuse("a lookup without a name", place, path);
        };
        let name = self.lookup_name(first, scope, path)?;
        let default = call.arguments.args.get(1).or_else(|| {
            let keywords = call.arguments.keywords.iter();
            let mut named =
                keywords.filter(|keyword| keyword.arg.as_ref().is_some_and(|name| name.id == "default"));
            named.next().map(|keyword| &keyword.value)
        });
        // dlt.secrets.get("x", str) names a type there.
        let is_type =
            matches!(default, Some(Expr::Name(name)) if matches!(name.id.as_str(), "str" | "int" | "dict"));
        let Some(default) = default.filter(|_| !is_type && kind != "secrets") else {
            return Some(Node::text(format!("${{{kind}.{name}}}"), place));
        };
        let default = self.eval(default, scope, path)?;
        if default.is_null() {
            return Some(Node::text(format!("${{{kind}.{name}}}"), place));
        }
        match shown(&default).filter(|text| !text.contains('}')) {
            Some(text) => Some(Node::text(format!("${{{kind}.{name}:-{text}}}"), place)),
            None => self.refuse("this default", place, path),
        }
    }

    fn lookup_name(&mut self, expression: &Expr, scope: usize, path: &str) -> Option<String> {
        let node = self.eval(expression, scope, path)?;
        let is_name = |text: &str| {
            !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || "_-.".contains(letter))
        };
        match node.as_text().filter(|text| is_name(text)) {
            Some(name) => Some(name.to_owned()),
            None => {
                let message = "this is no name of a secret or variable".to_owned();
                self.problem(path, node.place, message, "letters, digits, `_`, `-` and `.` make a name")
            }
        }
    }

    /// `dlt.secrets["a"]["b"]`, `dlt.config["x"]`, `os.environ["X"]` as a template. `None` if it is none of
    /// these, `Some(None)` if it is one with a problem.
    pub(super) fn lookup_template(
        &mut self,
        subscript: &ExprSubscript,
        scope: usize,
        path: &str,
    ) -> Option<Option<String>> {
        let mut keys = vec![&*subscript.slice];
        let mut base = &*subscript.value;
        while let Expr::Subscript(inner) = base {
            keys.push(&inner.slice);
            base = &inner.value;
        }
        let kind = match dotted(base)?.as_str() {
            "dlt.secrets" => "secrets",
            "dlt.config" => "config",
            "os.environ" | "environ" => "env",
            "st.secrets" => "secrets",
            _ => return None,
        };
        let mut names = Vec::new();
        for key in keys.into_iter().rev() {
            match self.lookup_name(key, scope, path) {
                Some(name) => names.push(name),
                None => return Some(None),
            }
        }
        Some(Some(format!("${{{kind}.{}}}", names.join("."))))
    }
}

/// Whether a function looks something up outside of the file.
fn is_lookup(function: Option<&str>) -> bool {
    matches!(
        function,
        Some("os.environ.get" | "environ.get" | "dlt.secrets.get" | "dlt.config.get" | "st.secrets.get")
    )
}
