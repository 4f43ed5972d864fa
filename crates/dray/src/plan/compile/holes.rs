//! Placeholders: `{resources.<parent>.<path>}` and `{incremental.<value>}` (dlt.md §1.9).

use super::Problems;
use super::lineage::Lineage;
use crate::config::diagnostics::closest;
use crate::config::model::{EachConfig, Located, Spot};
use crate::json::Path;
use crate::plan::{IncludeField, ParentField, Part, Template, Text};
use crate::secret::Secret;

/// What to do about a child whose parent is left out.
pub(super) const LEFT_OUT_HINT: &str = "give the child the same `when`; a parent that is only read for its children \
                                        has `selected: false`";

/// What the placeholders of one resource may name, and what they have named so far.
pub(super) struct Holes<'a> {
    /// The resource itself.
    pub(super) own: &'a str,
    /// All resources of the file.
    pub(super) names: &'a [&'a str],
    /// Those that their `when` left out.
    pub(super) left_out: &'a [String],
    /// Whether `{incremental.x}` is known.
    pub(super) incremental: bool,
    /// Values of `incremental` that are the same for every request, such as `lag`.
    pub(super) constants: Vec<(&'static str, String)>,
    /// Its `for_each`, if it has one.
    pub(super) each: Option<&'a EachConfig>,
    /// The size of its batches, if its parent's records are asked for several at once.
    pub(super) batch: Option<Located<u64>>,
    /// Fields of its items that are used.
    pub(super) each_fields: Vec<Path>,
    /// Who depends on whom.
    pub(super) lineage: &'a Lineage,
    /// The parent and where it was named first.
    pub(super) parent: Option<(String, Spot)>,
    /// A placeholder was refused: what follows from that need not be said.
    pub(super) refused: bool,
    /// Fields of the parent and of those above it that are used.
    pub(super) fields: Vec<ParentField>,
    /// Which of them belong to one record of the parent.
    pub(super) alone: Vec<usize>,
    /// Columns that child rows carry because a placeholder was bound by its name.
    pub(super) include: Vec<IncludeField>,
}

/// A piece of a text with placeholders.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Fixed(String),
    Hole(String),
}

/// What a placeholder without a dot means.
pub(super) trait Bare {
    /// The parts, or none after a complaint.
    fn part(
        &mut self,
        name: &str,
        at: &Spot,
        holes: &mut Holes<'_>,
        problems: &mut Problems<'_>,
    ) -> Option<Part>;
}

/// Outside paths a placeholder without a dot means nothing.
pub(super) struct NoBare;

impl Bare for NoBare {
    fn part(
        &mut self,
        name: &str,
        at: &Spot,
        _: &mut Holes<'_>,
        problems: &mut Problems<'_>,
    ) -> Option<Part> {
        problems.add_with_hint(
            at,
            format!("unknown placeholder `{{{name}}}`"),
            "known are `{resources.<name>.<field>}` and `{incremental.<value>}`; braces that are meant as such are doubled: `{{` and `}}`",
        );
        None
    }
}

