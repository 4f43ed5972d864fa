//! A configuration from a description of an API: OpenAPI 3, or 2 (Swagger). For `dray init --openapi`.
//!
//! Every `GET` whose answer is a list becomes a resource. What the description leaves open is a comment, never a guess that
//! looks like knowledge.

mod auth;
mod paging;
mod parents;
mod schema;

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use super::propose::{Draft, list, map, node_of, text};
use super::singular::singular;
use crate::config::lists::escaped;
use crate::config::node::Node;
use crate::config::write::Comments;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::naming::normalize;
use schema::{Found, Spec};

/// Endpoints that are named as left out, at the most.
const NAMED: usize = 20;
/// Where the API is, if the description does not say.
const NOWHERE: &str = "https://api.example.com/";

/// A list of the API.
struct Endpoint {
    /// As the description has it: `/customers/{id}/orders`.
    path: String,
    draft: Draft,
    /// Parameters of the path that no parent gives, and required ones of the query without a value.
    open: Vec<String>,
    comments: Vec<(&'static str, String)>,
}

/// A description without templates: it may come from anybody, and must not look up what is here.
fn inert(description: &Value) -> Value {
    match description {
        Value::String(written) => Value::String(escaped(written)),
        Value::Array(items) => Value::Array(items.iter().map(inert).collect()),
        Value::Object(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (escaped(key), inert(value))).collect())
        }
        other => other.clone(),
    }
}

/// The configuration of an API from its description, with comments. `from`: where the description was found.
///
/// # Errors
/// If it is no description, or has no list.
pub fn configuration(description: &Value, from: Option<&Url>) -> Result<(Node, Comments)> {
    let description = &inert(description);
    let spec = Spec::of(description).ok_or_else(|| {
        Error::new(ErrorKind::Config, "this is no OpenAPI description")
            .hint("it begins with `openapi: 3...` or `swagger: \"2.0\"`, and has `paths`")
    })?;
    let mut left_out = Vec::new();
    let mut endpoints = endpoints(&spec, &mut left_out);
    if endpoints.is_empty() {
        return Err(Error::new(
            ErrorKind::Config,
            "no GET of this description answers with a list of objects",
        )
        .hint("dray init with the address of a list looks at the answer itself"));
    }
    names(&mut endpoints);
    parents::bind(&mut endpoints, &mut left_out);
    let mut comments = Comments::default();
    let title = spec.root.pointer("/info/title").and_then(Value::as_str).unwrap_or("an API");
    comments.add("", &format!("Written by dray init --openapi from the description of {title}. Look it through, then: dray run FILE"));
    if !left_out.is_empty() {
        let more = left_out.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let shown: Vec<&str> = left_out.iter().take(NAMED).map(String::as_str).collect();
        comments.add("", &format!("Left out: {}{more}.", shown.join("; ")));
    }
    let mut top = Vec::new();
    let open: BTreeSet<&String> = endpoints.iter().flat_map(|endpoint| &endpoint.open).collect();
    if !open.is_empty() {
        comments.add("vars", "The API needs these, and the description gives no value: set them.");
        top.push(("vars", map(open.iter().map(|name| ((*name).clone(), text("SET THIS"))).collect())));
    }
    top.push(("client", client(&spec, from, &mut comments)));
    for (index, endpoint) in endpoints.iter().enumerate() {
        for (place, comment) in &endpoint.comments {
            comments.add(format!("resources[{index}]{place}"), comment);
        }
    }
    top.push(("resources", list(endpoints.iter().map(|endpoint| endpoint.draft.node()).collect())));
    Ok((map(top), comments))
}

fn client(spec: &Spec<'_>, from: Option<&Url>, comments: &mut Comments) -> Node {
    let base_url = spec.base_url(from).unwrap_or_else(|| {
        comments.add("client.base_url", "The description does not say where the API is: set this.");
        NOWHERE.to_owned()
    });
    let mut client = vec![("base_url", text(&base_url))];
    if let Some((auth, comment)) = auth::auth(spec) {
        client.push(("auth", auth));
        if let Some(comment) = comment {
            comments.add("client.auth", &comment);
        }
    }
    map(client)
}

