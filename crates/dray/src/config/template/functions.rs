//! The functions of templates. Each is a function of its arguments alone; what is made of a secret is secret.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::TemplateError;
use crate::config::diagnostics::closest;
use crate::config::node::Value;
use crate::secret::Secret;

/// Longest text that a function may make: nothing that a request holds is longer, and `replace` in `replace` grows fast.
const MAX_TEXT: usize = 1 << 20;

/// What RFC 3986 lets stand as it is.
const STRICT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A function of templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it; docs/configuration.md says what each does")]
pub enum Function {
    Base64,
    Base64Url,
    Hex,
    UrlEncode,
    Md5,
    Sha1,
    Sha256,
    Sha512,
    HmacSha1,
    HmacSha256,
    HmacSha512,
    Lower,
    Upper,
    Trim,
    Replace,
    Join,
    Default,
    Lookup,
    Equals,
    Not,
}

/// Name, how it is called, fewest arguments, most arguments.
type Row = (Function, &'static str, &'static str, usize, usize);

const MANY: usize = usize::MAX;
const FUNCTIONS: [Row; 20] = [
    (Function::Base64, "base64", "base64(TEXT, ...)", 1, MANY),
    (Function::Base64Url, "base64url", "base64url(TEXT, ...)", 1, MANY),
    (Function::Hex, "hex", "hex(TEXT, ...)", 1, MANY),
    (Function::UrlEncode, "url_encode", "url_encode(TEXT, ...)", 1, MANY),
    (Function::Md5, "md5", "md5(TEXT, ...)", 1, MANY),
    (Function::Sha1, "sha1", "sha1(TEXT, ...)", 1, MANY),
    (Function::Sha256, "sha256", "sha256(TEXT, ...)", 1, MANY),
    (Function::Sha512, "sha512", "sha512(TEXT, ...)", 1, MANY),
    (Function::HmacSha1, "hmac_sha1", "hmac_sha1(KEY, TEXT, ...)", 2, MANY),
    (Function::HmacSha256, "hmac_sha256", "hmac_sha256(KEY, TEXT, ...)", 2, MANY),
    (Function::HmacSha512, "hmac_sha512", "hmac_sha512(KEY, TEXT, ...)", 2, MANY),
    (Function::Lower, "lower", "lower(TEXT, ...)", 1, MANY),
    (Function::Upper, "upper", "upper(TEXT, ...)", 1, MANY),
    (Function::Trim, "trim", "trim(TEXT, ...)", 1, MANY),
    (Function::Replace, "replace", "replace(TEXT, FROM, TO)", 3, 3),
    (Function::Join, "join", "join(LIST, SEPARATOR)", 2, 2),
    (Function::Default, "default", "default(VALUE, ..., VALUE)", 2, MANY),
    (Function::Lookup, "lookup", "lookup(MAPPING, KEY) or lookup(MAPPING, KEY, DEFAULT)", 2, 3),
    (Function::Equals, "equals", "equals(VALUE, VALUE)", 2, 2),
    (Function::Not, "not", "not(VALUE)", 1, 1),
];

impl Function {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(_, known, ..)| *known == name).map(|(function, ..)| *function)
    }

    pub(super) fn names() -> Vec<&'static str> {
        FUNCTIONS.iter().map(|(_, name, ..)| *name).collect()
    }

    fn row(self) -> Option<&'static Row> {
        FUNCTIONS.iter().find(|(function, ..)| *function == self)
    }

    /// How many arguments it takes.
    pub(super) fn arguments(self) -> RangeInclusive<usize> {
        self.row().map_or(0..=0, |(.., fewest, most)| *fewest..=*most)
    }

    /// How it is called.
    pub(super) fn usage(self) -> &'static str {
        self.row().map_or("", |(_, _, usage, ..)| usage)
    }

    fn name(self) -> &'static str {
        self.row().map_or("", |(_, name, ..)| name)
    }
}

