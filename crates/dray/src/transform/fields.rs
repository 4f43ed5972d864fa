//! Fields of a record by their names: kept, dropped, renamed, set.

use std::sync::Arc;

use jaq_json::{Map, Val};

use super::value::{as_text, read, text};
use crate::json::Document;

/// The way to fields: keys, `*` for all of a level, `..` for a key at any depth. Lists on the way are gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath {
    /// As it is written: a key of the record that is spelled like this comes first.
    written: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Key(String),
    Any,
    /// What follows, here and at every depth below.
    Deep,
}

/// Keys to be renamed in one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renames(Vec<(FieldPath, String)>);

/// What a field is set to.
#[derive(Clone, Debug)]
pub enum Setting {
    /// The same for every record.
    Constant(Arc<Document>),
    /// Made of other fields of the record.
    Template(Vec<Piece>),
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Written as it is.
    Text(String),
    /// A field.
    Field(FieldPath),
}

impl FieldPath {
    /// `a`, `a.b`, `a.*.b`, `..a`; a `$.` in front says nothing.
    ///
    /// # Errors
    /// With what is wrong, in words.
    pub fn parse(written: &str) -> Result<Self, String> {
        let rest = written.strip_prefix('$').unwrap_or(written);
        let deep = rest.starts_with("..");
        let rest =
            if deep { rest.get(1..).unwrap_or_default() } else { rest.strip_prefix('.').unwrap_or(rest) };
        if rest.contains(['[', ']', '?', '@']) {
            return Err("a field is named by its keys: `a`, `a.b`, `a.*.b`, `..b`".to_owned());
        }
        let mut parts = Vec::new();
        for part in rest.split('.') {
            parts.push(match part {
                "" => Part::Deep,
                "*" => Part::Any,
                key => Part::Key(key.to_owned()),
            });
        }
        let ends = matches!(parts.last(), None | Some(Part::Deep));
        if ends || parts.windows(2).any(|pair| matches!(pair, [Part::Deep, Part::Deep])) {
            return Err(format!("`{written}` names no field"));
        }
        Ok(Self { written: written.to_owned(), parts })
    }

    /// As it is written.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether it names single fields: no `*`, no `..`.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Key(_)))
    }

    /// Whether it may lead to the key of the record, or into it.
    pub(super) fn may_touch(&self, key: &str) -> bool {
        self.written == key
            || match self.parts.first() {
                Some(Part::Key(first)) => first == key,
                Some(Part::Any | Part::Deep) => true,
                None => false,
            }
    }

    /// Whether all of the key of the record is meant.
    pub(super) fn is_key(&self, key: &str) -> bool {
        self.written == key || matches!(self.parts.as_slice(), [Part::Key(only)] if only == key)
    }

    fn first<'v>(&self, value: &'v Val) -> Option<&'v Val> {
        if let Val::Obj(map) = value
            && let Some(found) = map.get(&text(&self.written))
        {
            return Some(found);
        }
        self.parts.iter().try_fold(value, |value, part| match (value, part) {
            (Val::Obj(map), Part::Key(key)) => map.get(&text(key)),
            _ => None,
        })
    }
}

/// The record with these fields alone; what is not there is not missed.
pub(super) fn keep(record: Val, paths: &[FieldPath]) -> Val {
    let whole: Vec<&str> = paths.iter().map(|path| path.written.as_str()).collect();
    let ways: Vec<&[Part]> = paths.iter().map(|path| path.parts.as_slice()).collect();
    match record {
        Val::Obj(map) => {
            let kept = map.iter().filter_map(|(key, value)| {
                let key_text = as_text(key)?;
                let value = if whole.contains(&key_text) {
                    Some(value.clone())
                } else {
                    kept(key_text, value, &ways)
                };
                value.map(|value| (key.clone(), value))
            });
            Val::obj(kept.collect())
        }
        other => other,
    }
}

/// What is kept of a value under a key.
fn kept(key: &str, value: &Val, ways: &[&[Part]]) -> Option<Val> {
    let mut inner = Vec::new();
    for way in ways {
        let Some((first, rest)) = way.split_first() else { continue };
        if matches!(first, Part::Key(own) if own == key) || *first == Part::Any {
            if rest.is_empty() {
                return Some(value.clone());
            }
            inner.push(rest);
        }
    }
    if inner.is_empty() { None } else { Some(within(value, &inner)) }
}

fn within(value: &Val, ways: &[&[Part]]) -> Val {
    match value {
        Val::Arr(items) => items.iter().map(|item| within(item, ways)).collect(),
        Val::Obj(map) => {
            let entries = map.iter().filter_map(|(key, value)| {
                kept(as_text(key)?, value, ways).map(|value| (key.clone(), value))
            });
            Val::obj(entries.collect())
        }
        other => other.clone(),
    }
}

