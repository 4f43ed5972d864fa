//! Located problems: all of them are collected, then shown at once.

use std::fmt;

use super::node::Place;

mod mask;

/// One problem in a file (or, as a note, one reading of it that is worth knowing).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The key path: `resources[2].endpoint.paginator`; empty for the file as a whole.
    pub path: String,
    /// Where it stands in the file.
    pub place: Place,
    /// What was found and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Adds what to do about it.
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds `did you mean ...` if one of the candidates is close to the word.
    pub fn suggest<'a>(&mut self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> &mut Self {
        if let Some(candidate) = closest(word, candidates) {
            self.hint = Some(format!("did you mean `{candidate}`?"));
        }
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_in_file() {
            write!(formatter, "line {}: ", self.place.line)?;
        }
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.message)
    }
}

/// The problems of a file, and the notes on how it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    problems: Vec<Diagnostic>,
    notes: Vec<Diagnostic>,
}

impl Diagnostics {
    /// An empty collection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a problem; the result takes a hint.
    pub fn push(
        &mut self,
        path: impl Into<String>,
        place: Place,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let (path, message) = (path.into(), message.into());
        self.problems.push_mut(Diagnostic { path, place, message, hint: None })
    }

    /// Adds a note: not a problem, but a reading that the user should know of.
    pub fn note(
        &mut self,
        path: impl Into<String>,
        place: Place,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let (path, message) = (path.into(), message.into());
        self.notes.push_mut(Diagnostic { path, place, message, hint: None })
    }

    /// Takes over everything another collection holds.
    pub fn append(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.notes.extend(other.notes);
    }

    /// Whether there is no problem; notes do not count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether something is wrong with exactly this key: what is missing for that reason is no problem of its own.
    #[must_use]
    pub fn is_about(&self, path: &str) -> bool {
        self.problems.iter().any(|problem| problem.path == path)
    }

    /// How many problems there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// The problems by their place in the file, those without one first, else as they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        by_place(&self.problems)
    }

    /// The notes, in the same order.
    pub fn notes(&self) -> impl Iterator<Item = &Diagnostic> {
        by_place(&self.notes)
    }

    /// The value if there is no problem, else the problems.
    ///
    /// # Errors
    /// The collection itself, if it holds a problem.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Every problem with the line of the file that it is about.
    ///
    /// Literals that look like secrets are masked in those lines.
    #[must_use]
    pub fn render(&self, file_name: &str, source_text: &str) -> String {
        let source = mask::Source::new(file_name, source_text);
        let mut shown: Vec<String> =
            self.iter().take(SHOWN).map(|diagnostic| render_one(diagnostic, file_name, &source)).collect();
        if self.len() > SHOWN {
            shown.push(format!("{file_name}: {} more problems are not shown\n", self.len() - SHOWN));
        }
        shown.join("\n")
    }
}

/// Problems that are rendered: each shows its line, and a file of one line may have a problem a letter.
const SHOWN: usize = 100;

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

fn by_place(diagnostics: &[Diagnostic]) -> impl Iterator<Item = &Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.place);
    sorted.into_iter()
}

fn render_one(diagnostic: &Diagnostic, file_name: &str, source: &mask::Source<'_>) -> String {
    let Place { line, column } = diagnostic.place;
    let mut shown = file_name.to_owned();
    if diagnostic.place.is_in_file() {
        shown.push_str(&format!(":{line}:{column}"));
    }
    if !diagnostic.path.is_empty() {
        shown.push_str(&format!(": {}", diagnostic.path));
    }
    shown.push_str(&format!(": {}\n", diagnostic.message));
    let gutter = " ".repeat(line.to_string().len());
    if let Some((text, column)) = source.line(line, column) {
        let indent = " ".repeat(column.saturating_sub(1));
        shown.push_str(&format!("{gutter} |\n{line} | {text}\n{gutter} | {indent}^\n"));
    }
    if let Some(hint) = &diagnostic.hint {
        shown.push_str(&format!("{gutter} = help: {hint}\n"));
    }
    shown
}