impl Holes<'_> {
    /// A text with its placeholders.
    pub(super) fn template(
        &mut self,
        text: &Text,
        at: &Spot,
        bare: &mut dyn Bare,
        problems: &mut Problems<'_>,
    ) -> Option<Template> {
        let (pieces, secret) = match text {
            Text::Plain(text) => match pieces(text) {
                Ok(pieces) => (pieces, false),
                Err(message) => {
                    problems.add_with_hint(
                        at,
                        message,
                        "braces that are meant as such are doubled: `{{` and `}}`",
                    );
                    return None;
                }
            },
            // A secret may hold braces of its own.
            Text::Secret(secret) => (known_pieces(secret.expose()), true),
        };
        let mut parts = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Fixed(text) if secret => parts.push(Part::Text(Text::Secret(Secret::new(text)))),
                Piece::Fixed(text) => parts.push(Part::Text(Text::Plain(text))),
                Piece::Hole(hole) => {
                    let part = self.part(&hole, at, bare, problems);
                    self.refused |= part.is_none();
                    parts.push(part?);
                }
            }
        }
        Some(Template { parts })
    }

    fn part(
        &mut self,
        hole: &str,
        at: &Spot,
        bare: &mut dyn Bare,
        problems: &mut Problems<'_>,
    ) -> Option<Part> {
        if let Some(value) = hole.strip_prefix("incremental.") {
            return self.cursor(value, at, problems);
        }
        if let Some(name) = hole.strip_prefix("paginator.") {
            return super::placed::part(name, at, problems);
        }
        if let Some(field) = hole.strip_prefix("each.") {
            return self.each_field(field, at, problems);
        }
        let Some(rest) = hole.strip_prefix("resources.") else {
            if let Some((root, _)) = hole.split_once('.') {
                let hint = match closest(root, ["resources", "incremental"]) {
                    Some(near) => format!("nearest is `{near}`"),
                    None => "known are `{resources.<name>.<field>}` and `{incremental.<value>}`".to_owned(),
                };
                problems.add_with_hint(at, format!("unknown placeholder `{{{hole}}}`"), hint);
                return None;
            }
            return bare.part(hole, at, self, problems);
        };
        let Some((name, field)) =
            rest.split_once('.').filter(|(name, field)| !name.is_empty() && !field.is_empty())
        else {
            problems.add_with_hint(
                at,
                format!("`{{{hole}}}` names no field"),
                "write `{resources.<name>.<field>}`",
            );
            return None;
        };
        self.parent_field(name, field, at, problems)
    }

    fn cursor(&self, value: &str, at: &Spot, problems: &mut Problems<'_>) -> Option<Part> {
        const VALUES: [&str; 4] = ["start_value", "last_value", "initial_value", "end_value"];
        if !self.incremental {
            problems.add_with_hint(
                at,
                format!("`{{incremental.{value}}}` stands here, but the endpoint has no `incremental`"),
                "add `incremental: {cursor_path: ...}` to the endpoint",
            );
            return None;
        }
        match value {
            "start_value" | "last_value" => Some(Part::CursorStart),
            "end_value" => Some(Part::CursorEnd),
            "initial_value" => Some(Part::CursorInitial),
            other if let Some((_, text)) = self.constants.iter().find(|(name, _)| *name == other) => {
                Some(Part::Text(Text::Plain(text.clone())))
            }
            other => {
                let list = "known are `start_value`, `last_value`, `initial_value`, `end_value`".to_owned();
                let hint = match closest(other, VALUES) {
                    Some(near) => format!("nearest is `{near}`; {list}"),
                    None => list,
                };
                problems.add_with_hint(at, format!("unknown value `{{incremental.{other}}}`"), hint);
                None
            }
        }
    }

    /// The placeholder of a parent's field.
    pub(super) fn parent_field(
        &mut self,
        name: &str,
        field: &str,
        at: &Spot,
        problems: &mut Problems<'_>,
    ) -> Option<Part> {
        let path = problems.path(field, at)?;
        self.parent_path(name, path, at, problems)
    }

    /// The placeholder of a path in the parent's record.
    pub(super) fn parent_path(
        &mut self,
        name: &str,
        path: Path,
        at: &Spot,
        problems: &mut Problems<'_>,
    ) -> Option<Part> {
        if name == self.own {
            problems.add(at, format!("`{name}` refers to itself"));
            return None;
        }
        if self.left_out.iter().any(|left_out| left_out == name) {
            problems.add_with_hint(
                at,
                format!(
                    "`{name}` is left out by its `when`, and `{}` is asked for each of its records",
                    self.own
                ),
                LEFT_OUT_HINT,
            );
            return None;
        }
        if !self.names.contains(&name) {
            let mut hint = match closest(name, self.names.iter().copied()) {
                Some(near) => format!("nearest is `{near}`"),
                None => format!("the file has {}", few(self.names)),
            };
            if hint.is_empty() {
                hint = "the file has no other resource".to_owned();
            }
            problems.add_with_hint(at, format!("no resource `{name}`"), hint);
            return None;
        }
        let (parent, _) = self
            .parent
            .get_or_insert_with(|| (self.lineage.parent(self.own).unwrap_or(name).to_owned(), at.clone()));
        let field = if parent == name {
            ParentField::Own(path)
        } else if self.lineage.is_above(name, parent) {
            ParentField::Above { resource: name.to_owned(), path, from: 0 }
        } else {
            problems.add_with_hint(
                at,
                format!("two parents, `{parent}` and `{name}`, of which neither stands above the other"),
                format!(
                    "make one the child of the other (a placeholder of `{parent}` in `{name}`, or the other way round), or \
                     list the values of one of them with `for_each`"
                ),
            );
            return None;
        };
        let known = self.fields.iter().position(|known| known.is_same(&field));
        let own = matches!(field, ParentField::Own(_));
        let index = known.unwrap_or_else(|| {
            self.fields.push(field);
            self.fields.len() - 1
        });
        self.alone.extend(own.then_some(index));
        Some(Part::Parent(index))
    }
}

