//! A tree as YAML that people like to read: short mappings on one line, text without quotes where it needs none, and
//! comments above what they are about.

use std::collections::BTreeMap;

use super::diagnostics::{child, item};
use super::node::{Map, Node, Value};
use super::parse::is_plain_text;

/// Longest line that a mapping or a list is put on.
const WIDTH: usize = 110;

/// Lines of comment by the key path of the entry or item that they stand above; those of the empty path stand first.
#[derive(Clone, Debug, Default)]
pub struct Comments {
    lines: BTreeMap<String, Vec<String>>,
}

impl Comments {
    /// Adds a comment; line breaks in it are blanks.
    pub fn add(&mut self, path: impl Into<String>, text: &str) {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines = self.lines.entry(path.into()).or_default();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }

    /// Adds a line above all others.
    pub fn first(&mut self, text: &str) {
        self.lines.entry(String::new()).or_default().insert(0, text.to_owned());
    }

    fn at(&self, path: &str) -> &[String] {
        self.lines.get(path).map_or(&[], Vec::as_slice)
    }

    /// Whether something is said of what stands below a path.
    fn below(&self, path: &str) -> bool {
        self.lines.range(path.to_owned()..).take_while(|(key, _)| key.starts_with(path)).any(|(key, _)| {
            key.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']) || path.is_empty())
        })
    }
}

/// A tree as a YAML document. Reading it back gives the same tree.
#[must_use]
pub fn yaml(root: &Node, comments: &Comments) -> String {
    let mut writer = Writer { out: String::new(), comments };
    writer.said("", 0);
    if !writer.out.is_empty() {
        writer.out.push('\n');
    }
    match &root.value {
        Value::Map(map) if !map.is_empty() => writer.map(map, "", 0, false),
        _ => {
            let text = flow(root);
            writer.out.push_str(&text);
            writer.out.push('\n');
        }
    }
    writer.out
}

struct Writer<'a> {
    out: String,
    comments: &'a Comments,
}

