//! Templates become what they stand for.

mod when;

use std::collections::BTreeSet;

use crate::secret::{Secret, is_secret_name};

use super::diagnostics::{Diagnostics, child, closest, item};
use super::each;
use super::node::{Map, Node, Place, Value};
use super::secrets::{Answer, Kind, Sources};
use super::template::{Function, Operand, Piece, TemplateError, evaluate, format_moment, pieces};

/// Replaces every template of a tree by what it stands for, and takes the top-level `vars` out.
///
/// A text that holds a secret becomes [`Value::Secret`] as a whole. A text that is one template and
/// nothing else takes over the type of what it stands for. The answer holds the bare values of all
/// secrets that were used, for a [`crate::secret::Scrubber`].
pub fn resolve(root: &mut Node, sources: &Sources, diagnostics: &mut Diagnostics) -> Vec<Secret> {
    let mut resolver = Resolver {
        sources,
        vars: Map::default(),
        own: None,
        missing: BTreeSet::new(),
        secrets: Vec::new(),
        diagnostics,
    };
    if let Some(vars) = root.as_map_mut().and_then(|map| map.remove("vars")) {
        resolver.variables(vars.value);
    }
    // What is left out needs no list to be there.
    resolver.leave_out_whole(root);
    // Before the rest, whose texts name their items.
    for (path, node) in each::written(root) {
        resolver.node(node, &path);
    }
    each::spread(root, resolver.diagnostics);
    resolver.leave_out(root);
    resolver.node(root, "");
    resolver.secrets
}

/// What a secret that is not set is in a plan that is only shown. Never sent.
const STANDS_IN: &str = "a-secret-that-is-not-set";

struct Resolver<'a> {
    sources: &'a Sources,
    vars: Map,
    /// The variable that is being resolved: it may use those above it.
    own: Option<String>,
    /// What was reported as missing: once is enough, however often it is used.
    missing: BTreeSet<(Kind, String)>,
    secrets: Vec<Secret>,
    diagnostics: &'a mut Diagnostics,
}

