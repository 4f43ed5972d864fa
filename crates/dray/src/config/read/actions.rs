//! `response_actions`: a list of rules.

use super::super::answers::{ActionConfig, BodyConfig};
use super::super::model::{Located, Spot};
use super::super::node::{Node, Value};
use super::fields::{Fields, Reader};
use crate::plan::{AnswerAction, BodyTest, Pattern, Text};

const ACTIONS: [&str; 6] = ["ignore", "retry", "skip", "end", "refresh_auth", "fail"];
const TESTS: [&str; 5] = ["equals", "not_equals", "in", "contains", "exists"];

pub(super) fn read(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Vec<ActionConfig> {
    let Some(items) = node.as_list() else {
        reader.expected(at, "a list of actions", node);
        return Vec::new();
    };
    let mut actions = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = at.item(index, item);
        let Some(mut fields) = Fields::open(reader, item, &at) else { continue };
        let status_code = fields.take("status_code");
        let unconditional = ["status_code", "content", "header", "body"]
            .iter()
            .all(|key| item.as_map().and_then(|map| map.get(key)).is_none_or(Node::is_null));
        let status_code = status_code.map(|(node, at)| statuses(reader, node, &at)).unwrap_or_default();
        let content = fields.plain(reader, "content").map(|content| content.value);
        let header = fields.take("header").map(|(node, at)| headers(reader, node, &at)).unwrap_or_default();
        let body = fields.take("body").map(|(node, at)| body(reader, node, &at)).unwrap_or_default();
        let (action, message_path) = action(reader, &mut fields, &at);
        if unconditional {
            reader.problem(
                &at,
                "an action needs `status_code`, `content`, `header` or `body`: else it would be meant for every answer",
            );
        }
        fields.finish(reader);
        if let Some(action) = action {
            actions.push(ActionConfig { status_code, content, header, body, action, message_path });
        }
    }
    actions
}

fn action(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'_>,
    at: &Spot,
) -> (Option<AnswerAction>, Option<Located<String>>) {
    let word = fields.word(reader, "action", &ACTIONS);
    let delay = fields.take("delay").map(|(node, at)| (reader.duration(node, &at), at));
    let message = fields.plain(reader, "message");
    let message_path = fields.plain(reader, "message_path");
    let Some(word) = word else {
        if fields.take("action").is_none() {
            reader.problem_with_hint(
                at,
                "missing key `action`",
                "write `action: ignore`, `retry`, `skip`, `end`, `refresh_auth` or `fail`",
            );
        }
        return (None, None);
    };
    let mut misplaced = |at: &Spot, key: &str, of: &str| {
        reader.problem(at, format!("`{key}` is a key of {of}, not of `action: {word}`"));
    };
    if let Some((_, at)) = delay.as_ref().filter(|_| word != "retry") {
        misplaced(at, "delay", "`action: retry`");
    }
    if let Some(message) = message.as_ref().filter(|_| !matches!(word, "fail" | "skip")) {
        misplaced(&message.at, "message", "`action: fail` and `action: skip`");
    }
    if let Some(path) = message_path.as_ref().filter(|_| word != "fail") {
        misplaced(&path.at, "message_path", "`action: fail`");
    }
    let message = message.map(|message| message.value);
    let action = match word {
        "retry" => AnswerAction::Retry { delay: delay.and_then(|(delay, _)| delay) },
        "skip" => AnswerAction::Skip { reason: message },
        "end" => AnswerAction::End,
        "refresh_auth" => AnswerAction::RefreshAuth,
        "fail" => AnswerAction::Fail { message, words: None },
        _ => AnswerAction::Ignore,
    };
    (Some(action), message_path)
}

