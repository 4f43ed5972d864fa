//! Files of values for `for_each`: one a line (`.txt`), a table with a header (`.csv`), JSON (`.json`, `.jsonl`).

use std::collections::BTreeMap;

use super::diagnostics::Diagnostics;
use super::node::{Map, Node, Place, Value};
use super::parse::{Format, parse};

/// Files by the names that `for_each` has for them, and the values in each, or what is wrong with it.
pub type Lists = BTreeMap<String, Result<Vec<Node>, String>>;

/// The values in a file, or what is wrong with it. Texts are escaped: what looks like a template in data is none.
pub(super) fn items(name: &str, text: &str) -> Result<Vec<Node>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let mut items = match ending.as_deref() {
        Some("txt") => filled_lines(text).map(|(_, line)| Node::text(line, Place::default())).collect(),
        Some("csv") => table(text)?,
        Some("json") => match json(text)?.value {
            Value::List(items) => items,
            other => return Err(format!("it holds {}, expected a list", other.kind_name())),
        },
        Some("jsonl" | "ndjson") => {
            let lines = filled_lines(text)
                .map(|(number, line)| json(line).map_err(|error| format!("line {number}: {error}")));
            lines.collect::<Result<_, _>>()?
        }
        _ => return Err("its name tells no format, expected .txt, .csv, .json or .jsonl".to_owned()),
    };
    items.iter_mut().for_each(settle);
    Ok(items)
}

/// The lines that hold something, with their numbers.
fn filled_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty())
}

fn json(text: &str) -> Result<Node, String> {
    let mut diagnostics = Diagnostics::new();
    let node = parse(text, Format::Json, &mut diagnostics);
    let first = diagnostics.iter().next().map(|problem| problem.message.clone());
    node.ok_or_else(|| first.unwrap_or_else(|| "it is not JSON".to_owned()))
}

/// A mapping for each row, all of its values text.
fn table(text: &str) -> Result<Vec<Node>, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let mut row = Map::default();
        for (column, value) in columns.iter().zip(&record) {
            let value = Node::text(value.trim(), Place::default());
            if row.insert(column.trim(), Place::default(), value).is_some() {
                return Err(format!("two columns are named `{column}`"));
            }
        }
        rows.push(Node::new(Value::Map(row), Place::default()));
    }
    Ok(rows)
}

/// Takes the places away, which are those of another file, and escapes texts.
fn settle(node: &mut Node) {
    node.place = Place::default();
    match &mut node.value {
        Value::Text(text) if text.contains("${") => *text = escaped(text),
        Value::List(items) => items.iter_mut().for_each(settle),
        Value::Map(map) => {
            for entry in &mut map.entries {
                entry.place = Place::default();
                settle(&mut entry.value);
            }
        }
        _ => {}
    }
}

/// A text that reads as it stands once templates are resolved.
pub(crate) fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

#[cfg(test)]
mod tests {
    use super::super::each::to_json;
    use super::*;

    fn read(name: &str, text: &str) -> Result<String, String> {
        let values: Vec<String> = items(name, text)?.iter().map(|item| to_json(item).to_string()).collect();
        Ok(values.join(" "))
    }

    #[test]
    fn every_format_gives_its_values_in_order() {
        assert_eq!(read("a.txt", "AAPL\n\n MSFT \r\n").unwrap(), r#""AAPL" "MSFT""#);
        let table = "symbol,market\nAAPL,\"New York, NY\"\nSAP, Xetra\n";
        assert_eq!(
            read("a.CSV", table).unwrap(),
            r#"{"symbol":"AAPL","market":"New York, NY"} {"symbol":"SAP","market":"Xetra"}"#
        );
        assert_eq!(read("a.json", r#"[1, "x", {"id": 2}]"#).unwrap(), r#"1 "x" {"id":2}"#);
        assert_eq!(read("a.jsonl", "{\"id\":1}\n\n{\"id\":2}\n").unwrap(), r#"{"id":1} {"id":2}"#);
        assert_eq!(read("a.txt", "\u{feff}${secrets.x}").unwrap(), r#""$${secrets.x}""#);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        for (name, text, said) in [
            ("a.xlsx", "", "its name tells no format"),
            ("a.json", "{}", "it holds a mapping, expected a list"),
            ("a.jsonl", "1\n{", "line 2: "),
            ("a.csv", "a,b\n1\n", "record 1"),
            ("a.csv", "a,a\n1,2\n", "two columns are named `a`"),
        ] {
            let error = read(name, text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
