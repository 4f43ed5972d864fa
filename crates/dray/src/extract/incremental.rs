//! Incremental reading: where a partition starts, which records count, and how far its cursor has come (dlt.md §5).
//!
//! Cursors are compared as what they mean (see `order`).

use std::cmp::Ordering;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha3::Shake128;
use sha3::digest::{ExtendableOutput, Update, XofReader};

use super::order::{Comparable, comparable, compare};
use super::row_order::RowOrder;
use super::windows::Span;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, Kind, NodeId};
use crate::plan::{
    CursorFormat, CursorValue, Disposition, IncrementalPlan, LoadPlan, OnMissing, StartPlan, StopPlan,
};
use crate::timestamp;

/// Microseconds.
const DAY: f64 = 86_400e6;

/// The cursor of a partition, as the last complete run left it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CursorState {
    /// Where the first run started.
    pub initial_value: Option<CursorValue>,
    /// The largest cursor loaded (the smallest where the order is reversed).
    pub last_value: CursorValue,
    /// Records with exactly that cursor, so that the next run does not append them again.
    pub unique_hashes: Vec<String>,
}

/// How far a partition's cursor has come: durable once everything it covers is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CursorMove {
    /// Where this run started.
    pub start_value: Option<CursorValue>,
    /// The new state.
    pub state: CursorState,
}

impl CursorMove {
    /// The move of two windows of one partition.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        let (mut later, earlier) = match compare(&self.state.last_value, &other.state.last_value) {
            Ordering::Less => (other, self),
            _ => (self, other),
        };
        if compare(&later.state.last_value, &earlier.state.last_value) == Ordering::Equal {
            let known = &mut later.state.unique_hashes;
            known.extend(earlier.state.unique_hashes);
            known.sort_unstable();
            known.dedup();
        }
        later.start_value = match (later.start_value, earlier.start_value) {
            (Some(one), Some(other)) if compare(&other, &one) == Ordering::Less => Some(other),
            (one, other) => one.or(other),
        };
        later
    }
}

/// The cursors of all partitions of all resources.
#[derive(Clone, Debug, Default)]
pub struct Cursors {
    states: HashMap<(String, String), CursorState>,
}

impl Cursors {
    /// Puts in the cursor of a partition; a resource without a parent has the partition ``.
    pub fn insert(&mut self, resource: &str, partition: &str, state: CursorState) {
        self.states.insert((resource.to_owned(), partition.to_owned()), state);
    }

    /// The cursor of a partition.
    #[must_use]
    pub fn get(&self, resource: &str, partition: &str) -> Option<&CursorState> {
        self.states.get(&(resource.to_owned(), partition.to_owned()))
    }
}

/// A cursor as it is written into a request.
pub(super) fn written(value: &CursorValue, format: &CursorFormat) -> Result<String> {
    if *format == CursorFormat::AsIs {
        return Ok(plain(value));
    }
    let time = Timestamp::from_microsecond(instant_of(value, format)?).map_err(out_of_range)?;
    Ok(match format {
        CursorFormat::AsIs => plain(value),
        CursorFormat::Unix => time.as_second().to_string(),
        CursorFormat::UnixMillis => time.as_millisecond().to_string(),
        CursorFormat::Iso => time.to_string(),
        CursorFormat::Date => time.strftime("%Y-%m-%d").to_string(),
        CursorFormat::Pattern(pattern) => time.strftime(pattern).to_string(),
    })
}

fn plain(value: &CursorValue) -> String {
    match value {
        CursorValue::Int(number) => number.to_string(),
        CursorValue::Float(number) => number.to_string(),
        CursorValue::Text(text) => text.clone(),
    }
}

fn out_of_range(error: jiff::Error) -> Error {
    Error::new(ErrorKind::Response, "the cursor is out of range").caused_by(error)
}

/// The instant that a cursor means, in microseconds since 1970.
pub(super) fn instant_of(value: &CursorValue, format: &CursorFormat) -> Result<i64> {
    Ok(match comparable(value) {
        Comparable::Int(number) if *format == CursorFormat::UnixMillis => number.saturating_mul(1000),
        Comparable::Int(number) => number.saturating_mul(1_000_000),
        Comparable::Float(number) => SignedDuration::try_from_secs_f64(number)
            .and_then(Timestamp::from_duration)
            .map_err(out_of_range)?
            .as_microsecond(),
        Comparable::Instant(micros) => micros,
        Comparable::Text(text) => {
            return Err(Error::new(
                ErrorKind::Response,
                "the cursor is no time, so it cannot be written as one",
            )
            .with("found", text)
            .hint("leave out `format` to send the cursor as the API gives it"));
        }
    })
}

