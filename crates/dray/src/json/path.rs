//! JSONPath: the simple ones run on the tape, the rest through a standard crate.
//!
//! dlt's dialect (dlt.md §1.4): a plain dotted name is a path from the root; `$`, indexes, negative indexes,
//! `[*]`, `.*` and quoted names are known; filters and slices go through `serde_json_path`.

use std::fmt;

use serde_json_path::PathElement;

use super::spelling::standard;
use super::{Document, Kind, NodeId};

/// One step of a simple path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    /// From the front, or from the back if negative.
    Index(i64),
    Every,
}

/// A compiled path.
#[derive(Clone, Debug)]
pub struct Path {
    written: String,
    steps: Steps,
}

#[derive(Clone, Debug)]
enum Steps {
    Simple(Vec<Step>),
    Full(Box<serde_json_path::JsonPath>),
}

/// Why a text is not a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError(String);

impl PathError {
    pub(super) fn new(message: String) -> Self {
        Self(message)
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PathError {}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// Where the text stops making sense; positions are those of the text as written.
fn in_words(error: &serde_json_path::ParseError, written: &str) -> String {
    let added = if written.starts_with('$') { 0 } else { "$.".len() };
    let at = error.position().saturating_sub(added);
    match written.split_at_checked(at) {
        Some((read, rest)) if !rest.is_empty() => format!("`{rest}` after `{read}` is not understood"),
        _ => "it ends too early".to_owned(),
    }
}

/// Bytes of a path of the full language.
const LONGEST: usize = 1024;
/// Brackets inside each other: the time to read a path doubles with each.
const DEEPEST: usize = 6;
/// Descents (`..`): the number of matches may grow by the size of the document with each.
const DESCENTS: usize = 3;
/// Commas: each may double the number of matches.
const COMMAS: usize = 8;

/// Refuses a path that costs more than any that people write. What is in quotes costs nothing.
fn within_bounds(written: &str) -> Result<(), PathError> {
    let refuse = |what: &str, most: usize| {
        Err(PathError(format!("a JSONPath of {} bytes has more than {most} {what}", written.len())))
    };
    if written.len() > LONGEST {
        return refuse("bytes", LONGEST);
    }
    let (mut deep, mut descents, mut commas) = (0_usize, 0, 0);
    let mut characters = written.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '[' | '(' => deep += 1,
            ']' | ')' => deep = deep.saturating_sub(1),
            ',' => commas += 1,
            '.' if characters.peek() == Some(&'.') => descents += 1,
            quote @ ('\'' | '"') => quoted(&mut characters, quote).ok_or_else(|| {
                PathError(format!("`{written}` is not a JSONPath: a text in it is not whole"))
            })?,
            _ => {}
        }
        if deep > DEEPEST {
            return refuse("brackets inside each other", DEEPEST);
        }
    }
    if descents > DESCENTS {
        return refuse("descents (`..`)", DESCENTS);
    }
    if commas > COMMAS { refuse("commas", COMMAS) } else { Ok(()) }
}

/// Reads a text to its closing quote; none where that is missing or an escape is cut short: `serde_json_path` panics there.
fn quoted(characters: &mut impl Iterator<Item = char>, quote: char) -> Option<()> {
    loop {
        match characters.next()? {
            '\\' if characters.next()? == 'u' => {
                let digits = characters.by_ref().take(4);
                if digits.filter(char::is_ascii_hexdigit).count() < 4 {
                    return None;
                }
            }
            inner if inner == quote => return Some(()),
            _ => {}
        }
    }
}

impl Path {
    /// Compiles a path as people write it.
    ///
    /// # Errors
    /// Where the text is neither a simple path nor a standard JSONPath.
    pub fn parse(written: &str) -> Result<Self, PathError> {
        let steps = if let Some(steps) = simple(written) {
            Steps::Simple(steps)
        } else {
            within_bounds(written)?;
            let full = if written.starts_with('$') { written.to_owned() } else { format!("$.{written}") };
            let full = standard(&full);
            let path = serde_json_path::JsonPath::parse(&full).map_err(|error| {
                PathError(format!("`{written}` is not a JSONPath: {}", in_words(&error, written)))
            })?;
            Steps::Full(Box::new(path))
        };
        Ok(Self { written: written.to_owned(), steps })
    }

    /// A path of one key, whatever characters it has.
    #[must_use]
    pub fn key(key: &str) -> Self {
        Self { written: key.to_owned(), steps: Steps::Simple(vec![Step::Key(key.to_owned())]) }
    }

    /// A path of these keys, outermost first, whatever characters they have.
    #[must_use]
    pub fn keys(keys: &[&str]) -> Self {
        let steps = keys.iter().map(|key| Step::Key((*key).to_owned())).collect();
        Self { written: keys.join("."), steps: Steps::Simple(steps) }
    }

    /// The whole value.
    #[must_use]
    pub fn root() -> Self {
        Self { written: "$".to_owned(), steps: Steps::Simple(Vec::new()) }
    }

