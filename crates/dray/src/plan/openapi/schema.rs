//! Reading a description: references, parameters, and what an answer holds.

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use crate::plan::words::LISTS;

/// References that are followed one after the other: a circle ends here.
const MAX_STEPS: usize = 20;
/// How deep lists and scalars of an answer may stand.
const DEPTH: usize = 4;

/// A description.
pub(super) struct Spec<'a> {
    pub(super) root: &'a Value,
    /// OpenAPI 2.
    pub(super) old: bool,
}

/// A parameter of an endpoint.
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    /// `query`, `path`, `header`, `cookie`
    pub(super) place: &'a str,
    pub(super) required: bool,
    /// Its schema; of OpenAPI 2 the parameter itself.
    pub(super) schema: &'a Value,
}

impl<'a> Parameter<'a> {
    /// A value that the description gives for it.
    pub(super) fn value(&self) -> Option<&'a Value> {
        let scalar = |value: &&Value| !value.is_null() && !value.is_object() && !value.is_array();
        let named = ["default", "example"].iter().find_map(|key| self.schema.get(key).filter(scalar));
        named.or_else(|| self.schema.pointer("/enum/0").filter(scalar))
    }
}

/// The list of an answer.
pub(super) struct Found<'a> {
    /// Where it is.
    pub(super) selector: String,
    /// The fields of a record.
    pub(super) fields: Vec<&'a str>,
    /// Those that every record has.
    pub(super) required: BTreeSet<&'a str>,
    /// The scalars around the list: the keys that lead there, and their schemas.
    pub(super) around: Vec<(Vec<&'a str>, &'a Value)>,
}

impl<'a> Spec<'a> {
    pub(super) fn of(root: &'a Value) -> Option<Self> {
        let old = root.get("swagger").is_some();
        let described = old || root.get("openapi").is_some();
        (described && root.get("paths").is_some_and(Value::is_object)).then_some(Self { root, old })
    }

    /// What a reference leads to; anything else is itself.
    pub(super) fn resolved(&self, mut value: &'a Value) -> &'a Value {
        for _ in 0..MAX_STEPS {
            let Some(target) = value.get("$ref").and_then(Value::as_str) else { return value };
            // References into other files lead nowhere.
            let found = target.strip_prefix('#').and_then(|pointer| {
                let decoded = percent_encoding::percent_decode_str(pointer).decode_utf8().ok()?;
                self.root.pointer(&decoded)
            });
            match found {
                Some(found) => value = found,
                None => return value,
            }
        }
        value
    }

    /// Where the API is.
    pub(super) fn base_url(&self, from: Option<&Url>) -> Option<String> {
        let written = if self.old {
            let text = |key: &str| self.root.get(key).and_then(Value::as_str);
            let path = text("basePath").unwrap_or("/");
            let Some(host) = text("host") else {
                return from.and_then(|from| from.join(path).ok()).map(|url| with_slash(url.as_str()));
            };
            let https = self.root.get("schemes").and_then(Value::as_array).is_none_or(|schemes| {
                schemes.is_empty() || schemes.iter().any(|scheme| scheme.as_str() == Some("https"))
            });
            format!("{}://{host}/{}", if https { "https" } else { "http" }, path.trim_start_matches('/'))
        } else {
            let server = self.root.pointer("/servers/0")?;
            let mut url = server.get("url").and_then(Value::as_str)?.to_owned();
            for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
                let default = variable.get("default").and_then(Value::as_str).unwrap_or_default();
                url = url.replace(&format!("{{{name}}}"), default);
            }
            url
        };
        let url = match Url::parse(&written) {
            Ok(url) => url,
            Err(_) => from?.join(&written).ok()?,
        };
        Some(with_slash(url.as_str()))
    }

