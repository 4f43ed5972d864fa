//! Incremental reading, fully decided (dlt.md §1.11, §5).

use super::{CursorForm, RetentionPlan, StartPlan};
use crate::json::Path;

/// `endpoint.incremental` (dlt.md §1.11, §5).
#[derive(Debug, Clone)]
pub struct IncrementalPlan {
    /// The cursor inside a record.
    pub cursor_path: Path,
    /// As written: the key under which the state is kept.
    pub cursor_name: String,
    /// How records write it, where that is not understood by itself.
    pub form: Option<CursorForm>,
    /// Where the first run starts.
    pub initial_value: Option<CursorValue>,
    /// With it the run reads a window and leaves the stored cursor alone.
    pub end_value: Option<CursorValue>,
    /// Query parameter for the start (`created[gte]`).
    pub start_param: Option<String>,
    /// Query parameter for the end.
    pub end_param: Option<String>,
    /// How values are written into requests.
    pub format: CursorFormat,
    /// How far the start moves back: seconds for dates, else the cursor's own unit.
    pub lag: Option<f64>,
    /// A record without a cursor.
    pub on_missing: OnMissing,
    /// The stored value is the smallest instead of the largest.
    pub descending: bool,
    /// Records equal to the start are dropped (`range_start: open`).
    pub start_open: bool,
    /// Records equal to `end_value` are kept (`range_end: closed`).
    pub end_closed: bool,
    /// It is read in windows of time, each a chain of its own.
    pub window: Option<WindowPlan>,
    /// Where this run starts.
    pub start: StartPlan<CursorValue>,
    /// The API keeps its records only so long.
    pub retention: Option<RetentionPlan>,
    /// The list is in a declared order, so that it need not be read to its end (`row_order`).
    pub stop: Option<StopPlan>,
}

/// `row_order`: where reading stops before the list ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopPlan {
    /// `desc`, the newest come first: once a page reaches below the start.
    AtStart,
    /// `asc`, the oldest come first: once a page reaches the end of the range.
    AtEnd,
}

/// `incremental.window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowPlan {
    /// How long a window is.
    pub size: WindowSize,
    /// A request cannot do without an end (a placeholder in its path or body): the last window has one too.
    pub must_end: bool,
}

/// The length of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowSize {
    /// One window from start to end, because requests need an end and none is given.
    Whole,
    /// Seconds; whole days where dates are sent.
    Seconds(i64),
    /// Months of the calendar.
    Months(i32),
}

/// A cursor as the API gives it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum CursorValue {
    Int(i64),
    Float(f64),
    Text(String),
}

impl CursorFormat {
    /// Whole days are written, no time of day.
    #[must_use]
    pub fn is_date(&self) -> bool {
        match self {
            Self::Date => true,
            Self::Pattern(pattern) => {
                !["%H", "%I", "%k", "%l", "%s", "%T", "%R", "%c", "%X", "%r", "%f", "%Q"]
                    .iter()
                    .any(|time| pattern.contains(time))
            }
            Self::AsIs | Self::Unix | Self::UnixMillis | Self::Iso => false,
        }
    }
}

impl CursorValue {
    /// As JSON; a number that JSON does not have is null.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Int(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }

    /// From JSON: a number or a text.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::String(text) => Some(Self::Text(text.clone())),
            serde_json::Value::Number(number) => {
                number.as_i64().map(Self::Int).or_else(|| number.as_f64().map(Self::Float))
            }
            _ => None,
        }
    }
}

/// How a cursor is written into a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CursorFormat {
    /// As the API gave it.
    AsIs,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMillis,
    /// RFC 3339 with `Z`.
    Iso,
    /// `YYYY-MM-DD`.
    Date,
    /// A strftime pattern.
    Pattern(String),
}

/// What to do with a record that has no cursor (`on_cursor_value_missing`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "dlt's names (dlt.md §5.1)")]
pub enum OnMissing {
    Raise,
    Include,
    Exclude,
}
