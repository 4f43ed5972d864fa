//! `--since` and `--until`: one run that reads another range than the stored cursors say.

use jiff::Timestamp;

use super::{CursorFormat, CursorValue, IncrementalPlan, Note, Plan, StartPlan};
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp;

/// The range of a backfill, each end a date or an instant (RFC 3339).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backfill {
    /// Where it starts; none: where the resource would.
    pub since: Option<String>,
    /// Where it ends: the run reads a range and neither reads nor moves a stored cursor (dlt.md §5.1).
    pub until: Option<String>,
}

impl Plan {
    /// Makes every incremental resource read this range.
    ///
    /// # Errors
    /// Where an end is no time, where the range is empty, and where a resource does not know its start.
    pub fn backfill(&mut self, range: &Backfill) -> Result<()> {
        let since = range.since.as_deref().map(|text| instant("--since", text)).transpose()?;
        let until = range.until.as_deref().map(|text| instant("--until", text)).transpose()?;
        if since.is_none() && until.is_none() {
            return Ok(());
        }
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            return Err(wrong("`--until` does not lie after `--since`"));
        }
        let mut whole = Vec::new();
        for resource in &mut self.resources {
            let Some(incremental) = &mut resource.incremental else {
                whole.push(resource.name.clone());
                continue;
            };
            fits(incremental).map_err(|error| error.with("resource", &resource.name))?;
            if until.is_some() && since.is_none() && incremental.initial_value.is_none() {
                return Err(wrong("`--until` alone begins at `initial_value`, and a resource has none")
                    .with("resource", &resource.name)
                    .hint("give `--since` too"));
            }
            if let (Some(since), Some(text)) = (since, &range.since) {
                incremental.start = StartPlan::At(as_cursor(incremental, text, since));
            }
            if let (Some(until), Some(text)) = (until, &range.until) {
                incremental.end_value = Some(as_cursor(incremental, text, until));
            }
            // An unfinished reading of another range is not carried on, nor is this one by a run without it.
            let Backfill { since, until } = range;
            resource.fingerprint = format!("{} {since:?} {until:?}", resource.fingerprint);
        }
        self.notes.push(Note { resource: None, text: note(range) });
        if !whole.is_empty() {
            let names = whole.join(", ");
            self.notes.push(Note {
                resource: None,
                text: format!("read whole all the same, because they are not incremental: {names}"),
            });
        }
        Ok(())
    }
}

fn note(range: &Backfill) -> String {
    match (&range.since, &range.until) {
        (since, Some(until)) => {
            let since = since.as_deref().unwrap_or("the first values");
            format!("a backfill from {since} up to {until}: stored cursors are neither read nor moved")
        }
        (since, None) => {
            let since = since.as_deref().unwrap_or_default();
            format!(
                "a backfill from {since} on: stored cursors move forward only; `append` adds again what is there"
            )
        }
    }
}

/// Whether times can be the ends of what a resource reads.
fn fits(incremental: &IncrementalPlan) -> Result<()> {
    if incremental.descending {
        return Err(wrong("a backfill goes forward in time: not with `last_value_func: min`"));
    }
    let counts = match &incremental.initial_value {
        Some(CursorValue::Int(_) | CursorValue::Float(_)) => true,
        Some(CursorValue::Text(text)) => text.trim().parse::<f64>().is_ok(),
        None => false,
    };
    if counts && incremental.format == CursorFormat::AsIs {
        return Err(wrong("the cursor is a number, and nothing says what it counts")
            .hint("give the resource's `incremental` a `format`: `unix` or `unix_milliseconds`; or name the resources to run"));
    }
    Ok(())
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// Microseconds since 1970.
fn instant(option: &str, text: &str) -> Result<i64> {
    let text = text.trim();
    let date = || timestamp::parse_date(text.as_bytes()).map(|days| i64::from(days) * 86_400_000_000);
    timestamp::parse(text.as_bytes()).or_else(date).ok_or_else(|| {
        wrong(&format!("`{option} {text}` is no time"))
            .hint("write a date or an instant: 2024-01-31, 2024-01-31T12:00:00Z")
    })
}

/// The end as the resource writes its cursors, as far as it says so.
fn as_cursor(plan: &IncrementalPlan, text: &str, micros: i64) -> CursorValue {
    let numbers = matches!(plan.initial_value, Some(CursorValue::Int(_) | CursorValue::Float(_)));
    match plan.format {
        CursorFormat::UnixMillis if numbers => CursorValue::Int(micros.div_euclid(1000)),
        _ if numbers => CursorValue::Int(micros.div_euclid(1_000_000)),
        // A time of day that the API's cursors may lack is only added where it was given.
        _ => match Timestamp::from_microsecond(micros) {
            Ok(time) if text.contains(':') => CursorValue::Text(time.to_string()),
            _ => CursorValue::Text(text.trim().to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_written_as_the_cursors_are() {
        let first = || Some(CursorValue::Int(0));
        let text = |text: &str| CursorValue::Text(text.to_owned());
        for (plan, given, expected) in [
            (
                IncrementalPlan::for_tests(first(), CursorFormat::Unix),
                "2024-01-01",
                CursorValue::Int(1_704_067_200),
            ),
            (
                IncrementalPlan::for_tests(first(), CursorFormat::UnixMillis),
                "2024-01-01",
                CursorValue::Int(1_704_067_200_000),
            ),
            (IncrementalPlan::for_tests(None, CursorFormat::Unix), "2024-01-01", text("2024-01-01")),
            (
                IncrementalPlan::for_tests(None, CursorFormat::AsIs),
                "2024-01-01T01:00+01:00",
                text("2024-01-01T00:00:00Z"),
            ),
        ] {
            let micros = instant("--since", given).unwrap();
            assert_eq!(as_cursor(&plan, given, micros), expected);
        }
        assert!(instant("--since", "yesterday").is_err());
    }

    #[test]
    fn a_range_of_times_fits_no_numbers_of_unknown_meaning_and_no_reading_backwards() {
        let text = |text: &str| Some(CursorValue::Text(text.to_owned()));
        assert!(fits(&IncrementalPlan::for_tests(Some(CursorValue::Int(0)), CursorFormat::AsIs)).is_err());
        assert!(fits(&IncrementalPlan::for_tests(text("1700000000"), CursorFormat::AsIs)).is_err());
        assert!(fits(&IncrementalPlan::for_tests(Some(CursorValue::Int(0)), CursorFormat::Unix)).is_ok());
        assert!(fits(&IncrementalPlan::for_tests(text("2024-01-01"), CursorFormat::AsIs)).is_ok());
        let backwards =
            IncrementalPlan { descending: true, ..IncrementalPlan::for_tests(None, CursorFormat::Iso) };
        assert!(fits(&backwards).is_err());
    }
}