    /// The schema of the good answer of an operation.
    pub(super) fn answer(&self, operation: &'a Value) -> Option<&'a Value> {
        let responses = operation.get("responses")?;
        let response = ["200", "2XX", "2xx", "206"].iter().find_map(|status| responses.get(status))?;
        let response = self.resolved(response);
        if self.old {
            return response.get("schema").map(|schema| self.resolved(schema));
        }
        let content = response.get("content")?.as_object()?;
        let json = content.iter().find(|(kind, _)| kind.contains("json") || *kind == "*/*")?.1;
        json.get("schema").map(|schema| self.resolved(schema))
    }

    pub(super) fn has_link_header(&self, operation: &'a Value) -> bool {
        let response = operation.pointer("/responses/200").map(|response| self.resolved(response));
        let headers = response.and_then(|response| response.get("headers")?.as_object());
        headers.is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("link")))
    }

    /// The parameters of an operation: its own, and those of its path.
    pub(super) fn parameters(&self, path: &'a Value, operation: &'a Value) -> Vec<Parameter<'a>> {
        let mut found: Vec<Parameter<'a>> = Vec::new();
        for holder in [operation, path] {
            for one in holder.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                let one = self.resolved(one);
                let text = |key: &str| one.get(key).and_then(Value::as_str);
                let (Some(name), Some(place)) = (text("name"), text("in")) else { continue };
                if found.iter().any(|known| known.name == name && known.place == place) {
                    continue;
                }
                let schema = one.get("schema").map_or(one, |schema| self.resolved(schema));
                let required = one.get("required").and_then(Value::as_bool) == Some(true);
                found.push(Parameter { name, place, required, schema });
            }
        }
        found
    }

    /// The properties of an object, those of what it is made of (`allOf`) included, and which are required.
    fn properties(&self, schema: &'a Value, steps: usize) -> (Vec<(&'a str, &'a Value)>, BTreeSet<&'a str>) {
        let schema = self.resolved(schema);
        let (mut properties, mut required) = (Vec::new(), BTreeSet::new());
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            properties.push((name.as_str(), self.resolved(property)));
        }
        let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        required.extend(names.filter_map(Value::as_str));
        if steps < MAX_STEPS {
            for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                let (more, needed) = self.properties(part, steps + 1);
                properties.extend(more);
                required.extend(needed);
            }
            // Of several forms the first is as good as any.
            for key in ["oneOf", "anyOf"] {
                if let Some(part) =
                    schema.get(key).and_then(|parts| parts.get(0)).filter(|_| properties.is_empty())
                {
                    return self.properties(part, steps + 1);
                }
            }
        }
        (properties, required)
    }
}

fn with_slash(url: &str) -> String {
    if url.ends_with('/') { url.to_owned() } else { format!("{url}/") }
}

/// The list of records in the schema of an answer; `name` is what the path calls them.
pub(super) fn listing<'a>(spec: &Spec<'a>, schema: &'a Value, name: &str) -> Option<Found<'a>> {
    let (mut lists, mut around) = (Vec::new(), Vec::new());
    walk(spec, schema, &mut Vec::new(), &mut lists, &mut around);
    let named = |words: &[&str]| {
        lists.iter().find(|(keys, _)| {
            keys.last().is_some_and(|key| words.iter().any(|word| key.eq_ignore_ascii_case(word)))
        })
    };
    let root = || lists.iter().find(|(keys, _)| keys.is_empty());
    // Of several lists with other names none is certain.
    let only = || lists.first().filter(|_| lists.len() == 1);
    let (keys, record) = root().or_else(|| named(LISTS)).or_else(|| named(&[name])).or_else(only)?;
    // A single object may have a list of its own: `{id, tags: [...]}`.
    if let [only] = keys.as_slice()
        && !LISTS.contains(only)
        && around
            .iter()
            .any(|(beside, _)| matches!(beside.as_slice(), [key] if key.eq_ignore_ascii_case("id")))
    {
        return None;
    }
    let (properties, required) = spec.properties(record, 0);
    let fields = properties.into_iter().map(|(name, _)| name).collect();
    Some(Found { selector: crate::plan::propose::path(keys), fields, required, around })
}

/// Lists of objects and scalars, by the keys that lead to them.
fn walk<'a>(
    spec: &Spec<'a>,
    schema: &'a Value,
    keys: &mut Vec<&'a str>,
    lists: &mut Vec<(Vec<&'a str>, &'a Value)>,
    around: &mut Vec<(Vec<&'a str>, &'a Value)>,
) {
    let schema = spec.resolved(schema);
    if let Some(items) = schema.get("items") {
        let items = spec.resolved(items);
        if !spec.properties(items, 0).0.is_empty() || is_object(items) {
            lists.push((keys.clone(), items));
        }
        return;
    }
    let (properties, _) = spec.properties(schema, 0);
    if properties.is_empty() && !keys.is_empty() && !is_object(schema) {
        around.push((keys.clone(), schema));
        return;
    }
    if keys.len() < DEPTH {
        for (name, property) in properties {
            keys.push(name);
            walk(spec, property, keys, lists, around);
            keys.pop();
        }
    }
}

fn is_object(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
}
