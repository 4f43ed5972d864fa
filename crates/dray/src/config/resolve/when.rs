//! `when`: parts of a file that are there only if a condition holds. What is left out is not looked at, so its secrets
//! need not be set.

use super::Resolver;
use crate::config::diagnostics::{child, item};
use crate::config::node::{Map, Node, Place, Value};
use crate::config::template::is_true;

/// The key.
const WHEN: &str = "when";
/// What names an item of a `for_each`.
const OF_ITEM: &str = "${each.";

impl Resolver<'_> {
    /// Leaves out the resources whose condition does not ask for an item of their `for_each`.
    pub(super) fn leave_out_whole(&mut self, root: &mut Node) {
        let resources = root.as_map_mut().and_then(|map| map.get_mut("resources")?.as_list_mut());
        for (index, node) in resources.into_iter().flatten().enumerate() {
            let Some(resource) = node.as_map_mut() else { continue };
            let of_item = |node: &Node| node.as_text().is_some_and(|text| text.contains(OF_ITEM));
            if resource.contains("for_each")
                && !resource.get(WHEN).is_some_and(of_item)
                && !self.is_wanted(resource, &item("resources", index))
            {
                left_out(resource);
            }
        }
    }

    /// Leaves out what is not to be there, and takes every `when` away. Of a resource its name stays, with
    /// `when: false`: others may name it.
    pub(super) fn leave_out(&mut self, root: &mut Node) {
        let Some(map) = root.as_map_mut() else { return };
        if let Some(client) = map.get_mut("client").and_then(Node::as_map_mut) {
            self.requests(client, "client");
        }
        if let Some(defaults) = map.get_mut("resource_defaults").and_then(Node::as_map_mut) {
            self.endpoint(defaults, "resource_defaults");
        }
        let Some(resources) = map.get_mut("resources").and_then(Node::as_list_mut) else { return };
        for (index, node) in resources.iter_mut().enumerate() {
            let path = item("resources", index);
            let Some(resource) = node.as_map_mut() else { continue };
            if self.is_wanted(resource, &path) {
                self.endpoint(resource, &path);
            } else {
                left_out(resource);
            }
        }
    }

    fn endpoint(&mut self, resource: &mut Map, path: &str) {
        if let Some(endpoint) = resource.get_mut("endpoint").and_then(Node::as_map_mut) {
            self.requests(endpoint, &child(path, "endpoint"));
        }
    }

    /// The keys that the client and an endpoint have in common, and parameters.
    fn requests(&mut self, map: &mut Map, path: &str) {
        let at = child(path, "auth");
        let unwanted = match map.get_mut("auth").map(|auth| &mut auth.value) {
            Some(Value::Map(auth)) => !self.is_wanted(auth, &at),
            Some(Value::List(auths)) => {
                for (index, auth) in auths.iter_mut().enumerate() {
                    let wanted = auth.as_map_mut().is_none_or(|map| self.is_wanted(map, &item(&at, index)));
                    if !wanted {
                        auth.value = Value::Null;
                    }
                }
                false
            }
            _ => false,
        };
        if unwanted {
            map.remove("auth");
        }
        for key in ["headers", "params"] {
            if let Some(values) = map.get_mut(key).and_then(Node::as_map_mut) {
                self.values(values, &child(path, key));
            }
        }
    }

    /// Headers or parameters: `{value: x, when: y}` is x, or nothing.
    fn values(&mut self, values: &mut Map, path: &str) {
        let keys: Vec<String> = values.keys().map(str::to_owned).collect();
        for key in keys {
            let Some(map) = values.get_mut(&key).and_then(Node::as_map_mut) else { continue };
            let conditional = map.contains(WHEN) && map.keys().all(|key| key == WHEN || key == "value");
            if !conditional {
                continue;
            }
            let wanted = self.is_wanted(map, &child(path, &key));
            match map.remove("value").filter(|_| wanted) {
                Some(value) => {
                    values.insert(key, value.place, value.value);
                }
                None => {
                    values.remove(&key);
                }
            }
        }
    }

    /// Whether the condition of a mapping holds, which is taken out of it. One that cannot be read is reported, and holds.
    fn is_wanted(&mut self, map: &mut Map, path: &str) -> bool {
        let Some(entry) = map.remove(WHEN) else { return true };
        let (condition, path) = (entry.value, child(path, WHEN));
        let value = match &condition.value {
            Value::Text(text) if text.contains("${") => self.text(text, &path, condition.place),
            Value::Text(text) if !is_word(text) => {
                let message = format!("`{text}` is always true, expected true, false or a template");
                self.diagnostics
                    .push(path.as_str(), condition.place, message)
                    .hint("a variable is written `when: \"${vars.NAME}\"`");
                None
            }
            Value::List(_) | Value::Map(_) => {
                let message = format!("{}, expected true, false or a template", condition.kind_name());
                self.diagnostics.push(path.as_str(), condition.place, message);
                None
            }
            other => Some(other.clone()),
        };
        value.is_none_or(|value| is_true(&value))
    }
}

/// Leaves of a resource its name, and that it is not there.
fn left_out(resource: &mut Map) {
    resource.entries.retain(|entry| entry.key == "name");
    // There are no items to make names of.
    if let Some(Value::Text(name)) = resource.get_mut("name").map(|node| &mut node.value) {
        *name = name.replace(OF_ITEM, "{each.");
    }
    resource.insert(WHEN, Place::default(), Node::new(Value::Bool(false), Place::default()));
}

/// A text that says yes or no by itself.
fn is_word(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    matches!(text.as_str(), "" | "true" | "yes" | "on" | "1" | "false" | "no" | "off" | "none" | "null" | "0")
}

