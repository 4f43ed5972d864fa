//! TOML, with the places of keys and values.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::diagnostics::{Diagnostics, child, item};
use crate::config::node::{Entry, Map, Node, Place, Value};

use super::Places;

/// Parses a TOML document. Its nesting is bounded by the TOML parser (80 levels).
pub(super) fn parse(text: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    let places = Places::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = error.span().map_or(Place::new(1, 1), |span| places.at(span.start));
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        diagnostics.push("", place, format!("this is not TOML: {message}"));
    }
    if !errors.is_empty() {
        return None;
    }
    let problems = diagnostics.len();
    let map = map(table.get_ref(), &places, "", diagnostics);
    (diagnostics.len() == problems).then(|| Node::new(Value::Map(map), Place::new(1, 1)))
}

fn map(table: &DeTable<'_>, places: &Places<'_>, path: &str, diagnostics: &mut Diagnostics) -> Map {
    let mut spanned: Vec<(&Spanned<_>, &Spanned<DeValue<'_>>)> = table.iter().collect();
    // The table is sorted by key; people expect the order of the file.
    spanned.sort_by_key(|(key, _)| key.span().start);
    let entries = spanned
        .into_iter()
        .map(|(key, value)| {
            let name = key.get_ref().to_string();
            let value = node(value, places, &child(path, &name), diagnostics);
            Entry { key: name, place: places.at(key.span().start), value }
        })
        .collect();
    Map { entries }
}

fn node(
    value: &Spanned<DeValue<'_>>,
    places: &Places<'_>,
    path: &str,
    diagnostics: &mut Diagnostics,
) -> Node {
    let place = places.at(value.span().start);
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Int(number),
            Err(_) => {
                diagnostics.push(path, place, format!("{} does not fit into 64 bits", number.as_str()));
                Value::Null
            }
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => {
                diagnostics.push(path, place, format!("{} is not a number", number.as_str()));
                Value::Null
            }
        },
        DeValue::Boolean(flag) => Value::Bool(*flag),
        // A configuration has no dates of its own; a cursor's initial value is text everywhere.
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => {
            let nodes = items.iter().enumerate();
            Value::List(
                nodes.map(|(index, value)| node(value, places, &item(path, index), diagnostics)).collect(),
            )
        }
        DeValue::Table(table) => Value::Map(map(table, places, path, diagnostics)),
    };
    Node::new(value, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(text: &str) -> String {
        let mut diagnostics = Diagnostics::new();
        assert_eq!(parse(text, &mut diagnostics), None);
        diagnostics.to_string()
    }

    #[test]
    fn values_have_places_and_keep_their_order() {
        let text = "[client]\nbase_url = \"https://x/\"\nauth.token = 'a'\n\n[[resources]]\nname = \"posts\"\nlimit = 1_000\nsince = 2024-01-02T03:04:05Z\nratio = -1.5e1\n[[resources]]\nname = \"b\"\n";
        let mut diagnostics = Diagnostics::new();
        let node = parse(text, &mut diagnostics).unwrap();
        let map = node.as_map().unwrap();
        assert_eq!(map.keys().collect::<Vec<_>>(), ["client", "resources"]);
        let client = map.get("client").unwrap().as_map().unwrap();
        assert_eq!(client.keys().collect::<Vec<_>>(), ["base_url", "auth"]);
        assert_eq!(client.get("base_url").unwrap().place, Place::new(2, 12));
        let resources = map.get("resources").unwrap().as_list().unwrap();
        assert_eq!(resources.len(), 2);
        let first = resources[0].as_map().unwrap();
        assert_eq!(first.get("limit").unwrap().as_int(), Some(1000));
        assert_eq!(first.get("since").unwrap().as_text(), Some("2024-01-02T03:04:05Z"));
        assert_eq!(first.get("ratio").unwrap().value, Value::Float(-15.0));
        assert_eq!(first.entry("name").unwrap().place, Place::new(6, 1));
    }

    #[test]
    fn problems_have_places() {
        insta::assert_snapshot!(bad("a = 1\nb = \n"), @"line 2: this is not TOML: string values must be quoted, expected literal string");
        insta::assert_snapshot!(bad("a = 1\na = 2\n"), @"line 2: this is not TOML: duplicate key");
        insta::assert_snapshot!(bad("a = 99999999999999999999\n"), @"line 1: a: 99999999999999999999 does not fit into 64 bits");
        assert!(!bad(&format!("a = {}{}", "[".repeat(200), "]".repeat(200))).is_empty());
    }
}
