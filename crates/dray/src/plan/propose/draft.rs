//! A configuration that is being made: its tree, from what is known so far.

use serde_json::Value as Json;
use url::Url;

use crate::config::node::{Entry, Map, Node, Place, Value};
use crate::schema::naming::normalize;

/// Query parameters that choose a page: the paginator sends them.
const PAGING: [&str; 8] =
    ["page", "offset", "cursor", "page_token", "pagetoken", "starting_after", "after", "skip"];

/// A resource of a configuration that is being made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Below the base URL.
    pub path: String,
    /// Query parameters.
    pub params: Vec<(String, Node)>,
    /// A JSON body, which is sent by POST.
    pub json: Option<Node>,
    /// `data_selector`
    pub selector: Option<String>,
    /// `primary_key`
    pub primary_key: Vec<String>,
    /// `write_disposition`
    pub disposition: Option<&'static str>,
    /// The keys of `paginator`.
    pub paginator: Vec<(&'static str, Json)>,
    /// `include_from_parent`
    pub include: Vec<String>,
}

impl Draft {
    /// What a URL says: the base URL, and a draft of the list at its end.
    #[must_use]
    pub fn of_url(url: &Url) -> (String, Self) {
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        let path = base.path().trim_end_matches('/').to_owned();
        let (folder, last) = path.rsplit_once('/').unwrap_or(("", ""));
        base.set_path(&format!("{folder}/"));
        let word = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
        let name = if word.is_empty() { "records".to_owned() } else { normalize(word) };
        let params = url
            .query_pairs()
            .filter(|(key, _)| !PAGING.iter().any(|word| key.eq_ignore_ascii_case(word)))
            .map(|(key, value)| (key.into_owned(), text(&value)))
            .collect();
        (base.to_string(), Self { name, path: last.to_owned(), params, ..Self::default() })
    }

    /// The resource as a mapping.
    #[must_use]
    pub fn node(&self) -> Node {
        let mut endpoint = vec![("path", text(&self.path))];
        if self.json.is_some() {
            endpoint.push(("method", text("POST")));
        }
        if !self.params.is_empty() {
            endpoint.push(("params", map(self.params.clone())));
        }
        endpoint.extend(self.json.clone().map(|json| ("json", json)));
        endpoint.extend(self.selector.as_ref().map(|selector| ("data_selector", text(selector))));
        if !self.paginator.is_empty() {
            let only = self.paginator.len() == 1;
            let kind = self.paginator.first().filter(|_| only).map(|(_, kind)| node_of(kind));
            let keys = || map(self.paginator.iter().map(|(key, value)| (*key, node_of(value))).collect());
            endpoint.push(("paginator", kind.unwrap_or_else(keys)));
        }
        let mut keys = vec![("name", text(&self.name))];
        match self.primary_key.as_slice() {
            [] => {}
            [one] => keys.push(("primary_key", text(one))),
            many => keys.push(("primary_key", list(many.iter().map(|key| text(key)).collect()))),
        }
        keys.extend(self.disposition.map(|word| ("write_disposition", text(word))));
        if !self.include.is_empty() {
            keys.push(("include_from_parent", list(self.include.iter().map(|field| text(field)).collect())));
        }
        keys.push(("endpoint", map(endpoint)));
        map(keys)
    }
}

/// A whole configuration: the client's keys, and resources.
#[must_use]
pub fn tree(client: Vec<(&str, Node)>, resources: Vec<Node>) -> Node {
    map(vec![("client", map(client)), ("resources", list(resources))])
}

/// A text.
#[must_use]
pub fn text(text: &str) -> Node {
    Node::text(text, Place::default())
}

/// A mapping in this order.
#[must_use]
pub fn map(entries: Vec<(impl Into<String>, Node)>) -> Node {
    let place = Place::default();
    let entries = entries.into_iter().map(|(key, value)| Entry { key: key.into(), place, value }).collect();
    Node::new(Value::Map(Map { entries }), place)
}

/// A list.
#[must_use]
pub fn list(items: Vec<Node>) -> Node {
    Node::new(Value::List(items), Place::default())
}

/// JSON as a tree.
#[must_use]
pub fn node_of(json: &Json) -> Node {
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::Text(number.to_string()),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(node_of).collect()),
        Json::Object(entries) => {
            return map(entries.iter().map(|(key, value)| (key.as_str(), node_of(value))).collect());
        }
    };
    Node::new(value, Place::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_base_and_a_list() {
        let parts = |url: &str| {
            let (base, draft) = Draft::of_url(&Url::parse(url).unwrap());
            let params: Vec<String> = draft.params.iter().map(|(key, _)| key.clone()).collect();
            format!("{base} {} {} {}", draft.name, draft.path, params.join(","))
        };
        assert_eq!(
            parts("https://a.example/v1/Orders?status=open&page=2"),
            "https://a.example/v1/ orders Orders status"
        );
        assert_eq!(parts("https://a.example/v1/orders.json/"), "https://a.example/v1/ orders orders.json ");
        assert_eq!(parts("https://a.example"), "https://a.example/ records  ");
    }
}