/// What an argument stands for.
#[derive(Clone, PartialEq)]
pub(in crate::config) enum Operand {
    /// A value.
    Value(Value),
    /// A digest: bytes to `base64` and as the key of another digest, hexadecimal everywhere else.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether a secret went into them.
        secret: bool,
    },
}

/// What a call gives, or why it gives nothing.
type Outcome = Result<Operand, TemplateError>;

impl Operand {
    /// The value that takes the place of the call.
    pub(in crate::config) fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Bytes { bytes, secret } => text_value(in_hex(&bytes), secret),
        }
    }

    fn is_secret(&self) -> bool {
        match self {
            Self::Value(value) => value_is_secret(value),
            Self::Bytes { secret, .. } => *secret,
        }
    }

    /// Whether it is nothing, or a text of nothing.
    pub(in crate::config) fn is_empty(&self) -> bool {
        match self {
            Self::Value(Value::Null) => true,
            Self::Value(Value::Text(text)) => text.is_empty(),
            Self::Value(Value::Secret(secret)) => secret.expose().is_empty(),
            _ => false,
        }
    }

    fn bytes(&self, function: Function) -> Result<Cow<'_, [u8]>, TemplateError> {
        match self {
            Self::Bytes { bytes, .. } => Ok(Cow::Borrowed(bytes)),
            Self::Value(value) => Ok(Cow::Owned(text_of(value, function)?.into_owned().into_bytes())),
        }
    }

    fn text(&self, function: Function) -> Result<Cow<'_, str>, TemplateError> {
        match self {
            Self::Bytes { bytes, .. } => Ok(Cow::Owned(in_hex(bytes))),
            Self::Value(value) => text_of(value, function),
        }
    }
}

fn value_is_secret(value: &Value) -> bool {
    match value {
        Value::Secret(_) => true,
        Value::List(items) => items.iter().any(|item| value_is_secret(&item.value)),
        Value::Map(map) => map.entries.iter().any(|entry| value_is_secret(&entry.value.value)),
        _ => false,
    }
}

fn text_value(text: String, secret: bool) -> Value {
    if secret { Value::Secret(Secret::new(text)) } else { Value::Text(text) }
}

fn in_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text of a scalar.
fn text_of(value: &Value, function: Function) -> Result<Cow<'_, str>, TemplateError> {
    Ok(match value {
        Value::Text(text) => Cow::Borrowed(text),
        Value::Secret(secret) => Cow::Borrowed(secret.expose()),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::Float(number) => Cow::Owned(number.to_string()),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Value::Null | Value::List(_) | Value::Map(_) => {
            let hint = match value {
                Value::List(_) => "join(LIST, \",\") makes a text of a list",
                Value::Map(_) => "lookup(MAPPING, KEY) takes a value out of a mapping",
                _ => "default(VALUE, \"...\") takes something else in its place",
            };
            return Err(wrong(
                function,
                format!("is given {}, expected text or a number", value.kind_name()),
                hint,
            ));
        }
    })
}

fn wrong(function: Function, what: impl std::fmt::Display, hint: impl Into<String>) -> TemplateError {
    TemplateError { message: format!("`{}` {what}", function.name()), hint: hint.into() }
}