#[cfg(test)]
mod tests {
    use super::super::resolve;
    use crate::config::diagnostics::{Diagnostics, listed};
    use crate::config::node::{Node, Value};
    use crate::config::parse::{Format, parse};
    use crate::config::secrets::Sources;

    fn resolved(yaml: &str, environment: &[(&str, &str)]) -> (Node, String) {
        let mut diagnostics = Diagnostics::new();
        let mut root = parse(yaml, Format::Yaml, &mut diagnostics).unwrap();
        let mut sources = Sources::new("2024-03-01T02:03:04Z".parse().unwrap());
        for (name, value) in environment {
            sources.environment.insert((*name).to_owned(), (*value).to_owned());
        }
        resolve(&mut root, &sources, &mut diagnostics);
        (root, listed(&diagnostics))
    }

    /// What of the file is left when this is the condition of a resource.
    fn is_kept(condition: &str) -> bool {
        let yaml = format!(
            "vars: {{on: true, off: false, none: null, empty: [], list: [1], word: prod}}\n\
             resources: [{{name: a, when: {condition}, endpoint: {{path: '${{vars.word}}'}}}}]\n"
        );
        let (root, problems) = resolved(&yaml, &[("SET", "x"), ("OFF", "False")]);
        assert_eq!(problems, "", "{condition}");
        let resources = root.as_map().unwrap().get("resources").unwrap();
        let resource = resources.as_list().unwrap()[0].as_map().unwrap();
        assert_eq!(resource.contains("when"), !resource.contains("endpoint"));
        resource.contains("endpoint")
    }

    #[test]
    fn what_holds() {
        for condition in [
            "true",
            "1",
            "'yes'",
            "'${vars.on}'",
            "'${vars.word}'",
            "'${vars.list}'",
            "'${env.SET:-}'",
            "\"${equals(vars.word, 'prod')}\"",
            "'${not(vars.off)}'",
        ] {
            assert!(is_kept(condition), "{condition}");
        }
        for condition in [
            "false",
            "0",
            "null",
            "''",
            "'no'",
            "'${vars.off}'",
            "'${vars.none}'",
            "'${vars.empty}'",
            "'${env.UNSET:-}'",
            "'${env.OFF}'",
            "'${secrets.unset:-}'",
            "\"${equals(vars.word, 'test')}\"",
        ] {
            assert!(!is_kept(condition), "{condition}");
        }
    }

    #[test]
    fn what_is_left_out_needs_nothing() {
        let (root, problems) = resolved(
            "client: {auth: {type: bearer, token: '${secrets.token}', when: '${secrets.token:-}'}, \
             headers: {A: {value: '${secrets.a}', when: false}, B: {value: b, when: true}, C: {when: x}}}\n\
             resources: [{name: r, endpoint: {auth: [{token: '${secrets.t}', when: 0}, {token: x, when: 1}], \
             params: {p: {value: [1], when: true}, q: {value: 1, when: false}, r: {type: x, when: y}}}}]\n",
            &[],
        );
        assert_eq!(
            problems,
            "line 1: client.headers.C.when: `x` is always true, expected true, false or a template | \
             a variable is written `when: \"${vars.NAME}\"`"
        );
        let client = root.as_map().unwrap().get("client").unwrap().as_map().unwrap();
        assert!(!client.contains("auth"));
        let headers = client.get("headers").unwrap().as_map().unwrap();
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["B"]);
        assert_eq!(headers.get("B").unwrap().value, Value::Text("b".to_owned()));
        let resource =
            root.as_map().unwrap().get("resources").unwrap().as_list().unwrap()[0].as_map().unwrap();
        let endpoint = resource.get("endpoint").unwrap().as_map().unwrap();
        let auths = endpoint.get("auth").unwrap().as_list().unwrap();
        assert!(auths[0].is_null() && !auths[1].as_map().unwrap().contains("when"));
        let params = endpoint.get("params").unwrap().as_map().unwrap();
        assert_eq!(params.keys().collect::<Vec<_>>(), ["p", "r"]);
        assert!(params.get("p").unwrap().as_list().is_some());
    }

    #[test]
    fn resources_for_items_are_left_out_whole_or_item_by_item() {
        let (root, problems) = resolved(
            "vars: {zones: [{id: de, on: true}, {id: fr, on: false}]}\nresources:\n  \
             - {name: 'a_${each.z}', when: false, for_each: {z: '${vars.nowhere}'}}\n  \
             - {name: b, when: false, for_each: {z: '${vars.nowhere}'}}\n  \
             - {name: 'c_${each.z.id}', when: '${each.z.on}', for_each: {z: '${vars.zones}'}}\n",
            &[],
        );
        assert_eq!(problems, "");
        let resources = root.as_map().unwrap().get("resources").unwrap().as_list().unwrap();
        let there: Vec<(&str, bool)> = resources
            .iter()
            .map(|node| node.as_map().unwrap())
            .map(|map| (map.get("name").unwrap().as_text().unwrap(), !map.contains("when")))
            .collect();
        assert_eq!(there, [("a_{each.z}", false), ("b", false), ("c_de", true), ("c_fr", false)]);
    }

    #[test]
    fn a_condition_that_is_none_is_reported() {
        let (_, problems) = resolved(
            "resources: [{name: a, when: vars.x}, {name: b, when: [1]}, {name: c, when: '${vars.x}'}]\n",
            &[],
        );
        insta::assert_snapshot!(problems, @r##"
        line 1: resources[0].when: `vars.x` is always true, expected true, false or a template | a variable is written `when: "${vars.NAME}"`
        line 1: resources[1].when: a list, expected true, false or a template
        line 1: resources[2].when: the variable `x` is not set | add it to `vars`, or say --set vars.x=...
        "##);
    }
}