/// The record without these fields.
pub(super) fn drop_fields(mut record: Val, paths: &[FieldPath]) -> Val {
    for path in paths {
        record = match record {
            Val::Obj(map) if map.contains_key(&text(&path.written)) => {
                let mut map = owned(map);
                map.shift_remove(&text(&path.written));
                Val::obj(map)
            }
            other => without(other, &path.parts),
        };
    }
    record
}

fn without(value: Val, way: &[Part]) -> Val {
    let Some((first, rest)) = way.split_first() else { return value };
    match value {
        Val::Arr(items) => items.iter().map(|item| without(item.clone(), way)).collect(),
        Val::Obj(map) if *first == Part::Deep => {
            let below = map.iter().map(|(key, value)| (key.clone(), without(value.clone(), way)));
            without(Val::obj(below.collect()), rest)
        }
        Val::Obj(map) => {
            let hit = |key: &Val| match first {
                Part::Key(own) => as_text(key) == Some(own),
                Part::Any | Part::Deep => true,
            };
            let left = map.iter().filter_map(|(key, value)| match (hit(key), rest.is_empty()) {
                (true, true) => None,
                (true, false) => Some((key.clone(), without(value.clone(), rest))),
                (false, _) => Some((key.clone(), value.clone())),
            });
            Val::obj(left.collect())
        }
        other => other,
    }
}

impl Renames {
    /// Old and new names.
    #[must_use]
    pub fn new(renames: Vec<(FieldPath, String)>) -> Self {
        Self(renames)
    }

    /// Old and new names.
    pub fn iter(&self) -> impl Iterator<Item = (&FieldPath, &str)> {
        self.0.iter().map(|(old, new)| (old, new.as_str()))
    }

    /// The record with its fields renamed, all at once: two may change places. A field that had the new name gives way.
    pub(super) fn apply(&self, mut record: Val) -> Val {
        let flat = |path: &FieldPath| path.parts.len() == 1;
        let here: Vec<(&str, &str)> = self
            .iter()
            .filter(|(old, _)| flat(old) || has_key(&record, &old.written))
            .map(|(old, new)| (old.written.trim_start_matches(['$', '.']), new))
            .collect();
        let below: Vec<_> =
            self.iter().filter(|(old, _)| !flat(old) && !has_key(&record, &old.written)).collect();
        for (old, new) in below {
            record = renamed_below(record, &old.parts, new);
        }
        renamed(record, &here)
    }
}

fn has_key(record: &Val, key: &str) -> bool {
    matches!(record, Val::Obj(map) if map.contains_key(&text(key)))
}

fn renamed_below(value: Val, way: &[Part], new: &str) -> Val {
    match (value, way) {
        (Val::Arr(items), _) => items.iter().map(|item| renamed_below(item.clone(), way, new)).collect(),
        (value, [Part::Key(old)]) => renamed(value, &[(old, new)]),
        (Val::Obj(map), [Part::Key(key), rest @ ..]) => {
            let mut map = owned(map);
            if let Some(value) = map.get_mut(&text(key)) {
                *value = renamed_below(std::mem::take(value), rest, new);
            }
            Val::obj(map)
        }
        (other, _) => other,
    }
}

fn renamed(value: Val, renames: &[(&str, &str)]) -> Val {
    let Val::Obj(map) = value else { return value };
    let present: Vec<_> = renames.iter().filter(|(old, _)| map.contains_key(&text(old))).collect();
    let mut named = Map::default();
    for (key, value) in map.iter() {
        let own = as_text(key);
        match present.iter().find(|(old, _)| own == Some(old)) {
            Some((_, new)) => drop(named.insert(text(new), value.clone())),
            None if present.iter().any(|(_, new)| own == Some(new)) => {}
            None => drop(named.insert(key.clone(), value.clone())),
        }
    }
    Val::obj(named)
}

/// The record with its fields set, one after the other.
pub(super) fn set(record: Val, settings: &[(String, Setting)]) -> Val {
    let Val::Obj(map) = record else { return record };
    let mut record = owned(map);
    for (name, setting) in settings {
        let whole = Val::obj(record);
        let value = setting.value(&whole);
        let Val::Obj(map) = whole else { return Val::Null };
        record = owned(map);
        record.insert(text(name), value);
    }
    Val::obj(record)
}

impl Setting {
    fn value(&self, record: &Val) -> Val {
        let pieces = match self {
            Self::Constant(document) => return read(document, document.root()),
            Self::Template(pieces) => pieces,
        };
        // A field alone keeps its type.
        if let [Piece::Field(path)] = pieces.as_slice() {
            return path.first(record).cloned().unwrap_or_default();
        }
        filled(pieces, record).map_or(Val::Null, Val::from)
    }
}

/// The text of a template; none where a field has no value.
fn filled(pieces: &[Piece], record: &Val) -> Option<String> {
    let mut filled = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Field(path) => match path.first(record)? {
                Val::Null => return None,
                value @ Val::TStr(_) => filled.push_str(as_text(value)?),
                other => filled.push_str(&other.to_string()),
            },
        }
    }
    Some(filled)
}