/// A status, a class (`5xx`), a range (`500-599`), or a list of those.
fn statuses(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Vec<(u16, u16)> {
    let items = match &node.value {
        Value::List(items) => {
            items.iter().enumerate().map(|(index, item)| (at.item(index, item), item)).collect()
        }
        _ => vec![(at.clone(), node)],
    };
    let mut found = Vec::new();
    for (at, item) in items {
        let written = match reader.scalar(item, &at) {
            Some(Text::Plain(written)) => written,
            Some(Text::Secret(_)) => "***".to_owned(),
            None => continue,
        };
        match range(written.trim()) {
            Some(range) => found.push(range),
            None => reader.problem_with_hint(
                &at,
                format!("{written} is not an HTTP status code"),
                "written as `404`, `5xx`, `500-599`, or as a list of those",
            ),
        }
    }
    found
}

fn range(written: &str) -> Option<(u16, u16)> {
    let status = |text: &str| text.trim().parse().ok().filter(|status| (100..=599).contains(status));
    if let Some(class) = written.to_ascii_lowercase().strip_suffix("xx") {
        let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
        return Some((class * 100, class * 100 + 99));
    }
    match written.split_once('-') {
        Some((from, to)) => Some((status(from)?, status(to)?)).filter(|(from, to)| from <= to),
        None => status(written).map(|status| (status, status)),
    }
}

fn headers(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Vec<(String, Pattern)> {
    let mut headers = Vec::new();
    for header in reader.headers(node, at) {
        match header.value.value {
            Text::Plain(value) => headers.push((header.name.to_ascii_lowercase(), Pattern(value))),
            Text::Secret(_) => {
                reader.problem(&header.value.at, "a secret cannot stand here: this text is shown");
            }
        }
    }
    headers
}

/// One condition, or a list of those.
fn body(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Vec<BodyConfig> {
    let Value::List(items) = &node.value else {
        return condition(reader, node, at).into_iter().collect();
    };
    let mut conditions = Vec::new();
    for (index, item) in items.iter().enumerate() {
        conditions.extend(condition(reader, item, &at.item(index, item)));
    }
    conditions
}

fn condition(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<BodyConfig> {
    let mut fields = Fields::open(reader, node, at)?;
    let path = fields.plain(reader, "path");
    let mut tests = Vec::new();
    for key in TESTS {
        let Some((node, at)) = fields.take(key) else { continue };
        let test = match (key, &node.value) {
            ("exists", Value::Bool(flag)) => Some(BodyTest::Exists(*flag)),
            ("exists", _) => {
                reader.expected(&at, "true or false", node);
                None
            }
            ("in", Value::List(items)) => {
                let mut values = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    values.extend(value(reader, item, &at.item(index, item)));
                }
                Some(BodyTest::In(values))
            }
            ("in", _) => {
                reader.expected(&at, "a list of values", node);
                None
            }
            ("equals", _) => value(reader, node, &at).map(BodyTest::Equals),
            ("not_equals", _) => value(reader, node, &at).map(BodyTest::NotEquals),
            _ => value(reader, node, &at).map(BodyTest::Contains),
        };
        tests.push(test);
    }
    fields.finish(reader);
    if path.is_none() {
        reader.problem(at, "missing key `path`");
    }
    let count = tests.len();
    let (Some(test), 1) = (tests.pop(), count) else {
        reader.problem_with_hint(
            at,
            "a condition on the body needs one of `equals`, `not_equals`, `in`, `contains`, `exists`",
            "several conditions are a list: `body: [{path: code, not_equals: 0}, {path: data, exists: false}]`",
        );
        return None;
    };
    Some(BodyConfig { path: path?, test: test? })
}

fn value(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<String> {
    match reader.scalar(node, at)? {
        Text::Plain(text) => Some(text),
        Text::Secret(_) => {
            reader.problem(at, "a secret cannot stand here: this text is shown");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn statuses_as_people_write_them() {
        assert_eq!(range("404"), Some((404, 404)));
        assert_eq!(range("5xx"), Some((500, 599)));
        assert_eq!(range("4XX"), Some((400, 499)));
        assert_eq!(range("500-504"), Some((500, 504)));
        for wrong in ["", "x", "6xx", "99", "600", "504-500", "404-", "ok"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }
}