/// Where a partition is read from.
pub(super) fn start_of(plan: &IncrementalPlan, stored: Option<&CursorState>) -> Result<Option<CursorValue>> {
    match &plan.start {
        StartPlan::Stored => {}
        StartPlan::At(start) => return Ok(Some(start.clone())),
        StartPlan::Initial => return Ok(plan.initial_value.clone()),
    }
    let last = known(plan, stored).map(|state| &state.last_value);
    match (last, plan.lag) {
        (Some(last), Some(lag)) => lagged(last, lag, plan).map(Some),
        (last, _) => Ok(last.cloned().or_else(|| plan.initial_value.clone())),
    }
}

/// With an end the run reads a window, and the stored cursor is neither read nor moved (dlt.md §5.1).
fn known<'s>(plan: &IncrementalPlan, stored: Option<&'s CursorState>) -> Option<&'s CursorState> {
    stored.filter(|_| plan.end_value.is_none())
}

/// How far a cursor is in the middle of its partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    best: Option<CursorValue>,
    hashes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<RowOrder>,
}

/// Follows the cursor through the records of one partition.
#[derive(Debug)]
pub(super) struct Tracker<'a> {
    plan: &'a IncrementalPlan,
    load: &'a LoadPlan,
    stored: Option<&'a CursorState>,
    span: Option<&'a Span>,
    start: Option<CursorValue>,
    best: Option<CursorValue>,
    hashes: Vec<String>,
    /// Where the list may be left before its end.
    order: Option<RowOrder>,
}

impl<'a> Tracker<'a> {
    pub(super) fn new(
        plan: &'a IncrementalPlan,
        load: &'a LoadPlan,
        stored: Option<&'a CursorState>,
        span: Option<&'a Span>,
    ) -> Result<Self> {
        let start = match span {
            Some(span) => Some(span.from.clone()),
            None => start_of(plan, stored)?,
        };
        let stored = known(plan, stored);
        Ok(Self {
            plan,
            load,
            order: plan.stop.map(|_| RowOrder::default()),
            stored,
            span,
            start,
            best: stored.map(|state| state.last_value.clone()),
            hashes: stored.map(|state| state.unique_hashes.clone()).unwrap_or_default(),
        })
    }

    /// How far it is.
    pub(super) fn seen(&self) -> Seen {
        Seen { best: self.best.clone(), hashes: self.hashes.clone(), order: self.order.clone() }
    }

    /// Goes on from where an earlier run was.
    pub(super) fn resume(&mut self, seen: &Seen) {
        self.best.clone_from(&seen.best);
        self.hashes.clone_from(&seen.hashes);
        if self.order.is_some() {
            // Stored under another configuration, nothing is known of the order before.
            self.order = Some(seen.order.clone().unwrap_or_else(RowOrder::unknown));
        }
    }

    /// What the chain knows of the order of its list, where one is declared.
    pub(super) fn order(&mut self) -> Option<&mut RowOrder> {
        self.order.as_mut()
    }

    /// Whether the last of these records lies where the list may be left, as far as it alone can tell.
    pub(super) fn leaves_with(&self, document: &Document, records: &[NodeId]) -> bool {
        let Some(order) = self.order.as_ref().filter(|order| !order.is_broken()) else { return false };
        // One that cannot be read is told when its record is looked at.
        let last = records.last().and_then(|record| self.cursor(document, *record).ok().flatten());
        order.is_passed() || last.is_some_and(|cursor| self.is_beyond(&cursor))
    }

    fn cursor(&self, document: &Document, record: NodeId) -> Result<Option<CursorValue>> {
        let found = self.plan.cursor_path.first(document, record).and_then(|id| value(document, id));
        let (Some(form), Some(written)) = (&self.plan.form, &found) else { return Ok(found) };
        form.read(written).map(Some).ok_or_else(|| {
            Error::new(ErrorKind::Response, "a record's cursor is not written as `cursor_format` says")
                .with("path", &self.plan.cursor_path)
                .with("found", plain(written))
                .hint(format!(
                    "correct `cursor_format: {}`, the pattern of the records' cursors",
                    form.pattern()
                ))
        })
    }

