//! `endpoint`: a path, or a mapping.

use super::super::model::{BatchConfig, EndpointConfig, Header, Located, Param, ParamConfig, Spot};
use super::super::node::{Node, Value};
use super::fields::{Fields, Reader};
use super::{actions, auth, expand, format, incremental, paginator};
use crate::plan::{Method, Text};

pub(super) fn read(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> EndpointConfig {
    let mut endpoint = EndpointConfig { at: at.clone(), ..EndpointConfig::default() };
    if let Value::Text(_) | Value::Secret(_) = &node.value {
        endpoint.path = reader.scalar(node, at).map(|value| Located { value, at: at.clone() });
        return endpoint;
    }
    let Some(mut fields) = Fields::open(reader, node, at) else { return endpoint };
    endpoint.path = fields.text(reader, "path");
    endpoint.method = fields.plain(reader, "method").and_then(|word| method(reader, &word));
    if let Some((node, at)) = fields.take("params") {
        endpoint.params = params(reader, node, &at);
    }
    if let Some((node, at)) = fields.take("json") {
        if node.as_map().is_some() {
            endpoint.json = Some(Located { value: node.clone(), at });
        } else {
            reader.expected(&at, "a mapping", node);
        }
    }
    let mut raw = None;
    if let Some((node, at)) = fields.take("data") {
        if let Value::Text(_) | Value::Secret(_) = &node.value {
            raw = reader.scalar(node, &at).map(|value| Located { value, at });
            reader.note("a text in `data` is read as `text`");
        } else if let Some(value) = form(reader, node, &at) {
            endpoint.data = Some(Located { value, at });
        }
    }
    if let (Some(_), Some(data)) = (&endpoint.json, &endpoint.data) {
        reader.problem(&data.at.clone(), "`json` and `data` exclude each other");
    }
    let own = fields.text(reader, "text");
    let two = endpoint.json.is_some() || endpoint.data.is_some() || (own.is_some() && raw.is_some());
    endpoint.text = own.or(raw);
    if let Some(text) = endpoint.text.as_ref().filter(|_| two) {
        reader.problem(&text.at, "`text` excludes `json` and `data`");
    }
    endpoint.headers = fields.headers(reader, "headers");
    if let Some((node, at)) = fields.take("paginator") {
        endpoint.paginator = paginator::read(reader, node, &at);
    }
    endpoint.data_selector = fields.plain(reader, "data_selector");
    if let Some((node, at)) = fields.take("incremental") {
        endpoint.incremental = incremental::read(reader, node, &at, false);
    }
    if let Some((node, at)) = fields.take("response_actions") {
        endpoint.response_actions = Some(actions::read(reader, node, &at));
    }
    if let Some((node, at)) = fields.take("format") {
        endpoint.format = format::read(reader, node, &at);
    }
    if let Some((node, at)) = fields.written("auth") {
        endpoint.auth = auth::read(reader, node, &at).map(|value| Located { value, at });
    }
    if let Some((node, at)) = fields.take("expand") {
        endpoint.expand = expand::read(reader, node, &at);
    }
    endpoint.parent_filter = fields.plain(reader, "parent_filter");
    if fields.flag(reader, "data_selector_required").is_some() {
        reader.note(
            "`data_selector_required` changes nothing: a selector that finds nothing is always an error",
        );
    }
    fields.refuse(reader, "body", "has no mapping", "use `json` for a mapping, or `data` for form fields");
    fields.refuse(
        reader,
        "record_filter",
        "is not supported",
        "filter rows in SQL after the load, or by a parameter of the API",
    );
    fields.refuse(
        reader,
        "partition_router",
        "is not supported",
        "a parent is named by a placeholder: `{resources.<name>.<field>}`; for a list of values write `for_each: {x: [...]}` and `${each.x}`",
    );
    fields.refuse(reader, "hooks", "exists only in Python", "use `response_actions`");
    endpoint.nulls = fields.nulls();
    fields.finish(reader);
    endpoint
}

/// Form fields: a mapping, in which a list repeats its field, or a list of names with values.
fn form(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<Vec<Header>> {
    let mut form = Vec::new();
    match &node.value {
        Value::Map(map) => {
            for entry in &map.entries {
                let at = at.key(&entry.key, &entry.value);
                field(reader, &entry.key, &entry.value, &at, &mut form);
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let at = at.item(index, item);
                match item.as_list() {
                    Some([name, value]) => {
                        if let Some(name) = reader.plain(name, &at) {
                            field(reader, &name.value, value, &at, &mut form);
                        }
                    }
                    _ => reader.expected(&at, "a name and a value", item),
                }
            }
        }
        _ => {
            reader.expected(at, "a mapping of form fields, or a text", node);
            return None;
        }
    }
    Some(form)
}

fn field(reader: &mut Reader<'_>, name: &str, node: &Node, at: &Spot, form: &mut Vec<Header>) {
    let values = match &node.value {
        Value::Null => return,
        Value::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    for node in values {
        if let Some(value) = reader.scalar(node, at) {
            form.push(Header { name: name.to_owned(), value: Located { value, at: at.clone() } });
        }
    }
}

fn method(reader: &mut Reader<'_>, word: &Located<String>) -> Option<Method> {
    match word.value.as_str() {
        "GET" => Some(Method::Get),
        "POST" => Some(Method::Post),
        "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" => {
            reader.problem(&word.at, format!("`{}` does not read: only GET and POST are sent", word.value));
            None
        }
        other => {
            reader.unknown_word(&word.at, "method", other, &["GET", "POST"]);
            None
        }
    }
}

pub(super) fn params(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Vec<Param> {
    let Some(map) = node.as_map() else {
        reader.expected(at, "a mapping of names to values", node);
        return Vec::new();
    };
    let mut params = Vec::new();
    for entry in &map.entries {
        let at = at.key(&entry.key, &entry.value);
        if let Some(value) = param(reader, &entry.value, &at) {
            params.push(Param { name: entry.key.clone(), at, value });
        }
    }
    params
}

fn param(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<ParamConfig> {
    match &node.value {
        Value::Null => Some(ParamConfig::Null),
        Value::List(items) => {
            let mut texts: Vec<Text> = Vec::new();
            // A null among them is left out, as one alone is.
            for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_null()) {
                texts.extend(reader.scalar(item, &at.item(index, item)));
            }
            Some(ParamConfig::Many(texts))
        }
        Value::Map(map) => match map.get("type").and_then(Node::as_text) {
            Some("incremental") => incremental::read(reader, node, at, true)
                .map(|found| ParamConfig::Incremental(Box::new(found))),
            Some("resolve") => {
                let mut fields = Fields::open(reader, node, at)?;
                fields.written("type");
                let resource = fields.plain(reader, "resource");
                let field = fields.plain(reader, "field");
                let size = fields.take("batch");
                let size = size.and_then(|(node, at)| Some(Located { value: reader.whole(node, &at)?, at }));
                let separator = fields.plain(reader, "separator");
                if let Some(separator) =
                    separator.as_ref().filter(|text| size.is_none() || text.value.is_empty())
                {
                    reader.problem(&separator.at, "`separator` is a text between the values of a `batch`");
                }
                let separator = separator.map(|text| text.value);
                let batch = size.map(|size| BatchConfig { size, separator });
                for (key, found) in [("resource", &resource), ("field", &field)] {
                    if found.is_none() {
                        reader.problem(at, format!("missing key `{key}`"));
                    }
                }
                fields.finish(reader);
                Some(ParamConfig::Resolve { resource: resource?, field: field?, batch })
            }
            _ => {
                reader.problem_with_hint(
                    at,
                    "a mapping is not the value of a parameter",
                    "write text, a number, a list, or `{type: resolve, resource, field}` or `{type: incremental, cursor_path}`",
                );
                None
            }
        },
        _ => reader.scalar(node, at).map(ParamConfig::One),
    }
}
