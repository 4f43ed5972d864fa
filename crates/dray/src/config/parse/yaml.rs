//! YAML by events, with bounds: aliases cannot blow up, nesting cannot overflow the stack.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};

use crate::config::diagnostics::{Diagnostics, child, item};
use crate::config::node::{Map, Node, Place, Value};

use super::{MAX_DEPTH, MAX_KEY_BYTES, MAX_KEYS, MAX_NODES};

/// Parses one YAML document.
pub(super) fn parse(text: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    let mut builder = Builder {
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        nodes: 0,
        broken: false,
        text,
        lines: text.lines().count().max(1),
        last: Place::new(1, 1),
        diagnostics,
    };
    let root = builder.document();
    if root.is_none() && !builder.broken {
        // The parser can run out of events in the middle of damaged text without an error of its own.
        let place = builder.last;
        builder.problem("", place, "this is not YAML: it ends in the middle of something");
    }
    if builder.broken { None } else { root }
}

/// Parses a value given on the command line.
pub(super) fn parse_inline(text: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    let flow = text.trim_start().starts_with(['[', '{', '"', '\'']);
    if !flow {
        // Text such as `a: b` or `@x` must not become a mapping or an error.
        let text = text.trim();
        let value = match core_scalar(text) {
            // An id of many digits must not lose any.
            Value::Float(_) if is_whole(text) => Value::Text(text.to_owned()),
            value => value,
        };
        return Some(Node::new(value, Place::default()));
    }
    let mut inner = Diagnostics::new();
    let mut node = parse(text, &mut inner);
    for problem in inner.iter() {
        diagnostics.push("", Place::default(), problem.message.clone());
    }
    if let Some(node) = &mut node {
        forget_places(node);
    }
    node
}

fn forget_places(node: &mut Node) {
    node.place = Place::default();
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(forget_places),
        Value::Map(map) => {
            for entry in &mut map.entries {
                entry.place = Place::default();
                forget_places(&mut entry.value);
            }
        }
        _ => {}
    }
}

/// The value of an anchor.
#[derive(Clone)]
struct Anchored {
    node: Node,
    /// How many nodes it holds.
    size: usize,
    /// How many levels.
    depth: usize,
}

struct Builder<'text, 'out> {
    events: Parser<'text, StrInput<'text>>,
    /// `None` while its value is being read.
    anchors: HashMap<usize, Option<Anchored>>,
    nodes: usize,
    broken: bool,
    text: &'text str,
    lines: usize,
    /// Where the last event was.
    last: Place,
    diagnostics: &'out mut Diagnostics,
}

