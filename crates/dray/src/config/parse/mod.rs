//! Text in any of the accepted formats becomes a located tree.

use super::diagnostics::Diagnostics;
use super::node::{Node, Place};

mod document;
mod json;
mod python;
mod slips;
mod toml;
mod yaml;

/// How deep lists and mappings may nest.
pub(crate) const MAX_DEPTH: usize = 64;

/// How many nodes a file may become once aliases and names are followed. The largest configuration seen
/// in the wild (247 resources) has about 6,000.
pub(crate) const MAX_NODES: usize = 200_000;

/// How many keys a mapping may have: a look-up goes through them all.
pub(crate) const MAX_KEYS: usize = 10_000;

/// How long a key may be: it is part of the path of everything below it.
pub(crate) const MAX_KEY_BYTES: usize = 4096;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
    /// TOML.
    Toml,
    /// Python, read as literals; nothing is executed.
    Python,
    /// A document (Markdown) with a configuration in a Python block.
    Document,
}

impl Format {
    /// The extensions that are known, for messages.
    pub const EXTENSIONS: &'static str = ".yaml, .yml, .json, .toml, .py, .md, .txt";

    /// The format that a file's name promises.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            "py" => Some(Self::Python),
            "md" | "markdown" | "txt" => Some(Self::Document),
            _ => None,
        }
    }
}

/// Parses a text. `None` means that at least one problem was added.
pub fn parse(text: &str, format: Format, diagnostics: &mut Diagnostics) -> Option<Node> {
    parse_as(text, format, false, diagnostics)
}

/// Parses a text as far as it can be read: what a Python file computes is left out, with a problem each. An item that is
/// left out of a list leaves [`Node::gap`] in its place, so that paths hold.
pub fn parse_partly(text: &str, format: Format, diagnostics: &mut Diagnostics) -> Option<Node> {
    parse_as(text, format, true, diagnostics)
}

fn parse_as(text: &str, format: Format, partly: bool, diagnostics: &mut Diagnostics) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Yaml => yaml::parse(text, diagnostics),
        Format::Json => json::parse(text, diagnostics),
        Format::Toml => toml::parse(text, diagnostics),
        Format::Python => python::parse(text, partly, diagnostics),
        Format::Document => document::parse(text, partly, diagnostics),
    }
}

/// Parses the value of `--set`: a YAML scalar or flow value; what is no YAML is text.
pub(crate) fn parse_inline(text: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    yaml::parse_inline(text, diagnostics)
}

/// Whether YAML reads a plain scalar of these letters as text.
pub(super) fn is_plain_text(text: &str) -> bool {
    yaml::is_plain_text(text)
}

/// From byte offsets to places.
struct Places<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        let mut line_starts = vec![0];
        line_starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1));
        Self { text, line_starts }
    }

    fn at(&self, offset: usize) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|index| self.line_starts.get(index)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).map_or(0, |text| text.chars().count());
        Place::new(line, before + 1)
    }
}

#[cfg(test)]
mod real_files;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_by_extension() {
        assert_eq!(Format::of_file("a/b.YAML"), Some(Format::Yaml));
        assert_eq!(Format::of_file("a.b.py"), Some(Format::Python));
        assert_eq!(Format::of_file("seed.txt"), Some(Format::Document));
        assert_eq!(Format::of_file("Makefile"), None);
    }

    #[test]
    fn places_count_characters_from_one() {
        let places = Places::new("a\nbé c\n");
        assert_eq!(places.at(0), Place::new(1, 1));
        assert_eq!(places.at(2), Place::new(2, 1));
        assert_eq!(places.at(6), Place::new(2, 4));
        assert_eq!(places.at(8), Place::new(3, 1));
    }

    #[test]
    fn absurd_nesting_is_refused_in_every_format() {
        let many = 20_000;
        let nested = |open: &str, close: &str| format!("{}{}", open.repeat(many), close.repeat(many));
        for (text, format) in [
            (nested("[", "]"), Format::Json),
            (nested("{\"a\":", "}"), Format::Json),
            (nested("[", "]"), Format::Yaml),
            ("- ".repeat(many), Format::Yaml),
            ("? ".repeat(many), Format::Yaml),
            (format!("a = {}", nested("[", "]")), Format::Toml),
            (format!("{}a = 1", "a.".repeat(many)), Format::Toml),
            (format!("config = {}", nested("[", "]")), Format::Python),
            (format!("config = {}", nested("(", ")")), Format::Python),
            ("[".repeat(many), Format::Python),
            (format!("config = f'{}{}'", "{f'".repeat(1_000), "'}".repeat(1_000)), Format::Python),
            (format!("config = {{'a': {}1}}", "{'a':".repeat(300)), Format::Python),
            (format!("config = {}", nested("[1,", "]")), Format::Python),
            (format!("config = {}{}", "[".repeat(390), "]".repeat(390)), Format::Python),
            (format!("config = {}1", "-".repeat(many)), Format::Python),
            (format!("config = {}1", "not ".repeat(many)), Format::Python),
            (format!("config = {}1", "1+".repeat(many)), Format::Python),
            (format!("config = x{}", ".a".repeat(many)), Format::Python),
            (format!("config = x{}", "[0]".repeat(many)), Format::Python),
            (format!("config = x{}", "()".repeat(many)), Format::Python),
            (format!("config = 1{}", " if 1 else 1".repeat(many)), Format::Python),
            (format!("config = {}1", "lambda: ".repeat(many)), Format::Python),
            (
                (0..500).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect::<String>()
                    + &" ".repeat(500)
                    + "y",
                Format::Python,
            ),
        ] {
            let mut diagnostics = Diagnostics::new();
            assert_eq!(parse(&text, format, &mut diagnostics), None);
            assert!(!diagnostics.is_empty());
        }
    }

    #[test]
    fn a_byte_order_mark_is_not_content() {
        for (text, format) in [
            ("\u{feff}{\"a\": 1}", Format::Json),
            ("\u{feff}a: 1", Format::Yaml),
            ("\u{feff}a = 1", Format::Toml),
        ] {
            let mut diagnostics = Diagnostics::new();
            let node = parse(text, format, &mut diagnostics).unwrap();
            assert_eq!(node.as_map().and_then(|map| map.get("a")).and_then(Node::as_int), Some(1));
        }
    }
}
