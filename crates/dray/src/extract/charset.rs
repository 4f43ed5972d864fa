//! Bodies that are not UTF-8, where it is clear what they are.
//!
//! JSON is UTF-8 whatever `Content-Type` says (RFC 8259), and many a server declares Latin-1 for a body in UTF-8. So a
//! declared charset counts only where the body is not UTF-8.

use crate::plan::Encoding;

/// What Windows has in the place of the control characters of Latin-1; five bytes mean nothing.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The body in UTF-8, as far as it can be known what it is in. `told`: what the configuration says, which counts more
/// than what the answer declares.
pub(super) fn utf8(body: Vec<u8>, told: Option<Encoding>, content_type: Option<&str>) -> Vec<u8> {
    if let Some(big) = utf16(&body) {
        return from_utf16(&body, big);
    }
    let declared = || content_type.and_then(charset).and_then(|name| named(&name));
    let high: fn(u8) -> char = match told.or_else(declared) {
        Some(Encoding::Latin1) => char::from,
        Some(Encoding::Windows1252) => |byte| {
            let place = usize::from(byte).wrapping_sub(0x80);
            WINDOWS_1252.get(place).copied().unwrap_or(char::from(byte))
        },
        Some(Encoding::Utf8) | None => return body,
    };
    if told.is_none() && simdutf8::basic::from_utf8(&body).is_ok() {
        return body;
    }
    body.into_iter().map(high).collect::<String>().into_bytes()
}

/// An encoding by its name.
pub(super) fn named(name: &str) -> Option<Encoding> {
    match name.to_ascii_lowercase().as_str() {
        "iso-8859-1" | "latin1" | "latin-1" | "iso8859-1" => Some(Encoding::Latin1),
        "windows-1252" | "cp1252" => Some(Encoding::Windows1252),
        _ => None,
    }
}

fn charset(content_type: &str) -> Option<String> {
    let parameter = content_type.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })?;
    Some(parameter.trim().trim_matches('"').to_ascii_lowercase())
}

/// Whether the body is UTF-16, and if so whether its larger byte comes first: by its mark, or because the first
/// character of JSON is ASCII.
fn utf16(body: &[u8]) -> Option<bool> {
    match body {
        [0xFF, 0xFE, 0, 0, ..] => None,
        [0xFF, 0xFE, ..] => Some(false),
        [0xFE, 0xFF, ..] => Some(true),
        [0, first, _, second, ..] if *first != 0 && *second != 0 => Some(true),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => Some(false),
        _ => None,
    }
}

/// Half of a pair is written as its escape, and found as a flaw of its record later.
fn from_utf16(body: &[u8], big: bool) -> Vec<u8> {
    let units = body.chunks(2).map(|pair| match *pair {
        [first, second] if big => u16::from_be_bytes([first, second]),
        [first, second] => u16::from_le_bytes([first, second]),
        _ => u16::from(b'?'),
    });
    let mut text = String::with_capacity(body.len());
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => text.push(character),
            Err(half) => text.push_str(&format!("\\u{:04x}", half.unpaired_surrogate())),
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8], content_type: &str) -> String {
        String::from_utf8_lossy(&utf8(body.to_vec(), None, Some(content_type))).into_owned()
    }

    #[test]
    fn a_declared_charset_counts_where_the_body_is_not_utf8() {
        let latin = "application/json; charset=ISO-8859-1";
        assert_eq!(read(b"\"caf\xe9 \x85\"", latin), "\"café \u{85}\"");
        assert_eq!(read("\"café\"".as_bytes(), latin), "\"café\"");
        assert_eq!(read(b"\"\x80 \xe9\"", "text/json;charset=\"windows-1252\""), "\"€ é\"");
        assert_eq!(read(b"\"\xe9\"", "application/json"), "\"\u{fffd}\"");
    }

    #[test]
    fn an_encoding_that_is_told_counts_whatever_is_declared() {
        let told = |encoding, body: &[u8]| {
            let read = utf8(body.to_vec(), Some(encoding), Some("text/csv; charset=utf-8"));
            String::from_utf8_lossy(&read).into_owned()
        };
        assert_eq!(told(Encoding::Latin1, b"caf\xe9;\xc3\xa9"), "café;Ã©");
        assert_eq!(told(Encoding::Windows1252, b"\x80 5"), "€ 5");
        assert_eq!(told(Encoding::Utf8, "café".as_bytes()), "café");
    }

    #[test]
    fn utf16_is_known_by_its_mark_or_its_zeros() {
        let text = "[\"é😀\"]";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, body) in [(&b"\xff\xfe"[..], &little), (b"", &little), (b"\xfe\xff", &big), (b"", &big)] {
            let read = read(&[mark, &**body].concat(), "application/json");
            assert_eq!(read.trim_start_matches('\u{feff}'), text);
        }
        assert_eq!(read(b"[\0\"\0\x3d\xd8\"\0]\0", ""), "[\"\\ud83d\"]");
    }
}
