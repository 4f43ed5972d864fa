//! Finding the records of a page (dlt.md §1.5).

use std::borrow::Cow;

use super::answers::words;
use super::complete::Rest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, Kind, NodeId, Path, quote};
use crate::plan::ExpandPlan;
use crate::plan::words::LISTS;

/// A page with its records found.
pub(super) struct Selected {
    pub(super) document: Document,
    pub(super) records: Vec<NodeId>,
    /// Where they were found, if nobody said: the pages that follow have them in the same place.
    pub(super) found: Option<Path>,
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

/// A page without records where they must be.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) error: Error,
    /// What the body says in their place, not yet cleared of secrets.
    pub(super) said: Option<String>,
}

impl From<Missing> for Error {
    fn from(missing: Missing) -> Self {
        missing.error
    }
}

/// The records of a body.
pub(super) fn select(document: Document, selector: Option<&Path>) -> std::result::Result<Selected, Missing> {
    let Some(path) = selector else {
        let (records, found) = match detect(&document) {
            Some((list, path)) => (document.items(list).collect(), Some(path)),
            None => (one(&document, document.root()), None),
        };
        return Ok(Selected { document, records, found });
    };
    let mut found = Vec::new();
    path.all(&document, document.root(), &mut found);
    let records = match found.as_slice() {
        // It may choose nothing, but there must be something to choose from.
        [] => {
            let from = path.chooses_from().and_then(|from| from.first(&document, document.root()));
            let lost = || Missing { error: missing(&document, path), said: words(&document) };
            from.map(|_| Vec::new()).ok_or_else(lost)?
        }
        [single] => one(&document, *single),
        _ => found,
    };
    Ok(Selected { document, records, found: None })
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
fn detect(document: &Document) -> Option<(NodeId, Path)> {
    let root = document.root();
    if document.kind(root) != Kind::Object {
        return (document.kind(root) == Kind::Array).then(|| (root, Path::root()));
    }
    let mut lists = Vec::new();
    collect(document, root, &mut Vec::new(), &mut lists);
    let objects =
        |list: &NodeId| document.items(*list).next().is_none_or(|item| document.kind(item) == Kind::Object);
    let known = lists.iter().find(|(keys, list)| {
        let named = |key: &Cow<'_, str>| LISTS.iter().any(|known| key.eq_ignore_ascii_case(known));
        keys.last().is_some_and(named) && objects(list)
    });
    let filled = || lists.iter().find(|(_, list)| document.len(*list) > 0 && objects(list));
    let (keys, list) = known.or_else(filled)?;
    let keys: Vec<&str> = keys.iter().map(|key| &**key).collect();
    Some((*list, Path::keys(&keys)))
}

/// All lists at most three keys deep, with the keys that lead there.
fn collect<'a>(
    document: &'a Document,
    node: NodeId,
    keys: &mut Vec<Cow<'a, str>>,
    lists: &mut Vec<(Vec<Cow<'a, str>>, NodeId)>,
) {
    for (key, value) in document.entries(node) {
        keys.push(document.text(key).unwrap_or_default());
        match document.kind(value) {
            Kind::Array => lists.push((keys.clone(), value)),
            Kind::Object if keys.len() < 3 => collect(document, value, keys, lists),
            _ => {}
        }
        keys.pop();
    }
}

/// Rows made of a list inside each record: a new document of them, each with the fields that its record hands down. `rests`
/// has what records do not hold of their lists.
pub(super) fn expand(selected: Selected, plan: &ExpandPlan, rests: &[Option<Rest>]) -> Result<Selected> {
    let document = &selected.document;
    let mut rows = String::from("[");
    for (place, record) in selected.records.iter().enumerate() {
        let rest = rests.get(place).and_then(Option::as_ref);
        let mut handed_down = String::new();
        for (name, path) in &plan.include {
            if let Some(value) = path.first(document, *record) {
                handed_down.push_str(&format!("{}:{},", quote(name), document.json(value)));
            }
        }
        let mut found = Vec::new();
        plan.path.all(document, *record, &mut found);
        let items = match found.as_slice() {
            [list] if document.kind(*list) == Kind::Array => document.items(*list).collect(),
            [null] if document.kind(*null) == Kind::Null => Vec::new(),
            _ => found,
        };
        let embedded = items.into_iter().filter(|_| !rest.is_some_and(|rest| rest.whole));
        let embedded = embedded.map(|item| (document, item));
        let pages = rest.into_iter().flat_map(|rest| &rest.pages);
        let more = pages.flat_map(|(document, items)| items.iter().map(move |item| (document, *item)));
        for (document, item) in embedded.chain(more) {
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
    Ok(Selected { document, records, found: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Bounds;

    fn records(body: &str, selector: Option<&str>) -> Result<Vec<String>> {
        let document = Document::parse_within(body.as_bytes().to_vec(), &Bounds::default()).unwrap();
        let selector = selector.map(|path| Path::parse(path).unwrap());
        let selected = select(document, selector.as_ref())?;
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
    fn a_selector_that_chooses_may_find_nothing_but_not_nowhere() {
        assert!(records(r#"{"d":[]}"#, Some("d[*]")).unwrap().is_empty());
        assert!(records(r#"{"d":[{"a":1}]}"#, Some("d[?@.a > 1]")).unwrap().is_empty());
        for selector in ["d[*]", "d[?@.a > 1]", "d[0:9]", "d.*.x"] {
            assert!(records(r#"{"error":"rate limited"}"#, Some(selector)).is_err(), "{selector}");
        }
    }

    #[test]
    fn a_filter_works_beside_text_that_is_half_a_pair() {
        let body = r#"{"note":"\ud800","d":[{"a":1},{"a":5,"b":1.10}]}"#;
        assert_eq!(records(body, Some("d[?@.a > 1]")).unwrap(), [r#"{"a":5,"b":1.10}"#]);
        let expanded = select(
            Document::parse_within(body.as_bytes().to_vec(), &Bounds::default()).unwrap(),
            Some(&Path::root()),
        )
        .unwrap();
        let plan =
            ExpandPlan { path: Path::parse("d[?@.a > 1]").unwrap(), include: Vec::new(), complete: None };
        assert_eq!(expand(expanded, &plan, &[]).unwrap().records.len(), 1);
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
        let selected =
            select(Document::parse(body.as_bytes().to_vec()).unwrap(), Some(&Path::root())).unwrap();
        let plan = ExpandPlan {
            path: Path::parse("u").unwrap(),
            include: vec![("metric".to_owned(), Path::parse("m.id").unwrap())],
            complete: None,
        };
        let expanded = expand(selected, &plan, &[]).unwrap();
        let rows: Vec<_> = expanded.records.iter().map(|id| expanded.document.json(*id)).collect();
        assert_eq!(rows, [r#"{"metric":"x","q":1}"#, r#"{"metric":"x"}"#]);
    }
}
