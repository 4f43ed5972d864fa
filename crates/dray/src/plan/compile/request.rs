//! Path, parameters, headers and body of a resource's requests.

use url::Url;

use super::bind::{PathHoles, Peer};
use super::client::check_header;
use super::holes::{Holes, NoBare};
use super::{Problems, parents};
use crate::config::model::{EndpointConfig, Located, Param, ParamConfig, Spot};
use crate::config::node::{Map, Node, Value};
use crate::plan::{
    BodyPlan, ClientPlan, JsonTemplate, Method, ParamValue, Part, RequestPlan, Template, Text,
};

/// The request, whose placeholders fill `holes`.
pub(super) fn compile(
    endpoint: &EndpointConfig,
    peers: &[Peer],
    client: Option<&ClientPlan>,
    holes: &mut Holes<'_>,
    problems: &mut Problems<'_>,
) -> Option<RequestPlan> {
    let own = holes.own;
    let fallback = Located { value: Text::Plain(own.to_owned()), at: endpoint.at.clone() };
    let written = endpoint.path.as_ref().unwrap_or(&fallback);
    let own_path = peers.iter().find(|peer| peer.name == own).map_or("", |peer| peer.path.as_str());
    let mut bare = PathHoles::new(peers, own_path, &endpoint.params);
    let path = holes.template(&trimmed(&written.value), &written.at, &mut bare, problems);
    if let (Some(path), Some(client)) = (&path, client) {
        check_origin(path, &written.at, client, problems);
    }
    let used = bare.used;
    let params = params(&endpoint.params, &used, holes, problems);
    let mut headers = Vec::new();
    for header in &endpoint.headers {
        if check_header(header, problems)
            && let Some(value) = holes.template(&header.value.value, &header.value.at, &mut NoBare, problems)
        {
            headers.push((header.name.clone(), value));
        }
    }
    let body = match (&endpoint.json, &endpoint.data) {
        (Some(json), _) => json_template(&json.value, &json.at, holes, problems).map(BodyPlan::Json),
        (None, Some(data)) => {
            let mut form = Vec::new();
            for field in &data.value {
                if let Some(value) =
                    holes.template(&field.value.value, &field.value.at, &mut NoBare, problems)
                {
                    form.push((field.name.clone(), value));
                }
            }
            Some(BodyPlan::Form(form))
        }
        (None, None) => endpoint
            .text
            .as_ref()
            .and_then(|text| holes.template(&text.value, &text.at, &mut NoBare, problems))
            .map(BodyPlan::Text),
    };
    Some(RequestPlan { method: endpoint.method.unwrap_or(Method::Get), path: path?, params, headers, body })
}

/// Paths are appended to the base URL, with or without a slash before them.
fn trimmed(path: &Text) -> Text {
    match path {
        Text::Plain(path) => Text::Plain(path.trim().trim_start_matches('/').to_owned()),
        secret @ Text::Secret(_) => secret.clone(),
    }
}

/// An absolute URL goes only where credentials may go.
fn check_origin(path: &Template, at: &Spot, client: &ClientPlan, problems: &mut Problems<'_>) {
    let Some(Part::Text(text)) = path.parts.first() else { return };
    let text = text.expose();
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return;
    }
    let Ok(url) = Url::parse(text) else {
        problems.add(at, "the path looks like a URL, and is not one");
        return;
    };
    let origin = url.origin();
    if origin != client.base_url.origin() && !client.allowed_origins.contains(&origin) {
        let name = origin.ascii_serialization();
        problems.add_with_hint(
            at,
            format!("the path leads to another origin, `{name}`, which would get the API's credentials"),
            format!("if that is meant, add `client.allowed_origins: [\"{name}\"]`"),
        );
    }
}

fn params(
    params: &[Param],
    used: &[String],
    holes: &mut Holes<'_>,
    problems: &mut Problems<'_>,
) -> Vec<(Template, ParamValue)> {
    let mut compiled = Vec::new();
    for param in params {
        if used.contains(&param.name) {
            continue;
        }
        let value = match &param.value {
            ParamConfig::Null | ParamConfig::Incremental(_) => continue,
            ParamConfig::Resolve { resource, field, batch: Some(batch) } => holes
                .batched(&resource.value, field, batch, problems)
                .map(|part| ParamValue::One(Template { parts: vec![part] })),
            ParamConfig::Resolve { resource, field, batch: None } => {
                problems.add_with_hint(
                    &param.at,
                    format!("`{}` resolves a placeholder that the path does not have", param.name),
                    format!(
                        "as a parameter it is written `{}: \"{{resources.{}.{}}}\"`",
                        param.name, resource.value, field.value
                    ),
                );
                continue;
            }
            ParamConfig::One(text) => {
                holes.template(text, &param.at, &mut NoBare, problems).map(ParamValue::One)
            }
            ParamConfig::Many(texts) => {
                let mut many = Vec::new();
                for text in texts {
                    many.extend(holes.template(text, &param.at, &mut NoBare, problems));
                }
                Some(ParamValue::Many(many))
            }
        };
        let name = holes.template(&Text::Plain(param.name.clone()), &param.at, &mut NoBare, problems);
        compiled.extend(name.zip(value));
    }
    compiled
}

/// Whether a mapping in a body is no mapping but a list of values of the parent's records.
pub(super) fn is_batch(map: &Map) -> bool {
    map.contains("batch") && map.get("type").and_then(Node::as_text) == Some("resolve")
}

fn json_template(
    node: &Node,
    at: &Spot,
    holes: &mut Holes<'_>,
    problems: &mut Problems<'_>,
) -> Option<JsonTemplate> {
    Some(match &node.value {
        Value::Null => JsonTemplate::Literal(serde_json::Value::Null),
        Value::Bool(flag) => JsonTemplate::Literal((*flag).into()),
        Value::Int(number) => JsonTemplate::Literal((*number).into()),
        Value::Float(number) => JsonTemplate::Literal((*number).into()),
        Value::Text(text) => {
            JsonTemplate::Text(holes.template(&Text::Plain(text.clone()), at, &mut NoBare, problems)?)
        }
        Value::Secret(secret) => {
            JsonTemplate::Text(holes.template(&Text::Secret(secret.clone()), at, &mut NoBare, problems)?)
        }
        Value::List(items) => {
            let mut list = Vec::new();
            for (index, item) in items.iter().enumerate() {
                list.extend(json_template(item, &at.item(index, item), holes, problems));
            }
            JsonTemplate::List(list)
        }
        Value::Map(map) if is_batch(map) => {
            return parents::batch_in_json(map, at, holes, problems);
        }
        Value::Map(map) => {
            let mut entries = Vec::new();
            for entry in &map.entries {
                let at = at.key(&entry.key, &entry.value);
                if let Some(value) = json_template(&entry.value, &at, holes, problems) {
                    entries.push((entry.key.clone(), value));
                }
            }
            JsonTemplate::Map(entries)
        }
    })
}
