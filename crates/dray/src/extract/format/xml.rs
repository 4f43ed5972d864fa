//! XML: elements become keys, attributes `@name`, repeated elements lists, text beside elements `#text`.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::text::{quoted, value};
use super::{Written, Wrong, line_of, within};
use crate::plan::{Limits, XmlPlan};

/// Fields from which on they are looked up by a table.
const FEW: usize = 8;

/// An element that is still open.
#[derive(Default)]
struct Open {
    name: String,
    /// Its attributes and elements in the order of their first appearance, each with its values as JSON.
    fields: Vec<(String, Vec<Vec<u8>>)>,
    places: HashMap<String, usize>,
    text: String,
}

impl Open {
    fn add(&mut self, name: &str, json: Vec<u8>) {
        let place = if self.fields.len() <= FEW {
            self.fields.iter().position(|(own, _)| own == name)
        } else {
            if self.places.is_empty() {
                let names = self.fields.iter().enumerate().map(|(place, (name, _))| (name.clone(), place));
                self.places = names.collect();
            }
            self.places.get(name).copied()
        };
        match place.and_then(|place| self.fields.get_mut(place)) {
            Some((_, values)) => values.push(json),
            None => {
                if !self.places.is_empty() {
                    self.places.insert(name.to_owned(), self.fields.len());
                }
                self.fields.push((name.to_owned(), vec![json]));
            }
        }
    }

    /// The element as JSON. `list`: the name that is a list here, be it empty.
    fn json(self, plan: &XmlPlan, list: Option<&String>) -> Vec<u8> {
        let mut json = Vec::new();
        let text = self.text.trim();
        if self.fields.is_empty() && list.is_none() {
            value(text.as_bytes(), plan.infer, &mut json);
            return json;
        }
        json.push(b'{');
        let key = |name: &str, json: &mut Vec<u8>| {
            if json.len() > 1 {
                json.push(b',');
            }
            quoted(name.as_bytes(), json);
            json.push(b':');
        };
        if let Some(list) = list.filter(|list| self.fields.iter().all(|(name, _)| name != *list)) {
            key(list, &mut json);
            json.extend_from_slice(b"[]");
        }
        for (name, values) in &self.fields {
            key(name, &mut json);
            let many = values.len() > 1 || plan.lists.contains(name) || Some(name) == list;
            if many {
                json.push(b'[');
            }
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    json.push(b',');
                }
                json.extend_from_slice(value);
            }
            if many {
                json.push(b']');
            }
        }
        if !text.is_empty() {
            key("#text", &mut json);
            value(text.as_bytes(), plan.infer, &mut json);
        }
        json.push(b'}');
        json
    }
}

pub(super) fn written(body: &[u8], plan: &XmlPlan, limits: &Limits) -> Result<Written, Wrong> {
    let text = std::str::from_utf8(body).map_err(|error| Wrong::Malformed {
        line: line_of(body, error.valid_up_to()),
        why:
            "bytes that are not UTF-8; `format.encoding` names another encoding, `lossy: true` replaces them"
                .to_owned(),
    })?;
    let mut reader = Reader::from_str(text);
    let mut open = vec![Open::default()];
    loop {
        let wrong = |at: u64, why: String| Wrong::Malformed {
            line: line_of(body, usize::try_from(at).unwrap_or(usize::MAX)),
            why,
        };
        let event = reader.read_event().map_err(|error| wrong(reader.error_position(), error.to_string()))?;
        let at = reader.buffer_position();
        match event {
            Event::Start(start) => {
                if open.len() > limits.json.depth {
                    return Err(Wrong::Beyond("depth"));
                }
                open.push(opened(&start).map_err(|why| wrong(at, why))?);
            }
            Event::Empty(start) => {
                let element = opened(&start).map_err(|why| wrong(at, why))?;
                open.push(element);
                close(&mut open, plan, limits)?;
            }
            Event::End(_) => close(&mut open, plan, limits)?,
            Event::Text(piece) => {
                let piece = piece.xml_content().map_err(|error| wrong(at, error.to_string()))?;
                add_text(&mut open, &piece);
            }
            Event::CData(piece) => {
                let piece = piece.decode().map_err(|error| wrong(at, error.to_string()))?;
                add_text(&mut open, &piece);
            }
            Event::GeneralRef(reference) => {
                let piece = resolved(&reference).map_err(|why| wrong(at, why))?;
                add_text(&mut open, &piece);
            }
            // Entities that a document declares are not expanded: that is how a small one becomes a large one.
            Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => {
                return match (open.pop(), open.pop()) {
                    (Some(root), None) if !root.fields.is_empty() && root.text.trim().is_empty() => {
                        Ok(Written { json: root.json(plan, None), flaws: Vec::new() })
                    }
                    (Some(inner), Some(_)) => Err(wrong(at, format!("`<{}>` is not closed", inner.name))),
                    _ => Err(wrong(at, "no element where a document should be".to_owned())),
                };
            }
        }
    }
}