/// Calls a function. The number of its arguments was checked when the text was read.
pub(in crate::config) fn evaluate(
    function: Function,
    operands: Vec<Operand>,
) -> Result<Operand, TemplateError> {
    let secret = operands.iter().any(Operand::is_secret);
    let text = |text: String| {
        if text.len() > MAX_TEXT {
            return Err(wrong(function, "makes a text of more than 1 MiB", "write less into it"));
        }
        Ok(Operand::Value(text_value(text, secret)))
    };
    let digest = |bytes: Vec<u8>| Ok(Operand::Bytes { bytes, secret });
    match function {
        Function::Base64 => text(STANDARD.encode(alone(function, &operands)?)),
        Function::Base64Url => text(URL_SAFE_NO_PAD.encode(alone(function, &operands)?)),
        Function::Hex => text(in_hex(&alone(function, &operands)?)),
        Function::Md5 => digest(Md5::digest(joined(function, &operands)?).to_vec()),
        Function::Sha1 => digest(Sha1::digest(joined(function, &operands)?).to_vec()),
        Function::Sha256 => digest(Sha256::digest(joined(function, &operands)?).to_vec()),
        Function::Sha512 => digest(Sha512::digest(joined(function, &operands)?).to_vec()),
        Function::HmacSha1 => digest(hmac::<Hmac<Sha1>>(function, &operands)?),
        Function::HmacSha256 => digest(hmac::<Hmac<Sha256>>(function, &operands)?),
        Function::HmacSha512 => digest(hmac::<Hmac<Sha512>>(function, &operands)?),
        Function::UrlEncode => text(utf8_percent_encode(&joined(function, &operands)?, &STRICT).to_string()),
        Function::Lower => text(joined(function, &operands)?.to_lowercase()),
        Function::Upper => text(joined(function, &operands)?.to_uppercase()),
        Function::Trim => text(joined(function, &operands)?.trim().to_owned()),
        Function::Replace => {
            let [whole, from, to] = operands.as_slice() else { return Err(miscounted(function)) };
            let (whole, from, to) = (whole.text(function)?, from.text(function)?, to.text(function)?);
            if from.is_empty() {
                return Err(wrong(
                    function,
                    "looks for an empty text",
                    format!("expected {}", function.usage()),
                ));
            }
            if whole.len().saturating_mul(to.len().max(1)) > 64 * MAX_TEXT {
                return Err(wrong(function, "makes a text of more than 1 MiB", "write less into it"));
            }
            text(whole.replace(from.as_ref(), &to))
        }
        Function::Join => {
            let [list, separator] = operands.as_slice() else { return Err(miscounted(function)) };
            let Operand::Value(Value::List(items)) = list else {
                let found = match list {
                    Operand::Value(value) => value.kind_name(),
                    Operand::Bytes { .. } => "text",
                };
                return Err(wrong(function, format!("is given {found}, expected a list"), function.usage()));
            };
            let texts: Result<Vec<_>, _> = items.iter().map(|item| text_of(&item.value, function)).collect();
            text(texts?.join(&separator.text(function)?))
        }
        Function::Default => {
            let last = operands.last().cloned();
            let found = operands.into_iter().find(|operand| !operand.is_empty()).or(last);
            found.ok_or_else(|| miscounted(function))
        }
        Function::Lookup => looked_up(operands),
        Function::Equals => {
            let [one, other] = operands.as_slice() else { return Err(miscounted(function)) };
            let same = one.text(function)? == other.text(function)?;
            Ok(Operand::Value(Value::Bool(same)))
        }
        Function::Not => {
            let [only] = operands.as_slice() else { return Err(miscounted(function)) };
            let holds = match only {
                Operand::Value(value) => is_true(value),
                Operand::Bytes { .. } => true,
            };
            Ok(Operand::Value(Value::Bool(!holds)))
        }
    }
}

/// Whether a value means yes: everything but nothing, `false`, 0, an empty text, list or mapping, and the words `false`,
/// `no`, `off`, `none`, `null` and `0`.
pub(in crate::config) fn is_true(value: &Value) -> bool {
    let word = |text: &str| {
        let text = text.trim().to_ascii_lowercase();
        !matches!(text.as_str(), "" | "false" | "no" | "off" | "none" | "null" | "0")
    };
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Int(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Text(text) => word(text),
        Value::Secret(secret) => word(secret.expose()),
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
    }
}

/// Arguments are counted when a call is read.
fn miscounted(function: Function) -> TemplateError {
    wrong(function, "has other arguments than it takes", format!("expected {}", function.usage()))
}

fn joined(function: Function, operands: &[Operand]) -> Result<String, TemplateError> {
    operands.iter().map(|operand| operand.text(function)).collect()
}