/// A few names for a hint.
pub(super) fn few(names: &[&str]) -> String {
    let mut list = names.iter().take(8).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > 8 {
        list.push_str(&format!(" and {} more", names.len() - 8));
    }
    list
}

/// A text cut at its placeholders, by the rules of Python's `str.format`.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        fixed.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            fixed.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            fixed.push('}');
            rest = after;
        } else if let Some(inner) = from.strip_prefix('{') {
            let Some((hole, after)) = inner.split_once('}') else {
                return Err("`{` without `}`".to_owned());
            };
            let hole = hole.trim();
            if hole.is_empty() {
                return Err("`{}` names nothing".to_owned());
            }
            // Python's conversion to text: a number that stands alone in a body stays one without it.
            let (hole, as_text) = match hole.strip_suffix("!s") {
                Some(hole) => (hole.trim_end(), true),
                None => (hole, false),
            };
            if let Some((name, _)) = hole.split_once(['!', ':']).filter(|_| !hole.contains('[')) {
                return Err(format!(
                    "`{{{hole}}}` has a format specification: only `{{{name}}}` is supported"
                ));
            }
            if !fixed.is_empty() {
                pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
            }
            pieces.push(Piece::Hole(hole.to_owned()));
            if as_text {
                pieces.push(Piece::Fixed(String::new()));
            }
            rest = after;
        } else {
            return Err("`}` without `{`".to_owned());
        }
    }
    fixed.push_str(rest);
    if !fixed.is_empty() {
        pieces.push(Piece::Fixed(fixed));
    }
    Ok(pieces)
}

/// A text cut only at placeholders that are surely meant as such.
pub(super) fn known_pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        fixed.push_str(before);
        let inner = from.strip_prefix('{').unwrap_or(from);
        let hole = inner.split_once('}').filter(|(hole, _)| {
            ["resources.", "incremental.", "each."].iter().any(|kind| hole.starts_with(kind))
        });
        match hole {
            Some((hole, after)) => {
                if !fixed.is_empty() {
                    pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
                }
                pieces.push(Piece::Hole(hole.to_owned()));
                rest = after;
            }
            None => {
                fixed.push('{');
                rest = inner;
            }
        }
    }
    fixed.push_str(rest);
    if !fixed.is_empty() {
        pieces.push(Piece::Fixed(fixed));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(text: &str) -> Piece {
        Piece::Fixed(text.to_owned())
    }

    fn hole(text: &str) -> Piece {
        Piece::Hole(text.to_owned())
    }

    #[test]
    fn braces_by_the_rules_of_python() {
        assert_eq!(pieces("a/{x.y}/b"), Ok(vec![fixed("a/"), hole("x.y"), fixed("/b")]));
        assert_eq!(pieces("{{literal}} {x}"), Ok(vec![fixed("{literal} "), hole("x")]));
        assert_eq!(pieces(""), Ok(vec![]));
        assert_eq!(pieces("{x!s}"), Ok(vec![hole("x"), fixed("")]));
        assert!(pieces("{").is_err());
        assert!(pieces("}").is_err());
        assert!(pieces("{}").is_err());
        assert!(pieces("{x:05d}").is_err());
    }

    #[test]
    fn a_secret_keeps_its_own_braces() {
        assert_eq!(known_pieces("s{c}r{"), vec![fixed("s{c}r{")]);
        assert_eq!(known_pieces("bot-s{/{resources.x.id}"), vec![fixed("bot-s{/"), hole("resources.x.id")]);
    }
}
