//! An incremental read cut into windows of time, each a partition of its own.
//!
//! To the records a window is half open: its own are those from its start on that lie before its end, whatever the API
//! gives, so that neighbours share none. What is sent may reach further, never less far: then nothing between two windows
//! is missed either.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::children::Partition;
use super::incremental::{CursorState, Cursors, instant_of, start_of, written};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{CursorFormat, CursorValue, EachPlan, IncrementalPlan, Plan, WindowPlan, WindowSize};
use crate::timestamp;

/// Windows of one partition: their positions are kept in the database.
const MOST: usize = 10_000;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The part of a read that is one window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) from: CursorValue,
    /// None: the last window of a read without an end.
    pub(super) to: Option<CursorValue>,
    /// The first of the read: its start is that of the read.
    pub(super) first: bool,
    /// The last of a read with an end: its end is that of the read.
    pub(super) last: bool,
}

/// Cuts reads of one resource.
#[derive(Clone, Debug)]
pub(super) struct Slicer {
    pub(super) plan: Arc<Plan>,
    pub(super) resource: usize,
    pub(super) cursors: Arc<Cursors>,
    /// The run's start.
    pub(super) now: Timestamp,
}

impl Slicer {
    /// The windows of a partition, the oldest first; none where the resource is not cut.
    pub(super) fn spans(&self, owner: &str) -> Result<Option<Vec<Span>>> {
        let Some(resource) = self.plan.resources.get(self.resource) else { return Ok(None) };
        let Some(incremental) = &resource.incremental else { return Ok(None) };
        let Some(window) = &incremental.window else { return Ok(None) };
        let stored = self.cursors.get(&resource.name, owner);
        cut(incremental, *window, stored, self.now)
            .map(Some)
            .map_err(|error| error.with("resource", &resource.name))
    }

    /// Why a partition that should be a window is none.
    pub(super) fn refusal(&self, partition: &Partition) -> Option<Error> {
        if partition.span.is_some() { None } else { self.spans(&partition.key).err() }
    }

    /// The items that the resource is asked for.
    pub(super) fn each(&self) -> Option<&EachPlan> {
        self.plan.resources.get(self.resource)?.each.as_ref()
    }
}

/// The windows from where the partition's cursor stands to the end of the read.
fn cut(
    plan: &IncrementalPlan,
    window: WindowPlan,
    stored: Option<&CursorState>,
    now: Timestamp,
) -> Result<Vec<Span>> {
    let Some(start) = start_of(plan, stored)? else {
        return Err(Error::new(ErrorKind::Config, "`window` needs to know where the first window begins")
            .hint("give `initial_value`"));
    };
    let grain = grain(&plan.format, &start);
    tells_apart(&start, grain, plan)?;
    let first = instant_of(&start, &plan.format)?.div_euclid(grain) * grain;
    let end = match &plan.end_value {
        Some(end) => instant_of(end, &plan.format)?,
        None => now.as_microsecond(),
    };
    let count = count(window.size, end.saturating_sub(first).max(0));
    if count >= MOST {
        return Err(Error::new(ErrorKind::Config, "the read would be cut into too many windows")
            .with("found", count)
            .with("limit", MOST)
            .hint("make `window` larger, or `initial_value` later"));
    }
    let mut spans = Vec::with_capacity(count + 1);
    let mut from = start.clone();
    for number in 1.. {
        let at = border(window.size, first, number)?;
        if at >= end {
            break;
        }
        let to = alike(&start, at, plan)?;
        spans.push(Span { from, to: Some(to.clone()), first: spans.is_empty(), last: false });
        from = to;
    }
    let to = match &plan.end_value {
        Some(end) => Some(end.clone()),
        // Beyond now: what is created while the run goes on may come, what comes later is the next run's.
        None if window.must_end => Some(alike(&start, (end.div_euclid(grain) + 1) * grain, plan)?),
        None => None,
    };
    spans.push(Span { from, to, first: spans.is_empty(), last: plan.end_value.is_some() });
    Ok(spans)
}