    /// How a cursor stands to another in the direction of reading.
    fn compared(&self, cursor: &CursorValue, other: &CursorValue) -> Ordering {
        let order = compare(cursor, other);
        if self.plan.descending { order.reverse() } else { order }
    }

    /// Whether it lies before the start.
    fn is_before(&self, cursor: &CursorValue) -> bool {
        self.start.as_ref().is_some_and(|start| match self.compared(cursor, start) {
            Ordering::Less => true,
            Ordering::Equal => self.plan.start_open && self.span.is_none_or(|span| span.first),
            Ordering::Greater => false,
        })
    }

    /// Whether it lies at the end or after it.
    fn is_after(&self, cursor: &CursorValue) -> bool {
        let end = self.span.map_or(self.plan.end_value.as_ref(), |span| span.to.as_ref());
        end.is_some_and(|end| match self.compared(cursor, end) {
            Ordering::Greater => true,
            Ordering::Equal => !(self.plan.end_closed && self.span.is_none_or(|span| span.last)),
            Ordering::Less => false,
        })
    }

    /// Whether all that follows it lies outside of what is read, if the order holds.
    fn is_beyond(&self, cursor: &CursorValue) -> bool {
        match self.plan.stop {
            Some(StopPlan::AtStart) => self.is_before(cursor),
            Some(StopPlan::AtEnd) => self.is_after(cursor),
            None => false,
        }
    }

    /// Start, end and initial value as they go into requests.
    pub(super) fn bounds(&self) -> Result<[Option<String>; 3]> {
        let write =
            |value: Option<&CursorValue>| value.map(|value| written(value, &self.plan.format)).transpose();
        let [start, end] = match self.span {
            Some(span) => span.sent(self.plan)?,
            None => [write(self.start.as_ref())?, write(self.plan.end_value.as_ref())?],
        };
        Ok([start, end, write(self.plan.initial_value.as_ref())?])
    }

    /// Whether a record is in the range; notes its cursor.
    pub(super) fn keep(&mut self, document: &Document, record: NodeId) -> Result<bool> {
        let Some(cursor) = self.cursor(document, record)? else {
            return match self.plan.on_missing {
                OnMissing::Include => Ok(true),
                OnMissing::Exclude => Ok(false),
                OnMissing::Raise => Err(Error::new(ErrorKind::Response, "a record has no cursor")
                    .with("path", &self.plan.cursor_path)
                    .hint("set `on_cursor_value_missing` to `include` or `exclude` if records may lack it")),
            };
        };
        if self.best.iter().chain(&self.start).any(|known| are_of_two_kinds(&cursor, known)) {
            return Err(Error::new(
                ErrorKind::Response,
                "a record's cursor is of another kind than the others",
            )
            .with("path", &self.plan.cursor_path)
            .with("found", written(&cursor, &CursorFormat::AsIs)?)
            .hint("set `cursor_path` to a field that holds numbers or times throughout"));
        }
        if self.order.is_some() {
            self.follow(&cursor);
        }
        if self.is_before(&cursor) || self.is_after(&cursor) {
            return Ok(false);
        }
        let hash = self.appends().then(|| record_hash(document, record, self.load));
        if let (Some(stored), Some(hash)) = (self.stored, &hash)
            && self.plan.lag.is_none()
            && compare(&cursor, &stored.last_value) == Ordering::Equal
            && stored.unique_hashes.contains(hash)
        {
            return Ok(false);
        }
        let order = self.best.as_ref().map_or(Ordering::Greater, |best| self.compared(&cursor, best));
        if order == Ordering::Greater {
            self.best = Some(cursor);
            self.hashes.clear();
        }
        if order != Ordering::Less {
            self.hashes.extend(hash);
        }
        Ok(true)
    }

    /// Notes the place of a record in the order of its list.
    fn follow(&mut self, cursor: &CursorValue) {
        let beyond = self.is_beyond(cursor);
        let (Some(order), Some(stop)) = (&mut self.order, self.plan.stop) else { return };
        let onward = match (stop, self.plan.descending) {
            (StopPlan::AtStart, false) | (StopPlan::AtEnd, true) => Ordering::Less,
            (StopPlan::AtStart, true) | (StopPlan::AtEnd, false) => Ordering::Greater,
        };
        order.follow(cursor, onward, beyond);
    }

