//! Texts with holes that are filled when a request is built.

use crate::secret::Secret;

/// A text from the file, which may be (or hold) a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// May be shown.
    Plain(String),
    /// May not.
    Secret(Secret),
}

impl Text {
    /// The text itself: for the request only.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }

    /// The text for people: a secret is `***`.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(_) => "***",
        }
    }
}

/// Fixed text and placeholders in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// In order; neighbouring fixed parts are joined.
    pub parts: Vec<Part>,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Fixed.
    Text(Text),
    /// `{resources.<parent>.<path>}`: index into the parent plan's `fields`.
    Parent(usize),
    /// A batch: a list of values of the field at this index, with a text between them.
    Joined(usize, String),
    /// `{each.<variable>}`: index into the each plan's `fields`.
    Each(usize),
    /// `{incremental.start_value}`, `{incremental.last_value}`.
    CursorStart,
    /// `{incremental.end_value}`.
    CursorEnd,
    /// `{incremental.initial_value}`.
    CursorInitial,
    /// `{paginator.<value>}`.
    Page(PageValue),
}

/// What a request says of the page that it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum PageValue {
    Offset,
    Page,
    Cursor,
    Limit,
}

impl PageValue {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Offset, Self::Page, Self::Cursor, Self::Limit];

    /// Its name in a placeholder.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Offset => "offset",
            Self::Page => "page",
            Self::Cursor => "cursor",
            Self::Limit => "limit",
        }
    }
}

impl Template {
    /// A template without placeholders.
    #[must_use]
    pub fn fixed(text: Text) -> Self {
        Self { parts: vec![Part::Text(text)] }
    }

    /// Whether a part depends on the cursor.
    #[must_use]
    pub fn uses_cursor(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::CursorStart | Part::CursorEnd | Part::CursorInitial))
    }

    /// Whether a part is where the cursor ends.
    #[must_use]
    pub fn uses_end(&self) -> bool {
        self.parts.contains(&Part::CursorEnd)
    }

    /// Whether a part is where the cursor starts.
    #[must_use]
    pub fn uses_start(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::CursorStart | Part::CursorInitial))
    }

    /// Whether it holds the start and the end.
    #[must_use]
    pub fn uses_both(&self) -> bool {
        self.uses_start() && self.uses_end()
    }

    /// The template for people: placeholders in braces, secrets hidden.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut shown = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => shown.push_str(text.shown()),
                Part::Parent(field) => shown.push_str(&format!("{{parent.{field}}}")),
                Part::Joined(field, _) => shown.push_str(&format!("{{parent.{field}}}")),
                Part::Each(field) => shown.push_str(&format!("{{each.{field}}}")),
                Part::CursorStart => shown.push_str("{incremental.start_value}"),
                Part::CursorEnd => shown.push_str("{incremental.end_value}"),
                Part::CursorInitial => shown.push_str("{incremental.initial_value}"),
                Part::Page(value) => shown.push_str(&format!("{{paginator.{}}}", value.name())),
            }
        }
        shown
    }
}

impl JsonTemplate {
    /// Whether a part of it is where the cursor ends.
    #[must_use]
    pub fn uses_end(&self) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Text(template) => template.uses_end(),
            Self::List(items) => items.iter().any(Self::uses_end),
            Self::Map(entries) => entries.iter().any(|(_, value)| value.uses_end()),
        }
    }
}

/// A JSON body with placeholders. A text that is one placeholder alone keeps the value's own type (dlt.md §1.9).
#[derive(Debug, Clone, PartialEq)]
pub enum JsonTemplate {
    /// Null, a number, true or false.
    Literal(serde_json::Value),
    /// A text, or a lone placeholder.
    Text(Template),
    /// A list.
    List(Vec<Self>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Self)>),
}
