//! One JSON document a line (NDJSON, JSON Lines, RFC 7464): a list of them.

use super::{Written, Wrong};
use crate::json::Document;

pub(super) fn written(body: &[u8]) -> Result<Written, Wrong> {
    let mut json = Vec::with_capacity(body.len() + 2);
    json.push(b'[');
    for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_prefix(b"\x1e").unwrap_or(line).trim_ascii();
        let (Some(first), Some(last)) = (line.first(), line.last()) else { continue };
        // What begins on one line and ends on another could make one document of two halves.
        let whole = match first {
            b'{' => *last == b'}',
            b'[' => *last == b']',
            _ => true,
        };
        if !whole {
            let cause = Document::parse(line.to_vec()).err();
            let wrong = |cause| Wrong::Json { line: number + 1, cause };
            let not_whole = || Wrong::Malformed { line: number + 1, why: "not a whole document".to_owned() };
            return Err(cause.map_or_else(not_whole, wrong));
        }
        if json.len() > 1 {
            json.push(b',');
        }
        json.extend_from_slice(line);
    }
    json.push(b']');
    Ok(Written { json, flaws: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(body: &str) -> String {
        String::from_utf8(written(body.as_bytes()).unwrap().json).unwrap()
    }

    #[test]
    fn every_line_is_a_document() {
        assert_eq!(json("{\"a\":1}\n{\"a\":2}\r\n\n\x1e{\"a\":3}"), r#"[{"a":1},{"a":2},{"a":3}]"#);
        assert_eq!(json("\n"), "[]");
        for (body, at) in [("{\"a\":1}\n{\"a\"", 2), ("{\"a\":1\n\"b\":2}", 1), ("{\"a\":\n1}", 1)] {
            match written(body.as_bytes()) {
                Err(Wrong::Json { line, .. }) => assert_eq!(line, at),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}
