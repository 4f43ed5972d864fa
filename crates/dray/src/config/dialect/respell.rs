//! Keys in other words get dlt's names, everywhere in the tree.

use super::super::node::{Entry, Map, Node, Value};
use super::spelling::Writer;
use super::{Notes, auth, described, incremental, jinja, paginator, selector};

/// Gives every key dlt's name. Runs after overriding from outside and before templates are resolved.
#[must_use]
pub fn respell(mut root: Node, notes: &mut Notes) -> Node {
    let mut writer = Writer { notes, resource: None };
    let Some(map) = root.as_map_mut() else { return root };
    described::without_prose(map, &mut writer);
    let mut error_handlers = Vec::new();
    if let Some(client) = map.get_mut("client").and_then(Node::as_map_mut) {
        client_keys(client, &mut writer);
        error_handlers.extend(client.remove("error_handler"));
    }
    if let Some(defaults) = map.get_mut("resource_defaults").and_then(Node::as_map_mut) {
        resource(defaults, &mut writer);
        error_handlers.extend(take_error_handler(defaults));
    }
    if let Some(Value::List(items)) = map.get_mut("resources").map(|node| &mut node.value) {
        for item in items {
            let Some(map) = item.as_map_mut() else { continue };
            writer.resource = map.get("name").and_then(Node::as_text).map(str::to_owned);
            resource(map, &mut writer);
            error_handlers.extend(take_error_handler(map));
        }
    }
    writer.resource = None;
    if let Some(client) = map.get_mut("client").and_then(Node::as_map_mut) {
        retry(client, error_handlers, &mut writer);
    }
    root
}

fn client_keys(client: &mut Map, writer: &mut Writer<'_>) {
    writer.rename(client, &["pagination"], "paginator");
    writer.rename(client, &["authentication"], "auth");
    described::headers(client, writer);
    for key in ["auth", "headers"] {
        if let Some(node) = client.get_mut(key) {
            jinja_values(node, writer);
        }
    }
    if let Some(node) = client.get_mut("base_url") {
        jinja_text(node, jinja::in_path, writer);
    }
    if let Some(node) = client.get_mut("auth") {
        auth::respell(node, writer);
    }
    if let Some(node) = client.get_mut("paginator") {
        paginator::respell(node, writer);
    }
}

fn resource(resource: &mut Map, writer: &mut Writer<'_>) {
    writer.rename(resource, &["enabled"], "when");
    // These stand in the resource in the dialect, and in its endpoint in dlt.
    for key in ["incremental_sync", "error_handler", "paginator", "pagination", "data_selector", "params"] {
        let Some(entry) = resource.remove(key) else { continue };
        let place = entry.place;
        if !resource.contains("endpoint") {
            resource.insert("endpoint", place, Node::new(Value::Map(Map::default()), place));
        }
        match resource.get_mut("endpoint").and_then(Node::as_map_mut) {
            Some(endpoint) if !endpoint.contains(key) => {
                writer.note(format!("`{key}` is read as a key of `endpoint`"));
                endpoint.entries.push(entry);
            }
            _ => resource.entries.push(entry),
        }
    }
    match resource.get_mut("endpoint") {
        Some(node) if node.as_text().is_some() => jinja_text(node, jinja::in_path, writer),
        Some(node) => {
            if let Some(map) = node.as_map_mut() {
                endpoint(map, writer);
            }
        }
        None => {}
    }
}

fn endpoint(endpoint: &mut Map, writer: &mut Writer<'_>) {
    writer.rename(endpoint, &["pagination"], "paginator");
    writer.rename(endpoint, &["http_method"], "method");
    if endpoint.get("body").is_some_and(|body| body.as_map().is_some()) {
        writer.rename(endpoint, &["body"], "json");
    }
    if let Some(node) = endpoint.get_mut("method")
        && let Some(written) = node.as_text().map(str::to_owned)
        && matches!(written.as_str(), "get" | "post" | "Get" | "Post")
    {
        node.value = Value::Text(written.to_uppercase());
    }
    if let Some(node) = endpoint.get_mut("path") {
        jinja_text(node, jinja::in_path, writer);
    }
    for key in ["params", "headers", "json", "data"] {
        if let Some(node) = endpoint.get_mut(key) {
            jinja_values(node, writer);
        }
    }
    if let Some(node) = endpoint.get_mut("auth") {
        auth::respell(node, writer);
    }
    if let Some(node) = endpoint.get_mut("paginator") {
        paginator::respell(node, writer);
    }
    selector::respell(endpoint, writer);
    incremental::respell(endpoint, writer);
}

fn jinja_text(node: &mut Node, read: impl Fn(&str) -> Option<String>, writer: &mut Writer<'_>) {
    let Some(written) = node.as_text() else { return };
    if let Some(found) = jinja::replaced(written, read) {
        writer.note(format!("`{written}` is read as `{found}`"));
        node.value = Value::Text(found);
    }
}

fn jinja_values(node: &mut Node, writer: &mut Writer<'_>) {
    match &mut node.value {
        Value::Text(_) => jinja_text(node, jinja::in_value, writer),
        Value::List(items) => items.iter_mut().for_each(|item| jinja_values(item, writer)),
        Value::Map(map) => map.entries.iter_mut().for_each(|entry| jinja_values(&mut entry.value, writer)),
        _ => {}
    }
}

fn take_error_handler(resource: &mut Map) -> Option<Entry> {
    resource.get_mut("endpoint").and_then(Node::as_map_mut).and_then(|map| map.remove("error_handler"))
}

/// The first `error_handler` is the client's retry, since a client has one.
fn retry(client: &mut Map, handlers: Vec<Entry>, writer: &mut Writer<'_>) {
    if client.contains("retry") {
        return;
    }
    let mut handlers = handlers.into_iter();
    let Some(first) = handlers.next() else { return };
    let place = first.place;
    let different = handlers.filter(|other| !same(&other.value, &first.value)).count();
    let Value::Map(handler) = first.value.value else { return };
    let mut retry = Map::default();
    for entry in handler.entries {
        let key = match entry.key.as_str() {
            "retry_on_status_codes" | "status_codes" | "retry_statuses" => "statuses",
            "max_retries" => "max_retries",
            "backoff_factor" => "backoff_factor",
            other => {
                writer.note(format!("`error_handler.{other}` is ignored"));
                continue;
            }
        };
        retry.insert(key, entry.place, entry.value);
    }
    writer.note("`error_handler` is read as `client.retry`");
    if different > 0 {
        writer.note(format!(
            "{different} of the `error_handler`s differ from the first, which is used for all"
        ));
    }
    client.insert("retry", place, Node::new(Value::Map(retry), place));
}

/// Equal but for their places.
fn same(left: &Node, right: &Node) -> bool {
    match (&left.value, &right.value) {
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left
                    .entries
                    .iter()
                    .all(|entry| right.get(&entry.key).is_some_and(|other| same(&entry.value, other)))
        }
        (left, right) => left == right,
    }
}