/// The pieces of a template with `{field}` in it, `{{` and `}}` for braces; none where there is no placeholder.
///
/// # Errors
/// With what is wrong, in words.
pub fn pieces(template: &str) -> Result<Option<Vec<Piece>>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        text.push_str(before);
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            text.extend(from.chars().next());
            rest = after;
            continue;
        }
        let inner = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((field, after)) = inner else {
            return Err("a brace that is text is doubled: `{{` and `}}`".to_owned());
        };
        let path = FieldPath::parse(field.trim())?;
        if !path.is_plain() {
            return Err(format!("`{{{field}}}` is more than one field"));
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Field(path));
        rest = after;
    }
    text.push_str(rest);
    if pieces.is_empty() {
        return Ok((text != template).then(|| vec![Piece::Text(text)]));
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(Some(pieces))
}

fn owned(map: jaq_json::Rc<Map>) -> Map {
    jaq_json::Rc::try_unwrap(map).unwrap_or_else(|map| (*map).clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn value(json: &str) -> Val {
        let document = Document::parse(json.as_bytes().to_vec()).unwrap();
        read(&document, document.root())
    }

    fn paths(written: &[&str]) -> Vec<FieldPath> {
        written.iter().map(|path| FieldPath::parse(path).unwrap()).collect()
    }

    #[test]
    fn fields_are_kept_by_name_and_way() {
        let record =
            || value(r#"{"id":1,"a":{"b":{"c":2,"d":3},"e":4},"l":[{"x":1,"y":2},{"y":3}],"f.g":5}"#);
        for (written, expected) in [
            (&["id", "f.g"][..], r#"{"id":1,"f.g":5}"#),
            (&["a.b.c", "nothing"], r#"{"a":{"b":{"c":2}}}"#),
            (&["a.b", "a.b.c"], r#"{"a":{"b":{"c":2,"d":3}}}"#),
            (&["$.l.y"], r#"{"l":[{"y":2},{"y":3}]}"#),
            (&["a.*.d"], r#"{"a":{"b":{"d":3},"e":4}}"#),
        ] {
            assert_eq!(keep(record(), &paths(written)).to_string(), expected, "{written:?}");
        }
    }

    #[test]
    fn fields_are_dropped_by_name_and_way() {
        let record = || value(r#"{"id":1,"a":{"id":2,"k":{"id":3,"v":4}},"l":[{"id":5,"w":6}],"a.id":7}"#);
        for (written, expected) in [
            (&["a", "l", "nothing.here"][..], r#"{"id":1,"a.id":7}"#),
            (&["a.id"], r#"{"id":1,"a":{"id":2,"k":{"id":3,"v":4}},"l":[{"id":5,"w":6}]}"#),
            (&["a.*.id", "a.id", "$.l.id"], r#"{"id":1,"a":{"id":2,"k":{"v":4}},"l":[{"w":6}]}"#),
            (&["$..id"], r#"{"a":{"k":{"v":4}},"l":[{"w":6}],"a.id":7}"#),
        ] {
            assert_eq!(drop_fields(record(), &paths(written)).to_string(), expected, "{written:?}");
        }
    }

    #[test]
    fn fields_are_renamed_at_once_and_keep_their_places() {
        let renames = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(old, new)| (FieldPath::parse(old).unwrap(), (*new).to_owned()));
            Renames::new(pairs.collect())
        };
        let record = || value(r#"{"a":1,"b":2,"c":{"d":3}}"#);
        for (pairs, expected) in [
            (&[("a", "b"), ("b", "a")][..], r#"{"b":1,"a":2,"c":{"d":3}}"#),
            (&[("a", "b")], r#"{"b":1,"c":{"d":3}}"#),
            (&[("c.d", "e"), ("x", "a")], r#"{"a":1,"b":2,"c":{"e":3}}"#),
        ] {
            assert_eq!(renames(pairs).apply(record()).to_string(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn fields_are_set_to_constants_and_templates() {
        let template = |text: &str| Setting::Template(pieces(text).unwrap().unwrap());
        let constant = |json: &str| Setting::Constant(Arc::new(Document::parse(json.into()).unwrap()));
        for (setting, expected) in [
            (constant("[1.10]"), "[1.10]"),
            (template("{a}-{b.c}"), r#""1-x""#),
            (template("{{{a}}}"), r#""{1}""#),
            (template("{b}"), r#"{"c":"x"}"#),
            (template("{a}{missing}"), "null"),
            (template("{{}}"), r#""{}""#),
        ] {
            let record = set(value(r#"{"a":1,"b":{"c":"x"}}"#), &[("n".to_owned(), setting)]);
            let expected = format!(r#"{{"a":1,"b":{{"c":"x"}},"n":{expected}}}"#);
            assert_eq!(record.to_string(), expected);
        }
        assert_eq!(pieces("plain").unwrap(), None);
        for wrong in ["{a", "a}", "{a.*}", "{}"] {
            assert!(pieces(wrong).is_err(), "{wrong}");
        }
    }
}
