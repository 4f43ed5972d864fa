//! BASE_CONFIG / ENDPOINTS / DEPENDENCIES become `client` and `resources`.

use url::Url;

use super::super::connectors;
use super::super::node::{Entry, Map, Node, Place, Value};
use super::Notes;
use super::spelling::{Writer, set, text};

/// Keys of an ENDPOINTS entry that belong to the resource; all others are its endpoint's.
const OF_RESOURCE: [&str; 9] = [
    "name",
    "primary_key",
    "merge_key",
    "write_disposition",
    "columns",
    "table_name",
    "selected",
    "include_from_parent",
    "max_table_nesting",
];

/// Gives a file dlt's shape. Runs before anything is overridden from outside, because the base URL as written
/// says which API the file describes.
#[must_use]
pub fn restructure(root: Node, notes: &mut Notes) -> Node {
    let place = root.place;
    let Value::Map(mut map) = root.value else { return root };
    if !map.contains("ENDPOINTS") && !map.contains("BASE_CONFIG") {
        return Node::new(Value::Map(map), place);
    }
    let mut writer = Writer { notes, resource: None };
    writer.note("BASE_CONFIG and ENDPOINTS are read as `client` and `resources`");
    let mut client = match map.remove("BASE_CONFIG").map(|entry| entry.value.value) {
        Some(Value::Map(client)) => client,
        _ => Map::default(),
    };
    let mut resources = Vec::new();
    if let Some(Value::List(endpoints)) = map.remove("ENDPOINTS").map(|entry| entry.value.value) {
        for endpoint in endpoints {
            resources.push(resource(endpoint, &mut writer));
        }
    }
    let is_stripe =
        origin(&client).is_some_and(|origin| origin.ascii_serialization() == "https://api.stripe.com");
    if is_stripe {
        for node in &mut resources {
            stripe_created(node, &mut writer);
        }
    }
    let dependencies = match map.remove("DEPENDENCIES").map(|entry| entry.value.value) {
        Some(Value::List(dependencies)) => dependencies,
        _ => Vec::new(),
    };
    for dependency in &dependencies {
        if let Some(dependency) = dependency.as_map() {
            depend(dependency, &mut client, &mut resources, &mut writer);
        }
    }
    let mut shaped = Map::default();
    shaped.insert("client", place, Node::new(Value::Map(client), place));
    shaped.insert("resources", place, Node::new(Value::List(resources), place));
    shaped.entries.append(&mut map.entries);
    Node::new(Value::Map(shaped), place)
}

fn resource(node: Node, writer: &mut Writer<'_>) -> Node {
    let place = node.place;
    let Value::Map(map) = node.value else { return node };
    let mut resource = Map::default();
    let mut endpoint = Map::default();
    writer.resource = text(&map, "name").map(str::to_owned);
    for entry in map.entries {
        let key = entry.key.as_str();
        if OF_RESOURCE.contains(&key) {
            if !entry.value.is_null() {
                resource.entries.push(entry);
            }
        } else if key == "data_selector" && entry.value.is_null() {
            set(&mut endpoint, "data_selector", entry.place, "$");
            writer.note("no `data_selector`: the whole body");
        } else if key == "path_template" {
            if !endpoint.contains("path") {
                endpoint.entries.push(Entry { key: "path".to_owned(), ..entry });
            }
        } else if key == "dependencies" {
            writer.note("`dependencies` of an endpoint is ignored: DEPENDENCIES or a placeholder says it");
        } else if !entry.value.is_null() {
            endpoint.entries.push(entry);
        }
    }
    if resource.contains("primary_key") && !resource.contains("write_disposition") {
        set(&mut resource, "write_disposition", place, "merge");
        writer.note("endpoints with a `primary_key` are merged by it");
    }
    writer.resource = None;
    resource.insert("endpoint", place, Node::new(Value::Map(endpoint), place));
    Node::new(Value::Map(resource), place)
}

fn origin(client: &Map) -> Option<url::Origin> {
    Url::parse(text(client, "base_url")?.trim()).ok().map(|url| url.origin())
}

/// Stripe takes `created[gte]`; a bare `created` would ask for one second.
fn stripe_created(node: &mut Node, writer: &mut Writer<'_>) {
    let Some(resource) = node.as_map_mut() else { return };
    writer.resource = text(resource, "name").map(str::to_owned);
    let incremental = resource
        .get_mut("endpoint")
        .and_then(Node::as_map_mut)
        .and_then(|endpoint| endpoint.get_mut("incremental"))
        .and_then(Node::as_map_mut);
    if let Some(incremental) = incremental {
        for key in ["param_name", "start_param"] {
            if text(incremental, key) == Some("created") {
                let place = incremental.entry(key).map(|entry| entry.place).unwrap_or_default();
                set(incremental, key, place, "created[gte]");
                writer.note(
                    "the parameter `created` is sent as `created[gte]`, which is how Stripe takes a start",
                );
            }
        }
    }
    writer.resource = None;
}