    /// The move, now that the partition is complete; none where nothing was ever seen or the run reads a window.
    pub(super) fn finish(self) -> Option<CursorMove> {
        if self.plan.end_value.is_some() {
            return None;
        }
        let state = CursorState {
            initial_value: self.plan.initial_value.clone(),
            last_value: self.best?,
            unique_hashes: self.hashes,
        };
        (self.stored != Some(&state)).then_some(CursorMove { start_value: self.start, state })
    }

    /// A merge finds its rows by their key; only appended rows could double at the border.
    fn appends(&self) -> bool {
        self.load.disposition == Disposition::Append
    }
}

/// The start, moved back: by days where cursors are dates, by seconds where they are times (dlt.md §5.1).
fn lagged(last: &CursorValue, lag: f64, plan: &IncrementalPlan) -> Result<CursorValue> {
    let moved = match comparable(last) {
        Comparable::Instant(micros) if is_date(last) => {
            #[expect(clippy::cast_possible_truncation, reason = "a lag is small")]
            let moved = micros.saturating_sub((lag * DAY) as i64);
            let day = Timestamp::from_microsecond(moved).map_err(lag_out_of_range)?;
            CursorValue::Text(day.strftime("%Y-%m-%d").to_string())
        }
        #[expect(clippy::cast_possible_truncation, reason = "a lag is small")]
        Comparable::Int(number) => CursorValue::Int(number.saturating_sub(lag.ceil() as i64)),
        Comparable::Float(number) => CursorValue::Float(number - lag),
        #[expect(clippy::cast_possible_truncation, reason = "a lag is small")]
        Comparable::Instant(micros) => {
            let time = Timestamp::from_microsecond(micros.saturating_sub((lag * 1e6) as i64))
                .map_err(lag_out_of_range)?;
            CursorValue::Text(time.to_string())
        }
        Comparable::Text(text) => {
            return Err(Error::new(
                ErrorKind::Response,
                "the cursor is neither a time nor a number: `lag` cannot move it",
            )
            .with("found", text));
        }
    };
    Ok(match &plan.initial_value {
        Some(initial) if compare(&moved, initial) == Ordering::Less => initial.clone(),
        _ => moved,
    })
}

fn lag_out_of_range(error: jiff::Error) -> Error {
    Error::new(ErrorKind::Response, "the cursor less its lag is out of range").caused_by(error)
}

/// Whether a cursor is a day alone, `2024-01-31`.
fn is_date(value: &CursorValue) -> bool {
    matches!(value, CursorValue::Text(text) if text.contains('-') && timestamp::parse_date(text.trim().as_bytes()).is_some())
}

/// Whether one is a JSON number and the other a text that is neither number nor time: no order of them means anything.
fn are_of_two_kinds(one: &CursorValue, other: &CursorValue) -> bool {
    use CursorValue::{Float, Int, Text};
    match (one, other) {
        (text @ Text(_), Int(_) | Float(_)) | (Int(_) | Float(_), text @ Text(_)) => {
            matches!(comparable(text), Comparable::Text(_))
        }
        _ => false,
    }
}

fn value(document: &Document, id: NodeId) -> Option<CursorValue> {
    let text = document.scalar(id)?;
    Some(match document.kind(id) {
        Kind::Integer => text.parse().map_or_else(|_| CursorValue::Text(text.into_owned()), CursorValue::Int),
        Kind::Decimal => CursorValue::Float(text.parse().ok()?),
        _ => CursorValue::Text(text.into_owned()),
    })
}