/// The bytes of a digest that stands alone, else those of the text.
fn alone(function: Function, operands: &[Operand]) -> Result<Vec<u8>, TemplateError> {
    match operands {
        [Operand::Bytes { bytes, .. }] => Ok(bytes.clone()),
        _ => joined(function, operands).map(String::into_bytes),
    }
}

fn hmac<M: Mac + hmac::digest::KeyInit>(
    function: Function,
    operands: &[Operand],
) -> Result<Vec<u8>, TemplateError> {
    let Some((key, texts)) = operands.split_first() else { return Err(miscounted(function)) };
    let mut mac = <M as Mac>::new_from_slice(&key.bytes(function)?)
        .map_err(|error| wrong(function, format!("cannot take its key: {error}"), function.usage()))?;
    mac.update(joined(function, texts)?.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn looked_up(operands: Vec<Operand>) -> Outcome {
    let function = Function::Lookup;
    let mut operands = operands.into_iter();
    let (map, key, default) = (operands.next(), operands.next(), operands.next());
    let (Some(map), Some(key)) = (map, key) else { return Err(miscounted(function)) };
    let map = match map {
        Operand::Value(Value::Map(map)) => map,
        Operand::Value(other) => {
            return Err(wrong(
                function,
                format!("is given {}, expected a mapping", other.kind_name()),
                function.usage(),
            ));
        }
        Operand::Bytes { .. } => {
            return Err(wrong(function, "is given text, expected a mapping", function.usage()));
        }
    };
    let name = key.text(function)?;
    match map.get(&name) {
        Some(node) => Ok(Operand::Value(node.value.clone())),
        None => default.ok_or_else(|| {
            let shown = if key.is_secret() { "***" } else { name.as_ref() };
            let hint = match closest(&name, map.keys()).filter(|_| !key.is_secret()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "add it to the mapping, or give a third argument for what is not in it".to_owned(),
            };
            wrong(function, format!("finds no `{shown}` in its mapping"), hint)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::node::{Map, Node, Place};

    fn text(text: &str) -> Operand {
        Operand::Value(Value::Text(text.to_owned()))
    }

    fn secret(text: &str) -> Operand {
        Operand::Value(Value::Secret(Secret::new(text)))
    }

    fn called(function: Function, operands: Vec<Operand>) -> Value {
        evaluate(function, operands).unwrap().into_value()
    }

    fn refused(function: Function, operands: Vec<Operand>) -> String {
        let Err(error) = evaluate(function, operands) else { panic!("{function:?}") };
        format!("{} | {}", error.message, error.hint)
    }

    #[test]
    fn digests_and_codes_are_those_of_their_standards() {
        // RFC 4648 §10, RFC 1321 A.5, FIPS 180-4's examples, RFC 7617 §2.
        for (function, written, value) in [
            (Function::Base64, "foob", "Zm9vYg=="),
            (Function::Base64, "Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            (Function::Base64Url, "\u{fb}\u{ff}?", "w7vDvz8"),
            (Function::Hex, "foob", "666f6f62"),
            (Function::Md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (Function::Sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Function::Sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (Function::UrlEncode, "a b/c~é", "a%20b%2Fc~%C3%A9"),
        ] {
            assert_eq!(called(function, vec![text(written)]), Value::Text(value.to_owned()), "{function:?}");
        }
        // RFC 4231, test case 2; RFC 2202, test case 2.
        let keyed =
            |function| called(function, vec![text("Jefe"), text("what do ya want "), text("for nothing?")]);
        let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(keyed(Function::HmacSha256), Value::Text(sha256.to_owned()));
        let sha1 = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        assert_eq!(keyed(Function::HmacSha1), Value::Text(sha1.to_owned()));
        let Value::Text(sha512) = keyed(Function::HmacSha512) else { panic!() };
        assert!(sha512.starts_with("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"));
    }

    #[test]
    fn a_digest_is_bytes_to_base64_and_hexadecimal_as_text() {
        let digest = evaluate(Function::Md5, vec![text("abc")]).unwrap();
        // `printf abc | openssl md5 -binary | base64`
        let base64 = called(Function::Base64, vec![digest.clone()]);
        assert_eq!(base64, Value::Text("kAFQmDzST7DWlj99KOF/cg==".to_owned()));
        // `printf x900150983cd24fb0d6963f7d28e17f72 | md5sum`
        let again = called(Function::Md5, vec![text("x"), digest.clone()]);
        assert_eq!(again, Value::Text("6ea835298579c653f0327e7ef63fdb06".to_owned()));
        let upper = called(Function::Upper, vec![digest]);
        assert_eq!(upper, Value::Text("900150983CD24FB0D6963F7D28E17F72".to_owned()));
    }

    #[test]
    fn texts_and_lists() {
        let list = |items: &[&str]| {
            let node = |item: &&str| Node::text(*item, Place::default());
            Operand::Value(Value::List(items.iter().map(node).collect()))
        };
        assert_eq!(called(Function::Join, vec![list(&["a", "b"]), text(",")]), Value::Text("a,b".into()));
        assert_eq!(called(Function::Join, vec![list(&[]), text(",")]), Value::Text(String::new()));
        assert_eq!(called(Function::Lower, vec![text("ÄB")]), Value::Text("äb".into()));
        assert_eq!(called(Function::Trim, vec![text(" a\n")]), Value::Text("a".into()));
        let replaced = called(Function::Replace, vec![text("a-b-c"), text("-"), text("")]);
        assert_eq!(replaced, Value::Text("abc".into()));
        assert_eq!(called(Function::Default, vec![text(""), text("x")]), Value::Text("x".into()));
        assert_eq!(called(Function::Default, vec![text(""), text("")]), Value::Text(String::new()));
        let number = Operand::Value(Value::Int(7));
        assert_eq!(called(Function::Equals, vec![number, text("7")]), Value::Bool(true));
        assert_eq!(called(Function::Not, vec![text("off")]), Value::Bool(true));
    }

    #[test]
    fn a_mapping_is_looked_up() {
        let mut map = Map::default();
        map.insert("eu", Place::default(), Node::new(Value::Int(5), Place::default()));
        let map = Operand::Value(Value::Map(map));
        assert_eq!(called(Function::Lookup, vec![map.clone(), text("eu")]), Value::Int(5));
        let other = called(Function::Lookup, vec![map.clone(), text("us"), text("x")]);
        assert_eq!(other, Value::Text("x".into()));
        let told = refused(Function::Lookup, vec![map.clone(), secret("hidden")]);
        assert!(told.starts_with("`lookup` finds no `***`"), "{told}");
        assert!(refused(Function::Lookup, vec![map.clone(), text("e")]).contains("third argument"));
        assert!(refused(Function::Lower, vec![map]).contains("lookup(MAPPING, KEY)"));
        assert!(refused(Function::Join, vec![text("a"), text(",")]).contains("expected a list"));
    }

    #[test]
    fn what_is_made_of_a_secret_is_secret() {
        for function in [Function::Base64, Function::Md5, Function::HmacSha256, Function::Lower] {
            let made = called(function, vec![text("a"), secret("swordfish")]);
            assert!(matches!(made, Value::Secret(_)), "{function:?}");
        }
    }

    #[test]
    fn texts_stay_small() {
        let long = "a".repeat(MAX_TEXT);
        assert!(refused(Function::Replace, vec![text(&long), text("a"), text("bb")]).contains("1 MiB"));
        assert!(refused(Function::Hex, vec![text(&long)]).contains("1 MiB"));
    }

    #[test]
    fn every_function_is_in_the_table_once() {
        let names = Function::names();
        for name in &names {
            let function = Function::of_name(name).unwrap();
            assert_eq!(function.name(), *name);
            assert!(function.usage().starts_with(&format!("{name}(")));
        }
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
    }
}