/// One entry of DEPENDENCIES.
fn depend(dependency: &Map, client: &mut Map, resources: &mut Vec<Node>, writer: &mut Writer<'_>) {
    let (Some(child), Some(parent)) = (text(dependency, "endpoint"), text(dependency, "depends_on")) else {
        writer.note("an entry of DEPENDENCIES without `endpoint` and `depends_on` is ignored");
        return;
    };
    let defined = find(resources, child).is_some();
    for name in [parent, child] {
        if find(resources, name).is_none() && !adopt(name, client, resources, writer) {
            writer.note(format!(
                "the dependency of `{child}` on `{parent}` is ignored: `{name}` is not among ENDPOINTS"
            ));
            return;
        }
    }
    if !defined {
        // The connector's own resource knows its parent.
        return;
    }
    let Some(mapping) = dependency.get("param_mapping").and_then(Node::as_map) else { return };
    if let Some(node) = find_mut(resources, child).and_then(Node::as_map_mut) {
        wire(node, parent, mapping, writer);
    }
}

fn find<'a>(resources: &'a [Node], name: &str) -> Option<&'a Node> {
    resources.iter().find(|node| node.as_map().and_then(|map| text(map, "name")) == Some(name))
}

fn find_mut<'a>(resources: &'a mut [Node], name: &str) -> Option<&'a mut Node> {
    resources.iter_mut().find(|node| node.as_map().and_then(|map| text(map, "name")) == Some(name))
}

/// `{invoice: id}`: the child asks with the parent's `id` and carries it as `invoice`.
fn wire(child: &mut Map, parent: &str, mapping: &Map, writer: &mut Writer<'_>) {
    let mut include = Map::default();
    writer.resource = text(child, "name").map(str::to_owned);
    let Some(endpoint) = child.get_mut("endpoint").and_then(Node::as_map_mut) else { return };
    let path = text(endpoint, "path").unwrap_or_default().to_owned();
    for entry in &mapping.entries {
        let Some(field) = entry.value.as_text() else { continue };
        let (name, place) = (entry.key.as_str(), entry.place);
        if !endpoint.contains("params") {
            endpoint.insert("params", place, Node::new(Value::Map(Map::default()), place));
        }
        let Some(params) = endpoint.get_mut("params").and_then(Node::as_map_mut) else { return };
        let in_path = path.contains(&format!("{{{name}}}")) || path.contains(&format!("{{{{ {name} }}}}"));
        if in_path {
            let mut resolve = Map::default();
            set(&mut resolve, "type", place, "resolve");
            set(&mut resolve, "resource", place, parent);
            set(&mut resolve, "field", place, field);
            params.insert(name, place, Node::new(Value::Map(resolve), place));
        } else {
            set(params, name, place, format!("{{resources.{parent}.{field}}}"));
        }
        let how = if in_path { "in the path" } else { "as a parameter" };
        writer.note(format!(
            "`{name}` {how} is `{field}` of each record of `{parent}`, which every row carries"
        ));
        set(&mut include, name, place, field);
    }
    writer.resource = None;
    if !child.contains("include_from_parent") {
        child.insert(
            "include_from_parent",
            Place::default(),
            Node::new(Value::Map(include), Place::default()),
        );
    }
}

/// Takes a resource, and what it depends on, from the connector that is shipped for the file's API.
fn adopt(name: &str, client: &mut Map, resources: &mut Vec<Node>, writer: &mut Writer<'_>) -> bool {
    let Some((connector, tree)) = origin(client).and_then(|origin| connectors::of_origin(&origin)) else {
        return false;
    };
    let Some(tree) = tree.as_map() else { return false };
    let shipped = tree.get("resources").and_then(Node::as_list).unwrap_or_default();
    let Some(found) = find(shipped, name) else { return false };
    let defaults = tree.get("resource_defaults").and_then(Node::as_map);
    let mut whole = found.clone();
    if let (Some(map), Some(defaults)) = (whole.as_map_mut(), defaults) {
        with_defaults(map, defaults);
    }
    for parent in shipped.iter().filter_map(|node| text(node.as_map()?, "name")) {
        if parent != name
            && mentions(&whole, &format!("{{resources.{parent}."))
            && find(resources, parent).is_none()
        {
            adopt(parent, client, resources, writer);
        }
    }
    writer.note(format!("`{name}` is not among ENDPOINTS: it is taken from the connector `{connector}`"));
    resources.push(whole);
    // What the connector knows of the API as such holds for its resources too.
    if let Some(known) = tree.get("client").and_then(Node::as_map) {
        for key in ["headers", "retry", "rate_limit"] {
            if let Some(value) = known.get(key).filter(|_| !client.contains(key)) {
                client.insert(key, Place::default(), value.clone());
                writer.note(format!("`client.{key}` is taken from the connector `{connector}`"));
            }
        }
    }
    true
}

/// dlt's merge: the resource's keys win, in the endpoint too.
fn with_defaults(resource: &mut Map, defaults: &Map) {
    for entry in &defaults.entries {
        match resource.get_mut(&entry.key) {
            None => resource.entries.push(entry.clone()),
            Some(own) if entry.key == "endpoint" => {
                if let (Some(own), Some(under)) = (own.as_map_mut(), entry.value.as_map()) {
                    for entry in &under.entries {
                        if !own.contains(&entry.key) {
                            own.entries.push(entry.clone());
                        }
                    }
                }
            }
            Some(_) => {}
        }
    }
}

fn mentions(node: &Node, what: &str) -> bool {
    match &node.value {
        Value::Text(text) => text.contains(what),
        Value::List(items) => items.iter().any(|item| mentions(item, what)),
        Value::Map(map) => map.entries.iter().any(|entry| mentions(&entry.value, what)),
        _ => false,
    }
}