impl Writer<'_> {
    fn indent(&mut self, by: usize) {
        self.out.extend(std::iter::repeat_n(' ', by));
    }

    /// The comments of a path, each on a line of its own.
    fn said(&mut self, path: &str, indent: usize) {
        let comments = self.comments;
        for comment in comments.at(path) {
            let mut mark = "# ";
            let mut line = String::new();
            for word in comment.split(' ') {
                if !line.is_empty()
                    && indent + mark.len() + line.chars().count() + word.chars().count() >= WIDTH
                {
                    self.comment(mark, &line, indent);
                    // What goes on is told from what begins.
                    (mark, line) = ("#   ", String::new());
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            self.comment(mark, &line, indent);
        }
    }

    fn comment(&mut self, mark: &str, line: &str, indent: usize) {
        self.indent(indent);
        self.out.push_str(mark);
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// The entries, one below the other. `begun`: the first stands on a line that is begun (`- name: x`).
    fn map(&mut self, map: &Map, path: &str, indent: usize, begun: bool) {
        for (index, entry) in map.entries.iter().enumerate() {
            let path = child(path, &entry.key);
            if index > 0 && indent == 0 {
                self.out.push('\n');
            }
            if index > 0 || !begun {
                self.said(&path, indent);
                self.indent(indent);
            }
            self.out.push_str(&scalar_text(&entry.key, false));
            self.out.push(':');
            self.value(&entry.value, &path, indent, entry.key.chars().count() + 2);
        }
    }

    /// A value behind its key, or behind the dash of a list.
    fn value(&mut self, node: &Node, path: &str, indent: usize, used: usize) {
        let block = match &node.value {
            Value::Map(map) => {
                !map.is_empty() && (self.stands_open(path) || !self.fits(node, path, indent + used))
            }
            Value::List(items) => {
                !items.is_empty() && (path == "resources" || !self.fits(node, path, indent + used))
            }
            Value::Text(text) if is_block_text(text) => {
                self.block_text(text, indent + 2);
                return;
            }
            _ => false,
        };
        match &node.value {
            Value::Map(map) if block => {
                self.out.push('\n');
                self.map(map, path, indent + 2, false);
            }
            Value::List(items) if block => {
                self.out.push('\n');
                self.list(items, path, indent + 2);
            }
            _ => {
                let text = if is_scalar(node) { scalar(node, false) } else { flow(node) };
                self.out.push(' ');
                self.out.push_str(&text);
                self.out.push('\n');
            }
        }
    }

    fn list(&mut self, items: &[Node], path: &str, indent: usize) {
        for (index, node) in items.iter().enumerate() {
            let path_here = item(path, index);
            if index > 0 && path == "resources" {
                self.out.push('\n');
            }
            self.said(&path_here, indent);
            match &node.value {
                Value::Map(map)
                    if !map.is_empty()
                        && (path == "resources" || !self.fits(node, &path_here, indent + 2)) =>
                {
                    // A comment on the first entry has no line of its own behind the dash.
                    if let Some(first) = map.entries.first() {
                        self.said(&child(&path_here, &first.key), indent);
                    }
                    self.indent(indent);
                    self.out.push_str("- ");
                    self.map(map, &path_here, indent + 2, true);
                }
                _ => {
                    self.indent(indent);
                    self.out.push('-');
                    self.value(node, &path_here, indent, 2);
                }
            }
        }
    }

    /// The parts of a file that people look for are never on one line.
    fn stands_open(&self, path: &str) -> bool {
        matches!(path, "client" | "resource_defaults" | "vars")
    }

    /// Whether a collection may stand on one line: short, without comments inside, and not deep.
    fn fits(&self, node: &Node, path: &str, used: usize) -> bool {
        let shallow = |node: &Node| match &node.value {
            Value::List(items) => items.iter().all(is_scalar),
            Value::Map(map) => map.entries.iter().all(|entry| is_scalar(&entry.value)),
            _ => true,
        };
        let children_shallow = match &node.value {
            Value::List(items) => items.iter().all(shallow),
            Value::Map(map) => map.entries.iter().all(|entry| shallow(&entry.value)),
            _ => true,
        };
        children_shallow && !self.comments.below(path) && used + flow(node).chars().count() <= WIDTH
    }

    /// Text of several lines as it is.
    fn block_text(&mut self, text: &str, indent: usize) {
        self.out.push_str(if text.ends_with('\n') { " |\n" } else { " |-\n" });
        for line in text.lines() {
            if !line.is_empty() {
                self.indent(indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }
}

fn is_scalar(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => true,
    }
}

/// Whether a text reads best line by line, and comes back from that as it is.
fn is_block_text(text: &str) -> bool {
    let plain = |letter: char| {
        letter == '\n' || (!letter.is_control() && letter.is_ascii()) || letter.is_alphanumeric()
    };
    text.trim_end_matches('\n').contains('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\n'])
        && text.chars().all(plain)
        && text.lines().all(|line| !line.ends_with(' '))
}

/// A value on one line.
fn flow(node: &Node) -> String {
    match &node.value {
        Value::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entry = |key: &str, value: &Node| format!("{}: {}", scalar_text(key, true), flow(value));
            let entries: Vec<String> = map.entries.iter().map(|one| entry(&one.key, &one.value)).collect();
            format!("{{{}}}", entries.join(", "))
        }
        _ => scalar(node, true),
    }
}

fn scalar(node: &Node, in_flow: bool) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) if number.is_nan() => ".nan".to_owned(),
        Value::Float(number) if number.is_infinite() => {
            if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned()
        }
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => scalar_text(text, in_flow),
        // Templates are written as they are; a secret that is known never gets here, and is not shown if it does.
        Value::Secret(_) => "\"***\"".to_owned(),
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
    }
}

