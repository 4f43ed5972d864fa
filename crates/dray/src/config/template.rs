//! Templates in texts: `${secrets.x}`, `${env.X:-default}`, `${vars.x}`, `${config.x}`, `${now - 30d}`,
//! `${today:%Y/%m/%d}`. `$${` is a literal `${`.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::secret::{Secret, is_secret_name};

use super::diagnostics::{Diagnostics, child, closest, item};
use super::node::{Map, Node, Place, Value};
use super::secrets::{Answer, Kind, Sources};

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// What is taken as it stands.
    Literal(String),
    /// `${kind.name:-default}`
    Lookup {
        /// Where to look.
        kind: Kind,
        /// What to look for.
        name: String,
        /// What to take if it is not there.
        default: Option<String>,
    },
    /// `${now - 30d:%s}`
    Moment {
        /// Whether to start from midnight (UTC).
        today: bool,
        /// Seconds to add.
        seconds: i64,
        /// A format of strftime.
        format: Option<String>,
    },
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// What was found and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

const KNOWN: &str = "secrets.NAME, env.NAME, vars.NAME, config.NAME, now or today";

/// Splits a text into its parts.
///
/// # Errors
/// If a `${` is not closed or holds something unknown.
pub fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            literal.push_str(before);
            literal.push_str("${");
            rest = after;
            continue;
        }
        literal.push_str(before);
        let Some((inner, after)) = after.split_once('}') else {
            return Err(error("`${` is not closed by `}`".to_owned()));
        };
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(expression(inner)?);
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

fn error(message: String) -> TemplateError {
    TemplateError { message, hint: "for a literal `${`, write `$${`".to_owned() }
}

fn expression(inner: &str) -> Result<Piece, TemplateError> {
    let trimmed = inner.trim();
    for today in [false, true] {
        let word = if today { "today" } else { "now" };
        if let Some(rest) = trimmed.strip_prefix(word)
            && !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.')
        {
            return moment(today, rest, trimmed);
        }
    }
    let Some((kind, name)) = trimmed.split_once('.') else {
        let mut error = error(format!("`${{{trimmed}}}` is not known, expected {KNOWN}"));
        if is_name(trimmed) {
            error.hint = format!("did you mean `${{env.{trimmed}}}` or `${{secrets.{trimmed}}}`?");
        }
        return Err(error);
    };
    let Some(kind) = Kind::of_name(kind) else {
        let mut error = error(format!("`{kind}` in `${{{trimmed}}}` is not known, expected {KNOWN}"));
        if let Some(close) = closest(kind, Kind::ALL.map(Kind::name)) {
            error.hint = format!("did you mean `{close}`?");
        }
        return Err(error);
    };
    let (name, default) = match name.split_once(":-") {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (name, None),
    };
    if !is_name(name) {
        // Neither the name nor the default is repeated: somebody may have put the secret itself there.
        return Err(error(format!(
            "`${{{}. ...}}` holds no name of letters, digits, `_`, `-` and `.`",
            kind.name()
        )));
    }
    if kind == Kind::Secrets && default.is_some() {
        return Err(TemplateError {
            message: format!("the secret `{name}` has a default, expected none"),
            hint: "a secret in a file is none; ${env.NAME:-default} takes a default".to_owned(),
        });
    }
    Ok(Piece::Lookup { kind, name: name.to_owned(), default })
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|letter| letter.is_alphanumeric() || "_-.".contains(letter))
        && !name.split('.').any(str::is_empty)
}

/// What follows `now` or `today`: spans, then a format.
fn moment(today: bool, rest: &str, whole: &str) -> Result<Piece, TemplateError> {
    let (spans, format) = match rest.split_once(':') {
        Some((spans, format)) => (spans, Some(format.to_owned())),
        None => (rest, None),
    };
    let spoiled = || TemplateError {
        message: format!("`${{{whole}}}` is no moment, expected something like `${{now - 30d}}`"),
        hint: "spans are numbers with s, m, h, d or w; a format follows a colon: ${today - 1d:%Y-%m-%d}"
            .to_owned(),
    };
    let mut seconds: i64 = 0;
    let mut spans = spans.trim();
    while !spans.is_empty() {
        let minus = spans.strip_prefix('-').map(|span| (-1, span));
        let (sign, span) =
            minus.or_else(|| spans.strip_prefix('+').map(|span| (1, span))).ok_or_else(spoiled)?;
        let span = span.trim_start();
        let digits = span.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = span.split_at_checked(digits).ok_or_else(spoiled)?;
        let mut letters = unit.chars();
        let length = match letters.next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            Some('w') => 7 * 86_400,
            _ => return Err(spoiled()),
        };
        let number: i64 = number.parse().map_err(|_| spoiled())?;
        let span = number.checked_mul(length).and_then(|span| span.checked_mul(sign));
        seconds = span.and_then(|span| seconds.checked_add(span)).ok_or_else(spoiled)?;
        spans = letters.as_str().trim_start();
    }
    Ok(Piece::Moment { today, seconds, format })
}

