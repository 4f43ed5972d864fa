//! `--set client.base_url=http://localhost`: values given on the command line.

use super::diagnostics::Diagnostics;
use super::node::{Map, Node, Place, Value};
use super::parse::parse_inline;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A key of a mapping, or the name of a resource in a list of resources.
    Key(String),
    /// An item of a list.
    Index(usize),
}

/// Sets one value: `client.base_url=http://...`, `resources[0].endpoint.path=x`, or with the name of a
/// resource `resources.charges.endpoint.params.limit=5`. A key with dots or brackets is quoted:
/// `params["created[gte]"]=5`.
///
/// The value is a YAML scalar or flow value; missing mappings are made.
pub fn apply(root: &mut Node, assignment: &str, diagnostics: &mut Diagnostics) {
    let Some((path, value)) = split(assignment) else {
        let hint = "KEY.PATH=VALUE, for example client.base_url=https://api.example.com";
        diagnostics.push("--set", Place::default(), "no `=` here, expected KEY.PATH=VALUE").hint(hint);
        return;
    };
    // The value may be a secret: only the path is ever shown.
    let shown = format!("--set {path}");
    let steps = match steps(path) {
        Ok(steps) => steps,
        Err(message) => {
            diagnostics.push(shown, Place::default(), message).hint("keys are joined by dots, items are [0]");
            return;
        }
    };
    let mut problems = Diagnostics::new();
    let Some(value) = parse_inline(value, &mut problems) else {
        for problem in problems.iter() {
            diagnostics.push(shown.as_str(), Place::default(), problem.message.as_str());
        }
        return;
    };
    let steps = as_written(root, steps);
    if let Err((message, hint)) = set(root, &steps, value) {
        let diagnostic = diagnostics.push(shown, Place::default(), message);
        if let Some(hint) = hint {
            diagnostic.hint(hint);
        }
    }
}

