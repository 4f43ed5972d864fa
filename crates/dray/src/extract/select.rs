//! Finding the records of a page (dlt.md §1.5).

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, Kind, NodeId, Path, quote};
use crate::plan::ExpandPlan;

/// Keys that lists of records have, as dlt knows them; here in any case.
const KNOWN: &[&str] = &[
    "data", "items", "results", "entries", "records", "rows", "entities", "payload", "content", "objects",
    "values",
];

/// A page with its records found. The document is a new one where the selector cannot run on the tape.
pub(super) struct Selected {
    pub(super) document: Document,
    pub(super) records: Vec<NodeId>,
}

impl Selected {
    /// Takes out the records at these places.
    pub(super) fn leave_out(&mut self, places: &[usize]) {
        if !places.is_empty() {
            let mut place = 0..;
            self.records.retain(|_| place.next().is_some_and(|place| places.binary_search(&place).is_err()));
        }
    }
}

/// Finds the records of one page after the other.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    selector: Option<&'a Path>,
    /// Where the list of the first page was, without a selector; or that there was one, with it.
    list: Option<Path>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(selector: Option<&'a Path>) -> Self {
        Self { selector, list: None }
    }

    /// The records of a page. A list that earlier pages had and this one lacks is an error, not an empty page: an API that
    /// answers 200 with an error in it would end the chain in silence, or load the error.
    pub(super) fn find(&mut self, document: Document) -> Result<Selected> {
        if let Some(list) = &self.list {
            let there = list.first(&document, document.root());
            let Some(there) = there else { return Err(gone(&document, list)) };
            if self.selector.is_none() {
                let records = match document.kind(there) {
                    Kind::Array => document.items(there).collect(),
                    Kind::Null => Vec::new(),
                    _ => return Err(gone(&document, list)),
                };
                return Ok(Selected { document, records });
            }
        }
        match self.selector {
            Some(selector) => {
                let selected = select(document, selector)?;
                if !selected.records.is_empty() {
                    self.list = fixed_part(selector);
                }
                Ok(selected)
            }
            None => {
                let (records, list) = match detect(&document) {
                    Some((path, list)) => (document.items(list).collect(), Path::parse(&path).ok()),
                    None => (one(&document, document.root()), None),
                };
                self.list = list;
                Ok(Selected { document, records })
            }
        }
    }
}

/// What must be there of a selector that may match nothing: the part before its first wildcard or filter.
fn fixed_part(selector: &Path) -> Option<Path> {
    let written = selector.to_string();
    let end = written.find(['*', '?']).or_else(|| written.find(".."))?;
    let fixed = written.get(..end)?.trim_end_matches(['[', '.']);
    if fixed.is_empty() || fixed == "$" { None } else { Path::parse(fixed).ok() }
}

fn gone(document: &Document, list: &Path) -> Error {
    let keys: Vec<_> =
        document.entries(document.root()).filter_map(|(key, _)| document.text(key)).take(20).collect();
    let found = if keys.is_empty() { "no keys".to_owned() } else { keys.join(", ") };
    Error::new(ErrorKind::Response, "the page has no records where the pages before it had them")
        .with("path", list)
        .with("found", found)
        .hint("an answer that is no page may be an error in disguise: see what the API says there")
}

/// The records of a body.
fn select(document: Document, path: &Path) -> Result<Selected> {
    if path.is_full() {
        let found = serde_json::Value::Array(path.extract(&document, document.root()));
        let body = found.to_string().into_bytes();
        let document = Document::parse(body).map_err(|error| {
            Error::new(ErrorKind::Bug, "cannot read the records that were selected").caused_by(error)
        })?;
        let records = document.items(document.root()).collect();
        return Ok(Selected { document, records });
    }
    let mut found = Vec::new();
    path.all(&document, document.root(), &mut found);
    let records = match found.as_slice() {
        [] if path.to_string().contains('*') => Vec::new(),
        [] => return Err(missing(&document, path)),
        [single] => one(&document, *single),
        _ => found,
    };
    Ok(Selected { document, records })
}

/// One match: a list's items, nothing for null, else the value itself.
fn one(document: &Document, node: NodeId) -> Vec<NodeId> {
    match document.kind(node) {
        Kind::Array => document.items(node).collect(),
        Kind::Null => Vec::new(),
        _ => vec![node],
    }
}

fn missing(document: &Document, path: &Path) -> Error {
    let keys: Vec<String> = document
        .entries(document.root())
        .filter_map(|(key, _)| document.text(key).map(Cow::into_owned))
        .take(20)
        .collect();
    let wanted = path.to_string();
    let near = keys
        .iter()
        .find(|key| strsim::damerau_levenshtein(key, &wanted) <= 2 || key.eq_ignore_ascii_case(&wanted));
    let found = if keys.is_empty() { "no keys".to_owned() } else { keys.join(", ") };
    let error = Error::new(ErrorKind::Response, "the selector matches nothing in the page")
        .with("path", path)
        .with("found", found);
    match near {
        Some(near) => error.hint(format!("did the selector mean `{near}`?")),
        None => error.hint("set `data_selector` to the key that holds the records"),
    }
}