fn opened(start: &BytesStart<'_>) -> Result<Open, String> {
    let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut element = Open { name: name(start.name().as_ref()), ..Open::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let text = attribute.unescape_value().map_err(|error| error.to_string())?;
        let mut json = Vec::new();
        quoted(text.as_bytes(), &mut json);
        element.add(&format!("@{}", name(attribute.key.as_ref())), json);
    }
    Ok(element)
}

/// Ends the innermost element: it becomes a field of the one around it.
fn close(open: &mut Vec<Open>, plan: &XmlPlan, limits: &Limits) -> Result<(), Wrong> {
    let way = open.iter().skip(1).map(|element| &element.name);
    let list = match plan.records.split_last() {
        Some((last, before)) if way.eq(before) => Some(last),
        _ => None,
    };
    let Some(element) = open.pop() else { return Ok(()) };
    let name = element.name.clone();
    let json = element.json(plan, list);
    within(json.len(), limits)?;
    if let Some(around) = open.last_mut() {
        around.add(&name, json);
    }
    Ok(())
}

fn add_text(open: &mut [Open], piece: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(piece);
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(|error| error.to_string())?;
    let known = quick_xml::escape::resolve_predefined_entity(&name);
    known.map(str::to_owned).ok_or_else(|| format!("`&{name};` is not known"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    fn limits() -> Limits {
        Plan::for_tests(Vec::new()).client.limits
    }

    fn json(body: &str, plan: &XmlPlan) -> String {
        String::from_utf8(written(body.as_bytes(), plan, &limits()).unwrap().json).unwrap()
    }

    fn wrong(body: &str) -> (usize, String) {
        match written(body.as_bytes(), &XmlPlan::default(), &limits()) {
            Err(Wrong::Malformed { line, why }) => (line, why),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn elements_are_keys_and_repeated_ones_lists() {
        let body = "<?xml version=\"1.0\"?><!-- x --><r n=\"1\"><a>x &amp; &#233;</a><b/><a><![CDATA[<y>]]></a>\n\
                    <c id='2'>t</c><d> 5 </d></r>";
        assert_eq!(
            json(body, &XmlPlan::default()),
            r##"{"r":{"@n":"1","a":["x & é","<y>"],"b":null,"c":{"@id":"2","#text":"t"},"d":"5"}}"##
        );
        let infer = XmlPlan { infer: true, lists: vec!["d".to_owned()], ..XmlPlan::default() };
        assert_eq!(json("<r><d>5</d><e>007</e></r>", &infer), r#"{"r":{"d":[5],"e":"007"}}"#);
    }

    #[test]
    fn the_records_are_a_list_however_many_there_are() {
        let names = ["feed", "items", "item"].map(str::to_owned).to_vec();
        let plan = XmlPlan { records: names, ..XmlPlan::default() };
        for (inner, list) in
            [("", "[]"), ("<item>1</item>", "[\"1\"]"), ("<item>1</item><item/>", "[\"1\",null]")]
        {
            let body = format!("<feed><items>{inner}</items></feed>");
            assert_eq!(json(&body, &plan), format!("{{\"feed\":{{\"items\":{{\"item\":{list}}}}}}}"));
        }
    }

    #[test]
    fn many_fields_are_told_apart() {
        let fields: String = (0..20).chain(0..20).map(|n| format!("<f{n}>{n}</f{n}>")).collect();
        let found = json(&format!("<r>{fields}</r>"), &XmlPlan::default());
        assert!(found.contains(r#""f0":["0","0"]"#) && found.ends_with(r#""f19":["19","19"]}}"#), "{found}");
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        assert_eq!(wrong("<r>\n<a>\n</b></r>").0, 3);
        assert_eq!(wrong("<r>\n<a>"), (2, "`<a>` is not closed".to_owned()));
        assert_eq!(wrong("{\"a\":1}").1, "no element where a document should be");
        assert_eq!(wrong("<r>\n\n&big;</r>"), (3, "`&big;` is not known".to_owned()));
        let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\n<r>&b;</r>";
        assert_eq!(wrong(bomb), (2, "`&b;` is not known".to_owned()));
        let deep = "<a>".repeat(200);
        let found = written(deep.as_bytes(), &XmlPlan::default(), &limits());
        assert!(matches!(found, Err(Wrong::Beyond("depth"))));
    }
}
