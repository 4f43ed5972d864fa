//! `response_actions`: how rules are read, and what is said of wrong ones.

use super::{explained, planned};
use crate::config::parse::Format;

fn with(rules: &str) -> String {
    let text = format!(
        "client: {{base_url: 'https://api.example.com/v1', response_actions: [{{status_code: 500, action: fail}}]}}\n\
         resources: [{{name: posts, endpoint: {{response_actions: {rules}}}}}]"
    );
    let shown = explained(&planned(&text, Format::Yaml));
    let rules: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("  answers")).collect();
    if rules.is_empty() { shown } else { rules.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n") }
}

#[test]
fn rules_in_words_the_endpoints_first() {
    let rules = "[{status_code: [404, 4xx], content: gone, action: ignore}, \
        {header: {retry: 'x*'}, body: {path: a.b, in: [1, 2]}, action: retry, delay: 5s}, \
        {body: [{path: code, not_equals: 0}, {path: d, exists: false}], action: fail, message: m, message_path: e}, \
        {status_code: 401-403, action: skip, message: off}, {body: {path: x, contains: y}, action: end}, \
        {body: {path: x, equals: true}, action: refresh_auth}]";
    insta::assert_snapshot!(with(rules), @r#"
    status 404, 400-499 and "gone" in the body: no records
    header retry: x* and a.b one of 1, 2: asked again after 5s
    code other than 0 and d missing: fails: m
    status 401-403: no records, counted as "off"
    x with y: the end of the list
    x equal to true: asked again with a new token, once
    status 500: the resource fails
    "#);
}

#[test]
fn wrong_rules() {
    for (rules, problem) in [
        ("{status_code: 404, action: ignore}", "expected a list of actions, found a mapping"),
        ("[{action: ignore}]", "else it would be meant for every answer"),
        ("[{status_code: 404}]", "missing key `action`"),
        ("[{status_code: 404, action: ignor}]", "nearest is `ignore`"),
        ("[{status_code: 6xx, action: ignore}]", "6xx is not an HTTP status code"),
        (
            "[{status_code: 404, action: ignore, delay: 5s}]",
            "`delay` is a key of `action: retry`, not of `action: ignore`",
        ),
        (
            "[{status_code: 404, action: end, message: m}]",
            "`message` is a key of `action: fail` and `action: skip`",
        ),
        (
            "[{body: {path: a}, action: end}]",
            "needs one of `equals`, `not_equals`, `in`, `contains`, `exists`",
        ),
        ("[{body: {path: a, equals: 1, in: [2]}, action: end}]", "needs one of"),
        ("[{body: {equals: 1}, action: end}]", "missing key `path`"),
        ("[{body: {path: 'a[', equals: 1}, action: end}]", "is not a JSONPath"),
        ("[{status_code: 404, action: fail, message_path: 'a['}]", "is not a JSONPath"),
        ("[{status_code: 404, colour: red, action: fail}]", "unknown key `colour`"),
        ("[{header: {a: '${secrets.x}'}, action: fail}]", "a secret cannot stand here"),
    ] {
        let said = with(rules);
        assert!(said.contains(problem), "{rules}: {said}");
        assert_eq!(said.lines().filter(|line| !line.starts_with("  = ")).count(), 1, "{said}");
    }
}