/// So many windows of this size at the most, but for the last one, have room in these microseconds.
fn count(size: WindowSize, length: i64) -> usize {
    let shortest = match size {
        WindowSize::Whole => i64::MAX,
        WindowSize::Seconds(seconds) => seconds.saturating_mul(SECOND),
        WindowSize::Months(months) => i64::from(months).saturating_mul(28 * DAY),
    };
    usize::try_from(length / shortest.max(1)).unwrap_or(usize::MAX)
}

/// The border after so many windows. Months are counted from the first: the 31st comes back after a shorter month.
fn border(size: WindowSize, first: i64, number: i32) -> Result<i64> {
    let beyond =
        |error: jiff::Error| Error::new(ErrorKind::Config, "a window's end is out of range").caused_by(error);
    Ok(match size {
        WindowSize::Whole => i64::MAX,
        WindowSize::Seconds(seconds) => {
            first.saturating_add(seconds.saturating_mul(SECOND).saturating_mul(number.into()))
        }
        WindowSize::Months(months) => {
            let first = Timestamp::from_microsecond(first).map_err(beyond)?.to_zoned_datetime(TimeZone::UTC);
            let months = jiff::Span::new().try_months(months.saturating_mul(number)).map_err(beyond)?;
            first.checked_add(months).map_err(beyond)?.timestamp().as_microsecond()
        }
    })
}

/// A form that writes two borders alike (`%H:%M` where they differ by a second) cannot ask for what lies between them.
fn tells_apart(start: &CursorValue, grain: i64, plan: &IncrementalPlan) -> Result<()> {
    let at = instant_of(start, &plan.format)?.div_euclid(grain) * grain;
    let text = |micros: i64| written(&alike(start, micros, plan)?, &plan.format);
    let [before, own, after] = [text(at - grain)?, text(at)?, text(at + grain)?];
    if before != own && own != after {
        return Ok(());
    }
    let unit = if grain == DAY { "days" } else { "seconds" };
    Err(Error::new(ErrorKind::Config, format!("`window` needs a format that tells {unit} apart"))
        .with("found", own)
        .hint("write seconds too, or whole dates"))
}

/// What borders between windows are whole in.
fn grain(format: &CursorFormat, start: &CursorValue) -> i64 {
    let dates = format.is_date() || *format == CursorFormat::AsIs && is_date(start);
    if dates { DAY } else { SECOND }
}

fn is_date(value: &CursorValue) -> bool {
    matches!(value, CursorValue::Text(text) if timestamp::parse_date(text.trim().as_bytes()).is_some())
}

/// An instant in the form of `model`.
fn alike(model: &CursorValue, micros: i64, plan: &IncrementalPlan) -> Result<CursorValue> {
    let number = match plan.format {
        CursorFormat::UnixMillis => micros.div_euclid(1000),
        _ => micros.div_euclid(SECOND),
    };
    let text = match model {
        CursorValue::Int(_) | CursorValue::Float(_) => return Ok(CursorValue::Int(number)),
        CursorValue::Text(text) => text.trim(),
    };
    if text.parse::<f64>().is_ok() {
        return Ok(CursorValue::Text(number.to_string()));
    }
    let time = Timestamp::from_microsecond(micros)
        .map_err(|error| Error::new(ErrorKind::Config, "a window's end is out of range").caused_by(error))?;
    let date = is_date(model) && micros.rem_euclid(DAY) == 0;
    Ok(CursorValue::Text(if date { time.strftime("%Y-%m-%d").to_string() } else { time.to_string() }))
}