/// Every GET that answers with a list, in the order of the description.
fn endpoints(spec: &Spec<'_>, left_out: &mut Vec<String>) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    let Some(paths) = spec.root.get("paths").and_then(Value::as_object) else { return endpoints };
    for (path, methods) in paths {
        let methods = spec.resolved(methods);
        let Some(get) = methods.get("get") else { continue };
        if get.get("deprecated").and_then(Value::as_bool) == Some(true) {
            left_out.push(format!("GET {path} (deprecated)"));
            continue;
        }
        let segment =
            path.rsplit('/').find(|part| !part.is_empty() && !part.starts_with('{')).unwrap_or("records");
        match spec.answer(get).and_then(|answer| schema::listing(spec, answer, segment)) {
            Some(found) => endpoints.push(endpoint(spec, path, segment, methods, get, &found)),
            // An object of its own is no list, and needs no word.
            None if path.ends_with('}') => {}
            None => left_out.push(format!("GET {path} (its answer is not described as a list)")),
        }
    }
    endpoints
}

fn endpoint(
    spec: &Spec<'_>,
    path: &str,
    segment: &str,
    methods: &Value,
    get: &Value,
    found: &Found<'_>,
) -> Endpoint {
    let name = normalize(segment);
    let mut comments = Vec::new();
    if let Some(summary) = get.get("summary").and_then(Value::as_str) {
        comments.push(("", summary.to_owned()));
    }
    let mut draft =
        Draft { name: name.clone(), path: path.trim_start_matches('/').to_owned(), ..Draft::default() };
    draft.selector = Some(found.selector.clone());
    let key = key(found, &name);
    match &key {
        Some((key, required)) => {
            draft.primary_key = vec![key.clone()];
            draft.disposition = Some("merge");
            if !required {
                comments.push((
                    ".primary_key",
                    "The description does not promise it in every record.".to_owned(),
                ));
            }
        }
        None => {
            draft.disposition = Some("replace");
            comments.push((
                ".write_disposition",
                "No field is described that tells records apart, so each run replaces them all.".to_owned(),
            ));
        }
    }
    let parameters = spec.parameters(methods, get);
    let paging = paging::paging(
        &parameters,
        found,
        spec.has_link_header(get),
        key.as_ref().map(|(key, _)| key.as_str()),
    );
    if let Some(comment) = paging.comment {
        let place = if paging.keys.is_empty() { ".endpoint" } else { ".endpoint.paginator" };
        comments.push((place, comment));
    }
    let sent: Vec<&str> = paging
        .keys
        .iter()
        .filter(|(key, _)| key.ends_with("_param"))
        .filter_map(|(_, name)| name.as_str())
        .collect();
    let mut open = Vec::new();
    for parameter in parameters.iter().filter(|one| one.required && !sent.contains(&one.name)) {
        match parameter.place {
            "query" => {
                let value = match parameter.value() {
                    Some(Value::String(value)) => text(&value.replace('{', "{{").replace('}', "}}")),
                    Some(value) => node_of(value),
                    None => {
                        open.push(normalize(parameter.name));
                        text(&format!("${{vars.{}}}", normalize(parameter.name)))
                    }
                };
                draft.params.push((parameter.name.to_owned(), value));
            }
            "header" => comments.push((
                ".endpoint",
                format!("The API requires the header `{}`: add it to client.headers.", parameter.name),
            )),
            _ => {}
        }
    }
    draft.paginator = paging.keys;
    Endpoint { path: path.to_owned(), draft, open, comments }
}

/// The field that tells the records apart, and whether the description requires it.
fn key(found: &Found<'_>, name: &str) -> Option<(String, bool)> {
    let one = singular(name);
    let words = [
        "id".to_owned(),
        "uuid".to_owned(),
        "guid".to_owned(),
        "_id".to_owned(),
        format!("{one}_id"),
        format!("{one}id"),
    ];
    let key =
        words.iter().find_map(|word| found.fields.iter().find(|field| field.eq_ignore_ascii_case(word)))?;
    Some(((*key).to_owned(), found.required.contains(key)))
}

/// Names that are the same get the segments before them.
fn names(endpoints: &mut [Endpoint]) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for endpoint in endpoints {
        let segments: Vec<&str> =
            endpoint.path.split('/').filter(|part| !part.is_empty() && !part.starts_with('{')).collect();
        let mut name = endpoint.draft.name.clone();
        let mut count = 2;
        while taken.contains(&name) {
            name = match segments.len().checked_sub(count).and_then(|from| segments.get(from..)) {
                Some(longer) => normalize(&longer.join("_")),
                None => format!("{}_{count}", endpoint.draft.name),
            };
            count += 1;
        }
        taken.insert(name.clone());
        endpoint.draft.name = name;
    }
}

#[cfg(test)]
mod tests;