/// A moment as text.
///
/// # Errors
/// If the moment lies outside of what a calendar holds, or the format is not one of strftime's.
pub fn format_moment(
    now: Timestamp,
    today: bool,
    seconds: i64,
    format: Option<&str>,
) -> Result<String, TemplateError> {
    let spoiled = |problem: jiff::Error| TemplateError {
        message: format!("this moment cannot be written: {problem}"),
        hint: "formats are those of strftime: %Y-%m-%dT%H:%M:%SZ, %s for seconds since 1970".to_owned(),
    };
    let whole = now.as_second() - i64::from(now.subsec_nanosecond() < 0);
    let start = if today { whole - whole.rem_euclid(86_400) } else { whole };
    let start = Timestamp::from_second(start).map_err(spoiled)?;
    let moment = start.checked_add(SignedDuration::from_secs(seconds)).map_err(spoiled)?;
    let format = format.unwrap_or(if today { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%SZ" });
    jiff::fmt::strtime::format(format, &moment.to_zoned_datetime(TimeZone::UTC)).map_err(spoiled)
}

/// Replaces every template of a tree by what it stands for, and takes the top-level `vars` out.
///
/// A text that holds a secret becomes [`Value::Secret`] as a whole. A text that is one template and
/// nothing else takes over the type of what it stands for. The answer holds the bare values of all
/// secrets that were used, for a [`crate::secret::Scrubber`].
pub fn resolve(root: &mut Node, sources: &Sources, diagnostics: &mut Diagnostics) -> Vec<Secret> {
    let mut resolver = Resolver {
        sources,
        vars: Map::default(),
        vars_known: false,
        missing: BTreeSet::new(),
        secrets: Vec::new(),
        diagnostics,
    };
    if let Some(vars) = root.as_map_mut().and_then(|map| map.remove("vars")) {
        let mut node = vars.value;
        let (found, place) = (node.kind_name(), node.place);
        resolver.node(&mut node, "vars");
        match node.value {
            Value::Map(map) => resolver.vars = map,
            Value::Null => {}
            _ => {
                resolver.diagnostics.push(
                    "vars",
                    place,
                    format!("{found}, expected a mapping of names to values"),
                );
            }
        }
    }
    resolver.vars_known = true;
    resolver.node(root, "");
    resolver.secrets
}

struct Resolver<'a> {
    sources: &'a Sources,
    vars: Map,
    /// False while the variables themselves are resolved.
    vars_known: bool,
    /// What was reported as missing: once is enough, however often it is used.
    missing: BTreeSet<(Kind, String)>,
    secrets: Vec<Secret>,
    diagnostics: &'a mut Diagnostics,
}

impl Resolver<'_> {
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
        if let [Piece::Lookup { kind, name, default }] = pieces.as_slice() {
            return self.lookup(*kind, name, default.as_deref(), path, place);
        }
        let mut joined = String::new();
        let mut secret = false;
        let mut whole = true;
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => joined.push_str(&literal),
                Piece::Moment { today, seconds, format } => {
                    match format_moment(self.sources.now, today, seconds, format.as_deref()) {
                        Ok(moment) => joined.push_str(&moment),
                        Err(error) => return self.refuse(error, path, place),
                    }
                }
                Piece::Lookup { kind, name, default } => {
                    let value = self.lookup(kind, &name, default.as_deref(), path, place);
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
                            let message =
                                format!("`{}.{name}` is {found}, expected text or a number", kind.name());
                            self.diagnostics.push(path, place, message);
                            whole = false;
                        }
                    }
                }
            }
        }
        whole.then(|| if secret { Value::Secret(Secret::new(joined)) } else { Value::Text(joined) })
    }

    fn refuse(&mut self, error: TemplateError, path: &str, place: Place) -> Option<Value> {
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
        let value = if kind == Kind::Vars {
            self.variable(name)
        } else {
            match self.sources.find(kind, name) {
                Answer::Found(value) => Some(value),
                Answer::Missing(looked_at) => {
                    if default.is_none() {
                        self.missing(kind, name, path, place, looked_at);
                        return None;
                    }
                    None
                }
            }
        };
        let value = match (value, default) {
            (Some(value), _) => value,
            (None, Some(default)) => Value::Text(default.to_owned()),
            (None, None) => {
                let hint = if self.vars_known {
                    let known: Vec<&str> = self.vars.keys().collect();
                    closest(name, known.iter().copied()).map_or_else(
                        || format!("add it to `vars`, or say --set vars.{name}=..."),
                        |close| format!("did you mean `{close}`?"),
                    )
                } else {
                    "a variable cannot be made of another one".to_owned()
                };
                self.missing(kind, name, path, place, hint);
                return None;
            }
        };
        Some(if kind == Kind::Secrets || is_secret_lookup(kind, name) { self.hide(value) } else { value })
    }

    fn variable(&self, name: &str) -> Option<Value> {
        let mut parts = name.split('.');
        let mut node = self.vars.get(parts.next()?)?;
        for part in parts {
            node = node.as_map()?.get(part)?;
        }
        Some(node.value.clone())
    }

    fn missing(&mut self, kind: Kind, name: &str, path: &str, place: Place, looked_at: String) {
        if self.missing.insert((kind, name.to_owned())) {
            let message = format!("{} `{name}` is not set", kind.noun());
            self.diagnostics.push(path, place, message).hint(looked_at);
        }
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
        let secret = Secret::new(text);
        if !self.secrets.contains(&secret) {
            self.secrets.push(secret.clone());
        }
        Value::Secret(secret)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::listed;
    use crate::config::parse::{Format, parse};

    fn moment_pieces(text: &str) -> (bool, i64, Option<String>) {
        match pieces(text).unwrap().as_slice() {
            [Piece::Moment { today, seconds, format }] => (*today, *seconds, format.clone()),
            other => panic!("{other:?}"),
        }
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
    fn moments() {
        assert_eq!(moment_pieces("${now}"), (false, 0, None));
        assert_eq!(moment_pieces("${now - 30d}"), (false, -30 * 86_400, None));
        assert_eq!(moment_pieces("${now-1h+30m}"), (false, -1800, None));
        assert_eq!(
            moment_pieces("${today - 2w:%Y/%m/%d %H:%M}"),
            (true, -14 * 86_400, Some("%Y/%m/%d %H:%M".into()))
        );
        for bad in
            ["${now - 30}", "${now 30d}", "${now - d}", "${now - 30y}", "${now - 99999999999999999999d}"]
        {
            assert!(pieces(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments_are_written_in_utc() {
        let now: Timestamp = "2024-03-01T02:03:04.9Z".parse().unwrap();
        let text = |today, seconds, format| format_moment(now, today, seconds, format).unwrap();
        assert_eq!(text(false, 0, None), "2024-03-01T02:03:04Z");
        assert_eq!(text(false, -86_400, None), "2024-02-29T02:03:04Z");
        assert_eq!(text(true, 0, None), "2024-03-01");
        assert_eq!(text(true, -86_400, Some("%d.%m.%Y")), "29.02.2024");
        assert_eq!(text(true, 0, Some("%s")), "1709251200");
        assert!(format_moment(now, false, 0, Some("%")).is_err());
        assert!(format_moment(now, false, i64::MAX, None).is_err());
        let before: Timestamp = "1969-12-31T23:59:59.5Z".parse().unwrap();
        assert_eq!(format_moment(before, false, 0, None).unwrap(), "1969-12-31T23:59:59Z");
        assert_eq!(format_moment(before, true, 0, None).unwrap(), "1969-12-31");
    }

    #[test]
    fn literals_stay() {
        for text in ["a $ b", "{resources.x.id}", "$id", "{{ x }}", "a } b"] {
            assert_eq!(pieces(text).unwrap(), [Piece::Literal(text.to_owned())]);
        }
        assert_eq!(pieces("a $${b} c").unwrap(), [Piece::Literal("a ${b} c".to_owned())]);
        let (root, _, _) = resolved("a: '$${now} {x}'", &[]);
        assert_eq!(value(&root, "a"), &Value::Text("${now} {x}".to_owned()));
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
        line 3: b: `secrest` in `${secrest.x}` is not known, expected secrets.NAME, env.NAME, vars.NAME, config.NAME, now or today | did you mean `secrets`?
        line 4: c: `${X}` is not known, expected secrets.NAME, env.NAME, vars.NAME, config.NAME, now or today | did you mean `${env.X}` or `${secrets.X}`?
        line 5: d: `${` is not closed by `}` | for a literal `${`, write `$${`
        line 6: e: the environment variable `NOPE` is not set | set NOPE, or give a default: ${env.NOPE:-default}
        line 8: g: the secret `x` has a default, expected none | a secret in a file is none; ${env.NAME:-default} takes a default
        line 9: h: the environment variable `EMPTY` is not set | it is empty, which counts as not set
        "##);
    }

    #[test]
    fn a_missing_secret_is_one_problem_that_lists_every_place() {
        let (_, _, problems) =
            resolved("a: ${secrets.api_key}\nb: 'x ${secrets.api_key}'\n", &[("API_KEY", "")]);
        insta::assert_snapshot!(problems, @"line 1: a: the secret `api_key` is not set | looked in the environment for API_KEY (empty, which counts as not set), SOURCES__REST_API__API_KEY, SOURCES__REST_API__CREDENTIALS__API_KEY, SOURCES__API_KEY, CREDENTIALS__API_KEY, DRAY_SECRETS__API_KEY");
    }
}
