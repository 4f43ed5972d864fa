//! What documents about an API say beside its configuration: prose in keys of its own, and credentials in odd places.

use super::super::node::{Map, Node, Value};
use super::spelling::{Writer, set, text};

/// Keys that tell of an API and configure nothing.
pub(crate) const PROSE: [&str; 9] = [
    "auth_info",
    "notes",
    "errors",
    "source_metadata",
    "possible_base_urls",
    "possible_endpoints",
    "pagination_info",
    "most_recurring_base_url",
    "endpoints",
];

/// Leaves the prose out where there is a configuration beside it.
pub(super) fn without_prose(root: &mut Map, writer: &mut Writer<'_>) {
    if !(root.contains("client") && root.contains("resources")) {
        // The reader says what is missing; nothing in the prose is a template.
        for entry in root.entries.iter_mut().filter(|entry| PROSE.contains(&entry.key.as_str())) {
            entry.value.value = Value::Null;
        }
        return;
    }
    let mut left: Vec<String> = Vec::new();
    for key in PROSE {
        if root.remove(key).is_some() {
            left.push(format!("`{key}`"));
        }
    }
    if !left.is_empty() {
        writer.note(format!("{} tell of the API and are not read", left.join(", ")));
    }
}

/// Headers that stand in `auth`, and credentials that are keys of the client, become `client.headers`.
pub(super) fn headers(client: &mut Map, writer: &mut Writer<'_>) {
    let mut found = Map::default();
    if let Some(auth) = client.get_mut("auth").and_then(Node::as_map_mut)
        && auth.get("headers").is_some_and(|headers| headers.as_map().is_some())
        // A login's are those of its own request.
        && text(auth, "type").is_some_and(|kind| kind != "login")
        && let Some(Value::Map(headers)) = auth.remove("headers").map(|entry| entry.value.value)
    {
        for entry in headers.entries {
            let of_auth = entry.key.eq_ignore_ascii_case("authorization")
                && entry.value.as_text().is_some_and(|text| text.contains('{'));
            if of_auth || entry.key.eq_ignore_ascii_case("content-type") {
                writer.note(format!("`auth.headers.{}` is left out: the request has it anyway", entry.key));
                continue;
            }
            let mut value = entry.value;
            if let Some(name) = value.as_text().and_then(sample) {
                writer.note(format!("the header `{}` comes from the secret `{name}`", entry.key));
                value = Node::text(format!("${{secrets.{name}}}"), value.place);
            } else {
                writer.note(format!("`auth.headers.{}` is read as `client.headers`", entry.key));
            }
            found.insert(entry.key, entry.place, value);
        }
    }
    let is_header = |node: &Node| {
        node.as_map().is_some_and(|map| {
            map.entries.len() == 2 && text(map, "location") == Some("header") && text(map, "name").is_some()
        })
    };
    let keys: Vec<String> = client
        .entries
        .iter()
        .filter(|entry| entry.key != "auth" && is_header(&entry.value))
        .map(|entry| entry.key.clone())
        .collect();
    for key in keys {
        let Some(entry) = client.remove(&key) else { continue };
        let Some(name) = entry.value.as_map().and_then(|map| text(map, "name")) else { continue };
        writer.note(format!("`{key}` is read as the header `{name}`, from the secret `{key}`"));
        set(&mut found, name, entry.place, format!("${{secrets.{key}}}"));
    }
    if found.is_empty() {
        return;
    }
    match client.get_mut("headers").and_then(Node::as_map_mut) {
        Some(headers) => {
            for entry in found.entries {
                if !headers.contains(&entry.key) {
                    headers.entries.push(entry);
                }
            }
        }
        None => {
            let place = found.entries.first().map(|entry| entry.place).unwrap_or_default();
            client.insert("headers", place, Node::new(Value::Map(found), place));
        }
    }
}

/// `<your_account_id>` stands for the secret `account_id`.
fn sample(text: &str) -> Option<String> {
    let name = text.strip_prefix('<')?.strip_suffix('>')?.to_ascii_lowercase().replace([' ', '-'], "_");
    Some(name.trim_start_matches("your_").to_owned())
}