    /// The single key of a path of one step.
    #[must_use]
    pub fn as_key(&self) -> Option<&str> {
        match &self.steps {
            Steps::Simple(steps) => match steps.as_slice() {
                [Step::Key(key)] => Some(key),
                _ => None,
            },
            Steps::Full(_) => None,
        }
    }

    /// The names of a path that is nothing but names; a `[*]` at its end does not count.
    #[must_use]
    pub fn names(&self) -> Option<Vec<String>> {
        let Steps::Simple(steps) = &self.steps else { return None };
        let steps = steps.strip_suffix(&[Step::Every]).unwrap_or(steps);
        let name = |step: &Step| match step {
            Step::Key(name) => Some(name.clone()),
            Step::Index(_) | Step::Every => None,
        };
        steps.iter().map(name).collect()
    }

    /// The first match below `from`.
    #[must_use]
    pub fn first(&self, document: &Document, from: NodeId) -> Option<NodeId> {
        match &self.steps {
            Steps::Simple(steps) => first(document, from, steps),
            Steps::Full(path) => located(path, document, from).into_iter().next(),
        }
    }

    /// All matches below `from`, in document order.
    pub fn all(&self, document: &Document, from: NodeId, found: &mut Vec<NodeId>) {
        match &self.steps {
            Steps::Simple(steps) => all(document, from, steps, found),
            Steps::Full(path) => found.extend(located(path, document, from)),
        }
    }

    /// The first match, as a JSON value.
    #[must_use]
    pub fn value(&self, document: &Document, from: NodeId) -> Option<serde_json::Value> {
        self.first(document, from).map(|id| document.value(id))
    }

    /// Whether a path of the full language matches anything in a value.
    pub(super) fn finds_in(&self, value: &serde_json::Value) -> bool {
        match &self.steps {
            Steps::Simple(_) => false,
            Steps::Full(path) => !path.query(value).is_empty(),
        }
    }

    /// Where the path begins to choose (`*`, a filter, a slice): what it chooses from may be empty, but it must be there.
    /// None for a path that names one place.
    #[must_use]
    pub fn chooses_from(&self) -> Option<Self> {
        let stem = match &self.steps {
            Steps::Simple(steps) => {
                let end = steps.iter().position(|step| *step == Step::Every)?;
                steps.iter().take(end).cloned().collect()
            }
            Steps::Full(_) => {
                let end =
                    self.written.match_indices(['.', '[']).map(|(at, _)| at).chain([self.written.len()]);
                let stems = end.filter_map(|end| self.written.get(..end).and_then(simple));
                stems.take_while(|steps| !steps.contains(&Step::Every)).last().unwrap_or_default()
            }
        };
        Some(Self { written: self.written.clone(), steps: Steps::Simple(stem) })
    }
}

/// The matches of a full path. It runs on a copy, and what it finds there is looked up on the tape.
fn located(path: &serde_json_path::JsonPath, document: &Document, from: NodeId) -> Vec<NodeId> {
    let copy = document.value(from);
    let find = |location: &serde_json_path::NormalizedPath<'_>| {
        location.iter().try_fold(from, |node, element| match element {
            PathElement::Name(name) => document.get(node, name),
            PathElement::Index(index) => document.items(node).nth(*index),
        })
    };
    path.query_located(&copy).locations().filter_map(find).collect()
}

fn first(document: &Document, from: NodeId, steps: &[Step]) -> Option<NodeId> {
    let Some((step, rest)) = steps.split_first() else { return Some(from) };
    match step {
        Step::Key(key) => first(document, document.get(from, key)?, rest),
        Step::Index(index) => first(document, item(document, from, *index)?, rest),
        Step::Every => children(document, from).find_map(|child| first(document, child, rest)),
    }
}

fn all(document: &Document, from: NodeId, steps: &[Step], found: &mut Vec<NodeId>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(from);
        return;
    };
    match step {
        Step::Key(key) => {
            if let Some(value) = document.get(from, key) {
                all(document, value, rest, found);
            }
        }
        Step::Index(index) => {
            if let Some(value) = item(document, from, *index) {
                all(document, value, rest, found);
            }
        }
        Step::Every => {
            for child in children(document, from) {
                all(document, child, rest, found);
            }
        }
    }
}

fn children(document: &Document, id: NodeId) -> impl Iterator<Item = NodeId> {
    document.items(id).chain(document.entries(id).map(|(_, value)| value))
}

fn item(document: &Document, id: NodeId, index: i64) -> Option<NodeId> {
    if document.kind(id) != Kind::Array {
        return None;
    }
    let place = if index < 0 {
        document.len(id).checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
    } else {
        usize::try_from(index).ok()?
    };
    document.items(id).nth(place)
}