/// Text, in quotes where YAML would read something else.
fn scalar_text(text: &str, in_flow: bool) -> String {
    let first = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '/' | '.' | '$');
    let rest = |letter: char| {
        letter.is_ascii_alphanumeric()
            || matches!(
                letter,
                '_' | '/' | '.' | '-' | '+' | ' ' | '$' | '@' | '=' | '%' | '(' | ')' | ';' | '?' | '&' | '*'
            )
            || (!in_flow && matches!(letter, '[' | ']' | ','))
    };
    // Of colons only that of a URL is plain beyond doubt.
    let bare = text.replacen("://", "", 1);
    let plain = text.starts_with(first)
        && bare.chars().all(rest)
        && !text.ends_with([' ', '?', '='])
        && !text.starts_with("...")
        && is_plain_text(text);
    if plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ if letter.is_control()
                || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::diagnostics::Diagnostics;
    use crate::config::node::{Entry, Place};
    use crate::config::parse::{Format, parse};

    fn read(text: &str) -> Node {
        let mut diagnostics = Diagnostics::new();
        let node = parse(text, Format::Yaml, &mut diagnostics);
        node.unwrap_or_else(|| panic!("{diagnostics}\n{text}"))
    }

    /// A tree without its places.
    fn bare(node: &Node) -> Node {
        let value = match &node.value {
            Value::List(items) => Value::List(items.iter().map(bare).collect()),
            Value::Map(map) => Value::Map(Map {
                entries: map
                    .entries
                    .iter()
                    .map(|entry| Entry {
                        place: Place::default(),
                        value: bare(&entry.value),
                        ..entry.clone()
                    })
                    .collect(),
            }),
            other => other.clone(),
        };
        Node::new(value, Place::default())
    }

    #[test]
    fn a_configuration_as_a_person_would_write_it() {
        let tree = read(
            r#"{"client": {"base_url": "https://api.example.com/v1/", "auth": {"type": "bearer", "token": "${secrets.token}"}},
             "resources": ["plans", {"name": "orders", "endpoint": {"path": "orders/{resources.plans.id}", "params":
             {"created[gte]": "2024-01-01", "on": "yes", "limit": "100", "n": 5, "x": null}, "json": {"query": "{\n  a\n}\n"}},
             "columns": {"total": {"data_type": "decimal", "scale": 2}}, "primary_key": ["id", "at"]}]}"#,
        );
        let mut comments = Comments::default();
        comments.add("", "Made of a test");
        comments.add("resources[1]", "a resource");
        comments.add("resources[1].endpoint.path", "which\nway");
        let text = yaml(&tree, &comments);
        insta::assert_snapshot!(text, @r#"
        # Made of a test

        client:
          base_url: https://api.example.com/v1/
          auth: {type: bearer, token: "${secrets.token}"}

        resources:
          - plans

          # a resource
          - name: orders
            endpoint:
              # which way
              path: "orders/{resources.plans.id}"
              params: {"created[gte]": 2024-01-01, on: yes, limit: "100", n: 5, x: null}
              json: {query: "{\n  a\n}\n"}
            columns: {total: {data_type: decimal, scale: 2}}
            primary_key: [id, at]
        "#);
        assert_eq!(bare(&read(&text)), bare(&tree));
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z0-9:#{}\\[\\],&*!|>'\"%@`?. \\-+=$~/()]{0,12}",
            "[ -~\n\t]{0,30}",
            any::<String>(),
            prop::sample::select(vec![
                "null",
                "~",
                "true",
                "No",
                "1e3",
                "0x1F",
                ".inf",
                "---",
                "...",
                "- a",
                "a: b",
                "a #b",
                "=",
                "<<",
                "2024-01-01",
            ])
            .prop_map(str::to_owned),
        ]
    }

    fn any_node() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (-1e12..1e12).prop_map(Value::Float),
            any_text().prop_map(Value::Text),
        ]
        .prop_map(|value| Node::new(value, Place::default()));
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                prop::collection::btree_map(any_text(), inner, 0..5).prop_map(|entries| {
                    let entries = entries.into_iter().filter(|(key, _)| key != "<<");
                    let place = Place::default();
                    Value::Map(Map {
                        entries: entries.map(|(key, value)| Entry { key, place, value }).collect(),
                    })
                }),
            ]
            .prop_map(|value| Node::new(value, Place::default()))
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(node in any_node()) {
            let entries = vec![Entry { key: "x".to_owned(), place: Place::default(), value: node }];
            let node = Node::new(Value::Map(Map { entries }), Place::default());
            let text = yaml(&node, &Comments::default());
            prop_assert_eq!(bare(&read(&text)), node, "{}", text);
        }
    }
}
