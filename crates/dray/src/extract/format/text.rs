//! Texts of other formats as JSON values.

/// Writes a text; bytes that are not UTF-8 stay as they are, and are found as flaws of their record later.
pub(super) fn quoted(text: &[u8], json: &mut Vec<u8>) {
    json.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        let (plain, special) = rest.split_at(at);
        json.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else { break };
        match byte {
            b'"' | b'\\' => json.extend_from_slice(&[b'\\', *byte]),
            b'\n' => json.extend_from_slice(b"\\n"),
            b'\r' => json.extend_from_slice(b"\\r"),
            b'\t' => json.extend_from_slice(b"\\t"),
            control => json.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = after;
    }
    json.extend_from_slice(rest);
    json.push(b'"');
}

/// Writes a value: nothing is null, and with `infer` what looks like a number or a flag is one.
pub(super) fn value(text: &[u8], infer: bool, json: &mut Vec<u8>) {
    match text {
        b"" => json.extend_from_slice(b"null"),
        b"true" | b"false" if infer => json.extend_from_slice(text),
        _ if infer && is_number(text) => json.extend_from_slice(text),
        _ => quoted(text, json),
    }
}

/// Whether a text is a number beyond doubt: `007` is an identifier, and so may be `12e4`.
fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(point) => (digits.get(..point).unwrap_or_default(), digits.get(point + 1..)),
        None => (digits, None),
    };
    let all = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    all(whole) && (whole.len() == 1 || whole.first() != Some(&b'0')) && fraction.is_none_or(all)
}

#[cfg(test)]
mod tests {
    use super::value;

    fn written(text: &[u8], infer: bool) -> String {
        let mut json = Vec::new();
        value(text, infer, &mut json);
        String::from_utf8_lossy(&json).into_owned()
    }

    #[test]
    fn values_are_text_unless_they_are_to_be_inferred() {
        assert_eq!(written(b"12", false), "\"12\"");
        assert_eq!(written(b"a\"b\\c\n\td\x01 \xc3\xa9", false), "\"a\\\"b\\\\c\\n\\td\\u0001 é\"");
        assert_eq!(written(b"", false), "null");
        for number in ["12", "0", "-1", "0.50", "-12.5", "123456789012345678901234567890", "true", "false"] {
            assert_eq!(written(number.as_bytes(), true), number);
        }
        for text in ["007", "1e5", ".5", "5.", "+1", "1,5", "-", "1.2.3", "True", "NaN", "1 "] {
            assert_eq!(written(text.as_bytes(), true), format!("\"{text}\""));
        }
    }
}