/// The list of records where no selector is given: a well-known key first, then the first list of objects. A list of
/// scalars is a field of the one record that the page is, not its records.
/// It comes with its path.
fn detect(document: &Document) -> Option<(String, NodeId)> {
    let root = document.root();
    if document.kind(root) != Kind::Object {
        return (document.kind(root) == Kind::Array).then(|| ("$".to_owned(), root));
    }
    let mut lists = Vec::new();
    collect(document, root, "$", 1, &mut lists);
    let objects =
        |list: &NodeId| document.items(*list).next().is_none_or(|item| document.kind(item) == Kind::Object);
    let known = lists
        .iter()
        .find(|list| KNOWN.iter().any(|known| list.key.eq_ignore_ascii_case(known)) && objects(&list.node));
    let filled = || lists.iter().find(|list| document.len(list.node) > 0 && objects(&list.node));
    known.or_else(filled).map(|list| (list.path.clone(), list.node))
}

/// A list somewhere in a page.
struct List<'a> {
    key: Cow<'a, str>,
    path: String,
    node: NodeId,
}

fn collect<'a>(document: &'a Document, node: NodeId, at: &str, depth: u32, lists: &mut Vec<List<'a>>) {
    for (key, value) in document.entries(node) {
        let name = document.text(key).unwrap_or_default();
        let path = || format!("{at}['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"));
        match document.kind(value) {
            Kind::Array => lists.push(List { path: path(), key: name, node: value }),
            Kind::Object if depth < 3 => collect(document, value, &path(), depth + 1, lists),
            _ => {}
        }
    }
}

/// Rows made of a list inside each record: a new document of them, each with the fields that its record hands down.
pub(super) fn expand(selected: Selected, plan: &ExpandPlan) -> Result<Selected> {
    let document = &selected.document;
    let mut rows = String::from("[");
    for record in &selected.records {
        let mut handed_down = String::new();
        for (name, path) in &plan.include {
            if let Some(value) = path.first(document, *record) {
                handed_down.push_str(&format!("{}:{},", quote(name), document.json(value)));
            }
        }
        let Some(list) = plan.path.first(document, *record) else { continue };
        for item in document.items(list) {
            let own = if document.kind(item) == Kind::Object {
                document.json(item).strip_prefix('{').unwrap_or_default().trim_start().to_owned()
            } else {
                format!("\"value\":{}}}", document.json(item))
            };
            let handed_down = if own == "}" { handed_down.trim_end_matches(',') } else { &handed_down };
            rows.push_str(&format!("{{{handed_down}{own},"));
        }
    }
    let body = format!("{}]", rows.trim_end_matches(','));
    let document = Document::parse(body.into_bytes())
        .map_err(|error| Error::new(ErrorKind::Bug, "cannot read the expanded records").caused_by(error))?;
    let records = document.items(document.root()).collect();
    Ok(Selected { document, records })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(body: &str, selector: Option<&str>) -> Result<Vec<String>> {
        let document = Document::parse(body.as_bytes().to_vec()).unwrap();
        let selector = selector.map(|path| Path::parse(path).unwrap());
        let selected = Finder::new(selector.as_ref()).find(document)?;
        Ok(selected.records.iter().map(|id| selected.document.json(*id).to_owned()).collect())
    }

    #[test]
    fn a_selector_finds_lists_objects_and_many_matches() {
        assert_eq!(records(r#"{"d":[1,2]}"#, Some("d")).unwrap(), ["1", "2"]);
        assert_eq!(records(r#"{"d":{"a":1}}"#, Some("d")).unwrap(), [r#"{"a":1}"#]);
        assert_eq!(records(r#"{"d":null}"#, Some("d")).unwrap(), Vec::<String>::new());
        assert_eq!(records(r#"{"d":[{"s":[1]},{"s":[2]}]}"#, Some("d[*].s[*]")).unwrap(), ["1", "2"]);
        assert_eq!(records(r#"{"d":[{"a":1},{"a":5}]}"#, Some("d[?@.a > 1]")).unwrap(), [r#"{"a":5}"#]);
    }

    #[test]
    fn a_selector_that_matches_nothing_is_an_error_with_the_nearest_key() {
        let error = records(r#"{"datas":[]}"#, Some("data")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Response);
        assert_eq!(error.advice(), Some("did the selector mean `datas`?"));
    }

    #[test]
    fn without_a_selector_records_are_found_and_single_objects_stay_whole() {
        assert_eq!(records("[1]", None).unwrap(), ["1"]);
        assert_eq!(records(r#"{"errors":[],"things":[{"a":1}]}"#, None).unwrap(), [r#"{"a":1}"#]);
        assert_eq!(records(r#"{"meta":{"x":1},"Items":[{"a":1}]}"#, None).unwrap(), [r#"{"a":1}"#]);
        let object = r#"{"id":1,"tags":["a","b"]}"#;
        assert_eq!(records(object, None).unwrap(), [object]);
    }

    #[test]
    fn expanded_rows_carry_their_records_fields() {
        let body = r#"[{"m":{"id":"x"},"u":[{"q":1},{}]},{"m":{"id":"y"},"u":[]},{"m":null}]"#;
        let selected = select(Document::parse(body.as_bytes().to_vec()).unwrap(), &Path::root()).unwrap();
        let plan = ExpandPlan {
            path: Path::parse("u").unwrap(),
            include: vec![("metric".to_owned(), Path::parse("m.id").unwrap())],
        };
        let expanded = expand(selected, &plan).unwrap();
        let rows: Vec<_> = expanded.records.iter().map(|id| expanded.document.json(*id)).collect();
        assert_eq!(rows, [r#"{"metric":"x","q":1}"#, r#"{"metric":"x"}"#]);
    }
}