impl Resolver<'_> {
    fn variables(&mut self, node: Node) {
        let (found, place) = (node.kind_name(), node.place);
        let entries = match node.value {
            Value::Map(map) => map.entries,
            Value::Null => return,
            _ => {
                let message = format!("{found}, expected a mapping of names to values");
                self.diagnostics.push("vars", place, message);
                return;
            }
        };
        for mut entry in entries {
            self.own = Some(entry.key.clone());
            self.node(&mut entry.value, &child("vars", &entry.key));
            self.vars.insert(entry.key, entry.place, entry.value);
        }
        self.own = None;
    }

    fn node(&mut self, node: &mut Node, path: &str) {
        match &mut node.value {
            Value::Text(text) if text.contains("${") => {
                let text = std::mem::take(text);
                if let Some(value) = self.text(&text, path, node.place) {
                    node.value = value;
                }
            }
            Value::List(items) => {
                for (index, node) in items.iter_mut().enumerate() {
                    self.node(node, &item(path, index));
                }
            }
            Value::Map(map) => {
                for entry in &mut map.entries {
                    self.node(&mut entry.value, &child(path, &entry.key));
                }
            }
            _ => {}
        }
    }

    /// The value of a text, or `None` after a problem.
    fn text(&mut self, text: &str, path: &str, place: Place) -> Option<Value> {
        let pieces = match pieces(text) {
            Ok(pieces) => pieces,
            Err(error) => return self.refuse(error, path, place),
        };
        match pieces.as_slice() {
            [Piece::Lookup { kind, name, default }] => {
                return self.lookup(*kind, name, default.as_deref(), path, place);
            }
            [Piece::Call { function, arguments }] => return self.call(*function, arguments, path, place),
            _ => {}
        }
        let numeric = is_epoch(&pieces);
        let mut joined = String::new();
        let mut secret = false;
        let mut whole = true;
        for piece in pieces {
            let value = match &piece {
                Piece::Literal(literal) => {
                    joined.push_str(literal);
                    continue;
                }
                piece => self.piece(piece, path, place),
            };
            match value {
                None => whole = false,
                Some(Value::Text(text)) => joined.push_str(&text),
                Some(Value::Int(number)) => joined.push_str(&number.to_string()),
                Some(Value::Float(number)) => joined.push_str(&number.to_string()),
                Some(Value::Bool(flag)) => joined.push_str(if flag { "true" } else { "false" }),
                Some(Value::Secret(value)) => {
                    joined.push_str(value.expose());
                    secret = true;
                }
                Some(other @ (Value::Null | Value::List(_) | Value::Map(_))) => {
                    let found = other.kind_name();
                    let message = format!("{} is {found}, expected text or a number", described(&piece));
                    self.diagnostics.push(path, place, message);
                    whole = false;
                }
            }
        }
        if numeric && let Ok(number) = joined.parse() {
            return Some(Value::Int(number));
        }
        whole.then(|| if secret { Value::Secret(Secret::new(joined)) } else { Value::Text(joined) })
    }

    /// What one template stands for, or `None` after a problem.
    fn piece(&mut self, piece: &Piece, path: &str, place: Place) -> Option<Value> {
        match piece {
            Piece::Literal(text) => Some(Value::Text(text.clone())),
            Piece::Moment { base, seconds, format } => {
                match format_moment(self.sources.now, *base, *seconds, format.as_deref()) {
                    Ok(moment) => Some(Value::Text(moment)),
                    Err(error) => self.refuse(error, path, place),
                }
            }
            Piece::Lookup { kind, name, default } => {
                self.lookup(*kind, name, default.as_deref(), path, place)
            }
            Piece::Call { function, arguments } => self.call(*function, arguments, path, place),
        }
    }

    fn call(&mut self, function: Function, arguments: &[Piece], path: &str, place: Place) -> Option<Value> {
        let value = self.operand(function, arguments, path, place)?.into_value();
        // A scrubber has to know what was made of a secret: no spelling of the secret is left in a digest.
        Some(if matches!(value, Value::Secret(_)) { self.remember(value) } else { value })
    }

    fn operand(
        &mut self,
        function: Function,
        arguments: &[Piece],
        path: &str,
        place: Place,
    ) -> Option<Operand> {
        let mut operands = Some(Vec::new());
        for (index, argument) in arguments.iter().enumerate() {
            let operand = match argument {
                Piece::Call { function, arguments } => self.operand(*function, arguments, path, place),
                // Of `default` only the last argument has to be there.
                Piece::Lookup { kind, name, default: None }
                    if function == Function::Default && index + 1 < arguments.len() =>
                {
                    match self.found(*kind, name) {
                        Ok(value) => Some(Operand::Value(value)),
                        Err(_) => continue,
                    }
                }
                other => self.piece(other, path, place).map(Operand::Value),
            };
            // Every argument is looked at, so that all that is missing is reported at once.
            operands = operands.zip(operand).map(|(mut operands, operand)| {
                operands.push(operand);
                operands
            });
        }
        match evaluate(function, operands?) {
            Ok(operand) => Some(operand),
            Err(error) => self.refuse(error, path, place),
        }
    }

    fn refuse<T>(&mut self, error: TemplateError, path: &str, place: Place) -> Option<T> {
        self.diagnostics.push(path, place, error.message).hint(error.hint);
        None
    }

    fn lookup(
        &mut self,
        kind: Kind,
        name: &str,
        default: Option<&str>,
        path: &str,
        place: Place,
    ) -> Option<Value> {
        match self.found(kind, name) {
            Ok(value) => Some(value),
            Err(looked_at) => match default {
                Some(default) => {
                    let value = Value::Text(default.to_owned());
                    let hidden = is_secret_lookup(kind, name) && !default.is_empty();
                    Some(if hidden { self.hide(value) } else { value })
                }
                None => self.missing(kind, name, path, place, looked_at),
            },
        }
    }

    /// The value of a name, hidden if it is a secret, or where to put one.
    fn found(&mut self, kind: Kind, name: &str) -> Result<Value, String> {
        let value = if kind == Kind::Vars {
            self.variable(name).ok_or_else(|| self.no_variable(name))?
        } else {
            match self.sources.find(kind, name) {
                Answer::Found(value) => value,
                Answer::Missing(looked_at) => return Err(looked_at),
            }
        };
        Ok(if is_secret_lookup(kind, name) { self.hide(value) } else { value })
    }

    fn no_variable(&self, name: &str) -> String {
        let close = closest(name, self.vars.keys()).map(|close| format!("did you mean `{close}`?"));
        match (&self.own, close) {
            (_, Some(close)) => close,
            (None, None) => format!("add it to `vars`, or say --set vars.{name}=..."),
            (Some(own), None) => format!("`vars.{own}` can be made of the variables above it"),
        }
    }

    fn variable(&self, name: &str) -> Option<Value> {
        let mut parts = name.split('.');
        let mut node = self.vars.get(parts.next()?)?;
        for part in parts {
            node = node.as_map()?.get(part)?;
        }
        Some(node.value.clone())
    }

    /// What stands in the place of a missing value: nothing, unless the plan is only shown.
    fn missing(
        &mut self,
        kind: Kind,
        name: &str,
        path: &str,
        place: Place,
        looked_at: String,
    ) -> Option<Value> {
        let stands_in = self.sources.placeholders && is_secret_lookup(kind, name);
        if self.missing.insert((kind, name.to_owned())) {
            let names = name.replace('|', "` or `");
            let message = format!("{} `{names}` is not set", kind.noun());
            let said = if stands_in {
                self.diagnostics.note(path, place, message)
            } else {
                self.diagnostics.push(path, place, message)
            };
            said.hint(looked_at);
        }
        stands_in.then(|| Value::Secret(Secret::new(STANDS_IN)))
    }

    /// Every text and number of a value becomes secret.
    fn hide(&mut self, value: Value) -> Value {
        let text = match value {
            Value::Text(text) => text,
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::List(items) => {
                let hidden = items.into_iter().map(|node| Node::new(self.hide(node.value), node.place));
                return Value::List(hidden.collect());
            }
            Value::Map(mut map) => {
                for entry in &mut map.entries {
                    let value = std::mem::replace(&mut entry.value.value, Value::Null);
                    entry.value.value = self.hide(value);
                }
                return Value::Map(map);
            }
            other @ (Value::Null | Value::Bool(_) | Value::Secret(_)) => return other,
        };
        self.remember(Value::Secret(Secret::new(text)))
    }

    /// The same value, which is now known as a secret of the file.
    fn remember(&mut self, value: Value) -> Value {
        if let Value::Secret(secret) = &value
            && !self.secrets.contains(secret)
        {
            self.secrets.push(secret.clone());
        }
        value
    }
}