impl Span {
    /// Start and end as they are sent.
    ///
    /// An API that excludes its start (`range_start: open`) is asked for one unit more before a border. One that includes
    /// its end (`range_end: closed`) is asked for the border too, which is then left out. Where dates are sent, a day of the
    /// API's may not be one of UTC: borders reach a day further on both sides.
    pub(super) fn sent(&self, plan: &IncrementalPlan) -> Result<[Option<String>; 2]> {
        let grain = grain(&plan.format, &self.from);
        let dates = grain == DAY;
        let moved = |value: &CursorValue, units: i64| -> Result<CursorValue> {
            alike(value, instant_of(value, &plan.format)? + units * grain, plan)
        };
        let earlier = i64::from(dates) + i64::from(plan.start_open);
        let from = if self.first { self.from.clone() } else { moved(&self.from, -earlier)? };
        let later = i64::from(dates && !plan.end_closed);
        let to = match &self.to {
            Some(to) if !self.last => Some(moved(to, later)?),
            to => to.clone(),
        };
        Ok([Some(written(&from, &plan.format)?), to.map(|to| written(&to, &plan.format)).transpose()?])
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        let text = |value: &CursorValue| match value {
            CursorValue::Text(text) => text.clone(),
            other => other.to_json().to_string(),
        };
        match &self.to {
            Some(to) => format!("{} to {}", text(&self.from), text(to)),
            None => format!("{} on", text(&self.from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    fn text(text: &str) -> CursorValue {
        CursorValue::Text(text.to_owned())
    }

    fn plan(initial: CursorValue, end: Option<CursorValue>, format: CursorFormat) -> IncrementalPlan {
        IncrementalPlan {
            end_value: end,
            end_param: Some("until".to_owned()),
            ..IncrementalPlan::for_tests(Some(initial), format)
        }
    }

    /// What is sent for each window, with the clock at noon of 3 January 2024.
    fn sent(plan: &IncrementalPlan, seconds: i64, must_end: bool) -> Vec<String> {
        sent_in(plan, WindowSize::Seconds(seconds), must_end)
    }

    fn sent_in(plan: &IncrementalPlan, size: WindowSize, must_end: bool) -> Vec<String> {
        let now = "2024-01-03T12:00:00Z".parse().unwrap();
        let spans = cut(plan, WindowPlan { size, must_end }, None, now).unwrap();
        for (one, next) in spans.iter().zip(spans.iter().skip(1)) {
            assert_eq!(one.to.as_ref(), Some(&next.from));
        }
        let each = spans.iter().map(|span| {
            let [from, to] = span.sent(plan).unwrap();
            format!("{} {}", from.unwrap(), to.unwrap_or_default())
        });
        each.collect()
    }

    #[test]
    fn borders_are_written_as_the_values_are() {
        for (initial, end, format, seconds, expected) in [
            (
                text("2024-01-01T00:00:00Z"),
                text("2024-01-01T05:00:00Z"),
                CursorFormat::AsIs,
                2 * HOUR,
                [
                    "2024-01-01T00:00:00Z 2024-01-01T02:00:00Z",
                    "2024-01-01T02:00:00Z 2024-01-01T04:00:00Z",
                    "2024-01-01T04:00:00Z 2024-01-01T05:00:00Z",
                ],
            ),
            (
                text("2024-01-01"),
                text("2024-01-06"),
                CursorFormat::AsIs,
                48 * HOUR,
                ["2024-01-01 2024-01-04", "2024-01-02 2024-01-06", "2024-01-04 2024-01-06"],
            ),
            (
                text("2024-01-01T10:30:00Z"),
                text("2024-01-04T00:00:00Z"),
                CursorFormat::Date,
                24 * HOUR,
                ["2024-01-01 2024-01-03", "2024-01-01 2024-01-04", "2024-01-02 2024-01-04"],
            ),
            (
                CursorValue::Int(1000),
                CursorValue::Int(1025),
                CursorFormat::Unix,
                10,
                ["1000 1010", "1010 1020", "1020 1025"],
            ),
            (
                CursorValue::Int(1_000_500),
                CursorValue::Int(1_025_000),
                CursorFormat::UnixMillis,
                10,
                ["1000500 1010000", "1010000 1020000", "1020000 1025000"],
            ),
            (
                text("1970-01-01T00:00:00Z"),
                text("1970-01-01T00:00:25Z"),
                CursorFormat::Unix,
                10,
                ["0 10", "10 20", "20 25"],
            ),
        ] {
            assert_eq!(sent(&plan(initial, Some(end), format), seconds, false), expected);
        }
    }

    #[test]
    fn a_read_without_an_end_has_an_open_last_window() {
        let open = plan(text("2024-01-01T00:00:00Z"), None, CursorFormat::Date);
        assert_eq!(sent(&open, 48 * HOUR, false), ["2024-01-01 2024-01-04", "2024-01-02 "]);
        // Where the request needs an end, it lies beyond now.
        assert_eq!(sent(&open, 48 * HOUR, true), ["2024-01-01 2024-01-04", "2024-01-02 2024-01-05"]);
        let future = plan(text("2025-01-01"), None, CursorFormat::Date);
        assert_eq!(sent(&future, 48 * HOUR, false), ["2025-01-01 "]);
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        let end = text("2024-05-02T06:00:00Z");
        let months = plan(text("2024-01-31T06:00:00Z"), Some(end), CursorFormat::AsIs);
        let day = |day: &str| format!("{day}T06:00:00Z");
        let borders = ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-02"].map(day);
        let expected: Vec<String> =
            borders.iter().zip(&borders[1..]).map(|(from, to)| format!("{from} {to}")).collect();
        assert_eq!(sent_in(&months, WindowSize::Months(1), false), expected);
        assert_eq!(sent_in(&months, WindowSize::Months(12), false).len(), 1);
    }

    #[test]
    fn one_window_ends_beyond_now() {
        let whole = plan(text("2023-12-01T00:00:00Z"), None, CursorFormat::AsIs);
        let sent = sent_in(&whole, WindowSize::Whole, true);
        assert_eq!(sent, ["2023-12-01T00:00:00Z 2024-01-03T12:00:01Z"]);
    }

    #[test]
    fn days_reach_further_on_both_sides() {
        let closed = IncrementalPlan {
            end_closed: true,
            ..plan(text("2024-01-01"), Some(text("2024-01-05")), CursorFormat::Date)
        };
        assert_eq!(sent(&closed, 48 * HOUR, false), ["2024-01-01 2024-01-03", "2024-01-02 2024-01-05"]);
        // An instant has fractions: 00:59:59.5 is included only if the border is.
        let closed = IncrementalPlan {
            end_closed: true,
            ..plan(text("2024-01-01T00:00:00Z"), Some(text("2024-01-01T02:00:00Z")), CursorFormat::Unix)
        };
        assert_eq!(sent(&closed, HOUR, false), ["1704067200 1704070800", "1704070800 1704074400"]);
    }

    #[test]
    fn a_start_that_is_excluded_is_sent_one_unit_earlier() {
        let open = IncrementalPlan {
            start_open: true,
            ..plan(CursorValue::Int(1000), Some(CursorValue::Int(1020)), CursorFormat::Unix)
        };
        assert_eq!(sent(&open, 10, false), ["1000 1010", "1009 1020"]);
    }

    #[test]
    fn a_form_that_writes_two_borders_alike_is_refused() {
        let now = "2024-01-03T12:00:00Z".parse().unwrap();
        let window = WindowPlan { size: WindowSize::Seconds(86_400), must_end: false };
        for (pattern, refused) in [
            ("%Y-%m-%dT%H:%M", true),
            ("%Y-%m-%dT%H", true),
            ("%Y-%m", true),
            ("%Y-%m-%dT%H:%M:%S", false),
            ("%Y-%m-%d", false),
        ] {
            for start in ["2024-01-01T10:30:45Z", "2024-01-01T10:59:59Z", "2023-12-31T00:00:00Z"] {
                let plan = plan(text(start), None, CursorFormat::Pattern(pattern.to_owned()));
                let cut = cut(&plan, window, None, now);
                assert_eq!(cut.is_err(), refused, "{pattern} from {start}");
            }
        }
    }

    #[test]
    fn too_many_windows_are_refused() {
        let all = plan(CursorValue::Int(0), None, CursorFormat::Unix);
        let now = "2024-01-03T12:00:00Z".parse().unwrap();
        let error =
            cut(&all, WindowPlan { size: WindowSize::Seconds(60), must_end: false }, None, now).unwrap_err();
        assert!(error.advice().unwrap().contains("larger"), "{error}");
    }
}
