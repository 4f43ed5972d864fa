//! `format`: what is said of wrong ones.

use super::{explained, planned};
use crate::config::parse::Format;

fn said(keys: &str) -> String {
    let text = format!(
        "client: {{base_url: 'https://api.example.com/v1'}}\nresources: [{{name: posts, endpoint: {{{keys}}}}}]"
    );
    explained(&planned(&text, Format::Yaml))
}

#[test]
fn wrong_formats() {
    for (keys, problem) in [
        ("format: cvs", "nearest is `csv`"),
        ("format: {delimiter: ';'}", "missing key `type`"),
        ("format: {type: xml, delimiter: ';'}", "unknown key `delimiter`"),
        ("format: {type: csv, delimiter: '::'}", "`delimiter` is one character"),
        ("format: {type: csv, delimiter: '\"'}", "`delimiter` and `quote` are the same character"),
        ("format: {type: csv, encoding: koi8}", "expected one of `utf-8`"),
        ("format: {type: csv, header: true, columns: [a]}", "keep one of the two keys"),
        ("format: {type: csv, infer: maybe}", "expected true or false"),
        ("format: {type: json, unpack: always}", "expected one of `auto`, `never`"),
        ("format: csv, data_selector: data", "the rows of CSV are the records"),
    ] {
        let said = said(keys);
        assert!(said.contains(problem), "{keys}: {said}");
        assert_eq!(said.lines().filter(|line| !line.starts_with("  = ")).count(), 1, "{said}");
    }
}

#[test]
fn a_format_is_shown() {
    for (keys, shown) in [
        ("format: {type: csv, columns: [a, b], delimiter: tab}, data_selector: $", "  format        CSV"),
        ("format: ndjson", "  format        one JSON document a line"),
    ] {
        assert!(said(keys).contains(shown), "{}", said(keys));
    }
}
