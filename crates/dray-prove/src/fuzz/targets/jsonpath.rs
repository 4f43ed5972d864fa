//! JSONPath expressions over documents.

use dray::json::{Bounds, Document, Path};

use super::{Target, as_it_is, text};
use crate::fuzz::{joined, parts};

/// The target.
pub(super) const TARGET: Target = Target {
    name: "jsonpath",
    seeds,
    words: &[
        "$",
        "..",
        "[*]",
        ".*",
        "[-1]",
        "[0:9:2]",
        "[::-1]",
        "[?@.a]",
        "[?@.a > 1]",
        "&&",
        "||",
        "!",
        "==",
        "<=",
        "length(@)",
        "count(@..*)",
        "match(@.a, '(a+)+$')",
        "search(@.a, '(.*)*x')",
        "value(@..a)",
        "@",
        "'a'",
        "\"a\"",
        "[",
        "]",
        "(",
        ")",
        "\u{1e}",
    ],
    finish: as_it_is,
    start: || Ok(Box::new(check)),
};

const PATHS: &[&str] = &[
    "data",
    "a.b.c",
    "$",
    "$.data[*].id",
    "['a b'].c",
    "data[-1]",
    "data[0:2]",
    "$..id",
    "data[?@.a > 1]",
    "data[?@.a == 'x' && (@.b < 2 || !@.c)]",
    "data[?length(@.s) > 2].s",
    "data[?match(@.s, '[a-z]+')]",
    "data[?count(@..*) > 3]",
    "$[?@[?@.a]]",
    "a..b..c",
    "data.*.*",
];
const DOCUMENTS: &[&str] = &[
    r#"{"data": [{"id": 1, "a": 2, "s": "abc", "b": 1.5}, {"id": 2, "a": null, "s": "aaaaaaaaaaaaaaaaaaaaaaaaaaa!"}, [1, [2, [3]]]], "a": {"b": {"c": 1}}, "a b": {"c": 2}}"#,
    r#"[[[[[[{"a": [{"a": [{"a": 1}]}]}]]]]], "\ud800", {"": {"": 1}}, 1e400]"#,
    "{}",
];

fn seeds() -> Vec<Vec<u8>> {
    let both = |document: &'static str| {
        PATHS.iter().map(move |path| joined(&[path.as_bytes(), document.as_bytes()]))
    };
    DOCUMENTS.iter().copied().flat_map(both).collect()
}

fn check(input: &[u8]) -> Result<(), String> {
    let [path, body] = parts(input);
    let Ok(path) = Path::parse(&text(path)) else { return Ok(()) };
    let again =
        Path::parse(&path.to_string()).map_err(|error| format!("shown as what it is not: {error}"))?;
    if again != path {
        return Err(format!("`{path}` is shown as another path"));
    }
    let Ok(document) = Document::parse_within(body.to_vec(), &Bounds::default()) else { return Ok(()) };
    let (root, mut all) = (document.root(), Vec::new());
    path.all(&document, root, &mut all);
    if path.first(&document, root) != all.first().copied() {
        return Err(format!("the first of `{path}` is not the first of all"));
    }
    for found in all {
        drop((document.json(found), document.scalar(found), document.pointer_to(found)));
    }
    Ok(())
}