/// The steps of a simple path; none if it needs the full language.
fn simple(written: &str) -> Option<Vec<Step>> {
    let mut rest = written.trim();
    rest = rest.strip_prefix('$').unwrap_or(rest);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = bracket(inner)?;
            steps.push(step);
            rest = after;
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if rest.starts_with('[') {
            continue;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        // Recursive descent, filters and unquoted odd characters are not simple.
        let plain =
            |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '$' | '@');
        match name {
            "" => return None,
            "*" => steps.push(Step::Every),
            _ if name.chars().all(plain) => steps.push(Step::Key(name.to_owned())),
            _ => return None,
        }
        rest = after;
    }
    Some(steps)
}

/// The step in brackets and what follows them.
fn bracket(inner: &str) -> Option<(Step, &str)> {
    for quote in ['\'', '"'] {
        if let Some(text) = inner.strip_prefix(quote) {
            let (key, after) = text.split_once(quote)?;
            if key.contains('\\') {
                return None;
            }
            return Some((Step::Key(key.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (content, after) = inner.split_once(']')?;
    let step = match content.trim() {
        "*" | "" => Step::Every,
        number => Step::Index(number.parse().ok()?),
    };
    Some((step, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(path: &str) -> Vec<String> {
        let body = br#"{"data":[{"id":1,"tags":["a","b"]},{"id":2,"tags":[]}],"@odata.nextLink":"u","m":{"x":{"n":5}}}"#;
        let document = Document::parse(body.to_vec()).unwrap();
        let path = Path::parse(path).unwrap();
        let mut found = Vec::new();
        path.all(&document, document.root(), &mut found);
        found.into_iter().map(|id| document.json(id).to_owned()).collect()
    }

    #[test]
    fn the_forms_people_write() {
        assert_eq!(matches("data[-1].id"), ["2"]);
        assert_eq!(matches("$.data[0].id"), ["1"]);
        assert_eq!(matches("data[*].tags[*]"), ["\"a\"", "\"b\""]);
        assert_eq!(matches("$.data.[*].id"), ["1", "2"]);
        assert_eq!(matches("['@odata.nextLink']"), ["\"u\""]);
        assert_eq!(matches("m.*.n"), ["5"]);
        assert_eq!(matches("nothing.here"), Vec::<String>::new());
        assert_eq!(matches("data[5].id"), Vec::<String>::new());
        assert_eq!(matches("data[?@.id > 1].id"), ["2"]);
        assert_eq!(matches("data[0:1].id"), ["1"]);
        assert_eq!(matches("$[data,m][*].id"), ["1", "2"]);
        assert_eq!(matches("data[?(@.id > 0 & @.id < 2)].id"), ["1"]);
    }

    #[test]
    fn a_full_path_finds_records_beside_text_that_is_half_a_pair() {
        let body = br#"{"a\ud800":"\ud800","data":[{"id":1,"k\udc00":"x"},{"id":12345678901234567890,"t":"\ud83d"}]}"#;
        let document = Document::parse_within(body.to_vec(), &crate::json::Bounds::default()).unwrap();
        let path = Path::parse("data[?@.id > 1]").unwrap();
        let found = path.first(&document, document.root()).unwrap();
        assert_eq!(document.json(found), r#"{"id":12345678901234567890,"t":"\ud83d"}"#);
        let all = Path::parse("$..id").unwrap();
        let mut found = Vec::new();
        all.all(&document, document.root(), &mut found);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_a_path_chooses_from_is_known() {
        let stem = |written: &str| {
            let document = Document::parse(br#"{"data":{"rows":[]}}"#.to_vec()).unwrap();
            let stem = Path::parse(written).unwrap().chooses_from()?;
            Some(stem.first(&document, document.root()).is_some())
        };
        assert_eq!(stem("data.rows"), None);
        for (written, there) in [
            ("data.rows[*].x", true),
            ("data.lines[*]", false),
            ("data.rows[?@.x > 1]", true),
            ("data.lines[?@.x > 1]", false),
            ("$.data.rows[0:2]", true),
            ("$['data']['lines'][0:2].x", false),
            ("$..x", true),
            ("[*]", true),
        ] {
            assert_eq!(stem(written), Some(there), "{written}");
        }
    }

    #[test]
    fn what_is_no_path_is_an_error() {
        assert!(Path::parse("data[").is_err());
        assert!(Path::parse("a..").is_err());
    }

    #[test]
    fn a_path_that_costs_more_than_any_that_people_write_is_refused() {
        for (path, words) in [
            (format!("{}{}", "[?@.a".repeat(40), "]".repeat(40)), "brackets inside each other"),
            ("$".to_owned() + &"..*".repeat(9), "descents"),
            ("$".to_owned() + &"[0,0]".repeat(30), "commas"),
            (format!("a[?@.b == '{}']", "x".repeat(2000)), "bytes"),
            (r"a[?@.s,'\u".to_owned(), "not whole"),
            (r"a[?@.s == '\u12']".to_owned(), "not whole"),
        ] {
            let said = Path::parse(&path).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
        for path in ["a[?@.b == '[[[[[[[[..,,,,,,,,,..,..,..\\'']", "$..a[?(@.b == 1 && (@.c || @.d))]..e"] {
            assert!(Path::parse(path).is_ok(), "{path}");
        }
    }
}