/// The path and the value, at the first `=` that is not part of a quoted or bracketed key.
fn split(assignment: &str) -> Option<(&str, &str)> {
    let (mut inside, mut quote) = (false, None);
    for (at, letter) in assignment.char_indices() {
        match letter {
            '"' | '\'' if quote == Some(letter) => quote = None,
            '"' | '\'' if inside && quote.is_none() => quote = Some(letter),
            _ if quote.is_some() => {}
            '[' => inside = true,
            ']' => inside = false,
            '=' if !inside => {
                let (path, rest) = assignment.split_at_checked(at)?;
                return Some((path.trim(), rest.strip_prefix('=')?));
            }
            _ => {}
        }
    }
    None
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        if let Some(inner) = rest.strip_prefix('[') {
            let quote = inner.chars().next().filter(|letter| matches!(letter, '"' | '\''));
            let parts = match quote {
                Some(quote) => inner.strip_prefix(quote).and_then(|inner| {
                    let (key, rest) = inner.split_once(quote)?;
                    Some((Step::Key(key.to_owned()), rest.strip_prefix(']')?))
                }),
                None => inner
                    .split_once(']')
                    .and_then(|(index, rest)| Some((Step::Index(index.parse().ok()?), rest))),
            };
            let Some((step, after)) = parts else {
                return Err("brackets hold neither a number nor a quoted key".to_owned());
            };
            steps.push(step);
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if key.is_empty() {
                return Err("an empty key".to_owned());
            }
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        }
        if rest.is_empty() {
            return Ok(steps);
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
}

/// A file with BASE_CONFIG and ENDPOINTS is addressed like any other: by `client` and `resources`.
fn as_written(root: &Node, mut steps: Vec<Step>) -> Vec<Step> {
    let Some(map) = root.as_map() else { return steps };
    if let Some(Step::Key(first)) = steps.first_mut() {
        for (name, written) in [("client", "BASE_CONFIG"), ("resources", "ENDPOINTS")] {
            if first == name && !map.contains(name) && map.contains(written) {
                *first = written.to_owned();
                break;
            }
        }
    }
    steps
}

type Refusal = (String, Option<String>);

fn set(node: &mut Node, steps: &[Step], value: Node) -> Result<(), Refusal> {
    let Some((step, rest)) = steps.split_first() else {
        *node = value;
        return Ok(());
    };
    if node.is_null() {
        node.value = match step {
            Step::Key(_) => Value::Map(Map::default()),
            Step::Index(_) => Value::List(Vec::new()),
        };
    }
    match (&mut node.value, step) {
        (Value::Map(map), Step::Key(key)) => {
            if !map.contains(key) {
                map.insert(key.as_str(), Place::default(), Node::new(Value::Null, Place::default()));
            }
            match map.get_mut(key) {
                Some(child) => {
                    // The short forms: an endpoint that is only its path.
                    if key == "endpoint" && !rest.is_empty() {
                        expand(child, "path");
                    }
                    set(child, rest, value)
                }
                None => Ok(()),
            }
        }
        (Value::List(items), Step::Index(index)) => {
            let count = items.len();
            if *index == count {
                items.push(Node::new(Value::Null, Place::default()));
            }
            match items.get_mut(*index) {
                Some(item) => set(item, rest, value),
                None => Err((format!("item [{index}] of a list of {count}"), None)),
            }
        }
        (Value::List(items), Step::Key(name)) => {
            let names: Vec<Option<String>> = items.iter().map(name_of).collect();
            let position = names.iter().position(|other| other.as_deref() == Some(name.as_str()));
            let Some(item) = position.and_then(|position| items.get_mut(position)) else {
                let known: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
                let close = super::diagnostics::closest(name, known.iter().copied());
                let hint = match close {
                    Some(close) => format!("did you mean `{close}`?"),
                    None if known.is_empty() => "items of a list are addressed as [0]".to_owned(),
                    None => format!("there is {}", known.join(", ")),
                };
                return Err((format!("nothing in this list is named `{name}`"), Some(hint)));
            };
            if !rest.is_empty() {
                expand(item, "name");
            }
            set(item, rest, value)
        }
        (other, Step::Key(key)) => {
            Err((format!("`{key}` below {}, expected a mapping there", other.kind_name()), None))
        }
        (other, Step::Index(index)) => {
            Err((format!("[{index}] below {}, expected a list there", other.kind_name()), None))
        }
    }
}

/// Turns the short form of a resource or endpoint (a text) into a mapping with that text under a key.
fn expand(node: &mut Node, key: &str) {
    if let Value::Text(_) = node.value {
        let place = node.place;
        let text = std::mem::replace(node, Node::new(Value::Null, place));
        let mut map = Map::default();
        map.insert(key, place, text);
        node.value = Value::Map(map);
    }
}

fn name_of(node: &Node) -> Option<String> {
    let name = node.as_map().and_then(|map| map.get("name")).unwrap_or(node);
    name.as_text().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::listed;
    use crate::config::parse::{Format, parse};

    const FILE: &str = "client: {base_url: https://x/}\nresources:\n  - name: charges\n    endpoint: {path: c}\n  - posts\n  - {name: users, endpoint: u}\n";

    fn after(assignment: &str) -> (Node, String) {
        let mut diagnostics = Diagnostics::new();
        let mut root = parse(FILE, Format::Yaml, &mut diagnostics).unwrap();
        apply(&mut root, assignment, &mut diagnostics);
        (root, listed(&diagnostics))
    }

    fn at<'a>(root: &'a Node, path: &str) -> &'a Value {
        let mut node = root;
        for step in steps(path).unwrap() {
            node = match step {
                Step::Key(key) => node.as_map().unwrap().get(&key).unwrap(),
                Step::Index(index) => &node.as_list().unwrap()[index],
            };
        }
        &node.value
    }

    #[test]
    fn values_are_set() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (assignment, path, value) in [
            ("client.base_url=http://h:1/a=b", "client.base_url", text("http://h:1/a=b")),
            ("resources[0].endpoint.path=x", "resources[0].endpoint.path", text("x")),
            (
                "resources.charges.endpoint.params.limit=5",
                "resources[0].endpoint.params.limit",
                Value::Int(5),
            ),
            ("client.paginator.stop=true", "client.paginator.stop", Value::Bool(true)),
            ("resources.posts.endpoint.path=p", "resources[1].endpoint.path", text("p")),
            ("resources.users.endpoint.params.a=1", "resources[2].endpoint.path", text("u")),
            (
                "resources[0].endpoint.params[\"created[gte]=\"]=5",
                "resources[0].endpoint.params[\"created[gte]=\"]",
                Value::Int(5),
            ),
            ("resources[3].name=more", "resources[3].name", text("more")),
            ("client.headers={A: b}", "client.headers.A", text("b")),
            ("client.x=", "client.x", Value::Null),
        ] {
            let (root, problems) = after(assignment);
            assert_eq!(problems, "", "{assignment}");
            assert_eq!(at(&root, path), &value, "{assignment}");
        }
        let (root, _) = after("resources.posts.endpoint.path=p");
        assert_eq!(at(&root, "resources[1].name"), &text("posts"));
    }

    #[test]
    fn base_config_files_are_addressed_alike() {
        let mut diagnostics = Diagnostics::new();
        let file = "BASE_CONFIG: {base_url: x}\nENDPOINTS: [{name: charges, path: c}]\n";
        let mut root = parse(file, Format::Yaml, &mut diagnostics).unwrap();
        apply(&mut root, "client.base_url=http://h", &mut diagnostics);
        apply(&mut root, "resources.charges.path=d", &mut diagnostics);
        assert!(diagnostics.is_empty());
        assert_eq!(at(&root, "BASE_CONFIG.base_url"), &Value::Text("http://h".to_owned()));
        assert_eq!(at(&root, "ENDPOINTS[0].path"), &Value::Text("d".to_owned()));
    }

    #[test]
    fn problems_name_the_path_and_never_the_value() {
        let mut problems = Vec::new();
        for assignment in [
            "nothing",
            "a..b=1",
            "resources[x].y=1",
            "resources.charge.name=x",
            "resources[9].name=x",
            "client.base_url.x=hidden",
            "client[0]=hidden",
            "client.auth=[hidden",
        ] {
            problems.push(after(assignment).1);
        }
        let problems = problems.join("\n");
        assert!(!problems.contains("hidden"));
        insta::assert_snapshot!(problems, @r##"
        --set: no `=` here, expected KEY.PATH=VALUE | KEY.PATH=VALUE, for example client.base_url=https://api.example.com
        --set a..b: an empty key | keys are joined by dots, items are [0]
        --set resources[x].y: brackets hold neither a number nor a quoted key | keys are joined by dots, items are [0]
        --set resources.charge.name: nothing in this list is named `charge` | did you mean `charges`?
        --set resources[9].name: item [9] of a list of 3
        --set client.base_url.x: `x` below text, expected a mapping there
        --set client[0]: [0] below a mapping, expected a list there
        --set client.auth: this is not YAML: while parsing a flow sequence, expected ',' or ']'
        "##);
    }
}