/// Nine bytes of digest over the record's key, or over the whole record where it has none (dlt.md §5.4).
fn record_hash(document: &Document, record: NodeId, load: &LoadPlan) -> String {
    let mut hasher = Shake128::default();
    let key: Option<Vec<NodeId>> = load.primary_key.iter().map(|key| document.get(record, key)).collect();
    match key {
        Some(key) if !key.is_empty() => {
            for part in key {
                hasher.update(document.json(part).as_bytes());
                hasher.update(b"\x1f");
            }
        }
        // An inherited key may not be that of these records: without it they must not all look the same.
        _ => hasher.update(document.json(record).as_bytes()),
    }
    let mut bytes = [0; 9];
    hasher.finalize_xof().read(&mut bytes);
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> CursorValue {
        CursorValue::Text(text.to_owned())
    }

    #[test]
    fn cursors_are_written_as_the_api_wants_them() {
        let iso = text("2024-01-01T00:00:00Z");
        for (format, expected) in [
            (CursorFormat::AsIs, "2024-01-01T00:00:00Z"),
            (CursorFormat::Unix, "1704067200"),
            (CursorFormat::UnixMillis, "1704067200000"),
            (CursorFormat::Date, "2024-01-01"),
            (CursorFormat::Pattern("%Y%m%d".to_owned()), "20240101"),
        ] {
            assert_eq!(written(&iso, &format).unwrap(), expected);
        }
        assert_eq!(
            written(&CursorValue::Int(1_704_067_200), &CursorFormat::Iso).unwrap(),
            "2024-01-01T00:00:00Z"
        );
        assert_eq!(written(&CursorValue::Int(1_704_067_200), &CursorFormat::Unix).unwrap(), "1704067200");
        assert!(written(&text("soon"), &CursorFormat::Unix).is_err());
        for beyond in [CursorValue::Float(1e300), CursorValue::Float(-1e15), CursorValue::Int(i64::MAX)] {
            let said = written(&beyond, &CursorFormat::Unix).unwrap_err().chain();
            assert!(said.contains("out of range"), "{said}");
        }
    }

    fn plan() -> IncrementalPlan {
        IncrementalPlan::for_tests(Some(CursorValue::Int(2)), CursorFormat::AsIs)
    }

    fn load(disposition: Disposition) -> LoadPlan {
        LoadPlan {
            table: "things".to_owned(),
            disposition,
            primary_key: vec!["id".to_owned()],
            key_inherited: false,
            fallback_key: None,
            merge_key: Vec::new(),
            columns: Vec::new(),
            max_nesting: None,
            shared: None,
            contract: crate::plan::Contract::default(),
        }
    }

    /// The ids that are kept, and the state after them.
    fn run(
        plan: &IncrementalPlan,
        disposition: Disposition,
        stored: Option<&CursorState>,
        body: &str,
    ) -> (Vec<String>, Option<CursorState>) {
        let (load, document) = (load(disposition), Document::parse(body.as_bytes().to_vec()).unwrap());
        let mut tracker = Tracker::new(plan, &load, stored, None).unwrap();
        let kept = document
            .items(document.root())
            .filter(|record| tracker.keep(&document, *record).unwrap())
            .map(|record| document.json(document.get(record, "id").unwrap()).to_owned())
            .collect();
        (kept, tracker.finish().map(|moved| moved.state))
    }

    #[test]
    fn appended_records_at_the_border_are_not_read_twice() {
        let body = r#"[{"id":1,"t":1},{"id":2,"t":2},{"id":3,"t":5},{"id":4,"t":5}]"#;
        let (kept, state) = run(&plan(), Disposition::Append, None, body);
        assert_eq!(kept, ["2", "3", "4"]);
        let state = state.unwrap();
        assert_eq!(state.last_value, CursorValue::Int(5));
        assert_eq!(state.unique_hashes.len(), 2);
        // The API gives the border again, with a record that became visible late.
        let again = r#"[{"id":3,"t":5},{"id":4,"t":5},{"id":5,"t":5},{"id":6,"t":6}]"#;
        let (kept, after) = run(&plan(), Disposition::Append, Some(&state), again);
        assert_eq!(kept, ["5", "6"]);
        assert_eq!(after.unwrap().last_value, CursorValue::Int(6));
        // Nothing new: nothing moves.
        assert_eq!(run(&plan(), Disposition::Append, Some(&state), r#"[{"id":3,"t":5}]"#), (vec![], None));
    }

    #[test]
    fn records_without_the_key_are_told_apart_at_the_border() {
        let (_, state) =
            run(&plan(), Disposition::Append, None, r#"[{"nr":1,"t":5,"id":null},{"id":1,"t":5}]"#);
        assert_eq!(state.unwrap().unique_hashes.len(), 2);
        let load =
            LoadPlan { primary_key: vec!["nr".to_owned(), "x".to_owned()], ..load(Disposition::Append) };
        let hash = |record: &str| {
            let document = Document::parse(record.as_bytes().to_vec()).unwrap();
            record_hash(&document, document.root(), &load)
        };
        assert_ne!(hash(r#"{"nr":1,"t":5}"#), hash(r#"{"nr":1,"t":6}"#));
        assert_ne!(hash(r#"{"a":1}"#), hash(r#"{"a":2}"#));
        assert_eq!(hash(r#"{"nr":1,"x":1,"t":5}"#), hash(r#"{"t":6,"nr":1,"x":1}"#));
    }

    #[test]
    fn lag_moves_the_start_back_but_not_before_the_first() {
        let stored =
            CursorState { initial_value: None, last_value: CursorValue::Int(10), unique_hashes: vec![] };
        for (lag, first) in [(3.0, "7"), (100.0, "2")] {
            let plan = IncrementalPlan { lag: Some(lag), ..plan() };
            let load = load(Disposition::Merge);
            let tracker = Tracker::new(&plan, &load, Some(&stored), None).unwrap();
            assert_eq!(tracker.bounds().unwrap()[0].as_deref(), Some(first));
        }
    }

    #[test]
    fn lag_is_in_days_where_cursors_are_dates_and_in_seconds_where_they_are_times() {
        for (last, start) in [("2024-03-01", "2024-02-28"), ("2024-03-01T00:00:02Z", "2024-03-01T00:00:00Z")]
        {
            let last_value = CursorValue::Text(last.to_owned());
            let stored = CursorState { initial_value: None, last_value, unique_hashes: vec![] };
            let plan = IncrementalPlan { lag: Some(2.0), initial_value: None, ..plan() };
            let load = load(Disposition::Merge);
            let tracker = Tracker::new(&plan, &load, Some(&stored), None).unwrap();
            assert_eq!(tracker.bounds().unwrap()[0].as_deref(), Some(start));
        }
    }

    #[test]
    fn a_word_among_numbers_is_no_cursor() {
        let plan = plan();
        let load = load(Disposition::Append);
        let mut tracker = Tracker::new(&plan, &load, None, None).unwrap();
        let body = r#"[{"t":5},{"t":"7"},{"t":"2024-01-01"},{"t":"later"}]"#;
        let document = Document::parse(body.as_bytes().to_vec()).unwrap();
        let kept: Vec<bool> =
            document.items(document.root()).map(|record| tracker.keep(&document, record).is_ok()).collect();
        assert_eq!(kept, [true, true, true, false]);
    }

    #[test]
    fn a_window_ends_before_its_end_and_moves_nothing() {
        let window = IncrementalPlan { end_value: Some(CursorValue::Int(5)), ..plan() };
        let body = r#"[{"id":1,"t":4},{"id":2,"t":5},{"id":3,"t":6}]"#;
        assert_eq!(run(&window, Disposition::Append, None, body), (vec!["1".to_owned()], None));
    }

    #[test]
    fn windows_move_one_cursor_to_the_largest_value_and_keep_all_records_at_it() {
        let moved = |start: i64, last: i64, hashes: &[&str]| CursorMove {
            start_value: Some(CursorValue::Int(start)),
            state: CursorState {
                initial_value: None,
                last_value: CursorValue::Int(last),
                unique_hashes: hashes.iter().map(|hash| (*hash).to_owned()).collect(),
            },
        };
        let (early, late) = (moved(1, 4, &["a"]), moved(5, 9, &["b"]));
        assert_eq!(early.clone().joined(late.clone()), moved(1, 9, &["b"]));
        assert_eq!(late.joined(early.clone()), moved(1, 9, &["b"]));
        // A window that gave nothing new stands where the cursor stood.
        assert_eq!(early.joined(moved(5, 4, &["c", "a"])), moved(1, 4, &["a", "c"]));
    }

    #[test]
    fn a_record_without_a_cursor_is_an_error_unless_the_plan_says_otherwise() {
        let document = Document::parse(br#"{"id":1,"t":null}"#.to_vec()).unwrap();
        for (on_missing, expected) in
            [(OnMissing::Include, Some(true)), (OnMissing::Exclude, Some(false)), (OnMissing::Raise, None)]
        {
            let (plan, load) = (IncrementalPlan { on_missing, ..plan() }, load(Disposition::Append));
            let kept = Tracker::new(&plan, &load, None, None).unwrap().keep(&document, document.root()).ok();
            assert_eq!(kept, expected);
        }
    }
}
