//! Escapes of JSON strings.

/// The text of a string whose escapes the parser has checked. A lone surrogate becomes U+FFFD.
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut characters = escaped.chars();
        match characters.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let (character, length) = unicode(escaped);
                text.push(character);
                rest = escaped.get(length..).unwrap_or_default();
                continue;
            }
            Some(other) => text.push(other),
            None => break,
        }
        rest = characters.as_str();
    }
    text.push_str(rest);
    text
}

/// The character of `uXXXX` or of a pair `uD8XX\uDCXX`, and how many bytes it took.
fn unicode(escaped: &str) -> (char, usize) {
    let unit = |from: usize| escaped.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let first = unit(1).unwrap_or(0xFFFD);
    if (0xD800..0xDC00).contains(&first)
        && escaped.get(5..7) == Some("\\u")
        && let Some(second) = unit(7).filter(|unit| (0xDC00..0xE000).contains(unit))
    {
        let scalar = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}

/// A text as a JSON string, with quotes.
#[must_use]
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn every_escape() {
        assert_eq!(unescape(r#"a\"\\\/\b\f\n\r\tz"#), "a\"\\/\u{8}\u{c}\n\r\tz");
        assert_eq!(unescape(r"\u00e9\ud83d\ude00\ud83dx"), "é😀\u{fffd}x");
    }
}