impl<'text> Builder<'text, '_> {
    fn problem(&mut self, path: &str, place: Place, message: impl Into<String>) -> Option<Node> {
        self.broken = true;
        self.diagnostics.push(path, place, message);
        None
    }

    /// The parser counts lines after the last one.
    fn within(&self, place: Place) -> Place {
        let last = Place::new(self.lines, 1);
        if place.line > last.line { last } else { place }
    }

    /// The next event that is about content.
    fn next(&mut self) -> Option<(Event<'text>, Place)> {
        loop {
            match self.events.next_event()? {
                Ok((Event::Nothing | Event::StreamStart, _)) => {}
                Ok((event, span)) => {
                    self.last = self.within(place_of(span.start));
                    return Some((event, self.last));
                }
                Err(error) => {
                    self.broken = true;
                    let message = format!("this is not YAML: {}", error.info());
                    let place = self.within(place_of(*error.marker()));
                    let line = usize::try_from(place.line).unwrap_or(1).saturating_sub(1);
                    let has_template = self.text.lines().nth(line).is_some_and(|line| line.contains("${"));
                    let diagnostic = self.diagnostics.push("", place, message);
                    if has_template {
                        diagnostic.hint(
                            "inside { } and [ ], a text with braces has to be quoted: \"${secrets.x}\"",
                        );
                    }
                    return None;
                }
            }
        }
    }

    fn document(&mut self) -> Option<Node> {
        let (event, place) = self.next()?;
        if event == Event::StreamEnd {
            return self.problem("", place, "the file is empty, expected a mapping");
        }
        let (event, place) = self.next()?;
        let root = self.node(event, place, "", 0)?;
        if root.is_null() {
            return self.problem("", root.place, "the file is empty, expected a mapping");
        }
        self.next()?;
        match self.next()? {
            (Event::StreamEnd, _) => Some(root),
            (_, place) => self.problem("", place, "a second document, expected one document a file"),
        }
    }

    /// The node that starts with an event. `None` after a problem that makes the rest unreadable.
    fn node(&mut self, event: Event<'text>, place: Place, path: &str, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return self.problem(path, place, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return self.problem(path, place, format!("the file holds more than {MAX_NODES} values"));
        }
        let anchor = match &event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _) => *anchor,
            _ => 0,
        };
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        let before = self.nodes;
        let node = match event {
            Event::Alias(anchor) => return self.alias(anchor, place, path, depth),
            Event::Scalar(text, style, _, tag) => {
                let tag = tag.map(std::borrow::Cow::into_owned);
                let value = self.scalar(&text, style, tag.as_ref(), place, path);
                Node::new(value, place)
            }
            Event::SequenceStart(_, tag) => {
                self.refuse_tag(tag.as_deref(), &["seq"], place, path);
                self.list(place, path, depth)?
            }
            Event::MappingStart(_, tag) => {
                self.refuse_tag(tag.as_deref(), &["map"], place, path);
                self.map(place, path, depth)?
            }
            _ => return self.problem(path, place, "nothing here, expected a value"),
        };
        if anchor > 0 {
            let size = self.nodes - before + 1;
            let anchored = Anchored { depth: levels(&node), node: node.clone(), size };
            self.anchors.insert(anchor, Some(anchored));
        }
        Some(node)
    }

    fn alias(&mut self, anchor: usize, place: Place, path: &str, depth: usize) -> Option<Node> {
        let (size, levels) = match self.anchors.get(&anchor) {
            Some(Some(anchored)) => (anchored.size, anchored.depth),
            _ => return self.problem(path, place, "an alias that stands inside its own anchor"),
        };
        self.nodes = self.nodes.saturating_add(size);
        if self.nodes > MAX_NODES {
            let message = format!("aliases expand to more than {MAX_NODES} values");
            return self.problem(path, place, message);
        }
        if depth + levels > MAX_DEPTH {
            return self.problem(path, place, format!("aliases nest deeper than {MAX_DEPTH} levels"));
        }
        // The copy keeps the places of the original: that is where its text stands.
        self.anchors.get(&anchor)?.as_ref().map(|anchored| anchored.node.clone())
    }

    fn list(&mut self, place: Place, path: &str, depth: usize) -> Option<Node> {
        let mut items = Vec::new();
        loop {
            let (event, item_place) = self.next()?;
            if event == Event::SequenceEnd {
                return Some(Node::new(Value::List(items), place));
            }
            let item_path = item(path, items.len());
            items.push(self.node(event, item_place, &item_path, depth + 1)?);
        }
    }

    fn map(&mut self, place: Place, path: &str, depth: usize) -> Option<Node> {
        let mut map = Map::default();
        let mut merged = Vec::new();
        loop {
            let (event, key_place) = self.next()?;
            let (key, is_merge) = match event {
                Event::MappingEnd => break,
                Event::Scalar(key, style, _, _) => {
                    let is_merge = key == "<<" && style == ScalarStyle::Plain;
                    (key.into_owned(), is_merge)
                }
                _ => return self.problem(path, key_place, "a key must be text"),
            };
            if key.len() > MAX_KEY_BYTES {
                return self.problem(path, key_place, format!("a key is longer than {MAX_KEY_BYTES} bytes"));
            }
            if map.entries.len() >= MAX_KEYS {
                return self.problem(path, key_place, format!("more than {MAX_KEYS} keys in one mapping"));
            }
            let key_path = child(path, &key);
            let (event, value_place) = self.next()?;
            let value = self.node(event, value_place, &key_path, depth + 1)?;
            if is_merge {
                merged.push(value);
            } else if let Some(first) = map.entry(&key).map(|entry| entry.place.line) {
                self.problem(
                    &key_path,
                    key_place,
                    format!("key `{key}` is here twice, first on line {first}"),
                );
            } else {
                map.insert(key, key_place, value);
            }
        }
        for value in merged {
            self.merge(&mut map, value, path);
        }
        Some(Node::new(Value::Map(map), place))
    }

    /// `<<: *anchor`: the keys of the other mapping, where this one has none of its own.
    fn merge(&mut self, map: &mut Map, value: Node, path: &str) {
        match value.value {
            Value::Map(other) => {
                for entry in other.entries {
                    if !map.contains(&entry.key) {
                        map.entries.push(entry);
                    }
                }
            }
            Value::List(items) => items.into_iter().for_each(|item| self.merge(map, item, path)),
            other => {
                let found = other.kind_name();
                let message = format!("`<<` takes a mapping or a list of mappings, found {found}");
                self.problem(path, value.place, message);
            }
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        place: Place,
        path: &str,
    ) -> Value {
        match tag {
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Value::Text(text.to_owned()),
            Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => Value::Text(text.to_owned()),
            Some(tag)
                if tag.is_yaml_core_schema()
                    && matches!(tag.suffix.as_str(), "null" | "bool" | "int" | "float") =>
            {
                core_scalar(text)
            }
            Some(_) => {
                self.refuse_tag(tag, &[], place, path);
                Value::Null
            }
            None if style == ScalarStyle::Plain => {
                let value = core_scalar(text);
                if matches!(value, Value::Float(_)) && is_whole(text) {
                    self.problem(path, place, format!("{text} does not fit into 64 bits"));
                }
                value
            }
            None => Value::Text(text.to_owned()),
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, allowed: &[&str], place: Place, path: &str) {
        let Some(tag) = tag else { return };
        if !(tag.is_yaml_core_schema() && allowed.contains(&tag.suffix.as_str())) {
            self.problem(path, place, format!("the tag `{tag}` is not understood"));
        }
    }
}

/// How many levels lie below a node.
fn levels(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => items.iter().map(levels).max().map_or(0, |deepest| deepest + 1),
        Value::Map(map) => {
            map.entries.iter().map(|entry| levels(&entry.value)).max().map_or(0, |deepest| deepest + 1)
        }
        _ => 0,
    }
}