/// The candidate that a mistyped word most likely means, if any is close enough: a third of its letters
/// may differ. Case, `-` and `_` do not count.
#[must_use]
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    fn folded(word: &str) -> String {
        word.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).collect::<String>().to_lowercase()
    }
    let word = folded(word);
    let allowed = (word.chars().count() / 3).max(1);
    let mut best = None;
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(&word, &folded(candidate));
        // A word of two letters is one letter away from too many others.
        let near = distance <= allowed && distance < word.chars().count();
        if near && best.is_none_or(|(smallest, _)| distance < smallest) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The path of a key below a path.
#[must_use]
pub fn child(path: &str, key: &str) -> String {
    let plain = key.chars().all(|letter| letter.is_alphanumeric() || "_-$@".contains(letter));
    match (path.is_empty(), plain && !key.is_empty()) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{key:?}]"),
    }
}

/// The path of an item below a path.
#[must_use]
pub fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// Every problem as one line with its hint, for snapshots.
#[cfg(test)]
pub(crate) fn listed(diagnostics: &Diagnostics) -> String {
    let line = |diagnostic: &Diagnostic| match &diagnostic.hint {
        Some(hint) => format!("{diagnostic} | {hint}"),
        None => diagnostic.to_string(),
    };
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_diagnostic_is_one_line() {
        let mut diagnostics = Diagnostics::new();
        diagnostics
            .push("resources[2].endpoint.paginator", Place::new(12, 9), "unknown key `limmit`")
            .suggest("limmit", ["limit", "offset"]);
        assert_eq!(diagnostics.to_string(), "line 12: resources[2].endpoint.paginator: unknown key `limmit`");
        let hint = diagnostics.iter().next().and_then(|diagnostic| diagnostic.hint.clone());
        assert_eq!(hint.as_deref(), Some("did you mean `limit`?"));
    }

    #[test]
    fn order_is_that_of_the_file() {
        let mut diagnostics = Diagnostics::new();
        diagnostics.push("b", Place::new(9, 1), "second");
        diagnostics.push("a", Place::new(2, 4), "first");
        diagnostics.push("b", Place::new(9, 1), "third");
        diagnostics.push("", Place::default(), "zeroth");
        diagnostics.note("c", Place::new(1, 1), "a note is no problem");
        let messages: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        assert_eq!(messages, ["zeroth", "first", "second", "third"]);
        assert_eq!(diagnostics.notes().count(), 1);
        assert_eq!(diagnostics.clone().into_result(()), Err(diagnostics));
        assert_eq!(Diagnostics::new().into_result(5), Ok(5));
    }

    #[test]
    fn rendering_ends_somewhere() {
        let mut diagnostics = Diagnostics::new();
        for column in 1..=1000 {
            diagnostics.push("", Place::new(1, column), "a stray bracket");
        }
        let shown = diagnostics.render("api.py", &"]".repeat(1000));
        assert_eq!(shown.matches("a stray bracket").count(), SHOWN);
        assert!(shown.ends_with("api.py: 900 more problems are not shown\n"), "{shown}");
    }

    #[test]
    fn rendering_shows_the_line() {
        let mut diagnostics = Diagnostics::new();
        diagnostics
            .push("client", Place::new(2, 3), "unknown key `bas_url`")
            .hint("did you mean `base_url`?");
        diagnostics.push("client.x", Place::default(), "from --set");
        insta::assert_snapshot!(diagnostics.render("api.yaml", "client:\n  bas_url: x\n"), @r"
        api.yaml: client.x: from --set

        api.yaml:2:3: client: unknown key `bas_url`
          |
        2 |   bas_url: x
          |   ^
          = help: did you mean `base_url`?
        ");
    }

    #[test]
    fn the_closest_word() {
        let keys = ["limit", "offset", "paginator", "data_selector", "path"];
        assert_eq!(closest("limmit", keys), Some("limit"));
        assert_eq!(closest("pagination", keys), Some("paginator"));
        assert_eq!(closest("dataSelector", keys), Some("data_selector"));
        assert_eq!(closest("zebra", keys), None);
        assert_eq!(closest("p", keys), None);
    }

    #[test]
    fn paths() {
        assert_eq!(child("", "client"), "client");
        assert_eq!(child(&item("resources", 2), "endpoint"), "resources[2].endpoint");
        assert_eq!(child("params", "created[gte]"), "params[\"created[gte]\"]");
    }
}