/// A template in the words of a diagnostic.
fn described(piece: &Piece) -> String {
    match piece {
        Piece::Lookup { kind, name, .. } => format!("`{}.{name}`", kind.name()),
        Piece::Call { .. } => "what the function gives".to_owned(),
        Piece::Literal(_) | Piece::Moment { .. } => "it".to_owned(),
    }
}

/// Whether a value from the environment or a configuration file is a secret, going by its name.
fn is_secret_lookup(kind: Kind, name: &str) -> bool {
    let upper = name.to_uppercase();
    match kind {
        Kind::Secrets => true,
        Kind::Env => {
            ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"].iter().any(|word| upper.contains(word))
        }
        Kind::Config => is_secret_name(name.rsplit('.').next().unwrap_or(name)),
        Kind::Vars => false,
    }
}

/// Whether a text is nothing but seconds since 1970, or thousandths of them: a number, as in the records.
fn is_epoch(pieces: &[Piece]) -> bool {
    let (moment, zeros) = match pieces {
        [moment] => (moment, "000"),
        [moment, Piece::Literal(zeros)] => (moment, zeros.as_str()),
        _ => return false,
    };
    zeros == "000" && matches!(moment, Piece::Moment { format: Some(format), .. } if format == "%s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::listed;
    use crate::config::parse::{Format, parse};

    #[test]
    fn a_plan_that_is_only_shown_needs_no_secrets() {
        let mut diagnostics = Diagnostics::new();
        let yaml = "a: 'Bearer ${secrets.api_key}'\nb: ${secrets.api_key}\nc: ${env.HOST}\n";
        let mut root = parse(yaml, Format::Yaml, &mut diagnostics).unwrap();
        let mut sources = Sources::new("2024-03-01T02:03:04.9Z".parse().unwrap());
        sources.placeholders = true;
        resolve(&mut root, &sources, &mut diagnostics);
        let notes: Vec<String> = diagnostics.notes().map(ToString::to_string).collect();
        assert_eq!(notes, ["line 1: a: the secret `api_key` is not set"]);
        assert_eq!(
            listed(&diagnostics),
            "line 3: c: the environment variable `HOST` is not set | set HOST, or give a default: ${env.HOST:-default}"
        );
        assert!(matches!(value(&root, "a"), Value::Secret(_)));
    }

    fn resolved(yaml: &str, environment: &[(&str, &str)]) -> (Node, Vec<Secret>, String) {
        let mut diagnostics = Diagnostics::new();
        let mut root = parse(yaml, Format::Yaml, &mut diagnostics).unwrap();
        let mut sources = Sources::new("2024-03-01T02:03:04.9Z".parse().unwrap());
        for (name, value) in environment {
            sources.environment.insert((*name).to_owned(), (*value).to_owned());
        }
        let secrets = resolve(&mut root, &sources, &mut diagnostics);
        (root, secrets, listed(&diagnostics))
    }

    fn value<'a>(root: &'a Node, key: &str) -> &'a Value {
        &root.as_map().unwrap().get(key).unwrap().value
    }

    #[test]
    fn an_escaped_template_is_text() {
        let (root, _, _) = resolved("a: '$${now} {x}'", &[]);
        assert_eq!(value(&root, "a"), &Value::Text("${now} {x}".to_owned()));
    }

    #[test]
    fn seconds_alone_are_a_number() {
        let (root, _, _) =
            resolved("a: '${now:%s}'\nb: '${today:%s}000'\nc: 'x${now:%s}'\nd: '${now:%Y}'", &[]);
        assert_eq!(value(&root, "a"), &Value::Int(1_709_258_584));
        assert_eq!(value(&root, "b"), &Value::Int(1_709_251_200_000));
        assert_eq!(value(&root, "c"), &Value::Text("x1709258584".to_owned()));
        assert_eq!(value(&root, "d"), &Value::Text("2024".to_owned()));
    }

    #[test]
    fn lookups() {
        let (root, secrets, problems) = resolved(
            "a: 'Bearer ${secrets.api_key}'\nb: ${env.HOST:-example.com}\nc: ${env.REGION}\nd: x-${env.MY_TOKEN}\n\
             e: [\"${today:%Y}\"]\n",
            &[("API_KEY", "sk_1234"), ("REGION", "eu"), ("MY_TOKEN", "tok5678")],
        );
        assert_eq!(problems, "");
        assert_eq!(value(&root, "a"), &Value::Secret(Secret::new("Bearer sk_1234")));
        assert_eq!(value(&root, "b"), &Value::Text("example.com".to_owned()));
        assert_eq!(value(&root, "c"), &Value::Text("eu".to_owned()));
        assert_eq!(value(&root, "d"), &Value::Secret(Secret::new("x-tok5678")));
        assert_eq!(secrets, [Secret::new("sk_1234"), Secret::new("tok5678")]);
        let shown = format!("{root:?}");
        assert!(!shown.contains("sk_1234") && !shown.contains("tok5678"), "{shown}");
    }

    #[test]
    fn variables_keep_their_type_and_leave_the_tree() {
        let (root, _, problems) = resolved(
            "vars: {limit: 5, names: [a, b], start: '${today - 1d}', key: '${secrets.k}'}\n\
             a: ${vars.limit}\nb: 'n=${vars.limit}'\nc: ${vars.names}\nd: ${vars.start}\ne: 'x ${vars.key}'\n",
            &[("K", "hidden")],
        );
        assert_eq!(problems, "");
        assert!(!root.as_map().unwrap().contains("vars"));
        assert_eq!(value(&root, "a"), &Value::Int(5));
        assert_eq!(value(&root, "b"), &Value::Text("n=5".to_owned()));
        assert!(matches!(value(&root, "c"), Value::List(items) if items.len() == 2));
        assert_eq!(value(&root, "d"), &Value::Text("2024-02-29".to_owned()));
        assert_eq!(value(&root, "e"), &Value::Secret(Secret::new("x hidden")));
    }

    #[test]
    fn problems_have_places_and_hints() {
        let (_, _, problems) = resolved(
            "vars: {limit: 5}\na: ${vars.limt}\nb: ${secrest.x}\nc: ${X}\nd: ${now\ne: ${env.NOPE}\nf: ${env.NOPE}\n\
             g: '${secrets.x:-y}'\nh: ${env.EMPTY}\n",
            &[("EMPTY", "")],
        );
        insta::assert_snapshot!(problems, @r##"
             line 2: a: the variable `limt` is not set | did you mean `limit`?
             line 3: b: `secrest` in `${secrest.x}` is not known, expected secrets.NAME, env.NAME, vars.NAME, config.NAME, now, today or a function | did you mean `secrets`?
             line 4: c: `${X}` is not known, expected secrets.NAME, env.NAME, vars.NAME, config.NAME, now, today or a function | did you mean `${env.X}` or `${secrets.X}`?
             line 5: d: `${` is not closed by `}` | for a literal `${`, write `$${`
             line 6: e: the environment variable `NOPE` is not set | set NOPE, or give a default: ${env.NOPE:-default}
             line 8: g: the secret `x` has a default, expected none | a secret in a file is none; ${env.NAME:-default} takes a default, and ${secrets.NAME:-} is empty where there is none
             line 9: h: the environment variable `EMPTY` is not set | it is empty, which counts as not set
             "##);
    }

    #[test]
    fn functions_are_called_and_hide_what_they_make_of_secrets() {
        let (root, secrets, problems) = resolved(
            "vars: {names: [a, b], hosts: {eu: 1.example}, region: eu, host: 'api.${lookup(vars.hosts, vars.region)}'}\n\
             a: Basic ${base64(secrets.id, ':', secrets.key)}\nb: ${join(vars.names, ',')}\n\
             c: https://${vars.host}/\nd: ${default(env.NOPE, vars.nope, 'x')}\ne: ${default(env.NOPE, vars.names)}\n\
             f: ${equals(vars.region, 'eu')}\ng: ${md5(now:%s, secrets.key)}\nh: ${default(secrets.nope, '')}\n",
            &[("ID", "me-and-me"), ("KEY", "swordfish")],
        );
        assert_eq!(problems, "");
        // `printf me-and-me:swordfish | base64`
        assert_eq!(value(&root, "a"), &Value::Secret(Secret::new("Basic bWUtYW5kLW1lOnN3b3JkZmlzaA==")));
        assert_eq!(value(&root, "b"), &Value::Text("a,b".to_owned()));
        assert_eq!(value(&root, "c"), &Value::Text("https://api.1.example/".to_owned()));
        assert_eq!(value(&root, "d"), &Value::Text("x".to_owned()));
        assert!(matches!(value(&root, "e"), Value::List(items) if items.len() == 2));
        assert_eq!(value(&root, "f"), &Value::Bool(true));
        // `printf 1709258584swordfish | md5sum`
        let digest = Secret::new("2e3895d58aec05fddb088d2a4fa099b9");
        assert_eq!(value(&root, "g"), &Value::Secret(digest.clone()));
        assert!(secrets.contains(&digest));
        assert_eq!(value(&root, "h"), &Value::Text(String::new()));
    }

    #[test]
    fn a_call_says_what_is_wrong_with_it() {
        let (_, _, problems) = resolved(
            "vars: {names: [a], late: '${vars.later}', later: 1}\na: ${upper(vars.names)}\nb: x${lookup(vars.nams, 'a')}\n\
             c: ${base64(env.NOPE, env.NO)}\nd: x ${default(vars.names, '')}\n",
            &[],
        );
        insta::assert_snapshot!(problems, @r##"
             line 1: vars.late: the variable `later` is not set | `vars.late` can be made of the variables above it
             line 2: a: `upper` is given a list, expected text or a number | join(LIST, ",") makes a text of a list
             line 3: b: the variable `nams` is not set | did you mean `names`?
             line 4: c: the environment variable `NOPE` is not set | set NOPE, or give a default: ${env.NOPE:-default}
             line 4: c: the environment variable `NO` is not set | set NO, or give a default: ${env.NO:-default}
             line 5: d: what the function gives is a list, expected text or a number
             "##);
    }

    #[test]
    fn a_missing_secret_is_one_problem_that_lists_every_place() {
        let (_, _, problems) =
            resolved("a: ${secrets.api_key}\nb: 'x ${secrets.api_key}'\n", &[("API_KEY", "")]);
        insta::assert_snapshot!(problems, @"line 1: a: the secret `api_key` is not set | looked in the environment for API_KEY (empty, which counts as not set), SOURCES__REST_API__API_KEY, SOURCES__REST_API__CREDENTIALS__API_KEY, SOURCES__API_KEY, CREDENTIALS__API_KEY, DRAY_SECRETS__API_KEY");
    }
}
