//! `{paginator.<value>}`, bodies of plain text, and what a paginator sends first: what is said of wrong ones.

use super::{explained, planned};
use crate::config::parse::Format;

fn said(keys: &str) -> String {
    let text = format!(
        "client: {{base_url: 'https://api.example.com/v1'}}\nresources: [{{name: posts, endpoint: {{{keys}}}}}]"
    );
    explained(&planned(&text, Format::Yaml))
}

#[test]
fn wrong_places() {
    let cursor = "paginator: {type: cursor, cursor_path: next}";
    for (keys, problem) in [
        ("params: {q: '{paginator.ofset}'}", "nearest is `offset`"),
        ("params: {q: '{paginator.offset}'}", "does not have `type: offset`"),
        (
            "params: {q: '{paginator.limit}'}, paginator: page_number",
            "does not have a paginator with `limit`",
        ),
        (&format!("method: POST, text: 'after {{paginator.cursor}}', {cursor}"), "write `initial_cursor`"),
        (
            "path: 'x/{paginator.page}', paginator: {type: page_number, omit_first: true}",
            "leave `omit_first` out",
        ),
        ("method: POST, text: x, json: {a: 1}", "`text` excludes `json` and `data`"),
        (
            "paginator: {type: page_number, total_header: X-Total, total_path: n}",
            "the list has another total already",
        ),
        (
            "paginator: {type: offset, limit: 5, total_pages_header: X-Pages}",
            "a key of `page_number`, not of `offset`",
        ),
        (
            "paginator: {type: offset, limit: 5, initial_cursor: x}",
            "a key of `cursor`, `header_cursor`, not of `offset`",
        ),
        ("params: {q: '{paginator.limit:05d}'}", "format specification"),
    ] {
        let said = said(keys);
        assert!(said.contains(problem), "{keys}: {said}");
        assert_eq!(said.lines().filter(|line| !line.starts_with("  = ")).count(), 1, "{said}");
    }
}

#[test]
fn what_is_placed_is_shown() {
    let shown = said(
        "method: POST, text: 'limit {paginator.limit}; offset {paginator.offset};', \
         paginator: {type: offset, limit: 5, total_header: X-Total-Count}",
    );
    assert!(shown.contains("  text          limit {paginator.limit}; offset {paginator.offset};"), "{shown}");
    assert!(
        shown.contains(
            "(by its placeholder alone), 5 records each; until the header x-total-count is reached"
        ),
        "{shown}"
    );
}
