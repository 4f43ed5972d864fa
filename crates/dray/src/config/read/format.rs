//! `format`: a word, or a mapping with `type`.

use super::super::format::{FormatConfig, FormatType};
use super::super::model::{Located, Spot};
use super::super::node::{Node, Value};
use super::fields::{Fields, Reader, known_word, listed};
use crate::plan::Encoding;

const TYPES: [&str; 4] = ["json", "jsonl", "csv", "xml"];
const ENCODINGS: [&str; 6] = ["utf-8", "utf8", "latin1", "iso-8859-1", "windows-1252", "cp1252"];

pub(super) fn read(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<FormatConfig> {
    if let Value::Text(word) = &node.value {
        let written = Located { value: word.clone(), at: at.clone() };
        return Some(bare(kind(reader, &written)?, at));
    }
    let mut fields = Fields::open(reader, node, at)?;
    let Some(written) = fields.plain(reader, "type") else {
        reader.problem_with_hint(at, "missing key `type`", format!("expected one of {}", listed(&TYPES)));
        return None;
    };
    let kind = kind(reader, &written)?;
    let mut format = bare(kind, at);
    format.encoding = fields.word(reader, "encoding", &ENCODINGS).map(|word| match word {
        "latin1" | "iso-8859-1" => Encoding::Latin1,
        "windows-1252" | "cp1252" => Encoding::Windows1252,
        _ => Encoding::Utf8,
    });
    format.lossy = fields.flag(reader, "lossy");
    format.packed = fields.word(reader, "unpack", &["auto", "never"]) == Some("never");
    if kind == FormatType::Csv {
        format.delimiter = byte(reader, &mut fields, "delimiter");
        format.quote = byte(reader, &mut fields, "quote");
        format.header = fields.flag(reader, "header");
        format.columns = fields.words(reader, "columns");
    }
    if matches!(kind, FormatType::Csv | FormatType::Xml) {
        format.infer = fields.flag(reader, "infer");
    }
    if kind == FormatType::Xml {
        format.lists = fields.words(reader, "lists").map(|words| words.value).unwrap_or_default();
    }
    fields.finish(reader);
    Some(format)
}

fn kind(reader: &mut Reader<'_>, written: &Located<String>) -> Option<FormatType> {
    // `ndjson` is another name of it.
    if written.value == "ndjson" {
        return Some(FormatType::Jsonl);
    }
    Some(match known_word(reader, written, "format", &TYPES)? {
        "jsonl" => FormatType::Jsonl,
        "csv" => FormatType::Csv,
        "xml" => FormatType::Xml,
        _ => FormatType::Json,
    })
}

fn bare(kind: FormatType, at: &Spot) -> FormatConfig {
    FormatConfig {
        at: at.clone(),
        kind,
        encoding: None,
        lossy: None,
        packed: false,
        delimiter: None,
        quote: None,
        header: None,
        columns: None,
        infer: None,
        lists: Vec::new(),
    }
}

/// One character of ASCII.
fn byte(reader: &mut Reader<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<u8> {
    let written = fields.plain(reader, key)?;
    match written.value.as_bytes() {
        b"tab" | b"\\t" => Some(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Some(*byte),
        _ => {
            reader.problem_with_hint(
                &written.at,
                format!("`{key}` is one character"),
                "such as `;`, `|` or `\\t`",
            );
            None
        }
    }
}