fn place_of(marker: Marker) -> Place {
    Place::new(marker.line(), marker.col() + 1)
}

fn is_whole(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether these letters are text, and no number, flag or null.
pub(super) fn is_plain_text(text: &str) -> bool {
    !text.is_empty() && matches!(core_scalar(text), Value::Text(_))
}

/// A plain scalar by the core schema of YAML 1.2: `yes` and `off` are text, `1e3` is a number.
fn core_scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let radix = |prefix: &str, radix: u32| {
        let digits = text.strip_prefix(prefix)?;
        // `from_str_radix` would take a sign.
        digits.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(())?;
        i64::from_str_radix(digits, radix).ok()
    };
    if let Some(number) = radix("0o", 8).or_else(|| radix("0x", 16)) {
        return Value::Int(number);
    }
    if is_whole(text)
        && let Ok(number) = text.parse()
    {
        return Value::Int(number);
    }
    // Rust also reads `inf`, `nan` and `infinity`.
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if numeric && has_digit => Value::Float(number),
        _ => Value::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(text: &str) -> Node {
        let mut diagnostics = Diagnostics::new();
        let node = parse(text, &mut diagnostics);
        assert!(diagnostics.is_empty(), "{diagnostics}");
        node.unwrap()
    }

    fn bad(text: &str) -> String {
        let mut diagnostics = Diagnostics::new();
        assert_eq!(parse(text, &mut diagnostics), None);
        diagnostics.to_string()
    }

    fn get<'a>(node: &'a Node, key: &str) -> &'a Node {
        node.as_map().unwrap().get(key).unwrap()
    }

    #[test]
    fn values_have_places() {
        let node = good("client:\n  base_url: https://x/\nresources:\n  - posts\n  - {name: b}\n");
        assert_eq!(node.place, Place::new(1, 1));
        assert_eq!(get(get(&node, "client"), "base_url").place, Place::new(2, 13));
        let resources = get(&node, "resources").as_list().unwrap();
        assert_eq!(resources[0].place, Place::new(4, 5));
        assert_eq!(resources[1].as_map().unwrap().entry("name").unwrap().place, Place::new(5, 6));
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        let text = "[yes, off, null, ~, true, 12, -3, 0o17, 0x1F, 1.5, 1e3, .5, '12', inf, 1.2.3, 2024-01-02, 12:30, '', 007]";
        let node = good(text);
        let text = |text: &str| Value::Text(text.to_owned());
        let values: Vec<Value> = node.as_list().unwrap().iter().map(|node| node.value.clone()).collect();
        let expected = [
            text("yes"),
            text("off"),
            Value::Null,
            Value::Null,
            Value::Bool(true),
            Value::Int(12),
            Value::Int(-3),
            Value::Int(15),
            Value::Int(31),
            Value::Float(1.5),
            Value::Float(1000.0),
            Value::Float(0.5),
            text("12"),
            text("inf"),
            text("1.2.3"),
            text("2024-01-02"),
            text("12:30"),
            text(""),
            Value::Int(7),
        ];
        assert_eq!(values, expected);
    }

    #[test]
    fn tags_aliases_and_merge_keys() {
        let node = good("base: &b {a: 1, b: 2}\nx: {<<: *b, b: 3}\ny: *b\nz: !!str 5\n");
        assert_eq!(get(get(&node, "x"), "a").as_int(), Some(1));
        assert_eq!(get(get(&node, "x"), "b").as_int(), Some(3));
        assert_eq!(get(&node, "y").value, get(&node, "base").value);
        assert_eq!(get(&node, "z").as_text(), Some("5"));
        insta::assert_snapshot!(bad("a: !python/object x"), @"line 1: a: the tag `!python/object` is not understood");
    }

    #[test]
    fn problems_have_places() {
        insta::assert_snapshot!(bad("a: 1\nb: [1, 2\nc: 3\n"), @"line 3: this is not YAML: illegal placement of ':' indicator");
        insta::assert_snapshot!(bad("a: 1\na: 2\n"), @"line 2: a: key `a` is here twice, first on line 1");
        insta::assert_snapshot!(bad(""), @"line 1: the file is empty, expected a mapping");
        insta::assert_snapshot!(bad("a: 1\n---\nb: 2\n"), @"line 2: a second document, expected one document a file");
        insta::assert_snapshot!(bad("a: *nowhere\n"), @"line 1: this is not YAML: while parsing node, found unknown anchor");
        insta::assert_snapshot!(bad("? [1, 2]\n: 3\n"), @"line 1: a key must be text");
        insta::assert_snapshot!(bad("a: 99999999999999999999\n"), @"line 1: a: 99999999999999999999 does not fit into 64 bits");
        insta::assert_snapshot!(bad("a: {token: ${secrets.x}}\n"), @"line 1: this is not YAML: while parsing a flow mapping, did not find expected ',' or '}'");
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let previous = format!("*a{}", level - 1);
            let aliases = [previous.as_str(); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(bad(&text).contains("aliases expand to more than 200000 values"));
        assert!(bad("a: &a [*a]").contains("inside its own anchor"));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let flow = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(bad(&flow).contains("nested deeper than 64 levels"));
        let block: String = (0..5000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        assert!(bad(&block).contains("nested deeper than 64 levels"));
    }

    #[test]
    fn bombs_of_every_shape_are_refused() {
        for depth in [65, 100_000] {
            for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("&a [", "]")] {
                let problem = bad(&format!("x: {}1{}", open.repeat(depth), close.repeat(depth)));
                assert!(!problem.is_empty(), "{depth} times {open}");
            }
        }
        // Each level is small, and all together are as deep as there are lines.
        let mut chain = "a0: &a0 [x]\n".to_owned();
        for level in 1..200 {
            chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
        }
        assert!(bad(&chain).contains("aliases nest deeper than 64 levels"));
        let merges: String = (0..30)
            .map(|level| {
                format!(
                    "m{level}: &m{level} {{<<: [{}], k{level}: 1}}\n",
                    vec![format!("*m{}", level - 1); 9].join(", ")
                )
            })
            .collect();
        assert!(!bad(&merges.replace("*m-1", "{}")).is_empty());
        assert!(bad(&format!("x: [{}]", "1,".repeat(300_000))).contains("more than 200000 values"));
        let keys: String = (0..20_000).map(|key| format!("k{key}: 1\n")).collect();
        assert!(bad(&keys).contains("more than 10000 keys"));
        assert!(bad(&format!("? {}\n: [1, 2, 3]", "k".repeat(1 << 16))).contains("a key is longer"));
    }

    #[test]
    fn a_huge_text_is_one_value() {
        let text = "x".repeat(1 << 20);
        for written in [format!("a: {text}"), format!("a: \"{text}\""), format!("a: |\n  {text}\n")] {
            assert_eq!(get(&good(&written), "a").as_text().map(|text| text.trim_end().len()), Some(1 << 20));
        }
    }

    #[test]
    fn inline_values() {
        let mut diagnostics = Diagnostics::new();
        let mut value = |text: &str| parse_inline(text, &mut diagnostics).unwrap().value;
        assert_eq!(value("true"), Value::Bool(true));
        assert_eq!(value("5"), Value::Int(5));
        assert_eq!(value("http://x:80/a: b"), Value::Text("http://x:80/a: b".to_owned()));
        assert_eq!(value("'5'"), Value::Text("5".to_owned()));
        assert!(matches!(value("[a, b]"), Value::List(items) if items.len() == 2));
        assert_eq!(value("99999999999999999999"), Value::Text("99999999999999999999".to_owned()));
        assert_eq!(value(""), Value::Null);
        assert_eq!(parse_inline("[a", &mut diagnostics), None);
    }
}
