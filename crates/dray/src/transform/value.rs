//! Values on their way into programs and out again. Numbers keep their digits as long as nobody computes with them.

use std::io::Write as _;

use jaq_core::ValT as _;
use jaq_json::{Map, Num, Val};

use crate::json::{Document, Kind, NodeId};

/// Digits of an integer that programs can compute with; of a longer one they see a decimal.
const DIGITS: usize = 1000;

/// Why what a program gave is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Bytes, which JSON does not have.
    Bytes,
    /// An object with a key that is no text.
    Key,
    /// Deeper than `client.limits.depth`.
    Depth,
    /// The page's records are larger than `client.limits.body`.
    Large,
}

impl Unfit {
    /// What is wrong, in words that are the same for all of the kind.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Bytes => "it gave bytes, which JSON does not have",
            Self::Key => "it gave an object with a key that is no text",
            Self::Depth => "it gave values inside each other beyond `client.limits.depth`",
            Self::Large => "it gave more than `client.limits.body`",
        }
    }
}

/// A value of the tape as programs see it.
pub(super) fn read(document: &Document, id: NodeId) -> Val {
    match document.kind(id) {
        Kind::Null => Val::Null,
        Kind::True => Val::Bool(true),
        Kind::False => Val::Bool(false),
        Kind::Integer | Kind::Decimal => number(document.json(id)),
        Kind::Plain => Val::utf8_str(document.raw(id).to_vec()),
        Kind::Escaped => text(document.text(id).unwrap_or_default()),
        Kind::Array => document.items(id).map(|item| read(document, item)).collect(),
        Kind::Object => {
            let mut map = Map::default();
            for (key, value) in document.entries(id) {
                map.insert(text(document.text(key).unwrap_or_default()), read(document, value));
            }
            Val::obj(map)
        }
    }
}

/// A text as programs see it.
pub(super) fn text(text: impl AsRef<str>) -> Val {
    Val::utf8_str(text.as_ref().as_bytes().to_vec())
}

/// A number from its digits.
pub(super) fn number(digits: &str) -> Val {
    let plain = || Val::Num(Num::Dec(digits.to_owned().into()));
    if digits.len() > DIGITS { plain() } else { Val::from_num(digits).unwrap_or_else(|_| plain()) }
}

/// The text of a value, if it is one.
pub(super) fn as_text(value: &Val) -> Option<&str> {
    match value {
        Val::TStr(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// How much may be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Containers inside each other.
    pub(super) depth: usize,
    /// Bytes of the whole body.
    pub(super) bytes: usize,
}

/// Writes a value as JSON to the end of a body.
pub(super) fn write(value: &Val, body: &mut Vec<u8>, room: Room) -> Result<(), Unfit> {
    match value {
        Val::Null => body.extend_from_slice(b"null"),
        Val::Bool(true) => body.extend_from_slice(b"true"),
        Val::Bool(false) => body.extend_from_slice(b"false"),
        Val::Num(number) => write_number(number, body),
        Val::TStr(bytes) => quoted(bytes, body),
        Val::BStr(_) => return Err(Unfit::Bytes),
        Val::Arr(items) => {
            let room = inside(room)?;
            body.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    body.push(b',');
                }
                write(item, body, room)?;
            }
            body.push(b']');
        }
        Val::Obj(map) => {
            let room = inside(room)?;
            body.push(b'{');
            for (at, (key, value)) in map.iter().enumerate() {
                let Val::TStr(key) = key else { return Err(Unfit::Key) };
                if at > 0 {
                    body.push(b',');
                }
                quoted(key, body);
                body.push(b':');
                write(value, body, room)?;
            }
            body.push(b'}');
        }
    }
    if body.len() > room.bytes { Err(Unfit::Large) } else { Ok(()) }
}

fn inside(room: Room) -> Result<Room, Unfit> {
    Ok(Room { depth: room.depth.checked_sub(1).ok_or(Unfit::Depth)?, ..room })
}

fn quoted(bytes: &[u8], body: &mut Vec<u8>) {
    body.extend_from_slice(crate::json::quote(&String::from_utf8_lossy(bytes)).as_bytes());
}

fn write_number(number: &Num, body: &mut Vec<u8>) {
    let written = match number {
        Num::Int(number) => write!(body, "{number}"),
        Num::BigInt(number) => write!(body, "{number}"),
        Num::Dec(digits) => write!(body, "{digits}"),
        // As jq writes what JSON does not have.
        Num::Float(number) if number.is_nan() => write!(body, "null"),
        Num::Float(number) => write!(body, "{:?}", number.clamp(f64::MIN, f64::MAX)),
    };
    // Writing into memory does not fail.
    debug_assert!(written.is_ok(), "a number is written");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Bounds;

    fn through(json: &str) -> String {
        let document = Document::parse_within(json.as_bytes().to_vec(), &Bounds::default()).unwrap();
        let mut body = Vec::new();
        write(&read(&document, document.root()), &mut body, Room { depth: 128, bytes: 1 << 20 }).unwrap();
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn what_no_program_changes_comes_out_as_it_went_in() {
        let nines = "9".repeat(2000);
        for json in [
            "null",
            "[true,false,{}]",
            r#"{"b":1,"a":[1.10,1e400,-0.0,18446744073709551616,0.1234567890123456789]}"#,
            r#"{"text":"\u0000 \"quoted\" \\ \n é 😀"}"#,
            &nines,
        ] {
            assert_eq!(through(json), json);
        }
        assert_eq!(through(r#"{"a":"\u00e9\/","a":2}"#), r#"{"a":2}"#, "of a doubled key the last");
    }

    #[test]
    fn what_is_no_json_is_told() {
        let write = |value: &Val| {
            let mut body = Vec::new();
            write(value, &mut body, Room { depth: 2, bytes: 20 }).map(|()| String::from_utf8(body).unwrap())
        };
        assert_eq!(write(&Val::from(f64::NAN)).unwrap(), "null");
        assert_eq!(write(&Val::from(3.0)).unwrap(), "3.0");
        assert_eq!(write(&Val::byte_str(b"x".to_vec())), Err(Unfit::Bytes));
        let list = |value: Val| -> Val { [value].into_iter().collect() };
        assert_eq!(write(&list(list(Val::Null))).unwrap(), "[[null]]");
        assert_eq!(write(&list(list(list(Val::Null)))), Err(Unfit::Depth));
        assert_eq!(write(&text("x".repeat(30))), Err(Unfit::Large));
        assert_eq!(write(&Val::obj(Map::from_iter([(Val::from(1_usize), Val::Null)]))), Err(Unfit::Key));
    }
}
